// Text of a script → syntax tree. Recursive descent over characters, as the grammar of the shell is not context free.
import type { Node, Redirect, Word, WordPart } from './ast.ts'

export interface SyntaxFailure {
  readonly line: number
  readonly message: string
}

export type Parsed = { readonly ok: true; readonly node: Node } | { readonly ok: false; readonly error: SyntaxFailure }

interface Source {
  readonly text: string
  at: number
  line: number
  /** Here-documents whose text begins after the present line. */
  readonly pending: { delimiter: string; raw: boolean; strip: boolean; redirect: { target: Word } }[]
}

class ShellSyntaxError extends Error {
  constructor(
    message: string,
    readonly line: number,
  ) {
    super(message)
  }
}

const RESERVED_STOP = ['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}']
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

export function parseScript(text: string): Parsed {
  const src: Source = { text, at: 0, line: 1, pending: [] }
  try {
    const node = parseList(src, [])
    skipBlank(src)
    if (src.at < text.length) throw unexpected(src)
    return { ok: true, node }
  } catch (error) {
    if (error instanceof ShellSyntaxError) return { ok: false, error: { line: error.line, message: error.message } }
    throw error
  }
}

/** The parts of a word that stands alone, as in a here-document or `${x:-word}`. */
export function parseWordText(text: string): Word {
  const src: Source = { text, at: 0, line: 1, pending: [] }
  return parseQuotedRun(src, undefined, true)
}

function unexpected(src: Source): ShellSyntaxError {
  const rest = /^(;;|&&|\|\||[;&|()<>\n]|[^\s;&|()<>]+)/.exec(src.text.slice(src.at))
  const token = rest?.[1]
  return new ShellSyntaxError(
    token === undefined ? 'unexpected end of file' : token === '\n' ? 'unexpected newline' : `unexpected "${token}"`,
    src.line,
  )
}

function skipBlank(src: Source): void {
  for (;;) {
    const c = src.text[src.at]
    if (c === ' ' || c === '\t') src.at++
    else if (c === '\\' && src.text[src.at + 1] === '\n') {
      src.at += 2
      src.line++
    } else if (c === '#' && (src.at === 0 || /[\s;&|()]/.test(src.text[src.at - 1] as string))) {
      while (src.at < src.text.length && src.text[src.at] !== '\n') src.at++
    } else return
  }
}

function newline(src: Source): void {
  src.at++
  src.line++
  for (const doc of src.pending.splice(0)) readHereDocument(src, doc)
}

function skipLines(src: Source): void {
  for (;;) {
    skipBlank(src)
    if (src.text[src.at] === '\n') newline(src)
    else return
  }
}

function readHereDocument(src: Source, doc: Source['pending'][number]): void {
  let body = ''
  while (src.at < src.text.length) {
    const end = src.text.indexOf('\n', src.at)
    let line = src.text.slice(src.at, end < 0 ? undefined : end)
    src.at = end < 0 ? src.text.length : end + 1
    src.line++
    if (doc.strip) line = line.replace(/^\t+/, '')
    if (line === doc.delimiter) break
    body += `${line}\n`
  }
  doc.redirect.target = doc.raw ? [{ p: 'lit', text: body, quoted: true }] : parseWordText(body).map((part) => ({ ...part, quoted: true }))
}

function peekWord(src: Source): string {
  skipBlank(src)
  return /^[^\s;&|()<>'"\\$`]+/.exec(src.text.slice(src.at, src.at + 40))?.[0] ?? ''
}

function accept(src: Source, word: string): boolean {
  skipLines(src)
  if (peekWord(src) !== word) return false
  src.at += word.length
  return true
}

function expect(src: Source, word: string): void {
  if (!accept(src, word)) {
    const error = unexpected(src)
    throw new ShellSyntaxError(`${error.message} (expecting "${word}")`, src.line)
  }
}

function parseList(src: Source, stops: readonly string[]): Node {
  const items: { node: Node; background: boolean }[] = []
  for (;;) {
    skipLines(src)
    const c = src.text[src.at]
    if (c === undefined || c === ')' || src.text.startsWith(';;', src.at)) break
    const word = peekWord(src)
    if (RESERVED_STOP.includes(word)) {
      if (stops.includes(word)) break
      throw unexpected(src)
    }
    const node = parseAndOr(src)
    skipBlank(src)
    let background = false
    if (src.text[src.at] === '&' && src.text[src.at + 1] !== '&') {
      background = true
      src.at++
    } else if (src.text[src.at] === ';' && src.text[src.at + 1] !== ';') src.at++
    else if (
      src.text[src.at] !== '\n' &&
      src.text[src.at] !== undefined &&
      src.text[src.at] !== ')' &&
      !src.text.startsWith(';;', src.at)
    ) {
      if (!stops.includes(peekWord(src))) throw unexpected(src)
    }
    items.push({ node, background })
  }
  if (items.length === 1 && items[0] && !items[0].background) return items[0].node
  return { t: 'seq', items }
}

function parseAndOr(src: Source): Node {
  let left = parsePipeline(src)
  for (;;) {
    skipBlank(src)
    const op = src.text.slice(src.at, src.at + 2)
    if (op !== '&&' && op !== '||') return left
    src.at += 2
    skipLines(src)
    left = { t: op === '&&' ? 'and' : 'or', left, right: parsePipeline(src) }
  }
}

function parsePipeline(src: Source): Node {
  skipBlank(src)
  let negated = false
  while (peekWord(src) === '!') {
    src.at += 1
    negated = !negated
    skipBlank(src)
  }
  const parts = [parseCommand(src)]
  for (;;) {
    skipBlank(src)
    if (src.text[src.at] !== '|' || src.text[src.at + 1] === '|') break
    src.at++
    skipLines(src)
    parts.push(parseCommand(src))
  }
  return parts.length === 1 && !negated ? (parts[0] as Node) : { t: 'pipe', parts, negated }
}

function parseCommand(src: Source): Node {
  skipBlank(src)
  if (src.text[src.at] === '(') {
    src.at++
    const body = parseList(src, [])
    skipLines(src)
    if (src.text[src.at] !== ')') throw unexpected(src)
    src.at++
    return { t: 'subshell', body, redirects: parseRedirects(src) }
  }
  const word = peekWord(src)
  switch (word) {
    case '{': {
      src.at++
      const body = parseList(src, ['}'])
      expect(src, '}')
      return { t: 'group', body, redirects: parseRedirects(src) }
    }
    case 'if':
      return parseIf(src)
    case 'while':
    case 'until': {
      src.at += 5
      const when = parseList(src, ['do'])
      const body = parseDo(src)
      return { t: word, when, body, redirects: parseRedirects(src) }
    }
    case 'for':
      return parseFor(src)
    case 'case':
      return parseCase(src)
    case 'function': {
      src.at += 8
      const name = peekWord(src)
      src.at += name.length
      skipBlank(src)
      if (src.text.startsWith('()', src.at)) src.at += 2
      skipLines(src)
      return { t: 'function', name, body: parseCommand(src) }
    }
  }
  const definition = /^([A-Za-z_][A-Za-z0-9_-]*)[ \t]*\([ \t]*\)/.exec(src.text.slice(src.at, src.at + 200))
  if (definition) {
    src.at += definition[0].length
    skipLines(src)
    return { t: 'function', name: definition[1] as string, body: parseCommand(src) }
  }
  return parseSimple(src)
}

function parseIf(src: Source): Node {
  src.at += 2
  const branches = [{ when: parseList(src, ['then']), then: parseThen(src) }]
  for (;;) {
    if (accept(src, 'elif')) branches.push({ when: parseList(src, ['then']), then: parseThen(src) })
    else if (accept(src, 'else')) {
      const otherwise = parseList(src, ['fi'])
      expect(src, 'fi')
      return { t: 'if', branches, otherwise, redirects: parseRedirects(src) }
    } else {
      expect(src, 'fi')
      return { t: 'if', branches, redirects: parseRedirects(src) }
    }
  }
}

function parseThen(src: Source): Node {
  expect(src, 'then')
  return parseList(src, ['elif', 'else', 'fi'])
}

function parseDo(src: Source): Node {
  expect(src, 'do')
  const body = parseList(src, ['done'])
  expect(src, 'done')
  return body
}

function parseFor(src: Source): Node {
  src.at += 3
  const name = peekWord(src)
  if (!NAME.test(name)) throw unexpected(src)
  src.at += name.length
  skipLines(src)
  let words: Word[] | undefined
  if (peekWord(src) === 'in') {
    src.at += 2
    words = []
    for (;;) {
      skipBlank(src)
      const c = src.text[src.at]
      if (c === undefined || c === '\n' || c === ';') break
      words.push(parseWord(src))
    }
  }
  skipBlank(src)
  if (src.text[src.at] === ';') src.at++
  const body = parseDo(src)
  return { t: 'for', name, ...(words ? { words } : {}), body, redirects: parseRedirects(src) }
}

function parseCase(src: Source): Node {
  src.at += 4
  skipBlank(src)
  const word = parseWord(src)
  expect(src, 'in')
  const items: { patterns: Word[]; body: Node }[] = []
  for (;;) {
    skipLines(src)
    if (peekWord(src) === 'esac') break
    if (src.text[src.at] === undefined) throw unexpected(src)
    if (src.text[src.at] === '(') src.at++
    const patterns: Word[] = []
    for (;;) {
      skipBlank(src)
      patterns.push(parseWord(src))
      skipBlank(src)
      if (src.text[src.at] !== '|') break
      src.at++
    }
    if (src.text[src.at] !== ')') throw unexpected(src)
    src.at++
    items.push({ patterns, body: parseList(src, ['esac']) })
    skipLines(src)
    if (src.text.startsWith(';;', src.at)) src.at += 2
  }
  expect(src, 'esac')
  return { t: 'case', word, items, redirects: parseRedirects(src) }
}

function parseRedirects(src: Source): Redirect[] {
  const found: Redirect[] = []
  for (;;) {
    skipBlank(src)
    const redirect = tryRedirect(src)
    if (!redirect) return found
    found.push(...redirect)
  }
}

function tryRedirect(src: Source): Redirect[] | undefined {
  const match = /^(\d*)(<<-|<<|>>|>&|<&|>\||<>|&>|>|<)/.exec(src.text.slice(src.at, src.at + 8))
  if (!match) return undefined
  const op = match[2] as string
  src.at += match[0].length
  skipBlank(src)
  const fd = match[1] ? Number(match[1]) : op.startsWith('<') ? 0 : 1
  if (op === '<<' || op === '<<-') {
    const start = src.at
    const word = parseWord(src)
    const raw = /['"\\]/.test(src.text.slice(start, src.at))
    const redirect = { fd, op: '<<' as const, target: [] as Word }
    src.pending.push({ delimiter: word.map((part) => (part.p === 'lit' ? part.text : '')).join(''), raw, strip: op === '<<-', redirect })
    return [redirect]
  }
  const target = parseWord(src)
  if (op === '&>')
    return [
      { fd: 1, op: '>', target },
      { fd: 2, op: '>&', target: [{ p: 'lit', text: '1', quoted: false }] },
    ]
  return [{ fd, op: op as Redirect['op'], target }]
}

function parseSimple(src: Source): Node {
  const assigns: [string, Word][] = []
  const words: Word[] = []
  const redirects: Redirect[] = []
  for (;;) {
    skipBlank(src)
    const c = src.text[src.at]
    if (c === undefined || c === '\n' || c === ';' || c === ')' || c === '|') break
    if (c === '&' && src.text[src.at + 1] !== '>') break
    const redirect = tryRedirect(src)
    if (redirect) {
      redirects.push(...redirect)
      continue
    }
    if (c === '(') throw unexpected(src)
    const assign = words.length === 0 ? /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(src.text.slice(src.at, src.at + 200)) : null
    if (assign) {
      src.at += assign[0].length
      const next = src.text[src.at]
      assigns.push([assign[1] as string, next === undefined || /[\s;&|)]/.test(next) ? [] : parseWord(src)])
    } else words.push(parseWord(src))
  }
  if (assigns.length === 0 && words.length === 0 && redirects.length === 0) throw unexpected(src)
  return { t: 'simple', assigns, words, redirects }
}

function parseWord(src: Source): Word {
  const start = src.at
  const word = parseQuotedRun(src, /[\s;&|()<>]/, false)
  if (src.at === start) throw unexpected(src)
  return word
}

/** Reads until a character matches `stop` (outside quotes) or the text ends. `inDouble`: quotes are ordinary, as within double quotes. */
function parseQuotedRun(src: Source, stop: RegExp | undefined, inDouble: boolean, closing?: string): Word {
  const parts: WordPart[] = []
  let literal = ''
  const flush = (): void => {
    if (literal !== '') parts.push({ p: 'lit', text: literal, quoted: inDouble })
    literal = ''
  }
  for (;;) {
    const c = src.text[src.at]
    if (c === undefined) {
      if (closing !== undefined) throw new ShellSyntaxError(closing === '}' ? 'bad substitution' : 'unterminated quoted string', src.line)
      break
    }
    if (closing !== undefined && c === closing) break
    if (!inDouble && stop?.test(c)) break
    if (c === '\n') src.line++
    if (c === "'" && !inDouble) {
      const end = src.text.indexOf("'", src.at + 1)
      if (end < 0) throw new ShellSyntaxError('unterminated quoted string', src.line)
      flush()
      parts.push({ p: 'lit', text: src.text.slice(src.at + 1, end), quoted: true })
      src.at = end + 1
    } else if (c === '"' && closing !== '"' && !(inDouble && closing === undefined)) {
      flush()
      src.at++
      const inner = parseQuotedRun(src, undefined, true, '"')
      src.at++
      parts.push(...(inner.length === 0 ? [{ p: 'lit' as const, text: '', quoted: true }] : inner))
    } else if (c === '\\') {
      const next = src.text[src.at + 1]
      src.at += 2
      if (next === undefined) literal += '\\'
      else if (next === '\n') src.line++
      else if (inDouble) {
        if ('$`"\\'.includes(next) || next === closing) literal += next
        else literal += `\\${next}`
      } else {
        flush()
        parts.push({ p: 'lit', text: next, quoted: true })
      }
    } else if (c === '$') {
      const part = parseDollar(src, inDouble)
      if (part) {
        flush()
        parts.push(part)
      } else {
        literal += '$'
        src.at++
      }
    } else if (c === '`') {
      flush()
      src.at++
      let inner = ''
      while (src.text[src.at] !== '`') {
        if (src.text[src.at] === undefined) throw new ShellSyntaxError('unterminated quoted string', src.line)
        if (src.text[src.at] === '\\' && /[`\\$]/.test(src.text[src.at + 1] ?? '')) src.at++
        inner += src.text[src.at]
        src.at++
      }
      src.at++
      parts.push({ p: 'cmd', body: parseNested(inner, src.line), quoted: inDouble })
    } else {
      literal += c
      src.at++
    }
  }
  flush()
  return parts
}

function parseNested(text: string, line: number): Node {
  const inner: Source = { text, at: 0, line, pending: [] }
  const node = parseList(inner, [])
  if (inner.at < text.length) throw unexpected(inner)
  return node
}

function parseDollar(src: Source, quoted: boolean): WordPart | undefined {
  const rest = src.text.slice(src.at + 1, src.at + 80)
  if (rest.startsWith('((')) {
    src.at += 3
    const start = src.at
    let depth = 0
    while (src.at < src.text.length) {
      const c = src.text[src.at]
      if (c === '(') depth++
      else if (c === ')') {
        if (depth === 0 && src.text[src.at + 1] === ')') break
        depth--
      }
      src.at++
    }
    const text = src.text.slice(start, src.at)
    src.at += 2
    return { p: 'arith', text: parseWordText(text), quoted }
  }
  if (rest.startsWith('(')) {
    src.at += 2
    const body = parseList(src, [])
    skipLines(src)
    if (src.text[src.at] !== ')') throw unexpected(src)
    src.at++
    return { p: 'cmd', body, quoted }
  }
  if (rest.startsWith('{')) {
    src.at += 2
    const head = /^(#?)([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])/.exec(src.text.slice(src.at, src.at + 120))
    if (!head) throw new ShellSyntaxError('bad substitution', src.line)
    if (head[1] === '#' && src.text[src.at + head[0].length] === '}') {
      src.at += head[0].length + 1
      return { p: 'param', name: head[2] as string, op: '#len', quoted }
    }
    let name = head[2] as string
    let taken = head[0].length
    if (head[1] === '#') {
      name = '#'
      taken = 1
    }
    src.at += taken
    const op = /^(:[-+=?]|[-+=?]|%%?|##?|\/\/?|:)/.exec(src.text.slice(src.at, src.at + 3))?.[0] ?? ''
    src.at += op.length
    if (op === '' && src.text[src.at] !== '}') throw new ShellSyntaxError('bad substitution', src.line)
    const word = op === '' ? undefined : parseBraceWord(src, quoted)
    if (src.text[src.at] !== '}') throw new ShellSyntaxError('bad substitution', src.line)
    src.at++
    return { p: 'param', name, op, ...(word ? { word } : {}), quoted }
  }
  const simple = /^([A-Za-z_][A-Za-z0-9_]*|[0-9]|[@*#?$!-])/.exec(rest)
  if (!simple) return undefined
  src.at += 1 + simple[0].length
  return { p: 'param', name: simple[0], op: '', quoted }
}

function parseBraceWord(src: Source, quoted: boolean): Word {
  const word = quoted ? parseQuotedRun(src, undefined, true, '}') : parseQuotedRun(src, /\}/, false)
  return word
}

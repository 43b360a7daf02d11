// Words → fields: parameters, command output, arithmetic, field splitting, file names, quote removal (POSIX 2.6).
import type { FileView } from '../filesystem.ts'
import { listDirectory, lookup, normalisePath } from '../filesystem.ts'
import { evaluateArithmetic } from './arith.ts'
import type { Node, Word, WordPart } from './ast.ts'
import { globSource } from './pattern.ts'

export interface Variables {
  get(name: string): string | undefined
  set(name: string, value: string): void
}

export interface Expansion {
  readonly variables: Variables
  readonly params: readonly string[]
  readonly shellName: string
  readonly status: number
  readonly pid: number
  readonly lastBackground: number
  readonly nounset: boolean
  readonly flags: string
  readonly view: FileView
  readonly cwd: string
  /** Output of the command substitutions, in the order of substitutionsIn(). */
  readonly outputs: readonly string[]
}

export class ExpansionFailure extends Error {}

/** Command substitutions of words in the order in which they are run. */
export function substitutionsIn(words: readonly Word[], found: Node[] = []): Node[] {
  for (const word of words)
    for (const part of word) {
      if (part.p === 'cmd') found.push(part.body)
      else if (part.p === 'param' && part.word) substitutionsIn([part.word], found)
      else if (part.p === 'arith') substitutionsIn([part.text], found)
    }
  return found
}

/** A piece of text; `split`: it may be divided into fields, and its wildcards count. `join`: `"$@"` starts a new field here. */
interface Piece {
  readonly text: string
  readonly quoted: boolean
  readonly split: boolean
  readonly breakBefore?: boolean
}

export interface Expander {
  fields(words: readonly Word[]): string[]
  /** One text, without splitting or file names. */
  text(word: Word): string
  /** For `case` and `${x#…}`: an expression source. */
  pattern(word: Word, slash?: boolean): string
}

export function createExpander(x: Expansion): Expander {
  let next = 0
  const lookupParam = (name: string): string | undefined => {
    if (/^\d+$/.test(name)) return name === '0' ? x.shellName : x.params[Number(name) - 1]
    switch (name) {
      case '?':
        return String(x.status)
      case '$':
        return String(x.pid)
      case '!':
        return x.lastBackground === 0 ? '' : String(x.lastBackground)
      case '#':
        return String(x.params.length)
      case '-':
        return x.flags
      case '@':
      case '*':
        return x.params.length === 0 ? undefined : x.params.join(' ')
      default:
        return x.variables.get(name)
    }
  }
  const arithmetic = (text: string): string => {
    try {
      return String(evaluateArithmetic(text, x.variables))
    } catch (error) {
      throw new ExpansionFailure((error as Error).message)
    }
  }
  const pieces = (word: Word): Piece[] => word.flatMap(piece)
  const piece = (part: WordPart): Piece[] => {
    if (part.p === 'lit') return [{ text: part.text, quoted: part.quoted, split: false }]
    if (part.p === 'cmd') return [{ text: (x.outputs[next++] ?? '').replace(/\n+$/, ''), quoted: part.quoted, split: !part.quoted }]
    if (part.p === 'arith') return [{ text: arithmetic(join(pieces(part.text))), quoted: part.quoted, split: !part.quoted }]
    return parameter(part)
  }
  const skip = (word: Word | undefined): void => {
    if (word) next += substitutionsIn([word]).length
  }
  const parameter = (part: Extract<WordPart, { p: 'param' }>): Piece[] => {
    const { name, op, word, quoted } = part
    const value = lookupParam(name)
    const out = (text: string): Piece[] => [{ text, quoted, split: !quoted }]
    if (name === '@' && quoted && op === '')
      return x.params.length === 0
        ? []
        : x.params.map((text, i) => ({ text, quoted: true, split: false, ...(i > 0 ? { breakBefore: true } : {}) }))
    if (op === '#len') return out(String(value === undefined ? 0 : [...value].length))
    const colon = op.startsWith(':') && op.length > 1
    const missing = value === undefined || (colon && value === '')
    switch (colon ? op.slice(1) : op) {
      case '':
        if (value === undefined && x.nounset && !/^[@*]$/.test(name)) throw new ExpansionFailure(`${name}: parameter not set`)
        return out(value ?? '')
      case '-':
        if (missing)
          return pieces(word ?? []).map((p) => (quoted ? { ...p, quoted: true, split: false } : p.quoted ? p : { ...p, split: true }))
        skip(word)
        return out(value ?? '')
      case '+':
        if (!missing)
          return pieces(word ?? []).map((p) => (quoted ? { ...p, quoted: true, split: false } : p.quoted ? p : { ...p, split: true }))
        skip(word)
        return out('')
      case '=': {
        if (!missing) {
          skip(word)
          return out(value ?? '')
        }
        const text = join(pieces(word ?? []))
        x.variables.set(name, text)
        return out(text)
      }
      case '?': {
        if (!missing) {
          skip(word)
          return out(value ?? '')
        }
        const text = join(pieces(word ?? []))
        throw new ExpansionFailure(`${name}: ${text === '' ? (colon ? 'parameter null or not set' : 'parameter not set') : text}`)
      }
      case '#':
      case '##':
      case '%':
      case '%%':
        return out(trim(value ?? '', op, word ?? []))
      case ':': {
        const [from = '0', length] = join(pieces(word ?? [])).split(':')
        const text = [...(value ?? '')]
        const start = Number(arithmetic(from))
        const begin = start < 0 ? Math.max(0, text.length + start) : start
        if (length === undefined) return out(text.slice(begin).join(''))
        const n = Number(arithmetic(length))
        return out(text.slice(begin, n < 0 ? n : begin + n).join(''))
      }
      case '/':
      case '//': {
        const all = pieces(word ?? [])
        const joined = join(all)
        const cut = joined.search(/(?<!\\)\//)
        const from = cut < 0 ? joined : joined.slice(0, cut)
        const to = cut < 0 ? '' : joined.slice(cut + 1)
        return out((value ?? '').replace(new RegExp(globSource(from, true), op === '//' ? 'g' : ''), () => to))
      }
      default:
        throw new ExpansionFailure('bad substitution')
    }
  }
  const patternOf = (all: readonly Piece[], slash: boolean): string =>
    all.map((p) => (p.quoted ? globSource(p.text, slash, () => true) : globSource(p.text, slash))).join('')
  const trim = (value: string, op: string, word: Word): string => {
    const source = patternOf(pieces(word), true)
    const lengths = [...Array(value.length + 1).keys()]
    // The shortest prefix, or the longest suffix, is found first when counting up.
    const candidates = op === '#' || op === '%%' ? lengths : lengths.reverse()
    for (const n of candidates) {
      const part = op.startsWith('#') ? value.slice(0, n) : value.slice(n)
      if (new RegExp(`^(?:${source})$`).test(part)) return op.startsWith('#') ? value.slice(n) : value.slice(0, n)
    }
    return value
  }
  const fieldsOf = (word: Word): string[] => {
    const all = pieces(word)
    const ifs = x.variables.get('IFS') ?? ' \t\n'
    /** Characters with a mark whether a wildcard among them is quoted. */
    const fields: { text: string; source: Piece[] }[] = []
    let current: Piece[] | undefined
    const close = (): void => {
      if (current) fields.push({ text: join(current), source: current })
      current = undefined
    }
    for (const p of all) {
      if (p.breakBefore) close()
      if (!p.split) {
        current = [...(current ?? []), p]
        continue
      }
      if (p.text === '') continue
      const white = new RegExp(
        `[${
          [...ifs]
            .filter((c) => /\s/.test(c))
            .map((c) => (c === '\n' ? '\\n' : c === '\t' ? '\\t' : c))
            .join('') || '\\0'
        }]`,
      )
      const other = [...ifs].filter((c) => !/\s/.test(c))
      let word2 = ''
      for (const c of p.text) {
        if (ifs !== '' && (white.test(c) || other.includes(c))) {
          if (word2 !== '') current = [...(current ?? []), { ...p, text: word2 }]
          else if (other.includes(c) && !current) current = [{ ...p, text: '' }]
          word2 = ''
          close()
        } else word2 += c
      }
      if (word2 !== '') current = [...(current ?? []), { ...p, text: word2 }]
    }
    close()
    return fields.flatMap((field) => fileNames(field.text, field.source))
  }
  const fileNames = (text: string, source: readonly Piece[]): string[] => {
    if (!source.some((p) => !p.quoted && /[*?[]/.test(p.text))) return [text]
    const matches = expandGlob(source)
    return matches.length === 0 ? [text] : matches
  }
  const expandGlob = (source: readonly Piece[]): string[] => {
    const marked = source.map((p) => (p.quoted ? p.text.replace(/[*?[\\]/g, '\\$&') : p.text)).join('')
    const absolute = marked.startsWith('/')
    let found: string[] = [absolute ? '/' : '']
    for (const part of marked.split('/').filter(Boolean)) {
      const matched: string[] = []
      for (const base of found) {
        const here = normalisePath(base === '' ? '.' : base, x.cwd)
        if (!/[*?[]/.test(part.replace(/\\./g, ''))) {
          const path = `${base}${base === '' || base.endsWith('/') ? '' : '/'}${part.replace(/\\(.)/g, '$1')}`
          if (lookup(x.view, normalisePath(path, x.cwd), false)) matched.push(path)
          continue
        }
        if (lookup(x.view, here)?.type !== 'dir') continue
        const test = new RegExp(`^${globSource(part, false)}$`)
        for (const name of listDirectory(x.view, here))
          if (test.test(name) && (!name.startsWith('.') || part.startsWith('.')))
            matched.push(`${base}${base === '' || base.endsWith('/') ? '' : '/'}${name}`)
      }
      found = matched
    }
    return found.filter((path) => path !== '' && path !== '/')
  }
  return {
    fields: (words) => words.flatMap(fieldsOf),
    text: (word) => join(pieces(tilde(word, x))),
    pattern: (word, slash = true) => patternOf(pieces(word), slash),
  }
}

const join = (all: readonly Piece[]): string => all.map((p) => p.text).join('')

function tilde(word: Word, x: Expansion): Word {
  const first = word[0]
  if (first?.p !== 'lit' || first.quoted || !/^~(\/|$)/.test(first.text)) return word
  return [{ ...first, text: (x.variables.get('HOME') ?? '/root') + first.text.slice(1) }, ...word.slice(1)]
}

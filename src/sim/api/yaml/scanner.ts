// YAML 1.1 tokens, with the mistakes that libyaml (go.yaml.in/yaml/v2 scannerc.go) finds and its words for them.
// Lines and columns count from zero.

export type TokenType =
  | 'stream-end'
  | 'version-directive'
  | 'tag-directive'
  | 'document-start'
  | 'document-end'
  | 'block-sequence-start'
  | 'block-mapping-start'
  | 'block-end'
  | 'flow-sequence-start'
  | 'flow-sequence-end'
  | 'flow-mapping-start'
  | 'flow-mapping-end'
  | 'block-entry'
  | 'flow-entry'
  | 'key'
  | 'value'
  | 'alias'
  | 'anchor'
  | 'tag'
  | 'scalar'

export interface Token {
  readonly type: TokenType
  readonly line: number
  /** Text of a scalar, anchor or alias; handle of a tag or %TAG; version of %YAML. */
  readonly value: string
  /** Suffix of a tag, prefix of %TAG. */
  readonly suffix?: string
  readonly plain?: boolean
}

/** A mistake in the text, already worded with its line. */
export class YamlSyntaxError extends Error {}

/** The error text of upstream: line 0 is not said; the scanner says the line it is on, the parser the one before. */
export const syntaxError = (problem: string, line: number, fromScanner: boolean): YamlSyntaxError =>
  new YamlSyntaxError(line === 0 ? `yaml: ${problem}` : `yaml: line ${fromScanner ? line + 1 : line}: ${problem}`)

interface SimpleKey {
  possible: boolean
  required: boolean
  token: number
  index: number
  line: number
  column: number
}

const MAX_FLOW_LEVEL = 10_000
const INDICATORS = '-?:,[]{}#&*!|>\'"%@`'
const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
}
const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }
// What YAML counts as printable; everything else is refused before anything is read.
const CONTROL =
  /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

export interface Scanner {
  peek(): Token
  next(): Token
}

export const createScanner = (source: string): Scanner => {
  if (CONTROL.test(source)) throw syntaxError('control characters are not allowed', 0, true)
  const text = source
  let at = 0
  let index = 0
  let line = 0
  let column = 0
  const tokens: Token[] = []
  let parsed = 0
  let indent = -1
  const indents: number[] = []
  let flowLevel = 0
  let simpleKeyAllowed = true
  const simpleKeys: SimpleKey[] = [{ possible: false, required: false, token: 0, index: 0, line: 0, column: 0 }]
  let ended = false

  const char = (offset = 0): string => text[at + offset] ?? '\0'
  const isZ = (offset = 0): boolean => at + offset >= text.length
  const isBlank = (offset = 0): boolean => char(offset) === ' ' || char(offset) === '\t'
  const isBreak = (offset = 0): boolean => '\r\n\x85\u2028\u2029'.includes(char(offset)) && !isZ(offset)
  const isBreakZ = (offset = 0): boolean => isZ(offset) || isBreak(offset)
  const isBlankZ = (offset = 0): boolean => isBlank(offset) || isBreakZ(offset)
  const isAlpha = (): boolean => /^[0-9A-Za-z_-]$/.test(char())
  const fail = (problem: string): never => {
    throw syntaxError(problem, line, true)
  }
  const skip = (): void => {
    const code = text.charCodeAt(at)
    at += code >= 0xd800 && code <= 0xdbff ? 2 : 1
    index++
    column++
  }
  const read = (): string => {
    const from = at
    skip()
    return text.slice(from, at)
  }
  /** Passes a line break and tells what it means. */
  const readLine = (): string => {
    const c = char()
    if (c === '\r' && char(1) === '\n') {
      at += 2
      index += 2
    } else {
      at++
      index++
    }
    column = 0
    line++
    return c === '\u2028' || c === '\u2029' ? c : '\n'
  }
  const isDocumentIndicator = (): boolean => {
    const three = text.slice(at, at + 3)
    return column === 0 && (three === '---' || three === '...') && isBlankZ(3)
  }
  const token = (type: TokenType, startLine: number, value = '', more: Partial<Token> = {}): Token => ({
    type,
    line: startLine,
    value,
    ...more,
  })
  const insert = (position: number, t: Token): void => {
    if (position < 0) tokens.push(t)
    else tokens.splice(position, 0, t)
  }

  const lastKey = (): SimpleKey => simpleKeys[simpleKeys.length - 1] as SimpleKey
  const keyIsValid = (key: SimpleKey): boolean => {
    if (!key.possible) return false
    if (key.line < line || key.index + 1024 < index) {
      if (key.required) fail("could not find expected ':'")
      key.possible = false
      return false
    }
    return true
  }
  const removeSimpleKey = (): void => {
    const key = lastKey()
    if (!key.possible) return
    if (key.required) fail("could not find expected ':'")
    key.possible = false
  }
  const saveSimpleKey = (): void => {
    if (!simpleKeyAllowed) return
    const required = flowLevel === 0 && indent === column
    const key: SimpleKey = { possible: true, required, token: parsed + tokens.length, index, line, column }
    removeSimpleKey()
    simpleKeys[simpleKeys.length - 1] = key
  }
  const rollIndent = (to: number, position: number, type: TokenType, atLine: number): void => {
    if (flowLevel > 0 || indent >= to) return
    indents.push(indent)
    indent = to
    insert(position < 0 ? -1 : position - parsed, token(type, atLine))
  }
  const unrollIndent = (to: number): void => {
    if (flowLevel > 0) return
    while (indent > to) {
      tokens.push(token('block-end', line))
      indent = indents.pop() ?? -1
    }
  }

  const toNextToken = (): void => {
    for (;;) {
      if (column === 0 && char() === '\ufeff') skip()
      while (char() === ' ' || ((flowLevel > 0 || !simpleKeyAllowed) && char() === '\t')) skip()
      if (char() === '#') while (!isBreakZ()) skip()
      if (!isBreak()) return
      readLine()
      if (flowLevel === 0) simpleKeyAllowed = true
    }
  }

  const skipBlanksAndComment = (): void => {
    while (isBlank()) skip()
    if (char() === '#') while (!isBreakZ()) skip()
    if (!isBreakZ()) fail('did not find expected comment or line break')
    if (isBreak()) readLine()
  }

  const tagHandle = (directive: boolean): string => {
    if (char() !== '!') fail("did not find expected '!'")
    let handle = read()
    while (isAlpha()) handle += read()
    if (char() === '!') handle += read()
    else if (directive && handle !== '!') fail("did not find expected '!'")
    return handle
  }
  const tagUri = (head: string): string => {
    let uri = head.slice(1)
    let found = head.length > 0
    while (isAlpha() || (!isZ() && ";/?:@&=+$,.!~*'()[]%".includes(char()))) {
      if (char() === '%') uri += uriEscapes()
      else uri += read()
      found = true
    }
    if (!found) fail('did not find expected tag URI')
    return uri
  }
  const uriEscapes = (): string => {
    let escaped = ''
    let left = -1
    do {
      const hex = text.slice(at + 1, at + 3)
      if (char() !== '%' || !/^[0-9a-fA-F]{2}$/.test(hex)) fail('did not find URI escaped octet')
      const octet = Number.parseInt(hex, 16)
      if (left < 0) {
        left = octet < 0x80 ? 1 : (octet & 0xe0) === 0xc0 ? 2 : (octet & 0xf0) === 0xe0 ? 3 : (octet & 0xf8) === 0xf0 ? 4 : 0
        if (left === 0) fail('found an incorrect leading UTF-8 octet')
      } else if ((octet & 0xc0) !== 0x80) fail('found an incorrect trailing UTF-8 octet')
      escaped += `%${hex}`
      skip()
      skip()
      skip()
    } while (--left > 0)
    return decodeURIComponent(escaped)
  }

  const scanDirective = (): Token => {
    const start = line
    skip()
    let name = ''
    while (isAlpha()) name += read()
    if (name === '') fail('could not find expected directive name')
    if (!isBlankZ()) fail('found unexpected non-alphabetical character')
    let made: Token
    if (name === 'YAML') {
      while (isBlank()) skip()
      const number = (): string => {
        let digits = ''
        while (/^[0-9]$/.test(char())) {
          digits += read()
          if (digits.length > 2) fail('found extremely long version number')
        }
        if (digits === '') fail('did not find expected version number')
        return digits
      }
      const major = number()
      if (char() !== '.') fail("did not find expected digit or '.' character")
      skip()
      made = token('version-directive', start, `${Number(major)}.${Number(number())}`)
    } else if (name === 'TAG') {
      while (isBlank()) skip()
      const handle = tagHandle(true)
      if (!isBlank()) fail('did not find expected whitespace')
      while (isBlank()) skip()
      const suffix = tagUri('')
      if (!isBlankZ()) fail('did not find expected whitespace or line break')
      made = token('tag-directive', start, handle, { suffix })
    } else return fail('found unknown directive name')
    skipBlanksAndComment()
    return made
  }

  const scanAnchor = (type: 'anchor' | 'alias'): Token => {
    const start = line
    skip()
    let name = ''
    while (isAlpha()) name += read()
    if (name === '' || !(isBlankZ() || '?:,]}%@`'.includes(char()))) fail('did not find expected alphabetic or numeric character')
    return token(type, start, name)
  }

  const scanTag = (): Token => {
    const start = line
    let handle = ''
    let suffix: string
    if (char(1) === '<') {
      skip()
      skip()
      suffix = tagUri('')
      if (char() !== '>') fail("did not find the expected '>'")
      skip()
    } else {
      handle = tagHandle(false)
      if (handle.length > 1 && handle.endsWith('!')) suffix = tagUri('')
      else {
        suffix = tagUri(handle)
        handle = '!'
        if (suffix === '') [handle, suffix] = [suffix, handle]
      }
    }
    if (!isBlankZ()) fail('did not find expected whitespace or line break')
    return token('tag', start, handle, { suffix })
  }

  const scanBlockScalar = (literal: boolean): Token => {
    const start = line
    skip()
    let chomping = 0
    let increment = 0
    const sign = (): void => {
      if (char() !== '+' && char() !== '-') return
      chomping = char() === '+' ? 1 : -1
      skip()
    }
    const digit = (): void => {
      if (!/^[0-9]$/.test(char())) return
      if (char() === '0') fail('found an indentation indicator equal to 0')
      increment = Number(read())
    }
    if (char() === '+' || char() === '-') {
      sign()
      digit()
    } else {
      digit()
      if (increment > 0) sign()
    }
    skipBlanksAndComment()
    let width = increment > 0 ? (indent >= 0 ? indent + increment : increment) : 0
    const breaks = (): string => {
      let found = ''
      let widest = 0
      for (;;) {
        while ((width === 0 || column < width) && char() === ' ') skip()
        widest = Math.max(widest, column)
        if ((width === 0 || column < width) && char() === '\t') fail('found a tab character where an indentation space is expected')
        if (!isBreak()) break
        found += readLine()
      }
      if (width === 0) width = Math.max(widest, indent + 1, 1)
      return found
    }
    let value = ''
    let leadingBreak = ''
    let leadingBlank = false
    let trailing = breaks()
    while (column === width && !isZ()) {
      const trailingBlank = isBlank()
      if (!literal && !leadingBlank && !trailingBlank && leadingBreak === '\n') {
        if (trailing === '') value += ' '
      } else value += leadingBreak
      value += trailing
      leadingBlank = isBlank()
      const from = at
      while (!isBreakZ()) skip()
      value += text.slice(from, at)
      leadingBreak = isZ() ? '' : readLine()
      trailing = breaks()
    }
    if (chomping !== -1) value += leadingBreak
    if (chomping === 1) value += trailing
    return token('scalar', start, value)
  }

  const scanFlowScalar = (single: boolean): Token => {
    const start = line
    const quote = single ? "'" : '"'
    skip()
    let value = ''
    for (;;) {
      if (isDocumentIndicator()) fail('found unexpected document indicator')
      if (isZ()) fail('found unexpected end of stream')
      let leadingBlanks = false
      while (!isBlankZ()) {
        const c = char()
        if (single && c === "'" && char(1) === "'") {
          value += "'"
          skip()
          skip()
        } else if (c === quote) break
        else if (!single && c === '\\' && isBreak(1)) {
          skip()
          readLine()
          leadingBlanks = true
          break
        } else if (!single && c === '\\') value += scanEscape()
        else value += read()
      }
      if (char() === quote && !isZ()) break
      let whitespace = ''
      let leadingBreak = ''
      let trailing = ''
      while (isBlank() || isBreak()) {
        if (isBlank()) {
          if (leadingBlanks) skip()
          else whitespace += read()
        } else if (!leadingBlanks) {
          whitespace = ''
          leadingBreak = readLine()
          leadingBlanks = true
        } else trailing += readLine()
      }
      if (!leadingBlanks) value += whitespace
      else if (leadingBreak === '\n') value += trailing === '' ? ' ' : trailing
      else value += leadingBreak + trailing
    }
    skip()
    return token('scalar', start, value)
  }
  const scanEscape = (): string => {
    const c = char(1)
    const length = HEX_LENGTH[c] ?? 0
    const plain = isZ(1) ? undefined : ESCAPES[c]
    if (length === 0 && plain === undefined) fail('found unknown escape character')
    skip()
    skip()
    if (plain !== undefined) return plain
    const hex = text.slice(at, at + length)
    if (hex.length < length || !/^[0-9a-fA-F]+$/.test(hex)) fail('did not find expected hexdecimal number')
    const code = Number.parseInt(hex, 16)
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) fail('found invalid Unicode character escape code')
    for (let i = 0; i < length; i++) skip()
    return String.fromCodePoint(code)
  }

  const scanPlainScalar = (): Token => {
    const start = line
    const width = indent + 1
    let value = ''
    let whitespace = ''
    let leadingBreak = ''
    let trailing = ''
    let leadingBlanks = false
    for (;;) {
      if (isDocumentIndicator() || char() === '#') break
      while (!isBlankZ()) {
        const c = char()
        if ((c === ':' && isBlankZ(1)) || (flowLevel > 0 && ',?[]{}'.includes(c))) break
        if (leadingBlanks) {
          if (leadingBreak === '\n') value += trailing === '' ? ' ' : trailing
          else value += leadingBreak + trailing
          leadingBreak = ''
          trailing = ''
          leadingBlanks = false
        } else if (whitespace !== '') {
          value += whitespace
          whitespace = ''
        }
        value += read()
      }
      if (!(isBlank() || isBreak())) break
      while (isBlank() || isBreak()) {
        if (isBlank()) {
          if (leadingBlanks && column < width && char() === '\t') fail('found a tab character that violates indentation')
          if (leadingBlanks) skip()
          else whitespace += read()
        } else if (!leadingBlanks) {
          whitespace = ''
          leadingBreak = readLine()
          leadingBlanks = true
        } else trailing += readLine()
      }
      if (flowLevel === 0 && column < width) break
    }
    if (leadingBlanks) simpleKeyAllowed = true
    return token('scalar', start, value, { plain: true })
  }

  const single = (type: TokenType, length = 1): void => {
    const start = line
    for (let i = 0; i < length; i++) skip()
    tokens.push(token(type, start))
  }

  const fetchValue = (): void => {
    const key = lastKey()
    if (keyIsValid(key)) {
      insert(key.token - parsed, token('key', key.line))
      rollIndent(key.column, key.token, 'block-mapping-start', key.line)
      key.possible = false
      simpleKeyAllowed = false
    } else {
      if (flowLevel === 0) {
        if (!simpleKeyAllowed) fail('mapping values are not allowed in this context')
        rollIndent(column, -1, 'block-mapping-start', line)
      }
      simpleKeyAllowed = flowLevel === 0
    }
    single('value')
  }

  const fetchDocumentIndicator = (type: TokenType): void => {
    unrollIndent(-1)
    removeSimpleKey()
    simpleKeyAllowed = false
    single(type, 3)
  }

  const fetchNode = (scan: () => Token): void => {
    saveSimpleKey()
    simpleKeyAllowed = false
    tokens.push(scan())
  }

  const fetchNext = (): void => {
    toNextToken()
    unrollIndent(column)
    if (isZ()) {
      if (column !== 0) {
        column = 0
        line++
      }
      unrollIndent(-1)
      removeSimpleKey()
      simpleKeyAllowed = false
      tokens.push(token('stream-end', line))
      ended = true
      return
    }
    const c = char()
    if (column === 0 && c === '%') {
      unrollIndent(-1)
      removeSimpleKey()
      simpleKeyAllowed = false
      tokens.push(scanDirective())
      return
    }
    if (isDocumentIndicator()) return fetchDocumentIndicator(c === '-' ? 'document-start' : 'document-end')
    if (c === '[' || c === '{') {
      saveSimpleKey()
      simpleKeys.push({ possible: false, required: false, token: parsed + tokens.length, index, line, column })
      if (++flowLevel > MAX_FLOW_LEVEL) fail(`exceeded max depth of ${MAX_FLOW_LEVEL}`)
      simpleKeyAllowed = true
      return single(c === '[' ? 'flow-sequence-start' : 'flow-mapping-start')
    }
    if (c === ']' || c === '}') {
      removeSimpleKey()
      if (flowLevel > 0) {
        flowLevel--
        simpleKeys.pop()
      }
      simpleKeyAllowed = false
      return single(c === ']' ? 'flow-sequence-end' : 'flow-mapping-end')
    }
    if (c === ',') {
      removeSimpleKey()
      simpleKeyAllowed = true
      return single('flow-entry')
    }
    if (c === '-' && isBlankZ(1)) {
      if (flowLevel === 0) {
        if (!simpleKeyAllowed) fail('block sequence entries are not allowed in this context')
        rollIndent(column, -1, 'block-sequence-start', line)
      }
      removeSimpleKey()
      simpleKeyAllowed = true
      return single('block-entry')
    }
    if (c === '?' && (flowLevel > 0 || isBlankZ(1))) {
      if (flowLevel === 0) {
        if (!simpleKeyAllowed) fail('mapping keys are not allowed in this context')
        rollIndent(column, -1, 'block-mapping-start', line)
      }
      removeSimpleKey()
      simpleKeyAllowed = flowLevel === 0
      return single('key')
    }
    if (c === ':' && (flowLevel > 0 || isBlankZ(1))) return fetchValue()
    if (c === '*') return fetchNode(() => scanAnchor('alias'))
    if (c === '&') return fetchNode(() => scanAnchor('anchor'))
    if (c === '!') return fetchNode(scanTag)
    if ((c === '|' || c === '>') && flowLevel === 0) {
      removeSimpleKey()
      simpleKeyAllowed = true
      tokens.push(scanBlockScalar(c === '|'))
      return
    }
    if (c === "'" || c === '"') return fetchNode(() => scanFlowScalar(c === "'"))
    if (
      !(isBlankZ() || INDICATORS.includes(c)) ||
      (c === '-' && !isBlank(1)) ||
      (flowLevel === 0 && (c === '?' || c === ':') && !isBlankZ(1))
    ) {
      return fetchNode(scanPlainScalar)
    }
    fail('found character that cannot start any token')
  }

  const fill = (): void => {
    while (!ended) {
      if (tokens.length > 0) {
        // A token that may turn out to be a key has to wait for its colon.
        const key = simpleKeys.find((k) => k.possible && k.token === parsed)
        if (!key || !keyIsValid(key)) return
      }
      fetchNext()
    }
  }

  return {
    peek: () => {
      fill()
      return tokens[0] as Token
    },
    next: () => {
      fill()
      parsed++
      return tokens.shift() as Token
    },
  }
}

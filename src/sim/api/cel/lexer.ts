// Tokens of CEL: cel-go parser/gen/CEL.g4.
import { utf8Encode } from '../../../lib/base64.ts'
import type { Pos, Problem } from './ast.ts'

/** Names as the grammar quotes them in its complaints. */
export type TokenType = 'IDENTIFIER' | 'ESC_IDENTIFIER' | 'NUM_INT' | 'NUM_UINT' | 'NUM_FLOAT' | 'STRING' | 'BYTES' | 'EOF' | Punctuation
type Punctuation = (typeof PUNCTUATION)[number] | 'in' | 'true' | 'false' | 'null'

const PUNCTUATION = [
  '==',
  '!=',
  '<=',
  '>=',
  '&&',
  '||',
  '<',
  '>',
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '.',
  ',',
  '-',
  '!',
  '?',
  ':',
  '+',
  '*',
  '/',
  '%',
] as const
const WORDS: readonly string[] = ['in', 'true', 'false', 'null']

export interface Token {
  readonly type: TokenType
  readonly text: string
  readonly pos: Pos
}

const isDigit = (c: string | undefined): boolean => c !== undefined && c >= '0' && c <= '9'
const isHex = (c: string | undefined): boolean => c !== undefined && /^[0-9a-fA-F]$/.test(c)
const isLetter = (c: string | undefined): boolean => c !== undefined && /^[A-Za-z_]$/.test(c)

/** Tokens, and complaints about what is none. */
export function tokenize(source: string): { tokens: Token[]; problems: Problem[] } {
  const s = [...source]
  const tokens: Token[] = []
  const problems: Problem[] = []
  let i = 0
  const add = (type: TokenType, end: number): void => {
    tokens.push({ type, text: s.slice(i, end).join(''), pos: i })
    i = end
  }
  /** The text up to and with the character that fits no token is skipped. */
  const fail = (at: number): void => {
    const end = Math.min(at + 1, s.length)
    problems.push({
      pos: i,
      message: `Syntax error: token recognition error at: '${s.slice(i, end).join('').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r')}'`,
    })
    i = Math.max(end, i + 1)
  }
  while (i < s.length) {
    const c = s[i] as string
    if (/^[\t \r\n\f]$/.test(c)) {
      i++
      continue
    }
    if (c === '/' && s[i + 1] === '/') {
      while (i < s.length && s[i] !== '\n') i++
      continue
    }
    const prefix = /^[bB]$/.test(c) ? 1 : 0
    const raw = /^[rR]$/.test(s[i + prefix] ?? '') ? 1 : 0
    const quote = s[i + prefix + raw]
    if (quote === '"' || quote === "'") {
      const end = stringEnd(s, i + prefix + raw, raw === 1)
      if (end.ok) add(prefix === 1 ? 'BYTES' : 'STRING', end.at)
      else if (prefix + raw > 0) {
        // the letters are an identifier then
        add('IDENTIFIER', i + prefix + raw)
      } else fail(end.at)
      continue
    }
    if (isLetter(c)) {
      let end = i
      while (isLetter(s[end]) || isDigit(s[end])) end++
      const text = s.slice(i, end).join('')
      add(WORDS.includes(text) ? (text as TokenType) : 'IDENTIFIER', end)
      continue
    }
    if (c === '`') {
      let end = i + 1
      while (end < s.length && /^[A-Za-z0-9_.\-/ ]$/.test(s[end] as string)) end++
      if (s[end] === '`' && end > i + 1) add('ESC_IDENTIFIER', end + 1)
      else fail(end)
      continue
    }
    if (isDigit(c) || (c === '.' && isDigit(s[i + 1]))) {
      number(s, i, add)
      continue
    }
    const two = c + (s[i + 1] ?? '')
    const found = PUNCTUATION.find((p) => (p.length === 2 ? two === p : c === p))
    if (found) add(found, i + found.length)
    else fail(c === '=' || c === '&' || c === '|' ? i + 1 : i)
  }
  tokens.push({ type: 'EOF', text: '<EOF>', pos: s.length })
  return { tokens, problems }
}

function number(s: readonly string[], from: number, add: (type: TokenType, end: number) => void): void {
  let end = from
  if (s[from] === '0' && s[from + 1] === 'x' && isHex(s[from + 2])) {
    end = from + 2
    while (isHex(s[end])) end++
    if (s[end] === 'u' || s[end] === 'U') add('NUM_UINT', end + 1)
    else add('NUM_INT', end)
    return
  }
  while (isDigit(s[end])) end++
  let float = false
  if (s[end] === '.' && isDigit(s[end + 1])) {
    float = true
    end++
    while (isDigit(s[end])) end++
  }
  if (s[end] === 'e' || s[end] === 'E') {
    const sign = s[end + 1] === '+' || s[end + 1] === '-' ? 1 : 0
    if (isDigit(s[end + 1 + sign])) {
      float = true
      end += 1 + sign
      while (isDigit(s[end])) end++
    }
  }
  if (!float && (s[end] === 'u' || s[end] === 'U')) add('NUM_UINT', end + 1)
  else add(float ? 'NUM_FLOAT' : 'NUM_INT', end)
}

/** The end of a string that starts at `from`, or where it stops being one. */
function stringEnd(s: readonly string[], from: number, raw: boolean): { ok: boolean; at: number } {
  const q = s[from] as string
  const triple = s[from + 1] === q && s[from + 2] === q
  let i = from + (triple ? 3 : 1)
  for (;;) {
    const c = s[i]
    if (c === undefined) return { ok: false, at: i }
    if (c === q && (!triple || (s[i + 1] === q && s[i + 2] === q))) return { ok: true, at: i + (triple ? 3 : 1) }
    if (!triple && (c === '\n' || c === '\r')) return { ok: false, at: i }
    if (c !== '\\' || raw) {
      i++
      continue
    }
    const e = s[i + 1] ?? ''
    const hex = { x: 2, X: 2, u: 4, U: 8 }[e] ?? 0
    if ('abfnrtv"\'\\?`'.includes(e) && e !== '') i += 2
    else if (hex > 0) {
      for (let k = 0; k < hex; k++) if (!isHex(s[i + 2 + k])) return { ok: false, at: i + 2 + k }
      i += 2 + hex
    } else if (/^[0-3]$/.test(e)) {
      for (let k = 0; k < 2; k++) if (!/^[0-7]$/.test(s[i + 2 + k] ?? '')) return { ok: false, at: i + 2 + k }
      i += 4
    } else return { ok: false, at: i + 1 }
  }
}

const SIMPLE: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** Code points or, of byte literals, bytes. */
function unescapeTo(text: string, isBytes: boolean, put: (code: number, isByte: boolean) => void): void {
  let value = text
  const raw = /^[rR]/.test(value)
  if (raw) value = value.slice(1)
  const size = /^('''|""")/.test(value) && value.length >= 6 ? 3 : 1
  const s = [...value.slice(size, -size).replace(/\r\n?/g, '\n')]
  for (let i = 0; i < s.length; i++) {
    const c = s[i] as string
    if (c !== '\\' || raw) {
      put(c.codePointAt(0) as number, false)
      continue
    }
    const e = s[++i] as string
    const hex = { x: 2, X: 2, u: 4, U: 8 }[e] ?? 0
    if (hex > 0) {
      put(Number.parseInt(s.slice(i + 1, i + 1 + hex).join(''), 16), isBytes)
      i += hex
    } else if (/^[0-3]$/.test(e)) {
      put(Number.parseInt(s.slice(i, i + 3).join(''), 8), isBytes)
      i += 2
    } else put((SIMPLE[e] ?? e).codePointAt(0) as number, false)
  }
}

/** Meaning of a STRING token; undefined for code points that do not exist. */
export function stringValue(text: string): string | undefined {
  let out = ''
  let bad = false
  unescapeTo(text, false, (code) => {
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) bad = true
    else out += String.fromCodePoint(code)
  })
  return bad ? undefined : out
}

/** Meaning of a BYTES token. */
export function bytesValue(text: string): number[] {
  const out: number[] = []
  unescapeTo(text.slice(1), true, (code, isByte) => {
    if (isByte) out.push(code & 0xff)
    else out.push(...utf8Encode(String.fromCodePoint(code)))
  })
  return out
}

// Go's regular expressions (regexp/syntax, Perl flags): their complaints, and their meaning as a JavaScript RegExp.
// Matching is by backtracking, so leftmost-first as in Go, but without Go's linear time.
import { getOwn } from '../../../lib/own.ts'
import { fail, ok, type Result } from '../../../lib/result.ts'

class Bad extends Error {}
const bad = (what: string, text?: string): never => {
  throw new Bad(text === undefined ? what : `${what}: \`${text}\``)
}

interface Flags {
  fold: boolean
  multiline: boolean
  dotAll: boolean
  swapGreed: boolean
}

type Range = readonly [low: number, high: number]

const MAX_RUNE = 0x10ffff
const DIGIT: readonly Range[] = [[0x30, 0x39]]
const SPACE: readonly Range[] = [
  [9, 10],
  [12, 13],
  [32, 32],
]
const WORD: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]
const LOWER: Range = [0x61, 0x7a]
const UPPER: Range = [0x41, 0x5a]
const POSIX: Readonly<Record<string, readonly Range[]>> = {
  alnum: [...DIGIT, UPPER, LOWER],
  alpha: [UPPER, LOWER],
  ascii: [[0, 0x7f]],
  blank: [
    [9, 9],
    [32, 32],
  ],
  cntrl: [
    [0, 0x1f],
    [0x7f, 0x7f],
  ],
  digit: DIGIT,
  graph: [[0x21, 0x7e]],
  lower: [LOWER],
  print: [[0x20, 0x7e]],
  punct: [
    [0x21, 0x2f],
    [0x3a, 0x40],
    [0x5b, 0x60],
    [0x7b, 0x7e],
  ],
  space: [
    [9, 13],
    [32, 32],
  ],
  upper: [UPPER],
  word: WORD,
  xdigit: [...DIGIT, [0x41, 0x46], [0x61, 0x66]],
}

const negate = (ranges: readonly Range[]): Range[] => {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0])
  const rest: Range[] = []
  let next = 0
  for (const [low, high] of sorted) {
    if (low > next) rest.push([next, low - 1])
    next = Math.max(next, high + 1)
  }
  if (next <= MAX_RUNE) rest.push([next, MAX_RUNE])
  return rest
}

const folded = (ranges: readonly Range[]): Range[] => {
  const all: Range[] = [...ranges]
  for (const [low, high] of ranges) {
    for (let c = low; c <= high && c - low < 1024; c++) {
      const text = String.fromCodePoint(c)
      for (const other of [text.toLowerCase(), text.toUpperCase()]) {
        const code = other.codePointAt(0) as number
        if (code !== c && other.length === String.fromCodePoint(code).length) all.push([code, code])
      }
    }
  }
  return all
}

const rune = (code: number): string => `\\u{${code.toString(16)}}`
const classText = (ranges: readonly Range[], properties: readonly string[] = []): string =>
  ranges.length + properties.length === 0
    ? '[^\\s\\S]'
    : `[${ranges.map(([low, high]) => (low === high ? rune(low) : `${rune(low)}-${rune(high)}`)).join('')}${properties.join('')}]`

const unicodeClass = (name: string, negative: boolean): string | undefined => {
  if (name === 'Any') return negative ? '[^\\s\\S]' : '[\\s\\S]'
  for (const form of [name, `Script=${name}`]) {
    const text = `\\${negative ? 'P' : 'p'}{${form}}`
    try {
      new RegExp(text, 'u')
      return text
    } catch {
      // not a class of this form
    }
  }
  return undefined
}

const REPEAT_MAX = 1000
const isWord = (name: string): boolean => /^[A-Za-z0-9_]+$/.test(name)

/** One pass over the pattern: checks it as Go does and writes JavaScript. */
class Translator {
  private i = 0
  private depth = 0
  private readonly names = new Set<string>()
  private readonly s: readonly string[]
  private readonly pattern: string

  constructor(pattern: string) {
    this.pattern = pattern
    this.s = [...pattern]
  }

  translate(): string {
    const out = this.alternation({ fold: false, multiline: false, dotAll: false, swapGreed: false })
    if (this.i < this.s.length) bad('unexpected )', this.pattern)
    return out
  }

  private rest(from = this.i): string {
    return this.s.slice(from).join('')
  }

  private alternation(given: Flags): string {
    let flags = given
    let out = ''
    let last: string | undefined
    let repeatedFrom = -1
    const flush = (): void => {
      out += last ?? ''
      last = undefined
    }
    while (this.i < this.s.length) {
      const c = this.s[this.i] as string
      if (c === ')') {
        if (this.depth === 0) bad('unexpected )', this.pattern)
        break
      }
      if (c === '*' || c === '+' || c === '?' || (c === '{' && this.repeatAt() !== undefined)) {
        const start = this.i
        const text = this.operator()
        if (last === undefined) bad('missing argument to repetition operator', this.s.slice(start, this.i).join(''))
        if (repeatedFrom >= 0) bad('invalid nested repetition operator', this.s.slice(repeatedFrom, this.i).join(''))
        const lazy = text.lazy !== flags.swapGreed
        last = `(?:${last})${text.op}${lazy ? '?' : ''}`
        repeatedFrom = start
        continue
      }
      repeatedFrom = -1
      if (c === '|') {
        flush()
        out += '|'
        this.i++
        continue
      }
      flush()
      if (c === '(') {
        const group = this.group(flags)
        if (group.flags) flags = group.flags
        else last = group.text
        continue
      }
      last = this.atom(c, flags)
    }
    flush()
    return out
  }

  private repeatAt(): { min: number; max: number; end: number } | undefined {
    const m = /^\{(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?\}/.exec(this.rest())
    if (!m) return undefined
    const min = Number(m[1])
    const max = m[2] === undefined ? min : m[3] === undefined ? -1 : Number(m[3])
    return { min, max, end: this.i + m[0].length }
  }

  private operator(): { op: string; lazy: boolean } {
    const c = this.s[this.i] as string
    let op = c
    if (c === '{') {
      const r = this.repeatAt() as { min: number; max: number; end: number }
      const text = this.s.slice(this.i, r.end).join('')
      if (r.min > REPEAT_MAX || r.max > REPEAT_MAX || (r.max >= 0 && r.min > r.max)) bad('invalid repeat count', text)
      op = text
      this.i = r.end
    } else this.i++
    const lazy = this.s[this.i] === '?'
    if (lazy) this.i++
    return { op, lazy }
  }

  private group(flags: Flags): { text: string; flags?: undefined } | { flags: Flags } {
    const start = this.i
    let inner = flags
    let open = '('
    this.i++
    if (this.s[this.i] === '?') {
      const named = /^\?P?<([^>]*)(>?)/.exec(this.rest())
      const isNamed = this.s[this.i + 1] === 'P' ? this.s[this.i + 2] === '<' : this.s[this.i + 1] === '<'
      if (isNamed && !/^\?<[=!]/.test(this.rest())) {
        const text = `(${named?.[0] ?? ''}`
        if (!named || named[2] === '') bad('invalid named capture', this.rest(start))
        const name = named?.[1] as string
        if (!isWord(name)) bad('invalid named capture', text)
        if (this.names.has(name)) bad('duplicate capture group name', name)
        this.names.add(name)
        this.i += [...(named as RegExpExecArray)[0]].length
      } else {
        inner = { ...flags }
        this.i++
        let sign = true
        let seen = false
        for (;;) {
          const c = this.s[this.i]
          const sofar = (): string => this.s.slice(start, this.i + 1).join('')
          if (c === undefined) return bad('missing closing )', this.pattern)
          this.i++
          if (c === 'i' || c === 'm' || c === 's' || c === 'U') {
            inner[c === 'i' ? 'fold' : c === 'm' ? 'multiline' : c === 's' ? 'dotAll' : 'swapGreed'] = sign
            seen = true
          } else if (c === '-') {
            this.i--
            if (!sign) bad('invalid or unsupported Perl syntax', sofar())
            this.i++
            sign = false
            seen = false
          } else if (c === ':' || c === ')') {
            this.i--
            if (!sign && !seen) bad('invalid or unsupported Perl syntax', sofar())
            this.i++
            if (c === ')') return { flags: inner }
            open = '(?:'
            break
          } else {
            this.i--
            return bad('invalid or unsupported Perl syntax', sofar())
          }
        }
      }
    }
    this.depth++
    const body = this.alternation(inner)
    if (this.s[this.i] !== ')') bad('missing closing )', this.pattern)
    this.depth--
    this.i++
    return { text: `${open}${body})` }
  }

  private atom(c: string, flags: Flags): string {
    switch (c) {
      case '.':
        this.i++
        return flags.dotAll ? '[^]' : '[^\\n]'
      case '^':
        this.i++
        return flags.multiline ? '(?<![^\\n])' : '(?<![^])'
      case '$':
        this.i++
        return flags.multiline ? '(?![^\\n])' : '(?![^])'
      case '[':
        return this.bracket(flags)
      case '\\':
        return this.escape(flags)
      default:
        this.i++
        return this.literal(c.codePointAt(0) as number, flags)
    }
  }

  private literal(code: number, flags: Flags): string {
    return flags.fold ? classText(folded([[code, code]])) : rune(code)
  }

  private escape(flags: Flags): string {
    const start = this.i
    const next = this.s[this.i + 1]
    if (next === undefined) return bad('trailing backslash at end of expression', '')
    const assertions: Readonly<Record<string, string>> = { A: '(?<![^])', z: '(?![^])', b: '\\b', B: '\\B' }
    const assertion = getOwn(assertions, next)
    if (assertion) {
      this.i += 2
      return assertion
    }
    if (next === 'C') return bad('invalid escape sequence', '\\C')
    if (next === 'Q') {
      this.i += 2
      const text = this.rest()
      const end = text.indexOf('\\E')
      const quoted = end < 0 ? text : text.slice(0, end)
      this.i += [...quoted].length + (end < 0 ? 0 : 2)
      return [...quoted].map((q) => this.literal(q.codePointAt(0) as number, flags)).join('') || '(?:)'
    }
    if (next === 'p' || next === 'P') {
      const property = this.unicode()
      return property
    }
    const perl = this.perl()
    if (perl) return classText(flags.fold ? folded(perl) : perl)
    return this.literal(this.escaped(start), flags)
  }

  private perl(): readonly Range[] | undefined {
    const next = this.s[this.i + 1] ?? ''
    const classes: Readonly<Record<string, readonly Range[]>> = {
      d: DIGIT,
      s: SPACE,
      w: WORD,
      D: negate(DIGIT),
      S: negate(SPACE),
      W: negate(WORD),
    }
    const ranges = getOwn(classes, next)
    if (ranges) this.i += 2
    return ranges
  }

  private unicode(): string {
    const start = this.i
    let negative = this.s[this.i + 1] === 'P'
    this.i += 2
    let name: string
    if (this.s[this.i] === '{') {
      const end = this.s.indexOf('}', this.i)
      if (end < 0) return bad('invalid character class range', this.rest(start))
      name = this.s.slice(this.i + 1, end).join('')
      this.i = end + 1
    } else {
      if (this.s[this.i] === undefined) return bad('invalid character class range', this.rest(start))
      name = this.s[this.i] as string
      this.i++
    }
    const whole = this.s.slice(start, this.i).join('')
    if (name.startsWith('^')) {
      negative = !negative
      name = name.slice(1)
    }
    return unicodeClass(name, negative) ?? bad('invalid character class range', whole)
  }

  /** A single escaped character. */
  private escaped(start: number): number {
    this.i++
    const c = this.s[this.i]
    if (c === undefined) return bad('trailing backslash at end of expression', '')
    this.i++
    if (c >= '1' && c <= '7') {
      const next = this.s[this.i]
      if (next === undefined || next < '0' || next > '7') return bad('invalid escape sequence', this.s.slice(start, this.i).join(''))
      return this.octal(c)
    }
    if (c === '0') return this.octal(c)
    if (c === 'x') {
      const braced = /^\{([0-9a-fA-F]+)\}/.exec(this.rest())
      const plain = /^[0-9a-fA-F]{2}/.exec(this.rest())
      const digits = braced?.[1] ?? plain?.[0]
      if (digits === undefined) {
        const n = this.rest().startsWith('{')
          ? (/^\{[0-9a-fA-F]*.?/u.exec(this.rest())?.[0].length ?? 1)
          : Math.min(2, Math.max(1, (/^[0-9a-fA-F]?./u.exec(this.rest())?.[0] ?? '').length))
        return bad('invalid escape sequence', this.s.slice(start, this.i + n).join(''))
      }
      this.i += (braced?.[0] ?? digits).length
      const code = Number.parseInt(digits, 16)
      return code > MAX_RUNE ? bad('invalid escape sequence', this.s.slice(start, this.i).join('')) : code
    }
    const controls: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 }
    const control = getOwn(controls, c)
    if (control !== undefined) return control
    const code = c.codePointAt(0) as number
    if (code < 0x80 && !/[A-Za-z0-9]/.test(c)) return code
    return bad('invalid escape sequence', this.s.slice(start, this.i).join(''))
  }

  private octal(first: string): number {
    let value = Number(first)
    for (let k = 1; k < 3; k++) {
      const next = this.s[this.i]
      if (next === undefined || next < '0' || next > '7') break
      value = value * 8 + Number(next)
      this.i++
    }
    return value
  }

  private bracket(flags: Flags): string {
    const start = this.i
    this.i++
    const negative = this.s[this.i] === '^'
    if (negative) this.i++
    const ranges: Range[] = []
    const properties: string[] = []
    let first = true
    for (;;) {
      const c = this.s[this.i]
      if (c === undefined) return bad('missing closing ]', this.rest(start))
      if (c === ']' && !first) break
      if (c === '-' && !first && this.s[this.i + 1] !== ']' && this.s[this.i + 1] !== undefined) {
        // Perl flags allow a hyphen anywhere
        this.i++
        this.addRange(45, ranges, start, this.i - 1)
        first = false
        continue
      }
      first = false
      if (c === '[' && this.s[this.i + 1] === ':') {
        const text = this.rest()
        const end = text.indexOf(':]', 2)
        if (end >= 0) {
          const raw = text.slice(0, end + 2)
          const name = raw.slice(2, -2)
          const no = name.startsWith('^')
          const found = getOwn(POSIX, no ? name.slice(1) : name)
          if (!found) return bad('invalid character class range', raw)
          ranges.push(...(no ? negate(found) : found))
          this.i += [...raw].length
          continue
        }
      }
      if (c === '\\' && (this.s[this.i + 1] === 'p' || this.s[this.i + 1] === 'P')) {
        properties.push(this.unicode())
        continue
      }
      const perl = c === '\\' ? this.perl() : undefined
      if (perl) {
        ranges.push(...perl)
        continue
      }
      const at = this.i
      this.addRange(this.classChar(start), ranges, start, at)
    }
    this.i++
    const all = flags.fold ? folded(ranges) : ranges
    if (!negative) return classText(all, properties)
    return properties.length === 0 ? classText(negate(all)) : `[^${classText(all, properties).slice(1)}`
  }

  private addRange(low: number, ranges: Range[], start: number, at: number): void {
    let high = low
    if (this.s[this.i] === '-' && this.s[this.i + 1] !== undefined && this.s[this.i + 1] !== ']') {
      this.i++
      high = this.classChar(start)
      if (high < low) bad('invalid character class range', this.s.slice(at, this.i).join(''))
    }
    ranges.push([low, high])
  }

  private classChar(start: number): number {
    const c = this.s[this.i]
    if (c === undefined) return bad('missing closing ]', this.rest(start))
    if (c === '\\') return this.escaped(this.i)
    this.i++
    return c.codePointAt(0) as number
  }
}

const compiled = new Map<string, Result<RegExp>>()
const CACHE_SIZE = 500

/** regexp.Compile: the error is Go's whole text, `error parsing regexp: missing closing ]: \`[\``. */
export const compileGoRegexp = (pattern: string): Result<RegExp> => {
  const known = compiled.get(pattern)
  if (known) return known
  let result: Result<RegExp>
  try {
    result = ok(new RegExp(new Translator(pattern).translate(), 'u'))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    result = fail(`error parsing regexp: ${error instanceof Bad ? error.message : `expression too large`}`)
  }
  if (compiled.size >= CACHE_SIZE) compiled.clear()
  compiled.set(pattern, result)
  return result
}

// echo, printf, test and date: what they print and decide, without the process around them.
import { type FileView, lookup, normalisePath } from '../filesystem.ts'

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v', '\\': '\\', e: '\x1b' }

export function unescape(text: string): { text: string; stop: boolean } {
  let out = ''
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\') {
      out += text[i]
      continue
    }
    const next = text[i + 1] ?? ''
    if (next === 'c') return { text: out, stop: true }
    const octal = /^0?[0-7]{1,3}/.exec(text.slice(i + 1))
    const hex = /^x([0-9a-fA-F]{1,2})/.exec(text.slice(i + 1))
    if (Object.hasOwn(ESCAPES, next)) {
      out += ESCAPES[next]
      i++
    } else if (hex) {
      out += String.fromCharCode(Number.parseInt(hex[1] as string, 16))
      i += hex[0].length
    } else if (octal) {
      out += String.fromCharCode(Number.parseInt(octal[0], 8))
      i += octal[0].length
    } else out += '\\'
  }
  return { text: out, stop: false }
}

export function echoText(args: readonly string[]): string {
  let newline = true
  let escapes = false
  let i = 0
  for (; i < args.length && /^-[neE]+$/.test(args[i] as string); i++) {
    if ((args[i] as string).includes('n')) newline = false
    if ((args[i] as string).includes('e')) escapes = true
    if ((args[i] as string).includes('E')) escapes = false
  }
  const joined = args.slice(i).join(' ')
  if (!escapes) return joined + (newline ? '\n' : '')
  const { text, stop } = unescape(joined)
  return text + (newline && !stop ? '\n' : '')
}

export function formatPrintf(args: readonly string[]): string {
  const format = args[0] ?? ''
  const values = args.slice(1)
  let used = 0
  let out = ''
  do {
    const start = used
    out += unescapeFormat(format).replace(/%(%|[-+ 0#]*\d*(?:\.\d+)?[sdiuxXofcbq])/g, (_, spec: string) => {
      if (spec === '%') return '%'
      const value = values[used++] ?? ''
      const kind = spec.at(-1) as string
      const flags = /^[-+ 0#]*/.exec(spec)?.[0] ?? ''
      const width = Number(/^[-+ 0#]*(\d+)/.exec(spec)?.[1] ?? 0)
      const precision = /\.(\d+)/.exec(spec)?.[1]
      let text = value
      if ('diu'.includes(kind)) text = String(Math.trunc(Number(value) || 0)).padStart(precision === undefined ? 0 : Number(precision), '0')
      else if (kind === 'x') text = Math.trunc(Number(value) || 0).toString(16)
      else if (kind === 'X')
        text = Math.trunc(Number(value) || 0)
          .toString(16)
          .toUpperCase()
      else if (kind === 'o') text = Math.trunc(Number(value) || 0).toString(8)
      else if (kind === 'f') text = (Number(value) || 0).toFixed(precision === undefined ? 6 : Number(precision))
      else if (kind === 'c') text = value.slice(0, 1)
      else if (kind === 'b') text = unescape(value).text
      else if (precision !== undefined) text = value.slice(0, Number(precision))
      if (flags.includes('-')) return text.padEnd(width)
      return flags.includes('0') && kind !== 's' ? text.padStart(width, '0') : text.padStart(width)
    })
    if (used === start) break
  } while (used < values.length)
  return out
}

const unescapeFormat = (text: string): string => unescape(text).text

/** test(1). Throws with its message for a malformed expression. */
export function testExpression(words: readonly string[], view: FileView, cwd: string): boolean {
  let i = 0
  const fileTest = (op: string, name: string): boolean => {
    const path = normalisePath(name, cwd)
    if (/^\/dev\/(null|stdin|stdout|stderr|zero|tty)$/.test(path)) return 'ecrw'.includes(op)
    const node = lookup(view, path, op !== 'L' && op !== 'h')
    if (!node || node.type === 'gone') return false
    switch (op) {
      case 'e':
      case 'r':
      case 'O':
      case 'G':
        return name !== ''
      case 'w':
        return true
      case 'f':
        return node.type === 'file'
      case 'd':
        return node.type === 'dir'
      case 'L':
      case 'h':
        return node.type === 'link'
      case 's':
        return node.type === 'dir' || (node.type === 'file' && node.content !== '')
      case 'x':
        return node.type === 'dir' || (node.type === 'file' && (node.mode & 0o111) !== 0)
      default:
        return false
    }
  }
  const integer = (text: string): number => {
    if (!/^\s*[-+]?\d+\s*$/.test(text)) throw new Error(`${text}: bad number`)
    return Number(text)
  }
  const primary = (): boolean => {
    const word = words[i]
    if (word === undefined) return false
    const left = words.length - i
    if (word === '!' && left > 1) {
      i++
      return !primary()
    }
    if (word === '(' && left > 1) {
      i++
      const inner = or()
      if (words[i] !== ')') throw new Error('closing paren expected')
      i++
      return inner
    }
    const op = words[i + 1]
    const right = words[i + 2]
    if (left >= 3 && op !== undefined && right !== undefined && /^(=|==|!=|<|>|-eq|-ne|-lt|-le|-gt|-ge|-nt|-ot|-ef)$/.test(op)) {
      i += 3
      switch (op) {
        case '=':
        case '==':
          return word === right
        case '!=':
          return word !== right
        case '<':
          return word < right
        case '>':
          return word > right
        case '-eq':
          return integer(word) === integer(right)
        case '-ne':
          return integer(word) !== integer(right)
        case '-lt':
          return integer(word) < integer(right)
        case '-le':
          return integer(word) <= integer(right)
        case '-gt':
          return integer(word) > integer(right)
        case '-ge':
          return integer(word) >= integer(right)
        default: {
          const a = lookup(view, normalisePath(word, cwd))
          const b = lookup(view, normalisePath(right, cwd))
          if (op === '-ef') return a !== undefined && a === b
          const at = (n: typeof a): number => (n && n.type !== 'gone' ? n.mtime : -1)
          return op === '-nt' ? at(a) > at(b) : at(a) < at(b)
        }
      }
    }
    if (left >= 2 && /^-[a-zA-Z]$/.test(word) && op !== undefined && !(left > 2 && (op === '-a' || op === '-o'))) {
      i += 2
      const letter = word[1] as string
      if (letter === 'n') return op !== ''
      if (letter === 'z') return op === ''
      if (letter === 't') return false
      return fileTest(letter, op)
    }
    i++
    return word !== ''
  }
  const and = (): boolean => {
    let value = primary()
    while (words[i] === '-a') {
      i++
      const next = primary()
      value = value && next
    }
    return value
  }
  const or = (): boolean => {
    let value = and()
    while (words[i] === '-o') {
      i++
      const next = and()
      value = value || next
    }
    return value
  }
  if (words.length === 0) return false
  const result = or()
  if (i < words.length) throw new Error(`${words[i]}: unknown operand`)
  return result
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']

/** date(1) in UTC; `ms` since 1970. */
export function formatDate(ms: number, format: string): string {
  const d = new Date(Math.floor(ms))
  const two = (n: number): string => String(n).padStart(2, '0')
  const hour12 = d.getUTCHours() % 12 === 0 ? 12 : d.getUTCHours() % 12
  return format.replace(/%(-?)([%A-Za-z])/g, (whole, bare: string, letter: string) => {
    const text = ((): string => {
      switch (letter) {
        case 'Y':
          return String(d.getUTCFullYear())
        case 'y':
          return two(d.getUTCFullYear() % 100)
        case 'm':
          return two(d.getUTCMonth() + 1)
        case 'd':
          return two(d.getUTCDate())
        case 'e':
          return String(d.getUTCDate()).padStart(2)
        case 'H':
          return two(d.getUTCHours())
        case 'I':
          return two(hour12)
        case 'M':
          return two(d.getUTCMinutes())
        case 'S':
          return two(d.getUTCSeconds())
        case 'N':
          return String(Math.floor(ms * 1e6) % 1e9).padStart(9, '0')
        case 'p':
          return d.getUTCHours() < 12 ? 'AM' : 'PM'
        case 'A':
          return DAYS[d.getUTCDay()] as string
        case 'a':
          return (DAYS[d.getUTCDay()] as string).slice(0, 3)
        case 'B':
          return MONTHS[d.getUTCMonth()] as string
        case 'b':
        case 'h':
          return (MONTHS[d.getUTCMonth()] as string).slice(0, 3)
        case 's':
          return String(Math.floor(ms / 1000))
        case 'T':
          return formatDate(ms, '%H:%M:%S')
        case 'R':
          return formatDate(ms, '%H:%M')
        case 'F':
          return formatDate(ms, '%Y-%m-%d')
        case 'D':
          return formatDate(ms, '%m/%d/%y')
        case 'c':
          return formatDate(ms, '%a %b %e %H:%M:%S %Y')
        case 'x':
          return formatDate(ms, '%m/%d/%y')
        case 'X':
          return formatDate(ms, '%H:%M:%S')
        case 'Z':
          return 'UTC'
        case 'z':
          return '+0000'
        case 'u':
          return String(d.getUTCDay() === 0 ? 7 : d.getUTCDay())
        case 'w':
          return String(d.getUTCDay())
        case 'j':
          return String(
            Math.floor((Date.UTC(d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate()) - Date.UTC(d.getUTCFullYear(), 0, 1)) / 86_400_000) +
              1,
          ).padStart(3, '0')
        case 'n':
          return '\n'
        case 't':
          return '\t'
        case '%':
          return '%'
        default:
          return whole
      }
    })()
    return bare ? text.replace(/^0+(?=\d)/, '').trimStart() : text
  })
}

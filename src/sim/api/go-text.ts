// How Go prints values where that text reaches users: strconv.Quote, encoding/json, UTF-8 lengths.
import { sortedKeys } from '../../lib/compare.ts'

const utf8 = (text: string): number => {
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800) bytes += 2
    else if (
      unit >= 0xd800 &&
      unit <= 0xdbff &&
      i + 1 < text.length &&
      text.charCodeAt(i + 1) >= 0xdc00 &&
      text.charCodeAt(i + 1) <= 0xdfff
    ) {
      bytes += 4
      i++
    } else bytes += 3
  }
  return bytes
}

/** Go's len(string). */
export const byteLength = utf8

const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0')

const UNPRINTABLE = /^[\p{C}\p{Z}]$/u

/** strconv.Quote: the %q of strings. */
export const goQuote = (text: string): string => {
  let out = '"'
  for (const character of text) {
    const code = character.codePointAt(0) as number
    if (character === '"') out += '\\"'
    else if (character === '\\') out += '\\\\'
    else if (code >= 0x20 && code < 0x7f) out += character
    else if (code === 7) out += '\\a'
    else if (code === 8) out += '\\b'
    else if (code === 12) out += '\\f'
    else if (code === 10) out += '\\n'
    else if (code === 13) out += '\\r'
    else if (code === 9) out += '\\t'
    else if (code === 11) out += '\\v'
    else if (code < 0x20 || code === 0x7f) out += `\\x${hex(code, 2)}`
    else if (!UNPRINTABLE.test(character)) out += character
    else if (code > 0xffff) out += `\\U${hex(code, 8)}`
    else out += `\\u${hex(code, 4)}`
  }
  return `${out}"`
}

const goJsonString = (text: string): string =>
  JSON.stringify(text).replace(/[<>&\u2028\u2029\u007f]/g, (c) => (c === '\u007f' ? c : `\\u${hex(c.charCodeAt(0), 4)}`))

/** encoding/json's Marshal of a value that came from JSON: maps have sorted keys, HTML characters are escaped. */
export const goJson = (value: unknown, sortKeys = true): string => {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return goJsonString(value)
  if (Array.isArray(value)) return `[${value.map((v) => goJson(v, sortKeys)).join(',')}]`
  if (typeof value === 'object') {
    const object = value as Record<string, unknown>
    const keys = sortKeys ? sortedKeys(object) : Object.keys(object)
    return `{${keys
      .filter((k) => object[k] !== undefined)
      .map((k) => `${goJsonString(k)}:${goJson(object[k], sortKeys)}`)
      .join(',')}}`
  }
  return String(value)
}

/** %#v of a []string. */
export const goStringSlice = (strings: readonly string[]): string => `[]string{${strings.map(goQuote).join(', ')}}`

/** %v of a value decoded from JSON: `map[a:1 b:x]`, `[1 2]`, `<nil>`. */
export const goValue = (value: unknown): string => {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`
  if (typeof value === 'object')
    return `map[${sortedKeys(value as Record<string, unknown>)
      .map((k) => `${k}:${goValue((value as Record<string, unknown>)[k])}`)
      .join(' ')}]`
  return String(value)
}

// What encoding/json says of a text that it cannot read: the scanner's states and their words.
const quoteChar = (c: string): string => (c === "'" ? `'\\''` : c === '"' ? `'"'` : `'${JSON.stringify(c).slice(1, -1)}'`)
const isSpace = (c: string): boolean => c === ' ' || c === '\t' || c === '\r' || c === '\n'
const isDigit = (c: string): boolean => c >= '0' && c <= '9'

const endOfInput = 'unexpected end of JSON input'

/** The first syntax error, or undefined. */
export function jsonSyntaxError(text: string): string | undefined {
  let i = 0
  let failure: string | undefined
  const fail = (context: string): false => {
    failure ??= i >= text.length ? endOfInput : `invalid character ${quoteChar(String.fromCodePoint(text.codePointAt(i) ?? 0))} ${context}`
    return false
  }
  const space = (): void => {
    while (i < text.length && isSpace(text.charAt(i))) i++
  }
  const literal = (word: string): boolean => {
    for (let k = 1; k < word.length; k++) {
      i++
      if (text.charAt(i) !== word.charAt(k)) return fail(`in literal ${word} (expecting ${quoteChar(word.charAt(k))})`)
    }
    i++
    return true
  }
  const string = (): boolean => {
    i++
    for (;;) {
      if (i >= text.length) return fail('')
      const c = text.charAt(i)
      if (c === '"') {
        i++
        return true
      }
      if (c === '\\') {
        i++
        const e = text.charAt(i)
        if (e === 'u') {
          for (let k = 0; k < 4; k++) {
            i++
            if (!/[0-9a-fA-F]/.test(text.charAt(i))) return fail('in \\u hexadecimal character escape')
          }
        } else if (e === '' || !'bfnrt\\/"'.includes(e)) return fail('in string escape code')
      } else if (c < ' ') return fail('in string literal')
      i++
    }
  }
  const number = (): boolean => {
    if (text.charAt(i) === '-') {
      i++
      if (!isDigit(text.charAt(i))) return fail('in numeric literal')
    }
    if (text.charAt(i) === '0') i++
    else while (isDigit(text.charAt(i))) i++
    if (text.charAt(i) === '.') {
      i++
      if (!isDigit(text.charAt(i))) return fail('after decimal point in numeric literal')
      while (isDigit(text.charAt(i))) i++
    }
    if (text.charAt(i) === 'e' || text.charAt(i) === 'E') {
      i++
      if (text.charAt(i) === '+' || text.charAt(i) === '-') i++
      if (!isDigit(text.charAt(i))) return fail('in exponent of numeric literal')
      while (isDigit(text.charAt(i))) i++
    }
    return true
  }
  const object = (): boolean => {
    i++
    space()
    if (text.charAt(i) === '}') {
      i++
      return true
    }
    for (;;) {
      if (text.charAt(i) !== '"') return fail('looking for beginning of object key string')
      if (!string()) return false
      space()
      if (text.charAt(i) !== ':') return fail('after object key')
      i++
      if (!value()) return false
      space()
      if (text.charAt(i) === '}') {
        i++
        return true
      }
      if (text.charAt(i) !== ',') return fail('after object key:value pair')
      i++
      space()
    }
  }
  const array = (): boolean => {
    i++
    space()
    if (text.charAt(i) === ']') {
      i++
      return true
    }
    for (;;) {
      if (!value()) return false
      space()
      if (text.charAt(i) === ']') {
        i++
        return true
      }
      if (text.charAt(i) !== ',') return fail('after array element')
      i++
    }
  }
  const value = (): boolean => {
    space()
    const c = text.charAt(i)
    if (c === '{') return object()
    if (c === '[') return array()
    if (c === '"') return string()
    if (c === '-' || isDigit(c)) return number()
    if (c === 't') return literal('true')
    if (c === 'f') return literal('false')
    if (c === 'n') return literal('null')
    return fail('looking for beginning of value')
  }
  if (!value()) return failure
  space()
  if (i < text.length) {
    fail('after top-level value')
    return failure
  }
  return undefined
}

/** What json.Unmarshal into a map[string]interface{} says, or undefined. */
export function jsonObjectError(text: string): string | undefined {
  const syntax = jsonSyntaxError(text)
  if (syntax !== undefined) return syntax
  const value: unknown = JSON.parse(text)
  if (value === null || (typeof value === 'object' && !Array.isArray(value))) return undefined
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`
}

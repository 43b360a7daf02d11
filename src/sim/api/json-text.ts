// JSON text as Go's encoding/json reads it: the same mistakes with the same words. Duplicate keys and the spelling of numbers survive.
import { setOwn } from '../../lib/own.ts'
import { fail, ok, type Result } from '../../lib/result.ts'
import { goQuote } from './go-text.ts'

/** An object as written: keys in order, possibly more than once. */
export class JsonObject {
  readonly entries: readonly (readonly [key: string, value: JsonTree])[]
  constructor(entries: readonly (readonly [string, JsonTree])[]) {
    this.entries = entries
  }
}

/** A number as written. */
export class JsonNumber {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type JsonTree = null | boolean | string | JsonNumber | readonly JsonTree[] | JsonObject

/** Nesting beyond this is refused; no API object comes near it. */
export const MAX_DEPTH = 100

class Syntax extends Error {}

const quoteChar = (c: string): string => {
  if (c === "'") return "'\\''"
  if (c === '"') return `'"'`
  // Go looks at bytes: of a longer character only the first counts.
  const code = c.codePointAt(0) as number
  const byte = code < 0x80 ? code : code < 0x800 ? 0xc0 | (code >> 6) : code < 0x10000 ? 0xe0 | (code >> 12) : 0xf0 | (code >> 18)
  return `'${goQuote(String.fromCharCode(byte)).slice(1, -1)}'`
}

const ESCAPES: Readonly<Record<string, string>> = { '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

/** Parses one JSON value; trailing text is an error. */
export const parseJsonText = (text: string): Result<JsonTree> => {
  let at = 0
  const end = (): never => {
    throw new Syntax('unexpected end of JSON input')
  }
  const wrong = (context: string): never => {
    if (at >= text.length) return end()
    throw new Syntax(`invalid character ${quoteChar(String.fromCodePoint(text.codePointAt(at) as number))} ${context}`)
  }
  const space = (): void => {
    while (at < text.length && (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r')) at++
  }
  const string = (): string => {
    at++
    let out = ''
    let start = at
    for (;;) {
      if (at >= text.length) end()
      const code = text.charCodeAt(at)
      if (code === 34) {
        out += text.slice(start, at++)
        return out
      }
      if (code < 0x20) wrong('in string literal')
      if (code !== 92) {
        at++
        continue
      }
      out += text.slice(start, at++)
      if (at >= text.length) end()
      const escape = text[at] as string
      if (escape === 'u') {
        at++
        let value = 0
        for (let i = 0; i < 4; i++, at++) {
          const digit = /^[0-9a-fA-F]$/.test(text[at] ?? '')
            ? Number.parseInt(text[at] as string, 16)
            : wrong('in \\u hexadecimal character escape')
          value = value * 16 + digit
        }
        out += String.fromCharCode(value)
      } else {
        const plain = ESCAPES[escape]
        if (plain === undefined) wrong('in string escape code')
        out += plain
        at++
      }
      start = at
    }
  }
  const digits = (): void => {
    while (at < text.length && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++
  }
  const digit = (context: string): void => {
    if (!(text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57)) wrong(context)
  }
  const number = (): JsonNumber => {
    const start = at
    if (text[at] === '-') at++
    digit('in numeric literal')
    if (text[at] === '0') at++
    else digits()
    if (text[at] === '.') {
      at++
      digit('after decimal point in numeric literal')
      digits()
    }
    if (text[at] === 'e' || text[at] === 'E') {
      at++
      if (text[at] === '+' || text[at] === '-') at++
      digit('in exponent of numeric literal')
      digits()
    }
    return new JsonNumber(text.slice(start, at))
  }
  const literal = <T>(word: string, value: T): T => {
    for (let i = 1; i < word.length; i++) {
      at++
      if (text[at] !== word[i]) wrong(`in literal ${word} (expecting ${quoteChar(word[i] as string)})`)
    }
    at++
    return value
  }
  const value = (depth: number): JsonTree => {
    if (depth > MAX_DEPTH) throw new Syntax('exceeded max depth')
    space()
    const c = text[at]
    if (c === '{') {
      at++
      const entries: [string, JsonTree][] = []
      space()
      if (text[at] === '}') {
        at++
        return new JsonObject(entries)
      }
      for (;;) {
        space()
        if (text[at] !== '"') wrong('looking for beginning of object key string')
        const key = string()
        space()
        if (text[at] !== ':') wrong('after object key')
        at++
        entries.push([key, value(depth + 1)])
        space()
        if (text[at] === '}') {
          at++
          return new JsonObject(entries)
        }
        if (text[at] !== ',') wrong('after object key:value pair')
        at++
      }
    }
    if (c === '[') {
      at++
      const items: JsonTree[] = []
      space()
      if (text[at] === ']') {
        at++
        return items
      }
      for (;;) {
        items.push(value(depth + 1))
        space()
        if (text[at] === ']') {
          at++
          return items
        }
        if (text[at] !== ',') wrong('after array element')
        at++
      }
    }
    if (c === '"') return string()
    if (c === 't') return literal('true', true)
    if (c === 'f') return literal('false', false)
    if (c === 'n') return literal('null', null)
    if (c !== undefined && (c === '-' || (c >= '0' && c <= '9'))) return number()
    return wrong('looking for beginning of value')
  }
  try {
    const tree = value(1)
    space()
    if (at < text.length) wrong('after top-level value')
    return ok(tree)
  } catch (error) {
    if (error instanceof Syntax) return fail(error.message)
    throw error
  }
}

/** Plain data of a tree; of duplicate keys the last counts. Plain data inside stays as it is. */
export const treeToPlain = (tree: unknown): unknown => {
  if (tree instanceof JsonObject) {
    const object: Record<string, unknown> = {}
    for (const [key, value] of tree.entries) setOwn(object, key, treeToPlain(value))
    return object
  }
  if (tree instanceof JsonNumber) return Number(tree.text)
  if (Array.isArray(tree)) return tree.map(treeToPlain)
  return tree
}

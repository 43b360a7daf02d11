// YAML text as sigs.k8s.io/yaml reads it (YAML 1.1 scalars without timestamps and sexagesimals; the first document counts).
// The grammar is the yaml package's; what scalars mean, merge keys, aliases and the words of errors are upstream's.
import { Alias, isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseAllDocuments, Scalar, type Document, type YAMLError } from 'yaml'
import { base64DecodeText } from '../../lib/base64.ts'
import { fail, ok, type Result } from '../../lib/result.ts'
import { JsonNumber, JsonObject, MAX_DEPTH, type JsonTree } from './json-text.ts'

export interface YamlTree {
  readonly tree: JsonTree
  /** What yaml.UnmarshalStrict complains about: keys set twice. */
  readonly duplicates: readonly string[]
}

const WORDS = new Map<string, boolean | null>([
  ...['', '~', 'null', 'Null', 'NULL'].map((w) => [w, null] as const),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((w) => [w, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((w) => [w, false] as const),
])
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const MAX_UINT64 = (1n << 64n) - 1n
const MIN_INT64 = -(1n << 63n)

/** encoding/json's text of a float64. */
export const goFloat = (value: number): string => {
  if (Object.is(value, -0)) return '-0'
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2').replace(/e-0(\d)$/, 'e-$1')
  return String(value)
}

const integer = (text: string): bigint | undefined => {
  const plain = text.replaceAll('_', '')
  const match = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|(0|[1-9][0-9]*))$/.exec(plain)
  if (!match) return undefined
  const [, sign, hex, binary, octal, old, decimal] = match
  const value = hex !== undefined ? BigInt(`0x${hex}`) : binary !== undefined ? BigInt(`0b${binary}`) : octal !== undefined || old !== undefined ? BigInt(`0o${octal ?? old}`) : BigInt(decimal as string)
  const signed = sign === '-' ? -value : value
  return signed > MAX_UINT64 || signed < MIN_INT64 ? undefined : signed
}

/** Meaning of a plain scalar. */
export const resolvePlain = (text: string): JsonTree | undefined => {
  const word = WORDS.get(text)
  if (word !== undefined || WORDS.has(text)) return word ?? null
  if (!/^[-+.0-9]/.test(text)) return text
  const whole = integer(text)
  if (whole !== undefined) return new JsonNumber(whole.toString())
  const plain = text.replaceAll('_', '')
  if (FLOAT.test(plain)) return new JsonNumber(goFloat(Number(plain)))
  // Not a number of JSON.
  if (/^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/.test(text)) return undefined
  return text
}

class Failure extends Error {}

const keyText = (value: JsonTree): string => {
  if (typeof value === 'string') return value
  if (value instanceof JsonNumber) return value.text
  if (value === true || value === false) return String(value)
  if (value === null) return 'null'
  throw new Failure(`unsupported map key of type: ${Array.isArray(value) ? 'slice' : 'map'}, key: , value: `)
}

/** How Go prints a key with %#v. */
const keyGo = (value: JsonTree): string => (typeof value === 'string' ? JSON.stringify(value) : keyText(value))

const EXCESSIVE = 'document contains excessive aliasing'
const LOW = 400_000
const HIGH = 4_000_000

const convert = (document: Document, lines: LineCounter): YamlTree => {
  const duplicates: string[] = []
  let decoded = 0
  let aliased = 0
  const active = new Set<unknown>()
  const lineOf = (node: unknown): number => {
    const range = (node as { range?: readonly number[] } | null)?.range
    return range ? lines.linePos(range[0] as number).line : 1
  }
  const scalar = (node: Scalar): JsonTree => {
    const text = node.source ?? String(node.value ?? '')
    const tag = node.tag
    if (tag === 'tag:yaml.org,2002:str' || tag === '!') return text
    if (tag === 'tag:yaml.org,2002:binary') {
      const decoded = base64DecodeText(text.replace(/\s/g, ''))
      if (decoded === undefined) throw new Failure('yaml: !!binary value contains invalid base64 data')
      return decoded
    }
    if (node.type === Scalar.PLAIN || tag) {
      const value = resolvePlain(text)
      if (value === undefined) throw new Failure(`json: unsupported value: ${/nan/i.test(text) ? 'NaN' : text.startsWith('-') ? '-Inf' : '+Inf'}`)
      return value
    }
    return text
  }
  const visit = (node: unknown, depth: number, inAlias: boolean, count: boolean): JsonTree => {
    if (depth > MAX_DEPTH) throw new Failure('yaml: exceeded max depth of 100')
    decoded++
    if (inAlias) aliased++
    if (aliased > 100 && decoded > 1000) {
      const allowed = decoded <= LOW ? 0.99 : decoded >= HIGH ? 0.1 : 0.99 - 0.89 * ((decoded - LOW) / (HIGH - LOW))
      if (aliased / decoded > allowed) throw new Failure(`yaml: ${EXCESSIVE}`)
    }
    if (isAlias(node)) {
      const target = (node as Alias).resolve(document as never)
      if (target === undefined) throw new Failure(`yaml: unknown anchor '${node.source}' referenced`)
      if (active.has(target)) throw new Failure(`yaml: anchor '${node.source}' value contains itself`)
      active.add(target)
      const value = visit(target, depth, true, count)
      active.delete(target)
      return value
    }
    if (isScalar(node)) return scalar(node as Scalar)
    if (isSeq(node)) return node.items.map((item) => visit(item, depth + 1, inAlias, count))
    if (isMap(node)) {
      const entries = new Map<string, JsonTree>()
      const merged: (readonly [string, JsonTree])[] = []
      for (const pair of node.items) {
        if (!isPair(pair)) continue
        if (isScalar(pair.key) && pair.key.type === Scalar.PLAIN && pair.key.source === '<<') {
          const source = visit(pair.value, depth + 1, inAlias, count)
          const list = Array.isArray(source) ? [...source].reverse() : [source]
          for (const item of list) {
            if (!(item instanceof JsonObject)) throw new Failure('yaml: map merge requires map or sequence of maps as the value')
            merged.push(...item.entries)
          }
          continue
        }
        const keyTree = pair.key === null ? null : visit(pair.key, depth + 1, inAlias, count)
        const value = pair.value === null ? null : visit(pair.value, depth + 1, inAlias, count)
        const key = keyText(keyTree)
        if (entries.has(key) && count) {
          const message = `  line ${lineOf(pair.value ?? pair.key)}: key ${keyGo(keyTree)} already set in map`
          if (!duplicates.includes(message)) duplicates.push(message)
        }
        entries.delete(key)
        entries.set(key, value)
      }
      for (const [key, value] of merged) if (!entries.has(key)) entries.set(key, value)
      return new JsonObject([...entries])
    }
    return null
  }
  const tree = document.contents === null ? null : visit(document.contents, 1, false, true)
  return { tree, duplicates: duplicates.length > 0 ? [`yaml: unmarshal errors:\n${duplicates.join('\n')}`] : [] }
}

/** Upstream's words for a mistake. Scanner errors count lines from one, parser errors from zero (and line 0 is not said). */
const errorText = (error: YAMLError, text: string): string => {
  const line = error.linePos?.[0].line ?? 1
  const column = error.linePos?.[0].col ?? 1
  const source = text.split('\n')
  const scanner = (message: string, at = line): string => (at > 1 ? `yaml: line ${at}: ${message}` : `yaml: ${message}`)
  const parser = (message: string, at = line): string => (at > 1 ? `yaml: line ${at - 1}: ${message}` : `yaml: ${message}`)
  switch (error.code) {
    case 'TAB_AS_INDENT':
      return scanner('found character that cannot start any token')
    case 'BLOCK_AS_IMPLICIT_KEY':
      return scanner('mapping values are not allowed in this context')
    case 'MULTILINE_IMPLICIT_KEY':
      return scanner(/:\s/.test((source[line] ?? '').trim()) || (source[line] ?? '').trim().endsWith(':') ? 'mapping values are not allowed in this context' : "could not find expected ':'", line + 1)
    case 'MISSING_CHAR':
      if (/quote/.test(error.message)) return scanner('found unexpected end of stream', source.length)
      if (/Expected flow|flow/.test(error.message)) return parser(`did not find expected ',' or '${/map|\}/.test(error.message) ? '}' : ']'}'`)
      if (/implicit|:/.test(error.message)) return scanner("could not find expected ':'", Math.min(line + 1, source.length))
      return parser('did not find expected key')
    case 'BAD_INDENT':
      return parser('did not find expected key')
    case 'BAD_DQ_ESCAPE':
      return scanner('found unknown escape character')
    case 'BAD_ALIAS':
      return parser('did not find expected alphabetic or numeric character')
    case 'BAD_SCALAR_START': {
      const c = (source[line - 1] ?? '')[column - 1]
      return c === '@' || c === '`' || c === '%' ? scanner('found character that cannot start any token') : parser('did not find expected node content')
    }
    case 'TAG_RESOLVE_FAILED':
      return parser('found undefined tag handle')
    case 'UNEXPECTED_TOKEN':
      return /block-seq-ind/.test(error.message) ? scanner('block sequence entries are not allowed in this context') : parser('did not find expected key')
    default:
      return parser('did not find expected key')
  }
}

/** The first document of a text. The error has upstream's `yaml: line N: …` form. */
export const parseYamlText = (text: string): Result<YamlTree> => {
  const lines = new LineCounter()
  const documents = parseAllDocuments(text.startsWith('\ufeff') ? text.slice(1) : text, {
    version: '1.1',
    schema: 'failsafe',
    uniqueKeys: false,
    keepSourceTokens: false,
    logLevel: 'silent',
    lineCounter: lines,
    strict: true,
  })
  const first = Array.isArray(documents) ? documents[0] : undefined
  if (!first) return ok({ tree: null, duplicates: [] })
  const error = first.errors[0]
  if (error) return fail(errorText(error, text))
  try {
    return ok(convert(first as unknown as Document, lines))
  } catch (problem) {
    if (problem instanceof Failure) return fail(problem.message)
    // The library's own guard against aliases that explode.
    if (problem instanceof ReferenceError) return fail(`yaml: ${EXCESSIVE}`)
    throw problem
  }
}

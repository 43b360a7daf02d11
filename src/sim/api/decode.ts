// From a request body to an object: apimachinery pkg/runtime/serializer/json over sigs.k8s.io/json, and
// apiserver pkg/endpoints/handlers/rest.go transformDecodeError.
import { base64Encode, utf8Encode } from '../../lib/base64.ts'
import { isRecord, setOwn } from '../../lib/own.ts'
import { fail, ok, type Result } from '../../lib/result.ts'
import { goQuote } from './go-text.ts'
import { JsonNumber, JsonObject, parseJsonText, type JsonTree } from './json-text.ts'
import { parseGroupVersion } from './meta.ts'
import { quantityToString, tryParseQuantity } from './quantity.ts'
import type { Field, GroupVersionKind, ObjectSchema } from './schema/index.ts'
import { canonicalMicroTime, canonicalTime, formatGoDuration, parseGoDuration } from './time.ts'
import type { KubeObject } from './types/object.ts'
import { goFloat, parseYamlText } from './yaml-text.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export interface DecodedBody {
  readonly value: JsonTree
  /** As the body says, '' where it does not. */
  readonly apiVersion: string
  readonly kind: string
  /** Duplicate keys of YAML text; those of JSON are found while decoding. */
  readonly strictErrors: readonly string[]
}

const JSON_VALUE = (tree: unknown): string => {
  if (typeof tree === 'string') return 'string'
  if (typeof tree === 'boolean') return 'bool'
  if (tree instanceof JsonNumber || typeof tree === 'number') return 'number'
  return Array.isArray(tree) ? 'array' : 'object'
}

const entriesOf = (tree: object): readonly (readonly [string, unknown])[] =>
  tree instanceof JsonObject ? tree.entries : Object.entries(tree)
const isObject = (tree: unknown): tree is object => tree instanceof JsonObject || (isRecord(tree) && !(tree instanceof JsonNumber))

const FIND_KIND = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

/** SimpleMetaFactory.Interpret: apiVersion and kind, found whatever their case. */
const interpret = (value: unknown): Result<{ apiVersion: string; kind: string }> => {
  const wrong = (why: string): Result<never> => fail(`couldn't get version/kind; json parse error: json: cannot unmarshal ${why}`)
  if (value === null || value === undefined) return ok({ apiVersion: '', kind: '' })
  if (!isObject(value)) return wrong(`${JSON_VALUE(value)} into Go value of type ${FIND_KIND}`)
  const found = { apiVersion: '', kind: '' }
  for (const [key, member] of entriesOf(value)) {
    const name = (['apiVersion', 'kind'] as const).find((n) => n.toLowerCase() === key.toLowerCase())
    if (!name || member === null) continue
    if (typeof member !== 'string') return wrong(`${JSON_VALUE(member)} into Go struct field .${name} of type string`)
    found[name] = member
  }
  if (found.apiVersion !== '' && found.apiVersion !== '/' && found.apiVersion.split('/').length > 2)
    return fail(`unexpected GroupVersion string: ${found.apiVersion}`)
  return ok(found)
}

const isYaml = (contentType: string): boolean =>
  /^application\/(?:[\w.-]+\+)?(?:x-)?yaml$/.test(contentType.split(';')[0]?.trim().toLowerCase() ?? '')

/** Reads a body. Text is JSON unless the content type says YAML; an object is what a component of the simulation sent. */
export const decodeBody = (body: string | object | undefined, contentType = 'application/json'): Result<DecodedBody> => {
  let value: JsonTree
  let strictErrors: readonly string[] = []
  if (typeof body === 'object') value = body as JsonTree
  else if (isYaml(contentType)) {
    const parsed = parseYamlText(body ?? '')
    if (parsed.value === undefined) return parsed
    value = parsed.value.tree
    strictErrors = parsed.value.duplicates
  } else {
    const parsed = parseJsonText(body ?? '')
    if (parsed.value === undefined) return fail(`couldn't get version/kind; json parse error: ${parsed.error}`)
    value = parsed.value
  }
  const kind = interpret(value)
  return kind.value === undefined ? kind : ok({ value, ...kind.value, strictErrors })
}

/** gvkWithDefaults: what the body means, given what its URL expects. */
export const bodyKind = (body: DecodedBody, expected: GroupVersionKind): GroupVersionKind => {
  const actual = {
    ...(body.apiVersion === '/' ? { group: '', version: '' } : parseGroupVersion(body.apiVersion)),
    kind: body.kind === '' ? expected.kind : body.kind,
  }
  if (actual.version === '' && actual.group === '') return { ...actual, group: expected.group, version: expected.version }
  if (actual.version === '' && actual.group === expected.group) return { ...actual, version: expected.version }
  return actual
}

const MAX_SUMMARY = 30

const summarize = (body: string): string => {
  if (body === '') return '<empty>'
  if (body.startsWith('{')) return body.length > MAX_SUMMARY ? `${body.slice(0, MAX_SUMMARY)} ...` : body
  const bytes = utf8Encode(body.slice(0, MAX_SUMMARY + 1))
  const hex = bytes
    .slice(0, MAX_SUMMARY)
    .map((b) => b.toString(16).padStart(2, '0'))
    .join('')
  return bytes.length > MAX_SUMMARY ? `${hex} ...` : hex
}

/** The message for a body whose kind could not be found out. */
export const unrecognizedText = (expectedKind: string, error: string, body: string): string =>
  `the object provided is unrecognized (must be of type ${expectedKind}): ${error} (${summarize(body)})`

/** The message for a body of a known kind that cannot be decoded. */
export const cannotBeHandledText = (actual: GroupVersionKind, expectedKind: string, error: string): string =>
  `${actual.kind} in version ${goQuote(actual.version)} cannot be handled as a ${expectedKind}: ${error}`

export const strictDecodingText = (strictErrors: readonly string[]): string => `strict decoding error: ${strictErrors.join(', ')}`

/** An error that ends decoding at once (a type that reads itself failed). */
class Abort extends Error {}

interface State {
  /** The first type error; decoding goes on, because a later failure may weigh more. */
  saved?: string
  struct: string
  readonly path: string[]
  readonly strict: string[]
  readonly seen: Set<string>
  readonly collect: boolean
  readonly position: string[]
}

const MAX_STRICT_ERRORS = 100

const strictError = (state: State, what: 'unknown' | 'duplicate', name: string): void => {
  if (!state.collect || state.strict.length >= MAX_STRICT_ERRORS) return
  const prefix = state.position.join('')
  const text = `${what} field ${goQuote(prefix === '' ? name : `${prefix}.${name}`)}`
  if (state.seen.has(text)) return
  state.seen.add(text)
  state.strict.push(text)
}

const typeErrorText = (state: State, value: string, goType: string): string =>
  state.struct !== '' || state.path.length > 0
    ? `json: cannot unmarshal ${value} into Go struct field ${state.struct}.${state.path.join('.')} of type ${goType}`
    : `json: cannot unmarshal ${value} into Go value of type ${goType}`

const mismatch = (state: State, value: string, goType: string): void => {
  state.saved ??= typeErrorText(state, value, goType)
}

const abort = (state: State, tree: unknown, goType: string): never => {
  throw new Abort(typeErrorText(state, JSON_VALUE(tree), goType))
}

const RANGE = { int32: [-2147483648n, 2147483647n], int64: [-9223372036854775808n, 9223372036854775807n] } as const
const numberText = (tree: JsonNumber | number): string => (tree instanceof JsonNumber ? tree.text : goFloat(tree))

/** An integer of Go's ParseInt; undefined if the text is none or out of range. */
const parseInteger = (text: string, type: 'int32' | 'int64'): number | undefined => {
  if (!/^-?[0-9]+$/.test(text)) return undefined
  const value = BigInt(text)
  return value < RANGE[type][0] || value > RANGE[type][1] ? undefined : Number(value)
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Position of the first illegal byte of a base64 text, as Go counts; undefined for a legal text. */
const corruptBase64 = (text: string): number | undefined => {
  const plain = text.replace(/[\r\n]/g, '')
  if (BASE64.test(plain)) return undefined
  let good = 0
  let quantum = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    if (c === '\r' || c === '\n') continue
    if (/[A-Za-z0-9+/]/.test(c)) {
      quantum = (quantum + 1) % 4
      if (quantum === 0) good = i + 1
      continue
    }
    if (c !== '=' || quantum < 2) return i
    let rest = text.slice(i + 1).replace(/^[\r\n]+/, '')
    if (quantum === 2) {
      if (rest === '') return text.length
      if (!rest.startsWith('=')) return text.length - rest.length
      rest = rest.slice(1).replace(/^[\r\n]+/, '')
    }
    return rest === '' ? undefined : text.length - rest.length
  }
  return quantum === 0 ? undefined : good + (quantum > 0 ? text.length - good - quantum : 0)
}

/** One byte of a list that stands for a text of bytes. */
const decodeByte = (tree: unknown, state: State): number => {
  if (tree === null) return 0
  const value = tree instanceof JsonNumber || typeof tree === 'number' ? numberText(tree) : undefined
  if (value !== undefined && /^\d{1,3}$/.test(value) && Number(value) < 256) return Number(value)
  mismatch(state, value === undefined ? JSON_VALUE(tree) : `number ${value}`, 'uint8')
  return 0
}

const untyped = (tree: unknown, state: State): unknown => {
  if (tree instanceof JsonNumber) return Number(tree.text)
  if (Array.isArray(tree)) {
    return tree.map((item, i) => {
      state.position.push(`[${i}]`)
      const value = untyped(item, state)
      state.position.pop()
      return value
    })
  }
  if (!isObject(tree)) return tree
  const object: Record<string, unknown> = {}
  for (const [key, member] of entriesOf(tree)) {
    if (member === undefined) continue
    if (Object.hasOwn(object, key)) strictError(state, 'duplicate', key)
    state.position.push(state.position.length > 0 ? `.${key}` : key)
    setOwn(object, key, untyped(member, state))
    state.position.pop()
  }
  return object
}

/** Zero of a type inside a list or map, where null stands for it. */
const zeroOf = (schema: ObjectSchema): unknown => {
  switch (schema.type) {
    case 'string':
      return ''
    case 'bool':
      return false
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0
    case 'quantity':
      return '0'
    case 'object':
      return {}
    default:
      return null
  }
}

const decodeString = <T>(tree: unknown, state: State, parse: (text: string) => Result<T>): T => {
  if (typeof tree !== 'string') return abort(state, tree, 'string')
  const parsed = parse(tree)
  if (parsed.error !== undefined) throw new Abort(parsed.error)
  return parsed.value as T
}

/** Decodes into a value of the schema's type; `undefined` if nothing was decoded. `previous` is what a duplicate key decoded before. */
const decode = (tree: unknown, schema: ObjectSchema, state: State, previous: unknown): unknown => {
  if (tree === undefined) return previous
  switch (schema.type) {
    case 'any':
      return tree === null ? previous : untyped(tree, schema.goType === 'interface {}' ? state : { ...state, collect: false })
    case 'fieldsV1':
      return tree === null ? previous : untyped(tree, { ...state, collect: false })
    case 'quantity': {
      if (tree === null) return '0'
      const text = typeof tree === 'string' ? tree : tree instanceof JsonNumber || typeof tree === 'number' ? numberText(tree) : '{'
      const parsed = tryParseQuantity(text.trim())
      if (parsed.value === undefined) throw new Abort(parsed.error)
      return quantityToString(parsed.value)
    }
    case 'intOrString': {
      if (tree === null) return previous ?? 0
      if (typeof tree === 'string') return tree
      if (!(tree instanceof JsonNumber || typeof tree === 'number')) return abort(state, tree, 'int32')
      const value = parseInteger(numberText(tree), 'int32')
      if (value === undefined) throw new Abort(typeErrorText(state, `number ${numberText(tree)}`, 'int32'))
      return value
    }
    case 'time':
      return tree === null ? undefined : decodeString(tree, state, canonicalTime)
    case 'microTime':
      return tree === null ? undefined : decodeString(tree, state, canonicalMicroTime)
    case 'duration':
      return tree === null ? previous : decodeString(tree, state, (text) => mapResult(parseGoDuration(text), formatGoDuration))
    case 'string':
      if (tree === null) return previous
      if (typeof tree === 'string') return tree
      mismatch(state, JSON_VALUE(tree), schema.goType)
      return previous
    case 'bool':
      if (tree === null) return previous
      if (typeof tree === 'boolean') return tree
      mismatch(state, JSON_VALUE(tree), schema.goType)
      return previous
    case 'int32':
    case 'int64':
    case 'double': {
      if (tree === null) return previous
      if (!(tree instanceof JsonNumber || typeof tree === 'number')) {
        mismatch(state, JSON_VALUE(tree), schema.goType)
        return previous
      }
      const text = numberText(tree)
      const value = schema.type === 'double' ? Number(text) : parseInteger(text, schema.type)
      if (value === undefined || !Number.isFinite(value)) {
        mismatch(state, `number ${text}`, schema.goType)
        return previous
      }
      return value
    }
    case 'bytes': {
      if (tree === null) return undefined
      if (typeof tree === 'string') {
        const corrupt = corruptBase64(tree)
        if (corrupt === undefined) return tree.replace(/[\r\n]/g, '')
        state.saved ??= `illegal base64 data at input byte ${corrupt}`
      } else if (Array.isArray(tree)) return base64Encode(tree.map((item) => decodeByte(item, state)))
      else mismatch(state, JSON_VALUE(tree), schema.goType)
      return previous
    }
    case 'array': {
      if (tree === null) return undefined
      if (!Array.isArray(tree)) {
        mismatch(state, JSON_VALUE(tree), schema.goType)
        return previous
      }
      const items = schema.items as ObjectSchema
      const old = Array.isArray(previous) ? previous : []
      return tree.map((item, i) => {
        state.position.push(`[${i}]`)
        const value = decode(item, items, state, old[i])
        state.position.pop()
        return value ?? zeroOf(items)
      })
    }
    case 'map': {
      if (tree === null) return undefined
      if (!isObject(tree)) {
        mismatch(state, JSON_VALUE(tree), schema.goType)
        return previous
      }
      const items = schema.items as ObjectSchema
      const map: Record<string, unknown> = {}
      if (isRecord(previous)) for (const key of Object.keys(previous)) setOwn(map, key, previous[key])
      const written = new Set<string>()
      for (const [key, member] of entriesOf(tree)) {
        if (member === undefined) continue
        if (written.has(key)) strictError(state, 'duplicate', key)
        written.add(key)
        state.position.push(state.position.length > 0 ? `.${key}` : key)
        setOwn(map, key, decode(member, items, state, undefined) ?? zeroOf(items))
        state.position.pop()
      }
      return map
    }
    case 'object':
      return decodeStruct(tree, schema, state, previous)
  }
}

const mapResult = <A, B>(result: Result<A>, map: (value: A) => B): Result<B> =>
  result.error === undefined ? ok(map(result.value)) : fail(result.error)

const ZERO_STRINGS: ReadonlySet<unknown> = new Set(['', 0, false])

/** Whether Go would leave the value out when it writes the object again (omitempty of a value, not of a pointer). */
const isOmitted = (value: unknown, field: Field): boolean => {
  if (value === undefined) return true
  if (field.always || field.pointer) return false
  switch (field.schema.type) {
    case 'string':
    case 'bool':
    case 'int32':
    case 'int64':
    case 'double':
    case 'bytes':
      return ZERO_STRINGS.has(value)
    case 'array':
      return (value as unknown[]).length === 0
    case 'map':
      return Object.keys(value as object).length === 0
    default:
      return false
  }
}

const decodeStruct = (tree: unknown, schema: ObjectSchema, state: State, previous: unknown): unknown => {
  if (tree === null) return previous
  if (!isObject(tree)) {
    mismatch(state, JSON_VALUE(tree), schema.goType)
    return previous
  }
  const fields = schema.fields?.() ?? new Map<string, Field>()
  const object: Record<string, unknown> = isRecord(previous) ? { ...previous } : {}
  const written = new Set<string>()
  const outer = state.struct
  const structName = schema.goType.slice(schema.goType.indexOf('.') + 1)
  for (const [key, member] of entriesOf(tree)) {
    if (member === undefined) continue
    const field = fields.get(key)
    if (!field) {
      strictError(state, 'unknown', key)
      continue
    }
    if (written.has(key)) strictError(state, 'duplicate', key)
    written.add(key)
    state.path.push(field.embedded === undefined ? key : `${field.embedded}.${key}`)
    state.struct = structName
    state.position.push(state.position.length > 0 ? `.${key}` : key)
    const value = member === null && field.pointer ? undefined : decode(member, field.schema, state, object[key])
    if (isOmitted(value, field)) delete object[key]
    else object[key] = value
    state.position.pop()
    state.path.pop()
    state.struct = outer
  }
  return object
}

export interface DecodedObject {
  readonly object: KubeObject
  /** Unknown and duplicate fields, as warnings or for one refusal; empty with fieldValidation Ignore. */
  readonly strictErrors: readonly string[]
}

/** Decodes a tree, or plain data, into any type. The error is Go's. */
export const decodeTree = (
  value: unknown,
  schema: ObjectSchema,
  fieldValidation: FieldValidation = 'Warn',
): Result<{ value: unknown; strictErrors: readonly string[] }> => {
  const state: State = { struct: '', path: [], strict: [], seen: new Set(), collect: fieldValidation !== 'Ignore', position: [] }
  try {
    const decoded = decode(value, schema, state, undefined)
    return state.saved !== undefined ? fail(state.saved) : ok({ value: decoded, strictErrors: state.strict })
  } catch (error) {
    if (error instanceof Abort) return fail(error.message)
    throw error
  }
}

/** Decodes an object of a built-in kind. The error is Go's, without the words that name the kind. */
export const decodeObject = (
  value: unknown,
  schema: ObjectSchema,
  options: { fieldValidation?: FieldValidation } = {},
): Result<DecodedObject> => {
  const decoded = decodeTree(value, schema, options.fieldValidation)
  return decoded.error !== undefined
    ? decoded
    : ok({ object: (decoded.value.value ?? {}) as KubeObject, strictErrors: decoded.value.strictErrors })
}

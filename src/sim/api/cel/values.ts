// Values of expressions, how they compare and how they read: cel-go common/types.
import { getOwn, isRecord } from '../../../lib/own.ts'
import type { Quantity } from '../quantity.ts'
import { compareQuantities } from '../quantity.ts'
import type { ParsedCIDR, ParsedIP } from '../validation/ip.ts'
import type { Semver } from './semver.ts'
import type { Url } from './url.ts'

export interface CelMap {
  readonly cel: 'map'
  /** By keyText. */
  readonly entries: ReadonlyMap<string, readonly [key: Value, value: Value]>
  /** A struct: its fields are the schema's. */
  readonly object?: boolean
}

export type Opaque =
  | { readonly cel: 'opaque'; readonly type: 'kubernetes.URL'; readonly value: Url; readonly text: string }
  | { readonly cel: 'opaque'; readonly type: 'kubernetes.Quantity'; readonly value: Quantity }
  | { readonly cel: 'opaque'; readonly type: 'net.IP'; readonly value: ParsedIP }
  | { readonly cel: 'opaque'; readonly type: 'net.CIDR'; readonly value: ParsedCIDR & { readonly given?: bigint } }
  | { readonly cel: 'opaque'; readonly type: 'kubernetes.Semver'; readonly value: Semver }
  | { readonly cel: 'opaque'; readonly type: 'kubernetes.NamedFormat'; readonly value: string }
  | { readonly cel: 'opaque'; readonly type: 'kubernetes.authorization'; readonly value: AuthorizerValue }

/** One link of authorizer.group(…).resource(…).check(…). */
export interface AuthorizerValue {
  readonly is: 'Authorizer' | 'PathCheck' | 'GroupCheck' | 'ResourceCheck' | 'Decision'
  readonly user?: { readonly name: string; readonly groups: readonly string[] }
  readonly path?: string
  readonly group?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  readonly allowed?: boolean
  readonly reason?: string
  readonly error?: string
}

export type Value =
  | null
  | boolean
  /** int */
  | bigint
  /** double */
  | number
  | string
  | { readonly cel: 'uint'; readonly value: bigint }
  | { readonly cel: 'bytes'; readonly value: readonly number[] }
  | readonly Value[]
  | CelMap
  | { readonly cel: 'timestamp'; readonly ns: bigint }
  | { readonly cel: 'duration'; readonly ns: bigint }
  | { readonly cel: 'type'; readonly name: string }
  | { readonly cel: 'optional'; readonly value?: Value }
  | Opaque

export type Tagged = Exclude<Value, null | boolean | bigint | number | string | readonly Value[]>

/** A failed evaluation; && and || may still come to a result. */
export class CelError extends Error {}
export const celError = (message: string): never => {
  throw new CelError(message)
}
export const noSuchOverload = (): never => celError('no such overload')

export const isList = (v: Value): v is readonly Value[] => Array.isArray(v)
export const isTagged = (v: Value): v is Tagged => typeof v === 'object' && v !== null && !isList(v)
export const isMap = (v: Value): v is CelMap => isTagged(v) && v.cel === 'map'
export const uint = (value: bigint): Value => ({ cel: 'uint', value })
export const some = (value: Value): Value => ({ cel: 'optional', value })
export const NONE: Value = { cel: 'optional' }

/** Sets compare without order; lists that came from a schema of type set or map are marked here. */
const marks = new WeakMap<readonly Value[], { readonly keys?: readonly string[] }>()
export const markList = (list: readonly Value[], keys?: readonly string[]): readonly Value[] => {
  marks.set(list, keys ? { keys } : {})
  return list
}
export const markOf = (list: readonly Value[]): { readonly keys?: readonly string[] } | undefined => marks.get(list)

const MAX_INT = 2n ** 63n - 1n
const MIN_INT = -(2n ** 63n)
export const asInt = (value: bigint): bigint => (value > MAX_INT || value < MIN_INT ? celError('integer overflow') : value)
export const asUint = (value: bigint): Value => (value < 0n || value > 2n ** 64n - 1n ? celError('unsigned integer overflow') : uint(value))

/** int, uint and double of the same size are the same key. */
export function keyText(v: Value): string {
  if (typeof v === 'string') return `s${v}`
  if (typeof v === 'boolean') return `b${v}`
  if (typeof v === 'bigint') return `n${v}`
  if (typeof v === 'number') return Number.isInteger(v) ? `n${BigInt(v)}` : `d${v}`
  if (isTagged(v) && v.cel === 'uint') return `n${v.value}`
  return celError(`unsupported key type: ${typeName(v)}`)
}

export const celMap = (pairs: readonly (readonly [Value, Value])[]): CelMap => ({
  cel: 'map',
  entries: new Map(pairs.map((p) => [keyText(p[0]), p])),
})
export const mapGet = (m: CelMap, key: Value): Value | undefined => m.entries.get(keyText(key))?.[1]

export function typeName(v: Value): string {
  if (v === null) return 'null_type'
  if (typeof v === 'boolean') return 'bool'
  if (typeof v === 'bigint') return 'int'
  if (typeof v === 'number') return 'double'
  if (typeof v === 'string') return 'string'
  if (isList(v)) return 'list'
  switch (v.cel) {
    case 'timestamp':
      return 'google.protobuf.Timestamp'
    case 'duration':
      return 'google.protobuf.Duration'
    case 'optional':
      return 'optional_type'
    case 'map':
      return v.object ? 'object' : 'map'
    case 'opaque':
      return v.type === 'kubernetes.authorization' ? `kubernetes.authorization.${v.value.is}` : v.type
    default:
      return v.cel
  }
}

/** A value from JSON without a schema: whole numbers are int. */
export function fromJson(json: unknown): Value {
  if (json === null || json === undefined) return null
  if (typeof json === 'boolean' || typeof json === 'string') return json
  if (typeof json === 'number') return Number.isInteger(json) ? BigInt(json) : json
  if (Array.isArray(json)) return json.map(fromJson)
  return isRecord(json) ? celMap(Object.keys(json).map((k) => [k, fromJson(getOwn(json, k))])) : null
}

const numeric = (v: Value): number | bigint | undefined =>
  typeof v === 'bigint' || typeof v === 'number' ? v : isTagged(v) && v.cel === 'uint' ? v.value : undefined

const sameItems = (a: readonly Value[], b: readonly Value[]): boolean => a.length === b.length && a.every((x, i) => equal(x, b[i] as Value))
const sameSet = (a: readonly Value[], b: readonly Value[]): boolean =>
  a.length === b.length && a.every((x) => b.some((y) => equal(x, y))) && b.every((x) => a.some((y) => equal(x, y)))

/** Values of different types are never equal, except numbers. */
export function equal(a: Value, b: Value): boolean {
  const [x, y] = [numeric(a), numeric(b)]
  // biome-ignore lint/suspicious/noDoubleEquals: compares a bigint with a number by value
  if (x !== undefined && y !== undefined) return x == y
  if (isList(a)) return isList(b) && (markOf(a) ? sameSet(a, b) : sameItems(a, b))
  if (!isTagged(a)) return a === b
  if (!isTagged(b) || a.cel !== b.cel) return false
  switch (a.cel) {
    case 'map': {
      const other = b as CelMap
      return (
        a.entries.size === other.entries.size &&
        [...a.entries].every(([k, [, v]]) => other.entries.has(k) && equal(v, other.entries.get(k)?.[1] as Value))
      )
    }
    case 'bytes':
      return a.value.length === (b as typeof a).value.length && a.value.every((x, i) => x === (b as typeof a).value[i])
    case 'timestamp':
    case 'duration':
      return a.ns === (b as typeof a).ns
    case 'type':
      return a.name === (b as typeof a).name
    case 'optional': {
      const other = (b as typeof a).value
      return a.value === undefined || other === undefined ? a.value === other : equal(a.value, other)
    }
    case 'uint':
      return a.value === (b as typeof a).value
    case 'opaque':
      return sameOpaque(a, b as Opaque)
  }
}

function sameOpaque(a: Opaque, b: Opaque): boolean {
  if (a.type === 'kubernetes.Quantity' && b.type === a.type) return compareQuantities(a.value, b.value) === 0
  if (a.type === 'kubernetes.URL' && b.type === a.type) return a.text === b.text
  if (a.type === 'net.IP' && b.type === a.type) return a.value.family === b.value.family && a.value.value === b.value.value
  if (a.type === 'net.CIDR' && b.type === a.type) {
    return (
      a.value.family === b.value.family &&
      a.value.network === b.value.network &&
      a.value.prefixLength === b.value.prefixLength &&
      a.value.given === b.value.given
    )
  }
  if (a.type === 'kubernetes.Semver' && b.type === a.type)
    return (
      a.value.major === b.value.major && a.value.minor === b.value.minor && a.value.patch === b.value.patch && a.value.pre === b.value.pre
    )
  return a.type === b.type && a.value === b.value
}

const sign = (less: boolean, more: boolean): number => (less ? -1 : more ? 1 : 0)

/** Order of two values of comparable types. */
export function compare(a: Value, b: Value): number {
  const [x, y] = [numeric(a), numeric(b)]
  if (x !== undefined && y !== undefined)
    return Number.isNaN(Number(x)) || Number.isNaN(Number(y)) ? celError('NaN values cannot be ordered') : sign(x < y, x > y)
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  if (isTagged(a) && isTagged(b)) {
    if ((a.cel === 'timestamp' && b.cel === 'timestamp') || (a.cel === 'duration' && b.cel === 'duration'))
      return sign(a.ns < b.ns, a.ns > b.ns)
    if (a.cel === 'bytes' && b.cel === 'bytes') {
      for (let i = 0; i < Math.min(a.value.length, b.value.length); i++) {
        const d = (a.value[i] as number) - (b.value[i] as number)
        if (d !== 0) return Math.sign(d)
      }
      return Math.sign(a.value.length - b.value.length)
    }
  }
  return noSuchOverload()
}

/** By code points, as Go compares the bytes of UTF-8. */
function compareText(a: string, b: string): number {
  const [x, y] = [[...a], [...b]]
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const d = ((x[i] as string).codePointAt(0) as number) - ((y[i] as string).codePointAt(0) as number)
    if (d !== 0) return Math.sign(d)
  }
  return Math.sign(x.length - y.length)
}

const UNIT_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  μs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
}

/** time.ParseDuration in nanoseconds. */
export function parseDuration(text: string): bigint | undefined {
  const m = /^([-+]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text)
  if (!m) return undefined
  let total = 0n
  for (const [, whole = '', fraction = '', unit = ''] of (m[2] as string).matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = UNIT_NS[unit] as bigint
    total += BigInt(whole === '' ? 0 : whole) * scale
    if (fraction !== '') total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length)
  }
  if (total > MAX_INT) return undefined
  return m[1] === '-' ? -total : total
}

/** RFC 3339 in nanoseconds since 1970. */
export function parseTimestamp(text: string): bigint | undefined {
  const m = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:[.,](\d+))?(Z|([+-])(\d{2}):(\d{2}))$/.exec(text)
  if (!m) return undefined
  const [year, month, day, hour, minute, second] = m.slice(1, 7).map(Number) as [number, number, number, number, number, number]
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (
    month < 1 ||
    month > 12 ||
    day < 1 ||
    date.getUTCDate() !== day ||
    date.getUTCMonth() !== month - 1 ||
    hour > 23 ||
    minute > 59 ||
    second > 59
  )
    return undefined
  const offset = m[9] === undefined ? 0 : (m[9] === '-' ? -1 : 1) * (Number(m[10]) * 60 + Number(m[11]))
  const seconds = BigInt(date.getTime()) / 1000n + BigInt(hour * 3600 + minute * 60 + second - offset * 60)
  return seconds * 1_000_000_000n + BigInt((m[7] ?? '').slice(0, 9).padEnd(9, '0'))
}

/** RFC 3339 with as many digits as needed, in UTC. */
export function timestampText(ns: bigint): string {
  const second = 1_000_000_000n
  const fraction = ((ns % second) + second) % second
  const whole = new Date(Number((ns - fraction) / 1_000_000n)).toISOString().slice(0, 19)
  return `${whole}${fraction === 0n ? '' : `.${fraction.toString().padStart(9, '0').replace(/0+$/, '')}`}Z`
}

/** Seconds of a duration, written without an exponent. */
export function durationText(ns: bigint): string {
  const abs = ns < 0n ? -ns : ns
  const fraction = (abs % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  return `${ns < 0n ? '-' : ''}${abs / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}s`
}

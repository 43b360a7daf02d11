// The standard functions: cel-go common/stdlib and common/types. Each gets its evaluated arguments, the receiver first.
import { utf8Decode, utf8Encode } from '../../../lib/base64.ts'
import { zoneOffsetMs, isTimeZone } from '../timezones.ts'
import { goFloatText } from './go-float.ts'
import { compileGoRegexp } from './regexp.ts'
import {
  asInt,
  asUint,
  celError,
  CelError,
  compare,
  durationText,
  equal,
  isList,
  isMap,
  isTagged,
  type Value,
  mapGet,
  markList,
  markOf,
  noSuchOverload,
  parseDuration,
  parseTimestamp,
  timestampText,
  typeName,
  uint,
} from './values.ts'

export type CelFunction = (...args: Value[]) => Value

const uintOf = (v: Value): bigint | undefined => (isTagged(v) && v.cel === 'uint' ? v.value : undefined)
const nsOf = (v: Value, cel: 'timestamp' | 'duration'): bigint | undefined => (isTagged(v) && v.cel === cel ? v.ns : undefined)
const bytesOf = (v: Value): readonly number[] | undefined => (isTagged(v) && v.cel === 'bytes' ? v.value : undefined)

const MAX_DURATION = 2n ** 63n - 1n
const duration = (ns: bigint): Value => (ns > MAX_DURATION || ns < -MAX_DURATION ? celError('integer overflow') : { cel: 'duration', ns })
const MIN_TIME = -62135596800n * 1_000_000_000n
const MAX_TIME = 253402300799999999999n
const timestamp = (ns: bigint): Value => (ns < MIN_TIME || ns > MAX_TIME ? celError('timestamp overflow') : { cel: 'timestamp', ns })

/** The same operation on ints, uints and doubles. */
function arithmetic(ints: (a: bigint, b: bigint) => bigint, doubles?: (a: number, b: number) => number): CelFunction {
  return (a, b) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return asInt(ints(a, b))
    if (typeof a === 'number' && typeof b === 'number' && doubles) return doubles(a, b)
    const [x, y] = [uintOf(a as Value), uintOf(b as Value)]
    return x !== undefined && y !== undefined ? asUint(ints(x, y)) : noSuchOverload()
  }
}

const plainAdd = arithmetic(
  (a, b) => a + b,
  (a, b) => a + b,
)
const plainSubtract = arithmetic(
  (a, b) => a - b,
  (a, b) => a - b,
)

const add: CelFunction = (a, b) => {
  if (typeof a === 'string' && typeof b === 'string') return a + b
  if (isList(a as Value) && isList(b as Value)) return concat(a as readonly Value[], b as readonly Value[])
  const [x, y] = [bytesOf(a as Value), bytesOf(b as Value)]
  if (x && y) return { cel: 'bytes', value: [...x, ...y] }
  const [d, e] = [nsOf(a as Value, 'duration'), nsOf(b as Value, 'duration')]
  if (d !== undefined && e !== undefined) return duration(d + e)
  const [s, t] = [nsOf(a as Value, 'timestamp'), nsOf(b as Value, 'timestamp')]
  if (d !== undefined && t !== undefined) return timestamp(d + t)
  if (s !== undefined && e !== undefined) return timestamp(s + e)
  return plainAdd(a as Value, b as Value)
}

/** Sets gain what they lack; of keyed lists items with known keys are replaced (Kubernetes' merge semantics). */
function concat(a: readonly Value[], b: readonly Value[]): readonly Value[] {
  const mark = markOf(a)
  if (!mark) return [...a, ...b]
  if (!mark.keys) return markList([...a, ...b.filter((y) => !a.some((x) => equal(x, y)))])
  const { keys } = mark
  const same = (x: Value, y: Value): boolean => isMap(x) && isMap(y) && keys.every((k) => equal(mapGet(x, k) ?? null, mapGet(y, k) ?? null))
  return markList([...a.map((x) => b.find((y) => same(x, y)) ?? x), ...b.filter((y) => !a.some((x) => same(x, y)))], keys)
}

const subtract: CelFunction = (a, b) => {
  const [d, e] = [nsOf(a as Value, 'duration'), nsOf(b as Value, 'duration')]
  if (d !== undefined && e !== undefined) return duration(d - e)
  const [s, t] = [nsOf(a as Value, 'timestamp'), nsOf(b as Value, 'timestamp')]
  if (s !== undefined && t !== undefined) return duration(s - t)
  if (s !== undefined && e !== undefined) return timestamp(s - e)
  return plainSubtract(a as Value, b as Value)
}

const divide = arithmetic(
  (a, b) => (b === 0n ? (celError('division by zero') as never) : a / b),
  (a, b) => a / b,
)
const modulo = arithmetic((a, b) => (b === 0n ? (celError('modulus by zero') as never) : a % b))
const multiply = arithmetic(
  (a, b) => a * b,
  (a, b) => a * b,
)
const negate: CelFunction = (a) => (typeof a === 'bigint' ? asInt(-a) : typeof a === 'number' ? -a : noSuchOverload())

/** A list position; doubles and uints will do if they are whole. */
export function indexOf(v: Value): number {
  const n = typeof v === 'bigint' ? v : (uintOf(v) ?? (typeof v === 'number' && Number.isInteger(v) ? BigInt(v) : undefined))
  return n === undefined ? celError(`unsupported index type '${typeName(v)}' in list`) : Number(n)
}

export const index: CelFunction = (of, key) => {
  if (isList(of as Value)) {
    const list = of as readonly Value[]
    const i = indexOf(key as Value)
    return i >= 0 && i < list.length ? (list[i] as Value) : celError(`index out of bounds: ${i}`)
  }
  if (isMap(of as Value)) {
    const found = mapGet(of as Parameters<typeof mapGet>[0], key as Value)
    return found === undefined ? celError(`no such key: ${plain(key as Value)}`) : found
  }
  return noSuchOverload()
}

/** How a key reads in messages. */
export const plain = (v: Value): string =>
  typeof v === 'string' ? v : typeof v === 'number' ? goFloatText(v) : isTagged(v) && v.cel === 'uint' ? String(v.value) : String(v)

const isIn: CelFunction = (x, of) => {
  if (isList(of as Value)) return (of as readonly Value[]).some((y) => equal(x as Value, y))
  return isMap(of as Value) ? mapGet(of as Parameters<typeof mapGet>[0], x as Value) !== undefined : noSuchOverload()
}

const size: CelFunction = (v) => {
  if (typeof v === 'string') return BigInt([...v].length)
  if (isList(v as Value)) return BigInt((v as readonly Value[]).length)
  if (isMap(v as Value)) return BigInt((v as { entries: ReadonlyMap<string, unknown> }).entries.size)
  const bytes = bytesOf(v as Value)
  return bytes ? BigInt(bytes.length) : noSuchOverload()
}

const cannot = (v: Value, to: string): never => celError(`type conversion error from '${typeName(v)}' to '${to}'`)

const toInt: CelFunction = (v) => {
  if (typeof v === 'bigint') return v
  if (typeof v === 'number') return Number.isFinite(v) && Math.abs(v) < 2 ** 63 ? BigInt(Math.trunc(v)) : celError('integer overflow')
  if (typeof v === 'string')
    return /^[-+]?\d+$/.test(v) && BigInt.asIntN(64, BigInt(v.replace(/^\+/, ''))) === BigInt(v.replace(/^\+/, ''))
      ? BigInt(v.replace(/^\+/, ''))
      : cannot(v, 'int')
  const u = uintOf(v as Value)
  if (u !== undefined) return asInt(u)
  const d = nsOf(v as Value, 'duration')
  if (d !== undefined) return d
  const t = nsOf(v as Value, 'timestamp')
  return t === undefined ? noSuchOverload() : (t - (((t % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)) / 1_000_000_000n
}

const toUint: CelFunction = (v) => {
  if (uintOf(v as Value) !== undefined) return v as Value
  if (typeof v === 'bigint') return asUint(v)
  if (typeof v === 'number') return Number.isFinite(v) ? asUint(BigInt(Math.trunc(v))) : celError('unsigned integer overflow')
  return typeof v === 'string' && /^\d+$/.test(v) && BigInt(v) < 2n ** 64n
    ? uint(BigInt(v))
    : typeof v === 'string'
      ? cannot(v, 'uint')
      : noSuchOverload()
}

const toDouble: CelFunction = (v) => {
  if (typeof v === 'number') return v
  if (typeof v === 'bigint') return Number(v)
  const u = uintOf(v as Value)
  if (u !== undefined) return Number(u)
  if (typeof v !== 'string') return noSuchOverload()
  if (/^[-+]?(inf|infinity)$/i.test(v)) return v.startsWith('-') ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  if (/^nan$/i.test(v)) return Number.NaN
  return /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(v) ? Number(v) : cannot(v, 'double')
}

export const toText: CelFunction = (v) => {
  if (typeof v === 'string') return v
  if (typeof v === 'boolean' || typeof v === 'bigint') return String(v)
  if (typeof v === 'number') return goFloatText(v)
  if (v === null || isList(v as Value) || !isTagged(v as Value)) return noSuchOverload()
  const t = v as Exclude<Value, null>
  if (!isTagged(t)) return noSuchOverload()
  switch (t.cel) {
    case 'uint':
      return String(t.value)
    case 'bytes':
      return utf8Decode(t.value)
    case 'timestamp':
      return timestampText(t.ns)
    case 'duration':
      return durationText(t.ns)
    default:
      return noSuchOverload()
  }
}

const toBool: CelFunction = (v) => {
  if (typeof v === 'boolean') return v
  if (typeof v !== 'string') return noSuchOverload()
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(v)) return true
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(v) ? false : cannot(v, 'bool')
}

const toDuration: CelFunction = (v) => {
  if (nsOf(v as Value, 'duration') !== undefined) return v as Value
  if (typeof v === 'bigint') return duration(v)
  const ns = typeof v === 'string' ? parseDuration(v) : undefined
  return ns === undefined ? (typeof v === 'string' ? cannot(v, 'google.protobuf.Duration') : noSuchOverload()) : duration(ns)
}

const toTimestamp: CelFunction = (v) => {
  if (nsOf(v as Value, 'timestamp') !== undefined) return v as Value
  if (typeof v === 'bigint') return timestamp(v * 1_000_000_000n)
  const ns = typeof v === 'string' ? parseTimestamp(v) : undefined
  return ns === undefined ? (typeof v === 'string' ? cannot(v, 'google.protobuf.Timestamp') : noSuchOverload()) : timestamp(ns)
}

const text2 =
  (f: (a: string, b: string) => Value): CelFunction =>
  (a, b) =>
    typeof a === 'string' && typeof b === 'string' ? f(a, b) : noSuchOverload()

const matches = text2((s, pattern) => {
  const { value, error } = compileGoRegexp(pattern)
  return value ? value.test(s) : celError(error as string)
})

/** Calendar fields of a time in a zone: an IANA name or an offset like +01:30. */
function calendar(part: (date: Date) => number): CelFunction {
  return (v, zone) => {
    const ns = nsOf(v as Value, 'timestamp')
    if (ns === undefined) return noSuchOverload()
    const ms = Number((ns - (((ns % 1_000_000n) + 1_000_000n) % 1_000_000n)) / 1_000_000n)
    return BigInt(part(new Date(ms + offsetMs(zone, ms))))
  }
}

function offsetMs(zone: Value | undefined, ms: number): number {
  if (zone === undefined) return 0
  if (typeof zone !== 'string') return noSuchOverload()
  const m = /^([-+]?)(\d{1,2}):(\d{2})$/.exec(zone)
  if (m) return (m[1] === '-' ? -1 : 1) * (Number(m[2]) * 60 + Number(m[3])) * 60_000
  if (!isTimeZone(zone)) throw new CelError(`unknown time zone ${zone}`)
  return zone === '' || zone === 'UTC' || zone === 'Local' ? 0 : zoneOffsetMs(zone, ms)
}

const startOfYear = (d: Date): number => Date.UTC(d.getUTCFullYear(), 0, 1)

/** Hours and smaller parts are asked of times and of durations, where they are totals (milliseconds are the rest of the second). */
function clock(part: (date: Date) => number, unitNs: bigint, rest = false): CelFunction {
  const ofTime = calendar(part)
  return (v, zone) => {
    const d = nsOf(v as Value, 'duration')
    if (d === undefined) return zone === undefined ? ofTime(v as Value) : ofTime(v as Value, zone)
    return rest ? (d / unitNs) % 1000n : d / unitNs
  }
}

const relation =
  (holds: (c: number) => boolean): CelFunction =>
  (a, b) =>
    holds(compare(a as Value, b as Value))

export const STANDARD: Readonly<Record<string, CelFunction>> = {
  '!_': (a) => (typeof a === 'boolean' ? !a : noSuchOverload()),
  '_==_': (a, b) => equal(a as Value, b as Value),
  '_!=_': (a, b) => !equal(a as Value, b as Value),
  '_+_': add,
  '_-_': subtract,
  '_*_': multiply,
  '_/_': divide,
  '_%_': modulo,
  '-_': negate,
  '_<_': relation((c) => c < 0),
  '_<=_': relation((c) => c <= 0),
  '_>_': relation((c) => c > 0),
  '_>=_': relation((c) => c >= 0),
  '_[_]': index,
  '@in': isIn,
  size,
  type: (v) => ({ cel: 'type', name: isTagged(v as Value) && (v as { cel: string }).cel === 'type' ? 'type' : typeName(v as Value) }),
  dyn: (v) => v as Value,
  bool: toBool,
  bytes: (v) => (typeof v === 'string' ? { cel: 'bytes', value: utf8Encode(v) } : bytesOf(v as Value) ? (v as Value) : noSuchOverload()),
  double: toDouble,
  duration: toDuration,
  int: toInt,
  string: toText,
  timestamp: toTimestamp,
  uint: toUint,
  contains: text2((a, b) => a.includes(b)),
  startsWith: text2((a, b) => a.startsWith(b)),
  endsWith: text2((a, b) => a.endsWith(b)),
  matches,
  getFullYear: calendar((d) => d.getUTCFullYear()),
  getMonth: calendar((d) => d.getUTCMonth()),
  getDate: calendar((d) => d.getUTCDate()),
  getDayOfMonth: calendar((d) => d.getUTCDate() - 1),
  getDayOfWeek: calendar((d) => d.getUTCDay()),
  getDayOfYear: calendar((d) => Math.floor((d.getTime() - startOfYear(d)) / 86_400_000)),
  getHours: clock((d) => d.getUTCHours(), 3_600_000_000_000n),
  getMinutes: clock((d) => d.getUTCMinutes(), 60_000_000_000n),
  getSeconds: clock((d) => d.getUTCSeconds(), 1_000_000_000n),
  getMilliseconds: clock((d) => d.getUTCMilliseconds(), 1_000_000n, true),
}

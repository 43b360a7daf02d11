// Times and durations as the API and kubectl print them. All instants are ms since the Unix epoch.
import { utf8Encode } from '../../lib/base64.ts'
import { fail, ok, type Result } from '../../lib/result.ts'

/** Go's time package quotes byte by byte. */
const goQuote = (text: string): string => {
  let out = ''
  for (const byte of utf8Encode(text)) {
    if (byte >= 0x80 || byte < 0x20) out += `\\x${byte.toString(16).padStart(2, '0')}`
    else out += byte === 0x22 || byte === 0x5c ? `\\${String.fromCharCode(byte)}` : String.fromCharCode(byte)
  }
  return `"${out}"`
}

/** metav1.Time: RFC 3339, UTC, whole seconds. */
export const formatTime = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z')

/** metav1.MicroTime: always six decimal places. */
export const formatMicroTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')

/** Instant of an RFC 3339 text; undefined for an absent or unreadable one. */
export const parseTime = (text: string | undefined | null): number | undefined => {
  if (!text) return undefined
  const parsed = parseRFC3339(text)
  return parsed.value
}

const LAYOUT = '2006-01-02T15:04:05Z07:00'
const MICRO_LAYOUT = '2006-01-02T15:04:05.000000Z07:00'
const STEPS: readonly (readonly [element: string, pattern: RegExp])[] = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d\d/],
  ['-', /^-/],
  ['02', /^\d\d/],
  ['T', /^T/],
  ['15', /^\d\d?/],
  [':', /^:/],
  ['04', /^\d\d/],
  [':', /^:/],
  ['05', /^\d\d/],
]
const RANGES = new Map<string, readonly [name: string, low: number, high: number]>([
  ['01', ['month', 1, 12]],
  ['15', ['hour', 0, 23]],
  ['04', ['minute', 0, 59]],
  ['05', ['second', 0, 59]],
])

const daysIn = (year: number, month: number): number =>
  month === 2 ? ((year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31

interface Instant {
  /** Whole seconds. */
  readonly ms: number
  /** Decimal places of the second as they were written. */
  readonly fraction: string
}

/** time.Parse of one of the two layouts, with Go's error texts. */
const parseInstant = (text: string, layout: string): Result<Instant> => {
  const bad = (rest: string, element: string): Result<Instant> =>
    fail(`parsing time ${goQuote(text)} as ${goQuote(layout)}: cannot parse ${goQuote(rest)} as ${goQuote(element)}`)
  const outOfRange = (what: string): Result<Instant> => fail(`parsing time ${goQuote(text)}: ${what} out of range`)
  const numbers = new Map<string, number>()
  let rest = text
  for (const [element, pattern] of STEPS) {
    const part = pattern.exec(rest)?.[0]
    if (part === undefined) return bad(rest, element)
    const range = RANGES.get(element)
    if (range && (Number(part) < range[1] || Number(part) > range[2])) return outOfRange(range[0])
    numbers.set(element, Number(part))
    rest = rest.slice(part.length)
  }
  const fraction = (layout === MICRO_LAYOUT ? /^[.,]\d{6}/ : /^[.,]\d+/).exec(rest)?.[0] ?? ''
  if (fraction === '' && layout === MICRO_LAYOUT) return bad(rest, '.000000')
  rest = rest.slice(fraction.length)
  const zone = /^(?:Z|([+-])(\d\d):(\d\d))/.exec(rest)
  if (!zone) return bad(rest, 'Z07:00')
  const [hours, minutes] = [Number(zone[2] ?? 0), Number(zone[3] ?? 0)]
  if (hours > 24) return outOfRange('time zone offset hour')
  if (minutes > 60) return outOfRange('time zone offset minute')
  rest = rest.slice(zone[0].length)
  if (rest !== '') return fail(`parsing time ${goQuote(text)}: extra text: ${goQuote(rest)}`)
  const number = (element: string): number => numbers.get(element) ?? 0
  const [year, month, day] = [number('2006'), number('01'), number('02')]
  if (day < 1 || day > daysIn(year, month)) return outOfRange('day')
  // Date.UTC takes years below 100 for those of the last century.
  const at = new Date(Date.UTC(2000, 0, 1, number('15'), number('04'), number('05')))
  at.setUTCFullYear(year, month - 1, day)
  const offset = (zone[1] === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000
  return ok({ ms: at.getTime() - offset, fraction: fraction.slice(1) })
}

/** Go's zero time, which is written as null. */
const ZERO_TIME_MS = -62135596800000

/** time.Parse(time.RFC3339, text) in ms, with Go's error text. */
export const parseRFC3339 = (text: string): Result<number> => {
  const parsed = parseInstant(text, LAYOUT)
  return parsed.value === undefined ? parsed : ok(parsed.value.ms + Math.trunc(Number(`0.${parsed.value.fraction || '0'}`) * 1000))
}

/** A metav1.Time as it is stored: UTC, whole seconds; undefined for the zero time. */
export const canonicalTime = (text: string): Result<string | undefined> => {
  const parsed = parseInstant(text, LAYOUT)
  if (parsed.value === undefined) return parsed
  return ok(parsed.value.ms === ZERO_TIME_MS ? undefined : formatTime(parsed.value.ms))
}

/** A metav1.MicroTime as it is stored: UTC, the six decimal places that it must have. */
export const canonicalMicroTime = (text: string): Result<string | undefined> => {
  const parsed = parseInstant(text, MICRO_LAYOUT)
  if (parsed.value === undefined) return parsed
  return ok(parsed.value.ms === ZERO_TIME_MS ? undefined : formatTime(parsed.value.ms).replace('Z', `.${parsed.value.fraction}Z`))
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** duration.HumanDuration (pkg/util/duration/duration.go): `5m30s`, `3h`, `2d4h`. */
export const humanDuration = (ms: number): string => {
  const seconds = Math.trunc(ms / SECOND)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(ms / MINUTE)
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(ms / HOUR)
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`
  if (hours < 48) return `${hours}h`
  if (hours < 192) return hours % 24 === 0 ? `${Math.trunc(hours / 24)}d` : `${Math.trunc(hours / 24)}d${hours % 24}h`
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24)}d`
  if (hours < 24 * 365 * 8) {
    const days = Math.trunc(hours / 24) % 365
    return days === 0 ? `${Math.trunc(hours / 24 / 365)}y` : `${Math.trunc(hours / 24 / 365)}y${days}d`
  }
  return `${Math.trunc(hours / 24 / 365)}y`
}

/** duration.ShortHumanDuration: one unit. */
export const shortHumanDuration = (ms: number): string => {
  const seconds = Math.trunc(ms / SECOND)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 60) return `${seconds}s`
  const minutes = Math.trunc(ms / MINUTE)
  if (minutes < 60) return `${minutes}m`
  const hours = Math.trunc(ms / HOUR)
  if (hours < 24) return `${hours}h`
  if (hours < 24 * 365) return `${Math.trunc(hours / 24)}d`
  return `${Math.trunc(hours / 24 / 365)}y`
}

/** printers.translateTimestampSince: the age of a stored time. */
export const translateTimestampSince = (time: string | undefined | null, nowMs: number): string => {
  const at = parseTime(time)
  return at === undefined ? '<unknown>' : humanDuration(nowMs - at)
}

/** translateTimestampUntil: how long until a stored time. */
export const translateTimestampUntil = (time: string | undefined | null, nowMs: number): string => {
  const at = parseTime(time)
  return at === undefined ? '<unknown>' : humanDuration(at - nowMs)
}

const trimFraction = (whole: number | bigint, fraction: string): string => {
  const rest = fraction.replace(/0+$/, '')
  return rest === '' ? `${whole}` : `${whole}.${rest}`
}

/** time.Duration.String(): `1h2m3.5s`, `300ms`, `0s`. Exact to nanoseconds for ms that are. */
export const formatGoDuration = (ms: number): string => {
  const whole = Math.trunc(ms)
  const total = BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6))
  if (total === 0n) return '0s'
  const sign = total < 0n ? '-' : ''
  const ns = total < 0n ? -total : total
  if (ns < 1000n) return `${sign}${ns}ns`
  if (ns < 1_000_000n) return `${sign}${trimFraction(ns / 1000n, String(ns % 1000n).padStart(3, '0'))}µs`
  if (ns < 1_000_000_000n) return `${sign}${trimFraction(ns / 1_000_000n, String(ns % 1_000_000n).padStart(6, '0'))}ms`
  const seconds = ns / 1_000_000_000n
  const text = `${trimFraction(seconds % 60n, String(ns % 1_000_000_000n).padStart(9, '0'))}s`
  const minutes = seconds / 60n
  if (minutes === 0n) return sign + text
  return minutes < 60n ? `${sign}${minutes}m${text}` : `${sign}${minutes / 60n}h${minutes % 60n}m${text}`
}

const UNIT_NS = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 6e10],
  ['h', 3.6e12],
])

/** time.ParseDuration in ms, with Go's error text. */
export const parseGoDuration = (text: string): Result<number> => {
  const bad = (): Result<number> => fail(`time: invalid duration ${goQuote(text)}`)
  let rest = text
  let sign = 1
  if (rest.startsWith('-') || rest.startsWith('+')) {
    if (rest.startsWith('-')) sign = -1
    rest = rest.slice(1)
  }
  if (rest === '0') return ok(0)
  if (rest === '') return bad()
  let ns = 0
  while (rest !== '') {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest)
    const digits = number?.[0] ?? ''
    if (digits === '' || digits === '.') return bad()
    rest = rest.slice(digits.length)
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? ''
    if (unit === '') return fail(`time: missing unit in duration ${goQuote(text)}`)
    const factor = UNIT_NS.get(unit)
    if (factor === undefined) return fail(`time: unknown unit ${goQuote(unit)} in duration ${goQuote(text)}`)
    rest = rest.slice(unit.length)
    ns += Number(number?.[1] || '0') * factor + Math.trunc(Number(`0.${number?.[2] || '0'}`) * factor)
    if (ns > 2 ** 63) return bad()
  }
  return ok((sign * ns) / 1e6)
}

// Times and durations as the API and kubectl print them. All instants are ms since the Unix epoch.
import { fail, ok, type Result } from '../../lib/result.ts'
import { goQuote } from './go-text.ts'

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

const TIME = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)([.,]\d+)?(Z|[+-]\d\d:\d\d)$/
const LAYOUT = '2006-01-02T15:04:05Z07:00'
const STEPS: readonly [pattern: RegExp, element: string][] = [
  [/^\d{4}/, '2006'], [/^-/, '-'], [/^\d\d/, '01'], [/^-/, '-'], [/^\d\d/, '02'], [/^T/, 'T'], [/^\d\d/, '15'], [/^:/, ':'], [/^\d\d/, '04'], [/^:/, ':'], [/^\d\d(?:[.,]\d+)?/, '05'], [/^(?:Z|[+-]\d\d:\d\d)/, 'Z07:00'],
]

const daysIn = (year: number, month: number): number => (month === 2 ? ((year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31)

/** time.Parse(time.RFC3339, text), with Go's error text. `layout` is what the message names. */
export const parseRFC3339 = (text: string, layout = LAYOUT): Result<number> => {
  const problem = (rest: string, element: string): Result<number> => fail(`parsing time ${goQuote(text)} as ${goQuote(layout)}: cannot parse ${goQuote(rest)} as ${goQuote(element)}`)
  const outOfRange = (what: string): Result<number> => fail(`parsing time ${goQuote(text)}: ${what} out of range`)
  const match = TIME.exec(text)
  if (!match) {
    let rest = text
    const numbers: number[] = []
    for (const [pattern, element] of STEPS) {
      const part = pattern.exec(rest)
      if (!part) return problem(rest, element)
      if (/^\d/.test(part[0])) numbers.push(Number(part[0].slice(0, 4)))
      // Ranges are checked while reading, so they win over a bad rest.
      if (element === '01' && (numbers[1] as number) > 12) return outOfRange('month')
      if (element === '15' && (numbers[3] as number) > 23) return outOfRange('hour')
      if (element === '04' && (numbers[4] as number) > 59) return outOfRange('minute')
      if (element === '05' && (numbers[5] as number) > 59) return outOfRange('second')
      rest = rest.slice(part[0].length)
    }
    return fail(`parsing time ${goQuote(text)}: extra text: ${goQuote(rest)}`)
  }
  const [, y, mo, d, h, mi, s, fraction, zone] = match as unknown as string[]
  const [year, month, day, hour, minute, second] = [y, mo, d, h, mi, s].map(Number) as [number, number, number, number, number, number]
  if (month < 1 || month > 12) return outOfRange('month')
  if (hour > 23) return outOfRange('hour')
  if (minute > 59) return outOfRange('minute')
  if (second > 59) return outOfRange('second')
  if (day < 1 || day > daysIn(year, month)) return outOfRange('day')
  const offset = zone === 'Z' ? 0 : (zone?.startsWith('-') ? -1 : 1) * (Number(zone?.slice(1, 3)) * 60 + Number(zone?.slice(4, 6)))
  // Date.UTC takes years below 100 for those of the last century.
  const base = new Date(Date.UTC(2000, 0, 1, hour, minute, second))
  base.setUTCFullYear(year, month - 1, day)
  const ms = fraction ? Math.trunc(Number(`0.${fraction.slice(1)}`) * 1000) : 0
  return ok(base.getTime() + ms - offset * 60_000)
}

const MICRO_LAYOUT = '2006-01-02T15:04:05.000000Z07:00'

/** A metav1.MicroTime as it is stored: UTC, the six decimal places that it must have. */
export const parseMicroTime = (text: string): Result<string> => {
  const parsed = parseRFC3339(text, MICRO_LAYOUT)
  if (parsed.value === undefined) return parsed
  const fraction = /\.(\d{6})(?=Z|[+-]\d\d:\d\d$)/.exec(text)
  if (!fraction) return fail(`parsing time ${goQuote(text)} as ${goQuote(MICRO_LAYOUT)}: cannot parse ${goQuote(text.slice(19))} as ".000000"`)
  return ok(formatTime(parsed.value).replace('Z', `.${fraction[1]}Z`))
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
  const total = BigInt(Math.round(ms * 1e6))
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

const UNIT_NS = new Map([['ns', 1], ['us', 1e3], ['µs', 1e3], ['μs', 1e3], ['ms', 1e6], ['s', 1e9], ['m', 6e10], ['h', 3.6e12]])

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

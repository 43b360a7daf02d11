// Cron schedules as github.com/robfig/cron v3 parses and steps them (ParseStandard): five fields, descriptors, @every, TZ= and CRON_TZ=.
import { fail, ok, type Result } from '../../lib/result.ts'
import { isTimeZone, zoneOffsetMs } from './timezones.ts'

interface Field {
  /** Values that match. */
  values: ReadonlySet<number>
  /** Written as * or ?: changes how day of month and day of week combine. */
  star: boolean
}

export interface CronSchedule {
  /** @every: a fixed delay, at least a second, counted in whole seconds. */
  everyMs?: number
  fields?: { minute: Field; hour: Field; dayOfMonth: Field; month: Field; dayOfWeek: Field }
  /** From TZ= in the schedule; wins over the zone given to nextCronTime. */
  timeZone?: string
}

interface Bounds {
  min: number
  max: number
  names?: readonly string[]
}

const bounds = {
  minute: { min: 0, max: 59 },
  hour: { min: 0, max: 23 },
  dayOfMonth: { min: 1, max: 31 },
  month: { min: 1, max: 12, names: ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  dayOfWeek: { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
} as const satisfies Record<string, Bounds>

class CronError extends Error {}

const quote = (text: string): string => JSON.stringify(text)

function parseInteger(text: string): number {
  if (!/^[+-]?[0-9]+$/.test(text))
    throw new CronError(`failed to parse int from ${text}: strconv.Atoi: parsing ${quote(text)}: invalid syntax`)
  const value = BigInt(text.replace(/^\+/, ''))
  if (value > 0x7fffffffffffffffn || value < -0x8000000000000000n) {
    throw new CronError(`failed to parse int from ${text}: strconv.Atoi: parsing ${quote(text)}: value out of range`)
  }
  if (value < 0n) throw new CronError(`negative number (${value}) not allowed: ${text}`)
  return Number(value)
}

function parseIntegerOrName(text: string, names: readonly string[] | undefined): number {
  const index = text === '' ? -1 : (names?.indexOf(text.toLowerCase()) ?? -1)
  return index >= 0 ? index : parseInteger(text)
}

/** `number | number-number [/number]`, or `*`. */
function parseRange(expression: string, { min, max, names }: Bounds): { values: number[]; star: boolean } {
  const parts = expression.split('/')
  const ends = (parts[0] ?? '').split('-')
  let start = min
  let end = max
  let star = false
  if (ends[0] === '*' || ends[0] === '?') star = true
  else {
    start = parseIntegerOrName(ends[0] ?? '', names)
    if (ends.length === 1) end = start
    else if (ends.length === 2) end = parseIntegerOrName(ends[1] ?? '', names)
    else throw new CronError(`too many hyphens: ${expression}`)
  }
  let step = 1
  if (parts.length === 2) {
    step = parseInteger(parts[1] ?? '')
    if (ends.length === 1) end = max
    if (step > 1) star = false
  } else if (parts.length > 2) throw new CronError(`too many slashes: ${expression}`)
  if (start < min) throw new CronError(`beginning of range (${start}) below minimum (${min}): ${expression}`)
  if (end > max) throw new CronError(`end of range (${end}) above maximum (${max}): ${expression}`)
  if (start > end) throw new CronError(`beginning of range (${start}) beyond end of range (${end}): ${expression}`)
  if (step === 0) throw new CronError(`step of range should be a positive number: ${expression}`)
  const values: number[] = []
  for (let value = start; value <= end; value += step) values.push(value)
  return { values, star }
}

function parseField(text: string, limits: Bounds): Field {
  const ranges = text
    .split(',')
    .filter((r) => r !== '')
    .map((r) => parseRange(r, limits))
  return { values: new Set(ranges.flatMap((r) => r.values)), star: ranges.some((r) => r.star) }
}

const unitNs: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

/** time.ParseDuration, in nanoseconds. */
function parseDuration(text: string): number {
  const invalid = (): CronError => new CronError(`time: invalid duration ${quote(text)}`)
  const sign = text.startsWith('-') ? -1 : 1
  let rest = text.replace(/^[+-]/, '')
  if (rest === '0') return 0
  if (rest === '') throw invalid()
  let total = 0
  while (rest !== '') {
    const number = /^([0-9]*)(?:\.([0-9]*))?/.exec(rest)?.[0] ?? ''
    if (number === '' || number === '.') throw invalid()
    rest = rest.slice(number.length)
    const unit = /^[^.0-9]*/.exec(rest)?.[0] ?? ''
    if (unit === '') throw new CronError(`time: missing unit in duration ${quote(text)}`)
    if (!Object.hasOwn(unitNs, unit)) throw new CronError(`time: unknown unit ${quote(unit)} in duration ${quote(text)}`)
    rest = rest.slice(unit.length)
    total += Number(number) * (unitNs[unit] ?? 0)
    if (total > 2 ** 63) throw invalid()
  }
  return sign * total
}

const descriptors = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
])

function parseFields(text: string, timeZone: string | undefined): CronSchedule {
  const parts = text.split(/[\s\u0085]+/).filter((p) => p !== '')
  if (parts.length !== 5) throw new CronError(`expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`)
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = parts
  return {
    fields: {
      minute: parseField(minute, bounds.minute),
      hour: parseField(hour, bounds.hour),
      dayOfMonth: parseField(dayOfMonth, bounds.dayOfMonth),
      month: parseField(month, bounds.month),
      dayOfWeek: parseField(dayOfWeek, bounds.dayOfWeek),
    },
    ...(timeZone === undefined || timeZone === 'Local' ? {} : { timeZone: timeZone === '' ? 'UTC' : timeZone }),
  }
}

/** The error of time.LoadLocation, or undefined for a zone that exists. */
export function timeZoneError(name: string): string | undefined {
  if (isTimeZone(name)) return undefined
  if (name.includes('..') || name.startsWith('/') || name.startsWith('\\')) return 'time: invalid location name'
  return `unknown time zone ${name}`
}

function parse(text: string): CronSchedule {
  if (text === '') throw new CronError('empty spec string')
  let spec = text
  let timeZone: string | undefined
  if (spec.startsWith('TZ=') || spec.startsWith('CRON_TZ=')) {
    const space = spec.indexOf(' ')
    // Upstream's parser panics here; the API server recovers with this text.
    if (space < 0) throw new CronError('invalid schedule format: runtime error: slice bounds out of range [:-1]')
    timeZone = spec.slice(spec.indexOf('=') + 1, space)
    const wrong = timeZoneError(timeZone)
    if (wrong !== undefined) throw new CronError(`provided bad location ${timeZone}: ${wrong}`)
    spec = spec.slice(space).trim()
  }
  if (!spec.startsWith('@')) return parseFields(spec, timeZone)
  const named = descriptors.get(spec)
  if (named !== undefined) return parseFields(named, timeZone)
  const every = '@every '
  if (!spec.startsWith(every)) throw new CronError(`unrecognized descriptor: ${spec}`)
  try {
    // Every: at least a second, whole seconds.
    const seconds = Math.max(1, Math.trunc(parseDuration(spec.slice(every.length)) / 1e9))
    return { everyMs: seconds * 1000 }
  } catch (error) {
    if (error instanceof CronError) throw new CronError(`failed to parse duration ${spec}: ${error.message}`)
    throw error
  }
}

/** The schedule, or upstream's text of what is wrong with it. */
export function parseCron(text: string): Result<CronSchedule> {
  try {
    return ok(parse(text))
  } catch (error) {
    if (error instanceof CronError) return fail(error.message)
    throw error
  }
}

/** A zone's clock: instants to local fields and back, as Go's time.Time and time.Date. */
function clockOf(zone: string) {
  const local = (ms: number): Date => new Date(ms + zoneOffsetMs(zone, ms))
  const date = (year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number => {
    const wall = Date.UTC(year, month, day, hour, minute, second)
    const guess = zoneOffsetMs(zone, wall)
    return wall - zoneOffsetMs(zone, wall - guess)
  }
  return { local, date }
}

const hourMs = 3_600_000
const minuteMs = 60_000

/** The first time after `afterMs` that matches, or undefined if there is none within five years. */
export function nextCronTime(schedule: CronSchedule, afterMs: number, timeZone = 'UTC'): number | undefined {
  if (schedule.everyMs !== undefined) return Math.floor(afterMs / 1000) * 1000 + schedule.everyMs
  const { fields } = schedule
  if (fields === undefined) return undefined
  const { minute, hour, dayOfMonth, month, dayOfWeek } = fields
  const { local, date } = clockOf(schedule.timeZone ?? timeZone)
  const dayMatches = (at: Date): boolean => {
    const dom = dayOfMonth.values.has(at.getUTCDate())
    const dow = dayOfWeek.values.has(at.getUTCDay())
    return dayOfMonth.star || dayOfWeek.star ? dom && dow : dom || dow
  }
  let t = Math.floor(afterMs / 1000) * 1000 + 1000
  let added = false
  const yearLimit = local(t).getUTCFullYear() + 5

  wrap: while (local(t).getUTCFullYear() <= yearLimit) {
    while (!month.values.has(local(t).getUTCMonth() + 1)) {
      let at = local(t)
      if (!added) {
        added = true
        t = date(at.getUTCFullYear(), at.getUTCMonth(), 1)
        at = local(t)
      }
      t = date(at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate(), at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds())
      if (local(t).getUTCMonth() === 0) continue wrap
    }
    while (!dayMatches(local(t))) {
      let at = local(t)
      if (!added) {
        added = true
        t = date(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate())
        at = local(t)
      }
      t = date(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate() + 1, at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds())
      // Where midnight does not exist, a change of the clocks moved us off it.
      const hours = local(t).getUTCHours()
      if (hours !== 0) t += (hours > 12 ? 24 - hours : -hours) * hourMs
      if (local(t).getUTCDate() === 1) continue wrap
    }
    while (!hour.values.has(local(t).getUTCHours())) {
      if (!added) {
        added = true
        const at = local(t)
        t = date(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate(), at.getUTCHours())
      }
      t += hourMs
      if (local(t).getUTCHours() === 0) continue wrap
    }
    while (!minute.values.has(local(t).getUTCMinutes())) {
      if (!added) {
        added = true
        t = Math.floor(t / minuteMs) * minuteMs
      }
      t += minuteMs
      if (local(t).getUTCMinutes() === 0) continue wrap
    }
    while (local(t).getUTCSeconds() !== 0) {
      if (!added) added = true
      t += 1000
      if (local(t).getUTCSeconds() === 0) continue wrap
    }
    return t
  }
  return undefined
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextCronTime, parseCron } from './cron.ts'

function next(schedule: string, after: string, timeZone?: string): string | undefined {
  const parsed = parseCron(schedule)
  if ('error' in parsed) throw new Error(parsed.error)
  const at = nextCronTime(parsed.value, Date.parse(after), timeZone)
  return at === undefined ? undefined : new Date(at).toISOString().replace('.000Z', 'Z')
}

describe('a schedule of five fields', () => {
  const field = (min: number, max: number) =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min, max }).map(String),
      fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      fc.tuple(fc.integer({ min, max }), fc.integer({ min, max })).map(([a, b]) => `${a},${b}`),
      fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
    )
  const allows = (text: string, min: number, value: number): boolean =>
    text.split(',').some((part) => {
      const [range = '', step = '1'] = part.split('/')
      if (range === '*') return (value - min) % Number(step) === 0
      const [from, to = from] = range.split('-').map(Number)
      return from !== undefined && to !== undefined && value >= from && value <= to
    })

  it('fires at the first minute that all its fields allow', () => {
    const minuteAndHour = fc.record({ minute: field(0, 59), hour: field(0, 23), weekday: field(0, 6) })
    fc.assert(
      fc.property(minuteAndHour, fc.integer({ min: 0, max: 400 * 24 * 60 }), ({ minute, hour, weekday }, minutes) => {
        const after = Date.UTC(2026, 0, 1) + minutes * 60_000
        const parsed = parseCron(`${minute} ${hour} * * ${weekday}`)
        if ('error' in parsed) throw new Error(parsed.error)
        let expected = after
        for (;;) {
          expected += 60_000
          const at = new Date(expected)
          if (allows(minute, 0, at.getUTCMinutes()) && allows(hour, 0, at.getUTCHours()) && allows(weekday, 0, at.getUTCDay())) break
        }
        expect(nextCronTime(parsed.value, after)).toBe(expected)
      }),
      { numRuns: 200 },
    )
  })

  it('needs only one of day of month and day of week when both are restricted', () => {
    expect(next('0 0 13 * 5', '2026-01-03T00:00:00Z')).toBe('2026-01-09T00:00:00Z')
    expect(next('0 0 13 * 5', '2026-01-09T00:00:00Z')).toBe('2026-01-13T00:00:00Z')
    expect(next('0 0 13 * *', '2026-01-03T00:00:00Z')).toBe('2026-01-13T00:00:00Z')
  })

  it('waits for a leap day, and gives up on a day that does not exist', () => {
    expect(next('0 0 29 2 *', '2026-01-01T00:00:00Z')).toBe('2028-02-29T00:00:00Z')
    expect(next('0 0 31 feb *', '2026-01-01T00:00:00Z')).toBeUndefined()
  })
})

describe('time zones', () => {
  it('count in the zone that is asked for, and TZ= in the schedule wins', () => {
    expect(next('0 9 * * *', '2026-07-01T00:00:00Z', 'Europe/Berlin')).toBe('2026-07-01T07:00:00Z')
    expect(next('0 9 * * *', '2026-12-01T00:00:00Z', 'Europe/Berlin')).toBe('2026-12-01T08:00:00Z')
    expect(next('CRON_TZ=Asia/Tokyo 0 9 * * *', '2026-07-01T00:30:00Z', 'Europe/Berlin')).toBe('2026-07-02T00:00:00Z')
  })

  it('skip a local time that a change of the clocks leaves out', () => {
    expect(next('30 2 * * *', '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe('2026-03-30T00:30:00Z')
  })
})

it('@every counts whole seconds from the time before', () => {
  expect(next('@every 1h30m', '2026-01-01T00:00:00.700Z')).toBe('2026-01-01T01:30:00Z')
  expect(next('@every 10ms', '2026-01-01T00:00:00Z')).toBe('2026-01-01T00:00:01Z')
})

it.each([
  ['', 'empty spec string'],
  ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['* * * foo *', 'failed to parse int from foo: strconv.Atoi: parsing "foo": invalid syntax'],
  ['@reboot', 'unrecognized descriptor: @reboot'],
  ['@every soon', 'failed to parse duration @every soon: time: invalid duration "soon"'],
  ['TZ=Mars/Base * * * * *', 'provided bad location Mars/Base: unknown time zone Mars/Base'],
])('refuses %j', (schedule, error) => {
  expect(parseCron(schedule)).toEqual({ error })
})

import { describe, expect, test } from 'vitest'
import recorded from './golden/go.json' with { type: 'json' }
import { getScaledValueFromIntOrPercent } from './intstr.ts'
import {
  canonicalMicroTime,
  canonicalTime,
  formatGoDuration,
  formatMicroTime,
  formatTime,
  humanDuration,
  parseGoDuration,
  shortHumanDuration,
  translateTimestampSince,
} from './time.ts'

describe('times and durations as Go prints and reads them', () => {
  test.each(recorded.durations)('$ms ms', ({ ms, human, short, go }) => {
    expect({ human: humanDuration(ms), short: shortHumanDuration(ms), go: formatGoDuration(ms) }).toEqual({ human, short, go })
  })
  test.each(recorded.parsedDurations as { text: string; error?: string; ns?: string }[])('$text', ({ text, error, ns }) => {
    const parsed = parseGoDuration(text)
    expect(parsed.error ?? String(Math.round((parsed.value ?? 0) * 1e6))).toBe(error ?? ns)
  })
  test.each(recorded.times as { text: string; error?: string; json?: string; microError?: string; micro?: string }[])(
    '$text',
    ({ text, error, json, microError, micro }) => {
      const time = canonicalTime(text)
      expect(time.error ?? JSON.stringify(time.value ?? null)).toBe(error ?? json)
      const exact = canonicalMicroTime(text)
      expect(exact.error ?? JSON.stringify(exact.value ?? null)).toBe(microError ?? micro)
    },
  )
})

test('stored times have whole seconds, micro times six places', () => {
  expect(formatTime(Date.UTC(2026, 0, 1) + 1999)).toBe('2026-01-01T00:00:01Z')
  expect(formatMicroTime(Date.UTC(2026, 0, 1) + 1999)).toBe('2026-01-01T00:00:01.999000Z')
  expect(translateTimestampSince('2026-01-01T00:00:00Z', Date.UTC(2026, 0, 1) + 125_000)).toBe('2m5s')
  expect(translateTimestampSince(undefined, 0)).toBe('<unknown>')
})

test('percentages are rounded as asked', () => {
  expect(getScaledValueFromIntOrPercent('25%', 10, true).value).toBe(3)
  expect(getScaledValueFromIntOrPercent('25%', 10, false).value).toBe(2)
  expect(getScaledValueFromIntOrPercent(4, 10, true).value).toBe(4)
  expect(getScaledValueFromIntOrPercent('x', 10, true).error).toBe(
    'invalid value for IntOrString: invalid type: string is not a percentage',
  )
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import recorded from './golden/go.json' with { type: 'json' }
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  parseQuantity,
  quantityMilliValue,
  quantityToString,
  quantityValue,
  roundUpQuantity,
  subQuantities,
  tryParseQuantity,
} from './quantity.ts'

interface Row {
  text: string
  error?: string
  string?: string
  milli?: string
  add?: string
  sub?: string
  cmp?: number
}

describe('quantities as Go parses, prints and adds them', () => {
  test.each(recorded.quantities as Row[])('$text', (row) => {
    const parsed = tryParseQuantity(row.text)
    expect(parsed.error).toBe(row.error)
    if (parsed.value === undefined) return
    const other = parseQuantity('1500m')
    expect(quantityToString(parsed.value)).toBe(row.string)
    expect(quantityToString(roundUpQuantity(parsed.value, -3))).toBe(row.milli)
    expect(quantityToString(addQuantities(parsed.value, other))).toBe(row.add)
    expect(quantityToString(subQuantities(parsed.value, other))).toBe(row.sub)
    expect(compareQuantities(parsed.value, other)).toBe(row.cmp)
  })
})

const amount = fc
  .tuple(fc.integer({ min: 0, max: 10 ** 9 }), fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e3'))
  .map(([n, suffix]) => `${n}${suffix}`)

test('the canonical form is a fixed point and means the same', () => {
  fc.assert(
    fc.property(amount, (text) => {
      const once = canonicalQuantity(text)
      expect(canonicalQuantity(once)).toBe(once)
      expect(compareQuantities(once, text)).toBe(0)
    }),
  )
})

test('addition is undone by subtraction', () => {
  fc.assert(
    fc.property(amount, amount, (a, b) => {
      const [x, y] = [parseQuantity(a), parseQuantity(b)]
      expect(compareQuantities(subQuantities(addQuantities(x, y), y), x)).toBe(0)
    }),
  )
})

test('values are rounded up, and nothing counts as zero', () => {
  expect(quantityValue('1100m')).toBe(2)
  expect(quantityMilliValue('0.0001')).toBe(1)
  expect(quantityValue('8Gi')).toBe(8589934592)
  expect(quantityValue(undefined)).toBe(0)
  expect(() => parseQuantity('1e3m')).toThrow("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
})

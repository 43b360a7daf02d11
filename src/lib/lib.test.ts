import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { base64Decode, base64DecodeText, base64Encode, base64EncodeText } from './base64.ts'
import { compareStrings, deepEqual, sortStrings } from './compare.ts'
import { cloneJson, copyOwn, getOwn, setOwn } from './own.ts'
import { stableStringify } from './stringify.ts'

describe('keys from outside', () => {
  test('names of the prototype round-trip as data', () => {
    const labels: Record<string, string> = {}
    for (const key of ['__proto__', 'constructor', 'toString']) setOwn(labels, key, 'v')
    expect(Object.keys(labels)).toEqual(['__proto__', 'constructor', 'toString'])
    expect(Object.getPrototypeOf(labels)).toBe(Object.prototype)
    const copy = copyOwn(labels)
    expect(getOwn(copy, '__proto__')).toBe('v')
    expect(Object.keys(cloneJson({ labels }).labels)).toEqual(Object.keys(labels))
    expect(getOwn({}, 'constructor')).toBeUndefined()
  })
})

test('strings are ordered by their UTF-8 bytes', () => {
  const bytes = (text: string): number[] => [...new TextEncoder().encode(text)]
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      const [x, y] = [bytes(a), bytes(b)]
      let expected = 0
      for (let i = 0; expected === 0 && i < Math.max(x.length, y.length); i++) expected = Math.sign((x[i] ?? -1) - (y[i] ?? -1))
      expect(compareStrings(a, b)).toBe(expected)
    }),
  )
  expect(sortStrings(['b', '\u{1f600}', '\uffff', 'a'])).toEqual(['a', 'b', '\uffff', '\u{1f600}'])
})

test('equality and text do not depend on the order of keys', () => {
  expect(deepEqual({ a: 1, b: [{ c: 2 }] }, { b: [{ c: 2 }], a: 1 })).toBe(true)
  expect(deepEqual({ a: 1 }, { a: 1, b: undefined })).toBe(true)
  expect(deepEqual({ a: 1 }, { b: 1 })).toBe(false)
  expect(deepEqual([1], { 0: 1 })).toBe(false)
  expect(stableStringify({ b: 1, a: [{ d: 1, c: undefined }] })).toBe('{"a":[{"d":1}],"b":1}')
})

test('base64 agrees with the platform', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const text = Buffer.from(bytes).toString('base64')
      expect(base64Encode([...bytes])).toBe(text)
      expect(base64Decode(text)).toEqual([...bytes])
    }),
  )
  expect(base64DecodeText(base64EncodeText('héllo 😀'))).toBe('héllo 😀')
  expect(base64Decode('a')).toBeUndefined()
})

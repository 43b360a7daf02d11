import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deepEqual } from '../../../lib/compare.ts'
import recorded from '../golden/go.json' with { type: 'json' }
import { type ObjectSchema, schemaFor } from '../schema/index.ts'
import { decodeJsonPatch, decodeMergePatch } from './body.ts'
import { applyJsonPatch, type JsonPatchOperation } from './json-patch.ts'
import { createJsonMergePatch, jsonMergePatch } from './json-merge.ts'
import { createThreeWayMergePatch, createTwoWayMergePatch } from './strategic-diff.ts'
import { strategicMergePatch } from './strategic.ts'

const DEPLOYMENT = schemaFor('apps', 'v1', 'Deployment') as ObjectSchema
const base = recorded.strategicBase

interface Row {
  patch: object
  error?: string
  result?: unknown
}

describe('strategic merge patches give what Go gives', () => {
  test.each((recorded.strategic as unknown as Row[]).map((row) => ({ text: JSON.stringify(row.patch), row })))('$text', ({ row }) => {
    const before = JSON.stringify([base, row.patch])
    const merged = strategicMergePatch(base, row.patch, DEPLOYMENT)
    expect(merged.error?.message).toBe(row.error)
    expect(merged.value).toEqual(row.result)
    expect(JSON.stringify([base, row.patch])).toBe(before)
  })
})

describe('JSON patches give what Go gives', () => {
  test.each((recorded.jsonPatches as unknown as Row[]).map((row) => ({ text: JSON.stringify(row.patch), row })))('$text', ({ row }) => {
    const before = JSON.stringify(base)
    const patched = applyJsonPatch(base, row.patch as JsonPatchOperation[])
    expect(patched.error).toBe(row.error)
    expect(patched.value).toEqual(row.result)
    expect(JSON.stringify(base)).toBe(before)
  })
})

const container = fc.record({
  name: fc.constantFrom('a', 'b', 'c'),
  image: fc.constantFrom('x', 'y'),
  args: fc.array(fc.constantFrom('1', '2'), { maxLength: 2 }),
})
const deployment = fc.record({
  metadata: fc.record({
    name: fc.constant('web'),
    labels: fc.dictionary(fc.constantFrom('p', 'q', '__proto__'), fc.constantFrom('1', '2')),
  }),
  spec: fc.record({
    replicas: fc.integer({ min: 0, max: 3 }),
    template: fc.record({ spec: fc.record({ containers: fc.uniqueArray(container, { selector: (c) => c.name, maxLength: 3 }) }) }),
  }),
})

test('a two-way patch turns the one into the other', () => {
  fc.assert(
    fc.property(deployment, deployment, (a, b) => {
      const patch = createTwoWayMergePatch(a, b, DEPLOYMENT)
      const result = strategicMergePatch(a, patch.value ?? {}, DEPLOYMENT)
      expect(deepEqual(result.value, b)).toBe(true)
    }),
  )
})

test('a three-way patch keeps what others added and deletes what was dropped', () => {
  const original = { metadata: { labels: { a: '1', b: '2' } } }
  const modified = { metadata: { labels: { a: '3' } } }
  const current = { metadata: { labels: { a: '1', b: '2', other: 'x' } } }
  const patch = createThreeWayMergePatch(original, modified, current, DEPLOYMENT).value
  expect(patch).toEqual({ metadata: { labels: { a: '3', b: null } } })
})

test('a merge patch turns the one into the other', () => {
  fc.assert(
    fc.property(deployment, deployment, (a, b) => {
      expect(deepEqual(jsonMergePatch(a, createJsonMergePatch(a, b)), b)).toBe(true)
    }),
  )
  expect(jsonMergePatch({ a: 1, b: { c: 1 } }, { a: null, b: { d: null, e: { f: null, g: 1 } } })).toEqual({ b: { c: 1, e: { g: 1 } } })
})

test('bodies that are no patches are refused', () => {
  expect(decodeJsonPatch('[{"op":').error).toBe('error decoding patch: unexpected end of JSON input')
  expect(decodeJsonPatch('{}').error).toBe(
    'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
  )
  expect(decodeJsonPatch('[{"op":"add","foo":1}]').value?.strictErrors).toEqual(['json patch unknown field "[0].foo"'])
  expect(decodeMergePatch('[]').error).toBe(
    'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
  )
  expect(decodeMergePatch('{"a":1,"a":2}').value?.strictErrors).toEqual(['duplicate field "a"'])
})

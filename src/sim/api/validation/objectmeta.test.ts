import { expect, test } from 'vitest'
import { aggregateText, fieldErrorText, statusCause } from '../field-error-text.ts'
import { invalid, notSupported, required, tooMany } from '../field.ts'
import type { ObjectMeta } from '../types/kubernetes.gen.ts'
import { nameIsDNSSubdomain } from './names.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from './objectmeta.ts'

const texts = (meta: ObjectMeta, namespaced = true): string[] =>
  validateObjectMeta(meta, namespaced, nameIsDNSSubdomain).map(fieldErrorText)

test('metadata is checked in the order of upstream', () => {
  expect(texts({})).toEqual(['metadata.name: Required value: name or generateName is required', 'metadata.namespace: Required value'])
  expect(texts({ name: 'a', namespace: 'b' }, false)).toEqual(['metadata.namespace: Forbidden: not allowed on this type'])
  expect(texts({ name: 'a', namespace: 'b', labels: { '': 'x' } })[0]).toBe(
    'metadata.labels: Invalid value: "": name part must be non-empty',
  )
  expect(texts({ name: 'a', namespace: 'b', finalizers: ['orphan', 'foregroundDeletion'] })).toEqual([
    'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
  ])
})

test('owners must be named completely, and only one controls', () => {
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u', controller: true }
  expect(texts({ name: 'a', namespace: 'b', ownerReferences: [{ ...owner, uid: '' }] })).toEqual([
    'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
  ])
  expect(texts({ name: 'a', namespace: 'b', ownerReferences: [owner, { ...owner, name: 'q' }] })[0]).toContain(
    'Only one reference can have Controller set to true. Found "true" in references for Pod/p and Pod/q',
  )
})

test('an update may not change what identifies an object', () => {
  const old: ObjectMeta = {
    name: 'a',
    namespace: 'b',
    uid: '1',
    resourceVersion: '5',
    deletionTimestamp: '2026-01-01T00:00:00Z',
    finalizers: ['x/y'],
  }
  const errors = validateObjectMetaUpdate({ ...old, uid: '2', resourceVersion: '', finalizers: ['x/y', 'x/z'] }, old).map(fieldErrorText)
  expect(errors).toEqual([
    'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"x/z"}',
    'metadata.resourceVersion: Invalid value: "": must be specified for an update',
    'metadata.uid: Invalid value: "2": field is immutable',
  ])
})

test('errors quote values as Go does, and say equal ones once', () => {
  expect(fieldErrorText(invalid('a', { b: [1, 'x'], a: '<' }, 'no'))).toBe('a: Invalid value: {"a":"\\u003c","b":[1,"x"]}: no')
  expect(fieldErrorText(notSupported('a', 'b', ['C', 'D']))).toBe('a: Unsupported value: "b": supported values: "C", "D"')
  expect(fieldErrorText(tooMany('a', 5, 2))).toBe('a: Too many: 5: must have at most 2 items')
  expect(fieldErrorText(invalid('a', undefined, 'no'))).toBe('a: Invalid value: null: no')
  expect(aggregateText([required('a'), required('a'), required('b')])).toBe('[a: Required value, b: Required value]')
  expect(aggregateText([required('a'), required('a')])).toBe('a: Required value')
  expect(statusCause(required('a', 'why'))).toEqual({ reason: 'FieldValueRequired', message: 'Required value: why', field: 'a' })
})

import { expect, test } from 'vitest'
import { required } from './field.ts'
import { podTemplateHash } from './hash.ts'
import { isControlledBy, keyOf, newControllerRef, refOf, splitKey } from './meta.ts'
import { generateName, uuid } from './names.ts'
import {
  alreadyExists,
  conflict,
  failure,
  forbidden,
  genericServerResponse,
  internalError,
  invalid,
  methodNotSupported,
  notFound,
  resourceName,
} from './status.ts'

test('answers are worded as upstream words them', () => {
  const deployments = resourceName('apps', 'deployments')
  expect(notFound(deployments, 'web')).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'deployments.apps "web" not found',
    reason: 'NotFound',
    details: { name: 'web', group: 'apps', kind: 'deployments' },
    code: 404,
  })
  expect(alreadyExists(resourceName('', 'pods'), 'a').message).toBe('pods "a" already exists')
  expect(conflict(deployments, 'web').message).toMatch(
    /^Operation cannot be fulfilled on deployments\.apps "web": the object has been modified/,
  )
  expect(forbidden(resourceName('', 'pods'), '', 'no').message).toBe('pods is forbidden: no')
  expect(invalid(resourceName('apps', 'Deployment'), 'web', [required('a'), required('a')])).toMatchObject({
    message: 'Deployment.apps "web" is invalid: a: Required value',
    details: { causes: [{ field: 'a' }, { field: 'a' }] },
  })
  expect(internalError('x')).toMatchObject({ message: 'Internal error occurred: x', details: { causes: [{ message: 'x' }] }, code: 500 })
  expect(methodNotSupported(resourceName('', 'pods'), 'delete').message).toBe('delete is not supported on resources of kind "pods"')
  expect(genericServerResponse(405)).toEqual(
    failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {}),
  )
})

test('generated names use the safe alphabet and fit', () => {
  let n = 0
  const random = (): number => (n = (n + 0.137) % 1)
  expect(generateName('web-', random)).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  expect(generateName('x'.repeat(100), random)).toHaveLength(63)
  expect(uuid(random)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('equal templates have equal hashes, a collision another', () => {
  const hash = podTemplateHash({ a: 1, b: { c: 2 } })
  expect(podTemplateHash({ b: { c: 2 }, a: 1 })).toBe(hash)
  expect(podTemplateHash({ a: 1, b: { c: 3 } })).not.toBe(hash)
  expect(podTemplateHash({ a: 1, b: { c: 2 } }, 1)).not.toBe(hash)
})

test('objects and owners are named', () => {
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'r', namespace: 'n', uid: 'u' } }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'n', ownerReferences: [newControllerRef(owner)] } }
  expect(isControlledBy(pod, owner)).toBe(true)
  expect(isControlledBy(pod, { ...owner, metadata: { ...owner.metadata, uid: 'v' } })).toBe(false)
  expect(refOf(owner)).toEqual({ apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace: 'n', name: 'r', uid: 'u' })
  expect(splitKey(keyOf(pod))).toEqual({ namespace: 'n', name: 'p' })
})

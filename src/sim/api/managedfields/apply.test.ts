import { describe, expect, test } from 'vitest'
import { decodeBody, decodeObject } from '../decode.ts'
import recorded from '../golden/apply.json' with { type: 'json' }
import { decodeApplyPatch, decodeMergePatch } from '../patch/body.ts'
import { jsonMergePatch } from '../patch/json-merge.ts'
import { type ObjectSchema, schemaFor } from '../schema/index.ts'
import type { Status } from '../status.ts'
import type { ManagedFieldsEntry } from '../types/kubernetes.gen.ts'
import type { KubeObject } from '../types/object.ts'
import {
  applyManagedFields,
  type FieldManagerContext,
  fieldSetOf,
  managerOrUserAgent,
  parentToScale,
  scaleToParent,
  updateManagedFields,
} from './index.ts'

interface Step {
  method?: string
  path: string
  headers?: Record<string, string>
  body?: unknown
}
interface Expected {
  status: number
  // biome-ignore lint/suspicious/noExplicitAny: recorded JSON.
  body?: any
}

const KINDS: Readonly<Record<string, [string, string, string]>> = {
  configmaps: ['', 'v1', 'ConfigMap'],
  deployments: ['apps', 'v1', 'Deployment'],
}
const REPLICAS = ['spec', 'replicas']
type Answer = { message?: string | undefined; object?: KubeObject | undefined; status?: Status }

/** As much of an API server as these cases need: ownership, and nothing else. */
const createServer = (): ((step: Step, index: number) => Answer) => {
  const store = new Map<string, KubeObject>()
  return (step, index) => {
    const [path = '', queryText = ''] = step.path.split('?')
    const segments = path.split('/')
    const at = segments.findIndex((s) => Object.hasOwn(KINDS, s))
    const [group, version, kind] = KINDS[segments[at] ?? ''] as [string, string, string]
    const schema = schemaFor(group, version, kind) as ObjectSchema
    const query = new URLSearchParams(queryText)
    const contentType = step.headers?.['Content-Type'] ?? 'application/json'
    const manager = managerOrUserAgent(query.get('fieldManager') ?? undefined, step.headers?.['User-Agent'] ?? 'test')
    const text = typeof step.body === 'string' ? step.body : JSON.stringify(step.body ?? null)
    const reset = kind === 'Deployment' ? { resetFields: fieldSetOf([['status']]) } : {}
    const context: FieldManagerContext = { schema, gvk: { group, version, kind }, nowMs: Date.UTC(2026, 0, 1) + index * 1000, ...reset }
    const name = segments[at + 1] ?? ''
    const live = store.get(name)
    const put = (object: KubeObject): Answer => {
      const stored = { ...object, metadata: { ...object.metadata, uid: 'u' } }
      store.set(stored.metadata.name ?? '', stored)
      return { object: stored }
    }
    const decode = (): KubeObject => decodeObject(decodeBody(text, contentType).value?.value, schema).value?.object as KubeObject
    if (step.method === 'GET') return { object: live }
    if (step.method === 'POST') return put(updateManagedFields(undefined, decode(), manager, context))
    if (step.method === 'PUT') return put(updateManagedFields(live, decode(), manager, context))
    if (segments[at + 2] === 'scale' && live) {
      const scaleEntries = parentToScale(live.metadata.managedFields, REPLICAS).value ?? []
      const scale: KubeObject = {
        apiVersion: 'autoscaling/v1',
        kind: 'Scale',
        metadata: { name, uid: 'u', managedFields: scaleEntries },
        spec: { replicas: live.spec.replicas },
      }
      const next = updateManagedFields(scale, jsonMergePatch(scale, JSON.parse(text)) as KubeObject, manager, {
        schema: schemaFor('autoscaling', 'v1', 'Scale') as ObjectSchema,
        gvk: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
        subresource: 'scale',
        nowMs: context.nowMs,
      })
      const managedFields = scaleToParent(live.metadata.managedFields, next.metadata.managedFields, REPLICAS, 'apps/v1').value ?? []
      return put({ ...live, spec: { ...live.spec, replicas: next.spec.replicas }, metadata: { ...live.metadata, managedFields } })
    }
    if (contentType.startsWith('application/merge') && live) {
      const next = decodeObject(jsonMergePatch(live, decodeMergePatch(text).value?.patch), schema).value?.object as KubeObject
      return put(updateManagedFields(live, next, manager, context))
    }
    const config = decodeApplyPatch(text)
    if (config.value === undefined) return { message: config.error }
    const applied = applyManagedFields(live, config.value.patch, manager, query.get('force') === 'true', context)
    if (applied.status) return { message: applied.status.message, status: applied.status }
    if (query.get('fieldValidation') === 'Strict' && config.value.strictErrors.length > 0)
      return { message: `error strict decoding YAML: ${config.value.strictErrors[0]}` }
    return query.has('dryRun') ? { object: applied.object } : put(applied.object)
  }
}

const comparable = (entries: readonly ManagedFieldsEntry[] | undefined): unknown =>
  (entries ?? []).map((e) => ({ ...e, time: e.time === undefined ? undefined : 'set' }))
/** Refusals that other parts of the API server make. */
const ELSEWHERE = /uid mismatch|has been modified|does not match the name|fieldManager: Required|not found|is invalid/

describe('server-side apply as recorded', () => {
  test.each(recorded as unknown as { name: string; steps: Step[]; expect: (Expected | null)[] }[])('$name', (recording) => {
    const server = createServer()
    recording.steps.forEach((step, i) => {
      if (!step.method) return
      const answer = server(step, i)
      const expected = recording.expect[i]?.body
      if (expected?.kind === 'Status') {
        if (ELSEWHERE.test(expected.message ?? '')) return
        expect(answer.message).toBe(expected.message)
        if (expected.details?.causes) expect(answer.status?.details?.causes).toEqual(expected.details.causes)
      } else if (expected) {
        if (expected.metadata.managedFields)
          expect(comparable(answer.object?.metadata.managedFields)).toEqual(comparable(expected.metadata.managedFields))
        expect(answer.object?.data).toEqual(expected.data)
      }
    })
  })
})

const CONFIG_MAP: FieldManagerContext = {
  schema: schemaFor('', 'v1', 'ConfigMap') as ObjectSchema,
  gvk: { group: '', version: 'v1', kind: 'ConfigMap' },
  nowMs: 0,
}

test('only ten managers that update are remembered one by one', () => {
  let object: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: {} }
  object = updateManagedFields(undefined, object, 'm0', CONFIG_MAP)
  for (let i = 0; i < 14; i++) {
    const next = { ...object, metadata: { ...object.metadata, uid: 'u' }, data: { ...object.data, [`k${i}`]: 'v' } }
    object = updateManagedFields(object, next, `m${String(i).padStart(2, '0')}`, { ...CONFIG_MAP, nowMs: i * 1000 })
  }
  const managers = object.metadata.managedFields?.map((e) => e.manager)
  expect(managers).toHaveLength(10)
  expect(managers).toContain('ancient-changes')
})

test('kubectl takes over from its own client-side apply without a conflict', () => {
  const manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', annotations: {} }, data: { a: '1' } }
  const live: KubeObject = {
    ...manifest,
    metadata: { name: 'c', uid: 'u', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': `${JSON.stringify(manifest)}\n` } },
  }
  const owned = updateManagedFields(undefined, { ...live, metadata: { ...live.metadata } }, 'kubectl-client-side-apply', CONFIG_MAP)
  const config = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: '2' } }
  expect(applyManagedFields(owned, config, 'kubectl', false, CONFIG_MAP).object?.data).toEqual({ a: '2' })
  expect(applyManagedFields(owned, config, 'other', false, CONFIG_MAP).status?.message).toBe(
    'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using v1: .data.a',
  )
})

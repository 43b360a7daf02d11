// Replays recorded cases against the strategy: decoding, admission and storage are imitated as far as pods need them.
import { aggregateText, statusCause } from '../../../../../api/field-error-text.ts'
import type { FieldError } from '../../../../../api/field.ts'
import { decodeObject } from '../../../../../api/decode.ts'
import { schemaFor } from '../../../../../api/schema/index.ts'
import type { ObjectSchema } from '../../../../../api/schema/index.ts'
import type { KubeObject } from '../../../../../api/types/object.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../../../../../api/validation/objectmeta.ts'
import { validatePathSegmentName } from '../../../../../api/validation/names.ts'
import type { RegistryView, Subresource, UpdateStrategy } from '../../strategy.ts'
import { podStrategy } from '../strategy.ts'
import { jsonPatch, mergePatch, strategicPatch } from './patch.ts'

// biome-ignore lint/suspicious/noExplicitAny: recorded data
type Any = any

export interface Case {
  name: string
  steps: Any[]
  expect: Any[]
}

export interface Outcome {
  name: string
  /** undefined: nothing in this case is ours to answer. */
  ok: boolean | undefined
  difference?: string
}

const podSchema = schemaFor('', 'v1', 'Pod') as ObjectSchema
const view: RegistryView = {
  nowMs: 0,
  get: () => undefined,
  list: () => [],
  random: () => 0,
  user: { name: 'admin', groups: [] },
} as unknown as RegistryView

const decodePod = (body: unknown): KubeObject => {
  const decoded = decodeObject(body, podSchema)
  if (decoded.value === undefined) throw new Error(`not decoded: ${decoded.error}`)
  const draft = decoded.value.object
  draft.metadata ??= {}
  draft.apiVersion ||= 'v1'
  draft.kind ||= 'Pod'
  podStrategy.defaults(draft)
  return draft
}

const tokenVolume = {
  name: 'kube-api-access-<gen>',
  projected: {
    defaultMode: 420,
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
      { configMap: { items: [{ key: 'ca.crt', path: 'ca.crt' }], name: 'kube-root-ca.crt' } },
      { downwardAPI: { items: [{ fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' }, path: 'namespace' }] } },
    ],
  },
}
const tokenMount = { mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', name: 'kube-api-access-<gen>', readOnly: true }

function addDefaultTolerations(spec: Any): void {
  for (const key of ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']) {
    const tolerated = (spec.tolerations ?? []).some(
      (t: Any) => (t.key === key || (!t.key && t.operator === 'Exists')) && (!t.effect || t.effect === 'NoExecute'),
    )
    if (!tolerated)
      spec.tolerations = [...(spec.tolerations ?? []), { effect: 'NoExecute', key, operator: 'Exists', tolerationSeconds: 300 }]
  }
}

function admitCreate(pod: Any): void {
  const spec = pod.spec
  if (!pod.metadata.annotations?.['kubernetes.io/config.mirror']) {
    if (!spec.serviceAccountName) {
      spec.serviceAccountName = 'default'
      spec.serviceAccount = 'default'
    }
    const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])]
    const missing = containers.filter((c: Any) => !(c.volumeMounts ?? []).some((m: Any) => m.mountPath === tokenMount.mountPath))
    if (spec.automountServiceAccountToken !== false && missing.length > 0) {
      for (const c of missing) c.volumeMounts = [...(c.volumeMounts ?? []), { ...tokenMount, name: 'kube-api-access-gen' }]
      spec.volumes = [...(spec.volumes ?? []), { ...structuredClone(tokenVolume), name: 'kube-api-access-gen' }]
    }
  }
  addDefaultTolerations(spec)
  spec.priority ??= { 'system-node-critical': 2000001000, 'system-cluster-critical': 2000000000 }[spec.priorityClassName as string] ?? 0
  spec.preemptionPolicy ??= 'PreemptLowerPriority'
}

interface Answer {
  status: number
  body: Any
  warnings: string[]
}

const refusal = (name: string, errs: readonly FieldError[]): Answer => ({
  status: 422,
  body: {
    apiVersion: 'v1',
    kind: 'Status',
    metadata: {},
    status: 'Failure',
    reason: 'Invalid',
    code: 422,
    message: `Pod ${JSON.stringify(name)} is invalid: ${aggregateText(errs)}`,
    details: { kind: 'Pod', ...(name && { name }), causes: errs.map(statusCause) },
  },
  warnings: [],
})

class Server {
  readonly pods = new Map<string, KubeObject>()
  private serial = 0
  private readonly ns: string

  constructor(ns: string) {
    this.ns = ns
  }

  create(body: Any): Answer {
    const pod = decodePod(body)
    pod.metadata.namespace ??= this.ns
    delete pod.metadata.managedFields
    if (pod.metadata.generateName && !pod.metadata.name) pod.metadata.name = `${pod.metadata.generateName}abcde`
    pod.metadata.uid = '<uid-1>'
    pod.metadata.creationTimestamp = '2026-01-01T00:00:00Z'
    delete pod.metadata.deletionTimestamp
    delete pod.metadata.deletionGracePeriodSeconds
    admitCreate(pod)
    podStrategy.prepareForCreate?.(pod, view)
    const name = pod.metadata.name ?? ''
    const errs = podStrategy.validate(pod, view)
    if (errs.length > 0) return refusal(name, errs)
    const warnings = podStrategy.createWarnings?.(pod, view) ?? []
    return { ...this.store(pod), status: 201, warnings }
  }

  store(pod: KubeObject): Answer {
    pod.metadata.resourceVersion = String(++this.serial)
    this.pods.set(pod.metadata.name ?? '', structuredClone(pod))
    return { status: 200, body: structuredClone(pod), warnings: [] }
  }

  remove(pod: KubeObject): Answer {
    const seconds = podStrategy.gracePeriodSeconds?.(pod, undefined) ?? 0
    if (seconds === 0 && !pod.metadata.finalizers) this.pods.delete(pod.metadata.name ?? '')
    else
      this.store({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: seconds } })
    return { status: 200, body: {}, warnings: [] }
  }

  table(accept: string): Answer | undefined {
    if (!accept.includes('as=Table')) return undefined
    const names = [...this.pods.keys()].sort()
    const rows = names.map((n) => {
      const cells: unknown[] = podStrategy.row(this.pods.get(n) as KubeObject, Date.UTC(2026, 0, 1))
      return {
        cells: cells.map((cell, i) =>
          i === 4
            ? '<age>'
            : String(cell)
                .replace(/\([^)]* ago\)/, '(<age> ago)')
                .replace('10.244.1.7', '<podIP-1>'),
        ),
        object: null,
      }
    })
    const columnDefinitions = podStrategy.columns.map((c) => ({ format: '', ...c }))
    return {
      status: 200,
      body: { apiVersion: 'meta.k8s.io/v1', kind: 'Table', metadata: { resourceVersion: '' }, columnDefinitions, rows },
      warnings: [],
    }
  }

  update(name: string, door: UpdateStrategy, next: unknown): Answer {
    const old = this.pods.get(name) as KubeObject
    const pod = decodePod(next)
    addDefaultTolerations(pod['spec'])
    ;(pod['spec'] as Any).priority ??= (old['spec'] as Any).priority
    ;(pod['spec'] as Any).preemptionPolicy ??= (old['spec'] as Any).preemptionPolicy
    pod.metadata.namespace ||= this.ns
    pod.metadata.resourceVersion ||= old.metadata.resourceVersion ?? ''
    if (old.metadata.generation !== undefined) pod.metadata.generation = old.metadata.generation
    door.prepareForUpdate?.(pod, old, view)
    pod.metadata.uid ||= old.metadata.uid ?? ''
    pod.metadata.creationTimestamp = old.metadata.creationTimestamp ?? ''
    if (old.metadata.deletionTimestamp) pod.metadata.deletionTimestamp = old.metadata.deletionTimestamp
    const errs = [
      ...validateObjectMeta(pod.metadata, true, validatePathSegmentName),
      ...validateObjectMetaUpdate(pod.metadata, old.metadata),
      ...door.validateUpdate(pod, old, view),
    ]
    if (errs.length > 0) return refusal(name, errs)
    return { ...this.store(pod), warnings: door.warnings?.(pod, old, view) ?? [] }
  }

  answer(step: Any): Answer | undefined {
    const match = /^\/api\/v1\/namespaces\/[^/]+\/pods(?:\/([^/?]+))?(?:\/([^/?]+))?$/.exec(step.path.replace(/\?.*/, ''))
    if (step.do !== 'http' || !match) return undefined
    const [, name, sub] = match
    if (step.method === 'POST' && !name) return this.create(step.body)
    if (step.method === 'GET' && !name) return this.table(step.headers?.Accept ?? '')
    const old = this.pods.get(name ?? '')
    if (!name || !old) return undefined
    if (step.method === 'GET') return { status: 200, body: structuredClone(old), warnings: [] }
    if (step.method === 'DELETE' && !sub) return this.remove(old)
    const door: UpdateStrategy | undefined = sub ? updateDoor(podStrategy.subresources?.[sub]) : podStrategy
    if (!door) return undefined
    if (step.method === 'PUT') return this.update(name, door, step.body)
    if (step.method !== 'PATCH') return undefined
    const type = step.headers?.['Content-Type']
    try {
      if (type === 'application/merge-patch+json') return this.update(name, door, mergePatch(old, step.body))
      if (type === 'application/json-patch+json') return this.update(name, door, jsonPatch(old, step.body))
      return this.update(name, door, strategicPatch(old, step.body, podSchema))
    } catch {
      return undefined
    }
  }
}

const updateDoor = (s: Subresource | undefined): UpdateStrategy | undefined => (s?.does === 'update' ? s : undefined)

const times = new Set([
  'creationTimestamp',
  'lastTransitionTime',
  'lastProbeTime',
  'startTime',
  'startedAt',
  'finishedAt',
  'deletionTimestamp',
])

/** Recorded answers hold tokens in the places of times, revisions and generated names. */
function normalise(value: Any, ns: string, key = ''): Any {
  if (typeof value === 'string') {
    if (key === 'resourceVersion') return '<rv>'
    if (times.has(key)) return '<time>'
    return value
      .replaceAll('kube-api-access-gen', 'kube-api-access-<gen>')
      .replaceAll(ns, '{{ns}}')
      .replace(/11111111-2222-3333-4444-55555555555(\d)/g, (_, n: string) => `<uid-${Number(n) + 1}>`)
      .replace(/(may not change fields other than[^\n]*)\n@@ [\s\S]*$/, '$1\n<diff>')
      .replace(/(may not change fields other than[^\n]*)\n@@ [\s\S]*/, '$1\n<diff>')
  }
  if (Array.isArray(value)) return value.map((v) => normalise(v, ns, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, normalise(v, ns, k)]))
}

function drop(value: Any, path: string): void {
  const [key = '', ...rest] = path.split('.')
  if (value === undefined || value === null) return
  if (rest.length === 0) delete value[key]
  else if (key === '*') for (const item of Object.values(value)) drop(item, rest.join('.'))
  else drop(value[key], rest.join('.'))
}

function difference(expected: Any, actual: Any, path: string): string | undefined {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
      const d = difference(expected[i], actual[i], `${path}[${i}]`)
      if (d) return d
    }
    return undefined
  }
  if (typeof expected === 'object' && expected && typeof actual === 'object' && actual) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      const d = difference(expected[key], actual[key], `${path}.${key}`)
      if (d) return d
    }
    return undefined
  }
  return expected === actual ? undefined : `${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`
}

const warningHeader = (warnings: readonly string[]): string | null =>
  warnings.length === 0 ? null : [...new Set(warnings)].map((w) => `299 - "${w.replace(/["\\]/g, '\\$&')}"`).join(', ')

/** Cases that need other objects, generated names or the decoder's own warnings. */
const elsewhere = new Set([
  'api/pod-defaults/automount-off-in-service-account',
  'api/pod-defaults/create-twice-generated',
  'api/pod-defaults/generate-name',
  'api/pod-defaults/owner-references-and-finalizers',
  'api/pod-defaults/runtime-class-overhead',
  'api/pod-accepted/capabilities-in-pod',
  'api/pod-update/owner-references-and-finalizers',
  'api/pod-update/patch-unknown-field',
  'api/pod-update/system-metadata-in-patch',
])

/** Only what validation and defaulting answer is judged: other refusals come from decoding, admission or the REST layer. */
const ours = (expected: Any): boolean =>
  expected.status === 200 || expected.status === 201 || (expected.status === 422 && expected.body?.details?.kind === 'Pod')

export function runCase(c: Case): Outcome {
  const ns = 'the-namespace'
  if (elsewhere.has(c.name)) return { name: c.name, ok: undefined }
  const server = new Server(ns)
  const saved: Record<string, string> = {}
  let judged = 0
  for (const [i, step] of c.steps.entries()) {
    const text = JSON.stringify(step)
      .replaceAll('{{ns}}', ns)
      .replace(/\{\{(\w+)\}\}/g, (all, name: string) => saved[name] ?? all)
    let answer: Answer | undefined
    try {
      answer = server.answer(JSON.parse(text))
    } catch (error) {
      if (/not decoded/.test(String(error))) continue
      return { name: c.name, ok: false, difference: `step ${i}: ${String((error as Error).stack)}` }
    }
    if (answer)
      for (const [as, path] of Object.entries(step.save ?? {}))
        saved[as] = String((path as string).split('.').reduce((v: Any, k) => v?.[k], answer?.body))
    const expected = c.expect[i]
    if (!expected) continue
    if (!answer || !ours(expected)) continue
    judged++
    const actual: Any = { body: normalise(answer.body, ns), status: answer.status }
    for (const path of step.drop ?? []) drop(actual, path)
    const want = structuredClone(expected)
    if (want.headers && 'warning' in want.headers) actual.headers = { ...want.headers, warning: warningHeader(answer.warnings) }
    else delete want.headers
    if (want.body === undefined) delete actual.body
    // Conditions of rows are the encoder's.
    for (const row of want.body?.rows ?? []) delete row.conditions
    const d = difference(want, actual, '')
    if (d) return { name: c.name, ok: false, difference: `step ${i}: ${d}` }
  }
  return judged > 0 ? { name: c.name, ok: true } : { name: c.name, ok: undefined }
}

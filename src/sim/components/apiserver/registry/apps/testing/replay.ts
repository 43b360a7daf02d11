// Replays recorded cases against the kinds of this part of the registry. What the REST machinery adds is imitated as far as these cases need it.
import { decodeObject } from '../../../../../api/decode.ts'
import { aggregateText, statusCause } from '../../../../../api/field-error-text.ts'
import type { FieldError } from '../../../../../api/field.ts'
import { schemaFor } from '../../../../../api/schema/index.ts'
import { formatTime } from '../../../../../api/time.ts'
import type { KubeObject } from '../../../../../api/types/object.ts'
import { validatePathSegmentName } from '../../../../../api/validation/names.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../../../../../api/validation/objectmeta.ts'
import { mergePatch, strategicPatch } from '../../pod/testing/patch.ts'
import type { KindStrategy, RegistryView, UpdateStrategy } from '../../strategy.ts'
import { workloadKinds } from '../../workloads.ts'

// biome-ignore lint/suspicious/noExplicitAny: recorded data
type Any = any

export interface Case {
  name: string
  steps: Any[]
  expect: Any[]
  keep?: string[]
}

export interface Outcome {
  name: string
  /** How many steps were ours to answer. */
  compared: number
  differences: string[]
}

const nowMs = Date.UTC(2026, 0, 1)
const namespace = 'c-case-1'

interface Answer {
  status: number
  body: Any
  warnings: string[]
}

interface Route {
  kind: KindStrategy
  /** Group-version in the path: the kind's own or one it is also served as. */
  version: string
  namespace: string | undefined
  name: string | undefined
  subresource: string | undefined
}

function route(path: string): Route | undefined {
  const parts = path.replace(/\?.*/, '').split('/').slice(1)
  const [group, version] = parts[0] === 'api' ? ['', parts[1]] : [parts[1], parts[2]]
  let rest = parts.slice(parts[0] === 'api' ? 2 : 3)
  let space: string | undefined
  if (rest[0] === 'namespaces' && rest.length > 2) {
    space = rest[1]
    rest = rest.slice(2)
  }
  const kind = workloadKinds.find(
    (k) => k.resource === rest[0] && k.group === group && (k.version === version || k.alsoServedAs?.some((s) => s.version === version)),
  )
  return kind && { kind, version: version ?? '', namespace: space, name: rest[1], subresource: rest[2] }
}

class Refusal extends Error {
  readonly answer: Answer
  constructor(answer: Answer) {
    super('refused')
    this.answer = answer
  }
}

class Server {
  private readonly objects = new Map<string, KubeObject>()
  private serial = 0

  constructor() {
    this.objects.set('services/default/kubernetes', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kubernetes', namespace: 'default' },
      spec: { clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [{ port: 443 }], type: 'ClusterIP' },
      status: { loadBalancer: {} },
    } as KubeObject)
  }

  private readonly random = (): number => {
    this.serial = (this.serial * 1103515245 + 12345) % 2147483648
    return this.serial / 2147483648
  }

  private view(dryRun: boolean): RegistryView {
    const list = (resource: string): KubeObject[] =>
      [...this.objects].filter(([key]) => key.startsWith(`${resource.split('.')[0]}/`)).map(([, object]) => object)
    return { nowMs, get: () => undefined, list, random: this.random, user: { name: 'kubernetes-admin', groups: [] }, dryRun }
  }

  private key = (r: Route, name = r.name): string => `${r.kind.resource}/${r.namespace ?? ''}/${name}`

  private refuse(r: Route, name: string, errors: readonly FieldError[]): never {
    const { group, kind } = r.kind
    const qualified = group === '' ? kind : `${kind}.${group}`
    const details = { ...(group && { group }), kind, ...(name && { name }), causes: errors.map(statusCause) }
    const message = `${qualified} ${JSON.stringify(name)} is invalid: ${aggregateText(errors)}`
    const body = { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', reason: 'Invalid', code: 422, message, details }
    throw new Refusal({ status: 422, body, warnings: [] })
  }

  private fail(status: number): never {
    throw new Refusal({ status, body: undefined, warnings: [] })
  }

  /** A body of the version in the path, as the storage version with its defaults. */
  private decode(r: Route, body: unknown): KubeObject {
    const schema = schemaFor(r.kind.group, r.version, r.kind.kind)
    if (schema === undefined) throw new Error(`no schema for ${r.kind.kind}`)
    if (typeof body === 'object' && body !== null && (body as Any).kind && (body as Any).kind !== r.kind.kind) this.fail(400)
    const decoded = decodeObject(body, schema)
    if (decoded.value === undefined) this.fail(400)
    let draft = decoded.value.object
    draft.apiVersion ||= r.kind.group === '' ? r.version : `${r.kind.group}/${r.version}`
    draft.kind ||= r.kind.kind
    const served = r.kind.alsoServedAs?.find((s) => s.version === r.version)
    if (served) draft = served.fromServed(draft)
    r.kind.defaults(draft)
    return draft
  }

  private encode(r: Route, object: KubeObject): KubeObject {
    const served = r.kind.alsoServedAs?.find((s) => s.version === r.version)
    return structuredClone(served ? served.toServed(object) : object)
  }

  create(r: Route, body: unknown, dryRun: boolean): Answer {
    const { kind } = r
    const draft = this.decode(r, body)
    const view = this.view(dryRun)
    if (draft.metadata.resourceVersion) this.fail(500)
    if (kind.namespaced) draft.metadata.namespace ||= r.namespace ?? ''
    draft.metadata.uid = `00000000-0000-4000-8000-${String(++this.serial).padStart(12, '0')}`
    draft.metadata.creationTimestamp = formatTime(nowMs)
    if (this.objects.has(this.key(r, draft.metadata.name))) this.fail(409)
    const failure = kind.beginCreate?.(draft, view)
    const name = draft.metadata.name ?? ''
    if (failure) {
      if ('fieldErrors' in failure) this.refuse(r, name, failure.fieldErrors)
      this.fail(500)
    }
    kind.prepareForCreate?.(draft, view)
    const errors = kind.validate(draft, view)
    if (errors.length > 0) this.refuse(r, name, errors)
    const generic = validateObjectMeta(draft.metadata, kind.namespaced, validatePathSegmentName)
    if (generic.length > 0) this.refuse(r, name, generic)
    const warnings = kind.createWarnings?.(draft, view) ?? []
    return { ...this.store(r, draft, dryRun), status: 201, warnings }
  }

  private store(r: Route, draft: KubeObject, dryRun: boolean): Answer {
    r.kind.canonicalize?.(draft)
    if (!dryRun) {
      draft.metadata.resourceVersion = String(++this.serial)
      this.objects.set(this.key(r, draft.metadata.name), structuredClone(draft))
    }
    return { status: 200, body: this.encode(r, draft), warnings: [] }
  }

  update(r: Route, body: unknown): Answer {
    const old = this.objects.get(this.key(r)) ?? this.fail(404)
    const door = r.subresource === undefined ? r.kind : (r.kind.subresources?.[r.subresource] as UpdateStrategy | undefined)
    if (door === undefined) throw new Error(`no door ${r.subresource}`)
    const draft = this.decode(r, body)
    const view = this.view(false)
    const name = r.name ?? ''
    if (draft.metadata.resourceVersion && draft.metadata.resourceVersion !== old.metadata.resourceVersion) this.fail(409)
    draft.metadata.namespace ||= r.namespace ?? ''
    if (!r.kind.namespaced) delete draft.metadata.namespace
    draft.metadata.resourceVersion ||= old.metadata.resourceVersion ?? ''
    draft.metadata.uid ||= old.metadata.uid ?? ''
    if (old.metadata.generation !== undefined) draft.metadata.generation = old.metadata.generation
    if (r.subresource === undefined) {
      const failure = r.kind.beginUpdate?.(draft, old, view)
      if (failure) {
        if ('fieldErrors' in failure) this.refuse(r, name, failure.fieldErrors)
        this.fail(500)
      }
    }
    door.prepareForUpdate?.(draft, old, view)
    draft.metadata.creationTimestamp = old.metadata.creationTimestamp ?? ''
    const errors = [
      ...validateObjectMeta(draft.metadata, r.kind.namespaced, validatePathSegmentName),
      ...validateObjectMetaUpdate(draft.metadata, old.metadata),
      ...door.validateUpdate(draft, old, view),
    ]
    if (errors.length > 0) this.refuse(r, name, errors)
    const warnings = door.warnings?.(draft, old, view) ?? []
    return { ...this.store(r, draft, false), warnings }
  }

  private table(r: Route): Answer {
    const { columns, row } = r.kind
    const objects = [...this.objects]
      .filter(([key]) => key.startsWith(`${r.kind.resource}/${r.namespace ?? ''}/`))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object)
    const body = {
      apiVersion: 'meta.k8s.io/v1',
      kind: 'Table',
      metadata: { resourceVersion: '1' },
      columnDefinitions: columns.map(({ name, type, format = '', priority }) => ({ name, type, format, priority })),
      rows: objects.map((object) => ({ cells: row(object, nowMs + 5000), object: null })),
    }
    return { status: 200, body, warnings: [] }
  }

  /** The scale door: its answers are the REST machinery's, its effect is ours. */
  private scale(r: Route, step: Any): void {
    const old = this.objects.get(this.key(r))
    const replicas = step.body?.spec?.replicas
    if (old === undefined || typeof replicas !== 'number') return
    this.update({ ...r, subresource: undefined }, { ...old, spec: { ...old.spec, replicas } })
  }

  /** undefined: not ours to answer. */
  answer(step: Any): Answer | undefined {
    const r = step.do === 'http' ? route(step.path) : undefined
    if (r === undefined || /fieldValidation=Strict/.test(step.path)) return undefined
    try {
      if (r.subresource === 'scale') {
        this.scale(r, step)
        return undefined
      }
      if (step.method === 'POST') return this.create(r, step.body, /dryRun=All/.test(step.path))
      if (step.method === 'PUT') return this.update(r, step.body)
      const old = this.objects.get(this.key(r))
      if (step.method === 'DELETE') {
        this.objects.delete(this.key(r))
        return undefined
      }
      if (step.method === 'GET' && r.name === undefined && /as=Table/.test(step.headers?.Accept ?? '')) return this.table(r)
      if (old === undefined || r.name === undefined) return undefined
      if (step.method === 'GET') return { status: 200, body: this.encode(r, old), warnings: [] }
      const served = this.encode(r, old)
      const strategic = step.headers?.['Content-Type'] === 'application/strategic-merge-patch+json'
      const schema = schemaFor(r.kind.group, r.version, r.kind.kind)
      return this.update(r, strategic ? strategicPatch(served, step.body, schema) : mergePatch(served, step.body))
    } catch (error) {
      if (error instanceof Refusal) return error.answer.body === undefined || r.subresource === 'scale' ? undefined : error.answer
      throw error
    }
  }
}

/** Recorded answers hold tokens where two servers may differ; numbering follows the order of appearance. */
function normaliser(keep: readonly string[]) {
  const numbers = new Map<string, string>()
  const counts = new Map<string, number>()
  const token = (kind: string, raw: string): string => {
    if (keep.includes(raw)) return raw
    const key = `${kind}:${raw}`
    if (!numbers.has(key)) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      numbers.set(key, `<${kind}-${counts.get(kind)}>`)
    }
    return numbers.get(key) ?? ''
  }
  const text = (s: string): string =>
    s
      .replaceAll(namespace, '{{ns}}')
      .replace(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, (m) => token('uid', m))
      .replace(/\b10\.(?:9[6-9]|10\d|11[01])\.\d{1,3}\.\d{1,3}\b/g, (m) => token('clusterIP', m))
      .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>')
  const walk = (value: Any, key: string): Any => {
    if (Array.isArray(value)) return value.map((v) => walk(v, key))
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(
        Object.keys(value)
          .sort()
          .filter((k) => value[k] !== undefined)
          .map((k) => [k, walk(value[k], k)]),
      )
    }
    if (typeof value === 'string') {
      if (key === 'resourceVersion') return '<rv>'
      if (key === 'cells') return text(value.replace(/^(?:\d+[ydhms]){1,2}$/, '<age>'))
      return text(value)
    }
    if (typeof value === 'number' && /^(nodePort|healthCheckNodePort)$/.test(key) && value >= 30000 && value <= 32767) {
      return keep.includes(String(value)) ? value : token('nodePort', String(value))
    }
    return value
  }
  return (value: Any): Any => walk(value, '')
}

/** Token numbers follow the order of appearance; what came before in a step that is not compared must not matter. */
function renumber(value: Any): Any {
  const seen = new Map<string, string>()
  const counts = new Map<string, number>()
  const out = JSON.stringify(value).replace(/<(uid|clusterIP|nodePort|gen)-\d+>/g, (m, kind: string) => {
    if (!seen.has(m)) {
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      seen.set(m, `<${kind}-${counts.get(kind)}>`)
    }
    return seen.get(m) ?? ''
  })
  return JSON.parse(out)
}

function differences(expected: Any, actual: Any, path = ''): string[] {
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return Array.from({ length: Math.max(expected.length, actual.length) }, (_, i) =>
      differences(expected[i], actual[i], `${path}[${i}]`),
    ).flat()
  }
  const plain = (v: Any): boolean => typeof v === 'object' && v !== null && !Array.isArray(v)
  if (plain(expected) && plain(actual)) {
    const keys = [...new Set([...Object.keys(expected), ...Object.keys(actual)])].sort()
    return keys.flatMap((k) => differences(expected[k], actual[k], `${path}.${k}`))
  }
  return expected === actual ? [] : [`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`]
}

export function replay(testCase: Case): Outcome {
  const server = new Server()
  const normalise = normaliser(testCase.keep ?? [])
  const outcome: Outcome = { name: testCase.name, compared: 0, differences: [] }
  for (const [i, recorded] of testCase.steps.entries()) {
    const step = JSON.parse(JSON.stringify(recorded).replaceAll('{{ns}}', namespace))
    const answer = server.answer(step)
    const expected = testCase.expect[i]
    if (answer === undefined || !expected?.body) continue
    outcome.compared++
    const actual = normalise(answer.body)
    for (const d of differences(renumber(expected.body), renumber(actual))) outcome.differences.push(`step ${i} ${step.method} ${d}`)
  }
  return outcome
}

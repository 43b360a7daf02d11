// pkg/controller/namespace: empties a namespace that is being deleted, pods first, then lets it go.
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime, parseApiTime } from '../../../client/time.ts'
import { discovered } from '../runtime/discovered.ts'
import { condition } from '../runtime/objects.ts'
import { collectionPath, type Resource, resource } from '../runtime/resources.ts'
import { call, decided, get, isConflict, isNotFound, must, SyncError, updateCall, updateStatus } from '../runtime/steps.ts'
import type { Controller, Env, Outcome, Steps } from '../runtime/types.ts'
import { deletionOrder } from './order.ts'

/** API servers that lag behind must have seen the deletion before the content goes. */
export const NAMESPACE_DELETION_GRACE_MS = 5_000
/** How long objects with finalizers are given before another look. */
export const FINALIZER_ESTIMATE_SECONDS = 15
const RETRY_MAX_MS = 60_000
/** After this long what holds a namespace no longer keeps the cluster from being quiet. */
const STUCK_MS = 120_000

const OK: Readonly<Record<string, readonly [reason: string, message: string]>> = {
  NamespaceDeletionDiscoveryFailure: ['ResourcesDiscovered', 'All resources successfully discovered'],
  NamespaceDeletionGroupVersionParsingFailure: ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
  NamespaceDeletionContentFailure: ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
  NamespaceContentRemaining: ['ContentRemoved', 'All content successfully removed'],
  NamespaceFinalizersRemaining: ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
}

interface Observed {
  readonly name: string
  readonly resources: readonly Resource[]
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
}

interface Content {
  readonly estimateSeconds: number
  readonly remaining: number
  readonly finalizers: Readonly<Record<string, number>>
  readonly error?: string
}

export const namespaceController: Controller<Observed> = {
  name: 'namespace-controller',
  controller: 'namespace-controller',
  serviceAccount: 'namespace-controller',
  workers: 10,
  subject: 'namespaces',
  qps: 400,
  burst: 3000,
  retry: { maxMs: RETRY_MAX_MS },
  informers: ['namespaces', 'customresourcedefinitions'],
  on: {
    namespaces(rt, { type, key, object }) {
      if (type !== 'DELETED' && object.metadata.deletionTimestamp) rt.addAfter(key, NAMESPACE_DELETION_GRACE_MS)
    },
  },
  observe: (key, rt) =>
    rt.get('namespaces', key) ? { name: key, resources: deletionOrder(discovered(rt).filter((r) => r.namespaced)) } : undefined,
  *reconcile({ name, resources }, env): Steps<Outcome | void> {
    const answer = yield* get('namespaces', undefined, name)
    if (isNotFound(answer)) return
    let namespace = must(answer)
    if (!namespace.metadata.deletionTimestamp) return
    if (namespace.status?.phase !== 'Terminating')
      namespace = must(yield* updateStatus('namespaces', { ...namespace, status: { ...namespace.status, phase: 'Terminating' } }))
    if ((namespace.spec?.finalizers ?? []).length === 0) return
    const estimate = yield* deleteAllContent(namespace, resources, env)
    if (estimate > 0) {
      const stuck = env.now - (parseApiTime(namespace.metadata.deletionTimestamp) ?? env.now) > STUCK_MS
      return { requeueAfterMs: (Math.floor(estimate / 2) + 1) * 1000, keepBackoff: true, periodic: stuck }
    }
    yield* finalize(namespace)
  },
}

/** Seconds after which to look again; 0: everything is gone. */
function* deleteAllContent(namespace: KubeObject, resources: readonly Resource[], env: Env): Steps<number> {
  const name = namespace.metadata.name ?? ''
  const pods = resource('pods')
  yield* decided('delete the content', { resources: resources.length })
  const first = yield* deleteContent(namespace, pods, env)
  if (first.error !== undefined || first.remaining > 0) {
    yield* writeConditions(namespace, first.error === undefined ? [] : [contentFailure([first.error], env.now)], env)
    if (first.error !== undefined) throw new SyncError(`failed to delete pods for namespace: ${name}, err: ${first.error}`)
    return first.estimateSeconds
  }
  let estimate = first.estimateSeconds
  const remaining = new Map<string, number>()
  const finalizers = new Map<string, number>()
  const errors: string[] = []
  for (const r of resources) {
    if (r.name === 'pods') continue
    const content = yield* deleteContent(namespace, r, env)
    if (content.error !== undefined) errors.push(content.error)
    estimate = Math.max(estimate, content.estimateSeconds)
    if (content.remaining > 0) remaining.set(`${r.plural}.${r.group}`, content.remaining)
    for (const [f, n] of Object.entries(content.finalizers)) finalizers.set(f, (finalizers.get(f) ?? 0) + n)
  }
  const conditions: Condition[] = []
  if (remaining.size > 0) {
    const parts = [...remaining].map(([r, n]) => `${r} has ${n} resource instances`).sort()
    conditions.push(
      newCondition('NamespaceContentRemaining', 'SomeResourcesRemain', `Some resources are remaining: ${parts.join(', ')}`, env.now),
    )
  }
  if (finalizers.size > 0) {
    const parts = [...finalizers].map(([f, n]) => `${f} in ${n} resource instances`).sort()
    conditions.push(
      newCondition(
        'NamespaceFinalizersRemaining',
        'SomeFinalizersRemain',
        `Some content in the namespace has finalizers remaining: ${parts.join(', ')}`,
        env.now,
      ),
    )
  }
  if (errors.length > 0) conditions.push(contentFailure(errors, env.now))
  yield* writeConditions(namespace, conditions, env)
  if (errors.length > 0) throw new SyncError(aggregate(errors))
  return estimate
}

const aggregate = (errors: readonly string[]): string => (errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]`)

const newCondition = (type: string, reason: string, message: string, now: number): Condition => ({
  type,
  status: 'True',
  lastTransitionTime: apiTime(now),
  reason,
  message,
})

const contentFailure = (errors: readonly string[], now: number): Condition =>
  newCondition(
    'NamespaceDeletionContentFailure',
    'ContentDeletionFailed',
    `Failed to delete all resource types, ${errors.length} remaining: ${errors.join(', ')}`,
    now,
  )

/** deleteAllContentForGroupVersionResource. */
function* deleteContent(namespace: KubeObject, r: Resource, env: Env): Steps<Content> {
  const name = namespace.metadata.name ?? ''
  const path = collectionPath(r, name)
  const failed = (error: string, estimateSeconds = 0): Content => ({ estimateSeconds, remaining: 0, finalizers: {}, error })
  let estimate = 0
  if (r.name === 'pods') {
    const listed = yield* call({ method: 'GET', path })
    if (!listed.ok) return failed(listed.message)
    estimate = graceSeconds(listed.body.items as KubeObject[])
    const deletedAt = parseApiTime(namespace.metadata.deletionTimestamp) ?? env.now
    if (env.now - deletedAt >= estimate * 1000) estimate = 0
  }
  const deleted = yield* call({
    method: 'DELETE',
    path,
    body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background' },
  })
  if (!deleted.ok && deleted.status !== 404 && deleted.status !== 405) return failed(deleted.message, estimate)
  const listed = yield* call({ method: 'GET', path })
  if (isNotFound(listed) || listed.status === 405) return { estimateSeconds: estimate, remaining: 0, finalizers: {} }
  if (!listed.ok) return failed(listed.message, estimate)
  const items = (listed.body.items ?? []) as KubeObject[]
  if (items.length === 0) return { estimateSeconds: 0, remaining: 0, finalizers: {} }
  const counts = new Map<string, number>()
  for (const item of items) for (const f of item.metadata.finalizers ?? []) counts.set(f, (counts.get(f) ?? 0) + 1)
  const content = { remaining: items.length, finalizers: Object.fromEntries(counts) }
  if (estimate !== 0) return { ...content, estimateSeconds: estimate }
  if (counts.size > 0) return { ...content, estimateSeconds: FINALIZER_ESTIMATE_SECONDS }
  const gvr = `${r.group}/${r.version}, Resource=${r.plural}`
  return { ...content, estimateSeconds: 0, error: `unexpected items still remain in namespace: ${name} for gvr: ${gvr}` }
}

/** estimateGracefulTerminationForPods: the longest grace of a pod that may still run. */
const graceSeconds = (pods: readonly KubeObject[]): number =>
  Math.max(
    0,
    ...pods
      .filter((p) => p.status?.phase !== 'Succeeded' && p.status?.phase !== 'Failed')
      .map((p) => p.spec?.terminationGracePeriodSeconds ?? 0),
  )

/** Every condition of the deletion is written, the fine ones with status False; only if one changed. */
function* writeConditions(namespace: KubeObject, found: readonly Condition[], env: Env): Steps<void> {
  let conditions: Condition[] = [...((namespace.status?.conditions ?? []) as Condition[])]
  let changed = false
  for (const [type, [reason, message]] of Object.entries(OK)) {
    const next = found.find((c) => c.type === type) ?? { type, status: 'False', lastTransitionTime: apiTime(env.now), reason, message }
    const old = condition(conditions, type)
    if (!old) conditions.push(next)
    else if (old.status !== next.status || old.reason !== next.reason || old.message !== next.message) {
      const kept = old.status === next.status ? { ...next, lastTransitionTime: old.lastTransitionTime } : next
      conditions = conditions.map((c) => (c.type === type ? kept : c))
    } else continue
    changed = true
  }
  // A conflict here is only noticed at the next look.
  if (changed) yield* updateStatus('namespaces', { ...namespace, status: { ...namespace.status, conditions } })
}

/** retryOnConflictError(finalizeNamespace). */
function* finalize(namespace: KubeObject): Steps<void> {
  let latest = namespace
  for (;;) {
    const finalizers = ((latest.spec?.finalizers ?? []) as string[]).filter((f) => f !== 'kubernetes')
    yield* decided('let the namespace go', { finalizers: finalizers.length })
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: latest.metadata, spec: { finalizers }, status: latest.status }
    const answer = yield* call({ ...updateCall('namespaces', latest, 'finalize'), body })
    if (answer.ok || isNotFound(answer)) return
    if (!isConflict(answer)) throw new SyncError(answer.message)
    const uid = latest.metadata.uid
    const fresh = yield* get('namespaces', undefined, latest.metadata.name ?? '')
    if (isNotFound(fresh)) return
    latest = must(fresh)
    if (latest.metadata.uid !== uid) throw new SyncError(`namespace uid has changed across retries`)
  }
}

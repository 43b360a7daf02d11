// pkg/controller/disruption: how many pods of a budget may go right now.
import { deepEqual } from '../../../../lib/compare.ts'
import { scaledIntOrPercent } from '../../../api/intstr.ts'
import { labelSelectorAsSelector, type Selector } from '../../../api/labels.ts'
import { formatGoLabelSelector } from './go-selector.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime, parseApiTime } from '../../../client/time.ts'
import { controllerOf, isPodReady, isPodTerminal, keyOf, podCondition } from '../runtime/objects.ts'
import { call, decided, event, isConflict, isNotFound, patchCall, SyncError, updateStatus } from '../runtime/steps.ts'
import type { Controller, Env, Outcome, Runtime, Steps } from '../runtime/types.ts'

/** An evicted pod that is not gone after this long is counted again. */
export const DELETION_TIMEOUT_MS = 120_000
/** stalePodDisruptionTimeout: a disruption that never came is taken back. */
export const STALE_DISRUPTION_MS = 120_000
const NAME = 'disruption-controller'
const STALE = `${NAME}/stale`

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly observedGeneration?: number
  readonly lastTransitionTime: string
}

interface Observed {
  readonly pdb: KubeObject
  readonly pods: readonly KubeObject[]
  /** uid of a controller → its scale; null: not found. */
  readonly scales: Readonly<Record<string, number | null>>
}

const selectorOf = (pdb: KubeObject): Selector | undefined => labelSelectorAsSelector(pdb.spec?.selector)

const budgetsOf = (rt: Runtime, pod: KubeObject): KubeObject[] =>
  rt
    .list('poddisruptionbudgets', pod.metadata.namespace)
    .filter((b) => b.spec?.selector !== undefined && selectorOf(b)?.matches(pod.metadata.labels ?? {}))

/** finders: the scale of what controls a pod. A ReplicaSet of a Deployment counts as the Deployment. */
function scaleOf(rt: Runtime, pod: KubeObject): { uid: string; scale: number | null } | undefined {
  const ref = controllerOf(pod)
  if (!ref) return undefined
  const { namespace } = pod.metadata
  const find = (informer: string, name: string, uid: string): KubeObject | undefined => {
    const o = rt.get(informer, `${namespace}/${name}`)
    return o?.metadata.uid === uid ? o : undefined
  }
  const plain: Readonly<Record<string, string>> = { ReplicationController: 'replicationcontrollers', StatefulSet: 'statefulsets' }
  const informer = plain[ref.kind]
  if (informer) return { uid: ref.uid, scale: find(informer, ref.name, ref.uid)?.spec?.replicas ?? null }
  if (ref.kind !== 'ReplicaSet') return { uid: ref.uid, scale: null }
  const rs = find('replicasets', ref.name, ref.uid)
  const parent = rs && controllerOf(rs)
  if (parent?.kind !== 'Deployment') return { uid: ref.uid, scale: rs?.spec?.replicas ?? null }
  return { uid: parent.uid, scale: find('deployments', parent.name, parent.uid)?.spec?.replicas ?? null }
}

const isStale = (pod: KubeObject): boolean =>
  !pod.metadata.deletionTimestamp && !isPodTerminal(pod) && podCondition(pod, 'DisruptionTarget')?.status === 'True'
const staleIn = (pod: KubeObject, now: number): number =>
  Math.max(0, (parseApiTime(podCondition(pod, 'DisruptionTarget')?.lastTransitionTime ?? undefined) ?? now) + STALE_DISRUPTION_MS - now)

export const disruptionController: Controller<Observed> = {
  name: NAME,
  controller: NAME,
  serviceAccount: 'disruption-controller',
  eventSource: 'controllermanager',
  workers: 1,
  subject: 'poddisruptionbudgets',
  informers: ['poddisruptionbudgets', 'pods', 'replicationcontrollers', 'replicasets', 'deployments', 'statefulsets'],
  on: {
    poddisruptionbudgets: (rt, { type, key }) => type !== 'DELETED' && rt.add(key),
    pods(rt, { type, object: pod, old }) {
      for (const p of old && !deepEqual(old.metadata.labels, pod.metadata.labels) ? [pod, old] : [pod]) {
        const [budget] = budgetsOf(rt, p)
        if (budget) rt.add(keyOf(budget))
      }
      if (type !== 'DELETED' && isStale(pod) && !(old && isStale(old)))
        rt.addAfter(keyOf(pod), staleIn(pod, rt.now), { queue: STALE, periodic: true })
    },
  },
  observe(key, rt) {
    const pdb = rt.get('poddisruptionbudgets', key)
    if (!pdb) return undefined
    const selector = selectorOf(pdb)
    const pods =
      pdb.spec?.selector === undefined || !selector
        ? []
        : rt.list('pods', pdb.metadata.namespace).filter((p) => selector.matches(p.metadata.labels ?? {}))
    const scales: Record<string, number | null> = {}
    for (const pod of pods) {
      const found = scaleOf(rt, pod)
      if (found) scales[found.uid] = found.scale
    }
    return { pdb, pods, scales }
  },
  *reconcile(observed, env): Steps<Outcome | void> {
    const { pdb, pods } = observed
    if (pods.length === 0) yield* event(pdb, 'Normal', 'NoPods', 'No matching pods found')
    let expected: ReturnType<typeof expectation>
    try {
      expected = expectation(observed)
    } catch (thrown) {
      if (!(thrown instanceof SyncError)) throw thrown
      yield* event(pdb, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${thrown.message}`)
      yield* failSafe(pdb, thrown.message, env)
      throw thrown
    }
    if (expected.unmanaged) {
      yield* event(
        pdb,
        'Warning',
        'UnmanagedPods',
        `Pods selected by this PodDisruptionBudget (selector: ${formatGoLabelSelector(pdb.spec.selector)}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
      )
    }
    const { disrupted, recheckAt, late } = stillDisrupted(pdb, pods, env.now)
    const { namespace, name } = pdb.metadata
    for (const pod of late)
      yield* event(pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${namespace}/${name} to be deleted but it wasn't`)
    const currentHealthy = pods.filter(
      (p) => !p.metadata.deletionTimestamp && !Object.hasOwn(disrupted, p.metadata.name ?? '') && isPodReady(p),
    ).length
    const surplus = currentHealthy - expected.desiredHealthy
    const disruptionsAllowed = expected.count <= 0 || surplus <= 0 ? 0 : surplus
    const status = {
      observedGeneration: pdb.metadata.generation,
      ...(Object.keys(disrupted).length > 0 ? { disruptedPods: disrupted } : {}),
      disruptionsAllowed,
      currentHealthy,
      desiredHealthy: expected.desiredHealthy,
      expectedPods: expected.count,
    }
    yield* write(pdb, status, disruptionsAllowed > 0 ? ['True', 'SufficientPods', ''] : ['False', 'InsufficientPods', ''], env)
    return recheckAt === undefined ? undefined : { requeueAfterMs: recheckAt - env.now }
  },
}

/** getExpectedPodCount. */
function expectation({ pdb, pods, scales }: Observed): { count: number; desiredHealthy: number; unmanaged: boolean } {
  const { minAvailable, maxUnavailable } = pdb.spec ?? {}
  const byScale = (): { count: number; unmanaged: boolean } => {
    const unmanaged = pods.some((p) => !controllerOf(p))
    if (Object.values(scales).includes(null)) {
      const orphan = pods.find((p) => controllerOf(p) && scales[controllerOf(p)?.uid ?? ''] === null)
      throw new SyncError(`found no controllers for pod "${orphan?.metadata.name ?? ''}"`)
    }
    return { count: Object.values(scales).reduce<number>((n, s) => n + (s ?? 0), 0), unmanaged }
  }
  if (maxUnavailable !== undefined) {
    const { count, unmanaged } = byScale()
    return { count, unmanaged, desiredHealthy: Math.max(0, count - scaledIntOrPercent(maxUnavailable, count, true)) }
  }
  if (typeof minAvailable === 'string') {
    const { count, unmanaged } = byScale()
    return { count, unmanaged, desiredHealthy: scaledIntOrPercent(minAvailable, count, true) }
  }
  return { count: pods.length, desiredHealthy: minAvailable ?? 0, unmanaged: false }
}

/** buildDisruptedPodMap: evictions granted whose pods are not deleted yet. */
function stillDisrupted(
  pdb: KubeObject,
  pods: readonly KubeObject[],
  now: number,
): { disrupted: Record<string, string>; recheckAt?: number; late: KubeObject[] } {
  const disrupted: Record<string, string> = {}
  const late: KubeObject[] = []
  let recheckAt: number | undefined
  for (const pod of pods) {
    const name = pod.metadata.name ?? ''
    const granted = pdb.status?.disruptedPods
    if (!granted || !Object.hasOwn(granted, name) || pod.metadata.deletionTimestamp) continue
    const due = (parseApiTime(granted[name]) ?? 0) + DELETION_TIMEOUT_MS
    if (due < now) {
      late.push(pod)
      continue
    }
    disrupted[name] = granted[name]
    recheckAt = Math.min(recheckAt ?? due, due)
  }
  return { disrupted, late, ...(recheckAt === undefined ? {} : { recheckAt }) }
}

function* write(pdb: KubeObject, next: object, [status, reason, message]: readonly [string, string, string], env: Env): Steps<void> {
  const { conditions = [], ...old } = (pdb.status ?? {}) as { conditions?: Condition[] }
  const current = conditions.find((c) => c.type === 'DisruptionAllowed')
  const same =
    current &&
    current.status === status &&
    current.reason === reason &&
    current.message === message &&
    current.observedGeneration === pdb.metadata.generation
  const counters = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }
  if (same && deepEqual({ ...counters, ...old }, { ...counters, ...next })) return
  const condition: Condition = {
    type: 'DisruptionAllowed',
    status,
    ...(pdb.metadata.generation === undefined ? {} : { observedGeneration: pdb.metadata.generation }),
    lastTransitionTime: current && current.status === status ? current.lastTransitionTime : apiTime(env.now),
    reason,
    message,
  }
  const list = current ? conditions.map((c) => (c === current ? condition : c)) : [...conditions, condition]
  yield* decided('set the budget', { allowed: status === 'True', reason })
  const answer = yield* updateStatus('poddisruptionbudgets', { ...pdb, status: { ...next, conditions: list } })
  if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
}

/** failSafe: when nothing is known, nothing may go. */
function* failSafe(pdb: KubeObject, message: string, env: Env): Steps<void> {
  const { conditions: _, ...old } = pdb.status ?? {}
  yield* write(pdb, { ...old, disruptionsAllowed: 0 }, ['False', 'SyncFailed', message], env)
}

export const staleDisruptions: Controller<KubeObject> = {
  name: STALE,
  controller: NAME,
  serviceAccount: 'disruption-controller',
  eventSource: 'controllermanager',
  workers: 1,
  subject: 'pods',
  informers: ['pods'],
  on: {},
  observe: (key, rt) => rt.get('pods', key),
  *reconcile(pod, env): Steps<Outcome | void> {
    if (!isStale(pod)) return
    const wait = staleIn(pod, env.now)
    if (wait > 0) return { requeueAfterMs: wait, periodic: true }
    const condition = {
      type: 'DisruptionTarget',
      status: 'False',
      lastProbeTime: null,
      lastTransitionTime: apiTime(env.now),
      reason: null,
      message: null,
    }
    const answer = yield* call(
      patchCall('pods', pod, { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition] } }, { subresource: 'status' }),
    )
    if (!answer.ok && !isNotFound(answer) && !isConflict(answer)) throw new SyncError(answer.message)
  },
}

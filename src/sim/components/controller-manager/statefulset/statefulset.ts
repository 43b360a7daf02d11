// pkg/controller/statefulset: pods with a name, an order and claims of their own.
import { deepEqual } from '../../../../lib/compare.ts'
import { labelSelectorAsSelector, nothing, type Selector } from '../../../api/labels.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { claim } from '../runtime/claim.ts'
import { orphanKey } from '../runtime/indexes.ts'
import { controllerOf, isPodReady, keyOf } from '../runtime/objects.ts'
import { nonZero } from '../runtime/numbers.ts'
import { decided, effect, isConflict, isNotFound, SyncError, updateStatus } from '../runtime/steps.ts'
import type { Controller, Env, Outcome, Runtime, Steps } from '../runtime/types.ts'
import { nextAvailability } from '../replicaset/replicaset.ts'
import {
  inRange,
  isConsistent,
  isCreated,
  isHealthy,
  isMemberOf,
  isRunningAndAvailable,
  isRunningAndReady,
  isTerminating,
  newPod,
  ordinalOf,
  revisionNameOf,
  startOrdinal,
} from './identity.ts'
import { claimsMatch, createClaims, createPod, deletePod, hasStaleClaim, repairPod, updateClaimOwners } from './pods.ts'
import { applyRevision, type Revisions, statefulSetRevisions, truncateHistory } from './revisions.ts'

interface Observed {
  readonly set: KubeObject
  readonly pods: readonly KubeObject[]
  readonly revisions: readonly KubeObject[]
}

const selectorOf = (set: KubeObject): Selector => labelSelectorAsSelector(set.spec?.selector) ?? nothing
const ownerOf = (rt: Runtime, pod: KubeObject): KubeObject | undefined => {
  const ref = controllerOf(pod)
  const set = ref?.kind === 'StatefulSet' ? rt.get('statefulsets', `${pod.metadata.namespace}/${ref.name}`) : undefined
  return set?.metadata.uid === ref?.uid ? set : undefined
}

export const statefulSetController: Controller<Observed> = {
  name: 'statefulset-controller',
  controller: 'statefulset-controller',
  serviceAccount: 'statefulset-controller',
  workers: 5,
  subject: 'statefulsets',
  informers: ['statefulsets', 'pods', 'controllerrevisions', 'persistentvolumeclaims'],
  on: {
    statefulsets: (rt, event) => rt.add(event.key),
    pods(rt, { type, object: pod, old }) {
      const set = ownerOf(rt, pod)
      const changed = type === 'MODIFIED' && controllerOf(pod)?.uid !== (old && controllerOf(old)?.uid)
      const former = changed && old ? ownerOf(rt, old) : undefined
      if (former) rt.add(keyOf(former))
      if (set) {
        rt.add(keyOf(set))
        const minReady = set.spec?.minReadySeconds ?? 0
        if (minReady > 0 && old && !isPodReady(old) && isPodReady(pod)) rt.addAfter(keyOf(set), (minReady + 1) * 1000)
        return
      }
      if (controllerOf(pod) || type === 'DELETED') return
      if (type === 'MODIFIED' && !changed && deepEqual(old?.metadata.labels, pod.metadata.labels)) return
      for (const s of rt.list('statefulsets', pod.metadata.namespace))
        if (!selectorOf(s).empty() && selectorOf(s).matches(pod.metadata.labels ?? {})) rt.add(keyOf(s))
    },
  },
  observe(key, rt) {
    const set = rt.get('statefulsets', key)
    if (!set) return undefined
    const { uid = '', namespace } = set.metadata
    const both = (informer: string): KubeObject[] => [
      ...rt.index(informer, 'controller', uid),
      ...rt.index(informer, 'controller', orphanKey(namespace)),
    ]
    return { set, pods: both('pods'), revisions: both('controllerrevisions') }
  },
  *reconcile({ set, pods: cached, revisions: allRevisions }, env): Steps<Outcome | void> {
    const selector = selectorOf(set)
    const list = yield* claim(set, allRevisions, { ownerResource: 'statefulsets', resource: 'controllerrevisions', selector })
    const pods = yield* claim(set, cached, { ownerResource: 'statefulsets', resource: 'pods', selector, filter: (p) => isMemberOf(set, p) })
    const revisions = yield* statefulSetRevisions(set, list)
    const draft: Draft = { set, revisions, pods, status: count({ set, revisions }, pods, env) }
    let error: string | undefined
    try {
      yield* updateSet(draft, env)
    } catch (thrown) {
      if (!(thrown instanceof SyncError)) throw thrown
      error = thrown.message
    }
    yield* storeStatus(draft)
    if (error !== undefined) throw new SyncError(error)
    yield* truncateHistory(set, pods, list, revisions)
    const minReady: number = set.spec?.minReadySeconds ?? 0
    if (minReady > 0 && draft.status.readyReplicas !== draft.status.availableReplicas)
      return { requeueAfterMs: nextAvailability(pods, minReady, env.now) ?? minReady * 1000 }
  },
}

interface Counts {
  replicas: number
  readyReplicas: number
  availableReplicas: number
  currentReplicas: number
  updatedReplicas: number
}

/** The counters that grow while the set is worked on: plain data that lives for one run of the generator. */
interface Draft {
  readonly set: KubeObject
  readonly revisions: Revisions
  readonly pods: readonly KubeObject[]
  status: Counts
}

/** updateStatus. */
function count({ set, revisions }: Pick<Draft, 'set' | 'revisions'>, pods: readonly KubeObject[], env: Env): Counts {
  const minReady: number = set.spec?.minReadySeconds ?? 0
  const live = pods.filter((p) => isCreated(p) && !isTerminating(p))
  return {
    replicas: pods.filter(isCreated).length,
    readyReplicas: pods.filter(isRunningAndReady).length,
    availableReplicas: pods.filter((p) => isRunningAndReady(p) && isRunningAndAvailable(p, minReady, env.now)).length,
    currentReplicas: live.filter((p) => revisionNameOf(p) === revisions.current.metadata.name).length,
    updatedReplicas: live.filter((p) => revisionNameOf(p) === revisions.update.metadata.name).length,
  }
}

/** updateStatefulSet. */
function* updateSet(draft: Draft, env: Env): Steps<void> {
  const { set, pods, revisions } = draft
  const [currentSet, updatedSet] = [applyRevision(set, revisions.current), applyRevision(set, revisions.update)]
  const start = startOrdinal(set)
  const want: number = set.spec?.replicas ?? 0
  const byOrdinal = new Map(pods.filter((p) => inRange(set, p)).map((p) => [ordinalOf(p), p]))
  const replicas = Array.from({ length: want }, (_, i) => {
    const found = byOrdinal.get(start + i)
    if (found) return found
    return needsCurrent(currentSet, start + i)
      ? newPod(currentSet, start + i, revisions.current.metadata.name ?? '')
      : newPod(updatedSet, start + i, revisions.update.metadata.name ?? '')
  })
  const condemned = pods.filter((p) => !inRange(set, p) && ordinalOf(p) >= 0).sort((a, b) => ordinalOf(b) - ordinalOf(a))
  const firstUnhealthy = replicas.find((p) => !isHealthy(p)) ?? [...condemned].reverse().find((p) => !isHealthy(p))
  if (set.metadata.deletionTimestamp) return
  const monotonic = set.spec?.podManagementPolicy !== 'Parallel'
  const minReady: number = set.spec?.minReadySeconds ?? 0

  try {
    for (const pod of replicas) {
      const stop = yield* processReplica(set, updatedSet, pod, monotonic, env)
      if (stop && monotonic) return
    }
    for (const pod of condemned) if (!(yield* claimsMatch(set, pod))) yield* updateClaimOwners(set, pod)
    for (const pod of condemned) {
      if (isTerminating(pod)) {
        if (monotonic) return
        continue
      }
      if (monotonic && pod !== firstUnhealthy && !(isRunningAndReady(pod) && isRunningAndAvailable(pod, minReady, env.now))) return
      yield* decided('delete the last pod', { pod: pod.metadata.name ?? '', replicas: want })
      const answer = yield* deletePod(set, pod)
      if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
      if (monotonic) return
    }
  } finally {
    draft.status = count(draft, [...replicas, ...condemned], env)
  }
  if (set.spec?.updateStrategy?.type === 'OnDelete') return
  const least: number = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0
  for (let i = replicas.length - 1; i >= least; i--) {
    const pod = replicas[i] as KubeObject
    if (revisionNameOf(pod) !== revisions.update.metadata.name && !isTerminating(pod)) {
      yield* decided('replace by the new revision', { pod: pod.metadata.name ?? '', revision: revisions.update.metadata.name ?? '' })
      const answer = yield* deletePod(set, pod)
      if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
      draft.status.currentReplicas--
      return
    }
    if (!isHealthy(pod) || !isRunningAndAvailable(pod, minReady, env.now)) return
  }
}

/** newVersionedStatefulSetPod: below the partition a new pod still gets the current revision. */
const needsCurrent = (set: KubeObject, ordinal: number): boolean => {
  if (set.spec?.updateStrategy?.type !== 'RollingUpdate') return false
  const partition: number | undefined = set.spec.updateStrategy.rollingUpdate?.partition
  return ordinal < startOrdinal(set) + (partition ?? set.status?.currentReplicas ?? 0)
}

/** True if, in order, nothing after this pod may be touched yet. */
function* processReplica(set: KubeObject, updatedSet: KubeObject, pod: KubeObject, monotonic: boolean, env: Env): Steps<boolean> {
  if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') {
    if (!isTerminating(pod)) {
      yield* decided('replace a finished pod', { pod: pod.metadata.name ?? '', phase: pod.status.phase })
      const answer = yield* deletePod(set, pod)
      if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
    }
    return true
  }
  if (!isCreated(pod)) {
    if (pod.metadata.uid !== undefined) return true
    if (yield* hasStaleClaim(set, pod)) return true
    yield* decided('create the next pod', { pod: pod.metadata.name ?? '' })
    yield* createPod(set, pod)
    if (monotonic) return true
    return false
  }
  if (pod.status?.phase === 'Pending') yield* createClaims(set, pod)
  if (isTerminating(pod) && monotonic) return true
  if (!isRunningAndReady(pod) && monotonic) return true
  if (monotonic && !isRunningAndAvailable(pod, set.spec?.minReadySeconds ?? 0, env.now)) return true
  if (isConsistent(set, pod) && (yield* claimsMatch(updatedSet, pod))) return false
  if (isTerminating(pod)) return false
  yield* repairPod(updatedSet, pod)
  return false
}

/** completeRollingUpdate and UpdateStatefulSetStatus. */
function* storeStatus({ set, revisions, status }: Draft): Steps<void> {
  const want: number = set.spec?.replicas ?? 0
  const done =
    set.spec?.updateStrategy?.type === 'RollingUpdate' &&
    status.updatedReplicas === want &&
    status.readyReplicas === want &&
    status.replicas === want
  const next = {
    observedGeneration: set.metadata.generation,
    replicas: status.replicas,
    ...nonZero({
      readyReplicas: status.readyReplicas,
      currentReplicas: done ? status.updatedReplicas : status.currentReplicas,
      updatedReplicas: status.updatedReplicas,
    }),
    currentRevision: (done ? revisions.update : revisions.current).metadata.name,
    updateRevision: revisions.update.metadata.name,
    collisionCount: revisions.collisionCount,
    availableReplicas: status.availableReplicas,
  }
  const old = set.status ?? {}
  const sameCount = (name: keyof Counts): boolean => (old[name] ?? 0) === ((next as Partial<Counts>)[name] ?? 0)
  const same =
    (old.observedGeneration ?? 0) >= (set.metadata.generation ?? 0) &&
    (['replicas', 'readyReplicas', 'availableReplicas', 'currentReplicas', 'updatedReplicas'] as const).every(sameCount) &&
    old.currentRevision === next.currentRevision &&
    old.updateRevision === next.updateRevision
  if (same) return
  let object = set
  for (let i = 0; i < 5; i++) {
    const answer = yield* updateStatus('statefulsets', {
      ...object,
      status: { ...(old.conditions ? { conditions: old.conditions } : {}), ...next },
    })
    if (answer.ok || isNotFound(answer)) return
    if (!isConflict(answer)) throw new SyncError(answer.message)
    object = (yield* effect((rt) => rt.get('statefulsets', keyOf(set)) ?? null)) ?? object
  }
  throw new SyncError(`could not update the status of StatefulSet ${set.metadata.name}`)
}

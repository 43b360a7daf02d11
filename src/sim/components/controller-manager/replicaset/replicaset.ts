// pkg/controller/replicaset/replica_set.go, which also serves ReplicationControllers through an adapter.
import { deepEqual } from '../../../../lib/compare.ts'
import { type Selector, selectorFromSet, labelSelectorAsSelector, nothing } from '../../../api/labels.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime, parseApiTime } from '../../../client/time.ts'
import { claim } from '../runtime/claim.ts'
import { orphanKey } from '../runtime/indexes.ts'
import {
  condition,
  controllerOf,
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminating,
  keyOf,
  podCondition,
} from '../runtime/objects.ts'
import {
  createPodCall,
  deletePodCall,
  FAILED_CREATE,
  FAILED_DELETE,
  podCreated,
  podDeleted,
  podFromTemplate,
} from '../runtime/pod-control.ts'
import {
  calls,
  decided,
  effect,
  get,
  isNamespaceTerminating,
  isNotFound,
  must,
  slowStart,
  SyncError,
  updateStatus,
} from '../runtime/steps.ts'
import type { ApiAnswer, Controller, Outcome, Runtime, Steps } from '../runtime/types.ts'
import { nonZero } from '../runtime/numbers.ts'
import { podsToDelete } from './ranking.ts'

/** BurstReplicas: at most so many creations or deletions in one sync. */
export const BURST_REPLICAS = 500
/** A status write that meets a conflict is tried once more on the fresh object. */
const STATUS_UPDATE_RETRIES = 1

interface Observed {
  readonly set: KubeObject
  /** Pods that it owns and orphans of its namespace. */
  readonly pods: readonly KubeObject[]
  /** Pods of all sets with the same owner, for ranking. */
  readonly related: readonly KubeObject[]
  readonly mayManage: boolean
}

interface Flavour {
  readonly name: string
  readonly resource: string
  readonly kind: string
  readonly serviceAccount: string
  readonly selectorOf: (set: KubeObject) => Selector
  readonly terminatingReplicas: boolean
}

function replicaManager(flavour: Flavour): Controller<Observed> {
  const { resource, kind, selectorOf } = flavour

  const owner = (rt: Runtime, pod: KubeObject): KubeObject | undefined => {
    const ref = controllerOf(pod)
    if (ref?.kind !== kind) return undefined
    const set = rt.get(resource, `${pod.metadata.namespace}/${ref.name}`)
    return set?.metadata.uid === ref.uid ? set : undefined
  }
  const addMatching = (rt: Runtime, pod: KubeObject): void => {
    for (const set of rt.list(resource, pod.metadata.namespace))
      if (!selectorOf(set).empty() && selectorOf(set).matches(pod.metadata.labels ?? {})) rt.add(keyOf(set))
  }
  const podDeletedEvent = (rt: Runtime, pod: KubeObject): void => {
    const set = owner(rt, pod)
    if (!set) return
    rt.expectations.deletionObserved(rt.context, keyOf(set), keyOf(pod))
    rt.add(keyOf(set))
  }

  return {
    name: flavour.name,
    controller: flavour.name,
    serviceAccount: flavour.serviceAccount,
    workers: 5,
    subject: resource,
    informers: [resource, 'pods'],
    on: {
      [resource](rt, event) {
        if (event.type === 'DELETED' || (event.old && event.old.metadata.uid !== event.object.metadata.uid))
          rt.expectations.forget(rt.context, event.key)
        rt.add(event.key)
      },
      pods(rt, { type, object: pod, old }) {
        if (type === 'DELETED' || (type === 'ADDED' && pod.metadata.deletionTimestamp)) {
          podDeletedEvent(rt, pod)
          return
        }
        if (type === 'ADDED') {
          const set = owner(rt, pod)
          if (set) {
            rt.expectations.creationObserved(rt.context, keyOf(set))
            rt.add(keyOf(set))
          } else if (!controllerOf(pod)) addMatching(rt, pod)
          return
        }
        if (pod.metadata.deletionTimestamp) {
          podDeletedEvent(rt, pod)
          return
        }
        const [now, before] = [controllerOf(pod), old && controllerOf(old)]
        const changed = now?.uid !== before?.uid
        if (changed && old) {
          const former = owner(rt, old)
          if (former) rt.add(keyOf(former))
        }
        if (now) {
          const set = owner(rt, pod)
          if (!set) return
          rt.add(keyOf(set))
          const minReady = set.spec?.minReadySeconds ?? 0
          if (minReady > 0 && old && !isPodReady(old) && isPodReady(pod)) rt.addAfter(keyOf(set), minReady * 1000 + 1000)
        } else if (changed || !deepEqual(old?.metadata.labels, pod.metadata.labels)) addMatching(rt, pod)
      },
    },
    observe(key, rt) {
      const set = rt.get(resource, key)
      if (!set) {
        rt.expectations.forget(rt.context, key)
        return undefined
      }
      const { uid, namespace } = set.metadata
      const pods = [...rt.index('pods', 'controller', uid ?? ''), ...rt.index('pods', 'controller', orphanKey(namespace))]
      const parent = controllerOf(set)
      const siblings = parent && resource === 'replicasets' ? rt.index('replicasets', 'controller', parent.uid) : []
      const related = siblings.flatMap((s) => rt.index('pods', 'controller', s.metadata.uid ?? ''))
      return { set, pods, related, mayManage: rt.expectationsSatisfied(key) }
    },
    *reconcile({ set, pods, related, mayManage }, env): Steps<Outcome | void> {
      const selector = selectorOf(set)
      const active = yield* claim(set, pods.filter(isPodActive), { ownerResource: resource, resource: 'pods', selector })
      const terminating = pods.filter(
        (p) => isPodTerminating(p) && controllerOf(p)?.uid === set.metadata.uid && selector.matches(p.metadata.labels ?? {}),
      )
      let error: string | undefined
      if (mayManage && set.metadata.deletionTimestamp === undefined) error = yield* manage(set, active, related, env.now)
      const status = statusOf(set, active, flavour.terminatingReplicas ? terminating.length : undefined, error, env.now)
      const updated = yield* writeStatus(resource, set, status)
      if (error !== undefined) throw new SyncError(error)
      const minReady: number = set.spec?.minReadySeconds ?? 0
      if (minReady > 0 && (updated.status?.readyReplicas ?? 0) !== (updated.status?.availableReplicas ?? 0)) {
        return { requeueAfterMs: nextAvailability(active, minReady, env.now) ?? minReady * 1000 }
      }
    },
  }
}

/** Creates or deletes pods; the error of the first that failed. */
function* manage(set: KubeObject, active: readonly KubeObject[], related: readonly KubeObject[], now: number): Steps<string | undefined> {
  const key = keyOf(set)
  const want: number = set.spec?.replicas ?? 0
  const diff = active.length - want
  if (diff === 0) return undefined
  const count = Math.min(Math.abs(diff), BURST_REPLICAS)
  yield* decided(diff < 0 ? 'create pods' : 'delete pods', { want, have: active.length, diff: -diff, count })
  let error: string | undefined
  if (diff < 0) {
    yield* effect((rt) => rt.expectations.expectCreations(rt.context, key, count))
    const request = createPodCall(podFromTemplate(set.spec.template, set))
    const answers = yield* slowStart(
      Array.from({ length: count }, () => request),
      {
        each: (answer) => podCreated(set, answer),
        // In a terminating namespace every creation fails; there is nothing to do about it.
        failed: (answer) => !answer.ok && !isNamespaceTerminating(answer),
      },
    )
    const failed = answers.filter((a) => !a.ok && !isNamespaceTerminating(a))
    const skipped = count - (answers.length - failed.length)
    if (skipped > 0) {
      yield* effect((rt) => {
        for (let i = 0; i < skipped; i++) rt.expectations.creationObserved(rt.context, key)
      })
    }
    error = failed[0]?.message
  } else {
    const victims = podsToDelete(active, related, count, now)
    yield* effect((rt) => rt.expectations.expectDeletions(rt.context, key, victims.map(keyOf)))
    const answers: ApiAnswer[] = yield* calls(victims.map(deletePodCall))
    for (const [i, answer] of answers.entries()) {
      const pod = victims[i] as KubeObject
      yield* podDeleted(set, pod, answer)
      if (answer.ok) continue
      yield* effect((rt) => rt.expectations.deletionObserved(rt.context, key, keyOf(pod)))
      if (!isNotFound(answer)) error ??= answer.message
    }
  }
  return error
}

function statusOf(
  set: KubeObject,
  active: readonly KubeObject[],
  terminating: number | undefined,
  error: string | undefined,
  now: number,
): KubeObject['status'] {
  const minReady: number = set.spec?.minReadySeconds ?? 0
  const template = selectorFromSet(set.spec?.template?.metadata?.labels)
  const conditions: { type: string; status: string; reason?: string; message?: string; lastTransitionTime?: string }[] =
    set.status?.conditions ?? []
  const failure = condition(conditions, 'ReplicaFailure')
  const diff = active.length - (set.spec?.replicas ?? 0)
  const next =
    error !== undefined && !failure
      ? [
          ...conditions,
          {
            type: 'ReplicaFailure',
            status: 'True',
            lastTransitionTime: apiTime(now),
            ...(diff === 0 ? {} : { reason: diff < 0 ? FAILED_CREATE : FAILED_DELETE }),
            message: error,
          },
        ]
      : error === undefined && failure
        ? conditions.filter((c) => c.type !== 'ReplicaFailure')
        : conditions
  return {
    replicas: active.length,
    ...nonZero({
      fullyLabeledReplicas: active.filter((p) => template.matches(p.metadata.labels ?? {})).length,
      readyReplicas: active.filter(isPodReady).length,
      availableReplicas: active.filter((p) => isPodAvailable(p, minReady, now)).length,
    }),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(next.length > 0 ? { conditions: next } : {}),
  }
}

/** updateReplicaSetStatus: only when something changed, and once more on the fresh object if it was changed meanwhile. */
function* writeStatus(resource: string, set: KubeObject, status: KubeObject['status']): Steps<KubeObject> {
  const { observedGeneration, ...old } = set.status ?? {}
  if (deepEqual({ replicas: 0, ...old }, status) && observedGeneration === set.metadata.generation) return set
  const next = { ...status, observedGeneration: set.metadata.generation }
  let object = set
  for (let i = 0; ; i++) {
    const answer = yield* updateStatus(resource, { ...object, status: next })
    if (answer.ok) return answer.body as KubeObject
    if (i >= STATUS_UPDATE_RETRIES) throw new SyncError(answer.message)
    object = must(yield* get(resource, set.metadata.namespace, set.metadata.name ?? ''))
  }
}

/** When the next ready pod will have been ready long enough. */
export function nextAvailability(pods: readonly KubeObject[], minReadySeconds: number, now: number): number | undefined {
  const waits = pods.flatMap((p) => {
    const ready = podCondition(p, 'Ready')
    const since = ready?.status === 'True' ? parseApiTime(ready.lastTransitionTime ?? undefined) : undefined
    const wait = since === undefined ? 0 : since + minReadySeconds * 1000 - now
    return wait > 0 ? [wait] : []
  })
  return waits.length > 0 ? Math.min(...waits) : undefined
}

export const replicaSetController = replicaManager({
  name: 'replicaset-controller',
  resource: 'replicasets',
  kind: 'ReplicaSet',
  serviceAccount: 'replicaset-controller',
  selectorOf: (set) => labelSelectorAsSelector(set.spec?.selector) ?? nothing,
  terminatingReplicas: true,
})

export const replicationController = replicaManager({
  name: 'replicationcontroller-controller',
  resource: 'replicationcontrollers',
  kind: 'ReplicationController',
  serviceAccount: 'replication-controller',
  selectorOf: (set) => selectorFromSet(set.spec?.selector),
  terminatingReplicas: false,
})

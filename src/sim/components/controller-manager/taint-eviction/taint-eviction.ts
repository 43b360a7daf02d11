// pkg/controller/tainteviction/taint_eviction.go: pods leave nodes with NoExecute taints that they do not tolerate, or not for ever.
import { deepEqual } from '../../../../lib/compare.ts'
import type { Taint, Toleration } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime } from '../../../client/time.ts'
import { keyOf, podCondition, splitKey } from '../runtime/objects.ts'
import { decided, effect, event, get, isNotFound, must, patch, remove, SyncError } from '../runtime/steps.ts'
import { taintsOf, tolerates } from '../runtime/taints.ts'
import type { Controller, Outcome, Runtime, Steps } from '../runtime/types.ts'

const NAME = 'taint-eviction-controller'
const DELETE = `${NAME}/delete`
const shared = { controller: NAME, serviceAccount: 'node-controller', eventSource: NAME, informers: ['nodes', 'pods'], on: {} } as const

export const REASON = 'TaintManagerEviction'
export const DISRUPTION_REASON = 'DeletionByTaintManager'
export const DISRUPTION_MESSAGE = 'Taint manager: deleting due to NoExecute taint'
/** deletePodHandler. */
const TRIES = 5

/** A pod that is to be deleted: decided when, due when. */
interface Scheduled {
  readonly createdAt: number
  readonly dueAt: number
}

const scheduled = (rt: Runtime) => rt.memory<Scheduled>('scheduled')
const noExecute = (node: KubeObject | undefined): Taint[] => (node ? taintsOf(node).filter((t) => t.effect === 'NoExecute') : [])

/** Seconds until the first toleration runs out; undefined: never; and false if a taint is not tolerated at all. */
export function tolerationSeconds(taints: readonly Taint[], tolerations: readonly Toleration[]): number | undefined | false {
  const used: Toleration[] = []
  for (const taint of taints) {
    const match = tolerations.find((t) => tolerates(t, taint))
    if (!match) return false
    used.push(match)
  }
  const limits = used.flatMap((t) => (t.tolerationSeconds === undefined ? [] : [Math.max(0, t.tolerationSeconds)]))
  return limits.length > 0 ? Math.min(...limits) : undefined
}

const cancel = (rt: Runtime, pod: KubeObject): void => {
  const key = keyOf(pod)
  if (!scheduled(rt).has(key)) return
  scheduled(rt).delete(key)
  rt.event({ object: podRef(pod), type: 'Normal', reason: REASON, message: `Cancelling deletion of Pod ${key}` })
}

const podRef = (pod: KubeObject) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: pod.metadata.namespace ?? '',
  name: pod.metadata.name ?? '',
  uid: pod.metadata.uid ?? '',
})

/** processPodOnNode. */
function plan(rt: Runtime, pod: KubeObject, taints: readonly Taint[]): void {
  const key = keyOf(pod)
  if (taints.length === 0) {
    cancel(rt, pod)
    return
  }
  const seconds = tolerationSeconds(taints, pod.spec?.tolerations ?? [])
  if (seconds === undefined) {
    cancel(rt, pod)
    return
  }
  if (seconds === false) {
    cancel(rt, pod)
    scheduled(rt).put(key, { createdAt: rt.now, dueAt: rt.now })
    rt.add(key, DELETE)
    return
  }
  const old = scheduled(rt).get(key)
  // A plan that is due earlier stays; a later one starts from where it began.
  if (old && old.createdAt + seconds * 1000 < rt.now + seconds * 1000) return
  const next = { createdAt: rt.now, dueAt: rt.now + seconds * 1000 }
  scheduled(rt).put(key, next)
  rt.decided(
    'delete when the toleration ends',
    { pod: key, tolerationSeconds: seconds, taints: taints.map((t) => t.key).join(' ') },
    podRef(pod),
  )
  rt.addAfter(key, seconds * 1000, { queue: DELETE, periodic: false })
}

export const taintEvictionController: Controller<string> = {
  ...shared,
  name: NAME,
  workers: 8,
  subject: 'nodes',
  on: {
    nodes: (rt, { type, key, object, old }) => {
      if (!deepEqual(noExecute(old), type === 'DELETED' ? [] : noExecute(object))) rt.add(key)
    },
    pods(rt, { type, key, object: pod, old }) {
      if (type === 'DELETED') {
        scheduled(rt).delete(key)
        return
      }
      if (old && deepEqual(old.spec?.tolerations, pod.spec?.tolerations) && old.spec?.nodeName === pod.spec?.nodeName) return
      const taints = noExecute(rt.get('nodes', pod.spec?.nodeName ?? ''))
      if (taints.length > 0) plan(rt, pod, taints)
    },
  },
  observe: (key) => key,
  *reconcile(name): Steps<Outcome | void> {
    yield* effect((rt) => {
      const taints = noExecute(rt.get('nodes', name))
      for (const pod of rt.index('pods', 'node', name)) plan(rt, pod, taints)
    })
  },
}

export const taintEvictor: Controller<string> = {
  ...shared,
  name: DELETE,
  workers: 8,
  subject: 'pods',
  observe: (key, rt) => (scheduled(rt).has(key) ? key : undefined),
  *reconcile(key, env): Steps<Outcome | void> {
    const due = yield* effect((rt) => scheduled(rt).get(key)?.dueAt ?? null)
    if (due === null) return
    if (due > env.now) return { requeueAfterMs: due - env.now }
    const { namespace, name } = splitKey(key)
    yield* effect((rt) => scheduled(rt).delete(key))
    yield* decided('delete the pod', { pod: key })
    yield* event({ apiVersion: 'v1', kind: 'Pod', namespace, name }, 'Normal', REASON, `Marking for deletion Pod ${key}`)
    let error = ''
    for (let i = 0; i < TRIES; i++) {
      const found = yield* get('pods', namespace, name)
      if (isNotFound(found)) return
      const pod = must(found)
      if (podCondition(pod, 'DisruptionTarget')?.status !== 'True') {
        const target = disruptionTarget(pod, DISRUPTION_REASON, DISRUPTION_MESSAGE, env.now)
        const patched = yield* patch(
          'pods',
          pod,
          { metadata: { uid: pod.metadata.uid }, status: { conditions: [target] } },
          { subresource: 'status' },
        )
        if (isNotFound(patched)) return
        if (!patched.ok) {
          error = patched.message
          continue
        }
      }
      const removed = yield* remove('pods', namespace, name)
      if (removed.ok || isNotFound(removed)) return
      error = removed.message
    }
    throw new SyncError(error)
  },
}

/** The condition that says why a pod is about to be deleted. Its observedGeneration follows that of the pod's other conditions. */
export function disruptionTarget(pod: KubeObject, reason: string, message: string, now: number): object {
  const observed =
    pod.status?.observedGeneration !== undefined ||
    ((pod.status?.conditions ?? []) as { observedGeneration?: number }[]).some((c) => c.observedGeneration !== undefined)
  return {
    type: 'DisruptionTarget',
    ...(observed && pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: apiTime(now),
    reason,
    message,
  }
}

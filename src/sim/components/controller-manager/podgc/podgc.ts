// pkg/controller/podgc/gc_controller.go: pods that nobody else will ever clean up.
import type { KubeObject } from '../../../api/types/object.ts'
import { byCreation, isPodTerminal, podCondition } from '../runtime/objects.ts'
import { call, decided, effect, get, isNotFound, patchCall, remove } from '../runtime/steps.ts'
import { taintsOf } from '../runtime/taints.ts'
import { disruptionTarget } from '../taint-eviction/taint-eviction.ts'
import type { Controller, Env, Outcome, Steps } from '../runtime/types.ts'

export const PERIOD_MS = 20_000
/** How long a node must be gone before its pods are. */
export const QUARANTINE_MS = 40_000
/** `--terminated-pod-gc-threshold`. */
export const TERMINATED_THRESHOLD = 12_500
const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service'
const REASON = 'DeletionByPodGC'
const MESSAGE = 'PodGC: node no longer exists'

interface Observed {
  readonly terminated: readonly KubeObject[]
  readonly outOfService: readonly KubeObject[]
  readonly unscheduled: readonly KubeObject[]
  /** Nodes that pods name and the cache does not have, with when that was first seen. */
  readonly missing: readonly { readonly node: string; readonly since: number; readonly pods: readonly KubeObject[] }[]
}

export const podGarbageCollector: Controller<Observed> = {
  name: 'pod-garbage-collector-controller',
  controller: 'pod-garbage-collector-controller',
  serviceAccount: 'pod-garbage-collector',
  workers: 1,
  informers: ['pods', 'nodes'],
  on: {},
  ticks: [{ everyMs: PERIOD_MS, run: (rt) => rt.add('pods') }],
  observe(_key, rt) {
    const pods = rt.list('pods')
    const finished = pods.filter(isPodTerminal)
    const surplus = finished.length - TERMINATED_THRESHOLD
    const memory = rt.memory<number>('missing')
    const byNode = new Map<string, KubeObject[]>()
    const outOfService: KubeObject[] = []
    for (const pod of pods) {
      const name: string | undefined = pod.spec?.nodeName
      if (!name) continue
      const node = rt.get('nodes', name)
      if (!node) byNode.set(name, [...(byNode.get(name) ?? []), pod])
      else if (
        pod.metadata.deletionTimestamp &&
        podCondition(node, 'Ready')?.status !== 'True' &&
        taintsOf(node).some((t) => t.key === OUT_OF_SERVICE)
      )
        outOfService.push(pod)
    }
    return {
      terminated: surplus > 0 ? finished.sort(byCreation).slice(0, surplus) : [],
      outOfService,
      unscheduled: pods.filter((p) => p.metadata.deletionTimestamp && !p.spec?.nodeName),
      missing: [...byNode].map(([node, list]) => ({ node, since: memory.get(node) ?? rt.now, pods: list })),
    }
  },
  *reconcile({ terminated, outOfService, unscheduled, missing }, env): Steps<Outcome | void> {
    for (const pod of terminated) yield* forceDelete(pod, 'too many finished pods', false, env)
    for (const pod of outOfService) yield* forceDelete(pod, 'the node is out of service', false, env)
    yield* effect((rt) => {
      const memory = rt.memory<number>('missing')
      for (const name of memory.keys()) if (!missing.some((m) => m.node === name)) memory.delete(name)
      for (const m of missing) if (!memory.has(m.node)) memory.put(m.node, m.since)
    })
    for (const { node, since, pods } of missing) {
      if (env.now - since < QUARANTINE_MS) continue
      // The cache may lag: only the API server's word counts.
      if (!isNotFound(yield* get('nodes', undefined, node))) continue
      for (const pod of pods) yield* forceDelete(pod, 'the node no longer exists', true, env)
    }
    for (const pod of unscheduled) yield* forceDelete(pod, 'deleted before it had a node', false, env)
  },
}

/** markFailedAndDeletePod. */
function* forceDelete(pod: KubeObject, why: string, orphaned: boolean, env: Env): Steps<void> {
  const { namespace, name = '', uid } = pod.metadata
  yield* decided('delete the pod by force', { pod: `${namespace}/${name}`, why })
  if (!isPodTerminal(pod)) {
    const conditions = orphaned ? { conditions: [disruptionTarget(pod, REASON, MESSAGE, env.now)] } : {}
    const answer = yield* call(
      patchCall('pods', pod, { metadata: { uid }, status: { phase: 'Failed', ...conditions } }, { subresource: 'status' }),
    )
    if (!answer.ok) return
  }
  yield* remove('pods', namespace, name, { gracePeriodSeconds: 0 })
}

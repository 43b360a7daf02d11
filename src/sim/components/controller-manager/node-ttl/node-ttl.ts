// pkg/controller/ttl/ttl_controller.go: tells kubelets how long they may keep Secrets and ConfigMaps; the larger the cluster the longer.
import type { KubeObject } from '../../../api/types/object.ts'
import { isNotFound, patch, SyncError } from '../runtime/steps.ts'
import type { Controller, Outcome, Runtime, Steps } from '../runtime/types.ts'

export const TTL_ANNOTATION = 'node.alpha.kubernetes.io/ttl'

/** Steps overlap, so that a cluster at a boundary does not flap. */
const BOUNDARIES = [
  { min: 0, max: 100, ttl: 0 },
  { min: 90, max: 500, ttl: 15 },
  { min: 450, max: 1000, ttl: 30 },
  { min: 900, max: 2000, ttl: 60 },
  { min: 1800, max: Number.POSITIVE_INFINITY, ttl: 300 },
] as const

const step = (rt: Runtime): number => {
  const table = rt.memory<number>('step')
  const nodes = rt.list('nodes').length
  let i = table.get('step') ?? 0
  while (nodes > (BOUNDARIES[i]?.max ?? 0)) i++
  while (nodes < (BOUNDARIES[i]?.min ?? 0)) i--
  table.put('step', i)
  return i
}

export const nodeTTLController: Controller<{ node: KubeObject; ttl: number }> = {
  name: 'node-ttl-controller',
  controller: 'node-ttl-controller',
  serviceAccount: 'ttl-controller',
  workers: 5,
  subject: 'nodes',
  informers: ['nodes'],
  on: { nodes: (rt, { type, key }) => type !== 'DELETED' && rt.add(key) },
  observe(key, rt) {
    const node = rt.get('nodes', key)
    return node ? { node, ttl: BOUNDARIES[step(rt)]?.ttl ?? 0 } : undefined
  },
  *reconcile({ node, ttl }): Steps<Outcome | void> {
    if (node.metadata.annotations?.[TTL_ANNOTATION] === String(ttl)) return
    const answer = yield* patch('nodes', node, { metadata: { annotations: { [TTL_ANNOTATION]: String(ttl) } } })
    if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
  },
}

// Pods that a node is kept free for (pkg/scheduler/backend/queue/nominator.go).
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import type { Context } from '../../net/context.ts'
import { type PodInfo, podInfo } from './framework/podinfo.ts'
import type { Nominator } from './framework/types.ts'
import { keyOf, queuedPod } from './queue/queue.ts'

interface Nomination {
  readonly key: string
  readonly node: string
}

const table = (ctx: Context) => ctx.table<Nomination>('nominated')
const uidOf = (pod: Pod): string => pod.metadata.uid ?? ''

export function nominate(ctx: Context, pod: Pod, node: string): void {
  if (node === '') table(ctx).delete(uidOf(pod))
  else table(ctx).put(uidOf(pod), { key: keyOf(pod), node })
}

export const unnominate = (ctx: Context, pod: Pod): void => table(ctx).delete(uidOf(pod))

/** A nomination that the API does not know yet outlives updates that know of none. */
export function updateNomination(ctx: Context, old: Pod | undefined, pod: Pod): void {
  const before = old?.status?.nominatedNodeName ?? ''
  const now = pod.status?.nominatedNodeName ?? ''
  if (before === '' && now === '' && table(ctx).has(uidOf(pod))) return
  nominate(ctx, pod, now)
}

export function nominatorOf(ctx: Context): Nominator {
  const byNode = new Map<string, PodInfo[]>()
  for (const [uid, { key, node }] of table(ctx).entries()) {
    const pod = queuedPod(ctx, key)
    if (!pod || pod.metadata.uid !== uid) continue
    const list = byNode.get(node)
    if (list) list.push(podInfo(pod))
    else byNode.set(node, [podInfo(pod)])
  }
  return byNode.size === 0 ? NOBODY : { empty: false, forNode: (node) => byNode.get(node) ?? NONE }
}

const NONE: readonly PodInfo[] = []
const NOBODY: Nominator = { empty: true, forNode: () => NONE }

// Evicting a preemptor's victims, beside the scheduling of other pods (pkg/scheduler/framework/preemption: prepareCandidateAsync). All victims but
// the last go side by side; the last follows when they are done. Until then the preemptor may not be queued.
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import { type ApiResult, apiRequest, type ClientConfig } from '../../client/request.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import type { PodInfo } from './framework/podinfo.ts'
import type { Nominator } from './framework/types.ts'
import type { Candidate } from './plugins/defaultpreemption/plugin.ts'
import { activate, keyOf, preempting } from './queue/queue.ts'
import { patchPodStatus, statusPatch } from './status-patch.ts'

interface Eviction {
  readonly preemptor: Pod
  readonly node: string
  readonly last: Pod
  /** Victims on their way; the last one counts only when it is its turn. */
  readonly open: number
  readonly atLast: boolean
  readonly failed: boolean
}

interface VictimData {
  readonly preemptor: string
  readonly victim: Pod
}

export interface EvictionHooks {
  client(ctx: Context): ClientConfig
  preempted(ctx: Context, victim: Pod, preemptor: Pod, node: string): void
  /** The queue may have changed. */
  wake(ctx: Context): void
}

export interface Evictions {
  start(ctx: Context, preemptor: PodInfo, candidate: Candidate, nominator: Nominator): void
  readonly handlers: ComponentType['handlers']
}

export function createEvictions(hooks: EvictionHooks): Evictions {
  const evictions = (ctx: Context) => ctx.table<Eviction>('evictions')

  const evict = (ctx: Context, eviction: Eviction, victim: Pod): void => {
    const data: VictimData = { preemptor: eviction.preemptor.metadata.uid ?? '', victim }
    const before = ctx.cause
    const record = ctx.record(
      'scheduler.preemption.victim',
      { pod: keyOf(eviction.preemptor), victim: keyOf(victim), node: eviction.node },
      { apiVersion: 'v1', kind: 'Pod', namespace: victim.metadata.namespace ?? '', name: victim.metadata.name ?? '' },
    )
    ctx.because(record)
    const message = `${eviction.preemptor.spec?.schedulerName ?? ''}: preempting to accommodate a higher priority pod`
    const patch = statusPatch(
      victim,
      ctx.now,
      { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler', message },
      undefined,
    )
    if (patch) patchPodStatus(ctx, hooks.client(ctx), victim, patch, { kind: 'eviction.patched', data })
    else remove(ctx, data)
    ctx.because(before)
  }

  const remove = (ctx: Context, data: VictimData): void => {
    const { namespace, name } = data.victim.metadata
    apiRequest(
      ctx,
      hooks.client(ctx),
      { method: 'DELETE', path: `/api/v1/namespaces/${namespace}/pods/${name}`, body: { kind: 'DeleteOptions', apiVersion: 'v1' } },
      { kind: 'eviction.deleted', data },
    )
  }

  const finished = (ctx: Context, data: VictimData, ok: boolean): void => {
    const eviction = evictions(ctx).get(data.preemptor)
    if (!eviction) return
    const next = { ...eviction, open: eviction.open - 1, failed: eviction.failed || !ok }
    evictions(ctx).put(data.preemptor, next)
    if (next.open > 0) return
    if (!next.atLast && !next.failed) {
      takeLast(ctx, next)
      return
    }
    evictions(ctx).delete(data.preemptor)
    preempting(ctx).delete(data.preemptor)
    // The API refused: the pod would wait for an event that never comes.
    if (next.failed) activate(ctx, keyOf(next.preemptor))
    hooks.wake(ctx)
  }

  const takeLast = (ctx: Context, eviction: Eviction): void => {
    const uid = eviction.preemptor.metadata.uid ?? ''
    const next = { ...eviction, open: 1, atLast: true }
    evictions(ctx).put(uid, next)
    preempting(ctx).put(uid, keyOf(eviction.last))
    evict(ctx, next, eviction.last)
  }

  const isGone = (result: ApiResult): boolean => result.form === 'response' && result.value.status === 404
  const isOk = (result: ApiResult): boolean => result.form === 'response' && result.value.status < 300

  return {
    start(ctx, preemptor, candidate, nominator) {
      const victims = candidate.victims.filter((v) => !v.terminating).map((v) => v.pod)
      const last = victims.at(-1)
      if (!last) return
      const uid = preemptor.uid
      const eviction: Eviction = {
        preemptor: preemptor.pod,
        node: candidate.node,
        last,
        open: victims.length - 1,
        atLast: false,
        failed: false,
      }
      evictions(ctx).put(uid, eviction)
      preempting(ctx).put(uid, '')
      // Pods of lower priority that the node was kept for look for another place at once.
      for (const other of nominator.forNode(candidate.node)) {
        if (other.priority >= preemptor.priority) continue
        const patch = statusPatch(other.pod, ctx.now, undefined, '')
        if (patch) patchPodStatus(ctx, hooks.client(ctx), other.pod, patch, { kind: 'scheduler.patched' })
      }
      if (victims.length === 1) takeLast(ctx, eviction)
      else for (const victim of victims.slice(0, -1)) evict(ctx, eviction, victim)
    },
    handlers: {
      'eviction.patched': ((ctx: Context, result: ApiResult<VictimData>) => {
        if (isOk(result)) remove(ctx, result.data)
        else finished(ctx, result.data, isGone(result))
      }) as never,
      'eviction.deleted': ((ctx: Context, result: ApiResult<VictimData>) => {
        const eviction = evictions(ctx).get(result.data.preemptor)
        if (eviction && isOk(result)) hooks.preempted(ctx, result.data.victim, eviction.preemptor, eviction.node)
        finished(ctx, result.data, isOk(result) || isGone(result))
      }) as never,
    },
  }
}

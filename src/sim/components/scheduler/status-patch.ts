// Patches of a pod's status: what strategicpatch.CreateTwoWayMergePatch makes of an old and a new status (pkg/scheduler/util PatchPodStatus).
import type { Pod, PodCondition } from '../../api/types/kubernetes.gen.ts'
import { type ClientConfig, apiRequest } from '../../client/request.ts'
import { apiTime } from '../../client/time.ts'
import type { Context } from '../../net/context.ts'
import type { Continuation } from '../../net/types.ts'

export interface ConditionChange {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

/** The patch, or undefined if nothing would change. `nominate` undefined leaves the nomination alone. */
export function statusPatch(
  pod: Pod,
  nowMs: number,
  condition: ConditionChange | undefined,
  nominate: string | undefined,
): object | undefined {
  const status: Record<string, unknown> = {}
  if (condition) {
    const conditions = pod.status?.conditions ?? []
    const old = conditions.find((c) => c.type === condition.type)
    const generation = pod.metadata.generation
    const next: Record<string, unknown> = {
      lastProbeTime: null,
      lastTransitionTime: old?.status === condition.status ? old.lastTransitionTime : apiTime(nowMs),
      ...condition,
      ...(generation ? { observedGeneration: generation } : {}),
    }
    const changed = old ? changes(old, next) : next
    if (Object.keys(changed).length > 0) {
      const types = old ? conditions.map((c) => c.type) : [...conditions.map((c) => c.type), condition.type]
      status['$setElementOrder/conditions'] = types.map((type) => ({ type }))
      status.conditions = [{ ...changed, type: condition.type }]
    }
  }
  if (nominate !== undefined && nominate !== (pod.status?.nominatedNodeName ?? ''))
    status.nominatedNodeName = nominate === '' ? null : nominate
  return Object.keys(status).length === 0 ? undefined : { status }
}

function changes(old: PodCondition, next: Record<string, unknown>): Record<string, unknown> {
  const before = old as unknown as Record<string, unknown>
  const changed: Record<string, unknown> = {}
  for (const key of Object.keys(next)) if ((next[key] ?? null) !== (before[key] ?? null)) changed[key] = next[key]
  return changed
}

export function patchPodStatus(ctx: Context, client: ClientConfig, pod: Pod, patch: object, then: Continuation): void {
  const path = `/api/v1/namespaces/${pod.metadata.namespace}/pods/${pod.metadata.name}/status`
  apiRequest(ctx, client, { method: 'PATCH', path, body: patch, contentType: 'application/strategic-merge-patch+json' }, then)
}

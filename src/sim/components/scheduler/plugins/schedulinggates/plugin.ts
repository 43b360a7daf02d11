import type { Pod } from '../../../../api/types/kubernetes.gen.ts'

export const NAME = 'SchedulingGates'

/** PreEnqueue: a pod with gates waits outside the queue. */
export function gateReason(pod: Pod): string | undefined {
  const gates = pod.spec?.schedulingGates ?? []
  return gates.length === 0 ? undefined : `waiting for scheduling gates: [${gates.map((g) => g.name).join(' ')}]`
}

import type { TraceLevel } from '../record.ts'

/** `pod` is namespace/name. Lists are bounded: `omitted` counts what a record leaves out. */
export interface SchedulerTrace {
  /** A pod came into a queue. `event` is what brought it there, in upstream's words (UnscheduledPodAdd, AssignedPodDelete, BackoffComplete …). */
  'scheduler.queue.added': { pod: string; queue: 'active' | 'backoff' | 'unschedulable'; event: string; gate?: string; backoffMs?: number }
  'scheduler.cycle.started': { pod: string; attempt: number; nodes: number }
  /** One node's first rejecting plugin. `unresolvable`: evicting pods would not help. */
  'scheduler.filter.rejected': { pod: string; node: string; plugin: string; reasons: readonly string[]; unresolvable: boolean }
  /** For many nodes instead: how many were rejected by a plugin for a reason. */
  'scheduler.filter.summary': { pod: string; feasible: number; rejected: readonly { plugin: string; reason: string; nodes: number }[] }
  /** A plugin rejected the pod before any node was looked at. */
  'scheduler.prefilter.rejected': { pod: string; plugin: string; reasons: readonly string[] }
  /** Weighted scores by node; zeros are left out. */
  'scheduler.scored': {
    pod: string
    nodes: readonly { node: string; total: number; scores: Readonly<Record<string, number>> }[]
    best: readonly string[]
    omitted: number
  }
  /** The decision: from here on the pod counts as being on the node. `ties` had the same score. */
  'scheduler.pod.assumed': { pod: string; node: string; feasible: number; evaluated: number; ties: number }
  'scheduler.volumes.binding': {
    pod: string
    node: string
    bindings: readonly { claim: string; volume: string }[]
    provisions: readonly string[]
  }
  'scheduler.bind.requested': { pod: string; node: string }
  'scheduler.pod.bound': { pod: string; node: string }
  'scheduler.bind.failed': { pod: string; node: string; error: string }
  'scheduler.pod.unschedulable': { pod: string; message: string; plugins: readonly string[] }
  'scheduler.preemption.chosen': { pod: string; node: string; victims: readonly string[]; budgetViolations: number; candidates: number }
  'scheduler.preemption.victim': { pod: string; victim: string; node: string }
}

export const schedulerLevels: Record<keyof SchedulerTrace, TraceLevel> = {
  'scheduler.queue.added': 'detail',
  'scheduler.cycle.started': 'detail',
  'scheduler.filter.rejected': 'detail',
  'scheduler.filter.summary': 'detail',
  'scheduler.prefilter.rejected': 'detail',
  'scheduler.scored': 'detail',
  'scheduler.pod.assumed': 'story',
  'scheduler.volumes.binding': 'detail',
  'scheduler.bind.requested': 'detail',
  'scheduler.pod.bound': 'detail',
  'scheduler.bind.failed': 'story',
  'scheduler.pod.unschedulable': 'story',
  'scheduler.preemption.chosen': 'story',
  'scheduler.preemption.victim': 'story',
}

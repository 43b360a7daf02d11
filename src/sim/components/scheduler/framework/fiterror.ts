// The text that explains why no node was found (pkg/scheduler/framework/types.go FitError).
import { sortStrings } from '../../../../lib/compare.ts'
import type { Snapshot } from './snapshot.ts'
import type { Status } from './status.ts'

/** Verdicts of the nodes that were looked at and rejected; `absent` is the verdict of all others. */
export interface NodeToStatus {
  readonly snapshot: Snapshot
  /** Indices in the snapshot. */
  readonly nodes: readonly number[]
  /** Side by side with `nodes`. */
  readonly statuses: readonly Status[]
  readonly absent: Status | undefined
}

export interface Diagnosis extends NodeToStatus {
  /** Set if a PreFilter plugin rejected the pod as a whole. */
  readonly preFilterMessage?: string
  readonly unschedulablePlugins: ReadonlySet<string>
}

export function statusOf(verdicts: NodeToStatus, node: string): Status | undefined {
  const index = verdicts.snapshot.index.get(node)
  const i = index === undefined ? -1 : verdicts.nodes.indexOf(index)
  return i < 0 ? verdicts.absent : verdicts.statuses[i]
}

/** How often each verdict was given. Plugins share their everyday verdicts, so these are few. */
export function countStatuses(statuses: readonly Status[]): Map<Status, number> {
  const counts = new Map<Status, number>()
  let last: Status | undefined
  let run = 0
  const flush = (): void => {
    if (last) counts.set(last, (counts.get(last) ?? 0) + run)
    run = 0
  }
  for (const status of statuses) {
    if (status !== last) {
      flush()
      last = status
    }
    run++
  }
  flush()
  return counts
}

export function fitErrorMessage(verdicts: NodeToStatus, preFilterMessage: string | undefined, postFilterMessage: string): string {
  const numAllNodes = verdicts.snapshot.size
  let text = `0/${numAllNodes} nodes are available:`
  if (preFilterMessage !== undefined && preFilterMessage !== '') text += ` ${preFilterMessage}.`
  else {
    const reasons = new Map<string, number>()
    const count = (status: Status | undefined, times: number): void => {
      for (const reason of status?.reasons ?? []) reasons.set(reason, (reasons.get(reason) ?? 0) + times)
    }
    for (const [status, times] of countStatuses(verdicts.statuses)) count(status, times)
    if (verdicts.nodes.length < numAllNodes) count(verdicts.absent, numAllNodes - verdicts.nodes.length)
    const sorted = sortStrings([...reasons].map(([reason, n]) => `${n} ${reason}`))
    if (sorted.length > 0) text += ` ${sorted.join(', ')}.`
  }
  return postFilterMessage === '' ? text : `${text} ${postFilterMessage}`
}

export const NO_NODES_MESSAGE = 'no nodes available to schedule pods'

// The text that explains why no node was found (pkg/scheduler/framework/types.go FitError).
import { sortStrings } from '../../../../lib/compare.ts'
import type { Status } from './status.ts'

/** Verdicts per node; `absent` is the verdict of nodes that are not listed. */
export interface NodeToStatus {
  readonly nodes: ReadonlyMap<string, Status>
  readonly absent: Status | undefined
}

export interface Diagnosis extends NodeToStatus {
  /** Set if a PreFilter plugin rejected the pod as a whole. */
  readonly preFilterMessage?: string
  readonly unschedulablePlugins: ReadonlySet<string>
}

export const statusOf = (statuses: NodeToStatus, node: string): Status | undefined => statuses.nodes.get(node) ?? statuses.absent

export function fitErrorMessage(numAllNodes: number, diagnosis: Pick<Diagnosis, 'nodes' | 'absent' | 'preFilterMessage'>, postFilterMessage: string): string {
  let text = `0/${numAllNodes} nodes are available:`
  if (diagnosis.preFilterMessage !== undefined && diagnosis.preFilterMessage !== '') text += ` ${diagnosis.preFilterMessage}.`
  else {
    const reasons = new Map<string, number>()
    const count = (status: Status | undefined, times: number): void => {
      for (const reason of status?.reasons ?? []) reasons.set(reason, (reasons.get(reason) ?? 0) + times)
    }
    for (const status of diagnosis.nodes.values()) count(status, 1)
    if (diagnosis.nodes.size < numAllNodes) count(diagnosis.absent, numAllNodes - diagnosis.nodes.size)
    const sorted = sortStrings([...reasons].map(([reason, n]) => `${n} ${reason}`))
    if (sorted.length > 0) text += ` ${sorted.join(', ')}.`
  }
  return postFilterMessage === '' ? text : `${text} ${postFilterMessage}`
}

export const NO_NODES_MESSAGE = 'no nodes available to schedule pods'


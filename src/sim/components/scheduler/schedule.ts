// One scheduling decision, without a cluster: a pod and a snapshot in, a node or reasons out (pkg/scheduler/schedule_one.go).
import { NO_NODES_MESSAGE, type Diagnosis } from './framework/fiterror.ts'
import type { NodeInfo } from './framework/nodeinfo.ts'
import { type ActiveFilter, runFilterPluginsWithNominatedPods, runPreFilterPlugins, runScorePlugins, type Scores } from './framework/runtime.ts'
import { getNode, nodeAt } from './framework/snapshot.ts'
import { type Status, statusMessage, unresolvable } from './framework/status.ts'
import { sortStrings } from '../../../lib/compare.ts'
import type { Cycle } from './framework/types.ts'

const MIN_FEASIBLE_NODES_TO_FIND = 100
const MIN_FEASIBLE_PERCENTAGE = 5

export interface ScheduleOptions {
  /** 0: adaptive. */
  readonly percentageOfNodesToScore?: number
  /** Where the last cycle stopped looking. */
  readonly nextStartNodeIndex: number
  /** Uniform in [0, 1): breaks ties of the best score. */
  random(): number
}

interface Common {
  readonly nextStartNodeIndex: number
  /** The pod's nominated node was tried alone first and was enough. */
  readonly onlyNominated: boolean
  readonly diagnosis: Diagnosis
}

export type ScheduleResult =
  | ({ readonly outcome: 'found'; readonly node: string; readonly feasible: readonly NodeInfo[]; readonly scores: Scores | undefined } & Common)
  | ({ readonly outcome: 'unschedulable'; readonly filters: readonly ActiveFilter[]; readonly reachedDynamicResources: boolean } & Common)
  | { readonly outcome: 'no nodes'; readonly message: string }

export function schedulePod(cycle: Cycle, options: ScheduleOptions): ScheduleResult {
  const { snapshot } = cycle
  if (snapshot.size === 0) return { outcome: 'no nodes', message: NO_NODES_MESSAGE }

  const pre = runPreFilterPlugins(cycle)
  const unschedulablePlugins = new Set(pre.pluginsWithNodes)
  if (pre.status) {
    if (pre.status.plugin !== '') unschedulablePlugins.add(pre.status.plugin)
    const diagnosis: Diagnosis = { nodes: new Map(), absent: pre.status, preFilterMessage: statusMessage(pre.status), unschedulablePlugins }
    return {
      outcome: 'unschedulable',
      filters: [],
      reachedDynamicResources: pre.reachedDynamicResources,
      nextStartNodeIndex: options.nextStartNodeIndex,
      onlyNominated: false,
      diagnosis,
    }
  }

  const statuses = new Map<string, Status>()
  const nominated = cycle.pod.pod.status?.nominatedNodeName
  const nominatedNode = nominated ? getNode(snapshot, nominated) : undefined
  if (nominatedNode) {
    const status = runFilterPluginsWithNominatedPods(pre.filters, cycle, nominatedNode)
    if (!status) {
      const diagnosis: Diagnosis = { nodes: statuses, absent: undefined, unschedulablePlugins }
      return { outcome: 'found', node: nominatedNode.name, feasible: [nominatedNode], scores: undefined, nextStartNodeIndex: options.nextStartNodeIndex, onlyNominated: true, diagnosis }
    }
    statuses.set(nominatedNode.name, status)
    unschedulablePlugins.add(status.plugin)
  }

  const found = findNodesThatPassFilters(cycle, pre.filters, pre.nodeNames, options, statuses, unschedulablePlugins)
  const absent = pre.nodeNames ? unresolvable('', `node(s) didn't satisfy plugin(s) [${sortStrings(pre.pluginsWithNodes).join(' ')}]`) : undefined
  const diagnosis: Diagnosis = { nodes: statuses, absent, unschedulablePlugins }
  const nextStartNodeIndex = (options.nextStartNodeIndex + found.length + statuses.size) % snapshot.size
  const common = { nextStartNodeIndex, onlyNominated: false, diagnosis }
  if (found.length === 0) return { outcome: 'unschedulable', filters: pre.filters, reachedDynamicResources: pre.reachedDynamicResources, ...common }
  if (found.length === 1) return { outcome: 'found', node: (found[0] as NodeInfo).name, feasible: found, scores: undefined, ...common }

  const scores = runScorePlugins(cycle, found)
  return { outcome: 'found', node: (found[selectHost(scores.totals, options.random)] as NodeInfo).name, feasible: found, scores, ...common }
}

function findNodesThatPassFilters(
  cycle: Cycle,
  filters: readonly ActiveFilter[],
  nodeNames: ReadonlySet<string> | undefined,
  options: ScheduleOptions,
  statuses: Map<string, Status>,
  unschedulablePlugins: Set<string>,
): NodeInfo[] {
  const { snapshot } = cycle
  // Upstream visits a narrowed set in no particular order; here it is the order of the snapshot.
  const named = nodeNames && [...nodeNames].map((name) => snapshot.index.get(name)).filter((i) => i !== undefined).sort((a, b) => a - b)
  const count = named ? named.length : snapshot.size
  const wanted = numFeasibleNodesToFind(count, options.percentageOfNodesToScore ?? 0)
  const feasible: NodeInfo[] = []
  for (let i = 0; i < count && feasible.length < wanted; i++) {
    const at = (options.nextStartNodeIndex + i) % count
    const node = nodeAt(snapshot, named ? (named[at] as number) : at)
    const status = runFilterPluginsWithNominatedPods(filters, cycle, node)
    if (!status) feasible.push(node)
    else {
      statuses.set(node.name, status)
      unschedulablePlugins.add(status.plugin)
    }
  }
  return feasible
}

/** How many feasible nodes are enough: all of a small cluster, a falling share of a large one. */
export function numFeasibleNodesToFind(numAllNodes: number, percentageOfNodesToScore: number): number {
  if (numAllNodes < MIN_FEASIBLE_NODES_TO_FIND) return numAllNodes
  const adaptive = Math.max(50 - Math.trunc(numAllNodes / 125), MIN_FEASIBLE_PERCENTAGE)
  const percentage = percentageOfNodesToScore === 0 ? adaptive : percentageOfNodesToScore
  return Math.max(Math.trunc((numAllNodes * percentage) / 100), MIN_FEASIBLE_NODES_TO_FIND)
}

/** The best total; among equals, each as likely as the other. */
function selectHost(totals: readonly number[], random: () => number): number {
  let best = Number.NEGATIVE_INFINITY
  let ties: number[] = []
  for (let i = 0; i < totals.length; i++) {
    const total = totals[i] as number
    if (total > best) {
      best = total
      ties = [i]
    } else if (total === best) ties.push(i)
  }
  return ties.length === 1 ? (ties[0] as number) : (ties[Math.floor(random() * ties.length)] as number)
}

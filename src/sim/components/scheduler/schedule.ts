// One scheduling decision, without a cluster: a pod and a snapshot in, a node or reasons out (pkg/scheduler/schedule_one.go).
import { sortStrings } from '../../../lib/compare.ts'
import { type Diagnosis, NO_NODES_MESSAGE } from './framework/fiterror.ts'
import { type Filters, nodeFilter, runPreFilterPlugins, runScorePlugins, type Scores } from './framework/runtime.ts'
import { nodeAt } from './framework/snapshot.ts'
import { type Status, statusMessage, unresolvable } from './framework/status.ts'
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
  readonly diagnosis: Diagnosis
}

export type ScheduleResult =
  | ({
      readonly outcome: 'found'
      readonly node: string
      readonly feasible: readonly string[]
      readonly scores: Scores | undefined
    } & Common)
  | ({ readonly outcome: 'unschedulable'; readonly filters: Filters; readonly reachedDynamicResources: boolean } & Common)
  | { readonly outcome: 'no nodes'; readonly message: string }

/** The rejected nodes of a search, in the order in which they were met. */
interface Rejected {
  readonly nodes: number[]
  readonly statuses: Status[]
  readonly plugins: Set<string>
}

export function schedulePod(cycle: Cycle, options: ScheduleOptions): ScheduleResult {
  const { snapshot } = cycle
  if (snapshot.size === 0) return { outcome: 'no nodes', message: NO_NODES_MESSAGE }

  const pre = runPreFilterPlugins(cycle)
  const rejected: Rejected = { nodes: [], statuses: [], plugins: new Set(pre.pluginsWithNodes) }
  const { nextStartNodeIndex } = options
  const { filters, reachedDynamicResources } = pre
  if (pre.status) {
    if (pre.status.plugin !== '') rejected.plugins.add(pre.status.plugin)
    const diagnosis: Diagnosis = {
      snapshot,
      nodes: [],
      statuses: [],
      absent: pre.status,
      preFilterMessage: statusMessage(pre.status),
      unschedulablePlugins: rejected.plugins,
    }
    return { outcome: 'unschedulable', filters, reachedDynamicResources, nextStartNodeIndex, diagnosis }
  }

  const filter = nodeFilter(cycle, filters)
  const nominated = cycle.pod.pod.status?.nominatedNodeName
  const nominatedIndex = nominated ? snapshot.index.get(nominated) : undefined
  if (nominatedIndex !== undefined && filter(nominatedIndex) === undefined) {
    const node = nodeAt(snapshot, nominatedIndex).name
    const diagnosis: Diagnosis = { snapshot, nodes: [], statuses: [], absent: undefined, unschedulablePlugins: rejected.plugins }
    return { outcome: 'found', node, feasible: [node], scores: undefined, nextStartNodeIndex, diagnosis }
  }

  const found = findNodesThatPassFilters(cycle, filter, pre.nodeNames, options, rejected)
  const absent = pre.nodeNames
    ? unresolvable('', `node(s) didn't satisfy plugin(s) [${sortStrings(pre.pluginsWithNodes).join(' ')}]`)
    : undefined
  const diagnosis: Diagnosis = {
    snapshot,
    nodes: rejected.nodes,
    statuses: rejected.statuses,
    absent,
    unschedulablePlugins: rejected.plugins,
  }
  const common = { nextStartNodeIndex: (nextStartNodeIndex + found.length + rejected.nodes.length) % snapshot.size, diagnosis }
  if (found.length === 0) return { outcome: 'unschedulable', filters, reachedDynamicResources, ...common }

  const feasible = found.map((i) => nodeAt(snapshot, i).name)
  if (found.length === 1) return { outcome: 'found', node: feasible[0] as string, feasible, scores: undefined, ...common }
  const scores = runScorePlugins(cycle, found)
  return { outcome: 'found', node: feasible[selectHost(scores.totals, options.random)] as string, feasible, scores, ...common }
}

/** Indices of feasible nodes, from where the last search ended, until there are enough. */
function findNodesThatPassFilters(
  cycle: Cycle,
  filter: (i: number) => Status | undefined,
  nodeNames: ReadonlySet<string> | undefined,
  options: ScheduleOptions,
  rejected: Rejected,
): number[] {
  const { snapshot } = cycle
  // Upstream visits a narrowed set in no particular order; here it is the order of the snapshot.
  const named =
    nodeNames &&
    [...nodeNames]
      .map((name) => snapshot.index.get(name))
      .filter((i) => i !== undefined)
      .sort((a, b) => a - b)
  const count = named ? named.length : snapshot.size
  const wanted = numFeasibleNodesToFind(count, options.percentageOfNodesToScore ?? 0)
  const feasible: number[] = []
  const { nodes, statuses, plugins } = rejected
  let last: Status | undefined
  let at = options.nextStartNodeIndex % Math.max(count, 1)
  for (let k = 0; k < count && feasible.length < wanted; k++) {
    const i = named ? (named[at] as number) : at
    if (++at === count) at = 0
    const status = filter(i)
    if (!status) {
      feasible.push(i)
      continue
    }
    nodes.push(i)
    statuses.push(status)
    if (status === last) continue
    last = status
    plugins.add(status.plugin)
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

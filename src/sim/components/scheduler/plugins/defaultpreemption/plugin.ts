// DefaultPreemption: whom to evict so that a pod of higher priority fits (pkg/scheduler/framework/preemption, plugins/defaultpreemption).
import type { PodDisruptionBudget } from '../../../../api/types/kubernetes.gen.ts'
import { toSelector } from '../../framework/affinity.ts'
import { type Diagnosis, fitErrorMessage, statusOf } from '../../framework/fiterror.ts'
import { type NodeInfo, withoutPod, withPod } from '../../framework/nodeinfo.ts'
import { keyIn, localKeys, type PodInfo } from '../../framework/podinfo.ts'
import { type ActiveFilter, type Filters, runFilterPluginsWithNominatedPods, updateFilters } from '../../framework/runtime.ts'
import { type Chunk, chunkOf, getNode, nodeAt, perChunk, positionOf, type Snapshot } from '../../framework/snapshot.ts'
import { type Status, unresolvable } from '../../framework/status.ts'
import type { Cycle } from '../../framework/types.ts'

const NAME = 'DefaultPreemption'
const NOT_HELPFUL = unresolvable(NAME, 'Preemption is not helpful for scheduling')
const NO_VICTIMS = unresolvable(NAME, 'No preemption victims found for incoming pod')
const MIN_CANDIDATE_NODES_PERCENTAGE = 10
const MIN_CANDIDATE_NODES_ABSOLUTE = 100

export interface Candidate {
  readonly node: string
  /** Most important first. */
  readonly victims: readonly PodInfo[]
  readonly budgetViolations: number
  readonly highestPriority: number
  readonly sumOfPriorities: number
  /** Epoch ms at which the first of the victims of the highest priority started; absent if none of them has. */
  readonly earliestStart?: number
}

export interface Preemption {
  /** Why nobody is evicted, with the plugin's prefix; empty on success. */
  readonly message: string
  /** What becomes of the pod's nomination: a node, '' (cleared), or undefined (left as it is). */
  readonly nominate: string | undefined
  readonly chosen: Candidate | undefined
  readonly candidates: readonly Candidate[]
}

/** `now` stands in for the start of pods that have not started; `random` picks where the search begins. */
export function preempt(cycle: Cycle, filters: Filters, diagnosis: Diagnosis, now: number, random: () => number): Preemption {
  const ineligible = whyNotEligible(cycle, diagnosis)
  if (ineligible !== undefined) return { message: `preemption: ${ineligible}`, nominate: undefined, chosen: undefined, candidates: [] }
  const { candidates, statuses } = findCandidates(cycle, filters, diagnosis, random, now)
  if (candidates.length === 0) {
    const message = fitErrorMessage({ snapshot: cycle.snapshot, ...statuses, absent: NOT_HELPFUL }, undefined, '')
    return { message: `preemption: ${message}`, nominate: '', chosen: undefined, candidates }
  }
  const chosen = selectCandidate(candidates, now)
  return { message: '', nominate: chosen.node, chosen, candidates }
}

/** PodEligibleToPreemptOthers. */
function whyNotEligible({ pod, snapshot }: Cycle, diagnosis: Diagnosis): string | undefined {
  if (pod.pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
  const nominated = pod.pod.status?.nominatedNodeName
  if (!nominated || statusOf(diagnosis, nominated)?.code === 'UnschedulableAndUnresolvable') return undefined
  const waits = getNode(snapshot, nominated)?.pods.some((p) => p.priority < pod.priority && isTerminatingByPreemption(p)) ?? false
  return waits ? 'not eligible due to a terminating pod on the nominated node.' : undefined
}

function isTerminatingByPreemption({ pod, terminating }: PodInfo): boolean {
  const target = pod.status?.conditions?.find((c) => c.type === 'DisruptionTarget')
  return terminating && target?.status === 'True' && target.reason === 'PreemptionByScheduler'
}

/** DryRunPreemption: enough nodes on which evictions would help, from a random one on. */
function findCandidates(
  cycle: Cycle,
  filters: Filters,
  diagnosis: Diagnosis,
  random: () => number,
  now: number,
): { candidates: Candidate[]; statuses: { nodes: number[]; statuses: Status[] } } {
  const { snapshot } = cycle
  const candidates: Candidate[] = []
  const statuses = { nodes: [] as number[], statuses: [] as Status[] }
  const potential = potentialNodes(snapshot, diagnosis)
  if (potential.length === 0) return { candidates, statuses }

  const budgets = cycle.listers.budgets()
  const judge = victimsFinder(cycle, filters, budgets, now)
  const offset = Math.floor(random() * potential.length)
  const wanted = Math.min(
    potential.length,
    Math.max(Math.trunc((potential.length * MIN_CANDIDATE_NODES_PERCENTAGE) / 100), MIN_CANDIDATE_NODES_ABSOLUTE),
  )
  let harmless = 0
  for (let k = 0; k < potential.length; k++) {
    const i = potential[(offset + k) % potential.length] as number
    const result = judge(i)
    if ('status' in result) {
      statuses.nodes.push(i)
      statuses.statuses.push(result.status)
      continue
    }
    candidates.push(result)
    if (result.budgetViolations === 0) harmless++
    if (harmless > 0 && candidates.length >= wanted) break
  }
  return { candidates, statuses }
}

/** NodesForStatusCode(Unschedulable), as indices in the snapshot. */
function potentialNodes(snapshot: Snapshot, { nodes, statuses, absent }: Diagnosis): readonly number[] {
  if (absent?.code !== 'Unschedulable' && statuses.every((s) => s.code === 'Unschedulable')) return nodes
  const potential = nodes.filter((_, i) => (statuses[i] as Status).code === 'Unschedulable')
  if (absent?.code !== 'Unschedulable') return potential
  const known = new Set(nodes)
  for (let i = 0; i < snapshot.size; i++) if (!known.has(i)) potential.push(i)
  return potential
}

type Verdict = Candidate | { readonly status: Status }

const MEMO_LIMIT = 16

/** A node outlives its chunk when a neighbour changes. */
function perNode(node: NodeInfo, key: object, evaluate: (node: NodeInfo) => Verdict): Verdict {
  node.memo ??= new Map()
  let found = node.memo.get(key) as Verdict | undefined
  if (!found) {
    if (node.memo.size >= MEMO_LIMIT) node.memo.clear()
    found = evaluate(node)
    node.memo.set(key, found)
  }
  return found
}

/** With only local filters and no budgets, what evictions would bring depends on the node and the kind of pod alone, and is shared. */
function victimsFinder(cycle: Cycle, filters: Filters, budgets: readonly PodDisruptionBudget[], now: number): (i: number) => Verdict {
  const { snapshot, nominator, pod } = cycle
  const evaluate = (node: NodeInfo): Verdict => selectVictimsOnNode(cycle, filters.all, node, budgets, now)
  if (filters.others.length > 0 || budgets.length > 0) return (i) => evaluate(nodeAt(snapshot, i))
  const key = keyIn(localKeys(pod).victims, pod.priority)
  let chunk: Chunk | undefined
  let known: (Verdict | undefined)[] = []
  return (i) => {
    const own = chunkOf(snapshot, i)
    if (own !== chunk) {
      chunk = own
      // Filled as nodes are asked for: most of them never are.
      known = perChunk(own, key, (nodes) => nodes.map((): Verdict | undefined => undefined))
    }
    const at = positionOf(i)
    const node = own.nodes[at] as NodeInfo
    if (!nominator.empty && nominator.forNode(node.name).length > 0) return evaluate(node)
    let verdict = known[at]
    if (!verdict) {
      verdict = perNode(node, key, evaluate)
      known[at] = verdict
    }
    return verdict
  }
}

/** SelectVictimsOnNode: without all pods of lower priority the pod must fit; then as many as possible are spared, the most important first. */
function selectVictimsOnNode(
  cycle: Cycle,
  filters: readonly ActiveFilter[],
  start: NodeInfo,
  budgets: readonly PodDisruptionBudget[],
  now: number,
): Candidate | { status: Status } {
  const potential = start.pods.filter((p) => p.priority < cycle.pod.priority)
  if (potential.length === 0) return { status: NO_VICTIMS }
  let state = { filters, node: start }
  const remove = (pod: PodInfo): void => {
    const node = withoutPod(state.node, pod.uid)
    state = { node, filters: updateFilters(state.filters, cycle, pod, node, -1) }
  }
  for (const pod of potential) remove(pod)
  const status = runFilterPluginsWithNominatedPods(state.filters, cycle, state.node)
  if (status) return { status }

  const order = [...potential].sort((a, b) => byImportance(a, b, now))
  const [violating, others] = splitByBudgets(order, budgets)
  const victims: PodInfo[] = []
  let budgetViolations = 0
  const spare = (pod: PodInfo): boolean => {
    const before = state
    const node = withPod(state.node, pod)
    state = { node, filters: updateFilters(state.filters, cycle, pod, node, 1) }
    if (!runFilterPluginsWithNominatedPods(state.filters, cycle, state.node)) return true
    state = before
    victims.push(pod)
    return false
  }
  for (const pod of violating) if (!spare(pod)) budgetViolations++
  for (const pod of others) spare(pod)
  if (violating.length > 0 && others.length > 0) victims.sort((a, b) => byImportance(a, b, now))
  return candidateOf(start.name, victims, budgetViolations)
}

/** MoreImportantPod: higher priority first, then whoever started earlier. */
const byImportance = (a: PodInfo, b: PodInfo, now: number): number => b.priority - a.priority || startOf(a, now) - startOf(b, now)

const startOf = ({ pod }: PodInfo, now: number): number => (pod.status?.startTime ? Date.parse(pod.status.startTime) : now)

/** filterPodsWithPDBViolation. */
function splitByBudgets(pods: readonly PodInfo[], budgets: readonly PodDisruptionBudget[]): [PodInfo[], PodInfo[]] {
  const allowed = budgets.map((b) => b.status?.disruptionsAllowed ?? 0)
  const violating: PodInfo[] = []
  const others: PodInfo[] = []
  for (const pod of pods) {
    let violates = false
    if (pod.labels && Object.keys(pod.labels).length > 0) {
      budgets.forEach((budget, i) => {
        if (budget.metadata.namespace !== pod.namespace) return
        const selector = toSelector(budget.spec?.selector)
        if (selector.empty() || !selector.matches(pod.labels)) return
        if (Object.hasOwn(budget.status?.disruptedPods ?? {}, pod.name)) return
        allowed[i] = (allowed[i] as number) - 1
        if ((allowed[i] as number) < 0) violates = true
      })
    }
    if (violates) violating.push(pod)
    else others.push(pod)
  }
  return [violating, others]
}

export function candidateOf(node: string, victims: readonly PodInfo[], budgetViolations: number): Candidate {
  const highestPriority = victims[0]?.priority ?? 0
  let sumOfPriorities = 0
  let earliestStart = Number.POSITIVE_INFINITY
  for (const { priority, pod } of victims) {
    sumOfPriorities += priority + 2 ** 31
    if (priority !== highestPriority) continue
    if (pod.status?.startTime) earliestStart = Math.min(earliestStart, Date.parse(pod.status.startTime))
  }
  // A pod that has not started counts as starting now, which is never earlier than one that has.
  const known = earliestStart !== Number.POSITIVE_INFINITY
  return { node, victims, budgetViolations, highestPriority, sumOfPriorities, ...(known ? { earliestStart } : {}) }
}

/** pickOneNodeForPreemption: each rule narrows what the one before left. */
export function selectCandidate(candidates: readonly Candidate[], now: number): Candidate {
  let best = candidates[0] as Candidate
  for (const candidate of candidates) if (isBetter(candidate, best, now)) best = candidate
  return best
}

/** Fewest violated budgets, lowest highest victim, smallest sum of priorities, fewest victims, latest start; equals keep their order. */
function isBetter(a: Candidate, b: Candidate, now: number): boolean {
  const difference =
    b.budgetViolations - a.budgetViolations ||
    b.highestPriority - a.highestPriority ||
    b.sumOfPriorities - a.sumOfPriorities ||
    b.victims.length - a.victims.length ||
    (a.earliestStart ?? now) - (b.earliestStart ?? now)
  return difference > 0
}

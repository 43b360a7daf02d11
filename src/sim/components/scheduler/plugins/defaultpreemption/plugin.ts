// DefaultPreemption: whom to evict so that a pod of higher priority fits (pkg/scheduler/framework/preemption, plugins/defaultpreemption).
import type { PodDisruptionBudget } from '../../../../api/types/kubernetes.gen.ts'
import { toSelector } from '../../framework/affinity.ts'
import { type Diagnosis, fitErrorMessage, statusOf } from '../../framework/fiterror.ts'
import { type NodeInfo, withoutPod, withPod } from '../../framework/nodeinfo.ts'
import type { PodInfo } from '../../framework/podinfo.ts'
import { type ActiveFilter, runFilterPluginsWithNominatedPods, updateFilters } from '../../framework/runtime.ts'
import { getNode, nodeAt } from '../../framework/snapshot.ts'
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
export function preempt(cycle: Cycle, filters: readonly ActiveFilter[], diagnosis: Diagnosis, now: number, random: () => number): Preemption {
  const ineligible = whyNotEligible(cycle, diagnosis)
  if (ineligible !== undefined) return { message: `preemption: ${ineligible}`, nominate: undefined, chosen: undefined, candidates: [] }
  const { candidates, statuses } = findCandidates(cycle, filters, diagnosis, random, now)
  if (candidates.length === 0) {
    const message = fitErrorMessage(cycle.snapshot.size, { nodes: statuses, absent: NOT_HELPFUL }, '')
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
function findCandidates(cycle: Cycle, filters: readonly ActiveFilter[], diagnosis: Diagnosis, random: () => number, now: number): { candidates: Candidate[]; statuses: Map<string, Status> } {
  const { snapshot } = cycle
  const potential: NodeInfo[] = []
  for (let i = 0; i < snapshot.size; i++) {
    const node = nodeAt(snapshot, i)
    if (statusOf(diagnosis, node.name)?.code === 'Unschedulable') potential.push(node)
  }
  const candidates: Candidate[] = []
  const statuses = new Map<string, Status>()
  if (potential.length === 0) return { candidates, statuses }
  const budgets = cycle.listers.budgets()
  const offset = Math.floor(random() * potential.length)
  const wanted = Math.min(potential.length, Math.max(Math.trunc((potential.length * MIN_CANDIDATE_NODES_PERCENTAGE) / 100), MIN_CANDIDATE_NODES_ABSOLUTE))
  let harmless = 0
  for (let i = 0; i < potential.length; i++) {
    const node = potential[(offset + i) % potential.length] as NodeInfo
    const result = selectVictimsOnNode(cycle, filters, node, budgets, now)
    if ('status' in result) {
      statuses.set(node.name, result.status)
      continue
    }
    candidates.push(result)
    if (result.budgetViolations === 0) harmless++
    if (harmless > 0 && candidates.length >= wanted) break
  }
  return { candidates, statuses }
}

/** SelectVictimsOnNode: without all pods of lower priority the pod must fit; then as many as possible are spared, the most important first. */
function selectVictimsOnNode(cycle: Cycle, filters: readonly ActiveFilter[], start: NodeInfo, budgets: readonly PodDisruptionBudget[], now: number): Candidate | { status: Status } {
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
  return { node: start.name, victims, budgetViolations }
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

/** pickOneNodeForPreemption: each rule narrows what the one before left. */
export function selectCandidate(candidates: readonly Candidate[], now: number): Candidate {
  const rules: ((c: Candidate) => number)[] = [
    (c) => -c.budgetViolations,
    (c) => -(c.victims[0]?.priority ?? 0),
    (c) => -c.victims.reduce((sum, v) => sum + v.priority + 2 ** 31, 0),
    (c) => -c.victims.length,
    (c) => earliestStart(c.victims, now),
  ]
  let left = candidates
  for (const rule of rules) {
    const scores = left.map(rule)
    const best = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
    left = left.filter((_, i) => scores[i] === best)
    if (left.length === 1) break
  }
  return left[0] as Candidate
}

/** GetEarliestPodStartTime: among the victims of the highest priority. */
function earliestStart(victims: readonly PodInfo[], now: number): number {
  const highest = victims[0]?.priority ?? 0
  return victims.filter((v) => v.priority === highest).reduce((min, v) => Math.min(min, startOf(v, now)), Number.POSITIVE_INFINITY)
}

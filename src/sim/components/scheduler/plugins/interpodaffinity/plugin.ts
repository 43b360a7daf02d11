// pkg/scheduler/framework/plugins/interpodaffinity: filtering.go, scoring.go.
import type { Labels } from '../../../../api/labels.ts'
import { nothing } from '../../../../api/labels.ts'
import { getOwn } from '../../../../../lib/own.ts'
import { type AffinityTerm, matchesAllTerms, termMatches } from '../../framework/affinity.ts'
import { MAX_NODE_SCORE } from '../../framework/names.ts'
import type { NodeInfo } from '../../framework/nodeinfo.ts'
import type { PodInfo } from '../../framework/podinfo.ts'
import { type RunningSum, runningSum } from '../../framework/snapshot.ts'
import { unresolvable, unschedulable } from '../../framework/status.ts'
import { type Cycle, type Listers, type Plugin, SKIP } from '../../framework/types.ts'
import { addAll, addAt, copyCounts, countAt, isEmpty, type TopologyCounts } from './counts.ts'

const NAME = 'InterPodAffinity'
const AFFINITY = unresolvable(NAME, "node(s) didn't match pod affinity rules")
const ANTI_AFFINITY = unschedulable(NAME, "node(s) didn't match pod anti-affinity rules")
const EXISTING_ANTI_AFFINITY = unschedulable(NAME, "node(s) didn't satisfy existing pods anti-affinity rules")
/** How much the required affinity of an existing pod draws a matching one. */
const HARD_POD_AFFINITY_WEIGHT = 1

interface FilterData {
  readonly affinityTerms: readonly AffinityTerm[]
  readonly antiAffinityTerms: readonly AffinityTerm[]
  readonly namespaceLabels: Labels | undefined
  /** Where existing pods' anti-affinity forbids the pod. */
  readonly existing: TopologyCounts
  readonly affinity: TopologyCounts
  readonly antiAffinity: TopologyCounts
}

export const interPodAffinity: Plugin = {
  name: NAME,
  preFilter(cycle) {
    const { pod, snapshot } = cycle
    if (snapshot.podsWithRequiredAntiAffinity === 0 && pod.requiredAffinity.length === 0 && pod.requiredAntiAffinity.length === 0)
      return SKIP
    const namespaceLabels = cycle.listers.namespaceLabels(pod.namespace)
    const affinityTerms = withNamespaces(pod.requiredAffinity, cycle.listers)
    const antiAffinityTerms = withNamespaces(pod.requiredAntiAffinity, cycle.listers)
    let existing: TopologyCounts = new Map()
    let own: Incoming = { affinity: new Map(), antiAffinity: new Map() }
    if (snapshot.podsWithRequiredAntiAffinity > 0) {
      const key = JSON.stringify(['existing anti-affinity', pod.namespace, pod.labels, namespaceLabels])
      existing = runningSum(
        snapshot,
        key,
        topologySum((c) => existingAntiAffinity(c, pod, namespaceLabels)),
      )
    }
    if (affinityTerms.length > 0 || antiAffinityTerms.length > 0) {
      const key = JSON.stringify(['incoming affinity', affinityTerms.map(termKey), antiAffinityTerms.map(termKey)])
      own = runningSum(
        snapshot,
        key,
        incomingSum((c) => incoming(c, affinityTerms, antiAffinityTerms)),
      )
    }
    if (isEmpty(existing) && affinityTerms.length === 0 && antiAffinityTerms.length === 0) return SKIP
    return { data: { affinityTerms, antiAffinityTerms, namespaceLabels, existing, ...own } satisfies FilterData }
  },
  updateWithPod(data: FilterData, cycle: Cycle, pod, node, sign): FilterData {
    const existing = copyCounts(data.existing)
    const affinity = copyCounts(data.affinity)
    const antiAffinity = copyCounts(data.antiAffinity)
    for (const term of pod.requiredAntiAffinity)
      if (termMatches(term, cycle.pod, data.namespaceLabels)) addAt(existing, node, term.topologyKey, sign)
    if (matchesAllTerms(data.affinityTerms, pod, undefined))
      for (const term of data.affinityTerms) addAt(affinity, node, term.topologyKey, sign)
    for (const term of data.antiAffinityTerms) if (termMatches(term, pod, undefined)) addAt(antiAffinity, node, term.topologyKey, sign)
    return { ...data, existing, affinity, antiAffinity }
  },
  filter(data: FilterData, { pod }: Cycle, node) {
    if (!satisfiesAffinity(data, pod, node)) return AFFINITY
    const { labels } = node.facts
    for (const term of data.antiAffinityTerms) {
      const value = getOwn(labels, term.topologyKey)
      if (value !== undefined && countAt(data.antiAffinity, term.topologyKey, value) > 0) return ANTI_AFFINITY
    }
    for (const [key, values] of data.existing) {
      const value = getOwn(labels, key)
      if (value !== undefined && (values.get(value) ?? 0) > 0) return EXISTING_ANTI_AFFINITY
    }
    return undefined
  },
  preScore(cycle): TopologyCounts | typeof SKIP {
    const { pod, snapshot } = cycle
    const own = pod.preferredAffinity.length > 0 || pod.preferredAntiAffinity.length > 0
    if (!own && snapshot.podsWithAffinity === 0) return SKIP
    const namespaceLabels = cycle.listers.namespaceLabels(pod.namespace)
    const affinity = withNamespaces(pod.preferredAffinity, cycle.listers)
    const antiAffinity = withNamespaces(pod.preferredAntiAffinity, cycle.listers)
    const key = JSON.stringify([
      'preferred affinity',
      pod.namespace,
      pod.labels,
      namespaceLabels,
      affinity.map(termKey),
      antiAffinity.map(termKey),
    ])
    const scores = runningSum(
      snapshot,
      key,
      topologySum((c) => preferences(c, pod, affinity, antiAffinity, namespaceLabels)),
    )
    return scores.size === 0 ? SKIP : scores
  },
  score(scores: TopologyCounts, _, node) {
    let sum = 0
    for (const [key, values] of scores) {
      const value = getOwn(node.facts.labels, key)
      if (value !== undefined) sum += values.get(value) ?? 0
    }
    return sum
  },
  normalize(_, scores) {
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    for (const score of scores) {
      if (score < min) min = score
      if (score > max) max = score
    }
    for (let i = 0; i < scores.length; i++)
      scores[i] = max > min ? Math.trunc(MAX_NODE_SCORE * (((scores[i] as number) - min) / (max - min))) : 0
  },
}

function satisfiesAffinity(data: FilterData, pod: PodInfo, node: NodeInfo): boolean {
  let podsExist = true
  for (const term of data.affinityTerms) {
    const value = getOwn(node.facts.labels, term.topologyKey)
    if (value === undefined) return false
    if (countAt(data.affinity, term.topologyKey, value) <= 0) podsExist = false
  }
  if (podsExist) return true
  // The first of a group of pods that want each other's company: nobody matches anywhere, but the pod matches its own terms.
  return isEmpty(data.affinity) && matchesAllTerms(data.affinityTerms, pod, undefined)
}

function existingAntiAffinity(nodes: readonly NodeInfo[], pod: PodInfo, namespaceLabels: Labels | undefined): TopologyCounts {
  const counts: TopologyCounts = new Map()
  for (const node of nodes) {
    for (const other of node.podsWithRequiredAntiAffinity)
      for (const term of other.requiredAntiAffinity) if (termMatches(term, pod, namespaceLabels)) addAt(counts, node, term.topologyKey, 1)
  }
  return counts
}

interface Incoming {
  readonly affinity: TopologyCounts
  readonly antiAffinity: TopologyCounts
}

const topologySum = (count: (nodes: readonly NodeInfo[]) => TopologyCounts): RunningSum<TopologyCounts, TopologyCounts> => ({
  count,
  empty: () => new Map(),
  add: addAll,
})

const incomingSum = (count: (nodes: readonly NodeInfo[]) => Incoming): RunningSum<Incoming, Incoming> => ({
  count,
  empty: () => ({ affinity: new Map(), antiAffinity: new Map() }),
  add(total, part, sign) {
    addAll(total.affinity, part.affinity, sign)
    addAll(total.antiAffinity, part.antiAffinity, sign)
  },
})

function incoming(
  nodes: readonly NodeInfo[],
  affinityTerms: readonly AffinityTerm[],
  antiAffinityTerms: readonly AffinityTerm[],
): Incoming {
  const affinity: TopologyCounts = new Map()
  const antiAffinity: TopologyCounts = new Map()
  for (const node of nodes) {
    for (const other of node.pods) {
      if (matchesAllTerms(affinityTerms, other, undefined)) for (const term of affinityTerms) addAt(affinity, node, term.topologyKey, 1)
      for (const term of antiAffinityTerms) if (termMatches(term, other, undefined)) addAt(antiAffinity, node, term.topologyKey, 1)
    }
  }
  return { affinity, antiAffinity }
}

/** processExistingPod over a chunk: preferences of the pod, and of existing pods towards it. */
function preferences(
  nodes: readonly NodeInfo[],
  pod: PodInfo,
  affinity: readonly AffinityTerm[],
  antiAffinity: readonly AffinityTerm[],
  namespaceLabels: Labels | undefined,
): TopologyCounts {
  const scores: TopologyCounts = new Map()
  const own = affinity.length > 0 || antiAffinity.length > 0
  const process = (
    terms: readonly AffinityTerm[],
    target: PodInfo,
    labels: Labels | undefined,
    node: NodeInfo,
    sign: 1 | -1,
    weight?: number,
  ): void => {
    for (const term of terms) if (termMatches(term, target, labels)) addAt(scores, node, term.topologyKey, sign * (weight ?? term.weight))
  }
  for (const node of nodes) {
    for (const other of own ? node.pods : node.podsWithAffinity) {
      process(affinity, other, undefined, node, 1)
      process(antiAffinity, other, undefined, node, -1)
      process(other.requiredAffinity, pod, namespaceLabels, node, 1, HARD_POD_AFFINITY_WEIGHT)
      process(other.preferredAffinity, pod, namespaceLabels, node, 1)
      process(other.preferredAntiAffinity, pod, namespaceLabels, node, -1)
    }
  }
  return scores
}

/** mergeAffinityTermNamespacesIfNotEmpty: a namespace selector becomes the names that it selects now. */
function withNamespaces(terms: readonly AffinityTerm[], listers: Listers): readonly AffinityTerm[] {
  if (terms.every((t) => t.namespaceSelector.empty() || t.namespaceSelector === nothing)) return terms
  return terms.map((term) => {
    if (term.namespaceSelector.empty() || term.namespaceSelector === nothing) return term
    const selected = listers.namespaces().filter((name) => term.namespaceSelector.matches(listers.namespaceLabels(name)))
    return { ...term, namespaces: new Set([...term.namespaces, ...selected]), namespaceSelector: nothing }
  })
}

const termKey = (term: AffinityTerm): unknown => [
  [...term.namespaces],
  term.namespaceSelector.empty(),
  term.selector.requirements,
  term.selector === nothing,
  term.topologyKey,
  term.weight,
]

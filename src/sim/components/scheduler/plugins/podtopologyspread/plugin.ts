// pkg/scheduler/framework/plugins/podtopologyspread: filtering.go, scoring.go.
import { getOwn } from '../../../../../lib/own.ts'
import { LABEL_HOSTNAME, MAX_NODE_SCORE } from '../../framework/names.ts'
import type { NodeInfo } from '../../framework/nodeinfo.ts'
import { unresolvable, unschedulable } from '../../framework/status.ts'
import { type Cycle, type Plugin, SKIP } from '../../framework/types.ts'
import {
  type Constraint,
  countDomains,
  defaultConstraints,
  type DomainCounts,
  hasAllTopologies,
  hostCounter,
  includes,
  inclusionOf,
  parseConstraints,
} from './constraints.ts'

const NAME = 'PodTopologySpread'
const REASON = "node(s) didn't match pod topology spread constraints"
const SKEWED = unschedulable(NAME, REASON)
const NO_LABEL = unresolvable(NAME, `${REASON} (missing required label)`)

interface FilterData {
  readonly constraints: readonly Constraint[]
  readonly counts: DomainCounts
  /** Fewest matching pods of any domain, per constraint. */
  readonly minimum: readonly number[]
  readonly self: readonly number[]
}

interface ScoreData {
  readonly constraints: readonly Constraint[]
  readonly counts: DomainCounts
  /** For constraints by host: matching pods of a node. */
  readonly onHost: readonly (((node: NodeInfo) => number) | undefined)[]
  /** ln(domains + 2), so that constraints over many domains do not outweigh others. */
  readonly weights: readonly number[]
  readonly ignored: ReadonlySet<string>
}

export const podTopologySpread: Plugin = {
  name: NAME,
  preFilter(cycle) {
    const constraints = parseConstraints(cycle.pod.pod, 'DoNotSchedule')
    if (constraints.length === 0) return SKIP
    const counts = countDomains(cycle, constraints, true, () => true)
    const self = constraints.map((c) => (c.selector.matches(cycle.pod.labels) ? 1 : 0))
    return { data: { constraints, counts, minimum: minimums(constraints, counts), self } satisfies FilterData }
  },
  updateWithPod(data: FilterData, cycle: Cycle, pod, node, sign): FilterData {
    if (pod.namespace !== cycle.pod.namespace || !hasAllTopologies(node, data.constraints)) return data
    const inclusion = inclusionOf(cycle.pod)
    let counts: ReadonlyMap<string, number>[] | undefined
    data.constraints.forEach((c, i) => {
      if (c.selector.empty() || !c.selector.matches(pod.labels) || !includes(inclusion, c, node)) return
      counts ??= [...data.counts]
      const domain = getOwn(node.facts.labels, c.topologyKey) as string
      const map = new Map(counts[i])
      map.set(domain, (map.get(domain) ?? 0) + sign)
      counts[i] = map
    })
    return counts ? { ...data, counts, minimum: minimums(data.constraints, counts) } : data
  },
  filter({ constraints, counts, minimum, self }: FilterData, _, node) {
    for (let i = 0; i < constraints.length; i++) {
      const c = constraints[i] as Constraint
      const domain = getOwn(node.facts.labels, c.topologyKey)
      if (domain === undefined) return NO_LABEL
      const skew = (counts[i]?.get(domain) ?? 0) + (self[i] as number) - (minimum[i] as number)
      if (skew > c.maxSkew) return SKEWED
    }
    return undefined
  },
  preScore(cycle, nodes): ScoreData | typeof SKIP {
    const own = (cycle.pod.pod.spec?.topologySpreadConstraints ?? []).length > 0
    const constraints = own ? parseConstraints(cycle.pod.pod, 'ScheduleAnyway') : defaultConstraints(cycle.pod, cycle.listers)
    if (constraints.length === 0) return SKIP
    const ignored = new Set<string>()
    // With the system's defaults a node without a zone still takes part by host.
    if (own) for (const node of nodes) if (!hasAllTopologies(node, constraints)) ignored.add(node.name)
    const weights = constraints.map((c) => {
      if (c.topologyKey === LABEL_HOSTNAME) return Math.log(nodes.length - ignored.size + 2)
      const domains = new Set<string>()
      for (const node of nodes) if (!ignored.has(node.name)) domains.add(getOwn(node.facts.labels, c.topologyKey) ?? '')
      return Math.log(domains.size + 2)
    })
    const counts = countDomains(cycle, constraints, own, (c) => c.topologyKey !== LABEL_HOSTNAME)
    const onHost = constraints.map((c) =>
      c.topologyKey === LABEL_HOSTNAME ? hostCounter(cycle.snapshot, c.selector, cycle.pod.namespace) : undefined,
    )
    return { constraints, counts, onHost, weights, ignored }
  },
  score({ constraints, counts, onHost, weights, ignored }: ScoreData, _, node) {
    if (ignored.has(node.name)) return 0
    let score = 0
    for (let i = 0; i < constraints.length; i++) {
      const c = constraints[i] as Constraint
      const domain = getOwn(node.facts.labels, c.topologyKey)
      if (domain === undefined) continue
      const count = onHost[i]?.(node) ?? counts[i]?.get(domain) ?? 0
      score += count * (weights[i] as number) + (c.maxSkew - 1)
    }
    return Math.round(score)
  },
  normalize({ ignored }: ScoreData, scores, nodes: readonly NodeInfo[]) {
    let min = Number.POSITIVE_INFINITY
    let max = 0
    scores.forEach((score, i) => {
      if (ignored.has((nodes[i] as NodeInfo).name)) return
      if (score < min) min = score
      if (score > max) max = score
    })
    scores.forEach((score, i) => {
      if (ignored.has((nodes[i] as NodeInfo).name)) scores[i] = 0
      else scores[i] = max === 0 ? MAX_NODE_SCORE : Math.floor((MAX_NODE_SCORE * (max + min - score)) / max)
    })
  },
}

function minimums(constraints: readonly Constraint[], counts: DomainCounts): number[] {
  return constraints.map((c, i) => {
    const map = counts[i] as ReadonlyMap<string, number>
    if (map.size < c.minDomains) return 0
    let min = Number.POSITIVE_INFINITY
    for (const n of map.values()) if (n < min) min = n
    return min
  })
}

// Parsed constraints and the counting of pods per domain (pkg/scheduler/framework/plugins/podtopologyspread/common.go).
import { type Labels, newSelector, selectorFromSet, type Selector } from '../../../../api/labels.ts'
import type { Node, Pod, TopologySpreadConstraint } from '../../../../api/types/kubernetes.gen.ts'
import { copyOwn, getOwn, setOwn } from '../../../../../lib/own.ts'
import {
  mergeLabelKeys,
  type RequiredNodeAffinity,
  requiredNodeAffinity,
  requiredNodeAffinityMatches,
  toSelector,
} from '../../framework/affinity.ts'
import { hasUntoleratedTaint } from '../../framework/helpers.ts'
import { LABEL_HOSTNAME, LABEL_ZONE } from '../../framework/names.ts'
import type { NodeInfo } from '../../framework/nodeinfo.ts'
import type { PodInfo } from '../../framework/podinfo.ts'
import { type Chunk, chunkOf, perChunk, positionOf, runningSum, type Snapshot } from '../../framework/snapshot.ts'
import type { Cycle, Listers } from '../../framework/types.ts'

export interface Constraint {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly selector: Selector
  readonly honorsAffinity: boolean
  readonly honorsTaints: boolean
}

export type WhenUnsatisfiable = TopologySpreadConstraint['whenUnsatisfiable']

/** The system's own constraints, for pods that have none and belong to a service or controller. */
const SYSTEM_DEFAULTS = [
  { topologyKey: LABEL_HOSTNAME, maxSkew: 3 },
  { topologyKey: LABEL_ZONE, maxSkew: 5 },
]

export function parseConstraints(pod: Pod, when: WhenUnsatisfiable): Constraint[] {
  const out: Constraint[] = []
  for (const c of pod.spec?.topologySpreadConstraints ?? []) {
    if (c.whenUnsatisfiable !== when) continue
    out.push({
      topologyKey: c.topologyKey,
      maxSkew: c.maxSkew,
      minDomains: c.minDomains ?? 1,
      selector: mergeLabelKeys(toSelector(c.labelSelector), pod.metadata.labels, c.matchLabelKeys),
      honorsAffinity: (c.nodeAffinityPolicy ?? 'Honor') === 'Honor',
      honorsTaints: c.nodeTaintsPolicy === 'Honor',
    })
  }
  return out
}

export function defaultConstraints(pod: PodInfo, listers: Listers): Constraint[] {
  const selector = defaultSelector(pod, listers)
  if (selector.empty()) return []
  return SYSTEM_DEFAULTS.map((d) => ({ ...d, minDomains: 1, selector, honorsAffinity: true, honorsTaints: false }))
}

/** helper.DefaultSelector: what the services that select the pod, and its controller, select. */
function defaultSelector(pod: PodInfo, listers: Listers): Selector {
  const set: Record<string, string> = {}
  const merge = (labels: Labels): void => {
    for (const key of Object.keys(labels)) setOwn(set, key, labels[key] as string)
  }
  for (const service of listers.services(pod.namespace)) {
    const labels = service.spec?.selector
    if (labels && Object.keys(labels).length > 0 && hasAll(pod.labels, labels)) merge(labels)
  }
  const owner = pod.pod.metadata.ownerReferences?.find((o) => o.controller)
  const kind = owner ? `${owner.apiVersion}/${owner.kind}` : ''
  if (owner && kind === 'v1/ReplicationController') {
    const labels = listers.replicationController(pod.namespace, owner.name)?.spec?.selector
    if (labels) merge(labels)
    return selectorFromSet(set)
  }
  const selector = selectorFromSet(copyOwn(set))
  const own =
    kind === 'apps/v1/ReplicaSet'
      ? listers.replicaSet(pod.namespace, owner?.name ?? '')
      : kind === 'apps/v1/StatefulSet'
        ? listers.statefulSet(pod.namespace, owner?.name ?? '')
        : undefined
  return own?.spec?.selector ? newSelector([...selector.requirements, ...toSelector(own.spec.selector).requirements]) : selector
}

function hasAll(labels: Labels | undefined, wanted: Labels): boolean {
  for (const key of Object.keys(wanted)) if (getOwn(labels, key) !== wanted[key]) return false
  return true
}

export function hasAllTopologies(node: NodeInfo, constraints: readonly Constraint[]): boolean {
  for (const c of constraints) if (getOwn(node.facts.labels, c.topologyKey) === undefined) return false
  return true
}

/** countPodsMatchSelector: terminating pods and other namespaces do not count. */
export function countMatching(pods: readonly PodInfo[], selector: Selector, namespace: string): number {
  if (selector.empty()) return 0
  let count = 0
  for (const pod of pods) if (!pod.terminating && pod.namespace === namespace && selector.matches(pod.labels)) count++
  return count
}

export interface Inclusion {
  readonly affinity: RequiredNodeAffinity
  readonly pod: PodInfo
}

export const inclusionOf = (pod: PodInfo): Inclusion => ({ affinity: requiredNodeAffinity(pod.pod), pod })

/** matchNodeInclusionPolicies. */
export function includes({ affinity, pod }: Inclusion, constraint: Constraint, node: NodeInfo): boolean {
  if (constraint.honorsAffinity && !requiredNodeAffinityMatches(affinity, node.node as Node)) return false
  return !constraint.honorsTaints || !hasUntoleratedTaint(node.facts.hardTaints, pod.tolerations)
}

/** Matching pods by domain, per constraint. A domain without pods is there with 0. */
export type DomainCounts = readonly ReadonlyMap<string, number>[]

/**
 * Counts over all nodes. `requireAll`: nodes must have every constraint's label; else a missing label counts as domain ''.
 * Constraints for which `wanted` is false are left out (their counts stay empty).
 */
export function countDomains(
  cycle: Cycle,
  constraints: readonly Constraint[],
  requireAll: boolean,
  wanted: (c: Constraint) => boolean,
): DomainCounts {
  const inclusion = inclusionOf(cycle.pod)
  const key = memoKey(cycle.pod, constraints, requireAll, wanted)
  const count = (all: readonly NodeInfo[]): DomainParts => {
    const parts: DomainParts = constraints.map(() => ({ counts: new Map(), nodes: new Map() }))
    for (const node of all) {
      if (requireAll && !hasAllTopologies(node, constraints)) continue
      constraints.forEach((c, i) => {
        if (!wanted(c) || !includes(inclusion, c, node)) return
        const domain = getOwn(node.facts.labels, c.topologyKey) ?? ''
        const { counts, nodes } = parts[i] as DomainPart
        counts.set(domain, (counts.get(domain) ?? 0) + countMatching(node.pods, c.selector, cycle.pod.namespace))
        nodes.set(domain, (nodes.get(domain) ?? 0) + 1)
      })
    }
    return parts
  }
  return runningSum<DomainParts, DomainParts>(cycle.snapshot, key, {
    count,
    empty: () => constraints.map(() => ({ counts: new Map(), nodes: new Map() })),
    add(total, part, sign) {
      part.forEach(({ counts, nodes }, i) => {
        const t = total[i] as DomainPart
        for (const [domain, n] of counts) {
          const left = (t.nodes.get(domain) ?? 0) + sign * (nodes.get(domain) ?? 0)
          if (left === 0) {
            t.nodes.delete(domain)
            t.counts.delete(domain)
          } else {
            t.nodes.set(domain, left)
            t.counts.set(domain, (t.counts.get(domain) ?? 0) + sign * n)
          }
        }
      })
    },
  }).map((part) => part.counts)
}

/** Matching pods, and nodes, by domain: a domain is there as long as it has a node. */
interface DomainPart {
  readonly counts: Map<string, number>
  readonly nodes: Map<string, number>
}
type DomainParts = readonly DomainPart[]

/** Everything that the counts of a chunk depend on besides the chunk. */
function memoKey(pod: PodInfo, constraints: readonly Constraint[], requireAll: boolean, wanted: (c: Constraint) => boolean): string {
  const spec = pod.pod.spec
  return JSON.stringify([
    'spread',
    requireAll,
    pod.namespace,
    constraints.map((c) => [c.topologyKey, c.selector.empty() ? '' : c.selector.requirements, c.honorsAffinity, c.honorsTaints, wanted(c)]),
    constraints.some((c) => c.honorsAffinity)
      ? [spec?.nodeSelector, spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution]
      : 0,
    constraints.some((c) => c.honorsTaints) ? spec?.tolerations : 0,
  ])
}

/** countMatching for the node with this index in the snapshot, shared between pods that ask the same. */
export function hostCounter(snapshot: Snapshot, selector: Selector, namespace: string): (node: NodeInfo) => number {
  const key = JSON.stringify(['host', namespace, selector.requirements])
  let chunk: Chunk | undefined
  let counts: readonly number[] = []
  return (node) => {
    const i = snapshot.index.get(node.name)
    if (i === undefined) return countMatching(node.pods, selector, namespace)
    const own = chunkOf(snapshot, i)
    if (own !== chunk) {
      chunk = own
      counts = perChunk(own, key, (nodes) => nodes.map((n) => countMatching(n.pods, selector, namespace)))
    }
    return counts[positionOf(i)] as number
  }
}

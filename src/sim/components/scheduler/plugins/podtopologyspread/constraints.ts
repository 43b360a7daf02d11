// Parsed constraints and the counting of pods per domain (pkg/scheduler/framework/plugins/podtopologyspread/common.go).
import { type Labels, newSelector, selectorFromSet, type Selector } from '../../../../api/labels.ts'
import type { Node, Pod, TopologySpreadConstraint } from '../../../../api/types/kubernetes.gen.ts'
import { copyOwn, getOwn, setOwn } from '../../../../../lib/own.ts'
import { mergeLabelKeys, type RequiredNodeAffinity, requiredNodeAffinity, requiredNodeAffinityMatches, toSelector } from '../../framework/affinity.ts'
import { hasUntoleratedTaint } from '../../framework/helpers.ts'
import { LABEL_HOSTNAME, LABEL_ZONE } from '../../framework/names.ts'
import type { NodeInfo } from '../../framework/nodeinfo.ts'
import type { PodInfo } from '../../framework/podinfo.ts'
import { type Chunk, perChunk } from '../../framework/snapshot.ts'
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
  const own = kind === 'apps/v1/ReplicaSet' ? listers.replicaSet(pod.namespace, owner?.name ?? '') : kind === 'apps/v1/StatefulSet' ? listers.statefulSet(pod.namespace, owner?.name ?? '') : undefined
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
export function countDomains(cycle: Cycle, constraints: readonly Constraint[], requireAll: boolean, wanted: (c: Constraint) => boolean): DomainCounts {
  const inclusion = inclusionOf(cycle.pod)
  const key = memoKey(cycle.pod, constraints, requireAll, wanted)
  const totals: Map<string, number>[] = constraints.map(() => new Map())
  const count = (chunk: Chunk): Map<string, number>[] => {
    const counts: Map<string, number>[] = constraints.map(() => new Map())
    for (const node of chunk) {
      if (requireAll && !hasAllTopologies(node, constraints)) continue
      constraints.forEach((c, i) => {
        if (!wanted(c) || !includes(inclusion, c, node)) return
        const domain = getOwn(node.facts.labels, c.topologyKey) ?? ''
        const map = counts[i] as Map<string, number>
        map.set(domain, (map.get(domain) ?? 0) + countMatching(node.pods, c.selector, cycle.pod.namespace))
      })
    }
    return counts
  }
  for (const chunk of cycle.snapshot.chunks) {
    perChunk(chunk, key, count).forEach((map, i) => {
      const total = totals[i] as Map<string, number>
      for (const [domain, n] of map) total.set(domain, (total.get(domain) ?? 0) + n)
    })
  }
  return totals
}

/** Everything that the counts of a chunk depend on besides the chunk. */
function memoKey(pod: PodInfo, constraints: readonly Constraint[], requireAll: boolean, wanted: (c: Constraint) => boolean): string {
  const spec = pod.pod.spec
  return JSON.stringify([
    'spread',
    requireAll,
    pod.namespace,
    constraints.map((c) => [c.topologyKey, c.selector.empty() ? '' : c.selector.requirements, c.honorsAffinity, c.honorsTaints, wanted(c)]),
    constraints.some((c) => c.honorsAffinity) ? [spec?.nodeSelector, spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution] : 0,
    constraints.some((c) => c.honorsTaints) ? spec?.tolerations : 0,
  ])
}

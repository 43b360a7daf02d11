// Aggregated ClusterRoles: the union of the rules of the roles that are selected (pkg/controller/clusterroleaggregation).
import { compareStrings } from '../../../../lib/compare.ts'
import { stableStringify } from '../../../../lib/stringify.ts'
import { labelSelectorAsSelector } from '../../../api/labels.ts'
import type { LabelSelector, PolicyRule } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'

/** The rules that `role` should have; undefined if it does not aggregate. */
export function aggregatedRules(role: KubeObject, clusterRoles: readonly KubeObject[]): PolicyRule[] | undefined {
  if (!role.aggregationRule) return undefined
  const rules: PolicyRule[] = []
  const seen = new Set<string>()
  for (const selector of (role.aggregationRule.clusterRoleSelectors ?? []) as LabelSelector[]) {
    const parsed = labelSelectorAsSelector(selector)
    if (parsed === undefined) return undefined
    const selected = clusterRoles
      .filter((r) => r.metadata.name !== role.metadata.name && parsed.matches(r.metadata.labels ?? {}))
      .sort((a, b) => compareStrings(a.metadata.name ?? '', b.metadata.name ?? ''))
    for (const rule of selected.flatMap((r) => (r.rules ?? []) as PolicyRule[])) {
      const key = stableStringify(rule)
      if (!seen.has(key)) rules.push(rule)
      seen.add(key)
    }
  }
  return rules
}

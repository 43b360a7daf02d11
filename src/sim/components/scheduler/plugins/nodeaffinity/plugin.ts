import {
  nodeTermMatches,
  type PreferredNodeTerm,
  preferredNodeTerms,
  type RequiredNodeAffinity,
  requiredNodeAffinity,
  requiredNodeAffinityMatches,
} from '../../framework/affinity.ts'
import { defaultNormalize } from '../../framework/helpers.ts'
import { unresolvable } from '../../framework/status.ts'
import { type Plugin, SKIP } from '../../framework/types.ts'
import type { NodeSelectorTerm, Node } from '../../../../api/types/kubernetes.gen.ts'

const NAME = 'NodeAffinity'
const REJECTED = unresolvable(NAME, "node(s) didn't match Pod's node affinity/selector")
const CONFLICT = unresolvable(NAME, 'pod affinity terms conflict')

export const nodeAffinity: Plugin = {
  name: NAME,
  local: true,
  preFilter({ pod }) {
    const spec = pod.pod.spec
    const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
    if (!required && !spec?.nodeSelector) return SKIP
    const data = requiredNodeAffinity(pod.pod)
    const names = required ? namedNodes(required.nodeSelectorTerms) : undefined
    if (!names) return { data }
    return names.size === 0 ? { status: CONFLICT } : { data, nodeNames: names }
  },
  filter: (affinity: RequiredNodeAffinity, _, node) => (requiredNodeAffinityMatches(affinity, node.node as Node) ? undefined : REJECTED),
  preScore({ pod }) {
    const preferred = pod.pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution
    return preferred ? preferredNodeTerms(preferred) : SKIP
  },
  score(terms: readonly PreferredNodeTerm[], _, node) {
    let sum = 0
    for (const { weight, term } of terms) if (nodeTermMatches(term, node.node as Node)) sum += weight
    return sum
  },
  normalize: (_, scores) => defaultNormalize(scores, false),
}

/** The nodes that the terms name, if every term names some (terms are alternatives, fields of one term all apply). */
function namedNodes(terms: readonly NodeSelectorTerm[]): Set<string> | undefined {
  if (terms.length === 0) return undefined
  const all = new Set<string>()
  for (const term of terms) {
    let names: Set<string> | undefined
    for (const field of term.matchFields ?? []) {
      if (field.key !== 'metadata.name' || field.operator !== 'In') continue
      const values = new Set(field.values)
      names = names ? new Set([...names].filter((n) => values.has(n))) : values
    }
    if (!names) return undefined
    for (const name of names) all.add(name)
  }
  return all
}

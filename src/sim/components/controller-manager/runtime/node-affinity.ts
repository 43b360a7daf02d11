// Whether a node suits a pod's nodeSelector and required node affinity (component-helpers/scheduling/corev1/nodeaffinity).
import { getOwn } from '../../../../lib/own.ts'
import type { NodeSelectorRequirement, NodeSelectorTerm } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'

function matches(r: NodeSelectorRequirement, value: string | undefined): boolean {
  const values = r.values ?? []
  const compare = (): number | undefined =>
    value !== undefined && /^-?\d+$/.test(value) && /^-?\d+$/.test(values[0] ?? '') ? Number(value) - Number(values[0]) : undefined
  switch (r.operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return (compare() ?? 0) > 0
    case 'Lt':
      return (compare() ?? 0) < 0
    default:
      return false
  }
}

const termMatches = (term: NodeSelectorTerm, node: KubeObject): boolean => {
  const expressions = term.matchExpressions ?? []
  const fields = term.matchFields ?? []
  if (expressions.length === 0 && fields.length === 0) return false
  return (
    expressions.every((r) => matches(r, getOwn(node.metadata.labels, r.key))) &&
    fields.every((r) => r.key === 'metadata.name' && matches(r, node.metadata.name))
  )
}

// biome-ignore lint/suspicious/noExplicitAny: a pod spec
export function fitsNode(spec: any, node: KubeObject): boolean {
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {})) if (getOwn(node.metadata.labels, key) !== value) return false
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return required ? ((required.nodeSelectorTerms ?? []) as NodeSelectorTerm[]).some((t) => termMatches(t, node)) : true
}

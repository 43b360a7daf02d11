// Which requests a policy or binding is about: apiserver/pkg/admission/plugin/policy/matching, webhook/predicates.
import { convertLabelSelector } from '../../../../api/labels.ts'
import type { LabelSelector } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import type { Attributes } from '../types.ts'

export interface NamedRule {
  readonly operations?: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly apiVersions?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly scope?: string
}

export interface MatchResources {
  readonly namespaceSelector?: LabelSelector
  readonly objectSelector?: LabelSelector
  readonly resourceRules?: readonly NamedRule[]
  readonly excludeResourceRules?: readonly NamedRule[]
  readonly matchPolicy?: string
}

const has = (list: readonly string[] | undefined, value: string): boolean => (list ?? []).some((v) => v === '*' || v === value)

function resourceFits(rule: NamedRule, a: Attributes): boolean {
  return (rule.resources ?? []).some((r) => {
    const [resource = '', subresource = ''] = r.split('/')
    const whole = resource === '*' || resource === a.resource
    const part = subresource === '*' || subresource === a.subresource
    return whole && part
  })
}

export function ruleFits(rule: NamedRule, a: Attributes, anyVersion: boolean): boolean {
  if (!has(rule.operations, a.operation)) return false
  const scope = rule.scope ?? '*'
  const namespaced = a.namespace !== '' && !(a.group === '' && a.resource === 'namespaces')
  if (scope === 'Namespaced' ? !namespaced : scope === 'Cluster' ? namespaced : false) return false
  if (!has(rule.apiGroups, a.group)) return false
  // Equivalent: the same resource through any of its versions.
  if (!anyVersion && !has(rule.apiVersions, a.rq.served.version)) return false
  if (
    anyVersion &&
    !has(rule.apiVersions, a.rq.served.version) &&
    !a.rq.view.kinds().some((s) => s.id === a.rq.served.id && has(rule.apiVersions, s.version))
  )
    return false
  if (!resourceFits(rule, a)) return false
  return (rule.resourceNames ?? []).length === 0 || (rule.resourceNames ?? []).includes(a.name)
}

function selects(selector: LabelSelector | undefined, labels: Readonly<Record<string, string>>): boolean {
  if (!selector) return true
  return convertLabelSelector(selector).value?.matches(labels) ?? false
}

const labelsOf = (o: KubeObject | undefined): Readonly<Record<string, string>> => (o?.metadata.labels ?? {}) as Record<string, string>

/** The namespace whose labels count: that of the object, or the namespace itself. */
export function namespaceOf(a: Attributes): KubeObject | undefined {
  if (a.group === '' && a.resource === 'namespaces') return a.operation === 'CREATE' ? a.object : (a.object ?? a.old)
  return a.namespace === '' ? undefined : a.rq.view.get('namespaces', undefined, a.namespace)
}

/** `required`: a policy must name resources; a binding without rules takes all that its policy takes. */
export function matches(m: MatchResources | undefined, a: Attributes, required: boolean): boolean {
  const rules = m?.resourceRules ?? []
  const any = (m?.matchPolicy ?? 'Equivalent') === 'Equivalent'
  if (rules.length > 0 ? !rules.some((r) => ruleFits(r, a, any)) : required) return false
  if ((m?.excludeResourceRules ?? []).some((r) => ruleFits(r, a, any))) return false
  const namespace = namespaceOf(a)
  if (m?.namespaceSelector && namespace && !selects(m.namespaceSelector, labelsOf(namespace))) return false
  if (!m?.objectSelector) return true
  return (
    (a.object !== undefined && selects(m.objectSelector, labelsOf(a.object))) ||
    (a.old !== undefined && selects(m.objectSelector, labelsOf(a.old)))
  )
}

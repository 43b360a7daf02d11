// rbac.authorization.k8s.io/v1 Role and ClusterRole (pkg/registry/rbac, pkg/apis/rbac/validation).
import { type FieldError, invalid, required } from '../../../../api/field.ts'
import { labelSelectorAsSelector } from '../../../../api/labels.ts'
import type { LabelSelector, PolicyRule } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateLabelSelector } from '../../../../api/validation/labels.ts'
import { clusterMeta, defaultColumns, defaultRow, metaUpdate, namespacedMeta, rbacName } from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'

export const rbacGroup = 'rbac.authorization.k8s.io'

export function validatePolicyRule(rule: PolicyRule, namespaced: boolean, field: string): FieldError[] {
  const errors: FieldError[] = []
  const urls = rule.nonResourceURLs ?? []
  const urlField = `${field}.nonResourceURLs`
  if (!rule.verbs?.length) errors.push(required(`${field}.verbs`, 'verbs must contain at least one value'))
  if (urls.length > 0) {
    if (namespaced) errors.push(invalid(urlField, urls, 'namespaced rules cannot apply to non-resource URLs'))
    if (rule.apiGroups?.length || rule.resources?.length || rule.resourceNames?.length) {
      errors.push(invalid(urlField, urls, 'rules cannot apply to both regular resources and non-resource URLs'))
    }
    return errors
  }
  if (!rule.apiGroups?.length) errors.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'))
  if (!rule.resources?.length) errors.push(required(`${field}.resources`, 'resource rules must supply at least one resource'))
  return errors
}

const validateRules = (o: KubeObject, namespaced: boolean): FieldError[] =>
  ((o.rules ?? []) as PolicyRule[]).flatMap((rule, i) => validatePolicyRule(rule, namespaced, `rules[${i}]`))

/** `rules` is always written, as null when there are none; `verbs` of a rule too. */
function defaults(o: KubeObject): void {
  o.rules ??= null
  for (const rule of (o.rules ?? []) as { verbs?: string[] | null }[]) rule.verbs ??= null
}

const validateRole = (o: KubeObject): FieldError[] => [...namespacedMeta(o, rbacName), ...validateRules(o, true)]

function validateClusterRole(o: KubeObject): FieldError[] {
  const errors = [...clusterMeta(o, rbacName), ...validateRules(o, false)]
  if (!o.aggregationRule) return errors
  const field = 'aggregationRule.clusterRoleSelectors'
  const selectors: LabelSelector[] = o.aggregationRule.clusterRoleSelectors ?? []
  if (selectors.length === 0) errors.push(required(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil'))
  for (const [i, selector] of selectors.entries()) {
    errors.push(...validateLabelSelector(selector, `${field}[${i}]`))
    if (labelSelectorAsSelector(selector) === undefined) errors.push(invalid(`${field}[${i}]`, null, 'invalid label selector.'))
  }
  return errors
}

const common = {
  group: rbacGroup,
  version: 'v1',
  shortNames: [],
  categories: [],
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: true,
  defaults,
  columns: defaultColumns,
  row: defaultRow,
} as const

export const role: KindStrategy = {
  ...common,
  kind: 'Role',
  resource: 'roles',
  singular: 'role',
  namespaced: true,
  validate: validateRole,
  validateUpdate: (o, old) => [...validateRole(o), ...metaUpdate(o, old)],
}

export const clusterRole: KindStrategy = {
  ...common,
  kind: 'ClusterRole',
  resource: 'clusterroles',
  singular: 'clusterrole',
  namespaced: false,
  validate: validateClusterRole,
  validateUpdate: (o, old) => [...validateClusterRole(o), ...metaUpdate(o, old)],
}

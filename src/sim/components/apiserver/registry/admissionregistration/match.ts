// Which requests a hook or a policy is asked about: pkg/apis/admissionregistration/validation/validation.go, v1/defaults.go.
import { duplicate, type FieldError, invalid, notSupported, required } from '../../../../api/field.ts'
import type { LabelSelector, NamedRuleWithOperations, RuleWithOperations } from '../../../../api/types/kubernetes.gen.ts'
import { validateLabelSelector } from '../../../../api/validation/labels.ts'
import { validatePathSegmentName } from '../../../../api/validation/names.ts'

export type MatchResources = {
  matchPolicy?: string
  namespaceSelector?: LabelSelector
  objectSelector?: LabelSelector
  resourceRules?: NamedRuleWithOperations[]
  excludeResourceRules?: NamedRuleWithOperations[]
}

export const FAILURE_POLICIES = ['Fail', 'Ignore']
export const MATCH_POLICIES = ['Equivalent', 'Exact']
const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const SCOPES = ['*', 'Cluster', 'Namespaced']

export function defaultMatchResources(m: MatchResources | undefined): void {
  if (!m) return
  m.matchPolicy ??= 'Equivalent'
  m.namespaceSelector ??= {}
  m.objectSelector ??= {}
  for (const rule of [...(m.resourceRules ?? []), ...(m.excludeResourceRules ?? [])]) rule.scope ??= '*'
}

export const oneOf = (path: string, value: string | undefined, accepted: readonly string[]): FieldError[] =>
  value === undefined ? [required(path)] : accepted.includes(value) ? [] : [notSupported(path, value, accepted)]

function validateResources(resources: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = resources.length === 0 ? [required(path)] : []
  const wildSubresources = new Set<string>()
  const wildResources = new Set<string>()
  let plain = false
  for (const [i, name] of resources.entries()) {
    const at = `${path}[${i}]`
    if (name === '') {
      errors.push(required(at))
      continue
    }
    const slash = name.indexOf('/')
    if (slash < 0) {
      // as upstream: the last one without a subresource decides
      plain = name !== '*'
      continue
    }
    const [resource, sub] = [name.slice(0, slash), name.slice(slash + 1)]
    if (wildSubresources.has(resource)) errors.push(invalid(at, name, `if '${resource}/*' is present, must not specify ${name}`))
    if (wildResources.has(sub)) errors.push(invalid(at, name, `if '*/${sub}' is present, must not specify ${name}`))
    if (sub === '*') wildSubresources.add(resource)
    if (resource === '*') wildResources.add(sub)
  }
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"))
  if (resources.includes('*') && plain)
    errors.push(invalid(path, resources, "if '*' is present, must not specify other resources without subresources"))
  return errors
}

export function validateRuleWithOperations(rule: RuleWithOperations, path: string): FieldError[] {
  const errors: FieldError[] = []
  const {
    operations = [],
    apiGroups = [],
    apiVersions = [],
    resources = [],
    scope,
  } = rule as { operations?: string[]; apiGroups?: string[]; apiVersions?: string[]; resources?: string[]; scope?: string }
  if (operations.length === 0) errors.push(required(`${path}.operations`))
  if (operations.length > 1 && operations.includes('*'))
    errors.push(invalid(`${path}.operations`, operations, "if '*' is present, must not specify other operations"))
  for (const [i, operation] of operations.entries())
    if (!OPERATIONS.includes(operation)) errors.push(notSupported(`${path}.operations[${i}]`, operation, OPERATIONS))
  if (apiGroups.length === 0) errors.push(required(`${path}.apiGroups`))
  if (apiGroups.length > 1 && apiGroups.includes('*'))
    errors.push(invalid(`${path}.apiGroups`, apiGroups, "if '*' is present, must not specify other API groups"))
  if (apiVersions.length === 0) errors.push(required(`${path}.apiVersions`))
  if (apiVersions.length > 1 && apiVersions.includes('*'))
    errors.push(invalid(`${path}.apiVersions`, apiVersions, "if '*' is present, must not specify other API versions"))
  for (const [i, version] of apiVersions.entries()) if (version === '') errors.push(required(`${path}.apiVersions[${i}]`))
  errors.push(...validateResources(resources, `${path}.resources`))
  if (scope !== undefined && !SCOPES.includes(scope)) errors.push(notSupported(`${path}.scope`, scope, SCOPES))
  return errors
}

function validateNamedRule(rule: NamedRuleWithOperations, path: string): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [i, name] of (rule.resourceNames ?? []).entries()) {
    errors.push(...validatePathSegmentName(name, false).map((m) => invalid(`${path}.resourceNames[${i}]`, name, m)))
    if (seen.has(name)) errors.push(duplicate(`${path}.resourceNames[${i}]`, name))
    seen.add(name)
  }
  return [...errors, ...validateRuleWithOperations(rule, path)]
}

export function validateMatchResources(m: MatchResources | undefined, path: string): FieldError[] {
  if (!m) return []
  return [
    ...oneOf(`${path}.matchPolicy`, m.matchPolicy, MATCH_POLICIES),
    ...(m.namespaceSelector
      ? validateLabelSelector(m.namespaceSelector, `${path}.namespaceSelector`)
      : [required(`${path}.namespaceSelector`)]),
    ...(m.objectSelector ? validateLabelSelector(m.objectSelector, `${path}.objectSelector`) : [required(`${path}.objectSelector`)]),
    ...(m.resourceRules ?? []).flatMap((r, i) => validateNamedRule(r, `${path}.resourceRules[${i}]`)),
    ...(m.excludeResourceRules ?? []).flatMap((r, i) => validateNamedRule(r, `${path}.excludeResourceRules[${i}]`)),
  ]
}

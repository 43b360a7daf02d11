// Role based access control: which rules a user has, and whether they allow a request
// (plugin/pkg/auth/authorizer/rbac, pkg/registry/rbac/validation/rule.go, pkg/apis/rbac/v1/evaluation_helpers.go).
import { goQuote } from '../../../api/go-text.ts'
import type { PolicyRule, RoleRef, Subject } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'

export interface UserInfo {
  readonly name: string
  readonly groups: readonly string[]
}

/** What a request wants to do, as every authorizer sees it. */
export interface Attributes {
  readonly user: UserInfo
  readonly verb: string
  /** False for paths outside the API (`/healthz`): then only `path` counts. */
  readonly resourceRequest: boolean
  readonly apiGroup?: string
  readonly resource?: string
  readonly subresource?: string
  /** Empty or absent: cluster-wide. */
  readonly namespace?: string
  readonly name?: string
  readonly path?: string
  /** Requirements of the request's field selector, for the node authorizer. */
  readonly fieldSelector?: readonly { readonly field: string; readonly operator: string; readonly value: string }[]
}

/** Where the objects come from; lists in a fixed order. */
export interface RBACObjects {
  role(namespace: string, name: string): KubeObject | undefined
  clusterRole(name: string): KubeObject | undefined
  roleBindings(namespace: string): readonly KubeObject[]
  clusterRoleBindings(): readonly KubeObject[]
}

export interface RBACLists {
  readonly roles: readonly KubeObject[]
  readonly clusterRoles: readonly KubeObject[]
  readonly roleBindings: readonly KubeObject[]
  readonly clusterRoleBindings: readonly KubeObject[]
}

export const rbacObjects = (lists: RBACLists): RBACObjects => ({
  role: (namespace, name) => lists.roles.find((r) => r.metadata.namespace === namespace && r.metadata.name === name),
  clusterRole: (name) => lists.clusterRoles.find((r) => r.metadata.name === name),
  roleBindings: (namespace) => lists.roleBindings.filter((b) => b.metadata.namespace === namespace),
  clusterRoleBindings: () => lists.clusterRoleBindings,
})

const has = (list: readonly string[] | undefined | null, value: string): boolean => list?.includes(value) ?? false
const withoutStars = (text: string): string => text.replace(/\*+$/, '')

export const verbMatches = (rule: PolicyRule, verb: string): boolean => has(rule.verbs, '*') || has(rule.verbs, verb)
const groupMatches = (rule: PolicyRule, group: string): boolean => has(rule.apiGroups, '*') || has(rule.apiGroups, group)
const resourceMatches = (rule: PolicyRule, resource: string, subresource: string): boolean =>
  has(rule.resources, '*') ||
  has(rule.resources, subresource === '' ? resource : `${resource}/${subresource}`) ||
  (subresource !== '' && has(rule.resources, `*/${subresource}`))
const nameMatches = (rule: PolicyRule, name: string): boolean => !rule.resourceNames?.length || has(rule.resourceNames, name)
const urlMatches = (rule: PolicyRule, path: string): boolean =>
  rule.nonResourceURLs?.some((url) => url === '*' || url === path || (url.endsWith('*') && path.startsWith(withoutStars(url)))) ?? false

export const ruleAllows = (a: Attributes, rule: PolicyRule): boolean =>
  verbMatches(rule, a.verb) &&
  (a.resourceRequest
    ? groupMatches(rule, a.apiGroup ?? '') &&
      resourceMatches(rule, a.resource ?? '', a.subresource ?? '') &&
      nameMatches(rule, a.name ?? '')
    : urlMatches(rule, a.path ?? ''))

export const rulesAllow = (a: Attributes, rules: readonly PolicyRule[]): boolean => rules.some((rule) => ruleAllows(a, rule))

/** `namespace`: of the binding, for service accounts named without one. */
export function appliesToUser(user: UserInfo, subject: Subject, namespace: string): boolean {
  switch (subject.kind) {
    case 'User':
      return user.name === subject.name
    case 'Group':
      return user.groups.includes(subject.name)
    case 'ServiceAccount': {
      const at = subject.namespace || namespace
      return at !== '' && user.name === `system:serviceaccount:${at}:${subject.name}`
    }
    default:
      return false
  }
}

function describeSubject(subject: Subject, bindingNamespace: string): string {
  const name = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || bindingNamespace}` : subject.name
  return `${subject.kind} ${goQuote(name)}`
}

/** One rule that applies to the user, with the binding it comes from, or why a binding's role could not be found. */
export type Visit = { readonly source: string; readonly rule: PolicyRule } | { readonly error: string }

/** GetRoleReferenceRules: the rules behind a binding's roleRef. */
export function roleReferenceRules(
  ref: RoleRef,
  bindingNamespace: string,
  objects: RBACObjects,
): { rules: readonly PolicyRule[] } | { error: string } {
  const role =
    ref.kind === 'Role' ? objects.role(bindingNamespace, ref.name) : ref.kind === 'ClusterRole' ? objects.clusterRole(ref.name) : undefined
  if (role !== undefined) return { rules: (role.rules ?? []) as PolicyRule[] }
  if (ref.kind !== 'Role' && ref.kind !== 'ClusterRole') return { error: `unsupported role reference kind: ${goQuote(ref.kind)}` }
  return { error: `${ref.kind.toLowerCase()}.rbac.authorization.k8s.io ${goQuote(ref.name)} not found` }
}

function* visitBindings(
  bindings: readonly KubeObject[],
  kind: string,
  namespace: string,
  user: UserInfo,
  objects: RBACObjects,
): Generator<Visit> {
  for (const binding of bindings) {
    const subject = ((binding.subjects ?? []) as Subject[]).find((s) => appliesToUser(user, s, namespace))
    if (subject === undefined) continue
    const ref = binding.roleRef as RoleRef
    const found = roleReferenceRules(ref, namespace, objects)
    if ('error' in found) {
      yield { error: found.error }
      continue
    }
    const name = namespace === '' ? binding.metadata.name : `${binding.metadata.name}/${binding.metadata.namespace}`
    const source = `${kind} ${goQuote(name ?? '')} of ${ref.kind} ${goQuote(ref.name)} to ${describeSubject(subject, namespace)}`
    for (const rule of found.rules) yield { source, rule }
  }
}

/** Every rule of the user: cluster-wide ones first, then those of the namespace. */
export function* visitRulesFor(user: UserInfo, namespace: string, objects: RBACObjects): Generator<Visit> {
  yield* visitBindings(objects.clusterRoleBindings(), 'ClusterRoleBinding', '', user, objects)
  if (namespace !== '') yield* visitBindings(objects.roleBindings(namespace), 'RoleBinding', namespace, user, objects)
}

export interface Decision {
  readonly allowed: boolean
  /** Why; empty when there is nothing to say. */
  readonly reason: string
}

const aggregate = (errors: readonly string[]): string => {
  const distinct = [...new Set(errors)]
  return distinct.length === 1 ? (distinct[0] ?? '') : `[${distinct.join(', ')}]`
}

export function authorize(a: Attributes, objects: RBACObjects): Decision {
  const errors: string[] = []
  for (const visit of visitRulesFor(a.user, a.namespace ?? '', objects)) {
    if ('error' in visit) errors.push(visit.error)
    else if (ruleAllows(a, visit.rule)) return { allowed: true, reason: `RBAC: allowed by ${visit.source}` }
  }
  return { allowed: false, reason: errors.length > 0 ? `RBAC: ${aggregate(errors)}` : '' }
}

export function rulesFor(user: UserInfo, namespace: string, objects: RBACObjects): { rules: PolicyRule[]; error?: string } {
  const rules: PolicyRule[] = []
  const errors: string[] = []
  for (const visit of visitRulesFor(user, namespace, objects)) {
    if ('error' in visit) errors.push(visit.error)
    else rules.push(visit.rule)
  }
  return errors.length > 0 ? { rules, error: aggregate(errors) } : { rules }
}

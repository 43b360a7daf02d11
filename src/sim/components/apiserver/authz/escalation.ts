// Nobody may grant what they do not have (pkg/registry/rbac/validation, k8s.io/component-helpers/auth/rbac/validation, pkg/registry/rbac/*/policybased).
import { sortStrings } from '../../../../lib/compare.ts'
import { stableStringify } from '../../../../lib/stringify.ts'
import { goQuote } from '../../../api/go-text.ts'
import type { PolicyRule, RoleRef } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { type Attributes, type RBACObjects, roleReferenceRules, rulesFor, type UserInfo } from './rbac.ts'

const rbacGroup = 'rbac.authorization.k8s.io'
const has = (list: readonly string[] | undefined | null, value: string): boolean => list?.includes(value) ?? false
const hasAll = (list: readonly string[] | undefined | null, values: readonly string[] | undefined | null): boolean =>
  (values ?? []).every((v) => has(list, v))

/** Into rules with at most one verb, one resource and one name each. */
export function breakdownRule(rule: PolicyRule): PolicyRule[] {
  const out: PolicyRule[] = []
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs ?? []) {
        const simple = { apiGroups: [group], resources: [resource], verbs: [verb] }
        if (rule.resourceNames?.length) for (const name of rule.resourceNames) out.push({ ...simple, resourceNames: [name] })
        else out.push(simple)
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) for (const verb of rule.verbs ?? []) out.push({ nonResourceURLs: [url], verbs: [verb] })
  return out
}

const resourcesCover = (owner: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean =>
  has(owner, '*') ||
  (wanted ?? []).every((path) => has(owner, path) || (path.includes('/') && has(owner, `*/${path.slice(path.indexOf('/') + 1)}`)))

const urlsCover = (owner: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean =>
  (wanted ?? []).every((path) => owner?.some((o) => o === path || (o.endsWith('*') && path.startsWith(o.replace(/\*+$/, '')))) ?? false)

/** `sub` has at most one verb, resource and name. */
export const ruleCovers = (owner: PolicyRule, sub: PolicyRule): boolean =>
  (has(owner.verbs, '*') || hasAll(owner.verbs, sub.verbs)) &&
  (has(owner.apiGroups, '*') || hasAll(owner.apiGroups, sub.apiGroups)) &&
  resourcesCover(owner.resources, sub.resources) &&
  urlsCover(owner.nonResourceURLs, sub.nonResourceURLs) &&
  (!owner.resourceNames?.length || (!!sub.resourceNames?.length && hasAll(owner.resourceNames, sub.resourceNames)))

/** Covers: the atoms of `wanted` that no rule of `owned` covers; empty = covered. */
export const uncoveredRules = (owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] =>
  wanted.flatMap(breakdownRule).filter((sub) => !owned.some((owner) => ruleCovers(owner, sub)))

export const rulesCover = (owned: readonly PolicyRule[], wanted: readonly PolicyRule[]): boolean =>
  uncoveredRules(owned, wanted).length === 0

const quoted = (values: readonly string[]): string => `[${values.map(goQuote).join(' ')}]`

/** CompactString. */
export function compactRuleText(rule: PolicyRule): string {
  const parts: string[] = []
  const add = (name: string, values: readonly string[] | undefined): void => {
    if (values?.length) parts.push(`${name}:${quoted(values)}`)
  }
  add('APIGroups', rule.apiGroups)
  add('Resources', rule.resources)
  add('NonResourceURLs', rule.nonResourceURLs)
  add('ResourceNames', rule.resourceNames)
  add('Verbs', rule.verbs)
  return `{${parts.join(', ')}}`
}

/** CompactRules: verbs of the same resource (and name) together. */
function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
  const out: PolicyRule[] = []
  const simple = new Map<string, PolicyRule>()
  for (const rule of rules) {
    if (rule.nonResourceURLs?.length) {
      out.push(rule)
      continue
    }
    const key = stableStringify([rule.apiGroups, rule.resources, rule.resourceNames ?? null])
    const before = simple.get(key)
    simple.set(key, before === undefined ? rule : { ...before, verbs: [...before.verbs, ...rule.verbs] })
  }
  return [...out, ...simple.values()]
}

/** ConfirmNoEscalation: what is wrong with `user` granting `rules`, or undefined. `namespace` is the request's. */
export function escalationProblem(
  user: UserInfo,
  namespace: string,
  rules: readonly PolicyRule[],
  objects: RBACObjects,
): string | undefined {
  const owned = rulesFor(user, namespace, objects)
  const missing = uncoveredRules(owned.rules, rules)
  if (missing.length === 0) return undefined
  const lines = sortStrings(new Set(compactRules(missing).map(compactRuleText)))
  const text = `user ${goQuote(user.name)} (groups=${quoted(user.groups)}) is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}`
  return owned.error === undefined ? text : `${text}; resolution errors: [${owned.error}]`
}

export interface EscalationRequest {
  readonly user: UserInfo
  /** Of the request's path: empty for cluster-scoped kinds and for the name at create. */
  readonly namespace: string
  readonly name: string
  readonly resource: 'roles' | 'clusterroles' | 'rolebindings' | 'clusterrolebindings'
  readonly object: KubeObject
  readonly old: KubeObject | undefined
}

/** forbidden: 403 with that reason; notFound: 404 for the role of that name. */
export type EscalationRefusal = { readonly forbidden: string } | { readonly notFound: string } | { readonly internal: string }

const fullAuthority: readonly PolicyRule[] = [
  { apiGroups: ['*'], resources: ['*'], verbs: ['*'] },
  { nonResourceURLs: ['*'], verbs: ['*'] },
]

const aggregates = (o: KubeObject | undefined): boolean => (o?.aggregationRule?.clusterRoleSelectors?.length ?? 0) > 0

/** IsOnlyMutatingGCFields: an update that at most lets the garbage collector go on. */
function onlyGarbageCollectorFields(o: KubeObject, old: KubeObject): boolean {
  const metadata = {
    ...o.metadata,
    ownerReferences: old.metadata.ownerReferences,
    finalizers: old.metadata.finalizers,
    managedFields: old.metadata.managedFields,
  }
  return stableStringify({ ...o, metadata }) === stableStringify(old)
}

/**
 * The check that stands before the storage of the four RBAC kinds, at create and update. `isAllowed` asks all authorizers.
 * Runs on the decoded, defaulted object, before validation.
 */
export function escalationRefusal(
  request: EscalationRequest,
  objects: RBACObjects,
  isAllowed: (a: Attributes) => boolean,
): EscalationRefusal | undefined {
  const { user, namespace, object, old, resource } = request
  if (user.groups.includes('system:masters')) return undefined
  const ask = (verb: string, of: string, name: string): boolean =>
    isAllowed({ user, verb, resourceRequest: true, apiGroup: rbacGroup, resource: of, name, namespace })
  const confirm = (rules: readonly PolicyRule[]): EscalationRefusal | undefined => {
    const problem = escalationProblem(user, namespace, rules, objects)
    return problem === undefined ? undefined : { forbidden: problem }
  }
  const isRole = resource === 'roles' || resource === 'clusterroles'
  if (isRole && ask('escalate', resource, request.name)) return undefined
  if (old !== undefined && onlyGarbageCollectorFields(object, old)) return undefined
  if (isRole) {
    const refusal = confirm((object.rules ?? []) as PolicyRule[])
    if (refusal !== undefined || resource === 'roles' || !(aggregates(object) || aggregates(old))) return refusal
    return confirm(fullAuthority) === undefined ? undefined : { forbidden: 'must have cluster-admin privileges to use the aggregationRule' }
  }
  const ref = object.roleRef as RoleRef
  if (ref.kind === 'Role' || ref.kind === 'ClusterRole') {
    const of = ref.kind === 'Role' ? 'roles' : 'clusterroles'
    if (isAllowed({ user, verb: 'bind', resourceRequest: true, apiGroup: ref.apiGroup, resource: of, name: ref.name, namespace }))
      return undefined
  }
  const found = roleReferenceRules(ref, namespace, objects)
  if ('error' in found) return found.error.startsWith('unsupported') ? { internal: found.error } : { notFound: ref.name }
  return confirm(found.rules)
}

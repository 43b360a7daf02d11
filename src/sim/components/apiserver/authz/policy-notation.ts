// A short notation for rules and roles: lists are words separated by spaces, `core` is the group without a name.
import type { PolicyRule, Subject } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'

const group0 = 'rbac.authorization.k8s.io'
const apiVersion = `${group0}/v1`
const words = (text: string): string[] => text.split(' ')

export const rule = (verbs: string, apiGroups: string, resources: string, resourceNames?: string): PolicyRule => ({
  apiGroups: words(apiGroups).map((g) => (g === 'core' ? '' : g)),
  ...(resourceNames === undefined ? {} : { resourceNames: words(resourceNames) }),
  resources: words(resources),
  verbs: words(verbs),
})
export const urls = (verbs: string, nonResourceURLs: string): PolicyRule => ({
  nonResourceURLs: words(nonResourceURLs),
  verbs: words(verbs),
})

const metadata = (name: string, labels: Readonly<Record<string, string>> = {}, namespace?: string) => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
  annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
})

export const clusterRole = (name: string, rules: readonly PolicyRule[], labels?: Readonly<Record<string, string>>): KubeObject => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: metadata(name, labels),
  rules,
})

/** A role whose rules the aggregation controller fills from the roles with that label. */
export const aggregate = (name: string, label: string, labels?: Readonly<Record<string, string>>): KubeObject => ({
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [label]: 'true' } }] },
  apiVersion,
  kind: 'ClusterRole',
  metadata: metadata(name, labels),
  rules: null,
})

export const role = (namespace: string, name: string, rules: readonly PolicyRule[]): KubeObject => ({
  apiVersion,
  kind: 'Role',
  metadata: metadata(name, {}, namespace),
  rules,
})

export const user = (name: string): Subject => ({ apiGroup: group0, kind: 'User', name })
export const group = (name: string): Subject => ({ apiGroup: group0, kind: 'Group', name })
export const serviceAccount = (namespace: string, name: string): Subject => ({ kind: 'ServiceAccount', name, namespace })

export const clusterRoleBinding = (name: string, roleName: string, ...subjects: Subject[]): KubeObject => ({
  apiVersion,
  kind: 'ClusterRoleBinding',
  metadata: metadata(name),
  roleRef: { apiGroup: group0, kind: 'ClusterRole', name: roleName },
  ...(subjects.length > 0 ? { subjects } : {}),
})

export const roleBinding = (namespace: string, name: string, roleName: string, ...subjects: Subject[]): KubeObject => ({
  apiVersion,
  kind: 'RoleBinding',
  metadata: metadata(name, {}, namespace),
  roleRef: { apiGroup: group0, kind: 'Role', name: roleName },
  subjects,
})

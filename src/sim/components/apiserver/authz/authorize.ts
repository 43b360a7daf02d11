// Authorization modes as kubeadm sets them: Node, then RBAC; system:masters needs neither.
import { parseFieldSelector } from '../../../api/fieldselector.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { queryValue } from '../request-info.ts'
import type { ServerView } from '../rest/request.ts'
import type { Query } from '../types.ts'
import type { AuthorizationAttributes } from './attributes.ts'
import { authorizeNode, nodeIdentity } from './node-authorizer.ts'
import { type Attributes, authorize as authorizeRBAC, type RBACObjects } from './rbac.ts'

export interface Decision {
  readonly allowed: boolean
  readonly reason: string
}

/** Paths that anyone may read, before RBAC is there (--authorization-always-allow-paths). */
const ALWAYS_ALLOWED = new Set(['/healthz', '/readyz', '/livez'])
const RBAC_GROUP = 'rbac.authorization.k8s.io'

export function rbacView(view: ServerView): RBACObjects {
  return {
    role: (namespace, name) => view.get(`roles.${RBAC_GROUP}`, namespace, name),
    clusterRole: (name) => view.get(`clusterroles.${RBAC_GROUP}`, undefined, name),
    roleBindings: (namespace) => view.list(`rolebindings.${RBAC_GROUP}`, namespace),
    clusterRoleBindings: () => view.list(`clusterrolebindings.${RBAC_GROUP}`),
  }
}

export function toRBAC(a: AuthorizationAttributes, query: Query = []): Attributes {
  const selector = queryValue(query, 'fieldSelector')
  const parsed = selector ? parseFieldSelector(selector).value : undefined
  return {
    user: a.user,
    verb: a.verb,
    resourceRequest: a.isResource,
    apiGroup: a.group,
    resource: a.resource,
    subresource: a.subresource,
    namespace: a.namespace,
    name: a.name,
    path: a.path,
    ...(parsed ? { fieldSelector: parsed.requirements } : {}),
  }
}

export function authorize(a: AuthorizationAttributes, view: ServerView, query: Query = []): Decision {
  if (a.user.groups.includes('system:masters')) return { allowed: true, reason: '' }
  if (!a.isResource && ALWAYS_ALLOWED.has(a.path)) return { allowed: true, reason: '' }
  const attributes = toRBAC(a, query)
  const node = nodeIdentity(a.user)
  const reasons: string[] = []
  if (node !== undefined) {
    const decision = authorizeNode(attributes, {
      // Only pods of this node ever count.
      pods: (namespace) => view.podsOn(node).filter((p: KubeObject) => namespace === undefined || p.metadata.namespace === namespace),
      persistentVolumes: () => view.list('persistentvolumes'),
      volumeAttachment: (name) => view.get('volumeattachments.storage.k8s.io', undefined, name),
      resourceSlice: (name) => view.get('resourceslices.resource.k8s.io', undefined, name),
    })
    if (decision.allowed) return decision
    if (decision.reason !== '') reasons.push(decision.reason)
  }
  const decision = authorizeRBAC(attributes, rbacView(view))
  if (decision.allowed) return decision
  if (decision.reason !== '') reasons.push(decision.reason)
  return { allowed: false, reason: reasons.join(', ') }
}

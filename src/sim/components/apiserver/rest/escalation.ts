// Nobody may grant what they do not have: stands before the storage of the four RBAC kinds (pkg/registry/rbac/*/policybased).
import { forbidden, internalError, notFound } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { authorize, rbacView } from '../authz/authorize.ts'
import { escalationRefusal, type EscalationRequest } from '../authz/escalation.ts'
import type { Attributes } from '../authz/rbac.ts'
import { refuse } from '../refusal.ts'
import { resourceOf } from './names.ts'
import type { ResourceRq } from './request.ts'

const GROUP = 'rbac.authorization.k8s.io'

export function guardEscalation(rq: ResourceRq, object: KubeObject, old: KubeObject | undefined): void {
  const { strategy } = rq.served
  if (strategy.group !== GROUP) return
  const { view, user, info } = rq
  const request: EscalationRequest = {
    user,
    namespace: info.namespace,
    name: info.name,
    resource: strategy.resource as EscalationRequest['resource'],
    object,
    old,
  }
  const allowed = (a: Attributes): boolean =>
    authorize(
      {
        user,
        verb: a.verb,
        isResource: true,
        group: a.apiGroup ?? '',
        version: '*',
        resource: a.resource ?? '',
        subresource: a.subresource ?? '',
        namespace: a.namespace ?? '',
        name: a.name ?? '',
        path: '',
      },
      view,
    ).allowed
  const refusal = escalationRefusal(request, rbacView(view), allowed)
  if (!refusal) return
  const name = object.metadata.name ?? ''
  if ('forbidden' in refusal) refuse(forbidden(resourceOf(rq.served), name, refusal.forbidden))
  if ('notFound' in refusal) refuse(notFound(resourceOf(rq.served), refusal.notFound))
  refuse(internalError(refusal.internal))
}

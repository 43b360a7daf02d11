// What an authorizer is asked, and how its refusal reads (apiserver/pkg/endpoints/handlers/responsewriters/errors.go).
import { forbidden, type Status } from '../../../api/status.ts'
import type { RequestInfo, User } from '../types.ts'

export interface AuthorizationAttributes {
  readonly user: User
  readonly verb: string
  readonly isResource: boolean
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly path: string
}

export const attributesOfRequest = (user: User, info: RequestInfo): AuthorizationAttributes => ({
  user,
  verb: info.verb,
  isResource: info.isResource,
  group: info.group,
  version: info.version,
  resource: info.resource,
  subresource: info.subresource,
  namespace: info.namespace,
  name: info.name,
  path: info.path,
})

const escape = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
const q = (text: string): string => JSON.stringify(text)

/** `User "jane" cannot list resource "pods" in API group "" in the namespace "default"`. */
export function forbiddenMessage(a: AuthorizationAttributes): string {
  const user = q(escape(a.user.name))
  if (!a.isResource) return `User ${user} cannot ${escape(a.verb)} path ${q(escape(a.path))}`
  const resource = q(escape(a.subresource === '' ? a.resource : `${a.resource}/${a.subresource}`))
  const where = a.namespace === '' ? 'at the cluster scope' : `in the namespace ${q(escape(a.namespace))}`
  return `User ${user} cannot ${escape(a.verb)} resource ${resource} in API group ${q(escape(a.group))} ${where}`
}

export function forbiddenStatus(a: AuthorizationAttributes, reason: string): Status {
  const why = reason === '' ? forbiddenMessage(a) : `${forbiddenMessage(a)}: ${reason}`
  if (!a.isResource) return forbidden(undefined, '', why)
  return forbidden({ group: a.group, name: a.resource }, a.name, why)
}

// Reviews: questions to the authenticator and the authorizer (pkg/registry/authentication, pkg/registry/authorization).
import { type FieldError, invalid as invalidField } from '../../../api/field.ts'
import { badRequest, invalid } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { staticUser, AUTHENTICATED } from '../authn/authenticate.ts'
import { authenticateServiceAccount, ISSUER } from '../authn/service-account.ts'
import type { AuthorizationAttributes } from '../authz/attributes.ts'
import { authorize, rbacView } from '../authz/authorize.ts'
import { rulesFor } from '../authz/rbac.ts'
import { refuse } from '../refusal.ts'
import { decodeKind } from '../rest/body.ts'
import { writeOptions } from '../rest/options.ts'
import type { Rq } from '../rest/request.ts'
import type { Plan, User } from '../types.ts'

const answer = (kind: string, group: string, metadata: object, rest: object): Plan => ({
  do: 'answer',
  answer: { code: 201, raw: { kind, apiVersion: `${group}/v1`, metadata, ...rest } },
})

const AUTHN = 'authentication.k8s.io'
const AUTHZ = 'authorization.k8s.io'

const userInfo = (user: User): object => ({
  ...(user.name ? { username: user.name } : {}),
  ...(user.uid ? { uid: user.uid } : {}),
  ...(user.groups.length > 0 ? { groups: user.groups } : {}),
  ...(user.extra && Object.keys(user.extra).length > 0 ? { extra: user.extra } : {}),
})

const decode = (rq: Rq, group: string, kind: string): KubeObject =>
  decodeKind(rq, { group, version: 'v1', kind }, writeOptions(rq, 'CreateOptions'))

export function selfSubjectReview(rq: Rq): Plan {
  decode(rq, AUTHN, 'SelfSubjectReview')
  return answer('SelfSubjectReview', AUTHN, { creationTimestamp: rq.now }, { status: { userInfo: userInfo(rq.user) } })
}

export function tokenReview(rq: Rq): Plan {
  const { metadata, spec = {} } = decode(rq, AUTHN, 'TokenReview')
  const { namespace: _, ...meta } = metadata
  const { token = '', audiences = [] } = spec
  if (token === '') refuse(badRequest('token is required for TokenReview in authentication'))
  const known = staticUser(rq.config, token)
  if (known) {
    const user: User = { ...known, groups: [...known.groups, AUTHENTICATED] }
    return answer('TokenReview', AUTHN, meta, {
      spec,
      status: { authenticated: true, user: userInfo(user), audiences: audiences.length > 0 ? audiences : [ISSUER] },
    })
  }
  const account = authenticateServiceAccount(token, audiences, rq.view)
  if ('error' in account) return answer('TokenReview', AUTHN, meta, { spec, status: { user: {}, error: account.error } })
  const user: User = { ...account.user, groups: [...account.user.groups, AUTHENTICATED] }
  return answer('TokenReview', AUTHN, meta, { spec, status: { authenticated: true, user: userInfo(user), audiences: account.audiences } })
}

interface AccessSpec {
  user?: string
  uid?: string
  groups?: string[]
  extra?: Record<string, string[]>
  resourceAttributes?: {
    namespace?: string
    verb?: string
    group?: string
    version?: string
    resource?: string
    subresource?: string
    name?: string
    fieldSelector?: object
    labelSelector?: object
  }
  nonResourceAttributes?: { path?: string; verb?: string }
}

function specErrors(spec: AccessSpec, self: boolean): FieldError[] {
  const errors: FieldError[] = []
  const { resourceAttributes: resource, nonResourceAttributes: path } = spec
  if (resource && path)
    errors.push(invalidField('spec.nonResourceAttributes', path, 'cannot be specified in combination with resourceAttributes'))
  if (!resource && !path)
    errors.push(
      invalidField('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified'),
    )
  if (!self && !spec.user && (spec.groups ?? []).length === 0)
    errors.push(invalidField('spec.user', spec.user ?? '', 'at least one of user or group must be specified'))
  return errors
}

const attributes = (user: User, spec: AccessSpec): AuthorizationAttributes => {
  const { resourceAttributes: r, nonResourceAttributes: n } = spec
  return {
    user,
    verb: r?.verb ?? n?.verb ?? '',
    isResource: r !== undefined,
    group: r?.group ?? '',
    version: r?.version ?? '',
    resource: r?.resource ?? '',
    subresource: r?.subresource ?? '',
    namespace: r?.namespace ?? '',
    name: r?.name ?? '',
    path: n?.path ?? '',
  }
}

function decide(rq: Rq, user: User, spec: AccessSpec): object {
  const { allowed, reason } = authorize(attributes(user, spec), rq.view)
  return { allowed, ...(reason === '' ? {} : { reason }) }
}

export function subjectAccessReview(rq: Rq, kind: 'SubjectAccessReview' | 'SelfSubjectAccessReview' | 'LocalSubjectAccessReview'): Plan {
  const { metadata, spec = {} } = decode(rq, AUTHZ, kind)
  const self = kind === 'SelfSubjectAccessReview'
  const errors = specErrors(spec, self)
  if (kind === 'LocalSubjectAccessReview') {
    if (spec.resourceAttributes && (spec.resourceAttributes.namespace ?? '') !== rq.info.namespace) {
      refuse(badRequest(`spec.resourceAttributes.namespace must match namespace: ${rq.info.namespace}`))
    }
    if (spec.nonResourceAttributes)
      errors.push(invalidField('spec.nonResourceAttributes', spec.nonResourceAttributes, 'disallowed on this kind of request'))
    metadata.namespace ||= rq.info.namespace
  }
  if (errors.length > 0) refuse(invalid({ group: AUTHZ, name: kind }, '', errors))
  const user: User = self ? rq.user : { name: spec.user ?? '', groups: spec.groups ?? [], ...(spec.uid ? { uid: spec.uid } : {}) }
  return answer(kind, AUTHZ, metadata, { spec, status: decide(rq, user, spec) })
}

export function selfSubjectRulesReview(rq: Rq): Plan {
  const { metadata, spec = {} } = decode(rq, AUTHZ, 'SelfSubjectRulesReview')
  const namespace: string = spec.namespace ?? ''
  if (namespace === '') refuse(badRequest('no namespace on request'))

  const { rules, error } = rulesFor(rq.user, namespace, rbacView(rq.view))
  const resourceRules: object[] = []
  const nonResourceRules: object[] = []
  for (const rule of rules) {
    const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
    if (resources.length > 0) resourceRules.push({ verbs, apiGroups, resources, ...(resourceNames.length > 0 ? { resourceNames } : {}) })
    if (nonResourceURLs.length > 0) nonResourceRules.push({ verbs, nonResourceURLs })
  }
  return answer('SelfSubjectRulesReview', AUTHZ, metadata, {
    spec: {},
    status: { resourceRules, nonResourceRules, incomplete: error !== undefined, ...(error ? { evaluationError: error } : {}) },
  })
}

// Resources that are asked but never stored: reviews and bindings.
import { genericServerResponse } from '../../../api/status.ts'
import { refuse } from '../refusal.ts'
import type { Rq } from '../rest/request.ts'
import { planBinding } from '../subresources/binding.ts'
import type { Plan } from '../types.ts'
import { selfSubjectReview, selfSubjectRulesReview, subjectAccessReview, tokenReview } from './reviews.ts'

export interface VirtualResource {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly singular: string
  readonly kind: string
  readonly namespaced: boolean
  readonly create: (rq: Rq) => Plan
}

function bindings(rq: Rq): Plan {
  const served = rq.view.kind('pods')
  return served ? planBinding({ ...rq, served }, undefined) : refuse(genericServerResponse(404))
}

export const VIRTUAL: readonly VirtualResource[] = [
  { group: '', version: 'v1', resource: 'bindings', singular: 'binding', kind: 'Binding', namespaced: true, create: bindings },
  {
    group: 'authentication.k8s.io',
    version: 'v1',
    resource: 'selfsubjectreviews',
    singular: 'selfsubjectreview',
    kind: 'SelfSubjectReview',
    namespaced: false,
    create: selfSubjectReview,
  },
  {
    group: 'authentication.k8s.io',
    version: 'v1',
    resource: 'tokenreviews',
    singular: 'tokenreview',
    kind: 'TokenReview',
    namespaced: false,
    create: tokenReview,
  },
  {
    group: 'authorization.k8s.io',
    version: 'v1',
    resource: 'localsubjectaccessreviews',
    singular: 'localsubjectaccessreview',
    kind: 'LocalSubjectAccessReview',
    namespaced: true,
    create: (rq) => subjectAccessReview(rq, 'LocalSubjectAccessReview'),
  },
  {
    group: 'authorization.k8s.io',
    version: 'v1',
    resource: 'selfsubjectaccessreviews',
    singular: 'selfsubjectaccessreview',
    kind: 'SelfSubjectAccessReview',
    namespaced: false,
    create: (rq) => subjectAccessReview(rq, 'SelfSubjectAccessReview'),
  },
  {
    group: 'authorization.k8s.io',
    version: 'v1',
    resource: 'selfsubjectrulesreviews',
    singular: 'selfsubjectrulesreview',
    kind: 'SelfSubjectRulesReview',
    namespaced: false,
    create: selfSubjectRulesReview,
  },
  {
    group: 'authorization.k8s.io',
    version: 'v1',
    resource: 'subjectaccessreviews',
    singular: 'subjectaccessreview',
    kind: 'SubjectAccessReview',
    namespaced: false,
    create: (rq) => subjectAccessReview(rq, 'SubjectAccessReview'),
  },
]

export function planVirtual(rq: Rq): Plan | undefined {
  const { info } = rq
  const found = VIRTUAL.find((v) => v.group === info.group && v.version === info.version && v.resource === info.resource)
  if (!found) return undefined
  if (info.name !== '' || found.namespaced !== (info.namespace !== '')) return refuse(genericServerResponse(404))
  return rq.request.method === 'POST' ? found.create(rq) : refuse(genericServerResponse(405))
}

// From a request to the code that plans it: which resources exist, which methods their paths have.
import { genericServerResponse, methodNotSupported } from '../../api/status.ts'
import { negotiate, notAcceptable } from './encode/negotiate.ts'
import { notFoundText, planNonResource } from './nonresource/router.ts'
import { refuse } from './refusal.ts'
import { queryBool } from './request-info.ts'
import { planCreate } from './rest/create.ts'
import { planDeleteCollection } from './rest/deletecollection.ts'
import { planDelete } from './rest/delete.ts'
import { planGet } from './rest/get.ts'
import { planList } from './rest/list.ts'
import { resourceOf } from './rest/names.ts'
import { planPatch } from './rest/patch.ts'
import type { ResourceRq, Rq } from './rest/request.ts'
import { planUpdate } from './rest/update.ts'
import { planWatch } from './rest/watch.ts'
import { planSubresource } from './subresources/router.ts'
import type { Plan } from './types.ts'
import { planVirtual } from './virtual/router.ts'

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const DEPRECATED: Readonly<Record<string, string>> = {
  endpoints: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  componentstatuses: 'v1 ComponentStatus is deprecated in v1.19+',
}

export function route(rq: Rq): Plan {
  const { info } = rq
  if (!info.isResource || info.path.startsWith('//')) return planNonResource(rq)
  const served = rq.view.route(info.group, info.version, info.resource)
  if (!served) {
    const virtual = planVirtual(rq)
    if (virtual) return virtual
    return knownGroup(rq, info.group) ? refuse(genericServerResponse(404)) : notFoundText
  }
  if (info.group === '' && Object.hasOwn(DEPRECATED, info.resource)) rq.warnings.push(DEPRECATED[info.resource] as string)
  const resource: ResourceRq = { ...rq, served }
  const { strategy } = served
  if (served.custom) {
    // Paths of the wrong scope lead past the definition.
    if (strategy.namespaced ? info.namespace === '' && info.verb !== 'list' && info.verb !== 'watch' : info.namespace !== '')
      return notFoundText
    if (served.deprecation) rq.warnings.push(served.deprecation)
    if (served.terminating && info.verb === 'create') {
      const status = methodNotSupported(resourceOf(served), info.verb)
      return refuse({ ...status, message: `${info.verb} not allowed while custom resource definition is terminating` })
    }
  }
  const verbs = strategy.verbs ?? ALL_VERBS
  const methodMissing = (): never => refuse(genericServerResponse(405))
  if (info.subresource !== '') {
    // The path of a namespace is also one within it.
    if (info.resource !== 'namespaces' && strategy.namespaced !== (info.namespace !== '')) return refuse(genericServerResponse(404))
    return planSubresource(resource)
  }
  const named = /[^/]/.test(info.name) && info.verb !== 'list' && info.verb !== 'watch'
  const allowed = (verb: string): boolean => verbs.includes(verb)
  // An item of a namespaced kind without its namespace has no path at all.
  if (named && strategy.namespaced && info.namespace === '') return refuse(genericServerResponse(404))
  if (!strategy.namespaced && info.namespace !== '' && info.resource !== 'namespaces') return refuse(genericServerResponse(404))
  if (!negotiate(rq.request.headers.accept, { pretty: false })) refuse(notAcceptable())
  switch (rq.request.method) {
    case 'GET':
      if (info.verb === 'watch') return allowed('watch') ? planWatch(resource) : methodMissing()
      if (info.verb === 'list')
        return queryBool(info.query, 'watch') && allowed('watch')
          ? planWatch(resource)
          : allowed('list')
            ? planList(resource)
            : methodMissing()
      return allowed('get') ? planGet(resource) : methodMissing()
    case 'POST':
      return !named && allowed('create') && strategy.namespaced === (info.namespace !== '') ? planCreate(resource) : methodMissing()
    case 'PUT':
      return named && allowed('update') ? planUpdate(resource) : methodMissing()
    case 'PATCH':
      return named && allowed('patch') ? planPatch(resource) : methodMissing()
    case 'DELETE':
      if (named) return allowed('delete') ? planDelete(resource) : methodMissing()
      return allowed('deletecollection') && strategy.namespaced === (info.namespace !== '')
        ? planDeleteCollection(resource)
        : methodMissing()
    default:
      return methodMissing()
  }
}

const knownGroup = (rq: Rq, group: string): boolean =>
  group === '' || rq.view.kinds().some((s) => !s.custom && s.group === group) || VIRTUAL_GROUPS.has(group)
const VIRTUAL_GROUPS = new Set(['authentication.k8s.io', 'authorization.k8s.io'])

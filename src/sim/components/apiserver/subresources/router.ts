// Doors to a part of an object, or to something beside it.
import { genericServerResponse, notFound } from '../../../api/status.ts'
import { negotiate, notAcceptable } from '../encode/negotiate.ts'
import { refuse } from '../refusal.ts'
import { planGet } from '../rest/get.ts'
import { resourceOf } from '../rest/names.ts'
import { planPatch } from '../rest/patch.ts'
import type { ResourceRq } from '../rest/request.ts'
import { planUpdate } from '../rest/update.ts'
import type { Plan } from '../types.ts'
import { planBinding } from './binding.ts'
import { planConnect, planLog } from './connect.ts'
import { planEviction } from './eviction.ts'
import { planProxy } from './proxy.ts'
import { planScale } from './scale.ts'
import { planToken } from './token.ts'

/** By `resource/subresource`, then by method. */
const HANDLERS: Readonly<Record<string, Readonly<Record<string, (rq: ResourceRq) => Plan>>>> = {
  'pods/binding': { POST: (rq) => planBinding(rq, rq.info.name) },
  'pods/eviction': { POST: planEviction },
  'pods/log': { GET: planLog },
  'pods/exec': { GET: planConnect, POST: planConnect },
  'pods/attach': { GET: planConnect, POST: planConnect },
  'pods/portforward': { GET: planConnect, POST: planConnect },
  'serviceaccounts/token': { POST: planToken },
}

const methodMissing = (): never => refuse(genericServerResponse(405))

/** Doors that only write: finalize and the like cannot be read. */
const WRITE_ONLY = new Set(['finalize'])

const PROXY = new Set(['nodes/proxy', 'pods/proxy', 'services/proxy'])

export function planSubresource(rq: ResourceRq): Plan {
  const { subresource, resource } = rq.info
  const sub = rq.served.strategy.subresources?.[subresource]
  if (!sub) return refuse(rq.served.custom ? notFound(resourceOf(rq.served), rq.info.name) : genericServerResponse(404))
  const { method } = rq.request
  if (PROXY.has(`${resource}/${subresource}`)) return planProxy(rq)
  if (sub.does === 'handler') {
    const handler = HANDLERS[`${resource}/${subresource}`]?.[method]
    return handler ? handler(rq) : methodMissing()
  }
  if (!negotiate(rq.request.headers.accept, { pretty: false })) refuse(notAcceptable())
  if (sub.does === 'scale') return method === 'GET' || method === 'PUT' || method === 'PATCH' ? planScale(rq, sub) : methodMissing()
  switch (method) {
    case 'GET':
      return WRITE_ONLY.has(subresource) ? methodMissing() : planGet(rq)
    case 'PUT':
      return planUpdate(rq)
    case 'PATCH':
      return WRITE_ONLY.has(subresource) ? methodMissing() : planPatch(rq)
    default:
      return methodMissing()
  }
}

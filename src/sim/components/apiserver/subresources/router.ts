// Doors to a part of an object, or to something beside it.
import { genericServerResponse } from '../../../api/status.ts'
import { refuse } from '../refusal.ts'
import { planGet } from '../rest/get.ts'
import { planPatch } from '../rest/patch.ts'
import type { ResourceRq } from '../rest/request.ts'
import { planUpdate } from '../rest/update.ts'
import type { Plan } from '../types.ts'

export function planSubresource(rq: ResourceRq): Plan {
  const sub = rq.served.strategy.subresources?.[rq.info.subresource]
  if (!sub) return refuse(genericServerResponse(404))
  const { method } = rq.request
  if (sub.does === 'update') {
    switch (method) {
      case 'GET':
        return planGet(rq)
      case 'PUT':
        return planUpdate(rq)
      case 'PATCH':
        return planPatch(rq)
      default:
        return refuse(genericServerResponse(405))
    }
  }
  return refuse(genericServerResponse(405))
}

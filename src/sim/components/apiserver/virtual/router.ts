// Resources that are asked but never stored: reviews, bindings, component statuses.
import type { Rq } from '../rest/request.ts'
import type { Plan } from '../types.ts'

export function planVirtual(_rq: Rq): Plan | undefined {
  return undefined
}

// GET /openapi/v2, /openapi/v3 and /openapi/v3/apis/GROUP/VERSION.
import type { Rq } from '../rest/request.ts'
import type { Plan } from '../types.ts'

/** undefined = no such document. */
export function planOpenAPI(_rq: Rq, _path: string): Plan | undefined {
  return undefined
}

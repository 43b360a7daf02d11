// Paths outside the resources: health, version, discovery, OpenAPI, metrics.
import { genericServerResponse } from '../../../api/status.ts'
import { refuse } from '../refusal.ts'
import type { Rq } from '../rest/request.ts'
import type { Plan } from '../types.ts'

const text = (code: number, body: string): Plan => ({ do: 'answer', answer: { code, text: body, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } } })

export function planNonResource(rq: Rq): Plan {
  const { path } = rq.info
  if (path.startsWith('//')) return text(404, '404 page not found\n')
  if (path === '/healthz' || path === '/livez' || path === '/readyz') return text(200, 'ok')
  if (/^\/api(\/v\d[^/]*)?$/.test(path)) return refuse(genericServerResponse(404))
  return text(404, '404 page not found\n')
}

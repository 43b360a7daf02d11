// PATCH: handlers/patch.go.
import { genericServerResponse } from '../../../api/status.ts'
import { refuse } from '../refusal.ts'
import type { Plan } from '../types.ts'
import type { ResourceRq } from './request.ts'

export function planPatch(_rq: ResourceRq): Plan {
  return refuse(genericServerResponse(405))
}

// A whole attempt, pure: scheduling, and if it fails the PostFilter plugins; with the message that a failed attempt leaves.
import { fitErrorMessage } from './framework/fiterror.ts'
import type { Cycle } from './framework/types.ts'
import { type Preemption, preempt } from './plugins/defaultpreemption/plugin.ts'
import { dynamicResourcesPostFilter } from './plugins/dynamicresources/plugin.ts'
import { type ScheduleOptions, type ScheduleResult, schedulePod } from './schedule.ts'

export interface AttemptOptions extends ScheduleOptions {
  /** Epoch ms. */
  readonly now: number
}

export interface Attempt {
  readonly result: ScheduleResult
  /** Of a failed attempt. */
  readonly message: string
  readonly preemption: Preemption | undefined
}

export function attempt(cycle: Cycle, options: AttemptOptions): Attempt {
  const result = schedulePod(cycle, options)
  if (result.outcome === 'found') return { result, message: '', preemption: undefined }
  if (result.outcome === 'no nodes') return { result, message: result.message, preemption: undefined }
  const claims = dynamicResourcesPostFilter(result.reachedDynamicResources)
  if (claims.code === 'Error')
    return {
      result,
      message: fitErrorMessage(result.diagnosis, result.diagnosis.preFilterMessage, claims.reasons.join(', ')),
      preemption: undefined,
    }
  const preemption = preempt(cycle, result.filters, result.diagnosis, options.now, options.random)
  const postFilter = preemption.chosen ? '' : [...claims.reasons, preemption.message].join(', ')
  return { result, message: fitErrorMessage(result.diagnosis, result.diagnosis.preFilterMessage, postFilter), preemption }
}

// Checks of a Job's status: a field is checked when it changes (pkg/registry/batch/job/strategy.go, validateJobStatus).
import type { FieldError } from '../../../../api/field.ts'
import { duplicate, invalid, required } from '../../../../api/field.ts'
import type { JobCondition, JobSpec, JobStatus } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { nonNegative, semanticEqual } from '../apps/common.ts'
import { printGoType } from '../apps/gotemplate.ts'
import { overlappingIndex, parseIndexes } from './indexes.ts'
import { omitValue } from './omit.ts'

export const isConditionTrue = (status: JobStatus | undefined, type: string): boolean =>
  (status?.conditions ?? []).some((c: JobCondition) => c.type === type && c.status === 'True')

const isFinished = (status: JobStatus): boolean => isConditionTrue(status, 'Complete') || isConditionTrue(status, 'Failed')

const conditions = (detail: string): FieldError => omitValue(invalid('status.conditions', undefined, detail))

function validateUncounted(status: JobStatus): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const list of ['succeeded', 'failed'] as const) {
    for (const [i, uid] of (status.uncountedTerminatedPods?.[list] ?? []).entries()) {
      const field = `status.uncountedTerminatedPods.${list}[${i}]`
      if (uid === '') errors.push(invalid(field, uid, 'must not be empty'))
      else if (seen.has(uid)) errors.push(duplicate(field, uid))
      seen.add(uid)
    }
  }
  return errors
}

export function validateJobStatusUpdate(draft: KubeObject, oldObject: KubeObject): FieldError[] {
  const spec = draft.spec as JobSpec
  const status = draft.status as JobStatus
  const old = (oldObject.status ?? {}) as JobStatus
  const indexed = spec.completionMode === 'Indexed'
  const changed = (name: keyof JobStatus): boolean => !semanticEqual(status[name], old[name])
  const flipped = (type: string): boolean => isConditionTrue(status, type) !== isConditionTrue(old, type)
  const is = (type: string): boolean => isConditionTrue(status, type)
  const finished = isFinished(status)
  const finishedChanged = finished !== isFinished(old)
  const resuming =
    isConditionTrue(old, 'Suspended') && (status.conditions ?? []).some((c) => c.type === 'Suspended' && c.status === 'False')
  const suspendedWithZeroCompletions = spec.suspend === true && spec.completions === 0
  const active = status.active ?? 0

  const errors = [
    ...nonNegative('status.active', status.active),
    ...nonNegative('status.succeeded', status.succeeded),
    ...nonNegative('status.failed', status.failed),
    ...nonNegative('status.ready', status.ready),
    ...nonNegative('status.terminating', status.terminating),
    ...validateUncounted(status),
  ]
  const add = (when: boolean, error: FieldError): void => {
    if (when) errors.push(error)
  }
  add(
    (flipped('Complete') || flipped('Failed')) && is('Complete') && is('Failed'),
    conditions('cannot set Complete=True and Failed=true conditions'),
  )
  add(
    (flipped('Complete') || flipped('FailureTarget')) && is('Complete') && is('FailureTarget'),
    conditions('cannot set Complete=True and FailureTarget=true conditions'),
  )
  const completionField = 'status.completionTime'
  const completionChanged = flipped('Complete') || changed('completionTime')
  add(
    completionChanged && status.completionTime !== undefined && !is('Complete'),
    invalid(completionField, status.completionTime, 'cannot set completionTime when there is no Complete=True condition'),
  )
  add(
    completionChanged && status.completionTime === undefined && is('Complete'),
    required(completionField, 'completionTime is required for Complete jobs'),
  )
  add(
    (changed('startTime') || changed('completionTime')) &&
      status.startTime !== undefined &&
      status.completionTime !== undefined &&
      Date.parse(status.completionTime) < Date.parse(status.startTime),
    invalid(completionField, status.completionTime, 'must be equal to or after `startTime`'),
  )
  add(
    (flipped('Failed') || changed('failedIndexes')) && is('Failed') && !is('FailureTarget'),
    conditions('cannot set Failed=True condition without the FailureTarget=true condition'),
  )
  add(
    (flipped('Complete') || flipped('SuccessCriteriaMet')) && is('Complete') && !is('SuccessCriteriaMet'),
    conditions('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'),
  )
  add(
    (finishedChanged || changed('active')) && active > 0 && finished,
    invalid('status.active', active, 'active>0 is invalid for finished job'),
  )
  add(
    (finishedChanged || changed('startTime')) && !suspendedWithZeroCompletions && status.startTime === undefined && finished,
    required('status.startTime', 'startTime is required for finished job'),
  )
  const uncounted = status.uncountedTerminatedPods
  add(
    (finishedChanged || changed('uncountedTerminatedPods')) &&
      finished &&
      (uncounted?.failed?.length ?? 0) + (uncounted?.succeeded?.length ?? 0) > 0,
    {
      ...invalid('status.uncountedTerminatedPods', uncounted, 'must be empty for finished job'),
      badValueText: printGoType(uncounted, '*UncountedTerminatedPods'),
    },
  )
  errors.push(...validateIndexes(spec, status, changed('completedIndexes'), changed('failedIndexes'), indexed))
  add(
    (finishedChanged || changed('terminating')) && (status.terminating ?? 0) > 0 && finished,
    invalid('status.terminating', status.terminating, 'terminating>0 is invalid for finished job'),
  )
  add(
    (changed('ready') || changed('active')) && status.ready !== undefined && status.ready > active,
    invalid('status.ready', status.ready, 'cannot set more ready pods than active'),
  )
  add(is('SuccessCriteriaMet') && is('Failed'), conditions('cannot set SuccessCriteriaMet=True and Failed=true conditions'))
  add(is('SuccessCriteriaMet') && is('FailureTarget'), conditions('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions'))
  add(
    spec.successPolicy !== undefined && !is('SuccessCriteriaMet') && is('Complete'),
    conditions('cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True'),
  )
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    add(isConditionTrue(old, type) && !is(type), conditions(`cannot disable the terminal ${type}=True condition`))
  }
  add((status.failed ?? 0) < (old.failed ?? 0), invalid('status.failed', status.failed ?? 0, 'cannot decrease the failed counter'))
  // Indexed Jobs with as many workers as completions may be scaled down.
  add(
    (!indexed || spec.completions !== spec.parallelism) && (status.succeeded ?? 0) < (old.succeeded ?? 0),
    invalid('status.succeeded', status.succeeded ?? 0, 'cannot decrease the succeeded counter'),
  )
  add(
    status.completionTime !== undefined && old.completionTime !== undefined && changed('completionTime'),
    invalid(completionField, status.completionTime, 'field is immutable'),
  )
  add(
    changed('startTime') && !resuming && old.startTime !== undefined && spec.suspend !== true,
    required('status.startTime', 'startTime cannot be removed for unsuspended job'),
  )
  const wasMet = isConditionTrue(old, 'SuccessCriteriaMet')
  add(wasMet && !is('SuccessCriteriaMet'), conditions('cannot disable the SuccessCriteriaMet=True condition'))
  add(
    isConditionTrue(old, 'Complete') && !wasMet && is('SuccessCriteriaMet'),
    conditions('cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions'),
  )
  return errors
}

function validateIndexes(
  spec: JobSpec,
  status: JobStatus,
  completedChanged: boolean,
  failedChanged: boolean,
  indexed: boolean,
): FieldError[] {
  const errors: FieldError[] = []
  const completed = status.completedIndexes ?? ''
  const failed = status.failedIndexes
  const completions = spec.completions
  if (completedChanged && completions !== undefined) {
    const parsed = parseIndexes(completed, completions)
    if (parsed.error !== undefined)
      errors.push(invalid('status.completedIndexes', completed, `error parsing completedIndexes: ${parsed.error}`))
  }
  if (failedChanged && completions !== undefined && spec.backoffLimitPerIndex !== undefined && failed !== undefined) {
    const parsed = parseIndexes(failed, completions)
    if (parsed.error !== undefined) errors.push(invalid('status.failedIndexes', failed, `error parsing failedIndexes: ${parsed.error}`))
  }
  if (completedChanged && completed !== '' && !indexed) {
    errors.push(invalid('status.completedIndexes', completed, 'cannot set non-empty completedIndexes when non-indexed completion mode'))
  }
  if (failedChanged && spec.backoffLimitPerIndex === undefined && failed !== undefined) {
    errors.push(invalid('status.failedIndexes', failed, 'cannot set non-null failedIndexes when backoffLimitPerIndex is null'))
  }
  if ((completedChanged || failedChanged) && completions !== undefined && failed !== undefined) {
    const both = overlappingIndex(completed, failed, completions)
    if (both !== undefined)
      errors.push(invalid('status.failedIndexes', failed, `failedIndexes and completedIndexes overlap at index: ${both}`))
  }
  return errors
}

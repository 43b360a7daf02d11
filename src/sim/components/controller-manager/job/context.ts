// What one sync of a Job knows and changes (syncJobCtx of pkg/controller/job/job_controller.go).
import type { JobCondition } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime } from '../../../client/time.ts'
import { isPodActive, isPodReady, isPodTerminating } from '../runtime/objects.ts'
import type { BackoffRecord } from './backoff.ts'
import { indexOf, isIndexed, isValidIndex } from './indexes.ts'

export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking'
export const MAX_UNCOUNTED_PODS = 500
export const MAX_PODS_PER_SYNC = 500

export const REASON = {
  backoffLimit: ['BackoffLimitExceeded', 'Job has reached the specified backoff limit'],
  deadline: ['DeadlineExceeded', 'Job was active longer than specified deadline'],
  maxFailedIndexes: ['MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes'],
  failedIndexes: ['FailedIndexes', 'Job has failed indexes'],
  completions: ['CompletionsReached', 'Reached expected number of succeeded pods'],
  suspended: ['JobSuspended', 'Job suspended'],
  resumed: ['JobResumed', 'Job resumed'],
} as const

/** The status as it is being rewritten: plain data that lives for one run of the generator. */
export interface StatusDraft {
  active: number
  ready: number
  terminating: number
  succeeded: number
  failed: number
  startTime?: string
  completionTime?: string
  completedIndexes?: string
  failedIndexes?: string
  conditions: JobCondition[]
  uncountedSucceeded: string[]
  uncountedFailed: string[]
}

export interface JobContext {
  /** Status apart; replaced by what the API server answers. */
  job: KubeObject
  readonly status: StatusDraft
  readonly pods: readonly KubeObject[]
  readonly active: readonly KubeObject[]
  /** uids of pods whose finalizer was removed although the cache still shows it. */
  readonly expectedGone: ReadonlySet<string>
  readonly uncountedSucceeded: ReadonlySet<string>
  readonly uncountedFailed: ReadonlySet<string>
  succeeded: number
  failed: number
  terminating: number
  ready: number
  prevSucceededIndexes: ReadonlySet<number>
  succeededIndexes: ReadonlySet<number>
  failedIndexes?: ReadonlySet<number>
  /** The last failed pod of an index keeps its finalizer until it is replaced: it carries the count of failures. */
  delayed: ReadonlyMap<number, KubeObject>
  backoff: BackoffRecord
  finished?: JobCondition
}

export const hasFinalizer = (pod: KubeObject): boolean => pod.metadata.finalizers?.includes(TRACKING_FINALIZER) === true
export const isSuspended = (job: KubeObject): boolean => job.spec?.suspend === true
export const getJobCondition = (job: KubeObject, type: string): JobCondition | undefined =>
  ((job.status?.conditions ?? []) as JobCondition[]).find((c) => c.type === type && c.status === 'True')
export const isFinished = (job: KubeObject): boolean => Boolean(getJobCondition(job, 'Complete') ?? getJobCondition(job, 'Failed'))
/** Pods are replaced only once they are Failed, not while they terminate. */
export const replacesOnlyFailed = (job: KubeObject): boolean =>
  job.spec?.podReplacementPolicy === 'Failed' || job.spec?.podFailurePolicy !== undefined

/** isPodFailed: deleted pods count as failures, lest orphans be waited for. */
export function isPodFailed(job: KubeObject, pod: KubeObject): boolean {
  if (pod.status?.phase === 'Failed') return true
  if (replacesOnlyFailed(job)) return false
  return pod.metadata.deletionTimestamp !== undefined && pod.status?.phase !== 'Succeeded'
}

export const newCondition = (type: string, reason: string, message: string, now: number): JobCondition => ({
  type,
  status: 'True',
  lastProbeTime: apiTime(now),
  lastTransitionTime: apiTime(now),
  reason,
  message,
})

/** ensureJobConditionStatus: whether it changed something. */
export function ensureCondition(
  list: JobCondition[],
  type: string,
  status: 'True' | 'False',
  [reason, message]: readonly [string, string],
  now: number,
): boolean {
  const i = list.findIndex((c) => c.type === type)
  if (i < 0) {
    if (status === 'False') return false
    list.push(newCondition(type, reason, message, now))
    return true
  }
  if (list[i]?.status === status) return false
  list[i] = { ...newCondition(type, reason, message, now), status }
  return true
}

export function newContext(job: KubeObject, pods: readonly KubeObject[], expectedGone: ReadonlySet<string>): JobContext {
  const s = job.status ?? {}
  const uncounted = s.uncountedTerminatedPods ?? {}
  const status: StatusDraft = {
    active: s.active ?? 0,
    ready: s.ready ?? 0,
    terminating: s.terminating ?? 0,
    succeeded: s.succeeded ?? 0,
    failed: s.failed ?? 0,
    ...(s.startTime ? { startTime: s.startTime } : {}),
    ...(s.completionTime ? { completionTime: s.completionTime } : {}),
    ...(s.completedIndexes ? { completedIndexes: s.completedIndexes } : {}),
    ...(s.failedIndexes === undefined ? {} : { failedIndexes: s.failedIndexes }),
    conditions: [...(s.conditions ?? [])],
    uncountedSucceeded: [...(uncounted.succeeded ?? [])],
    uncountedFailed: [...(uncounted.failed ?? [])],
  }
  const active = pods.filter(isPodActive)
  return {
    job,
    status,
    pods,
    active,
    expectedGone,
    uncountedSucceeded: new Set(status.uncountedSucceeded),
    uncountedFailed: new Set(status.uncountedFailed),
    succeeded: 0,
    failed: 0,
    terminating: pods.filter(isPodTerminating).length,
    ready: active.filter(isPodReady).length,
    prevSucceededIndexes: new Set(),
    succeededIndexes: new Set(),
    delayed: new Map(),
    backoff: { failuresAfterLastSuccess: 0 },
  }
}

/** getNewFinishedPods: finished, with finalizer, and not counted before. */
export function newlyFinished(ctx: JobContext): { succeeded: KubeObject[]; failed: KubeObject[] } {
  const valid = (pod: KubeObject, counted: ReadonlySet<string>): boolean => {
    const uid = pod.metadata.uid ?? ''
    return (
      hasFinalizer(pod) && !counted.has(uid) && !ctx.expectedGone.has(uid) && (!isIndexed(ctx.job) || isValidIndex(ctx.job, indexOf(pod)))
    )
  }
  return {
    succeeded: ctx.pods.filter((p) => p.status?.phase === 'Succeeded' && valid(p, ctx.uncountedSucceeded)),
    failed: ctx.pods.filter((p) => isPodFailed(ctx.job, p) && valid(p, ctx.uncountedFailed)),
  }
}

/** The status as the API has it: zero counters are left out, save those that are pointers. */
export function statusObject(ctx: JobContext): object {
  const s = ctx.status
  const uncounted = {
    ...(s.uncountedSucceeded.length > 0 ? { succeeded: [...s.uncountedSucceeded] } : {}),
    ...(s.uncountedFailed.length > 0 ? { failed: [...s.uncountedFailed] } : {}),
  }
  return {
    ...(s.conditions.length > 0 ? { conditions: [...s.conditions] } : {}),
    ...(s.startTime ? { startTime: s.startTime } : {}),
    ...(s.completionTime ? { completionTime: s.completionTime } : {}),
    ...(s.active ? { active: s.active } : {}),
    ...(s.succeeded ? { succeeded: s.succeeded } : {}),
    ...(s.failed ? { failed: s.failed } : {}),
    terminating: s.terminating,
    ...(s.completedIndexes ? { completedIndexes: s.completedIndexes } : {}),
    ...(s.failedIndexes === undefined ? {} : { failedIndexes: s.failedIndexes }),
    uncountedTerminatedPods: uncounted,
    ready: s.ready,
  }
}

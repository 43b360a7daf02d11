// pkg/controller/job/job_controller.go
import { deepEqual } from '../../../../lib/compare.ts'
import { labelSelectorAsSelector, nothing, type Selector } from '../../../api/labels.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime, parseApiTime } from '../../../client/time.ts'
import { claim } from '../runtime/claim.ts'
import { orphanKey } from '../runtime/indexes.ts'
import { controllerOf, keyOf } from '../runtime/objects.ts'
import { call, event, isNotFound, SyncError } from '../runtime/steps.ts'
import type { Controller, Env, Outcome, Runtime, Steps } from '../runtime/types.ts'
import { type BackoffRecord, nextRecord } from './backoff.ts'
import {
  ensureCondition,
  getJobCondition,
  hasFinalizer,
  isFinished,
  isPodFailed,
  isSuspended,
  type JobContext,
  newContext,
  newCondition,
  newlyFinished,
  REASON,
  TRACKING_FINALIZER,
} from './context.ts'
import { failureCount, hasBackoffLimitPerIndex, indexOf, isIndexed, isValidIndex, parseIndexes } from './indexes.ts'
import { deleteActivePods, manageJob } from './manage.ts'
import { matchFailurePolicy, matchSuccessPolicy } from './policy.ts'
import { expectedRemovals, removalObserved, removeFinalizerCall, track } from './track.ts'

/** syncJobBatchPeriod: changes of pods are collected for a second. */
const BATCH_MS = 1000
const RETRY = { baseMs: 1000, maxMs: 60_000 }
const NAME = 'job-controller'
const ORPHANS = `${NAME}/orphans`

interface Observed {
  readonly job: KubeObject
  readonly pods: readonly KubeObject[]
  readonly mayManage: boolean
  readonly expectedGone: readonly string[]
  readonly backoff?: BackoffRecord
}

const selectorOf = (job: KubeObject): Selector => labelSelectorAsSelector(job.spec?.selector) ?? nothing

const ownerOf = (rt: Runtime, pod: KubeObject): KubeObject | undefined => {
  const ref = controllerOf(pod)
  const job = ref?.kind === 'Job' ? rt.get('jobs', `${pod.metadata.namespace}/${ref.name}`) : undefined
  return job?.metadata.uid === ref?.uid ? job : undefined
}
const batched = (rt: Runtime, job: KubeObject): void => rt.addAfter(keyOf(job), BATCH_MS, { periodic: false })

function podGone(rt: Runtime, pod: KubeObject, final: boolean): void {
  const job = ownerOf(rt, pod)
  if (!job || isFinished(job)) {
    if (hasFinalizer(pod) && !final) rt.add(keyOf(pod), ORPHANS)
    return
  }
  rt.expectations.deletionObserved(rt.context, keyOf(job))
  if (final || !hasFinalizer(pod)) removalObserved(rt, keyOf(job), pod.metadata.uid ?? '')
  batched(rt, job)
}

const releaseAll = (rt: Runtime, job: KubeObject): void => {
  for (const pod of rt.index('pods', 'controller', job.metadata.uid ?? '')) if (hasFinalizer(pod)) rt.add(keyOf(pod), ORPHANS)
}

export const jobController: Controller<Observed> = {
  name: NAME,
  controller: NAME,
  serviceAccount: 'job-controller',
  workers: 5,
  subject: 'jobs',
  informers: ['jobs', 'pods'],
  retry: RETRY,
  on: {
    jobs(rt, { type, key, object: job, old }) {
      if (type === 'DELETED') {
        rt.expectations.forget(rt.context, key)
        expectedRemovals(rt).delete(key)
        rt.memory('backoff').delete(key)
        releaseAll(rt, job)
        return
      }
      if (isFinished(job)) releaseAll(rt, job)
      if (old && old.metadata.generation === job.metadata.generation) batched(rt, job)
      else rt.add(key)
    },
    pods(rt, { type, object: pod, old }) {
      if (type === 'DELETED' || pod.metadata.deletionTimestamp) {
        podGone(rt, pod, type === 'DELETED')
        return
      }
      const job = ownerOf(rt, pod)
      const released = old !== undefined && hasFinalizer(old) && !hasFinalizer(pod)
      const changed = old !== undefined && controllerOf(old)?.uid !== controllerOf(pod)?.uid
      const former = changed ? ownerOf(rt, old) : undefined
      if (former) batched(rt, former)
      if (job) {
        if (type === 'ADDED') rt.expectations.creationObserved(rt.context, keyOf(job))
        if (released) removalObserved(rt, keyOf(job), pod.metadata.uid ?? '')
        batched(rt, job)
        return
      }
      if (controllerOf(pod)) {
        if (hasFinalizer(pod)) rt.add(keyOf(pod), ORPHANS)
        return
      }
      if (hasFinalizer(pod)) rt.add(keyOf(pod), ORPHANS)
      if (type === 'MODIFIED' && !changed && deepEqual(old?.metadata.labels, pod.metadata.labels)) return
      for (const j of rt.list('jobs', pod.metadata.namespace))
        if (!selectorOf(j).empty() && selectorOf(j).matches(pod.metadata.labels ?? {})) batched(rt, j)
    },
  },
  observe(key, rt) {
    const job = rt.get('jobs', key)
    if (!job || isFinished(job)) {
      rt.memory('backoff').delete(key)
      return undefined
    }
    if (job.spec?.managedBy !== undefined && job.spec.managedBy !== 'kubernetes.io/job-controller') return undefined
    const { uid, namespace } = job.metadata
    const pods = [...rt.index('pods', 'controller', uid ?? ''), ...rt.index('pods', 'controller', orphanKey(namespace))]
    const backoff = rt.memory<BackoffRecord>('backoff').get(key)
    return {
      job,
      pods,
      mayManage: rt.expectationsSatisfied(key),
      expectedGone: expectedRemovals(rt).get(key) ?? [],
      ...(backoff ? { backoff } : {}),
    }
  },
  *reconcile({ job, pods: cached, mayManage, expectedGone, backoff }, env): Steps<Outcome | void> {
    const pods = yield* claim(job, cached, {
      ownerResource: 'jobs',
      resource: 'pods',
      selector: selectorOf(job),
      finalizer: TRACKING_FINALIZER,
    })
    const ctx = newContext(job, pods, new Set(expectedGone))
    const fresh = newlyFinished(ctx)
    ctx.succeeded = ctx.status.succeeded + fresh.succeeded.length + ctx.uncountedSucceeded.size
    ctx.failed = ctx.status.failed + fresh.failed.filter((p) => matchFailurePolicy(job, p).counts).length + ctx.uncountedFailed.size
    if (ctx.status.startTime === undefined && !isSuspended(job)) ctx.status.startTime = apiTime(env.now)
    ctx.backoff = nextRecord(backoff, fresh.succeeded, fresh.failed, env.now)
    const deadline = judge(ctx, env)
    if (isIndexed(job)) judgeIndexes(ctx, env)

    let active = ctx.active.length
    let changed = false
    let error: string | undefined
    let wait: number | undefined = deadline
    if (ctx.finished) {
      const { deleted, error: failure } = yield* deleteActivePods(ctx)
      // There may be pods that the cache does not show yet.
      if (deleted !== active || !mayManage) delete ctx.finished
      active -= deleted
      ctx.terminating += deleted
      error = failure
    } else {
      const managed = mayManage && !job.metadata.deletionTimestamp
      if (managed) {
        const result = yield* manageJob(ctx, env)
        active = result.active
        error = result.error
        if (result.waitMs !== undefined) wait = Math.min(wait ?? result.waitMs, result.waitMs)
      }
      const completions: number | undefined = job.spec?.completions
      const complete = active === 0 && (completions === undefined ? ctx.succeeded > 0 : ctx.succeeded >= completions)
      if (complete) ctx.finished = newCondition('SuccessCriteriaMet', ...REASON.completions, env.now)
      else if (managed) changed = yield* showSuspended(ctx, env)
    }
    const { status } = ctx
    const flush =
      changed || active !== status.active || ctx.ready !== (job.status?.ready ?? -1) || ctx.terminating !== (job.status?.terminating ?? -1)
    status.active = active
    status.ready = ctx.ready
    status.terminating = ctx.terminating
    yield* track(ctx, flush, env)
    if (error !== undefined) throw new SyncError(error)
    // A deadline far away keeps no cluster from being quiet.
    return wait === undefined ? undefined : { requeueAfterMs: wait, periodic: wait === deadline }
  },
}

/** Whether the Job is over because of its pods or the clock. Returns ms until its deadline. */
function judge(ctx: JobContext, env: Env): number | undefined {
  const { job, pods, status } = ctx
  const met = getJobCondition(job, 'SuccessCriteriaMet')
  if (met) {
    ctx.finished = met
    return undefined
  }
  const target = getJobCondition(job, 'FailureTarget')
  if (target) {
    ctx.finished = newCondition('Failed', target.reason ?? '', target.message ?? '', env.now)
    return undefined
  }
  const message = job.spec?.podFailurePolicy
    ? pods
        .filter((p) => isPodFailed(job, p))
        .map((p) => matchFailurePolicy(job, p).message)
        .find((m) => m !== undefined)
    : undefined
  if (message !== undefined) {
    ctx.finished = newCondition('FailureTarget', 'PodFailurePolicy', message, env.now)
    return undefined
  }
  if (ctx.failed > (job.spec?.backoffLimit ?? 6) || restartsExhausted(job, pods)) {
    ctx.finished = newCondition('FailureTarget', ...REASON.backoffLimit, env.now)
    return undefined
  }
  const limit: number | undefined = job.spec?.activeDeadlineSeconds
  const start = parseApiTime(status.startTime)
  if (limit === undefined || start === undefined || isSuspended(job)) return undefined
  const left = start + limit * 1000 - env.now
  if (left > 0) return left
  ctx.finished = newCondition('FailureTarget', ...REASON.deadline, env.now)
  return undefined
}

/** pastBackoffLimitOnFailure: with OnFailure the restarts of containers count. */
function restartsExhausted(job: KubeObject, pods: readonly KubeObject[]): boolean {
  if (job.spec?.template?.spec?.restartPolicy !== 'OnFailure') return false
  let restarts = 0
  for (const pod of pods) {
    if (pod.status?.phase !== 'Running' && pod.status?.phase !== 'Pending') continue
    for (const s of [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])]) restarts += s.restartCount ?? 0
  }
  const limit: number = job.spec?.backoffLimit ?? 6
  return limit === 0 ? restarts > 0 : restarts >= limit
}

function judgeIndexes(ctx: JobContext, env: Env): void {
  const { job, pods, status } = ctx
  const completions: number = job.spec.completions
  ctx.prevSucceededIndexes = parseIndexes(status.completedIndexes, completions)
  const now = pods.filter((p) => p.status?.phase === 'Succeeded' && hasFinalizer(p) && isValidIndex(job, indexOf(p))).map(indexOf)
  ctx.succeededIndexes = new Set([...ctx.prevSucceededIndexes, ...now])
  ctx.succeeded = ctx.succeededIndexes.size
  if (hasBackoffLimitPerIndex(job)) {
    const failed = parseIndexes(status.failedIndexes, completions)
    for (const pod of pods) {
      if (!isPodFailed(job, pod) || !isValidIndex(job, indexOf(pod)) || !hasFinalizer(pod)) continue
      const verdict = matchFailurePolicy(job, pod)
      if (verdict.action === 'FailIndex' || (verdict.counts && failureCount(pod) >= job.spec.backoffLimitPerIndex)) failed.add(indexOf(pod))
    }
    ctx.failedIndexes = failed
    if (!ctx.finished) {
      if (job.spec.maxFailedIndexes !== undefined && failed.size > job.spec.maxFailedIndexes)
        ctx.finished = newCondition('FailureTarget', ...REASON.maxFailedIndexes, env.now)
      else if (failed.size > 0 && failed.size + ctx.succeededIndexes.size >= completions)
        ctx.finished = newCondition('FailureTarget', ...REASON.failedIndexes, env.now)
    }
    ctx.delayed = delayedPods(ctx)
  }
  if (ctx.finished) return
  const message = matchSuccessPolicy(job, ctx.succeededIndexes)
  if (message !== undefined) ctx.finished = newCondition('SuccessCriteriaMet', 'SuccessPolicy', message, env.now)
}

/** getPodsWithDelayedDeletionPerIndex: the failed pod with the highest count of each index that will be tried again. */
function delayedPods(ctx: JobContext): Map<number, KubeObject> {
  const active = new Set(ctx.active.map(indexOf))
  const map = new Map<number, KubeObject>()
  for (const pod of ctx.pods) {
    const index = indexOf(pod)
    if (!isPodFailed(ctx.job, pod) || !hasFinalizer(pod) || ctx.expectedGone.has(pod.metadata.uid ?? '')) continue
    if (!isValidIndex(ctx.job, index) || active.has(index) || ctx.succeededIndexes.has(index) || ctx.failedIndexes?.has(index)) continue
    const known = map.get(index)
    if (!known || failureCount(known) <= failureCount(pod)) map.set(index, pod)
  }
  return map
}

function* showSuspended(ctx: JobContext, env: Env): Steps<boolean> {
  const { job, status } = ctx
  if (isSuspended(job)) {
    if (!ensureCondition(status.conditions, 'Suspended', 'True', REASON.suspended, env.now)) return false
    yield* event(job, 'Normal', 'Suspended', 'Job suspended')
    return true
  }
  if (!ensureCondition(status.conditions, 'Suspended', 'False', REASON.resumed, env.now)) return false
  yield* event(job, 'Normal', 'Resumed', 'Job resumed')
  status.startTime = apiTime(env.now)
  return true
}

/** Pods with the tracking finalizer that no unfinished Job accounts for (syncOrphanPod). */
export const jobOrphans: Controller<KubeObject> = {
  name: ORPHANS,
  controller: NAME,
  serviceAccount: 'job-controller',
  workers: 1,
  subject: 'pods',
  informers: ['jobs', 'pods'],
  retry: RETRY,
  on: {},
  observe(key, rt) {
    const pod = rt.get('pods', key)
    if (!pod || !hasFinalizer(pod)) return undefined
    const job = ownerOf(rt, pod)
    return job && !isFinished(job) ? undefined : pod
  },
  *reconcile(pod): Steps<Outcome | void> {
    const answer = yield* call(removeFinalizerCall(pod))
    if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
  },
}

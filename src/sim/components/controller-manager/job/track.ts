// trackJobStatusAndRemoveFinalizers: every finished pod is written down before its finalizer goes, so that none is counted twice or never.
import type { JobCondition } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { keyOf } from '../runtime/objects.ts'
import { calls, effect, event, isNotFound, must, patchCall, SyncError, updateStatus } from '../runtime/steps.ts'
import type { ApiCall, Env, Runtime, Steps } from '../runtime/types.ts'
import {
  ensureCondition,
  hasFinalizer,
  isPodFailed,
  type JobContext,
  MAX_UNCOUNTED_PODS,
  newCondition,
  statusObject,
  TRACKING_FINALIZER,
} from './context.ts'
import { formatIndexes, hasBackoffLimitPerIndex, indexOf, isIndexed, isValidIndex } from './indexes.ts'
import { matchFailurePolicy } from './policy.ts'

/** Job key → uids of pods whose finalizer was removed and not yet seen to be gone (uidTrackingExpectations). */
export const expectedRemovals = (rt: Runtime) => rt.memory<readonly string[]>('finalizers')
export const removalObserved = (rt: Runtime, key: string, uid: string): void => {
  const left = (expectedRemovals(rt).get(key) ?? []).filter((u) => u !== uid)
  if (left.length > 0) expectedRemovals(rt).put(key, left)
  else expectedRemovals(rt).delete(key)
}

export const removeFinalizerCall = (pod: KubeObject): ApiCall =>
  patchCall('pods', pod, { metadata: { uid: pod.metadata.uid, '$deleteFromPrimitiveList/finalizers': [TRACKING_FINALIZER] } })

export function* track(ctx: JobContext, needsFlush: boolean, env: Env): Steps<void> {
  const { job, status } = ctx
  const indexed = isIndexed(job)
  const withFinalizer = new Set(
    ctx.pods.filter((p) => hasFinalizer(p) && !ctx.expectedGone.has(p.metadata.uid ?? '')).map((p) => p.metadata.uid ?? ''),
  )
  let flush = clean(ctx, withFinalizer) || needsFlush
  const release: KubeObject[] = []
  const newIndexes: number[] = []
  let full = false
  const pods = indexed ? [...ctx.pods].sort((a, b) => indexOf(a) - indexOf(b)) : ctx.pods
  for (const pod of pods) {
    const uid = pod.metadata.uid ?? ''
    if (!withFinalizer.has(uid)) continue
    const failed = isPodFailed(job, pod)
    if (mayRelease(ctx, pod, failed)) release.push(pod)
    const index = indexOf(pod)
    if (pod.status?.phase === 'Succeeded' && !ctx.uncountedFailed.has(uid)) {
      if (indexed) {
        if (isValidIndex(job, index) && !ctx.prevSucceededIndexes.has(index)) {
          newIndexes.push(index)
          flush = true
        }
      } else if (!ctx.uncountedSucceeded.has(uid)) {
        status.uncountedSucceeded.push(uid)
        flush = true
      }
    } else if (failed || (ctx.finished && ctx.finished.type !== 'SuccessCriteriaMet')) {
      // Once the Job has failed, so has every pod that did not finish.
      if (
        !ctx.uncountedFailed.has(uid) &&
        (!indexed || isValidIndex(job, index)) &&
        (!job.spec?.podFailurePolicy || matchFailurePolicy(job, pod).counts)
      ) {
        status.uncountedFailed.push(uid)
        flush = true
      }
    }
    if (newIndexes.length + status.uncountedSucceeded.length + status.uncountedFailed.length >= MAX_UNCOUNTED_PODS) {
      full = true
      break
    }
  }
  if (indexed) {
    ctx.succeededIndexes = new Set([...ctx.prevSucceededIndexes, ...newIndexes])
    const text = formatIndexes(ctx.succeededIndexes)
    if (text !== (status.completedIndexes ?? '')) flush = true
    status.succeeded = ctx.succeededIndexes.size
    if (text === '') delete status.completedIndexes
    else status.completedIndexes = text
    const failed = ctx.failedIndexes && formatIndexes(ctx.failedIndexes)
    if (failed !== status.failedIndexes) {
      if (failed === undefined) delete status.failedIndexes
      else status.failedIndexes = failed
      flush = true
    }
  }
  flush = interim(ctx, env) || flush
  if (flush) {
    yield* write(ctx, 'adding uncounted pods to status')
    yield* effect((rt) => rt.memory('backoff').put(keyOf(job), ctx.backoff))
    flush = false
  }
  const error = yield* releasePods(job, release, withFinalizer)
  if (clean(ctx, withFinalizer)) flush = true
  if (error !== undefined) {
    if (flush) yield* write(ctx, 'removing uncounted pods from status')
    throw new SyncError(error)
  }
  const finished = !full && enact(ctx, env)
  if (!flush && !finished) return
  yield* write(ctx, 'removing uncounted pods from status')
  if (finished && ctx.finished) yield* recordFinished(ctx, ctx.finished)
}

/** canRemoveFinalizer. */
function mayRelease(ctx: JobContext, pod: KubeObject, failed: boolean): boolean {
  if (ctx.job.metadata.deletionTimestamp || ctx.finished || pod.status?.phase === 'Succeeded') return true
  if (!failed) return false
  return !hasBackoffLimitPerIndex(ctx.job) || ctx.delayed.get(indexOf(pod))?.metadata.uid !== pod.metadata.uid
}

/** The interim condition comes first; the final one only when all pods are gone. */
function interim(ctx: JobContext, env: Env): boolean {
  const condition = ctx.finished
  if (condition?.type === 'FailureTarget') {
    ctx.status.conditions.push(condition)
    ctx.finished = newCondition('Failed', condition.reason ?? '', condition.message ?? '', env.now)
    return true
  }
  if (condition?.type === 'SuccessCriteriaMet') {
    const known = ctx.status.conditions.some((c) => c.type === 'SuccessCriteriaMet' && c.status === 'True')
    if (!known) ctx.status.conditions.push(condition)
    ctx.finished = newCondition('Complete', condition.reason ?? '', condition.message ?? '', env.now)
    return !known
  }
  return false
}

/** cleanUncountedPodsWithoutFinalizers: what has lost its finalizer moves from the lists to the counters. */
function clean({ status }: JobContext, withFinalizer: ReadonlySet<string>): boolean {
  const succeeded = status.uncountedSucceeded.filter((uid) => withFinalizer.has(uid))
  const failed = status.uncountedFailed.filter((uid) => withFinalizer.has(uid))
  const changed = succeeded.length !== status.uncountedSucceeded.length || failed.length !== status.uncountedFailed.length
  status.succeeded += status.uncountedSucceeded.length - succeeded.length
  status.failed += status.uncountedFailed.length - failed.length
  status.uncountedSucceeded = succeeded
  status.uncountedFailed = failed
  return changed
}

function* write(ctx: JobContext, what: string): Steps<void> {
  const answer = yield* updateStatus('jobs', { ...ctx.job, status: statusObject(ctx) })
  if (!answer.ok) throw new SyncError(`tracking status: ${what}: ${answer.message}`)
  ctx.job = must(answer)
}

function* releasePods(job: KubeObject, pods: readonly KubeObject[], withFinalizer: Set<string>): Steps<string | undefined> {
  if (pods.length === 0) return undefined
  const key = keyOf(job)
  const uids = pods.map((p) => p.metadata.uid ?? '')
  yield* effect((rt) => expectedRemovals(rt).put(key, [...(expectedRemovals(rt).get(key) ?? []), ...uids]))
  let error: string | undefined
  for (const [i, answer] of (yield* calls(pods.map(removeFinalizerCall))).entries()) {
    const uid = uids[i] as string
    if (answer.ok || isNotFound(answer)) withFinalizer.delete(uid)
    if (!answer.ok) yield* effect((rt) => removalObserved(rt, key, uid))
    if (!answer.ok && !isNotFound(answer)) error ??= `removing tracking finalizer: ${answer.message}`
  }
  return error
}

/** enactJobFinished. */
function enact(ctx: JobContext, env: Env): boolean {
  const { finished, status } = ctx
  if (!finished || status.uncountedSucceeded.length + status.uncountedFailed.length > 0 || status.terminating > 0) return false
  ensureCondition(status.conditions, finished.type, 'True', [finished.reason ?? '', finished.message ?? ''], env.now)
  if (finished.type === 'Complete' && finished.lastTransitionTime) status.completionTime = finished.lastTransitionTime
  return true
}

function* recordFinished({ job, status }: JobContext, finished: JobCondition): Steps<void> {
  if (finished.type !== 'Complete') {
    yield* event(job, 'Warning', finished.reason ?? '', finished.message ?? '')
    return
  }
  if (job.spec?.completions !== undefined && status.succeeded > job.spec.completions) {
    yield* event(job, 'Warning', 'TooManySucceededPods', 'Too many succeeded pods running after completion count reached')
  }
  yield* event(job, 'Normal', 'Completed', 'Job completed')
}

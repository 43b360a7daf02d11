// manageJob: as many active pods as the Job still needs.
import type { KubeObject } from '../../../api/types/object.ts'
import { compareForDeletion } from '../replicaset/ranking.ts'
import { isPodReady, isPodTerminating, keyOf } from '../runtime/objects.ts'
import { createPodCall, deletePodCall, podCreated, podDeleted, podFromTemplate } from '../runtime/pod-control.ts'
import { calls, decided, effect, isNamespaceTerminating, isNotFound, slowStart } from '../runtime/steps.ts'
import type { Env, Steps } from '../runtime/types.ts'
import { finishedAt, remainingMs } from './backoff.ts'
import { hasFinalizer, isSuspended, type JobContext, MAX_PODS_PER_SYNC, replacesOnlyFailed, TRACKING_FINALIZER } from './context.ts'
import {
  COMPLETION_INDEX,
  failureCount,
  hasBackoffLimitPerIndex,
  ignoredFailureCount,
  INDEX_FAILURE_COUNT,
  INDEX_IGNORED_FAILURE_COUNT,
  indexOf,
  isIndexed,
  isValidIndex,
  pendingIndexes,
} from './indexes.ts'
import { matchFailurePolicy } from './policy.ts'
import { removeFinalizerCall } from './track.ts'

export interface Managed {
  readonly active: number
  readonly error?: string
  /** ms until a failed pod may be replaced. */
  readonly waitMs?: number
}

export function* manageJob(ctx: JobContext, env: Env): Steps<Managed> {
  const { job } = ctx
  const active = ctx.active.length
  const parallelism: number = job.spec?.parallelism ?? 1
  if (isSuspended(job)) return yield* removePods(ctx, forRemoval(ctx, active, env.now), 'suspended')
  const completions: number | undefined = job.spec?.completions
  // Without a number of completions the first success ends the creation of pods.
  const want =
    completions === undefined ? (ctx.succeeded > 0 ? active : parallelism) : Math.max(0, Math.min(completions - ctx.succeeded, parallelism))
  const surplus = forRemoval(ctx, Math.max(0, active - want), env.now).slice(0, MAX_PODS_PER_SYNC)
  if (surplus.length > 0) return yield* removePods(ctx, surplus, 'too many')
  const terminating = replacesOnlyFailed(job) ? ctx.terminating : 0
  const diff = Math.min(want - terminating - active, MAX_PODS_PER_SYNC)
  if (diff <= 0) return { active }
  if (!hasBackoffLimitPerIndex(job)) {
    const waitMs = remainingMs(ctx.backoff.failuresAfterLastSuccess, ctx.backoff.lastFailureAt, env.now)
    if (waitMs > 0) return { active, waitMs }
  }
  if (!isIndexed(job))
    return yield* createPods(
      ctx,
      Array.from({ length: diff }, () => undefined),
    )
  const taken = new Set([...ctx.succeededIndexes, ...ctx.active.map(indexOf), ...(ctx.failedIndexes ?? [])])
  if (replacesOnlyFailed(job)) for (const pod of ctx.pods.filter(isPodTerminating)) taken.add(indexOf(pod))
  let indexes = pendingIndexes(taken, completions ?? 0, diff)
  if (hasBackoffLimitPerIndex(job)) {
    const waits = indexes.map((i) => {
      const last = ctx.delayed.get(i)
      return last ? remainingMs(failureCount(last) + ignoredFailureCount(last) + 1, finishedAt(last, env.now), env.now) : 0
    })
    const now = indexes.filter((_, i) => waits[i] === 0)
    if (now.length === 0 && indexes.length > 0) return { active, waitMs: Math.min(...waits) }
    indexes = now
  }
  return yield* createPods(ctx, indexes)
}

/** activePodsForRemoval: second pods of an index first, then as a ReplicaSet would choose. */
function forRemoval({ job, active }: JobContext, atLeast: number, now: number): KubeObject[] {
  const remove: KubeObject[] = []
  let left = [...active]
  if (isIndexed(job)) {
    const order = [...active].sort((a, b) => indexOf(a) - indexOf(b) || compareForDeletion(b, a, () => 0, now))
    const seen = new Set<number>()
    left = []
    for (const pod of order) {
      const index = indexOf(pod)
      if (!isValidIndex(job, index) || seen.has(index)) remove.push(pod)
      else left.push(pod)
      seen.add(index)
    }
  }
  if (remove.length < atLeast) remove.push(...left.sort((a, b) => compareForDeletion(a, b, () => 0, now)).slice(0, atLeast - remove.length))
  return remove
}

/** deleteJobPods: first the finalizer, so that these pods do not count as failed. */
function* removePods(ctx: JobContext, pods: readonly KubeObject[], why: string): Steps<Managed> {
  const { job } = ctx
  const key = keyOf(job)
  if (pods.length === 0) return { active: ctx.active.length }
  yield* decided('delete pods', { count: pods.length, why })
  yield* effect((rt) => rt.expectations.expect(rt.context, key, 0, pods.length))
  const tracked = pods.filter(hasFinalizer)
  const refused = new Map<KubeObject, string>()
  for (const [i, answer] of (yield* calls(tracked.map(removeFinalizerCall))).entries())
    if (!answer.ok) refused.set(tracked[i] as KubeObject, isNotFound(answer) ? '' : answer.message)
  const targets = pods.filter((p) => !refused.has(p))
  let removed = 0
  let error: string | undefined
  for (const message of refused.values()) {
    yield* effect((rt) => rt.expectations.deletionObserved(rt.context, key))
    if (message !== '') error ??= message
  }
  for (const [i, answer] of (yield* calls(targets.map(deletePodCall))).entries()) {
    const pod = targets[i] as KubeObject
    yield* podDeleted(job, pod, answer)
    if (answer.ok) {
      removed++
      if (isPodReady(pod)) ctx.ready--
      continue
    }
    yield* effect((rt) => rt.expectations.deletionObserved(rt.context, key))
    if (!isNotFound(answer)) error ??= answer.message
  }
  ctx.terminating += removed
  return { active: ctx.active.length - removed, ...(error === undefined ? {} : { error }) }
}

/** deleteActivePods: the Job is over; what still runs goes, and keeps its finalizer until it is counted. */
export function* deleteActivePods(ctx: JobContext): Steps<{ deleted: number; error?: string }> {
  let deleted = 0
  let error: string | undefined
  if (ctx.active.length > 0) yield* decided('delete the active pods', { count: ctx.active.length, reason: ctx.finished?.reason ?? '' })
  for (const [i, answer] of (yield* calls(ctx.active.map(deletePodCall))).entries()) {
    const pod = ctx.active[i] as KubeObject
    yield* podDeleted(ctx.job, pod, answer)
    if (answer.ok) {
      deleted++
      if (isPodReady(pod)) ctx.ready--
    } else if (!isNotFound(answer)) error ??= answer.message
  }
  return { deleted, ...(error === undefined ? {} : { error }) }
}

function* createPods(ctx: JobContext, indexes: readonly (number | undefined)[]): Steps<Managed> {
  const { job } = ctx
  const key = keyOf(job)
  let active = ctx.active.length
  if (indexes.length === 0) return { active }
  yield* decided('create pods', { count: indexes.length, succeeded: ctx.succeeded, failed: ctx.failed, active })
  yield* effect((rt) => rt.expectations.expectCreations(rt.context, key, indexes.length))
  const observed = effect.bind(undefined, (rt) => rt.expectations.creationObserved(rt.context, key))
  let error: string | undefined
  const answers = yield* slowStart(
    indexes.map((index) => createPodCall(podFor(ctx, index))),
    {
      *each(answer) {
        yield* podCreated(job, answer)
        if (answer.ok || isNamespaceTerminating(answer)) {
          active++
          return
        }
        yield* observed()
        error ??= answer.message
      },
      failed: (answer) => !answer.ok && !isNamespaceTerminating(answer),
    },
  )
  for (let i = answers.length; i < indexes.length; i++) yield* observed()
  return { active, ...(error === undefined ? {} : { error }) }
}

interface Container {
  readonly env?: readonly { readonly name: string }[]
}
const INDEX_ENV = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` } } }
const withIndexEnv = (c: Container): Container =>
  (c.env ?? []).some((e) => e.name === INDEX_ENV.name) ? c : { ...c, env: [...(c.env ?? []), INDEX_ENV] }

function podFor(ctx: JobContext, index: number | undefined): KubeObject {
  const { job } = ctx
  const base = podFromTemplate(job.spec.template, job)
  const finalizers = [...(base.metadata.finalizers ?? []).filter((f) => f !== TRACKING_FINALIZER), TRACKING_FINALIZER]
  if (index === undefined) return { ...base, metadata: { ...base.metadata, finalizers } }
  const { spec } = base
  const annotations: Record<string, string> = { ...base.metadata.annotations, [COMPLETION_INDEX]: String(index) }
  if (hasBackoffLimitPerIndex(job)) {
    const last = ctx.delayed.get(index)
    const counts = !last || matchFailurePolicy(job, last).counts
    annotations[INDEX_FAILURE_COUNT] = String(last ? failureCount(last) + (counts ? 1 : 0) : 0)
    const ignored = last ? ignoredFailureCount(last) + (counts ? 0 : 1) : 0
    if (ignored > 0) annotations[INDEX_IGNORED_FAILURE_COUNT] = String(ignored)
  }
  return {
    ...base,
    metadata: {
      ...base.metadata,
      generateName: `${job.metadata.name}-${index}-`,
      annotations,
      labels: { ...base.metadata.labels, [COMPLETION_INDEX]: String(index) },
      finalizers,
    },
    spec: {
      ...spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: spec.containers.map(withIndexEnv),
      ...(spec.initContainers ? { initContainers: spec.initContainers.map(withIndexEnv) } : {}),
    },
  }
}

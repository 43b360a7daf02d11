// pkg/controller/cronjob/cronjob_controllerv2.go
import { parseCron, timeZoneError } from '../../../api/cron.ts'
import { zoneOffsetMs } from '../../../api/timezones.ts'
import type { ObjectReference } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { formatTime } from '../../../api/time.ts'
import { EPOCH_MS } from '../../../engine/types.ts'
import { controllerOf, isControlledBy, ownerReference } from '../runtime/objects.ts'
import {
  create,
  decided,
  event,
  get,
  isAlreadyExists,
  isNamespaceTerminating,
  isNotFound,
  must,
  remove,
  SyncError,
  updateStatus,
} from '../runtime/steps.ts'
import type { Controller, Env, Outcome, Steps } from '../runtime/types.ts'
import { mostRecent, type Timetable, untilNext } from './schedule.ts'

const SCHEDULED_TIMESTAMP = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

interface Observed {
  readonly cronJob: KubeObject
  readonly jobs: readonly KubeObject[]
}

/** What changes during a sync. */
interface Draft {
  object: KubeObject
  active: ObjectReference[]
  lastScheduleTime?: string
  lastSuccessfulTime?: string
  changed: boolean
}

const finishedAs = (job: KubeObject): 'Complete' | 'Failed' | undefined =>
  ((job.status?.conditions ?? []) as { type: 'Complete' | 'Failed'; status: string }[]).find(
    (c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True',
  )?.type

export const cronJobController: Controller<Observed> = {
  name: 'cronjob-controller',
  controller: 'cronjob-controller',
  serviceAccount: 'cronjob-controller',
  workers: 5,
  subject: 'cronjobs',
  informers: ['cronjobs', 'jobs'],
  on: {
    cronjobs: (rt, { key }) => rt.add(key),
    jobs(rt, { object: job, old }) {
      for (const j of old ? [old, job] : [job]) {
        const ref = controllerOf(j)
        if (ref?.kind === 'CronJob' && rt.get('cronjobs', `${j.metadata.namespace}/${ref.name}`)?.metadata.uid === ref.uid)
          rt.add(`${j.metadata.namespace}/${ref.name}`)
      }
    },
  },
  observe(key, rt) {
    const cronJob = rt.get('cronjobs', key)
    return cronJob ? { cronJob, jobs: rt.index('jobs', 'controller', cronJob.metadata.uid ?? '') } : undefined
  },
  *reconcile({ cronJob, jobs }, env): Steps<Outcome | void> {
    const { active = [], lastScheduleTime, lastSuccessfulTime } = cronJob.status ?? {}
    const draft: Draft = {
      object: cronJob,
      active: [...active],
      changed: false,
      ...(lastScheduleTime ? { lastScheduleTime } : {}),
      ...(lastSuccessfulTime ? { lastSuccessfulTime } : {}),
    }
    yield* cleanup(draft, jobs)
    let error: string | undefined
    let wait: number | undefined
    try {
      wait = yield* sync(draft, jobs, env)
    } catch (thrown) {
      if (!(thrown instanceof SyncError)) throw thrown
      error = thrown.message
    }
    if (draft.changed) must(yield* updateStatus('cronjobs', { ...draft.object, status: statusOf(draft) }))
    // The next start keeps no cluster from being quiet.
    if (wait !== undefined) return { requeueAfterMs: wait, periodic: true }
    if (error !== undefined) throw new SyncError(error)
  },
}

const statusOf = (d: Draft): object => ({
  ...(d.active.length > 0 ? { active: [...d.active] } : {}),
  ...(d.lastScheduleTime ? { lastScheduleTime: d.lastScheduleTime } : {}),
  ...(d.lastSuccessfulTime ? { lastSuccessfulTime: d.lastSuccessfulTime } : {}),
})

const forget = (draft: Draft, uid: string | undefined): void => {
  draft.active = draft.active.filter((a) => a.uid !== uid)
}

function* deleteJob(draft: Draft, job: KubeObject): Steps<boolean> {
  const answer = yield* remove('jobs', job.metadata.namespace, job.metadata.name ?? '', { propagationPolicy: 'Background' })
  if (!answer.ok) {
    yield* event(draft.object, 'Warning', 'FailedDelete', `Deleted job: ${answer.message}`)
    return false
  }
  forget(draft, job.metadata.uid)
  yield* event(draft.object, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`)
  return true
}

/** cleanupFinishedJobs: the oldest beyond the history limits. */
function* cleanup(draft: Draft, jobs: readonly KubeObject[]): Steps<void> {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = draft.object.spec ?? {}
  const started = (j: KubeObject): number => Date.parse(j.status?.startTime ?? '') || 0
  for (const [as, limit] of [
    ['Complete', successfulJobsHistoryLimit],
    ['Failed', failedJobsHistoryLimit],
  ] as const) {
    if (limit === undefined) continue
    const done = jobs
      .filter((j) => finishedAs(j) === as)
      .sort((a, b) => started(a) - started(b) || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
    for (const job of done.slice(0, Math.max(0, done.length - limit))) if (yield* deleteJob(draft, job)) draft.changed = true
  }
}

/** syncCronJob. Returns ms until the next look. */
function* sync(draft: Draft, jobs: readonly KubeObject[], env: Env): Steps<number | undefined> {
  const now = EPOCH_MS + env.now
  yield* followJobs(draft, jobs)
  const cronJob = draft.object
  const { schedule: text, timeZone, suspend, startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec ?? {}
  const { namespace, name } = cronJob.metadata
  if (cronJob.metadata.deletionTimestamp) return undefined
  const zoneError = timeZone === undefined ? undefined : timeZoneError(timeZone)
  if (zoneError !== undefined) {
    yield* event(cronJob, 'Warning', 'UnknownTimeZone', `invalid timeZone: "${timeZone}": ${zoneError}`)
    return undefined
  }
  if (suspend) return undefined
  const parsed = parseCron(text ?? '')
  if (parsed.value === undefined) {
    yield* event(cronJob, 'Warning', 'UnparseableSchedule', `unparseable schedule: "${text}" : ${parsed.error}`)
    return undefined
  }
  const table: Timetable = { schedule: parsed.value, zone: timeZone ?? 'UTC' }
  const current = (): KubeObject => ({ ...cronJob, status: { ...cronJob.status, lastScheduleTime: draft.lastScheduleTime } })
  const { mostRecent: due, missed } = mostRecent(current(), now, table, true)
  if (due === undefined || due > now) return untilNext(current(), now, table)
  if (missed === 'many')
    yield* event(
      cronJob,
      'Warning',
      'TooManyMissedTimes',
      'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
    )
  if (startingDeadlineSeconds !== undefined && due + startingDeadlineSeconds * 1000 < now) {
    yield* event(cronJob, 'Warning', 'MissSchedule', `Missed scheduled time to start a job: ${rfc1123(due)}`)
    return untilNext(current(), now, table)
  }
  const jobName = `${name}-${Math.floor(due / 60_000)}`
  if (draft.active.some((a) => a.name === jobName) || draft.lastScheduleTime === formatTime(due)) return untilNext(current(), now, table)
  if (concurrencyPolicy === 'Forbid' && draft.active.length > 0) {
    yield* event(
      cronJob,
      'Normal',
      'JobAlreadyActive',
      'Not starting job because prior execution is running and concurrency policy is Forbid',
    )
    return untilNext(current(), now, table)
  }
  if (concurrencyPolicy === 'Replace') {
    for (const ref of [...draft.active]) {
      const answer = yield* get('jobs', ref.namespace, ref.name ?? '')
      if (!answer.ok) {
        yield* event(cronJob, 'Warning', 'FailedGet', `Get job: ${answer.message}`)
        throw new SyncError(answer.message)
      }
      if (!(yield* deleteJob(draft, answer.body as KubeObject))) throw new SyncError(`could not replace job ${ref.namespace}/${ref.name}`)
      draft.changed = true
    }
  }
  yield* decided('start a job', { job: jobName, scheduled: formatTime(due) })
  const answer = yield* create('jobs', namespace, jobFor(cronJob, jobName, due, table.zone))
  let job: KubeObject
  if (answer.ok) {
    job = answer.body as KubeObject
    yield* event(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${jobName}`)
  } else if (isAlreadyExists(answer)) {
    job = must(yield* get('jobs', namespace, jobName))
    if (!isControlledBy(job, cronJob) || draft.active.some((a) => a.uid === job.metadata.uid)) return undefined
  } else {
    if (!isNamespaceTerminating(answer)) yield* event(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${answer.message}`)
    throw new SyncError(answer.message)
  }
  const { uid = '', resourceVersion = '' } = job.metadata
  draft.active.push({ kind: 'Job', namespace: namespace ?? '', name: jobName, uid, apiVersion: 'batch/v1', resourceVersion })
  draft.lastScheduleTime = formatTime(due)
  draft.changed = true
  return untilNext(current(), now, table)
}

/** What became of the jobs: completed ones leave the active list, unknown ones are remarked on. */
function* followJobs(draft: Draft, jobs: readonly KubeObject[]): Steps<void> {
  for (const job of jobs) {
    const { uid, name } = job.metadata
    const done = finishedAs(job)
    const known = draft.active.some((a) => a.uid === uid)
    if (!known && !done) {
      const { namespace = '', name: cron = '' } = draft.object.metadata
      const fresh = must(yield* get('cronjobs', namespace, cron))
      if (((fresh.status?.active ?? []) as ObjectReference[]).some((a) => a.uid === uid)) {
        draft.object = fresh
        draft.active = [...fresh.status.active]
        if (fresh.status.lastScheduleTime) draft.lastScheduleTime = fresh.status.lastScheduleTime
        continue
      }
      yield* event(draft.object, 'Warning', 'UnexpectedJob', `Saw a job that the controller did not create or forgot: ${name}`)
    } else if (known && done) {
      forget(draft, uid)
      yield* event(draft.object, 'Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${done}`)
      draft.changed = true
    }
    const completed: string | undefined = done === 'Complete' ? job.status?.completionTime : undefined
    if (completed && (draft.lastSuccessfulTime === undefined || completed > draft.lastSuccessfulTime)) {
      draft.lastSuccessfulTime = completed
      draft.changed = true
    }
  }
  for (const ref of [...draft.active]) {
    if (jobs.some((j) => j.metadata.uid === ref.uid)) continue
    const answer = yield* get('jobs', ref.namespace, ref.name ?? '')
    if (isNotFound(answer)) {
      yield* event(draft.object, 'Normal', 'MissingJob', `Active job went missing: ${ref.name}`)
      forget(draft, ref.uid)
      draft.changed = true
    } else if (!answer.ok) throw new SyncError(answer.message)
  }
}

/** getJobFromTemplate2. */
function jobFor(cronJob: KubeObject, name: string, due: number, zone: string): KubeObject {
  const { metadata = {}, spec } = cronJob.spec.jobTemplate
  const annotations = { ...metadata.annotations, [SCHEDULED_TIMESTAMP]: inZone(due, zone) }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: cronJob.metadata.namespace ?? '',
      annotations,
      ...(metadata.labels ? { labels: metadata.labels } : {}),
      ownerReferences: [ownerReference(cronJob)],
    },
    spec,
  }
}

/** RFC 3339 in the schedule's own time zone. */
function inZone(at: number, zone: string): string {
  const offset = zoneOffsetMs(zone, at)
  if (offset === 0) return formatTime(at)
  const minutes = Math.abs(offset) / 60_000
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0')
  return `${formatTime(at + offset).slice(0, 19)}${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
function rfc1123(at: number): string {
  const d = new Date(at)
  return `${DAYS[d.getUTCDay()]}, ${String(d.getUTCDate()).padStart(2, '0')} ${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()} ${formatTime(at).slice(11, 19)} +0000`
}

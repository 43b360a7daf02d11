// When a CronJob is due (pkg/controller/cronjob/utils.go). Times are Unix ms.
import { type CronSchedule, nextCronTime } from '../../../api/cron.ts'
import type { KubeObject } from '../../../api/types/object.ts'

/** nextScheduleDelta: a little after the full second, so that it has certainly come. */
export const NEXT_SCHEDULE_DELTA_MS = 100
/** More missed starts than this are complained about. */
const MANY_MISSED = 100

export interface Recent {
  readonly earliest: number
  readonly mostRecent?: number
  readonly missed: 'none' | 'few' | 'many'
}

export interface Timetable {
  readonly schedule: CronSchedule
  readonly zone: string
}

const next = ({ schedule, zone }: Timetable, after: number): number => nextCronTime(schedule, after, zone) ?? Number.POSITIVE_INFINITY

/** mostRecentScheduleTime. */
export function mostRecent(cronJob: KubeObject, now: number, table: Timetable, withDeadline: boolean): Recent {
  let earliest = Date.parse(cronJob.status?.lastScheduleTime ?? cronJob.metadata.creationTimestamp ?? '')
  const deadline: number | undefined = cronJob.spec?.startingDeadlineSeconds
  if (withDeadline && deadline !== undefined) earliest = Math.max(earliest, now - deadline * 1000)
  const t1 = next(table, earliest)
  if (now < t1) return { earliest, missed: 'none' }
  const t2 = next(table, t1)
  if (now < t2) return { earliest, mostRecent: t1, missed: 'none' }
  const interval = Math.round((t2 - t1) / 1000)
  const count = Math.floor(Math.floor((now - t1) / 1000) / interval) + 1
  const missed = count > MANY_MISSED ? 'many' : 'few'
  let found: number | undefined
  for (let t = next(table, t1 + (count - 2) * interval * 1000); t <= now; t = next(table, t)) found = t
  return { earliest, missed, ...(found === undefined ? {} : { mostRecent: found }) }
}

/** nextScheduleTimeDuration. */
export function untilNext(cronJob: KubeObject, now: number, table: Timetable): number {
  const { earliest, mostRecent: last, missed } = mostRecent(cronJob, now, table, false)
  const from = last ?? (missed === 'none' ? earliest : now)
  return next(table, from) + NEXT_SCHEDULE_DELTA_MS - now
}

import { describe, expect, it } from 'vitest'
import { parseCron } from '../../../api/cron.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { EPOCH_MS } from '../../../engine/types.ts'
import { run, sent } from '../testing/harness.ts'
import { make } from '../testing/objects.ts'
import { cronJobController } from './cronjob.ts'
import { mostRecent, untilNext } from './schedule.ts'

const table = { schedule: parseCron('*/5 * * * *').value as never, zone: 'UTC' }
const cron = (spec = {}, status = {}): KubeObject =>
  make('batch/v1', 'CronJob', 'tick', {
    spec: {
      schedule: '*/5 * * * *',
      jobTemplate: { spec: { template: {} } },
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      ...spec,
    },
    status,
  })
const minutes = (n: number): number => n * 60_000

describe('the CronJob controller', () => {
  it('starts only the latest of several missed runs and names it after its minute', () => {
    const { requests, calls, events } = run(cronJobController, 'shop/tick', [cron()], { now: minutes(12) })
    expect(requests).toEqual(['POST jobs', 'PUT cronjobs/tick/status'])
    expect(sent(calls, 0).metadata.name).toBe(`tick-${(EPOCH_MS + minutes(10)) / 60_000}`)
    expect(sent(calls, 1).status).toMatchObject({ lastScheduleTime: '2026-01-01T00:10:00Z', active: [{ kind: 'Job' }] })
    expect(events[0]).toMatch(/^Normal SuccessfulCreate Created job tick-/)
  })

  it('does not start what is past its deadline, nor beside a running job when that is forbidden', () => {
    expect(run(cronJobController, 'shop/tick', [cron({ startingDeadlineSeconds: 60 })], { now: minutes(12) }).requests).toEqual([])
    const active = [{ name: 'tick-1', namespace: 'shop', uid: 'u' }]
    const busy = run(cronJobController, 'shop/tick', [cron({ concurrencyPolicy: 'Forbid' }, { active })], { now: minutes(12) })
    expect(busy.events).toEqual([
      'Normal JobAlreadyActive Not starting job because prior execution is running and concurrency policy is Forbid',
    ])
    expect(busy.requests).toEqual(['GET jobs/tick-1'])
  })

  it('comes back a tenth of a second after the next scheduled time', () => {
    const c = cron({}, { lastScheduleTime: '2026-01-01T00:10:00Z' })
    expect(untilNext(c, EPOCH_MS + minutes(12), table)).toBe(minutes(3) + 100)
    expect(mostRecent(c, EPOCH_MS + minutes(14), table, true).mostRecent).toBeUndefined()
    expect(mostRecent(cron(), EPOCH_MS + minutes(5 * 200), table, true)).toMatchObject({
      missed: 'many',
      mostRecent: EPOCH_MS + minutes(1000),
    })
  })

  it('says so when the schedule cannot be read', () => {
    const { events, requests } = run(cronJobController, 'shop/tick', [cron({ schedule: 'nonsense' })], { now: minutes(12) })
    expect(requests).toEqual([])
    expect(events[0]).toMatch(/^Warning UnparseableSchedule unparseable schedule: "nonsense"/)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime } from '../../../client/time.ts'
import { run, sent } from '../testing/harness.ts'
import { make, pod, SELECTOR, TEMPLATE } from '../testing/objects.ts'
import { nextRecord, remainingMs } from './backoff.ts'
import { TRACKING_FINALIZER } from './context.ts'
import { formatIndexes, parseIndexes } from './indexes.ts'
import { jobController } from './job.ts'
import { matchFailurePolicy, matchSuccessPolicy } from './policy.ts'

const NOW = 1_000_000
const job = (spec = {}, status: object = { startTime: apiTime(0) }): KubeObject =>
  make('batch/v1', 'Job', 'pi', {
    spec: { parallelism: 1, completions: 1, backoffLimit: 6, selector: SELECTOR, template: TEMPLATE, ...spec },
    status,
  })
const worker = (owner: KubeObject, name: string, phase: string, rest = {}): KubeObject =>
  pod(name, { owner, status: { phase, ...rest }, metadata: { labels: { app: 'web' }, finalizers: [TRACKING_FINALIZER] } })
const failedAt = (at: number) => ({ containerStatuses: [{ name: 'app', state: { terminated: { exitCode: 1, finishedAt: apiTime(at) } } }] })

describe('the Job controller', () => {
  it('creates pods with the tracking finalizer up to the parallelism', () => {
    const { requests, calls } = run(jobController, 'shop/pi', [job({ parallelism: 3, completions: 5 }, {})], { now: NOW })
    expect(requests).toEqual(['POST pods', 'POST pods', 'POST pods', 'PUT jobs/pi/status'])
    expect(sent(calls, 0).metadata.finalizers).toEqual([TRACKING_FINALIZER])
  })

  it('writes a finished pod down, then takes its finalizer, then counts it, and only then is complete', () => {
    const j = job()
    const { requests, calls, events } = run(jobController, 'shop/pi', [j, worker(j, 'a', 'Succeeded')], { now: NOW })
    expect(requests).toEqual(['PUT jobs/pi/status', 'PATCH pods/a', 'PUT jobs/pi/status'])
    const [first, , last] = calls.map((c) => (c.body as KubeObject).status)
    expect(first).toMatchObject({
      uncountedTerminatedPods: { succeeded: [expect.any(String)] },
      conditions: [{ type: 'SuccessCriteriaMet', reason: 'CompletionsReached' }],
    })
    expect(last).toMatchObject({
      succeeded: 1,
      uncountedTerminatedPods: {},
      conditions: [{ type: 'SuccessCriteriaMet' }, { type: 'Complete', reason: 'CompletionsReached' }],
    })
    expect(events).toEqual(['Normal Completed Job completed'])
  })

  it('waits ten seconds before it replaces a failed pod', () => {
    const j = job()
    const soon = run(jobController, 'shop/pi', [j, worker(j, 'a', 'Failed', failedAt(NOW - 4000))], { now: NOW })
    expect(soon.requests).not.toContain('POST pods')
    expect(soon.outcome?.requeueAfterMs).toBe(6000)
    expect(run(jobController, 'shop/pi', [j, worker(j, 'a', 'Failed', failedAt(NOW - 11_000))], { now: NOW }).requests).toContain(
      'POST pods',
    )
  })

  it('fails after backoffLimit failures: FailureTarget first, Failed when no pod is left', () => {
    const j = job({ backoffLimit: 0 })
    const { calls, events } = run(jobController, 'shop/pi', [j, worker(j, 'a', 'Failed', failedAt(NOW - 1000))], { now: NOW })
    expect(sent(calls, -1).status.conditions.map((c: { type: string }) => c.type)).toEqual(['FailureTarget', 'Failed'])
    expect(events).toEqual(['Warning BackoffLimitExceeded Job has reached the specified backoff limit'])
  })

  it('takes the finalizer before it deletes pods of a suspended Job, so that they do not count as failed', () => {
    const j = job({ suspend: true })
    expect(run(jobController, 'shop/pi', [j, worker(j, 'a', 'Running')], { now: NOW }).requests).toEqual([
      'PATCH pods/a',
      'DELETE pods/a',
      'PUT jobs/pi/status',
    ])
  })
})

describe('completion indexes', () => {
  it('are read back as they were written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 60 })), (list) => {
        expect([...parseIndexes(formatIndexes(new Set(list)), 100)].sort((a, b) => a - b)).toEqual([...list].sort((a, b) => a - b))
      }),
    )
    expect(formatIndexes(new Set([0, 1, 3, 5, 6, 7]))).toBe('0,1,3,5-7')
  })
})

describe('policies and back-off', () => {
  it('double with every failure after the last success, up to ten minutes', () => {
    expect([1, 2, 3, 7, 20].map((n) => remainingMs(n, 0, 0) / 1000)).toEqual([10, 20, 40, 600, 600])
    const failed = [pod('a', { status: failedAt(5000) }), pod('b', { status: failedAt(9000) })]
    expect(nextRecord({ failuresAfterLastSuccess: 1, lastFailureAt: 0 }, [], failed, NOW)).toEqual({
      failuresAfterLastSuccess: 3,
      lastFailureAt: 9000,
    })
    expect(nextRecord({ failuresAfterLastSuccess: 5 }, [pod('c', { status: failedAt(7000) })], failed, NOW)).toEqual({
      failuresAfterLastSuccess: 1,
      lastFailureAt: 9000,
    })
  })

  it('let the first rule that fits decide', () => {
    const j = job({
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
        ],
      },
    })
    expect(matchFailurePolicy(j, pod('a', { status: { conditions: [{ type: 'DisruptionTarget', status: 'True' }] } }))).toEqual({
      action: 'Ignore',
      counts: false,
    })
    const hit = pod('b', { status: { containerStatuses: [{ name: 'main', state: { terminated: { exitCode: 42 } } }] } })
    expect(matchFailurePolicy(j, hit).message).toBe(
      'Container main for pod shop/b failed with exit code 42 matching FailJob rule at index 1',
    )
  })

  it('succeed early when a success rule is met', () => {
    const j = job({ completions: 5, successPolicy: { rules: [{ succeededIndexes: '0-2', succeededCount: 2 }] } })
    expect(matchSuccessPolicy(j, new Set([0, 4]))).toBeUndefined()
    expect(matchSuccessPolicy(j, new Set([0, 2]))).toBe('Matched rules at index 0')
  })
})

import { describe, expect, it } from 'vitest'
import { Simulation } from '../cluster/simulation.ts'
import type { ComponentType, Context } from '../net/context.ts'
import { createEventRecorder, SPAM_BURST } from './events.ts'
import { fakeApi, type Seen } from './testing/fake-api.ts'

const recorder = createEventRecorder({ client: () => ({ servers: ['api'], user: 'x', groups: [], userAgent: 'recorder' }) })
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', uid: 'u1', resourceVersion: '7' } }
const component: ComponentType = {
  type: 'recorder',
  handlers: {
    ...recorder.handlers,
    say: (ctx: Context, messages: string[]) => {
      for (const message of messages)
        recorder.recordEvent(ctx, { component: 'kubelet', host: 'n1' }, { object: pod, type: 'Normal', reason: 'Said', message })
    },
    api: (ctx: Context, up: boolean) =>
      up ? ctx.startProcess({ id: 'api', type: 'fake-api', host: 'a', config: null }) : ctx.stopProcess('api', 'test'),
    fail: (ctx: Context) =>
      recorder.recordSeriesEvent(
        ctx,
        { component: 'default-scheduler', host: 'm' },
        { object: pod, type: 'Warning', reason: 'FailedScheduling', action: 'Scheduling', message: 'no' },
      ),
  },
}
const make = () => {
  const sim = new Simulation({ seed: 1, types: [fakeApi, component] })
  sim.network.addHost({ name: 'a', ip: '10.0.0.1', role: 'worker', up: true })
  sim.boot({ id: 'api', type: 'fake-api', host: 'a', config: null })
  sim.boot({ id: 'r', type: 'recorder', host: 'a', config: null })
  sim.runToTime(1)
  return sim
}
const seen = (sim: Simulation) => sim.peek<Seen>('api', 'seen').values()

describe('an event recorder', () => {
  it('creates an event once and counts its repetitions by patches', () => {
    const sim = make()
    sim.input({ target: 'r', kind: 'say', payload: ['hello', 'hello', 'hello', 'other'] })
    sim.runUntil({ kind: 'quiet' })
    expect(seen(sim).map((s) => s.method)).toEqual(['POST', 'PATCH', 'PATCH', 'POST'])
    const events = sim.peek<Record<string, unknown>>('api', 'objects').values()
    expect(events.map((e) => [e.message, e.count]).sort()).toEqual([
      ['hello', 3],
      ['other', 1],
    ])
    expect(events[0]).toMatchObject({
      involvedObject: { kind: 'Pod', name: 'web', namespace: 'shop', uid: 'u1' },
      source: { component: 'kubelet', host: 'n1' },
      type: 'Normal',
    })
  })

  it('combines the tenth of events that differ only in their message', () => {
    const sim = make()
    sim.input({ target: 'r', kind: 'say', payload: Array.from({ length: 12 }, (_, i) => `m${i}`) })
    sim.runUntil({ kind: 'quiet' })
    expect(seen(sim).map((s) => s.method)).toEqual([...Array(10).fill('POST'), 'PATCH', 'PATCH'])
    expect(
      sim
        .peek<Record<string, unknown>>('api', 'objects')
        .values()
        .filter((e) => String(e.message).startsWith('(combined from similar events): ')),
    ).toHaveLength(1)
  })

  it('refuses a flood about one object after the burst', () => {
    const sim = make()
    sim.input({ target: 'r', kind: 'say', payload: Array.from({ length: 40 }, () => 'again') })
    sim.runUntil({ kind: 'quiet' })
    expect(seen(sim)).toHaveLength(SPAM_BURST)
    expect(sim.records().filter((r) => r.kind === 'client.event.dropped')).toHaveLength(40 - SPAM_BURST)
  })

  it('turns a repeated events.k8s.io event into a series with one patch', () => {
    const sim = make()
    for (let i = 0; i < 4; i++) {
      sim.input({ target: 'r', kind: 'fail', payload: null })
      sim.runUntil({ kind: 'quiet' })
    }
    expect(seen(sim).map((s) => s.method)).toEqual(['POST', 'PATCH'])
    const [event] = sim.peek<Record<string, unknown>>('api', 'objects').values()
    expect(event).toMatchObject({
      reportingController: 'default-scheduler',
      reportingInstance: 'default-scheduler-m',
      series: { count: 2 },
    })
  })

  it('tries again after the API server was away', () => {
    const sim = make()
    sim.input({ target: 'r', kind: 'api', payload: false })
    sim.input({ target: 'r', kind: 'say', payload: ['x'] })
    sim.runToTime(sim.now + 500)
    sim.input({ target: 'r', kind: 'api', payload: true })
    expect(seen(sim)).toHaveLength(0)
    sim.runToTime(sim.now + 30_000)
    expect(seen(sim).map((s) => [s.method, s.status])).toEqual([['POST', 201]])
  })
})

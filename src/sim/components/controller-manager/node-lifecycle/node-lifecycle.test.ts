import { describe, expect, it } from 'vitest'
import { apiTime } from '../../../client/time.ts'
import { echo, run } from '../testing/harness.ts'
import { node } from '../testing/objects.ts'
import { NODE_MONITOR_GRACE_PERIOD_MS } from './constants.ts'
import { examine } from './health.ts'
import { nodeLifecycleController } from './node-lifecycle.ts'
import { rateFor, stateOf, takeToken, type Zone } from './zones.ts'

const conditions = (status: string) =>
  ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'].map((type) => ({
    type,
    status: type === 'Ready' ? status : 'False',
    lastHeartbeatTime: apiTime(0),
    lastTransitionTime: apiTime(0),
  }))

describe('the node monitor', () => {
  it('declares a node silent only after its lease stood still for the whole grace period', () => {
    const n = node('node-1', { status: { conditions: conditions('True') } })
    let { health } = examine(n, undefined, '2026-01-01T00:00:00.000000Z', 0)
    ;({ health } = examine(n, health, '2026-01-01T00:00:10.000000Z', 10_000))
    expect(examine(n, health, '2026-01-01T00:00:10.000000Z', 10_000 + NODE_MONITOR_GRACE_PERIOD_MS).silent).toBeUndefined()
    const { silent, observed, current } = examine(n, health, '2026-01-01T00:00:10.000000Z', 10_001 + NODE_MONITOR_GRACE_PERIOD_MS)
    expect([observed.status, current?.status]).toEqual(['True', 'Unknown'])
    expect(silent?.status.conditions).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          type: 'DiskPressure',
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
        }),
      ]),
    )
  })

  it('says of a node that never reported that its kubelet never did', () => {
    const n = node('node-1')
    const first = examine(n, undefined, undefined, 0)
    expect(examine(n, first.health, undefined, 60_001).silent?.status.conditions[0]).toMatchObject({
      type: 'Ready',
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
    })
  })

  it('slows down or stops with the share of a zone that is down', () => {
    expect(stateOf([true, false])).toBe('Normal')
    expect(stateOf([false, false])).toBe('FullDisruption')
    expect(stateOf([true, true, false, false, false])).toBe('PartialDisruption')
    expect([rateFor('Normal', 3), rateFor('PartialDisruption', 10), rateFor('PartialDisruption', 51)]).toEqual([0.1, 0, 0.01])
  })

  it('lets the first node pass at once and the next ten seconds later', () => {
    const zone: Zone = { state: 'Normal', qps: 0.1, tokens: 1, at: 0, waiting: [], known: [] }
    const first = takeToken(zone, 0)
    expect(first.waitMs).toBe(0)
    expect(takeToken(first.zone, 0).waitMs).toBeCloseTo(10_000)
    expect(takeToken(first.zone, 10_000).waitMs).toBe(0)
  })

  it('turns cordoning into a taint by GET and PATCH, and back', () => {
    const cordoned = node('node-1', { spec: { unschedulable: true }, status: { conditions: conditions('True') } })
    const { requests, calls } = run(nodeLifecycleController, 'node-1', [cordoned], {
      answer: (c) => (c.method === 'GET' ? echo({ ...c, body: cordoned }) : echo(c)),
    })
    expect(requests).toEqual(['GET nodes/node-1', 'PATCH nodes/node-1'])
    expect(calls[1]?.body).toMatchObject({ spec: { taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }] } })
    const freed = node('node-1', {
      spec: {
        taints: [
          { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' },
          { key: 'mine', effect: 'NoSchedule' },
        ],
      },
      status: { conditions: conditions('True') },
    })
    const back = run(nodeLifecycleController, 'node-1', [freed], {
      answer: (c) => (c.method === 'GET' ? echo({ ...c, body: freed }) : echo(c)),
    })
    expect(back.calls[1]?.body).toMatchObject({ spec: { taints: [{ key: 'mine', effect: 'NoSchedule' }] } })
  })
})

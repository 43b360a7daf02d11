import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { apiTime } from '../../../client/time.ts'
import { echo, no, run } from '../testing/harness.ts'
import { make, pod, ready, SELECTOR, TEMPLATE } from '../testing/objects.ts'
import { compareForDeletion, podsToDelete } from './ranking.ts'
import { replicaSetController } from './replicaset.ts'

const set = (replicas: number, rest = {}) =>
  make('apps/v1', 'ReplicaSet', 'web', { spec: { replicas, selector: SELECTOR, template: TEMPLATE }, ...rest })

describe('the ReplicaSet controller', () => {
  it('creates what is missing, one, two, four at a time, and then writes the status', () => {
    const rs = set(4)
    const { requests, events } = run(replicaSetController, 'shop/web', [rs, pod('a', { owner: rs, status: ready() })])
    expect(requests).toEqual(['POST pods', 'POST pods', 'POST pods', 'PUT replicasets/web/status'])
    expect(events).toEqual(Array(3).fill('Normal SuccessfulCreate Created pod: web-x'))
  })

  it('stops at the first failed batch and reports the failure as a condition', () => {
    const refuse = no(403, 'Forbidden', 'exceeded quota')
    const { requests, events, calls, error } = run(replicaSetController, 'shop/web', [set(10)], {
      answer: (c) => (c.path.endsWith('/pods') ? refuse : echo(c)),
    })
    expect(requests).toEqual(['POST pods', 'PUT replicasets/web/status'])
    expect(events).toEqual(['Warning FailedCreate Error creating: exceeded quota'])
    expect(calls[1]?.body).toMatchObject({
      status: { replicas: 0, conditions: [{ type: 'ReplicaFailure', reason: 'FailedCreate', message: 'exceeded quota' }] },
    })
    expect(error).toBe('exceeded quota')
  })

  it('adopts matching orphans after reading itself afresh, and counts them', () => {
    const rs = set(1)
    const { requests } = run(replicaSetController, 'shop/web', [rs, pod('stray')], {
      answer: (c) => (c.method === 'GET' ? echo({ ...c, body: rs }) : echo(c)),
    })
    expect(requests).toEqual(['GET replicasets/web', 'PATCH pods/stray', 'PUT replicasets/web/status'])
  })

  it('does not replace finished pods less than once: a terminating pod is replaced at once', () => {
    const rs = set(1)
    const { requests, calls } = run(replicaSetController, 'shop/web', [
      rs,
      pod('old', { owner: rs, status: ready(), metadata: { deletionTimestamp: apiTime(1), labels: { app: 'web' } } }),
    ])
    expect(requests[0]).toBe('POST pods')
    expect(calls[1]?.body).toMatchObject({ status: { terminatingReplicas: 1 } })
  })

  it('writes nothing when the status is as it should be', () => {
    const rs = set(0, { status: { replicas: 0, terminatingReplicas: 0, observedGeneration: 1 } })
    expect(run(replicaSetController, 'shop/web', [rs]).requests).toEqual([])
  })
})

describe('the choice of pods to delete', () => {
  const now = 1_000_000
  it('takes unassigned before pending before unready before cheap before crowded before young', () => {
    const unassigned = pod('unassigned', { spec: { containers: [] } })
    const pending = pod('pending')
    const unready = pod('unready', { status: { phase: 'Running' } })
    const cheap = pod('cheap', { status: ready(), metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-1' } } })
    const crowded = pod('crowded', { status: ready(), spec: { containers: [], nodeName: 'node-2' } })
    const young = pod('young', { status: ready(999_000) })
    const old = pod('old', { status: ready(0) })
    const order = podsToDelete(
      [old, young, crowded, cheap, unready, pending, unassigned],
      [crowded, pod('x', { spec: { nodeName: 'node-2' } }), pod('y', { spec: { nodeName: 'node-2' } })],
      6,
      now,
    )
    expect(order.map((p) => p.metadata.name)).toEqual(['unassigned', 'pending', 'unready', 'cheap', 'crowded', 'young'])
  })

  it('is a strict order whatever the pods', () => {
    const arbitrary = fc.record({
      at: fc.integer({ min: 0, max: 900_000 }),
      ready: fc.boolean(),
      node: fc.constantFrom('', 'node-1', 'node-2'),
      cost: fc.integer({ min: -2, max: 2 }),
    })
    fc.assert(
      fc.property(fc.array(arbitrary, { minLength: 3, maxLength: 8 }), (list) => {
        const pods = list.map((p, i) =>
          pod(`p${i}`, {
            spec: { nodeName: p.node },
            status: p.ready ? ready(p.at) : { phase: 'Running' },
            metadata: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': String(p.cost) } },
          }),
        )
        const less = (a: number, b: number): boolean => compareForDeletion(pods[a] as never, pods[b] as never, () => 0, now) < 0
        for (let a = 0; a < pods.length; a++)
          for (let b = 0; b < pods.length; b++) if (a !== b) expect(less(a, b) && less(b, a)).toBe(false)
      }),
    )
  })
})

import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../api/types/object.ts'
import { ownerReference } from '../runtime/objects.ts'
import { run, sent } from '../testing/harness.ts'
import { make, pod, ready, SELECTOR } from '../testing/objects.ts'
import { disruptionController } from './disruption.ts'

const budget = (spec: object, status = {}): KubeObject =>
  make('policy/v1', 'PodDisruptionBudget', 'web', { spec: { selector: SELECTOR, ...spec }, status })

/** Healthy, desired, allowed, expected for a Deployment of that size with so many ready pods. */
function judge(spec: object, replicas: number, up: number): number[] {
  const d = make('apps/v1', 'Deployment', 'web', { spec: { replicas } })
  const rs = make('apps/v1', 'ReplicaSet', 'web-1', { spec: { replicas }, metadata: { ownerReferences: [ownerReference(d)] } })
  const pods = Array.from({ length: replicas }, (_, i) => pod(`p${i}`, { owner: rs, status: i < up ? ready() : { phase: 'Running' } }))
  const { calls } = run(disruptionController, 'shop/web', [budget(spec), d, rs, ...pods])
  const s = sent(calls, 0).status
  return [s.currentHealthy, s.desiredHealthy, s.disruptionsAllowed, s.expectedPods]
}

describe('the disruption controller', () => {
  it('reckons numbers as they are and percentages rounded up', () => {
    expect(judge({ minAvailable: 2 }, 3, 3)).toEqual([3, 2, 1, 3])
    expect(judge({ minAvailable: '50%' }, 3, 3)).toEqual([3, 2, 1, 3])
    expect(judge({ maxUnavailable: '30%' }, 2, 2)).toEqual([2, 1, 1, 2])
    expect(judge({ maxUnavailable: 1 }, 3, 2)).toEqual([2, 2, 0, 3])
  })

  it('says so when there are no pods, or none that a controller owns', () => {
    expect(run(disruptionController, 'shop/web', [budget({ minAvailable: 1 })]).events).toEqual(['Normal NoPods No matching pods found'])
    const { events } = run(disruptionController, 'shop/web', [budget({ maxUnavailable: 1 }), pod('bare', { status: ready() })])
    expect(events[0]).toContain(
      'selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}',
    )
  })

  it('does not count a pod whose eviction was granted until two minutes have passed', () => {
    const b = budget({ minAvailable: 1 }, { disruptedPods: { a: '2026-01-01T00:16:00Z' } })
    const first = run(disruptionController, 'shop/web', [b, pod('a', { status: ready() }), pod('b', { status: ready() })], {
      now: 1_000_000,
    })
    expect(sent(first.calls, 0).status).toMatchObject({ currentHealthy: 1, disruptionsAllowed: 0 })
    expect(first.outcome?.requeueAfterMs).toBe(80_000)
    const later = run(disruptionController, 'shop/web', [b, pod('a', { status: ready() }), pod('b', { status: ready() })], {
      now: 1_100_000,
    })
    expect(sent(later.calls, 0).status).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 })
  })
})

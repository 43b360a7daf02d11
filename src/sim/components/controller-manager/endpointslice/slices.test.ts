import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../api/types/object.ts'
import { make, node, pod, ready } from '../testing/objects.ts'
import { endpointsOf, planFor, reuse } from './slices.ts'

const service = make('v1', 'Service', 'web', {
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }], clusterIP: '10.96.0.7', ipFamilies: ['IPv4'] },
})
const pods = (from: number, to: number): KubeObject[] =>
  Array.from({ length: to - from }, (_, i) =>
    pod(`p${from + i}`, { status: { ...ready(), podIPs: [{ ip: `10.244.${Math.floor((from + i) / 250)}.${(from + i) % 250}` }] } }),
  )
const ALL = pods(0, 260)
const nodes = { 'node-1': node('node-1') }

/** Carries a plan out on a list of slices. */
const apply = (slices: readonly KubeObject[], list: readonly KubeObject[]): { slices: KubeObject[]; writes: number } => {
  const plan = reuse(service, planFor({ service, pods: list, nodes, slices }, 'IPv4'))
  const updated = new Map(plan.update.map((s) => [s.metadata.name, s]))
  const removed = new Set(plan.remove.map((s) => s.metadata.name))
  const kept = slices.filter((s) => !removed.has(s.metadata.name)).map((s) => updated.get(s.metadata.name) ?? s)
  const created = plan.create.map((s, i) => ({ ...s, metadata: { ...s.metadata, name: `web-${slices.length + i}-${list.length}` } }))
  return { slices: [...kept, ...created], writes: plan.create.length + plan.update.length + plan.remove.length }
}

describe('endpoint slices', () => {
  it('hold every ready pod exactly once, at most 100 each, and need no second write', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 260 }), { minLength: 1, maxLength: 5 }), (counts) => {
        let slices: KubeObject[] = []
        for (const count of counts) {
          const list = ALL.slice(0, count)
          slices = apply(slices, list).slices
          const names = slices.flatMap(endpointsOf).map((e) => e.targetRef?.name)
          expect(names.sort()).toEqual(list.map((p) => p.metadata.name).sort())
          for (const slice of slices) expect(endpointsOf(slice).length).toBeLessThanOrEqual(100)
          expect(slices.length).toBeGreaterThan(0)
          expect(apply(slices, list).writes).toBe(0)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('fill the fullest slice that has room instead of making a new one', () => {
    const { slices } = apply([], ALL.slice(0, 150))
    const plan = planFor({ service, pods: ALL.slice(0, 151), nodes, slices }, 'IPv4')
    expect([plan.create.length, plan.update.length, plan.remove.length]).toEqual([0, 1, 0])
  })

  it('keep one slice, empty, when the last pod goes', () => {
    const before = apply([], ALL.slice(0, 1)).slices
    const after = apply(before, []).slices
    expect(after).toHaveLength(1)
    expect(after[0]).toMatchObject({ endpoints: null, ports: null, metadata: { name: before[0]?.metadata.name } })
  })

  it('mark terminating pods as serving but not ready, and leave out pods of unknown nodes', () => {
    const [p] = pods(0, 1) as [KubeObject]
    const going = { ...p, metadata: { ...p.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
    expect(planFor({ service, pods: [going], nodes, slices: [] }, 'IPv4').create[0]?.endpoints[0].conditions).toEqual({
      ready: false,
      serving: true,
      terminating: true,
    })
    const lost = planFor({ service, pods: [p], nodes: {}, slices: [] }, 'IPv4')
    expect(lost.skipped[0]).toContain('Node node-1 Not Found')
  })
})

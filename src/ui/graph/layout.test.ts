import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HostElement, PodElement, SceneElement } from '../../projection/scene.ts'
import { layoutScene, type Rect, route } from './layout.ts'

const host = (name: string, role: HostElement['role'] = 'worker'): HostElement => ({
  type: 'host',
  id: `host:${name}`,
  name,
  role,
  ip: '',
  status: 'ready',
  statusText: 'Ready',
  lines: [],
  schedulable: true,
  cpu: { used: 0, total: 4 },
  memory: { used: 0, total: 8 },
  podCount: 0,
  podCapacity: 110,
})
const pod = (name: string, node: string | undefined): PodElement => ({
  type: 'pod',
  id: `pod:default/${name}`,
  name,
  ref: { apiVersion: 'v1', kind: 'Pod', name },
  status: 'ready',
  statusText: 'Running',
  lines: [],
  node,
  ready: '1/1',
  restarts: 0,
  system: false,
  containers: [],
})
const scene = (...elements: readonly SceneElement[]): ReadonlyMap<string, SceneElement> => new Map(elements.map((e) => [e.id, e]))
const machines = [host('control-plane', 'control-plane'), host('node-1'), host('node-2'), host('node-3')]
const many = (n: number, node: string | undefined): PodElement[] =>
  Array.from({ length: n }, (_, i) => pod(`p-${node ?? 'none'}-${i}`, node))
const inside = (a: Rect, b: Rect): boolean =>
  a.x >= b.x && a.y >= b.y && a.x + a.width <= b.x + b.width + 0.01 && a.y + a.height <= b.y + b.height + 0.01
const apart = (a: Rect, b: Rect): boolean =>
  a.x + a.width <= b.x + 0.01 || b.x + b.width <= a.x + 0.01 || a.y + a.height <= b.y + 0.01 || b.y + b.height <= a.y + 0.01

describe('pods', () => {
  test.each([1, 6, 7, 12, 13, 110, 130])('%i of them stay inside their machine and beside each other; what has no room is counted', (n) => {
    for (const node of ['node-2', 'control-plane', undefined]) {
      const all = many(n, node)
      const { rects, hidden } = layoutScene(scene(...machines, ...all))
      const drawn = all.flatMap((p) => rects.get(p.id) ?? [])
      expect(drawn.length + (hidden.get(node ?? '') ?? 0)).toBe(n)
      const home = rects.get(`host:${node ?? ''}`)
      if (home) for (const r of drawn) expect(inside(r, home)).toBe(true)
      for (const [i, a] of drawn.entries()) for (const b of drawn.slice(i + 1)) expect(apart(a, b)).toBe(true)
      // Waiting pods stand clear of the machines.
      if (!home) for (const r of drawn) for (const m of machines) expect(apart(r, rects.get(m.id) as Rect)).toBe(true)
    }
  })

  test('a pod that did not change never moves because others come and go', () => {
    fc.assert(
      fc.property(fc.subarray([0, 1, 2, 3, 4, 5]), fc.subarray([0, 1, 2, 3, 4, 5]), (before, after) => {
        const of = (numbers: readonly number[]): ReadonlyMap<string, SceneElement> =>
          scene(...machines, ...numbers.map((i) => pod(`p-${i}`, 'node-1')))
        const first = layoutScene(of(before))
        const second = layoutScene(of(after), first)
        for (const i of before)
          if (after.includes(i)) expect(second.rects.get(`pod:default/p-${i}`)).toEqual(first.rects.get(`pod:default/p-${i}`))
      }),
    )
  })
})

test('a message between neighbours in a row runs below their names', () => {
  const [a, b] = [
    { x: 0, y: 0, width: 50, height: 30 },
    { x: 55, y: 0, width: 50, height: 30 },
  ]
  const path = route(a, b)
  expect(path.y1).toBeGreaterThan(30)
  expect(path.y2).toBe(path.y1)
  expect(path.x2).toBeGreaterThan(path.x1)
})

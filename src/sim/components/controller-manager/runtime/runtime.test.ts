import { describe, expect, it } from 'vitest'
import { fakeApi, type Seen } from '../../../client/testing/fake-api.ts'
import { Simulation } from '../../../cluster/simulation.ts'
import type { ComponentType, Context } from '../../../net/context.ts'
import { CONFIG } from '../testing/harness.ts'
import { splitKey } from './objects.ts'
import { controllerManager } from './runtime.ts'
import { calls, create, createCall, decided, effect, must } from './steps.ts'
import type { Controller } from './types.ts'

/** For each ConfigMap: a Secret of its name, then as many side by side as `data.more` says. */
const copier: Controller<{ namespace: string; name: string; more: number }> = {
  name: 'copier',
  controller: 'copier',
  serviceAccount: 'copier',
  workers: 2,
  subject: 'configmaps',
  informers: ['configmaps'],
  on: { configmaps: (rt, event) => event.type !== 'DELETED' && rt.add(event.key) },
  observe: (key, rt) => {
    const found = rt.get('configmaps', key)
    return found ? { ...splitKey(key), more: Number(found.data?.more ?? 0) } : undefined
  },
  *reconcile({ namespace, name, more }, env) {
    yield* decided('copy', { more })
    must(yield* create('secrets', namespace, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } }))
    const suffix = Math.floor(env.random() * 1000)
    const n = yield* effect((rt) => {
      const table = rt.memory<number>('effects')
      table.put('n', (table.get('n') ?? 0) + 1)
      return more
    })
    for (const answer of yield* calls(
      Array.from({ length: n }, (_, i) =>
        createCall('secrets', namespace, { apiVersion: 'v1', kind: 'Secret', metadata: { name: `${name}-${suffix}-${i}`, namespace } }),
      ),
    ))
      must(answer)
  },
}

const manager = controllerManager('kube-controller-manager', () => [copier as never])
const writer: ComponentType = {
  type: 'writer',
  handlers: {
    write: (ctx: Context, body: { path?: string }) =>
      ctx.call(
        'api',
        'http.request',
        { method: 'POST', path: body.path ?? '/api/v1/configmaps', headers: {}, body, sourceIP: '' },
        { then: { kind: 'written' }, flow: 'write', summary: 'POST' },
      ),
    written: () => {},
  },
}

const make = (config = CONFIG) => {
  const sim = new Simulation({ seed: 1, types: [fakeApi, manager, writer] })
  sim.network.addHost({ name: 'a', ip: '10.0.0.1', role: 'control-plane', up: true })
  for (const [id, type, c] of [
    ['api', 'fake-api', null],
    ['kcm', 'kube-controller-manager', config],
    ['writer', 'writer', null],
  ] as const)
    sim.boot({ id, type, host: 'a', config: c })
  sim.runUntil({ kind: 'quiet' })
  return sim
}
const write = (sim: Simulation, name: string, more: number): void =>
  sim.input({
    target: 'writer',
    kind: 'write',
    payload: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'shop', name }, data: { more: String(more) } },
  })
const secrets = (sim: Simulation) =>
  sim
    .peek<Seen>('api', 'seen')
    .values()
    .filter((s) => s.method === 'POST' && s.path.endsWith('secrets') && s.userAgent !== '')

describe('the controller runtime', () => {
  it('syncs what informers report, as the service account of the controller, and runs effects once though it replays', () => {
    const sim = make()
    write(sim, 'web', 3)
    sim.runUntil({ kind: 'quiet' })
    expect(secrets(sim).map((s) => s.status)).toEqual([201, 201, 201, 201])
    expect(secrets(sim)[0]?.userAgent).toMatch(/^kube-controller-manager\/v1\.35\.4 .*system:serviceaccount:kube-system:copier$/)
    expect(sim.peek<number>('kcm', 'memory/copier/effects').get('n')).toBe(1)
    const names = secrets(sim).map((s) => (s.body as { metadata: { name: string } }).metadata.name)
    expect(new Set(names.slice(1).map((n) => n.split('-')[1])).size).toBe(1)
    const kinds = sim
      .records()
      .filter((r) => r.kind.startsWith('controller.'))
      .map((r) => r.kind)
    expect(kinds).toEqual([
      'controller.started',
      'controller.queue.added',
      'controller.reconcile.started',
      'controller.decided',
      'controller.reconcile.finished',
    ])
  })

  it('leads from the write of a controller back to what the visitor did', () => {
    const sim = make()
    write(sim, 'web', 0)
    sim.runUntil({ kind: 'quiet' })
    const records = sim.records()
    const chain: string[] = []
    const finished = records.find((r) => r.kind === 'controller.reconcile.finished')
    for (let r = finished; r; r = records[r.cause - 1]) chain.push(r.kind)
    expect(chain).toContain('controller.decided')
    expect(chain.at(-1)).toBe('visitor.input')
  })

  it('takes a failed key up again after pauses that double', () => {
    const sim = make()
    sim.input({ target: 'writer', kind: 'write', payload: { path: '/api/v1/namespaces/shop/secrets', metadata: { name: 'web' } } })
    write(sim, 'web', 0)
    sim.runToTime(sim.now + 1000)
    const failed = sim
      .records()
      .filter((r) => r.kind === 'controller.reconcile.finished')
      .map((r) => r.at)
    const gaps = failed.slice(1).map((at, i) => at - (failed[i] as number))
    expect(gaps.length).toBeGreaterThanOrEqual(6)
    for (const [i, gap] of gaps.entries()) expect(Math.abs(gap - 5 * 2 ** i)).toBeLessThan(1)
  })

  it('paces its requests: 20 a second after a burst of 30', () => {
    const sim = make()
    write(sim, 'web', 89)
    sim.runToTime(sim.now + 1000)
    const early = secrets(sim).length
    expect(early).toBeGreaterThanOrEqual(49)
    expect(early).toBeLessThanOrEqual(51)
    sim.runUntil({ kind: 'quiet' })
    expect(secrets(sim)).toHaveLength(90)
    expect(sim.now).toBeGreaterThan(2900)
  })

  it('works only after it won the lease', () => {
    const sim = make({ ...CONFIG, leaderElect: true })
    write(sim, 'web', 0)
    sim.runUntil({ kind: 'quiet' })
    const seen = sim
      .peek<Seen>('api', 'seen')
      .values()
      .map((s) => `${s.method} ${s.path.split('/').at(-1)}`)
    expect(seen.slice(0, 2)).toEqual(['GET kube-controller-manager', 'POST leases'])
    expect(secrets(sim)).toHaveLength(1)
  })
})

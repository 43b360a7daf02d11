import { describe, expect, it } from 'vitest'
import { Simulation } from '../cluster/simulation.ts'
import type { ComponentType, Context } from '../net/context.ts'
import { createLeaderElection, LEASE_DURATION_MS, RENEW_DEADLINE_MS, RETRY_PERIOD_MS } from './leader-election.ts'
import { fakeApi, type Seen } from './testing/fake-api.ts'

const election = createLeaderElection({
  client: () => ({ servers: ['api'], user: 'x', groups: [], userAgent: 'candidate' }),
  lease: () => ({ namespace: 'kube-system', name: 'thing' }),
  onStartedLeading: (ctx: Context) => ctx.table<number>('log').put('started', ctx.now),
  onStoppedLeading: (ctx: Context) => ctx.stopProcess(ctx.self, 'leaderelection lost'),
})
const candidate: ComponentType = { type: 'candidate', start: election.start, handlers: { ...election.handlers } }

const make = () => {
  const sim = new Simulation({ seed: 1, types: [fakeApi, candidate] })
  for (const name of ['a', 'b', 'c']) sim.network.addHost({ name, ip: `10.0.0.${name}`, role: 'control-plane', up: true })
  sim.boot({ id: 'api', type: 'fake-api', host: 'a', config: null })
  sim.boot({ id: 'b', type: 'candidate', host: 'b', config: null })
  sim.boot({ id: 'c', type: 'candidate', host: 'c', config: null })
  sim.baseline()
  return sim
}
const leaders = (sim: Simulation): string[] =>
  ['b', 'c'].filter((id) => sim.process(id)?.running && sim.peek<{ role: string }>(id, 'leader-election').get('state')?.role === 'leading')

describe('leader election', () => {
  it('makes one candidate the leader by GET and POST and renews by PUT alone', () => {
    const sim = make()
    sim.runToTime(60_000)
    expect(leaders(sim)).toHaveLength(1)
    const [leader] = leaders(sim)
    const lease = sim.peek<{ spec: { holderIdentity: string; leaseDurationSeconds: number } }>('api', 'objects').values()[0]
    expect(lease?.spec.holderIdentity).toMatch(new RegExp(`^${leader}_[0-9a-f-]{36}$`))
    expect(lease?.spec.leaseDurationSeconds).toBe(15)
    const seen = sim.peek<Seen>('api', 'seen').values()
    expect(seen.filter((s) => s.method === 'PUT').length).toBeGreaterThan(60_000 / RETRY_PERIOD_MS - 3)
    expect(sim.isQuiet()).toBe(true)
  })

  it('passes the lease on only after it was not renewed for its whole duration, and never has two leaders', () => {
    const sim = make()
    sim.runToTime(20_000)
    const [leader] = leaders(sim) as [string]
    sim.network.setLink('a', leader, { cut: true }, 0)
    let handover = 0
    while (sim.now < 120_000 && handover === 0) {
      sim.step()
      expect(leaders(sim).length).toBeLessThanOrEqual(1)
      const now = leaders(sim)
      if (now.length === 1 && now[0] !== leader) handover = sim.now
    }
    expect(handover).toBeGreaterThan(20_000 + LEASE_DURATION_MS - 2 * RETRY_PERIOD_MS)
    expect(handover).toBeLessThan(20_000 + LEASE_DURATION_MS + 3 * RETRY_PERIOD_MS)
    expect(sim.process(leader)?.running).toBe(false)
    const stopped = sim.records().find((r) => r.kind === 'client.lease.lost')
    expect(stopped?.at).toBeLessThan(20_000 + RENEW_DEADLINE_MS + 2 * RETRY_PERIOD_MS)
    expect(stopped?.at).toBeLessThan(handover)
  })
})

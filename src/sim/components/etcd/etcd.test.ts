import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRaftChecker, type EtcdView } from '../../checkers/raft.ts'
import { Simulation } from '../../cluster/simulation.ts'
import type { ComponentType } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import type { TraceRecord } from '../../trace/record.ts'
import { etcdType } from './etcd.ts'
import type { SoftState } from './raft/types.ts'
import { type EtcdAnswer, prefixEnd, type RangeResponse, type TxnResponse, type WatchChunk } from './types.ts'

/** Does what the inputs tell it, and keeps every answer. */
const driver: ComponentType = {
  type: 'driver',
  handlers: {
    ask: (ctx, p: { to: string; kind: string; payload: unknown; tag: string; stream?: boolean }) =>
      void ctx.call(p.to, p.kind, p.payload, {
        then: { kind: 'got', data: p.tag },
        flow: 'write',
        summary: p.kind,
        timeoutMs: 20_000,
        stream: p.stream ?? false,
      }),
    got: (ctx, r: CallResult<unknown, string>) => {
      const n = ctx.table<number>('n').get('n') ?? 0
      ctx.table<number>('n').put('n', n + 1)
      ctx
        .table<unknown>('answers')
        .put(
          `${r.data}/${String(n).padStart(6, '0')}`,
          r.form === 'error' ? { error: r.error } : r.form === 'end' ? { end: true } : r.value,
        )
    },
    stop: (ctx, p: { id: string }) => ctx.stopProcess(p.id, 'test'),
    start: (ctx, p: { id: string; members: string[] }) =>
      ctx.startProcess({ id: p.id, type: 'etcd', host: p.id.slice(5), config: { members: p.members, fsyncMs: 1 } }),
  },
}

function cluster(size: number, seed = 1) {
  const sim = new Simulation({ seed, types: [etcdType, driver] })
  const members = Array.from({ length: size }, (_, i) => `etcd/m${i + 1}`)
  for (const [i, m] of members.entries()) sim.network.addHost({ name: m.slice(5), ip: `10.0.0.${i + 1}`, role: 'etcd', up: true })
  sim.network.addHost({ name: 'you', ip: '10.0.1.1', role: 'visitor', up: true })
  sim.boot({ id: 'driver', type: 'driver', host: 'you', config: null })
  for (const m of members) sim.boot({ id: m, type: 'etcd', host: m.slice(5), config: { members, fsyncMs: 1 } })
  sim.baseline()
  const view: EtcdView = { peek: (id, t) => sim.peek(id, t), running: (id) => sim.process(id)?.running ?? false }
  const answers = <T>(tag: string): T[] =>
    sim
      .peek<T>('driver', 'answers')
      .keysWithPrefix(`${tag}/`)
      .map((k) => sim.peek<T>('driver', 'answers').get(k) as T)
  const ask = (to: string, kind: string, payload: unknown, tag: string, stream = false): void =>
    sim.input({ target: 'driver', kind: 'ask', payload: { to, kind, payload, tag, stream } })
  const put = (to: string, key: string, value: unknown, tag = key): void =>
    ask(to, 'etcd.txn', { compare: [], success: [{ op: 'put', key, value }], failure: [] }, tag)
  const leader = (): string | undefined =>
    members.find((m) => sim.process(m)?.running && sim.peek<SoftState>(m, 'soft').get('state')?.role === 'leader')
  const command = (kind: string, payload: unknown): void => sim.input({ target: 'driver', kind, payload })
  return { sim, members, view, answers, ask, put, leader, command }
}

describe('etcd with one member', () => {
  it('gives every writing transaction the next revision and answers after it is on disk', () => {
    const { sim, answers, put } = cluster(1)
    put('etcd/m1', '/a', 1)
    put('etcd/m1', '/b', 2)
    sim.runToTime(100)
    const got = [...answers<EtcdAnswer<TxnResponse>>('/a'), ...answers<EtcdAnswer<TxnResponse>>('/b')]
    expect(got.map((a) => a.ok && a.value.revision)).toEqual([2, 3])
  })

  it('refuses a transaction whose comparison fails and runs its other half', () => {
    const { sim, answers, ask, put } = cluster(1)
    put('etcd/m1', '/a', 1)
    sim.runToTime(50)
    ask(
      'etcd/m1',
      'etcd.txn',
      {
        compare: [{ key: '/a', target: 'mod', op: '=', value: 99 }],
        success: [{ op: 'delete', key: '/a' }],
        failure: [{ op: 'range', key: '/a' }],
      },
      't',
    )
    sim.runToTime(100)
    const [got] = answers<EtcdAnswer<TxnResponse>>('t')
    expect(got).toMatchObject({
      ok: true,
      value: { succeeded: false, revision: 2, responses: [{ op: 'range', kvs: [{ key: '/a', value: 1, modRevision: 2, version: 1 }] }] },
    })
  })

  it('sends a watcher every event from the revision it asked for, and refuses a compacted one', () => {
    const { sim, answers, ask, put } = cluster(1)
    for (const [i, key] of ['/r/a', '/x', '/r/b'].entries()) put('etcd/m1', key, i)
    sim.runToTime(50)
    ask('etcd/m1', 'etcd.watch', { key: '/r/', rangeEnd: prefixEnd('/r/'), startRevision: 2 }, 'w', true)
    sim.runToTime(60)
    put('etcd/m1', '/r/a', 'new')
    sim.runToTime(100)
    expect(answers<WatchChunk>('w').flatMap((c) => c.events.map((e) => `${e.kv.key}@${e.kv.modRevision}`))).toEqual([
      '/r/a@2',
      '/r/b@4',
      '/r/a@5',
    ])
    ask('etcd/m1', 'etcd.compact', { revision: 5 }, 'c')
    sim.runToTime(150)
    ask('etcd/m1', 'etcd.watch', { key: '/r/', rangeEnd: prefixEnd('/r/'), startRevision: 3 }, 'old', true)
    ask('etcd/m1', 'etcd.range', { key: '/x', revision: 3 }, 'read-old')
    sim.runToTime(200)
    expect(answers<WatchChunk>('old')[0]).toMatchObject({ compactRevision: 5 })
    expect(answers<EtcdAnswer<RangeResponse>>('read-old')[0]).toEqual({
      ok: false,
      error: 'etcdserver: mvcc: required revision has been compacted',
    })
  })

  it('reads the past as it was', () => {
    const { sim, answers, ask, put } = cluster(1)
    put('etcd/m1', '/a', 'one')
    put('etcd/m1', '/a', 'two', 'x')
    ask('etcd/m1', 'etcd.txn', { compare: [], success: [{ op: 'delete', key: '/a' }], failure: [] }, 'd')
    sim.runToTime(50)
    for (const r of [2, 3, 4]) ask('etcd/m1', 'etcd.range', { key: '/a', revision: r }, `r${r}`)
    sim.runToTime(100)
    expect([2, 3, 4].map((r) => answers<{ value: RangeResponse }>(`r${r}`)[0]?.value.kvs.map((k) => k.value))).toEqual([
      ['one'],
      ['two'],
      [],
    ])
  })

  it('keeps what it acknowledged over a restart', () => {
    const { sim, answers, ask, put, command, members } = cluster(1)
    put('etcd/m1', '/a', 'kept')
    sim.runToTime(50)
    command('stop', { id: 'etcd/m1' })
    command('start', { id: 'etcd/m1', members })
    ask('etcd/m1', 'etcd.range', { key: '/a' }, 'r')
    sim.runToTime(3000)
    expect(answers<{ value: RangeResponse }>('r')[0]?.value.kvs[0]?.value).toBe('kept')
  })
})

describe('etcd with three members', () => {
  it('elects one leader and answers writes sent to any member', () => {
    const { sim, answers, put, leader, members } = cluster(3)
    sim.runToTime(3000)
    expect(leader()).toBeDefined()
    for (const m of members) put(m, `/${m}`, 1)
    sim.runToTime(3500)
    for (const m of members) expect(answers<EtcdAnswer<unknown>>(`/${m}`)).toMatchObject([{ ok: true }])
  })

  it('goes on without a minority, and without a majority refuses writes and linearizable reads but not stale ones', () => {
    const { sim, answers, ask, put, leader, members, command } = cluster(3, 4)
    sim.runToTime(3000)
    const first = leader() as string
    command('stop', { id: first })
    sim.runToTime(8000)
    const second = leader() as string
    expect(second).not.toBe(first)
    put(second, '/a', 1)
    sim.runToTime(9000)
    expect(answers<EtcdAnswer<unknown>>('/a')).toMatchObject([{ ok: true }])
    const other = members.find((m) => m !== first && m !== second) as string
    command('stop', { id: second })
    sim.runToTime(12_000)
    put(other, '/b', 1)
    ask(other, 'etcd.range', { key: '/a' }, 'lin')
    ask(other, 'etcd.range', { key: '/a', serializable: true }, 'stale')
    sim.runToTime(25_000)
    expect(answers('/b')).toEqual([{ ok: false, error: 'etcdserver: request timed out' }])
    expect(answers('lin')).toEqual([{ ok: false, error: 'etcdserver: request timed out' }])
    expect(answers<{ value: RangeResponse }>('stale')[0]?.value.kvs[0]?.value).toBe(1)
  })

  it('brings a member that was away up to date', () => {
    const { sim, put, members, command, leader, view } = cluster(3, 9)
    sim.runToTime(3000)
    const away = members.find((m) => m !== leader()) as string
    command('stop', { id: away })
    for (let i = 0; i < 40; i++) put(leader() as string, `/k${i}`, i)
    sim.runToTime(4000)
    command('start', { id: away, members })
    sim.runToTime(8000)
    expect(view.peek(away, 'kv').keys()).toEqual(view.peek(leader() as string, 'kv').keys())
    expect(view.peek(away, 'kv').size).toBe(40)
  })

  it('keeps raft safe under crashes, partitions and loss, and commits again after healing (swarm)', () => {
    let commits = 0
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2 ** 30 }),
        fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 2 }), fc.integer({ min: 20, max: 2500 })), {
          minLength: 4,
          maxLength: 14,
        }),
        (seed, faults) => {
          const { sim, members, view, put, command, answers } = cluster(3, seed)
          const checker = createRaftChecker(members)
          let n = 0
          const run = (ms: number): void => {
            const end = sim.now + ms
            for (;;) {
              const next = sim.nextAt()
              if (next === undefined || next > end) break
              const before = sim.kernel.records
              sim.step()
              checker.check(view)
              for (let r = before; r < sim.kernel.records; r++) {
                const record = sim.kernel.trace[r] as TraceRecord
                if (record.kind === 'raft.vote.granted') checker.checkVote(view, record.actor, (record.data as { to: string }).to)
              }
            }
          }
          run(2500)
          for (const [what, who, ms] of faults) {
            const m = members[who] as string
            const [a, b] = [members[who]?.slice(5) as string, members[(who + 1) % 3]?.slice(5) as string]
            if (what === 0) command('stop', { id: m })
            else if (what === 1) command('start', { id: m, members })
            else if (what === 2) sim.network.setLink(a, b, { cut: true }, 0)
            else if (what === 3) sim.network.setLink(a, b, { cut: false }, 0)
            else if (what === 4) sim.network.setLink(a, b, { lossPercent: 30, latencyMs: 40 }, 0)
            for (const to of members) put(to, `/k${n % 5}`, n++, `p${n}`)
            run(ms)
          }
          for (let i = 0; i < 3; i++) {
            sim.network.setLink(`m${i + 1}`, `m${((i + 1) % 3) + 1}`, { cut: false, lossPercent: 0, latencyMs: 0.3 }, 0)
            command('start', { id: members[i] as string, members })
          }
          run(6000)
          for (const m of members) put(m, '/final', 1, `final-${m}`)
          run(3000)
          for (const m of members) expect(answers(`final-${m}`)).toMatchObject([{ ok: true }])
          const [first] = members
          for (const m of members) expect(view.peek(m, 'kv').entries()).toEqual(view.peek(first as string, 'kv').entries())
          commits += checker.committed
        },
      ),
      { numRuns: 25 },
    )
    expect(commits).toBeGreaterThan(25 * 5)
  })
})

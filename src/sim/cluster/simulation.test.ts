import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ComponentType } from '../net/context.ts'
import type { CallResult } from '../net/types.ts'
import { Simulation, SimulationCrash } from './simulation.ts'

/** A server that counts what it is asked, and clients that ask it at random, give up, restart it and talk by datagram. */
const server: ComponentType = {
  type: 'server',
  durable: ['disk'],
  handlers: {
    ask: (ctx, payload: { by: string }, delivery) => {
      const n = (ctx.table<number>('count').get(payload.by) ?? 0) + 1
      ctx.table<number>('count').put(payload.by, n)
      ctx.table<number>('disk').put('total', (ctx.table<number>('disk').get('total') ?? 0) + 1)
      if (ctx.random() < 0.8 && delivery.call !== undefined) ctx.reply(delivery.call, { n })
    },
    gossip: (ctx, payload: { word: string }) => ctx.table<string>('heard').put(payload.word, payload.word),
  },
}
const client: ComponentType = {
  type: 'client',
  start: (ctx) => ctx.setTimer('tick', ctx.random() * 10, 'tick'),
  handlers: {
    tick: (ctx) => {
      ctx.call(
        'server',
        'ask',
        { by: ctx.self },
        { then: { kind: 'answer', data: { at: ctx.now } }, timeoutMs: 50, flow: 'read', summary: 'ask' },
      )
      ctx.setTimer('tick', 5 + ctx.random() * 20, 'tick', null, { periodic: true })
    },
    answer: (ctx, result: CallResult) => {
      ctx.table<string>('seen').put(String(result.call), result.form === 'error' ? result.error : JSON.stringify(result))
      ctx.send('server', 'gossip', { word: `w${result.call % 7}` }, { flow: 'data', summary: 'gossip' })
    },
    crash: () => {
      throw new Error('told to crash')
    },
    restart: (ctx) => {
      ctx.stopProcess('server', 'test')
      ctx.startProcess({ id: 'server', type: 'server', host: 'b', config: null })
    },
  },
}

function make(seed: number, options: { keyframeInterval?: number; journalLimit?: number } = {}): Simulation {
  const sim = new Simulation({ seed, types: [server, client], keyframeInterval: 16, ...options })
  for (const [name, ip] of [
    ['a', '10.0.0.1'],
    ['b', '10.0.0.2'],
  ] as const)
    sim.network.addHost({ name, ip, role: 'worker', up: true })
  sim.boot({ id: 'server', type: 'server', host: 'b', config: null })
  sim.boot({ id: 'c1', type: 'client', host: 'a', config: null })
  sim.boot({ id: 'c2', type: 'client', host: 'a', config: null })
  sim.baseline()
  return sim
}
const steps = (sim: Simulation, n: number): void => {
  for (let i = 0; i < n; i++) sim.step()
}
const seeds = fc.integer({ min: 0, max: 2 ** 31 })

describe('a simulation', () => {
  it('gives the same trace for the same seed and inputs, and another for another seed', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 200 }), (seed, n) => {
        const run = (s: number): string => {
          const sim = make(s)
          steps(sim, n)
          sim.input({ target: 'c1', kind: 'restart', payload: null })
          steps(sim, 200)
          return sim.traceDigest() + sim.stateDigest()
        }
        expect(run(seed)).toBe(run(seed))
        expect(run(seed)).not.toBe(run(seed + 1))
      }),
      { numRuns: 20 },
    )
  })

  it('returns to the identical full state by undo, and again by redo', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 150 }), (seed, n) => {
        const sim = make(seed)
        steps(sim, 60)
        const before = sim.stateDigest()
        steps(sim, n)
        const after = sim.stateDigest()
        for (let i = 0; i < n; i++) sim.back()
        expect(sim.stateDigest()).toBe(before)
        steps(sim, n)
        expect(sim.stateDigest()).toBe(after)
      }),
      { numRuns: 30 },
    )
  })

  it('seeks to a moment and finds the state that running there gives, with journals kept or dropped', () => {
    fc.assert(
      fc.property(
        seeds,
        fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 8 }),
        fc.boolean(),
        (seed, targets, drop) => {
          const sim = make(seed, drop ? { journalLimit: 40 } : {})
          steps(sim, 100)
          sim.input({ target: 'c1', kind: 'restart', payload: null })
          steps(sim, 300)
          if (drop) sim.history.dropJournals()
          for (const target of targets) {
            sim.seek(target)
            const straight = make(seed)
            for (let i = 0; i < target; i++) {
              if (straight.history.cursor === 100) straight.input({ target: 'c1', kind: 'restart', payload: null })
              else straight.step()
            }
            expect(sim.stateDigest()).toBe(straight.stateDigest())
            expect(sim.traceDigest()).toBe(straight.traceDigest())
          }
        },
      ),
      { numRuns: 25 },
    )
  })

  it('forks when the past is changed, and leaves the old branch as it was', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: 299 }), (seed, at) => {
        const sim = make(seed)
        steps(sim, 300)
        const [state, trace] = [sim.stateDigest(), sim.traceDigest()]
        sim.seek(at)
        sim.input({ target: 'c1', kind: 'restart', payload: null })
        steps(sim, 50)
        const forked = sim.stateDigest()
        expect(sim.branches()).toHaveLength(2)
        sim.history.switchTo(1)
        sim.seek(300)
        expect([sim.stateDigest(), sim.traceDigest()]).toEqual([state, trace])
        sim.history.switchTo(2)
        sim.seek(at + 51)
        expect(sim.stateDigest()).toBe(forked)
      }),
      { numRuns: 25 },
    )
  })

  it('looks ahead without a trace: state, history and branches are as before', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: 60 }), (seed, at, back) => {
        const sim = make(seed)
        steps(sim, at)
        for (let i = 0; i < back; i++) sim.back()
        const before = [
          sim.stateDigest(),
          sim.traceDigest(),
          sim.history.cursor,
          sim.history.length,
          sim.branches().length,
          sim.kernel.trace.length,
        ]
        const ahead = sim.sandbox(() => {
          sim.input({ target: 'c1', kind: 'restart', payload: null })
          steps(sim, 120)
          return sim.process('server')?.incarnation
        })
        expect(ahead).toBe(2)
        expect([
          sim.stateDigest(),
          sim.traceDigest(),
          sim.history.cursor,
          sim.history.length,
          sim.branches().length,
          sim.kernel.trace.length,
        ]).toEqual(before)
        for (let i = 0; i < back; i++) sim.step()
        steps(sim, 40)
        expect(sim.kernel.records).toBeGreaterThan(0)
      }),
      { numRuns: 25 },
    )
  })

  it('stops with one reproducible line when a component breaks, and leaves the state before the step', () => {
    const sim = make(7)
    steps(sim, 20)
    sim.input({ target: 'c2', kind: 'crash', payload: null })
    const crash = (() => {
      for (let i = 0; i < 50; i++) {
        const before = sim.stateDigest()
        try {
          sim.step()
        } catch (error) {
          expect(sim.stateDigest()).toBe(before)
          return error as SimulationCrash
        }
      }
      throw new Error('it did not crash')
    })()
    expect(crash).toBeInstanceOf(SimulationCrash)
    expect(crash.report).not.toContain('\n')
    expect(JSON.parse(crash.report)).toMatchObject({
      crash: 'told to crash',
      seed: 7,
      inputs: [{ input: { kind: 'crash', target: 'c2' } }],
    })
  })

  it('keeps durable tables and clears memory when a process restarts, and resets its connections', () => {
    const sim = make(3)
    sim.runToTime(200)
    expect(sim.peek<number>('server', 'count').size).toBeGreaterThan(0)
    const total = sim.peek<number>('server', 'disk').get('total') as number
    sim.input({ target: 'c1', kind: 'restart', payload: null })
    steps(sim, 2)
    expect(sim.process('server')?.incarnation).toBe(2)
    expect(sim.peek<number>('server', 'count').size).toBe(0)
    expect(sim.peek<number>('server', 'disk').get('total')).toBe(total)
  })

  it('refuses a connection to a process that was never started on a machine that runs', () => {
    const sim = new Simulation({ seed: 1, types: [client, server] })
    sim.network.addHost({ name: 'a', ip: '10.0.0.1', role: 'worker', up: true })
    sim.network.addHost({ name: 'server', ip: '10.0.0.2', role: 'worker', up: true })
    sim.boot({ id: 'c1', type: 'client', host: 'a', config: null })
    sim.baseline()
    sim.runToTime(60)
    expect(new Set(sim.peek<string>('c1', 'seen').values())).toEqual(new Set(['connection refused']))
  })

  it('times out calls over a cut link and carries on when it heals', () => {
    const sim = make(5)
    sim.runToTime(100)
    sim.network.setLink('a', 'b', { cut: true }, 0)
    sim.runToTime(400)
    const errors = sim
      .peek<string>('c1', 'seen')
      .values()
      .filter((v) => v === 'i/o timeout')
    expect(errors.length).toBeGreaterThan(3)
    sim.network.setLink('a', 'b', { cut: false }, 0)
    const answered = sim
      .peek<string>('c1', 'seen')
      .values()
      .filter((v) => v.startsWith('{')).length
    sim.runToTime(600)
    expect(
      sim
        .peek<string>('c1', 'seen')
        .values()
        .filter((v) => v.startsWith('{')).length,
    ).toBeGreaterThan(answered)
  })
})

import { describe, expect, it } from 'vitest'
import { Simulation } from '../cluster/simulation.ts'
import type { ComponentType, Context } from '../net/context.ts'
import { QUEUE_DUE, type QueueDue, queueDue, workQueue } from './workqueue.ts'

const queue = workQueue('q')
const log = (ctx: Context, text: string): void =>
  ctx.table<string>('log').put(String(ctx.table('log').size).padStart(4, '0'), `${Math.round(ctx.now)} ${text}`)
const worker: ComponentType = {
  type: 'worker',
  handlers: {
    script: (ctx: Context, lines: string[]) => {
      for (const line of lines) {
        const [verb, key = ''] = line.split(' ')
        if (verb === 'add') log(ctx, `add ${key} ${queue.add(ctx, key)}`)
        if (verb === 'take') log(ctx, `take ${queue.take(ctx)?.key}`)
        if (verb === 'done') queue.done(ctx, key)
        if (verb === 'fail') queue.addRateLimited(ctx, key)
        if (verb === 'after') queue.addAfter(ctx, key, 100)
      }
    },
    [QUEUE_DUE]: (ctx: Context, due: QueueDue) => {
      queueDue(ctx, queue, due.key)
      log(ctx, `due ${due.key}`)
    },
  },
}
const run = (...lines: string[]): string[] => {
  const sim = new Simulation({ seed: 1, types: [worker] })
  sim.network.addHost({ name: 'a', ip: '10.0.0.1', role: 'worker', up: true })
  sim.boot({ id: 'w', type: 'worker', host: 'a', config: null })
  sim.step()
  sim.input({ target: 'w', kind: 'script', payload: lines })
  sim.runUntil({ kind: 'quiet' })
  return sim.peek<string>('w', 'log').values()
}

describe('a work queue', () => {
  it('holds a key once, in order, and gives it back only after the first work on it is done', () => {
    expect(run('add a', 'add b', 'add a', 'take', 'add a', 'take', 'take', 'done a', 'take')).toEqual(
      ['add a true', 'add b true', 'add a false', 'take a', 'add a true', 'take b', 'take undefined', 'take a'].map((l) => `0 ${l}`),
    )
  })

  it('doubles the wait with every failure and keeps the earliest appointment', () => {
    expect(run('fail a', 'after a')).toEqual(['5 due a'])
    expect(run('fail a', 'fail b', 'fail b')).toEqual(['5 due a', '5 due b'])
    expect(run('after c', 'fail a')).toEqual(['5 due a', '100 due c'])
  })
})

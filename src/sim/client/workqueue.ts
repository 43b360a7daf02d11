// Work queue of keys (client-go/util/workqueue): a key waits at most once, is never worked on twice at the same time,
// comes back later after failures, and remembers what caused it.
import type { Context } from '../net/context.ts'
import type { Table } from '../engine/types.ts'

/** DefaultTypedControllerRateLimiter: per key 5 ms · 2^failures up to 1000 s, and for the whole queue 10 a second after a burst of 100. */
export const RETRY_BASE_MS = 5
export const RETRY_MAX_MS = 1_000_000
export const RETRY_QPS = 10
export const RETRY_BURST = 100
/** A retry that waits longer than this no longer keeps the cluster from being quiet. */
const PATIENT_MS = 10_000

export interface QueueOptions {
  readonly baseMs?: number
  readonly maxMs?: number
}

export interface QueueItem {
  readonly key: string
  /** Trace record that made the key dirty first. */
  readonly cause: number
  readonly background: boolean
  readonly addedAt: number
}

interface Entry extends QueueItem {
  /** Waits in line; false while it is only being worked on. */
  readonly dirty: boolean
  readonly processing: boolean
}

interface Delayed {
  readonly at: number
  readonly cause: number
  readonly background: boolean
}

export interface WorkQueue {
  readonly name: string
  /** True if the key was not waiting already. */
  add(ctx: Context, key: string): boolean
  /** An earlier appointment wins. `periodic`: the wait is background work. */
  addAfter(ctx: Context, key: string, delayMs: number, periodic?: boolean): void
  addRateLimited(ctx: Context, key: string): void
  /** Failures of the key since it was last forgotten. */
  retries(ctx: Context, key: string): number
  forget(ctx: Context, key: string): void
  /** The next key; it counts as being worked on until done. */
  take(ctx: Context): QueueItem | undefined
  done(ctx: Context, key: string): void
  length(ctx: Context): number
  /** Already in line (or to be again after the present work). */
  waiting(ctx: Context, key: string): boolean
}

export const QUEUE_DUE = 'workqueue.due'

export interface QueueDue {
  readonly queue: string
  readonly key: string
}

export function workQueue(name: string, options: QueueOptions = {}): WorkQueue {
  const { baseMs = RETRY_BASE_MS, maxMs = RETRY_MAX_MS } = options
  const items = (ctx: Context): Table<Entry> => ctx.table(`queue/${name}`)
  const line = (ctx: Context): Table<string> => ctx.table(`queue-line/${name}`)
  const ends = (ctx: Context): Table<number> => ctx.table(`queue-ends/${name}`)
  const delayed = (ctx: Context): Table<Delayed> => ctx.table(`queue-delayed/${name}`)
  const failures = (ctx: Context): Table<number> => ctx.table(`queue-failures/${name}`)

  const push = (ctx: Context, key: string): void => {
    const tail = ends(ctx).get('tail') ?? 0
    line(ctx).put(String(tail), key)
    ends(ctx).put('tail', tail + 1)
  }

  const bucketDelay = (ctx: Context): number => {
    // A reservation: tokens may go below zero, later ones wait longer.
    const tokens = ends(ctx).get('tokens') ?? RETRY_BURST
    const at = ends(ctx).get('tokensAt') ?? ctx.now
    const now = Math.min(RETRY_BURST, tokens + ((ctx.now - at) * RETRY_QPS) / 1000) - 1
    ends(ctx).put('tokens', now)
    ends(ctx).put('tokensAt', ctx.now)
    return now >= 0 ? 0 : (-now * 1000) / RETRY_QPS
  }

  const queue: WorkQueue = {
    name,
    add(ctx, key) {
      const entry = items(ctx).get(key)
      if (entry?.dirty) {
        // What a visitor waits for must not hide behind periodic work.
        if (entry.background && !ctx.background) items(ctx).put(key, { ...entry, background: false, cause: ctx.cause })
        return false
      }
      const processing = entry?.processing ?? false
      items(ctx).put(key, { key, cause: ctx.cause, background: ctx.background, addedAt: ctx.now, dirty: true, processing })
      if (!processing) push(ctx, key)
      return true
    },
    addAfter(ctx, key, delayMs, periodic) {
      if (delayMs <= 0) {
        queue.add(ctx, key)
        return
      }
      const at = ctx.now + delayMs
      const old = delayed(ctx).get(key)
      if (old && old.at <= at) return
      delayed(ctx).put(key, { at, cause: ctx.cause, background: periodic ?? ctx.background })
      ctx.setTimer(
        `queue/${name}/${key}`,
        delayMs,
        QUEUE_DUE,
        { queue: name, key } satisfies QueueDue,
        periodic === undefined ? {} : { periodic },
      )
    },
    addRateLimited(ctx, key) {
      const n = failures(ctx).get(key) ?? 0
      failures(ctx).put(key, n + 1)
      const wait = Math.max(Math.min(baseMs * 2 ** n, maxMs), bucketDelay(ctx))
      queue.addAfter(ctx, key, wait, wait > PATIENT_MS ? true : undefined)
    },
    retries: (ctx, key) => failures(ctx).get(key) ?? 0,
    forget: (ctx, key) => failures(ctx).delete(key),
    take(ctx) {
      const head = ends(ctx).get('head') ?? 0
      const key = line(ctx).get(String(head))
      if (key === undefined) return undefined
      line(ctx).delete(String(head))
      ends(ctx).put('head', head + 1)
      const entry = items(ctx).get(key) as Entry
      items(ctx).put(key, { ...entry, dirty: false, processing: true })
      return { key, cause: entry.cause, background: entry.background, addedAt: entry.addedAt }
    },
    done(ctx, key) {
      const entry = items(ctx).get(key)
      if (!entry?.processing) return
      if (entry.dirty) {
        items(ctx).put(key, { ...entry, processing: false })
        push(ctx, key)
      } else items(ctx).delete(key)
    },
    length: (ctx) => line(ctx).size,
    waiting: (ctx, key) => items(ctx).get(key)?.dirty === true,
  }
  return queue
}

/** For the handler of QUEUE_DUE: puts a delayed key in line; what it was caused by comes back with it. */
export function queueDue(ctx: Context, queue: WorkQueue, key: string): void {
  const table = ctx.table<Delayed>(`queue-delayed/${queue.name}`)
  const waited = table.get(key)
  if (!waited) return
  table.delete(key)
  ctx.resume(waited)
  queue.add(ctx, key)
}

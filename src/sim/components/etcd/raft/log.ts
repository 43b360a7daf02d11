// The replicated log of one member, on its disk. Entry n has key n, padded so that keys sort by number.
import type { Context } from '../../../net/context.ts'
import type { HardState, LogEntry, Proposal } from './types.ts'

const START: HardState = { term: 0, vote: undefined, commit: 0, snapshotIndex: 0, snapshotTerm: 0, lastIndex: 0 }

export const logKey = (index: number): string => String(index).padStart(9, '0')

export function hard(ctx: Context): HardState {
  return ctx.table<HardState>('hard').get('state') ?? START
}

export function setHard(ctx: Context, change: Partial<HardState>): HardState {
  const next = { ...hard(ctx), ...change }
  ctx.table<HardState>('hard').put('state', next)
  return next
}

export function entryAt(ctx: Context, index: number): LogEntry | undefined {
  return ctx.table<LogEntry>('log').get(logKey(index))
}

/** Term of an entry; undefined if it is not in the log (too old or too new). */
export function termAt(ctx: Context, index: number): number | undefined {
  const { snapshotIndex, snapshotTerm } = hard(ctx)
  if (index === snapshotIndex) return snapshotTerm
  return entryAt(ctx, index)?.term
}

export function append(ctx: Context, entry: LogEntry): void {
  ctx.table<LogEntry>('log').put(logKey(entry.index), entry)
  setHard(ctx, { lastIndex: entry.index })
  ctx.record('raft.entry.appended', { index: entry.index, term: entry.term, what: describe(entry.data) })
}

/** Removes everything from `index` on: it conflicts with a newer leader's log. */
export function truncateFrom(ctx: Context, index: number): void {
  const { lastIndex } = hard(ctx)
  const log = ctx.table<LogEntry>('log')
  for (let i = index; i <= lastIndex; i++) log.delete(logKey(i))
  setHard(ctx, { lastIndex: index - 1 })
}

/** Forgets entries up to `index`; the store's state stands for them. */
export function compactTo(ctx: Context, index: number): void {
  const before = hard(ctx)
  const term = termAt(ctx, index)
  if (term === undefined || index <= before.snapshotIndex) return
  const log = ctx.table<LogEntry>('log')
  for (let i = before.snapshotIndex + 1; i <= index; i++) log.delete(logKey(i))
  setHard(ctx, { snapshotIndex: index, snapshotTerm: term })
}

export function slice(ctx: Context, from: number, limit: number): LogEntry[] {
  const out: LogEntry[] = []
  for (let i = from; out.length < limit; i++) {
    const entry = entryAt(ctx, i)
    if (!entry) break
    out.push(entry)
  }
  return out
}

export function describe(data: Proposal): string {
  switch (data.does) {
    case 'txn': {
      const op = data.txn.success.find((o) => o.op !== 'range')
      return op ? `${op.op} ${op.key}` : 'transaction'
    }
    case 'compact':
      return `compact ${data.revision}`
    case 'lease-grant':
    case 'lease-revoke':
      return `${data.does} ${data.lease}`
    case 'nothing':
      return 'empty entry of a new leader'
  }
}

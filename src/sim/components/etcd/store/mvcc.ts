// The key-value store of one member: the newest value of every key, and the events of every revision since the last compaction.
// Tables (on disk): kv, revisions, meta, leases.
import type { Table } from '../../../engine/types.ts'
import type { Context } from '../../../net/context.ts'
import type { Compare, KeyValue, Op, OpResponse, RangeRequest, RangeResponse, TxnRequest, TxnResponse, WatchEvent } from '../types.ts'

export interface Meta {
  readonly revision: number
  /** Revisions up to and including this one can no longer be read or watched. */
  readonly compacted: number
  /** Raft index of the last entry applied. */
  readonly applied: number
}

export interface StoreSnapshot {
  readonly kv: readonly (readonly [string, KeyValue])[]
  readonly revisions: readonly (readonly [string, readonly WatchEvent[]])[]
  readonly leases: readonly (readonly [string, LeaseRecord])[]
  readonly meta: Meta
}

export interface LeaseRecord {
  readonly ttlSeconds: number
  readonly keys: readonly string[]
}

/** etcd counts from revision 1 for the empty store. */
const EMPTY: Meta = { revision: 1, compacted: 0, applied: 0 }

export const COMPACTED = 'etcdserver: mvcc: required revision has been compacted'
export const FUTURE = 'etcdserver: mvcc: required revision is a future revision'

export const kv = (ctx: Context): Table<KeyValue> => ctx.table<KeyValue>('kv')
export const revisions = (ctx: Context): Table<readonly WatchEvent[]> => ctx.table('revisions')
export const leases = (ctx: Context): Table<LeaseRecord> => ctx.table('leases')
export const revisionKey = (revision: number): string => String(revision).padStart(10, '0')

export function meta(ctx: Context): Meta {
  return ctx.table<Meta>('meta').get('meta') ?? EMPTY
}

export function setMeta(ctx: Context, change: Partial<Meta>): void {
  ctx.table<Meta>('meta').put('meta', { ...meta(ctx), ...change })
}

/** @throws never; refused reads return the error text. */
export function range(ctx: Context, request: RangeRequest): { ok: true; value: RangeResponse } | { ok: false; error: string } {
  const { revision, compacted } = meta(ctx)
  const at = request.revision ? request.revision : revision
  if (at > revision) return { ok: false, error: FUTURE }
  if (at < compacted) return { ok: false, error: COMPACTED }
  let found = select(ctx, request.key, request.rangeEnd)
  if (at < revision) found = rewind(ctx, found, request, at, revision)
  const count = found.length
  if (request.countOnly) return { ok: true, value: { revision, kvs: [], more: false, count } }
  const limited = request.limit && found.length > request.limit ? found.slice(0, request.limit) : found
  return { ok: true, value: { revision, kvs: limited, more: limited.length < count, count } }
}

function select(ctx: Context, key: string, rangeEnd: string | undefined): KeyValue[] {
  const table = kv(ctx)
  if (rangeEnd === undefined) {
    const one = table.get(key)
    return one ? [one] : []
  }
  const keys = table.keys()
  const out: KeyValue[] = []
  for (let i = firstAtOrAfter(keys, key); i < keys.length; i++) {
    const k = keys[i] as string
    if (k >= rangeEnd) break
    out.push(table.get(k) as KeyValue)
  }
  return out
}

/** The state at an older revision: the newest one with the later events taken back. */
function rewind(ctx: Context, newest: KeyValue[], request: RangeRequest, at: number, revision: number): KeyValue[] {
  const state = new Map(newest.map((k) => [k.key, k]))
  for (let r = revision; r > at; r--) {
    for (const event of [...(revisions(ctx).get(revisionKey(r)) ?? [])].reverse()) {
      const { key } = event.kv
      if (request.rangeEnd === undefined ? key !== request.key : key < request.key || key >= request.rangeEnd) continue
      if (event.previous) state.set(key, event.previous)
      else state.delete(key)
    }
  }
  return [...state.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** Runs a transaction. All its writes share one new revision. */
export function txn(ctx: Context, request: TxnRequest): { response: TxnResponse; events: WatchEvent[] } {
  const before = meta(ctx).revision
  const succeeded = request.compare.every((c) => compareHolds(kv(ctx).get(c.key), c))
  const events: WatchEvent[] = []
  const responses = (succeeded ? request.success : request.failure).map((op) => apply(ctx, op, before + 1, events))
  const revision = events.length > 0 ? before + 1 : before
  if (events.length > 0) {
    setMeta(ctx, { revision })
    revisions(ctx).put(revisionKey(revision), events)
  }
  return { response: { succeeded, revision, responses }, events }
}

function compareHolds(current: KeyValue | undefined, c: Compare): boolean {
  const actual =
    c.target === 'mod' ? (current?.modRevision ?? 0) : c.target === 'create' ? (current?.createRevision ?? 0) : (current?.version ?? 0)
  switch (c.op) {
    case '=':
      return actual === c.value
    case '!=':
      return actual !== c.value
    case '<':
      return actual < c.value
    case '>':
      return actual > c.value
  }
}

function apply(ctx: Context, op: Op, revision: number, events: WatchEvent[]): OpResponse {
  if (op.op === 'range') {
    const answer = range(ctx, op)
    return { op: 'range', ...(answer.ok ? answer.value : { revision: revision - 1, kvs: [], more: false, count: 0 }) }
  }
  if (op.op === 'put') {
    const previous = kv(ctx).get(op.key)
    const next: KeyValue = {
      key: op.key,
      value: op.value,
      createRevision: previous?.createRevision ?? revision,
      modRevision: revision,
      version: (previous?.version ?? 0) + 1,
      ...(op.leaseId === undefined ? {} : { leaseId: op.leaseId }),
    }
    kv(ctx).put(op.key, next)
    if (previous?.leaseId !== op.leaseId) {
      detach(ctx, previous)
      attach(ctx, next)
    }
    events.push({ type: 'PUT', kv: next, ...(previous ? { previous } : {}) })
    return { op: 'put', ...(previous ? { previous } : {}) }
  }
  const previous = select(ctx, op.key, op.rangeEnd)
  for (const old of previous) {
    kv(ctx).delete(old.key)
    detach(ctx, old)
    events.push({
      type: 'DELETE',
      kv: { key: old.key, value: undefined, createRevision: 0, modRevision: revision, version: 0 },
      previous: old,
    })
  }
  return { op: 'delete', deleted: previous.length, previous }
}

export const leaseKey = (lease: number): string => String(lease).padStart(12, '0')

function attach(ctx: Context, item: KeyValue): void {
  const lease = item.leaseId === undefined ? undefined : leases(ctx).get(leaseKey(item.leaseId))
  if (lease && item.leaseId !== undefined) leases(ctx).put(leaseKey(item.leaseId), { ...lease, keys: [...lease.keys, item.key] })
}

function detach(ctx: Context, item: KeyValue | undefined): void {
  const lease = item?.leaseId === undefined ? undefined : leases(ctx).get(leaseKey(item.leaseId))
  if (lease && item?.leaseId !== undefined)
    leases(ctx).put(leaseKey(item.leaseId), { ...lease, keys: lease.keys.filter((k) => k !== item.key) })
}

/** Forgets the history up to `revision`; current values stay. */
export function compact(ctx: Context, revision: number): string | undefined {
  const { compacted, revision: current } = meta(ctx)
  if (revision <= compacted) return COMPACTED
  if (revision > current) return FUTURE
  const table = revisions(ctx)
  const keys = table.keys()
  for (const key of keys) {
    if (key >= revisionKey(revision)) break
    table.delete(key)
  }
  setMeta(ctx, { compacted: revision })
  return undefined
}

export function snapshot(ctx: Context): StoreSnapshot {
  return { kv: kv(ctx).entries(), revisions: revisions(ctx).entries(), leases: leases(ctx).entries(), meta: meta(ctx) }
}

export function install(ctx: Context, state: StoreSnapshot, applied: number): void {
  replace(kv(ctx), state.kv)
  replace(revisions(ctx), state.revisions)
  replace(leases(ctx), state.leases)
  setMeta(ctx, { ...state.meta, applied })
}

function replace<V>(table: Table<V>, entries: readonly (readonly [string, V])[]): void {
  const wanted = new Set(entries.map(([k]) => k))
  for (const key of table.keys()) if (!wanted.has(key)) table.delete(key)
  for (const [key, value] of entries) table.put(key, value)
}

function firstAtOrAfter(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] as string) < key) low = middle + 1
    else high = middle
  }
  return low
}

// One etcd member: raft below, the MVCC store above, the v3 API at the door.
import type { ComponentType, Context } from '../../net/context.ts'
import type { Delivery } from '../../engine/types.ts'
import { hard } from './raft/log.ts'
import { createRaft, soft } from './raft/raft.ts'
import { ELECTION_MS, type EtcdConfig, type LogEntry, type Proposal, type RaftMessage } from './raft/types.ts'
import * as store from './store/mvcc.ts'
import type { EtcdAnswer, RangeRequest, TxnRequest, WatchChunk, WatchEvent, WatchRequest } from './types.ts'

/** etcd waits this long for a proposal to be applied: 5 s plus two election timeouts (server/config ReqTimeout). */
export const REQUEST_TIMEOUT_MS = 5000 + 2 * ELECTION_MS
const TIMED_OUT = 'etcdserver: request timed out'
const NO_LEADER = 'etcdserver: no leader'

/** A request that waits for the log or for a read index. */
type Pending = { readonly call: number; readonly cause: number; readonly background: boolean } & (
  | { readonly does: 'propose' }
  | { readonly does: 'read'; readonly request: RangeRequest }
)

interface Watcher extends WatchRequest {
  readonly call: number
}

export interface EtcdStatus {
  readonly member: string
  readonly leader: string | undefined
  readonly term: number
  readonly role: string
  readonly lastIndex: number
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly revision: number
  readonly compacted: number
  readonly keys: number
  readonly watchers: number
}

const pending = (ctx: Context) => ctx.table<Pending>('pending')
const watchers = (ctx: Context) => ctx.table<Watcher>('watchers')
const answer = <T>(ctx: Context, call: number, value: EtcdAnswer<T>, summary: string): void =>
  ctx.reply(call, value, { summary, ok: value.ok })

const raft = createRaft({
  apply: applyEntry,
  appliedIndex: (ctx) => store.meta(ctx).applied,
  snapshot: store.snapshot,
  install: (ctx, state, index) => {
    store.install(ctx, state as store.StoreSnapshot, index)
    ctx.record('raft.snapshot.installed', { index, revision: store.meta(ctx).revision })
    // Watchers cannot be told what lay between; they list anew, as after a compaction.
    for (const watcher of watchers(ctx).values())
      closeWatcher(ctx, watcher, { revision: store.meta(ctx).revision, events: [], compactRevision: store.meta(ctx).compacted })
  },
  readReady: (ctx, id, index) => {
    if (store.meta(ctx).applied >= index) answerRead(ctx, id)
    else ctx.table<number>('reads-waiting').put(id, index)
  },
  leaderChanged: (ctx, leader) => {
    if (leader === undefined) {
      // The API server watches with WithRequireLeader: its streams end when the member loses its leader.
      for (const watcher of watchers(ctx).values()) closeWatcher(ctx, watcher, undefined)
    } else if (leader === ctx.self)
      for (const [key, lease] of store.leases(ctx).entries())
        ctx.setTimer(`lease/${key}`, lease.ttlSeconds * 1000, 'etcd.lease.expire', Number(key), { periodic: true })
  },
})

function applyEntry(ctx: Context, entry: LogEntry): void {
  const { data } = entry
  store.setMeta(ctx, { applied: entry.index })
  const waiting = 'id' in data ? pending(ctx).get(data.id) : undefined
  if (waiting) ctx.resume(waiting)
  else if (data.does === 'txn') ctx.resume({ cause: ctx.cause, background: data.background })
  if (data.does === 'txn') {
    const { response, events } = store.txn(ctx, data.txn)
    const keys = events.map((e) => e.kv.key)
    if (events.length > 0) ctx.because(ctx.record('etcd.txn.applied', { revision: response.revision, succeeded: response.succeeded, keys }))
    settle(ctx, data.id, { ok: true, value: response }, `${response.succeeded ? 'ok' : 'conflict'} @${response.revision}`)
    if (events.length > 0) notify(ctx, response.revision, events)
  } else if (data.does === 'compact') {
    const error = store.compact(ctx, data.revision)
    if (!error) ctx.record('etcd.compacted', { revision: data.revision })
    settle(ctx, data.id, error ? { ok: false, error } : { ok: true, value: { revision: store.meta(ctx).revision } }, error ?? 'compacted')
  } else if (data.does === 'lease-grant') {
    store.leases(ctx).put(store.leaseKey(data.lease), { ttlSeconds: data.ttlSeconds, keys: [] })
    if (soft(ctx).role === 'leader')
      ctx.setTimer(`lease/${store.leaseKey(data.lease)}`, data.ttlSeconds * 1000, 'etcd.lease.expire', data.lease, { periodic: true })
    settle(ctx, data.id, { ok: true, value: { lease: data.lease } }, 'lease granted')
  } else if (data.does === 'lease-revoke') {
    const lease = store.leases(ctx).get(store.leaseKey(data.lease))
    const { response, events } = store.txn(ctx, {
      compare: [],
      success: (lease?.keys ?? []).map((key) => ({ op: 'delete', key })),
      failure: [],
    })
    store.leases(ctx).delete(store.leaseKey(data.lease))
    settle(ctx, data.id, { ok: true, value: {} }, 'lease revoked')
    if (events.length > 0) {
      ctx.record('etcd.lease.expired', { lease: data.lease, keys: events.length })
      notify(ctx, response.revision, events)
    }
  }
  const reads = ctx.table<number>('reads-waiting')
  if (reads.size > 0) for (const [id, index] of reads.entries()) if (index <= entry.index) answerRead(ctx, id)
}

function notify(ctx: Context, revision: number, events: readonly WatchEvent[]): void {
  for (const watcher of watchers(ctx).values()) {
    const seen = events.filter((e) => inRange(e.kv.key, watcher))
    if (seen.length === 0 || revision < (watcher.startRevision ?? 0)) continue
    const chunk: WatchChunk = { revision, events: seen }
    const first = seen[0] as WatchEvent
    ctx.push(watcher.call, chunk, { flow: 'watch', summary: `${first.type} ${first.kv.key.replace('/registry/', '')}` })
  }
}

const inRange = (key: string, w: WatchRequest): boolean => (w.rangeEnd === undefined ? key === w.key : key >= w.key && key < w.rangeEnd)

function closeWatcher(ctx: Context, watcher: Watcher, last: WatchChunk | undefined): void {
  watchers(ctx).delete(callKey(watcher.call))
  if (last) ctx.push(watcher.call, last, { flow: 'watch', summary: 'canceled', ok: false })
  ctx.hangUp(watcher.call)
}

function settle(ctx: Context, id: string, value: EtcdAnswer<unknown>, summary: string): void {
  const waiting = pending(ctx).get(id)
  if (!waiting) return
  pending(ctx).delete(id)
  ctx.cancelTimer(`request/${id}`)
  answer(ctx, waiting.call, value, summary)
}

function answerRead(ctx: Context, id: string): void {
  ctx.table<number>('reads-waiting').delete(id)
  const waiting = pending(ctx).get(id)
  if (waiting?.does !== 'read') return
  ctx.resume(waiting)
  settle(ctx, id, store.range(ctx, waiting.request), 'range')
}

function wait(ctx: Context, item: Pending): string {
  const counter = ctx.table<number>('requests')
  const n = (counter.get('count') ?? 0) + 1
  counter.put('count', n)
  // Unique across restarts, or an old entry would answer a new request.
  const id = `${ctx.self}#${Math.floor(ctx.now)}#${n}`
  pending(ctx).put(id, item)
  ctx.setTimer(`request/${id}`, REQUEST_TIMEOUT_MS, 'etcd.request.timeout', id)
  return id
}

function propose(ctx: Context, call: number | undefined, make: (id: string) => Proposal): void {
  if (call === undefined) return
  const id = wait(ctx, { call, cause: ctx.cause, background: ctx.background, does: 'propose' })
  // Without a leader raft drops the proposal; the client hears of it when the request times out.
  if (!raft.propose(ctx, make(id))) ctx.record('etcd.proposal.dropped', { id, error: NO_LEADER })
}

function onRange(ctx: Context, request: RangeRequest, { call }: Delivery): void {
  if (call === undefined) return
  if (request.serializable) {
    answer(ctx, call, store.range(ctx, request), 'range')
    return
  }
  raft.readIndex(ctx, wait(ctx, { call, cause: ctx.cause, background: ctx.background, does: 'read', request }))
}

function onWatch(ctx: Context, request: WatchRequest, { call }: Delivery): void {
  if (call === undefined) return
  if (soft(ctx).leader === undefined) {
    answer(ctx, call, { ok: false, error: NO_LEADER }, NO_LEADER)
    return
  }
  const { revision, compacted } = store.meta(ctx)
  const from = request.startRevision ?? 0
  ctx.record('etcd.watch.opened', { key: request.key, startRevision: from })
  if (from > 0 && from <= compacted) {
    ctx.push(call, { revision, events: [], compactRevision: compacted } satisfies WatchChunk, {
      flow: 'watch',
      summary: 'compacted',
      ok: false,
    })
    ctx.hangUp(call)
    return
  }
  watchers(ctx).put(callKey(call), { ...request, call })
  ctx.push(call, { revision, events: [] } satisfies WatchChunk, { flow: 'watch', summary: 'watching' })
  for (let r = from; from > 0 && r <= revision; r++) {
    const events = (store.revisions(ctx).get(store.revisionKey(r)) ?? []).filter((e) => inRange(e.kv.key, request))
    if (events.length > 0)
      ctx.push(call, { revision: r, events } satisfies WatchChunk, { flow: 'watch', summary: `${events.length} events @${r}` })
  }
}

export function etcdStatus(ctx: Context): EtcdStatus {
  const { term, lastIndex, commit } = hard(ctx)
  const { role, leader } = soft(ctx)
  const { revision, compacted, applied } = store.meta(ctx)
  return {
    member: ctx.self,
    leader,
    term,
    role,
    lastIndex,
    commitIndex: commit,
    appliedIndex: applied,
    revision,
    compacted,
    keys: store.kv(ctx).size,
    watchers: watchers(ctx).size,
  }
}

const callKey = (call: number): string => String(call).padStart(10, '0')

export const etcdType: ComponentType = {
  type: 'etcd',
  durable: ['log', 'hard', 'kv', 'revisions', 'meta', 'leases'],
  start: raft.start,
  handlers: {
    'raft.election': raft.onElectionTimer,
    'raft.heartbeat': raft.onHeartbeatTimer,
    'raft.synced': raft.onSynced,
    'raft.message': (ctx: Context, message: RaftMessage, delivery: Delivery) => raft.onMessage(ctx, message, delivery.from ?? ''),
    'etcd.range': onRange,
    'etcd.txn': (ctx: Context, request: TxnRequest, { call }: Delivery) =>
      propose(ctx, call, (id) => ({ does: 'txn', id, txn: request, background: ctx.background })),
    'etcd.compact': (ctx: Context, request: { revision: number }, { call }: Delivery) =>
      propose(ctx, call, (id) => ({ does: 'compact', id, revision: request.revision })),
    'etcd.lease.grant': (ctx: Context, request: { lease: number; ttlSeconds: number }, { call }: Delivery) =>
      propose(ctx, call, (id) => ({ does: 'lease-grant', id, ...request })),
    'etcd.watch': onWatch,
    'etcd.status': (ctx: Context, _: unknown, { call }: Delivery) => {
      if (call !== undefined) answer(ctx, call, { ok: true, value: etcdStatus(ctx) }, 'status')
    },
    'etcd.lease.expire': (ctx: Context, lease: number) => {
      ctx.foreground()
      if (soft(ctx).role === 'leader') raft.propose(ctx, { does: 'lease-revoke', id: '', lease })
    },
    'etcd.request.timeout': (ctx: Context, id: string) => {
      ctx.foreground()
      settle(ctx, id, { ok: false, error: TIMED_OUT }, TIMED_OUT)
    },
    'net.closed': (ctx: Context, { call }: { call: number }) => watchers(ctx).delete(callKey(call)),
  },
}

export type { EtcdConfig }

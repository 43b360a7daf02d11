// A request's transaction on its way to etcd: which member, which lease, and what comes back.
import { unknownError } from '../../api/status.ts'
import type { Context } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import type { EtcdAnswer, TxnRequest, TxnResponse } from '../etcd/types.ts'
import { callEtcd, hasOtherMember, memberOf, neverArrived, passOverMember } from './etcd-client.ts'
import { etcdUnavailable } from './needs.ts'
import { callKey, committed, conflicted, inFlight, respondStatus } from './serve.ts'
import type { InFlight } from './types.ts'

/** --event-ttl. */
const EVENT_TTL_S = 3600
/** Keys that expire at about the same time share a lease (storage/etcd3/lease_manager.go). */
const LEASE_REUSE_S = 60
const LEASE_MAX_OBJECTS = 1000
const EVENTS = ' /registry/events/'

interface EventLease {
  readonly lease: number
  readonly expiresAt: number
  readonly attached: number
}

interface TxnData {
  readonly call: number
  readonly stores: string
  readonly member: string
  readonly tries: number
}

const leases = (ctx: Context) => ctx.table<EventLease>('event-lease')
/** Requests that wait until a lease is granted. */
const leaseWaiters = (ctx: Context) => ctx.table<number>('event-lease-waiters')

/** Sends the transaction; the request waits in the table `in-flight`. */
export function write(ctx: Context, item: InFlight, txn: TxnRequest): void {
  const { stores = '' } = item
  if (!stores.includes(EVENTS) || stores.startsWith('delete')) {
    send(ctx, item, txn, 0)
    return
  }
  const lease = usableLease(ctx)
  if (lease) send(ctx, item, attachLease(txn, lease.lease), 0)
  else awaitLease(ctx, { ...item, txn })
}

function send(ctx: Context, item: InFlight, txn: TxnRequest, tries: number): void {
  const { call, stores = '' } = item
  inFlight(ctx).put(callKey(call), { ...item, txn, stage: 'writing etcd', waitsFor: '' })
  const data: TxnData = { call, stores, member: memberOf(ctx), tries }
  callEtcd(ctx, 'etcd.txn', txn, { kind: 'apiserver.etcd.txn', data }, stores.replace('/registry/', ''))
}

function onTxn(ctx: Context, result: CallResult<EtcdAnswer<TxnResponse>, TxnData>): void {
  const { call, stores, member, tries } = result.data
  const waiting = inFlight(ctx).get(callKey(call))
  if (!waiting?.txn || waiting.stores !== stores) return
  const { txn, ...item } = waiting
  if (result.form !== 'response') {
    const error = result.form === 'error' ? result.error : 'EOF'
    ctx.because(ctx.record('apiserver.etcd.failed', { member, error }))
    passOverMember(ctx, member)
    if (neverArrived(error) && hasOtherMember(ctx, tries + 1)) send(ctx, item, txn, tries + 1)
    else respondStatus(ctx, item, unknownError(etcdUnavailable(error)))
    return
  }
  if (!result.value.ok) {
    respondStatus(ctx, item, unknownError(result.value.error))
    return
  }
  const { succeeded, revision, responses } = result.value.value
  if (succeeded) {
    committed(ctx, item, stores, revision)
    return
  }
  const known: Record<string, InFlight['known'][string]> = {}
  txn.compare.forEach(({ key }, i) => {
    const answer = responses[i]
    known[key] = answer?.op === 'range' ? (answer.kvs[0] ?? null) : null
  })
  conflicted(ctx, item, known)
}

function usableLease(ctx: Context): EventLease | undefined {
  const lease = leases(ctx).get('lease')
  if (!lease || lease.attached >= LEASE_MAX_OBJECTS || lease.expiresAt < ctx.now + EVENT_TTL_S * 1000) return undefined
  leases(ctx).put('lease', { ...lease, attached: lease.attached + 1 })
  return lease
}

const attachLease = (txn: TxnRequest, leaseId: number): TxnRequest => ({
  ...txn,
  success: txn.success.map((op) => (op.op === 'put' && op.key.startsWith('/registry/events/') ? { ...op, leaseId } : op)),
})

function awaitLease(ctx: Context, item: InFlight): void {
  const asked = leaseWaiters(ctx).size > 0
  inFlight(ctx).put(callKey(item.call), { ...item, stage: 'writing etcd', waitsFor: '', cause: ctx.cause, background: ctx.background })
  leaseWaiters(ctx).put(callKey(item.call), item.call)
  if (asked) return
  const lease = 1 + Math.floor(ctx.random() * 999_999_999_999)
  callEtcd(
    ctx,
    'etcd.lease.grant',
    { lease, ttlSeconds: EVENT_TTL_S + LEASE_REUSE_S },
    { kind: 'apiserver.etcd.lease', data: lease },
    'grant lease',
  )
}

function onLease(ctx: Context, result: CallResult<EtcdAnswer<unknown>, number>): void {
  const granted = result.form === 'response' && result.value.ok
  const error =
    result.form === 'error' ? etcdUnavailable(result.error) : result.form === 'response' && !result.value.ok ? result.value.error : 'EOF'
  if (granted) leases(ctx).put('lease', { lease: result.data, expiresAt: ctx.now + (EVENT_TTL_S + LEASE_REUSE_S) * 1000, attached: 0 })
  const waiters = leaseWaiters(ctx).entries()
  leaseWaiters(ctx).clear()
  for (const [key] of waiters) {
    const waiting = inFlight(ctx).get(key)
    if (!waiting?.txn) continue
    const { txn, ...item } = waiting
    ctx.resume(item)
    if (granted) write(ctx, item, txn)
    else respondStatus(ctx, item, unknownError(error))
  }
}

export const writeHandlers = {
  'apiserver.etcd.txn': onTxn,
  'apiserver.etcd.lease': onLease,
}

// Calls to etcd, with failover: the first member that answers is kept.
import type { Context } from '../../net/context.ts'
import type { Continuation, NetError } from '../../net/types.ts'
import type { KubeApiserverConfig } from './types.ts'

const configOf = (ctx: Context): KubeApiserverConfig => ctx.config as KubeApiserverConfig

/** A member on another machine that is silent this long counts as lost; etcd itself gives up after 7 s. */
const REMOTE_TIMEOUT_MS = 10_000

const indexOf = (ctx: Context): number => {
  const { etcd } = configOf(ctx)
  return etcd.length > 1 ? (ctx.table<number>('etcd-client').get('member') ?? 0) % etcd.length : 0
}

export function memberOf(ctx: Context): string {
  const member = configOf(ctx).etcd[indexOf(ctx)]
  if (member === undefined) throw new Error(`${ctx.self} has no etcd to talk to`)
  return member
}

/** Goes over to the next member, unless that was done since `failed` was asked. */
export function passOverMember(ctx: Context, failed: string = memberOf(ctx)): void {
  const { etcd } = configOf(ctx)
  if (etcd.length > 1 && memberOf(ctx) === failed) ctx.table<number>('etcd-client').put('member', (indexOf(ctx) + 1) % etcd.length)
}

/** Whether another member may be asked after `tries` failures. */
export const hasOtherMember = (ctx: Context, tries: number): boolean => tries < configOf(ctx).etcd.length

/** The member never saw the request, so that it may be sent again even if it writes. */
export const neverArrived = (error: NetError | 'end'): boolean => error === 'connection refused' || error === 'no route to host'

export function callEtcd(
  ctx: Context,
  kind: 'etcd.range' | 'etcd.txn' | 'etcd.compact' | 'etcd.lease.grant',
  payload: unknown,
  then: Continuation,
  summary: string,
): void {
  ctx.call(memberOf(ctx), kind, payload, {
    then,
    flow: kind === 'etcd.range' ? 'read' : 'write',
    summary,
    ...(indexOf(ctx) > 0 ? { timeoutMs: REMOTE_TIMEOUT_MS } : {}),
  })
}

// Calls to etcd, with failover: the first member that answers is kept.
import type { Context } from '../../net/context.ts'
import type { Continuation } from '../../net/types.ts'
import type { KubeApiserverConfig } from './types.ts'

const configOf = (ctx: Context): KubeApiserverConfig => ctx.config as KubeApiserverConfig

export function memberOf(ctx: Context): string {
  const { etcd } = configOf(ctx)
  const index = etcd.length > 1 ? (ctx.table<number>('etcd-client').get('member') ?? 0) : 0
  const member = etcd[index % etcd.length]
  if (member === undefined) throw new Error(`${ctx.self} has no etcd to talk to`)
  return member
}

export function passOverMember(ctx: Context): void {
  const table = ctx.table<number>('etcd-client')
  table.put('member', ((table.get('member') ?? 0) + 1) % configOf(ctx).etcd.length)
}

export function callEtcd(ctx: Context, kind: 'etcd.range' | 'etcd.txn' | 'etcd.compact', payload: unknown, then: Continuation, summary: string): void {
  ctx.call(memberOf(ctx), kind, payload, { then, flow: kind === 'etcd.range' ? 'read' : 'write', summary })
}

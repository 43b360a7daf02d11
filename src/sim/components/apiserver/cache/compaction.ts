// The compactor: storage/etcd3/compact.go. Every five minutes what is older than the round before is forgotten by etcd.
import type { ComponentType, Context } from '../../../net/context.ts'
import { callEtcd } from '../etcd-client.ts'
import { cacheState } from './cache.ts'

/** --etcd-compaction-interval. */
const INTERVAL_MS = 300_000

export function startCompactor(ctx: Context): void {
  ctx.setTimer('compact', INTERVAL_MS, 'apiserver.compact', null, { periodic: true })
}

function compact(ctx: Context): void {
  const table = ctx.table<number>('compactor')
  const before = table.get('revision')
  if (before !== undefined && before > 0)
    callEtcd(ctx, 'etcd.compact', { revision: before }, { kind: 'apiserver.compacted' }, `compact ${before}`)
  table.put('revision', cacheState(ctx).revision)
  startCompactor(ctx)
}

export const compactionHandlers: ComponentType['handlers'] = {
  'apiserver.compact': compact as never,
  // Another server may have been first; either way the history is short.
  'apiserver.compacted': () => {},
}

// Turning a finished object into a transaction, and the keys of objects.
import { cacheKey, storageKey } from '../storage-keys.ts'
import type { Served } from '../registry/index.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import type { Op, TxnRequest } from '../../etcd/types.ts'
import { revisionOf, withoutRevision } from '../cache/cache.ts'
import type { Rq } from './request.ts'

export const keyFor = (served: Served, namespace: string | undefined, name: string): string =>
  storageKey(served.folder, cacheKey(namespace, name))

const reread = (key: string): Op => ({ op: 'range', key })

/** Adds to a transaction what else must change with it, on the same terms. */
export function withEffects(rq: Rq, txn: TxnRequest): TxnRequest {
  if (rq.effects.length === 0) return txn
  const compare = [...txn.compare]
  const success = [...txn.success]
  const failure = [...txn.failure]
  for (const effect of rq.effects) {
    const served = rq.view.kind(effect.resource)
    if (!served) continue
    if ('remove' in effect) {
      success.push({ op: 'delete', key: keyFor(served, effect.remove.namespace, effect.remove.name) })
      continue
    }
    const next = 'create' in effect ? effect.create : effect.next
    const key = keyFor(served, next.metadata.namespace, next.metadata.name ?? '')
    compare.push(
      'create' in effect ? { key, target: 'create', op: '=', value: 0 } : { key, target: 'mod', op: '=', value: revisionOf(effect.old) },
    )
    success.push({ op: 'put', key, value: withoutRevision(next) })
    failure.push(reread(key))
  }
  return { compare, success, failure }
}

/** Stores a new object; fails if the key exists. */
export const createTxn = (key: string, object: KubeObject): TxnRequest => ({
  compare: [{ key, target: 'create', op: '=', value: 0 }],
  success: [{ op: 'put', key, value: withoutRevision(object) }],
  failure: [reread(key)],
})

/** Replaces an object that is still at `revision`. */
export const updateTxn = (key: string, object: KubeObject, revision: number): TxnRequest => ({
  compare: [{ key, target: 'mod', op: '=', value: revision }],
  success: [{ op: 'put', key, value: withoutRevision(object) }],
  failure: [reread(key)],
})

/** Removes an object that is still at `revision`, and with it what must not outlive it. */
export const deleteTxn = (key: string, revision: number, others: readonly string[] = []): TxnRequest => ({
  compare: [{ key, target: 'mod', op: '=', value: revision }],
  success: [{ op: 'delete', key }, ...others.map((other): Op => ({ op: 'delete', key: other }))],
  failure: [reread(key)],
})

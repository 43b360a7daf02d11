// LIST: handlers/get.go ListResource, storage/cacher, storage/etcd3 (continue tokens).
import { badRequest } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import type { RangeResponse } from '../../etcd/types.ts'
import { prefixEnd } from '../../etcd/types.ts'
import { withRevision } from '../cache/cache.ts'
import { refuse } from '../refusal.ts'
import type { Served } from '../registry/index.ts'
import { REGISTRY_PREFIX } from '../storage-keys.ts'
import type { Plan } from '../types.ts'
import { decodeContinue, encodeContinue } from './continue.ts'
import { versionError } from './get.ts'
import { type ListOptions, listOptions } from './list-options.ts'
import { apiVersionOf } from './names.ts'
import type { ResourceRq } from './request.ts'
import { selection, selects, type Selection } from './selectors.ts'

/** A list before it is encoded: items in the storage version. */
export interface ObjectList {
  readonly served: Served
  readonly items: readonly KubeObject[]
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number }
}

export function planList(rq: ResourceRq): Plan {
  return { do: 'answer', answer: { code: 200, list: readList(rq, listOptions(rq)) } }
}

export function readList(rq: ResourceRq, options: ListOptions): ObjectList {
  const { served } = rq
  const select = selection(served, options.labelSelector, options.fieldSelector)
  const limit = Math.max(0, options.limit)
  if (options.continue !== '') return page(rq, select, limit, decodeContinue(options.continue))
  const version = options.resourceVersion
  if (version !== '' && !/^\d+$/.test(version)) refuse(badRequest(`invalid resource version: ${versionError(version)}`))
  if (options.resourceVersionMatch === 'Exact' || (limit > 0 && version !== '' && version !== '0' && options.resourceVersionMatch === '')) {
    return page(rq, select, limit, { revision: Number(version), start: '' })
  }
  if (version === '') {
    if (!rq.fresh) rq.need('fresh', { kind: 'fresh' })
  } else if (version !== '0') rq.need(`revision/${version}`, { kind: 'revision', revision: Number(version) })
  const { revision } = rq.view
  // resourceVersion=0 ignores the limit, as the cache does.
  const bound = version === '0' ? 0 : limit
  return cut(rq, candidates(rq, select), select, bound, revision, '')
}

/** Objects that may match, in key order. */
function candidates(rq: ResourceRq, select: Selection): readonly KubeObject[] {
  const { served, view } = rq
  const namespace = served.strategy.namespaced && rq.info.namespace !== '' ? rq.info.namespace : undefined
  if (select.name !== undefined && (namespace !== undefined || !served.strategy.namespaced)) {
    const one = view.current(served, namespace, select.name)
    return one ? [one] : []
  }
  if (select.nodeName) {
    const pods = view.podsOn(select.nodeName)
    return namespace === undefined ? pods : pods.filter((p) => p.metadata.namespace === namespace)
  }
  return view.list(served.id, namespace)
}

/** Filters and cuts to the limit; says how to go on. */
function cut(rq: ResourceRq, all: readonly KubeObject[], select: Selection, limit: number, revision: number, start: string): ObjectList {
  const { served } = rq
  const items: KubeObject[] = []
  const resourceVersion = String(revision)
  for (let i = 0; i < all.length; i++) {
    const object = all[i] as KubeObject
    if (!selects(served, select, object)) continue
    if (limit > 0 && items.length === limit) {
      const last = items[items.length - 1] as KubeObject
      const next = keyInList(rq, last)
      return {
        served,
        items,
        metadata: {
          resourceVersion,
          continue: encodeContinue(revision, `${next}\0`),
          ...(select.all ? { remainingItemCount: all.length - i } : {}),
        },
      }
    }
    items.push(object)
  }
  void start
  return { served, items, metadata: { resourceVersion } }
}

const keyInList = (rq: ResourceRq, object: KubeObject): string => {
  const { namespace, name = '' } = object.metadata
  return rq.served.strategy.namespaced && rq.info.namespace === '' ? `${namespace}/${name}` : name
}

/** A list at one revision, from etcd. */
function page(rq: ResourceRq, select: Selection, limit: number, from: { revision: number; start: string }): ObjectList {
  const { served } = rq
  const namespace = served.strategy.namespaced && rq.info.namespace !== '' ? `${rq.info.namespace}/` : ''
  const prefix = `${REGISTRY_PREFIX}${served.folder}/${namespace}`
  const request = { key: prefix + from.start, rangeEnd: prefixEnd(prefix), ...(from.revision > 0 ? { revision: from.revision } : {}) }
  const answer = rq.need<RangeResponse<KubeObject>>(`range/${request.key}@${from.revision}`, { kind: 'range', request })
  const objects = answer.kvs.map((kv) => withRevision(kv.value, kv.modRevision))
  return cut(rq, objects, select, limit, from.revision > 0 ? from.revision : answer.revision, from.start)
}

export const listKind = (served: Served): { apiVersion: string; kind: string } => ({
  apiVersion: apiVersionOf(served),
  kind: `${served.strategy.kind}List`,
})

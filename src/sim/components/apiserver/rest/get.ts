// GET of one object: handlers/get.go. Without resourceVersion etcd itself is asked; with one the cache answers once it is new enough.
import { notFound, unknownError } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import type { RangeResponse } from '../../etcd/types.ts'
import { withRevision } from '../cache/cache.ts'
import { refuse } from '../refusal.ts'
import { queryValue } from '../request-info.ts'
import type { Plan } from '../types.ts'
import { resourceOf } from './names.ts'
import { namespaceOf, type ResourceRq } from './request.ts'
import { keyFor } from './store.ts'

/** strconv.ParseUint's error as storage reports a bad version. */
export const versionError = (text: string): string =>
  `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`

export function planGet(rq: ResourceRq): Plan {
  return { do: 'answer', answer: { code: 200, object: readObject(rq) } }
}

/** The object a read names, at least as new as the request asks. */
export function readObject(rq: ResourceRq): KubeObject {
  const { served, view } = rq
  const namespace = namespaceOf(rq)
  const { name } = rq.info
  const version = queryValue(rq.info.query, 'resourceVersion') ?? ''
  if (version !== '') {
    if (!/^\d+$/.test(version)) refuse(unknownError(versionError(version)))
    if (version !== '0') rq.need(`revision/${version}`, { kind: 'revision', revision: Number(version) })
    return view.current(served, namespace, name) ?? refuse(notFound(resourceOf(served), name))
  }
  const key = keyFor(served, namespace, name)
  const { kvs } = rq.need<RangeResponse<KubeObject>>(`range/${key}`, { kind: 'range', request: { key } })
  const kv = kvs[0]
  if (!kv) refuse(notFound(resourceOf(served), name))
  return withRevision(kv.value, kv.modRevision)
}

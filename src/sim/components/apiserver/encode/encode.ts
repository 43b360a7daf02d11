// From objects in the storage version to what the client asked for: served version, list, Table, metadata only.
import { groupVersion } from '../../../api/meta.ts'
import { failure } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { refuse } from '../refusal.ts'
import type { Served } from '../registry/index.ts'
import type { ObjectList } from '../rest/list.ts'
import { apiVersionOf } from '../rest/names.ts'
import type { MediaType } from './negotiate.ts'
import { tableOf } from './table.ts'

const converted = new WeakMap<object, Map<string, KubeObject>>()

/** An object as this group-version shows it. The same object gives the same result. */
export function toServed(served: Served, object: KubeObject): KubeObject {
  if (!served.served) return object
  const id = groupVersion(served.group, served.version)
  let versions = converted.get(object)
  if (!versions) {
    versions = new Map()
    converted.set(object, versions)
  }
  let result = versions.get(id)
  if (!result) {
    result = served.served.toServed(object)
    versions.set(id, result)
  }
  return result
}

const bare = new WeakMap<object, object>()

/** Items of a typed list carry no apiVersion and kind. */
function listItem(object: KubeObject): object {
  let item = bare.get(object)
  if (!item) {
    const { apiVersion: _, kind: __, ...rest } = object
    item = rest
    bare.set(object, item)
  }
  return item
}

export const partialMetadata = (object: KubeObject, version = 'v1'): KubeObject => ({
  kind: 'PartialObjectMetadata',
  apiVersion: `meta.k8s.io/${version}`,
  metadata: object.metadata,
})

const goType = (served: Served, list: boolean): string => `*${goPackage(served)}.${served.strategy.kind}${list ? 'List' : ''}`
/** Internal types live in packages named after the group's first part. */
const goPackage = (served: Served): string =>
  served.custom ? 'unstructured' : served.strategy.group === '' ? 'core' : (served.strategy.group.split('.')[0] ?? '')

export interface EncodeContext {
  readonly served: Served
  readonly media: MediaType
  readonly nowMs: number
  /** Table rows carry: nothing, metadata, or the whole object. */
  readonly includeObject: string
  /** Watches send the columns only once. */
  readonly withoutColumns?: boolean
}

export function encodeObject(c: EncodeContext, object: KubeObject): object {
  const { convert } = c.media
  if (!convert) return toServed(c.served, object)
  switch (convert.kind) {
    case 'Table':
      return tableOf(c, [object], { resourceVersion: object.metadata.resourceVersion ?? '' })
    case 'PartialObjectMetadata':
      return partialMetadata(object, convert.version)
    default:
      return refuse(
        failure(
          406,
          'NotAcceptable',
          `you requested PartialObjectMetadataList, but the requested object is not a list (${goType(c.served, false)})`,
        ),
      )
  }
}

export function encodeList(c: EncodeContext, list: ObjectList): object {
  const { convert } = c.media
  const { served } = list
  if (!convert) {
    const items = list.items.map((o) => listItem(toServed(served, o)))
    return {
      kind: `${served.strategy.kind}List`,
      apiVersion: apiVersionOf(served),
      metadata: served.custom ? { continue: '', ...list.metadata } : list.metadata,
      items: served.custom ? list.items.map((o) => toServed(served, o)) : items,
    }
  }
  switch (convert.kind) {
    case 'Table':
      return tableOf(c, list.items, list.metadata)
    case 'PartialObjectMetadataList':
      return {
        kind: 'PartialObjectMetadataList',
        apiVersion: `meta.k8s.io/${convert.version}`,
        metadata: list.metadata,
        items: list.items.map((o) => partialMetadata(o, convert.version)),
      }
    default:
      return refuse(
        failure(406, 'NotAcceptable', `you requested PartialObjectMetadata, but the requested object is a list (${goType(served, true)})`),
      )
  }
}

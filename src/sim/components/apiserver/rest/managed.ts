// managedFields of writes: apimachinery/pkg/util/managedfields over the version that the request uses.
import { deepEqual } from '../../../../lib/compare.ts'
import { type FieldManagerContext, fieldSetOf, managerOrUserAgent, updateManagedFields } from '../../../api/managedfields/index.ts'
import { schemaFor } from '../../../api/schema/index.ts'
import type { ManagedFieldsEntry } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { toServed } from '../encode/encode.ts'
import type { KindStrategy } from '../registry/strategy.ts'
import type { Options } from './options.ts'
import type { ResourceRq, Rq } from './request.ts'

const resets = new WeakMap<KindStrategy, Map<string, FieldManagerContext['resetFields']>>()

/** Fields that a door resets whatever is sent (GetResetFields): nobody owns them through it. */
function resetFields(strategy: KindStrategy, subresource: string): FieldManagerContext['resetFields'] {
  let doors = resets.get(strategy)
  if (!doors) {
    doors = new Map()
    resets.set(strategy, doors)
  }
  if (!doors.has(subresource)) {
    const paths =
      strategy.resetFields?.(subresource) ??
      (subresource === '' ? (strategy.subresources?.status ? [['status']] : []) : subresource === 'status' ? [['spec']] : [])
    doors.set(subresource, paths.length > 0 ? fieldSetOf(paths.map((p) => [...p])) : undefined)
  }
  return doors.get(subresource)
}

/** undefined for kinds without a schema: nobody's fields are tracked there. */
export function managerContext(rq: ResourceRq): FieldManagerContext | undefined {
  const { served, info } = rq
  const gvk = { group: served.group, version: served.version, kind: served.strategy.kind }
  const schema = served.schema ?? schemaFor(gvk.group, gvk.version, gvk.kind)
  if (!schema) return undefined
  const reset = resetFields(served.strategy, info.subresource)
  return {
    schema,
    gvk,
    nowMs: rq.nowMs,
    ...(info.subresource ? { subresource: info.subresource } : {}),
    ...(reset ? { resetFields: reset } : {}),
  }
}

export const managerOf = (rq: Rq, options: Options): string => managerOrUserAgent(options.fieldManager, rq.request.headers['user-agent'])

/** Records of owners of new objects by what they depend on: pods of one template differ only in what nobody owns. Bounded, and only a memory of a pure function. */
const ofNew = new WeakMap<KindStrategy, Map<string, readonly ManagedFieldsEntry[] | undefined>>()
const REMEMBERED = 200

function ownersOfNew(
  rq: ResourceRq,
  draft: KubeObject,
  options: Options,
  context: FieldManagerContext,
): readonly ManagedFieldsEntry[] | undefined {
  const { name: _, namespace: __, generateName: ___, ...metadata } = draft.metadata
  const manager = managerOf(rq, options)
  if (metadata.managedFields) return updateManagedFields(undefined, toServed(rq.served, draft), manager, context).metadata.managedFields
  const key = `${manager}\n${context.gvk.version}\n${draft.metadata.generateName ? 'g' : ''}\n${JSON.stringify({ ...draft, metadata })}`
  let known = ofNew.get(rq.served.strategy)
  if (!known) {
    known = new Map()
    ofNew.set(rq.served.strategy, known)
  }
  let owners = known.get(key)
  if (owners === undefined && !known.has(key)) {
    owners = updateManagedFields(undefined, toServed(rq.served, draft), manager, context).metadata.managedFields
    if (known.size >= REMEMBERED) known.clear()
    known.set(key, owners)
  }
  return owners?.map((entry) => ({ ...entry, time: rq.now }))
}

/** Notes in `draft` who changed what against `live` (both in the storage version). */
export function updateManager(rq: ResourceRq, live: KubeObject | undefined, draft: KubeObject, options: Options): void {
  const context = managerContext(rq)
  if (!context) return
  const managedFields = live
    ? updateManagedFields(toServed(rq.served, live), toServed(rq.served, draft), managerOf(rq, options), context).metadata.managedFields
    : ownersOfNew(rq, draft, options, context)
  if (managedFields) draft.metadata.managedFields = [...managedFields]
  else delete draft.metadata.managedFields
}

/** ignoreManagedFieldsTimestampsTransformer: an update that only moved the times of its managers is none. */
export function withoutTimestampNoise(draft: KubeObject, existing: KubeObject): void {
  const [next, old] = [draft.metadata.managedFields, existing.metadata.managedFields]
  if (!next || !old || next === old || next.length !== old.length) return
  for (let i = 0; i < next.length; i++) if (!deepEqual({ ...next[i], time: '' }, { ...old[i], time: '' })) return
  const before = { ...existing, metadata: { ...existing.metadata, managedFields: next } }
  if (deepEqual(draft, before)) draft.metadata.managedFields = old
}

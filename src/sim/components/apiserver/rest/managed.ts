// managedFields of ordinary writes: apimachinery/pkg/util/managedfields, FieldManager.UpdateNoErrors.
import { deepEqual } from '../../../../lib/compare.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import type { Options } from './options.ts'
import type { ResourceRq } from './request.ts'

/** Notes in `draft` who changed what against `live`. */
export function updateManager(_rq: ResourceRq, live: KubeObject | undefined, draft: KubeObject, _options: Options): void {
  if (live?.metadata.managedFields) draft.metadata.managedFields = live.metadata.managedFields
}

/** ignoreManagedFieldsTimestampsTransformer: an update that only moved the times of its managers is none. */
export function withoutTimestampNoise(draft: KubeObject, existing: KubeObject): void {
  const [next, old] = [draft.metadata.managedFields, existing.metadata.managedFields]
  if (!next || !old || next === old || next.length !== old.length) return
  for (let i = 0; i < next.length; i++) if (!deepEqual({ ...next[i], time: '' }, { ...old[i], time: '' })) return
  const before = { ...existing, metadata: { ...existing.metadata, managedFields: next } }
  if (deepEqual(draft, before)) draft.metadata.managedFields = old
}

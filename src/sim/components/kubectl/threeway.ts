// The patch of `kubectl apply`: from what was last applied, what is wanted and what is there (strategicpatch.CreateThreeWayMergePatch).
// Additions and changes come from comparing the live object with the wanted one, deletions from comparing with what was last applied.
import { deepEqual } from '../../../lib/compare.ts'
import { isRecord } from '../../../lib/own.ts'
import type { ObjectSchema } from '../../api/schema/index.ts'
import { childSchema, fieldOf } from '../../api/schema/index.ts'

type Map = Record<string, unknown>

/** The strategic merge patch; `{}` when nothing is to be done. Lists with a merge key are patched item by item, others replaced. */
export function threeWayPatch(original: Map, modified: Map, current: Map, schema: ObjectSchema | undefined): Map {
  return diffMap(original, modified, current, schema)
}

function diffMap(original: Map, modified: Map, current: Map, schema: ObjectSchema | undefined): Map {
  const patch: Map = Object.create(null) as Map
  for (const key of Object.keys(modified)) {
    const wanted = modified[key]
    const live = Object.hasOwn(current, key) ? current[key] : undefined
    const last = Object.hasOwn(original, key) ? original[key] : undefined
    const child = childSchema(schema, key)
    const mergeKey = fieldOf(schema, key)?.patchMergeKey
    if (deepEqual(wanted, live)) continue
    if (isRecord(wanted) && isRecord(live)) {
      const inner = diffMap(isRecord(last) ? last : {}, wanted, live, child)
      if (Object.keys(inner).length > 0) patch[key] = inner
    } else if (Array.isArray(wanted) && Array.isArray(live) && mergeKey)
      diffList(patch, key, mergeKey, Array.isArray(last) ? last : [], wanted, live, childSchema(child, 0))
    else patch[key] = wanted
  }
  for (const key of Object.keys(original)) if (!Object.hasOwn(modified, key) && Object.hasOwn(current, key)) patch[key] = null
  return patch
}

function diffList(
  patch: Map,
  key: string,
  mergeKey: string,
  original: unknown[],
  modified: unknown[],
  current: unknown[],
  item: ObjectSchema | undefined,
): void {
  const find = (list: unknown[], id: unknown): Map | undefined => list.find((x): x is Map => isRecord(x) && x[mergeKey] === id)
  const changes: Map[] = []
  for (const wanted of modified) {
    if (!isRecord(wanted)) continue
    const id = wanted[mergeKey]
    const live = find(current, id)
    if (!live) {
      changes.push(wanted)
      continue
    }
    const inner = diffMap(find(original, id) ?? {}, wanted, live, item)
    if (Object.keys(inner).length > 0) changes.push({ ...inner, [mergeKey]: id })
  }
  for (const last of original) {
    if (!isRecord(last) || find(modified, last[mergeKey]) || !find(current, last[mergeKey])) continue
    changes.push({ $patch: 'delete', [mergeKey]: last[mergeKey] })
  }
  if (changes.length === 0) return
  patch[`$setElementOrder/${key}`] = modified.filter(isRecord).map((m) => ({ [mergeKey]: m[mergeKey] }))
  patch[key] = changes
}

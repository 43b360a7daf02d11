// JSON merge patch, RFC 7386, as evanphx/json-patch (merge.go) applies and creates it.
import { deepEqual, sortedKeys } from '../../../lib/compare.ts'
import { cloneJson, getOwn, isRecord, setOwn } from '../../../lib/own.ts'
import { fail, ok, type Result } from '../../../lib/result.ts'

/** Null members say "remove"; where there is nothing to remove they are dropped. In lists they are values. */
const pruneNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((item) => (item === null ? null : pruneNulls(item)))
  if (!isRecord(value)) return value
  const pruned: Record<string, unknown> = {}
  for (const key of Object.keys(value)) if (value[key] !== null) setOwn(pruned, key, pruneNulls(value[key]))
  return pruned
}

const mergeObjects = (target: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> => {
  const merged: Record<string, unknown> = {}
  for (const key of Object.keys(target)) if (getOwn(patch, key) !== null) setOwn(merged, key, target[key])
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null) continue
    const current = getOwn(target, key)
    if (isRecord(current) && isRecord(value)) setOwn(merged, key, mergeObjects(current, value))
    // A list or scalar replaces as it is; an object that replaces something else loses its nulls.
    else setOwn(merged, key, current === undefined || current === null || !isRecord(current) ? pruneNulls(value) : value)
  }
  return merged
}

/** Applies a patch; neither argument changes. */
export const jsonMergePatch = (target: unknown, patch: unknown): unknown => {
  if (!isRecord(patch)) return pruneNulls(patch)
  return isRecord(target) ? mergeObjects(target, patch) : pruneNulls(patch)
}

/** CreateMergePatch: what turns one object into the other. */
export const createJsonMergePatch = (
  original: Readonly<Record<string, unknown>>,
  modified: Readonly<Record<string, unknown>>,
): Record<string, unknown> => {
  const patch: Record<string, unknown> = {}
  for (const key of sortedKeys(modified)) {
    const next = modified[key]
    if (!Object.hasOwn(original, key)) {
      setOwn(patch, key, cloneJson(next))
      continue
    }
    const old = original[key]
    if (isRecord(old) && isRecord(next)) {
      const inner = createJsonMergePatch(old, next)
      if (Object.keys(inner).length > 0) setOwn(patch, key, inner)
    } else if (!deepEqual(old, next)) setOwn(patch, key, cloneJson(next))
  }
  for (const key of sortedKeys(original)) if (!Object.hasOwn(modified, key)) setOwn(patch, key, null)
  return patch
}

const keepOrDeleteNull = (patch: Record<string, unknown>, keepNull: boolean): Record<string, unknown> => {
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null) {
      if (keepNull) setOwn(kept, key, null)
    } else if (isRecord(value)) {
      // An empty map that was set is a value, not an empty patch.
      if (Object.keys(value).length === 0) {
        if (!keepNull) setOwn(kept, key, value)
        continue
      }
      const inner = keepOrDeleteNull(value, keepNull)
      if (Object.keys(inner).length > 0) setOwn(kept, key, inner)
    } else if (!keepNull) setOwn(kept, key, value)
  }
  return kept
}

const mergePatches = (first: Record<string, unknown>, second: Record<string, unknown>): Record<string, unknown> => {
  const merged = cloneJson(first)
  for (const key of Object.keys(second)) {
    const old = getOwn(merged, key)
    const next = second[key]
    setOwn(merged, key, isRecord(old) && isRecord(next) ? mergePatches(old, next) : next)
  }
  return merged
}

/** CreateThreeWayJSONMergePatch: what `kubectl apply` sends for custom resources. */
export const createThreeWayJsonMergePatch = (
  original: Readonly<Record<string, unknown>>,
  modified: Readonly<Record<string, unknown>>,
  current: Readonly<Record<string, unknown>>,
): Record<string, unknown> => {
  const additions = keepOrDeleteNull(createJsonMergePatch(current, modified), false)
  const deletions = keepOrDeleteNull(createJsonMergePatch(original, modified), true)
  return mergePatches(deletions, additions)
}

/** A merge patch must be an object, or a list that replaces the whole. */
export const checkMergePatch = (patch: unknown): Result<unknown> =>
  isRecord(patch) || Array.isArray(patch) ? ok(patch) : fail('Invalid JSON Patch')

// What `kubectl apply`, `edit` and controllers send: strategic merge patches made from two or three versions
// (pkg/util/strategicpatch/patch.go CreateTwoWayMergePatch, CreateThreeWayMergePatch).
import { compareStrings, deepEqual, sortedKeys } from '../../../lib/compare.ts'
import { cloneJson, getOwn, isRecord, setOwn } from '../../../lib/own.ts'
import { fail, ok, type Result } from '../../../lib/result.ts'
import { goValue } from '../go-text.ts'
import type { ObjectSchema } from '../schema/index.ts'
import { mergeMap } from './strategic.ts'
import {
  asMap,
  deduplicateScalars,
  DELETE_FROM_PRIMITIVE_LIST,
  DIRECTIVE,
  elementKind,
  type JsonMap,
  lookupMeta,
  noMergeKey,
  normalizeSliceOrder,
  RETAIN_KEYS,
  SET_ELEMENT_ORDER,
  StrategicError,
} from './strategic-lists.ts'

interface DiffOptions {
  readonly setElementOrder: boolean
  readonly ignoreChangesAndAdditions?: boolean
  readonly ignoreDeletions?: boolean
  readonly buildRetainKeys?: boolean
}

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? 'slice' : value === null ? 'nil' : typeof value === 'object' ? 'map' : typeof value

const diffMaps = (original: JsonMap, modified: JsonMap, schema: ObjectSchema | undefined, options: DiffOptions): JsonMap => {
  const patch: JsonMap = {}
  const retain: string[] = []
  const set = (key: string, value: unknown): void => {
    if (!options.ignoreChangesAndAdditions) setOwn(patch, key, value)
  }
  for (const key of sortedKeys(modified)) {
    const next = modified[key]
    if (options.buildRetainKeys && next !== null) retain.push(key)
    if (!Object.hasOwn(original, key)) {
      set(key, next)
      continue
    }
    const old = original[key]
    if (key === DIRECTIVE) {
      if (typeof old !== 'string' || typeof next !== 'string') throw new StrategicError(`invalid value for special key: ${DIRECTIVE}`)
      if (old !== next) patch[DIRECTIVE] = next
    } else if (kindOf(old) !== kindOf(next)) set(key, next)
    else if (isRecord(old) && isRecord(next)) diffMap(key, old, next, patch, schema, options)
    else if (Array.isArray(old) && Array.isArray(next)) diffSlice(key, old, next, patch, schema, options)
    else if (!deepEqual(old, next)) set(key, next)
  }
  if (!options.ignoreDeletions) for (const key of sortedKeys(original)) if (!Object.hasOwn(modified, key)) setOwn(patch, key, null)
  const gone = sortedKeys(original).some((key) => original[key] !== null && !Object.hasOwn(modified, key))
  if (retain.length > 0 && (Object.keys(patch).length > 0 || gone)) patch[RETAIN_KEYS] = retain.sort(compareStrings)
  return patch
}

const diffMap = (
  key: string,
  old: JsonMap,
  next: JsonMap,
  patch: JsonMap,
  schema: ObjectSchema | undefined,
  options: DiffOptions,
): void => {
  let meta: ReturnType<typeof lookupMeta>
  try {
    meta = lookupMeta(schema, key)
  } catch (error) {
    if (deepEqual(old, next)) return
    throw error
  }
  if (meta.strategy === 'replace') {
    if (!options.ignoreChangesAndAdditions) setOwn(patch, key, next)
    return
  }
  const inner = diffMaps(old, next, meta.schema, { ...options, buildRetainKeys: meta.retainKeys })
  if (Object.keys(inner).length > 0) setOwn(patch, key, inner)
}

const diffSlice = (
  key: string,
  old: unknown[],
  next: unknown[],
  patch: JsonMap,
  schema: ObjectSchema | undefined,
  options: DiffOptions,
): void => {
  let meta: ReturnType<typeof lookupMeta>
  try {
    meta = lookupMeta(schema, key)
  } catch (error) {
    if (deepEqual(old, next)) return
    throw error
  }
  if (meta.strategy !== 'merge') {
    if (!options.ignoreChangesAndAdditions && !deepEqual(old, next)) setOwn(patch, key, next)
    return
  }
  const { add, remove, order } = diffLists(old, next, meta.schema, meta.mergeKey, { ...options, buildRetainKeys: meta.retainKeys })
  if (add.length > 0) setOwn(patch, key, add)
  if (remove.length > 0) patch[`${DELETE_FROM_PRIMITIVE_LIST}/${key}`] = remove
  if (order.length > 0) patch[`${SET_ELEMENT_ORDER}/${key}`] = order
}

interface ListDiff {
  add: unknown[]
  remove: unknown[]
  order: unknown[]
}

const diffLists = (
  original: unknown[],
  modified: unknown[],
  schema: ObjectSchema | undefined,
  mergeKey: string,
  options: DiffOptions,
): ListDiff => {
  if (original.length === 0) return { add: options.ignoreChangesAndAdditions ? [] : modified, remove: [], order: [] }
  const kind = elementKind(original, modified)
  if (kind === 'scalar') {
    const { add, remove } = diffScalars(original, modified, options)
    const changed =
      (!options.ignoreDeletions && remove.length > 0) || (!options.ignoreChangesAndAdditions && !deepEqual(original, modified))
    return { add: normalizeSliceOrder(add, modified, mergeKey, kind), remove, order: options.setElementOrder && changed ? modified : [] }
  }
  const { add, remove } = diffListsOfMaps(original, modified, schema, mergeKey, options)
  const sorted = normalizeSliceOrder(add, modified, mergeKey, kind)
  const sameOrder =
    original.length === modified.length && modified.every((item, i) => deepEqual(keyOf(item, mergeKey), keyOf(original[i], mergeKey)))
  const list = [...sorted, ...remove]
  const changed = (!options.ignoreChangesAndAdditions && (list.length > 0 || !sameOrder)) || (!options.ignoreDeletions && list.length > 0)
  return {
    add: list,
    remove: [],
    order: options.setElementOrder && changed ? modified.map((item) => ({ [mergeKey]: keyOf(item, mergeKey) })) : [],
  }
}

const keyOf = (item: unknown, mergeKey: string): unknown => {
  const map = asMap(item)
  if (!Object.hasOwn(map, mergeKey)) throw noMergeKey(map, mergeKey)
  return map[mergeKey]
}

const byText = (a: unknown, b: unknown): number => compareStrings(goValue(a), goValue(b))

const diffScalars = (original: unknown[], modified: unknown[], options: DiffOptions): { add: unknown[]; remove: unknown[] } => {
  const olds = [...original].sort(byText)
  const nexts = [...modified].sort(byText)
  const add: unknown[] = []
  const remove: unknown[] = []
  let i = 0
  let j = 0
  while (i < olds.length || j < nexts.length) {
    const order = i >= olds.length ? 1 : j >= nexts.length ? -1 : byText(olds[i], nexts[j])
    if (order === 0) {
      i++
      j++
    } else if (order > 0) {
      if (!options.ignoreChangesAndAdditions) add.push(nexts[j])
      j++
    } else {
      if (!options.ignoreDeletions) remove.push(olds[i])
      i++
    }
  }
  return { add, remove: deduplicateScalars(remove) }
}

const diffListsOfMaps = (
  original: unknown[],
  modified: unknown[],
  schema: ObjectSchema | undefined,
  mergeKey: string,
  options: DiffOptions,
): { add: unknown[]; remove: unknown[] } => {
  // Upstream's order is not strict: items with equal keys come out turned round.
  const sort = (list: unknown[]): JsonMap[] => {
    const sorted = list.map(asMap)
    for (let i = 1; i < sorted.length; i++) {
      for (let j = i; j > 0 && byText(getOwn(sorted[j], mergeKey), getOwn(sorted[j - 1], mergeKey)) <= 0; j--) {
        ;[sorted[j], sorted[j - 1]] = [sorted[j - 1] as JsonMap, sorted[j] as JsonMap]
      }
    }
    return sorted
  }
  const olds = sort(original)
  const nexts = sort(modified)
  const add: unknown[] = []
  const remove: unknown[] = []
  let i = 0
  let j = 0
  while (i < olds.length || j < nexts.length) {
    const old = olds[i]
    const next = nexts[j]
    const order = old === undefined ? 1 : next === undefined ? -1 : byText(keyOf(old, mergeKey), keyOf(next, mergeKey))
    if (order === 0 && old && next) {
      const inner = diffMaps(old, next, schema, options)
      if (Object.keys(inner).length > 0) add.push({ ...inner, [mergeKey]: next[mergeKey] })
      i++
      j++
    } else if (order > 0 && next) {
      keyOf(next, mergeKey)
      if (!options.ignoreChangesAndAdditions) add.push(next)
      j++
    } else {
      if (!options.ignoreDeletions) remove.push({ [mergeKey]: keyOf(old, mergeKey), [DIRECTIVE]: 'delete' })
      i++
    }
  }
  return { add, remove }
}

const guarded = (make: () => JsonMap): Result<JsonMap> => {
  try {
    return ok(cloneJson(make()))
  } catch (error) {
    if (error instanceof StrategicError) return fail(error.message)
    throw error
  }
}

/** The patch that turns `original` into `modified`. */
export const createTwoWayMergePatch = (original: object, modified: object, schema: ObjectSchema): Result<JsonMap> =>
  guarded(() => diffMaps(cloneJson(original) as JsonMap, cloneJson(modified) as JsonMap, schema, { setElementOrder: true }))

/**
 * The patch of a three-way apply: changes from `current` to `modified`, and deletions from `original` to `modified`.
 * It overwrites what others changed, as kubectl apply does.
 */
export const createThreeWayMergePatch = (original: object, modified: object, current: object, schema: ObjectSchema): Result<JsonMap> =>
  guarded(() => {
    const delta = diffMaps(cloneJson(current) as JsonMap, cloneJson(modified) as JsonMap, schema, {
      setElementOrder: true,
      ignoreDeletions: true,
    })
    const deletions = diffMaps(cloneJson(original) as JsonMap, cloneJson(modified) as JsonMap, schema, {
      setElementOrder: true,
      ignoreChangesAndAdditions: true,
    })
    return mergeMap(cloneJson(deletions), cloneJson(delta), schema, { mergeParallelList: false, ignoreUnmatchedNulls: false })
  })

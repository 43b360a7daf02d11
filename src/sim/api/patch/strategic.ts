// Strategic merge patch: pkg/util/strategicpatch/patch.go.
import { deepEqual } from '../../../lib/compare.ts'
import { cloneJson, deleteOwn, getOwn, isRecord, setOwn } from '../../../lib/own.ts'
import { fail, ok, type Result } from '../../../lib/result.ts'
import { goValue } from '../go-text.ts'
import type { ObjectSchema } from '../schema/index.ts'
import {
  asMap,
  badArgType,
  badPrimitiveList,
  badRetainKeys,
  badSetElementOrder,
  deduplicateScalars,
  DELETE_FROM_PRIMITIVE_LIST,
  DIRECTIVE,
  elementKind,
  extractToDelete,
  indexByKey,
  type JsonMap,
  lookupMeta,
  noMergeKey,
  normalizeElementOrder,
  RETAIN_KEYS,
  SET_ELEMENT_ORDER,
  StrategicError,
} from './strategic-lists.ts'

export interface MergeOptions {
  /** Carry out deletions from primitive lists and element orders, instead of keeping them as parts of a patch. */
  readonly mergeParallelList: boolean
  /** Nulls that remove nothing disappear. */
  readonly ignoreUnmatchedNulls: boolean
}

const badPatchType = (directive: unknown, map: JsonMap): StrategicError =>
  new StrategicError(`unknown patch type: ${String(directive)} in map: ${goValue(map)}`)

const extractKey = (text: string, error: () => StrategicError): string => {
  const slash = text.indexOf('/')
  if (slash < 0 || (!text.startsWith(`${SET_ELEMENT_ORDER}/`) && !text.startsWith(`${DELETE_FROM_PRIMITIVE_LIST}/`))) throw error()
  return text.slice(slash + 1)
}

const discardNulls = (value: unknown): void => {
  if (Array.isArray(value)) for (const item of value) discardNulls(item)
  else if (isRecord(value)) {
    for (const key of Object.keys(value)) {
      if (value[key] === null) delete value[key]
      else discardNulls(value[key])
    }
  }
}

const REMOVED = Symbol('removed')

/** The value without elements and members that carry a directive. */
const removeDirectives = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(removeDirectives).filter((item) => item !== REMOVED)
  if (!isRecord(value)) return value
  if (Object.hasOwn(value, DIRECTIVE)) return REMOVED
  for (const key of Object.keys(value)) {
    const kept = removeDirectives(value[key])
    if (kept === REMOVED) delete value[key]
    else setOwn(value, key, kept)
  }
  return value
}

const take = (original: JsonMap, key: string, value: unknown, options: MergeOptions): void => {
  if (options.ignoreUnmatchedNulls) discardNulls(value)
  const kept = removeDirectives(value)
  if (kept === REMOVED) deleteOwn(original, key)
  else setOwn(original, key, kept)
}

const applyRetainKeys = (original: JsonMap, patch: JsonMap, options: MergeOptions): void => {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return
  const retain = patch[RETAIN_KEYS]
  delete patch[RETAIN_KEYS]
  if (!options.mergeParallelList) {
    if (!Object.hasOwn(original, RETAIN_KEYS)) original[RETAIN_KEYS] = retain
    else if (!deepEqual(original[RETAIN_KEYS], retain)) {
      throw new StrategicError(
        `${goValue(original[RETAIN_KEYS])} and ${goValue(retain)} are not deep equal: this may happen when calculating the 3-way diff patch`,
      )
    }
    return
  }
  if (!Array.isArray(retain)) throw badRetainKeys()
  for (const key of Object.keys(patch)) {
    if (patch[key] === null || key.startsWith(DELETE_FROM_PRIMITIVE_LIST) || key.startsWith(SET_ELEMENT_ORDER)) continue
    if (!retain.includes(key)) throw badRetainKeys()
  }
  for (const key of Object.keys(original)) if (!retain.includes(key)) delete original[key]
}

const checkOrder = (patchList: readonly unknown[], order: readonly unknown[], mergeKey: string): void => {
  if (order.length === 0 || patchList.length === 0) return
  const items = mergeKey === '' ? patchList : extractToDelete(patchList).keep
  let i = 0
  let j = 0
  while (i < items.length && j < order.length) {
    const item = items[i]
    if (isRecord(item) && Object.hasOwn(item, DIRECTIVE)) {
      i++
      continue
    }
    if (mergeKey === '') {
      if (item === order[j]) i++
    } else {
      const [left, right] = [asMap(item), asMap(order[j])]
      if (!Object.hasOwn(left, mergeKey)) throw noMergeKey(left, mergeKey)
      if (!Object.hasOwn(right, mergeKey)) throw noMergeKey(right, mergeKey)
      if (deepEqual(left[mergeKey], right[mergeKey])) i++
    }
    j++
  }
  if (i < items.length && j >= order.length) {
    throw new StrategicError(
      `The order in patch list:\n${goValue(patchList)}\n doesn't match ${SET_ELEMENT_ORDER} list:\n${goValue(order)}\n`,
    )
  }
}

const listOf = (map: JsonMap, key: string): unknown[] | undefined => {
  if (!Object.hasOwn(map, key)) return undefined
  const list = map[key]
  if (!Array.isArray(list)) throw badArgType('[]interface {}', list)
  return list
}

/** Lists with a $setElementOrder beside them. */
const mergeOrdered = (original: JsonMap, patch: JsonMap, schema: ObjectSchema | undefined, options: MergeOptions): void => {
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(SET_ELEMENT_ORDER)) continue
    const order = patch[key]
    if (!options.mergeParallelList) {
      if (!Object.hasOwn(original, key)) original[key] = order
      else if (!deepEqual(original[key], order)) throw badSetElementOrder()
    }
    delete patch[key]
    if (!Array.isArray(order)) throw badArgType('[]interface {}', order)
    const name = extractKey(key, badSetElementOrder)
    const originalList = listOf(original, name)
    const patchList = listOf(patch, name)
    const meta = lookupMeta(schema, name)
    checkOrder(patchList ?? [], order, meta.mergeKey)
    if (!originalList && !patchList) continue
    let merged: unknown[]
    if (originalList && patchList) merged = mergeLists(originalList, patchList, meta.schema, meta.strategy, meta.mergeKey, false, options)
    else if (originalList) merged = originalList
    else merged = removeDirectives(patchList) as unknown[]
    const kind = elementKind(originalList ?? [], patchList ?? [])
    setOwn(original, name, normalizeElementOrder(merged, order, originalList ?? [], meta.mergeKey, kind))
    deleteOwn(patch, name)
  }
}

const mergeLists = (
  original: unknown[],
  patch: unknown[],
  schema: ObjectSchema | undefined,
  strategy: string,
  mergeKey: string,
  isDeleteList: boolean,
  options: MergeOptions,
): unknown[] => (strategy === 'merge' || isDeleteList ? mergeSlice(original, patch, schema, mergeKey, options, isDeleteList) : patch)

const mergeSlice = (
  originalList: unknown[],
  patchList: unknown[],
  schema: ObjectSchema | undefined,
  mergeKey: string,
  options: MergeOptions,
  isDeleteList: boolean,
): unknown[] => {
  if (originalList.length === 0 && patchList.length === 0) return originalList
  const kind = elementKind(originalList, patchList)
  if (kind === 'scalar') {
    if (options.mergeParallelList && isDeleteList) return originalList.filter((item) => !patchList.includes(item))
    return normalizeElementOrder(deduplicateScalars([...originalList, ...patchList]), patchList, originalList, mergeKey, kind)
  }
  if (mergeKey === '') throw new StrategicError(`cannot merge lists without merge key for ${schema?.goType.split('.').pop() ?? ''}`)
  let original = [...originalList]
  let patch: unknown[] = []
  let replace = false
  for (const item of patchList) {
    const map = asMap(item)
    const directive = getOwn(map, DIRECTIVE)
    if (directive === undefined) patch.push(map)
    else if (directive === 'delete') {
      if (!Object.hasOwn(map, mergeKey)) throw noMergeKey(map, mergeKey)
      for (let i = indexByKey(original, mergeKey, map[mergeKey]); i >= 0; i = indexByKey(original, mergeKey, map[mergeKey]))
        original.splice(i, 1)
    } else if (directive === 'replace') replace = true
    else if (directive === 'merge') throw new StrategicError('merging lists cannot yet be specified in the patch')
    else throw badPatchType(directive, map)
  }
  if (replace) {
    original = patch
    patch = []
  }
  const server = [...original]
  for (const item of patch) {
    const map = item as JsonMap
    if (!Object.hasOwn(map, mergeKey)) throw noMergeKey(map, mergeKey)
    const at = indexByKey(original, mergeKey, map[mergeKey])
    if (at >= 0) original[at] = mergeMap(original[at] as JsonMap, map, schema, options)
    else original.push(map)
  }
  return normalizeElementOrder(original, patch, server, mergeKey, kind)
}

const kindOf = (value: unknown): string =>
  Array.isArray(value) ? 'slice' : value === null ? 'nil' : typeof value === 'object' ? 'map' : typeof value

/** Merges a patch into a map. Both are changed: pass clones. */
export const mergeMap = (original: JsonMap, patch: JsonMap, schema: ObjectSchema | undefined, options: MergeOptions): JsonMap => {
  if (Object.hasOwn(patch, DIRECTIVE)) {
    const directive = patch[DIRECTIVE]
    if (directive === 'replace') {
      delete patch[DIRECTIVE]
      return patch
    }
    if (directive === 'delete') return {}
    throw badPatchType(directive, patch)
  }
  applyRetainKeys(original, patch, options)
  mergeOrdered(original, patch, schema, options)
  for (const patchKey of Object.keys(patch)) {
    const value = patch[patchKey]
    let key = patchKey
    let isDeleteList = false
    if (patchKey.startsWith(DELETE_FROM_PRIMITIVE_LIST)) {
      if (!options.mergeParallelList) {
        original[patchKey] = value
        continue
      }
      key = extractKey(patchKey, badPrimitiveList)
      isDeleteList = true
    }
    if (value === null) {
      deleteOwn(original, key)
      if (options.ignoreUnmatchedNulls) continue
    }
    if (!Object.hasOwn(original, key) || kindOf(original[key]) !== kindOf(value)) {
      if (!isDeleteList) take(original, key, value, options)
      continue
    }
    const old = original[key]
    if (isRecord(old) && isRecord(value)) {
      const meta = lookupMeta(schema, key)
      setOwn(original, key, meta.strategy === 'replace' ? value : mergeMap(old, value, meta.schema, options))
    } else if (Array.isArray(old) && Array.isArray(value)) {
      const meta = lookupMeta(schema, key)
      setOwn(original, key, mergeLists(old, value, meta.schema, meta.strategy, meta.mergeKey, isDeleteList, options))
    } else {
      setOwn(original, key, value)
    }
  }
  return original
}

/** StrategicMergeMapPatch. Neither argument changes. The error carries the HTTP code that the API server answers with. */
export const strategicMergePatch = (original: object, patch: object, schema: ObjectSchema): Result<JsonMap, StrategicError> => {
  try {
    return ok(
      mergeMap(cloneJson(original) as JsonMap, cloneJson(patch) as JsonMap, schema, {
        mergeParallelList: true,
        ignoreUnmatchedNulls: true,
      }),
    )
  } catch (error) {
    if (error instanceof StrategicError) return fail(error)
    throw error
  }
}

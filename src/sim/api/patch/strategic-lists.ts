// Lists of strategic merge patches: matching by merge key and upstream's element order (pkg/util/strategicpatch/patch.go).
import { deepEqual } from '../../../lib/compare.ts'
import { getOwn, isRecord } from '../../../lib/own.ts'
import { goValue } from '../go-text.ts'
import type { ObjectSchema } from '../schema/index.ts'
import { fieldOf } from '../schema/index.ts'

export type JsonMap = Record<string, unknown>

export const DIRECTIVE = '$patch'
export const DELETE_FROM_PRIMITIVE_LIST = '$deleteFromPrimitiveList'
export const SET_ELEMENT_ORDER = '$setElementOrder'
export const RETAIN_KEYS = '$retainKeys'

/** An error with the HTTP code that the API server gives it. */
export class StrategicError extends Error {
  readonly code: 400 | 422 | 500
  constructor(message: string, code: 400 | 422 | 500 = 500) {
    super(message)
    this.code = code
  }
}

export const badPrimitiveList = (): StrategicError => new StrategicError('invalid patch format of primitive list', 400)
export const badRetainKeys = (): StrategicError => new StrategicError('invalid patch format of retainKeys', 400)
export const badSetElementOrder = (): StrategicError => new StrategicError('invalid patch format of setElementOrder list', 400)
const listsOfLists = (): StrategicError => new StrategicError('lists of lists are not supported', 422)
export const noMergeKey = (item: JsonMap, key: string): StrategicError =>
  new StrategicError(`map: ${goValue(item)} does not contain declared merge key: ${key}`)

const goTypeOf = (value: unknown): string => {
  if (value === null || value === undefined) return '%!s(<nil>)'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  return typeof value === 'number' ? (Number.isInteger(value) ? 'int64' : 'float64') : typeof value === 'boolean' ? 'bool' : 'string'
}
export const badArgType = (expected: 'map[string]interface {}' | '[]interface {}', actual: unknown): StrategicError =>
  new StrategicError(`expected a ${expected}, but received a ${goTypeOf(actual)}`)

export interface PatchMeta {
  readonly schema: ObjectSchema | undefined
  readonly strategy: string
  readonly retainKeys: boolean
  readonly mergeKey: string
}

/** Patch strategy of a field: of the struct's declaration, or nothing for the values of maps. */
export const lookupMeta = (schema: ObjectSchema | undefined, name: string): PatchMeta => {
  if (schema?.type === 'map') return { schema: schema.items, strategy: '', retainKeys: false, mergeKey: '' }
  const field = fieldOf(schema, name)
  if (!field)
    throw new StrategicError(`unable to find api field in struct ${schema?.goType.split('.').pop() ?? ''} for the json field "${name}"`)
  const strategies = field.patchStrategy ?? []
  return {
    schema: field.schema.type === 'array' ? field.schema.items : field.schema,
    strategy: strategies.find((s) => s !== 'retainKeys') ?? '',
    retainKeys: strategies.includes('retainKeys'),
    mergeKey: field.patchMergeKey ?? '',
  }
}

/** The kind of the elements of lists, which must all be alike. */
export const elementKind = (...lists: readonly (readonly unknown[])[]): 'map' | 'scalar' => {
  let first: string | undefined
  for (const list of lists) {
    for (const item of list) {
      const type = goTypeOf(item)
      if (first === undefined) {
        if (Array.isArray(item)) throw listsOfLists()
        first = type
      } else if (first !== type) throw new StrategicError(`list element types are not identical: ${goValue(lists)}`)
    }
  }
  if (first === undefined) throw new StrategicError('no elements in any of the given slices')
  return first.startsWith('map') ? 'map' : 'scalar'
}

export const asMap = (value: unknown): JsonMap => {
  if (!isRecord(value)) throw badArgType('map[string]interface {}', value)
  return value
}

const keyValue = (item: unknown, mergeKey: string): unknown => (isRecord(item) ? getOwn(item, mergeKey) : undefined)

export const indexByKey = (list: readonly unknown[], mergeKey: string, value: unknown): number => {
  for (const [i, item] of list.entries()) {
    if (!isRecord(item)) throw new StrategicError(`value for key ${i} is not a map`)
    const have = getOwn(item, mergeKey)
    if (have !== undefined && deepEqual(have, value)) return i
  }
  return -1
}

const indexOf = (list: readonly unknown[], item: unknown, mergeKey: string, kind: 'map' | 'scalar'): number =>
  list.findIndex((other) => (kind === 'map' ? deepEqual(keyValue(other, mergeKey), keyValue(item, mergeKey)) : other === item))

export const deduplicateScalars = (list: readonly unknown[]): unknown[] => {
  const out = [...list]
  // As upstream does it: the last element takes the place of a duplicate.
  for (let i = 0; i < out.length - 1; i++) {
    for (let j = i + 1; j < out.length; j++) {
      if (out[i] !== out[j]) continue
      out[j] = out[out.length - 1]
      out.pop()
      j--
    }
  }
  return out
}

export const extractToDelete = (list: readonly unknown[]): { keep: JsonMap[]; remove: JsonMap[] } => {
  const keep: JsonMap[] = []
  const remove: JsonMap[] = []
  for (const item of list) {
    const map = asMap(item)
    if (getOwn(map, DIRECTIVE) === 'delete') remove.push(map)
    else keep.push(map)
  }
  return { keep, remove }
}

/** Items in the order of `order`; an item that is not there moves before its neighbour, as upstream's comparison has it. */
export const normalizeSliceOrder = (
  list: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string,
  kind: 'map' | 'scalar',
): unknown[] => {
  let sorted: unknown[] = [...list]
  let removed: unknown[] = []
  if (kind === 'map') {
    for (const item of [...list, ...order]) if (!Object.hasOwn(asMap(item), mergeKey)) throw noMergeKey(asMap(item), mergeKey)
    const parts = extractToDelete(list)
    sorted = parts.keep
    removed = parts.remove
  }
  const less = (a: unknown, b: unknown): boolean => {
    const i = indexOf(order, a, mergeKey, kind)
    const j = indexOf(order, b, mergeKey, kind)
    return i >= 0 && j >= 0 ? i < j : true
  }
  for (let i = 1; i < sorted.length; i++) {
    for (let j = i; j > 0 && less(sorted[j], sorted[j - 1]); j--) [sorted[j], sorted[j - 1]] = [sorted[j - 1], sorted[j]]
  }
  return [...sorted, ...removed]
}

const mergeSorted = (
  left: readonly unknown[],
  right: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string,
  kind: 'map' | 'scalar',
): unknown[] => {
  const merged: unknown[] = []
  let i = 0
  let j = 0
  while (i < left.length || j < right.length) {
    if (i >= left.length) merged.push(right[j++])
    else if (j >= right.length) merged.push(left[i++])
    else {
      const l = indexOf(serverOrder, left[i], mergeKey, kind)
      const r = indexOf(serverOrder, right[j], mergeKey, kind)
      merged.push(l >= 0 && r >= 0 && l < r ? left[i++] : right[j++])
    }
  }
  return merged
}

/** Items of the patch in the patch's order, those only the server has in the server's; new items come before what follows them. */
export const normalizeElementOrder = (
  merged: readonly unknown[],
  patchOrder: readonly unknown[],
  serverOrder: readonly unknown[],
  mergeKey: string,
  kind: 'map' | 'scalar',
): unknown[] => {
  const inPatch: unknown[] = []
  const serverOnly: unknown[] = []
  for (const item of merged) {
    let found: boolean
    if (mergeKey === '') found = patchOrder.includes(item)
    else {
      const map = asMap(item)
      if (!Object.hasOwn(map, mergeKey)) throw noMergeKey(map, mergeKey)
      found = indexByKey(patchOrder, mergeKey, map[mergeKey]) >= 0
    }
    if (found) inPatch.push(item)
    else serverOnly.push(item)
  }
  return mergeSorted(
    normalizeSliceOrder(serverOnly, serverOrder, mergeKey, kind),
    normalizeSliceOrder(inPatch, patchOrder, mergeKey, kind),
    serverOrder,
    mergeKey,
    kind,
  )
}

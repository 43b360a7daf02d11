// Which old value belongs to a new one: apiserver pkg/cel/common/{equality,maplist}.go.
import { deepEqual } from '../../../../../lib/compare.ts'
import { getOwn, isRecord } from '../../../../../lib/own.ts'
import { goQuote } from '../../../../api/go-text.ts'
import { itemSchema, type JSONSchemaProps, listType, propertyOf, valueSchema } from './schema.ts'

export interface Correlated {
  readonly value: unknown
  readonly old: unknown
  readonly schema: JSONSchemaProps
}

const scalarText = (value: unknown): string | undefined =>
  typeof value === 'string' ? goQuote(value) : typeof value === 'boolean' || typeof value === 'number' ? String(value) : undefined

const keyOf = (item: unknown, keys: readonly string[]): string | undefined => {
  if (!isRecord(item)) return undefined
  const parts = keys.map((k) => scalarText(getOwn(item, k)))
  return parts.includes(undefined) ? undefined : parts.join('\0')
}

/** The item of a map list with the same keys; undefined for any other list. */
export function sameKeyed(schema: JSONSchemaProps, list: unknown, item: unknown): Record<string, unknown> | undefined {
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (schema.type !== 'array' || listType(schema) !== 'map' || keys.length === 0 || !Array.isArray(list)) return undefined
  const wanted = keyOf(item, keys)
  return wanted === undefined ? undefined : list.find((x) => keyOf(x, keys) === wanted)
}

export function childByKey(c: Correlated | undefined, field: string): Correlated | undefined {
  if (!c || !isRecord(c.value) || !isRecord(c.old) || !Object.hasOwn(c.value, field) || !Object.hasOwn(c.old, field)) return undefined
  const schema = propertyOf(c.schema, field) ?? valueSchema(c.schema)
  return schema && { value: getOwn(c.value, field), old: getOwn(c.old, field), schema }
}

export function childByIndex(c: Correlated | undefined, index: number): Correlated | undefined {
  if (!c || !Array.isArray(c.value) || index >= c.value.length) return undefined
  const old = sameKeyed(c.schema, c.old, c.value[index])
  const schema = itemSchema(c.schema)
  return old && schema ? { value: c.value[index], old, schema } : undefined
}

/** CachedDeepEqual: map lists compare by key, so their order does not matter. */
export function isUnchanged(c: Correlated | undefined): boolean {
  if (!c) return false
  const { value, old } = c
  if (value === undefined || value === null || old === undefined || old === null) return (value ?? null) === (old ?? null)
  if (Array.isArray(value)) {
    if (!Array.isArray(old) || value.length !== old.length) return false
    for (let i = 0; i < value.length; i++) {
      const child = childByIndex(c, i)
      if (!child) return listType(c.schema) === 'map' ? false : deepEqual(old, value)
      if (!isUnchanged(child)) return false
    }
    return true
  }
  if (isRecord(value)) {
    if (!isRecord(old) || Object.keys(value).length !== Object.keys(old).length) return false
    return Object.keys(value).every((k) => isUnchanged(childByKey(c, k)))
  }
  return deepEqual(value, old)
}

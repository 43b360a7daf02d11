// Pruning, nulls and defaults of values by structural schemas: apiextensions-apiserver pkg/apiserver/schema/{pruning,defaulting}.
// All of these change the value in place.
import { sortStrings } from '../../../../../lib/compare.ts'
import { cloneJson, deleteOwn, getOwn, isRecord, setOwn } from '../../../../../lib/own.ts'
import {
  additionalProperties,
  embedded,
  hasDefault,
  isEmbedded,
  itemSchema,
  type JSONSchemaProps,
  preservesUnknown,
  propertyNames,
  propertyOf,
  valueSchema,
} from './schema.ts'

const META = new Set(['apiVersion', 'kind', 'metadata'])

/** PruneWithOptions: removes what the schema does not know; returns the paths of it, sorted. */
export function prune(value: unknown, schema: JSONSchemaProps | undefined, isResourceRoot: boolean): string[] {
  const unknown: string[] = []
  pruneValue(value, isResourceRoot ? embedded(schema ?? {}) : schema, [], unknown)
  return sortStrings(unknown)
}

const below = (path: readonly string[], name: string): string[] => [...path, path.length > 0 ? `.${name}` : name]

function pruneValue(value: unknown, s: JSONSchemaProps | undefined, path: readonly string[], unknown: string[]): void {
  if (preservesUnknown(s)) {
    pruneKnown(value, s, path, unknown)
    return
  }
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) pruneValue(item, itemSchema(s), [...path, `[${i}]`], unknown)
    return
  }
  if (!isRecord(value)) return
  for (const k of Object.keys(value)) {
    if (s && isEmbedded(s) && META.has(k)) continue
    const property = propertyOf(s, k)
    if (property) pruneValue(getOwn(value, k), property, below(path, k), unknown)
    else if (s && additionalProperties(s)) pruneValue(getOwn(value, k), valueSchema(s), below(path, k), unknown)
    else {
      if (!s || !META.has(k) || path.length > 0) unknown.push(below(path, k).join(''))
      deleteOwn(value, k)
    }
  }
}

/** Below x-kubernetes-preserve-unknown-fields only specified fields are looked at. */
function pruneKnown(value: unknown, s: JSONSchemaProps | undefined, path: readonly string[], unknown: string[]): void {
  if (!s) return
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) pruneKnown(item, itemSchema(s), [...path, `[${i}]`], unknown)
    return
  }
  if (!isRecord(value)) return
  for (const k of Object.keys(value)) {
    if (isEmbedded(s) && META.has(k)) continue
    const property = propertyOf(s, k)
    if (property) pruneValue(getOwn(value, k), property, below(path, k), unknown)
    else if (additionalProperties(s)) pruneValue(getOwn(value, k), valueSchema(s), below(path, k), unknown)
  }
}

const isStrayNull = (value: unknown, s: JSONSchemaProps | undefined): boolean => value === null && s !== undefined && s.nullable !== true

/** PruneNonNullableNullsWithoutDefaults. */
export function pruneNulls(value: unknown, s: JSONSchemaProps | undefined): void {
  if (Array.isArray(value)) {
    for (const item of value) pruneNulls(item, itemSchema(s))
    return
  }
  if (!isRecord(value)) return
  for (const k of Object.keys(value)) {
    const property = propertyOf(s, k) ?? (s && valueSchema(s))
    if (isStrayNull(getOwn(value, k), property) && !hasDefault(property)) deleteOwn(value, k)
    else pruneNulls(getOwn(value, k), property)
  }
}

/** Default. */
export function applyDefaults(value: unknown, s: JSONSchemaProps | undefined): void {
  if (!s) return
  if (Array.isArray(value)) {
    const items = itemSchema(s)
    for (const [i, item] of value.entries()) {
      if (isStrayNull(item, items)) value[i] = cloneJson(items?.default ?? null)
      applyDefaults(value[i], items)
    }
    return
  }
  if (!isRecord(value)) return
  for (const name of propertyNames(s)) {
    const property = propertyOf(s, name)
    if (hasDefault(property) && (!Object.hasOwn(value, name) || isStrayNull(getOwn(value, name), property)))
      setOwn(value, name, cloneJson(property?.default))
  }
  for (const k of Object.keys(value)) {
    const property = propertyOf(s, k)
    if (property) applyDefaults(getOwn(value, k), property)
    else if (additionalProperties(s)) {
      const values = valueSchema(s)
      if (isStrayNull(getOwn(value, k), values)) setOwn(value, k, cloneJson(values?.default ?? null))
      applyDefaults(getOwn(value, k), values)
    }
  }
}

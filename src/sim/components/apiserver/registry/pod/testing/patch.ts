// The three kinds of patches, as far as recorded pod cases need them.
import { applyPatch } from 'rfc6902'
import type { ObjectSchema } from '../../../../../api/schema/index.ts'
import { fieldOf } from '../../../../../api/schema/index.ts'

type Json = { [key: string]: unknown }
const isMap = (v: unknown): v is Json => typeof v === 'object' && v !== null && !Array.isArray(v)

export function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch
  const result: Json = isMap(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value)
  }
  return result
}

/** New items go in front of the existing ones. */
function mergeList(target: Json[], patch: Json[], key: string, schema: ObjectSchema): Json[] {
  if (patch.some((p) => p['$patch'] === 'replace')) return patch.filter((p) => p['$patch'] !== 'replace')
  let items = target
  const added: Json[] = []
  for (const p of patch) {
    const i = items.findIndex((item) => item[key] === p[key])
    if (p['$patch'] === 'delete') items = items.filter((item) => item[key] !== p[key])
    else if (i >= 0) items = items.map((item, j) => (j === i ? (strategicPatch(item, p, schema) as Json) : item))
    else added.push(strategicPatch({}, p, schema) as Json)
  }
  return [...added, ...items]
}

export function strategicPatch(target: unknown, patch: unknown, schema: ObjectSchema | undefined): unknown {
  if (!isMap(patch)) return patch
  if (patch['$patch'] === 'replace') {
    const { $patch: _, ...rest } = patch
    return rest
  }
  if (patch['$patch'] === 'delete') return {}
  const result: Json = isMap(target) ? { ...target } : {}
  const retain = patch['$retainKeys']
  if (Array.isArray(retain)) for (const key of Object.keys(result)) if (!retain.includes(key)) delete result[key]
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith('$')) continue
    const field = schema?.type === 'object' ? fieldOf(schema, key) : undefined
    const items = field?.schema.items
    if (value === null) delete result[key]
    else if (Array.isArray(value) && field?.patchMergeKey && items && Array.isArray(result[key])) {
      result[key] = mergeList(result[key] as Json[], value as Json[], field.patchMergeKey, items)
    } else if (Array.isArray(value)) result[key] = value.filter((v) => !isMap(v) || v['$patch'] === undefined)
    else result[key] = strategicPatch(result[key], value, field?.schema)
  }
  return result
}

/** Throws where an operation fails. */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  const copy = structuredClone(target)
  const errors = applyPatch(copy, operations as Parameters<typeof applyPatch>[1])
  if (errors.some((e) => e !== null)) throw new Error('patch failed')
  return copy
}

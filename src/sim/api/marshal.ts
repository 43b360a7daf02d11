// What Go writes when it marshals an object: structs and declared fields that are always there, even when empty or null.
import { isRecord, setOwn } from '../../lib/own.ts'
import type { Field, ObjectSchema } from './schema/index.ts'

const structLike = new Set(['object', 'time', 'microTime', 'duration', 'quantity', 'intOrString', 'any', 'fieldsV1'])

const zero = (schema: ObjectSchema): unknown => {
  switch (schema.type) {
    case 'object':
      return marshalValue({}, schema)
    case 'string':
      return ''
    case 'bool':
      return false
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0
    case 'quantity':
      return '0'
    case 'duration':
      return '0s'
    default:
      return null
  }
}

/** What is written for a field that has no value; undefined if nothing is. */
const absent = (field: Field): unknown => {
  if (field.always) return field.pointer ? null : zero(field.schema)
  // encoding/json's omitempty never leaves out a struct.
  return !field.pointer && !field.omitZero && structLike.has(field.schema.type) ? zero(field.schema) : undefined
}

const marshalValue = (value: unknown, schema: ObjectSchema): unknown => {
  if (schema.type === 'array') return Array.isArray(value) ? value.map((item) => marshalValue(item, schema.items as ObjectSchema)) : value
  if (schema.type === 'map') {
    if (!isRecord(value) || !needsWork(schema.items as ObjectSchema)) return value
    const map: Record<string, unknown> = {}
    for (const key of Object.keys(value)) setOwn(map, key, marshalValue(value[key], schema.items as ObjectSchema))
    return map
  }
  if (schema.type !== 'object' || !schema.fields || !isRecord(value)) return value
  const object: Record<string, unknown> = {}
  const fields = schema.fields()
  for (const key of Object.keys(value)) {
    const field = fields.get(key)
    const member = value[key]
    if (member === undefined || member === null) continue
    // Storage keeps no difference between an empty list and none.
    if (field?.always && Array.isArray(member) && member.length === 0) continue
    setOwn(object, key, field ? marshalValue(member, field.schema) : member)
  }
  for (const [name, field] of fields) {
    if (Object.hasOwn(object, name)) continue
    const written = absent(field)
    if (written !== undefined) object[name] = written
  }
  return object
}

const needsWork = (schema: ObjectSchema): boolean => schema.type === 'object' || schema.type === 'array' || schema.type === 'map'

/**
 * The object as the API server stores and sends it: `resources: {}`, `status: {}`, `rules: null` and the like are added,
 * null members that Go leaves out are dropped. A new object; the one given does not change.
 */
export const marshalObject = <T extends object>(object: T, schema: ObjectSchema): T => {
  const marshalled = marshalValue(object, schema) as Record<string, unknown>
  // TypeMeta is omitempty, and written by whoever serializes.
  for (const name of ['apiVersion', 'kind']) if (marshalled[name] === '' || marshalled[name] === undefined) delete marshalled[name]
  return marshalled as T
}

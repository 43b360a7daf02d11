// A decoder for tests: what Go's typed decoding leaves of a JSON body that has no errors of type.
import { canonicalQuantity } from '../../../../../api/quantity.ts'
import type { ObjectSchema } from '../../../../../api/schema/index.ts'

type Json = { [key: string]: unknown }

const isZero = (v: unknown): boolean => v === '' || v === 0 || v === false || (Array.isArray(v) && v.length === 0)

export function decode(value: unknown, schema: ObjectSchema): unknown {
  switch (schema.type) {
    case 'quantity':
      return value === null ? '0' : canonicalQuantity(String(value))
    case 'array':
      return (value as unknown[]).map((v) => decode(v, schema.items as ObjectSchema))
    case 'map':
      return Object.fromEntries(Object.entries(value as Json).map(([k, v]) => [k, v === null && schema.items?.type === 'string' ? '' : decode(v, schema.items as ObjectSchema)]))
    case 'object':
      return decodeObject((value ?? {}) as Json, schema)
    default:
      return value
  }
}

function decodeObject(value: Json, schema: ObjectSchema): Json {
  const result: Json = {}
  for (const [name, field] of schema.fields?.() ?? []) {
    const given = value[name]
    const isStruct = field.schema.type === 'object'
    if (field.pointer) {
      if (given !== undefined && given !== null) result[name] = decode(given, field.schema)
    } else if (isStruct) {
      const struct = decodeObject((given ?? {}) as Json, field.schema)
      if (!field.omitZero || Object.keys(struct).length > 0) result[name] = struct
    } else if (field.schema.type === 'time' || field.schema.type === 'microTime') {
      if (given || !field.omitZero) result[name] = given ?? null
    } else if (given !== undefined && given !== null) {
      const decoded = decode(given, field.schema)
      const empty = isZero(decoded) || (field.schema.type === 'map' && Object.keys(decoded as Json).length === 0)
      if (field.always || !empty) result[name] = decoded
    } else if (field.always) {
      const zero: Json = { string: '', bool: false, int32: 0, int64: 0, array: null, map: null }
      result[name] = field.schema.type in zero ? zero[field.schema.type] : null
    }
  }
  return result
}

// Structural schemas as types and values of expressions: apiserver pkg/cel/common/{schemas,values}.go.
import { base64Decode } from '../../../../../lib/base64.ts'
import { getOwn, isRecord, setOwn } from '../../../../../lib/own.ts'
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  objectOf,
  STRING,
  TIMESTAMP,
  type Type,
} from '../../../../api/cel/types.ts'
import { celError, celMap, fromJson, markList, parseDuration, parseTimestamp, type Value } from '../../../../api/cel/values.ts'
import { isEmbedded, isIntOrString, itemSchema, type JSONSchemaProps, listType, propertyNames, propertyOf, valueSchema } from './schema.ts'

const RESERVED = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
])
const ESCAPES: Readonly<Record<string, string>> = { __: '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' }

/** A property's name as an identifier; undefined if it cannot be one. */
export function escapeName(name: string): string | undefined {
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(name)) return undefined
  return RESERVED.has(name) ? `__${name}__` : name.replace(/__|[-./]/g, (m) => ESCAPES[m] as string)
}

const STRING_SCHEMA: JSONSchemaProps = { type: 'string' }

/** Resources always show their type and names to rules. */
function withMeta(s: JSONSchemaProps): JSONSchemaProps {
  const metadata = propertyOf(s, 'metadata')
  const complete =
    propertyOf(s, 'kind')?.type === 'string' &&
    propertyOf(s, 'apiVersion')?.type === 'string' &&
    metadata?.type === 'object' &&
    ['name', 'generateName'].every((n) => propertyOf(metadata, n)?.type === 'string')
  if (complete) return s
  const properties = {
    ...s.properties,
    kind: STRING_SCHEMA,
    apiVersion: STRING_SCHEMA,
    metadata: { type: 'object', properties: { name: STRING_SCHEMA, generateName: STRING_SCHEMA } },
  }
  return { ...s, properties }
}

/** SchemaDeclType; undefined for what rules cannot see. `name` tells types of different places apart. */
export function declType(given: JSONSchemaProps | undefined, isRoot: boolean, name: string): Type | undefined {
  if (!given) return undefined
  if (isIntOrString(given)) return DYN
  const s = isRoot ? withMeta(given) : given
  switch (s.type) {
    case 'array': {
      const items = itemSchema(s)
      const item = declType(items, isEmbedded(items), `${name}.@idx`)
      return item && listOf(item)
    }
    case 'object': {
      const values = valueSchema(s)
      if (values) {
        const value = declType(values, isEmbedded(values), `${name}.@elem`)
        return value && mapOf(STRING, value)
      }
      const fields: Record<string, Type> = {}
      for (const property of propertyNames(s)) {
        const schema = propertyOf(s, property)
        const field = escapeName(property)
        const type = declType(schema, isEmbedded(schema), `${name}.${field}`)
        if (type && field !== undefined) setOwn(fields, field, type)
      }
      return objectOf(name, fields)
    }
    case 'string':
      return s.format === 'byte'
        ? BYTES
        : s.format === 'duration'
          ? DURATION
          : s.format === 'date' || s.format === 'date-time'
            ? TIMESTAMP
            : STRING
    case 'boolean':
      return BOOL
    case 'number':
      return DOUBLE
    case 'integer':
      return INT
    default:
      return undefined
  }
}

/** UnstructuredToVal. */
export function toCel(json: unknown, given: JSONSchemaProps | undefined, isRoot = false): Value {
  if (json === null || json === undefined) return null
  if (!given) return celError('unsupported value')
  if (isIntOrString(given)) return fromJson(json)
  const s = isRoot ? withMeta(given) : given
  switch (s.type) {
    case 'array': {
      if (!Array.isArray(json)) return celError(`invalid data, expected array type`)
      const items = itemSchema(s)
      const list = json.map((x) => toCel(x, items, isEmbedded(items)))
      const type = listType(s)
      return type === 'set'
        ? markList(list)
        : type === 'map'
          ? markList(
              list,
              (s['x-kubernetes-list-map-keys'] ?? []).map((k) => escapeName(k) ?? k),
            )
          : list
    }
    case 'object': {
      if (!isRecord(json)) return celError('invalid data, expected a map for the provided schema')
      const values = valueSchema(s)
      if (values) return celMap(Object.keys(json).map((k) => [k, toCel(getOwn(json, k), values, isEmbedded(values))]))
      const pairs = propertyNames(s).flatMap((p): [Value, Value][] => {
        const field = escapeName(p)
        const schema = propertyOf(s, p)
        return field === undefined || !Object.hasOwn(json, p) ? [] : [[field, lazily(getOwn(json, p), schema)]]
      })
      return { ...celMap(pairs), object: true }
    }
    case 'string':
      return typeof json === 'string' ? textValue(json, s.format) : celError('invalid data, expected string')
    case 'number':
      return typeof json === 'number' ? json : celError('invalid data, expected number')
    case 'integer':
      return typeof json === 'number' ? BigInt(Math.trunc(json)) : celError('invalid data, expected integer')
    case 'boolean':
      return typeof json === 'boolean' ? json : celError('invalid data, expected boolean')
    default:
      return fromJson(json)
  }
}

/** A part that does not fit its schema only matters to rules that look at it; those see no type for it. */
function lazily(json: unknown, schema: JSONSchemaProps | undefined): Value {
  return schema && (schema.type || isIntOrString(schema)) ? toCel(json, schema, isEmbedded(schema)) : fromJson(json)
}

function textValue(text: string, format: string | undefined): Value {
  switch (format) {
    case 'byte': {
      const bytes = base64Decode(text)
      return bytes ? { cel: 'bytes', value: bytes } : celError(`Invalid base64 ${text}`)
    }
    case 'duration': {
      const ns = parseDuration(text)
      return ns === undefined ? celError(`Invalid duration ${text}`) : { cel: 'duration', ns }
    }
    case 'date':
    case 'date-time': {
      const ns = parseTimestamp(format === 'date' ? `${text}T00:00:00Z` : text)
      return ns === undefined ? celError(`Invalid ${format} ${text}`) : { cel: 'timestamp', ns }
    }
    default:
      return text
  }
}

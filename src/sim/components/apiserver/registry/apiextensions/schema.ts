// JSONSchemaProps as upstream's internal type sees it: unions taken apart, visitors, texts.
import { sortedKeys } from '../../../../../lib/compare.ts'
import { getOwn, isRecord, setOwn } from '../../../../../lib/own.ts'
import type { JSONSchemaProps } from '../../../../api/types/kubernetes.gen.ts'
import { goBool, type GoField, goJson, goSlice, goString, goStruct, type Print } from '../core/gostruct.ts'

export type { JSONSchemaProps }
export type Schemas = Readonly<Record<string, JSONSchemaProps>>

export interface SchemaOrBool {
  allows: boolean
  schema?: JSONSchemaProps
}

const schemaOrBool = (value: unknown): SchemaOrBool | undefined =>
  value === undefined || value === null
    ? undefined
    : typeof value === 'boolean'
      ? { allows: value }
      : { allows: true, schema: value as JSONSchemaProps }

export const additionalProperties = (s: JSONSchemaProps): SchemaOrBool | undefined => schemaOrBool(s.additionalProperties)
/** The schema of additional properties, if there is one. */
export const valueSchema = (s: JSONSchemaProps): JSONSchemaProps | undefined => additionalProperties(s)?.schema

export interface SchemaOrArray {
  schema?: JSONSchemaProps
  schemas: readonly JSONSchemaProps[]
}

export const itemsOf = (s: JSONSchemaProps): SchemaOrArray | undefined => {
  const { items } = s
  if (items === undefined || items === null) return undefined
  return Array.isArray(items) ? { schemas: items as JSONSchemaProps[] } : { schema: items as JSONSchemaProps, schemas: [] }
}
export const itemSchema = (s: JSONSchemaProps | undefined): JSONSchemaProps | undefined =>
  s === undefined ? undefined : itemsOf(s)?.schema

export const propertyOf = (s: JSONSchemaProps | undefined, name: string): JSONSchemaProps | undefined => getOwn(s?.properties, name)
/** Names of the properties in a fixed order; upstream walks a Go map. */
export const propertyNames = (s: JSONSchemaProps | undefined): string[] => sortedKeys(s?.properties)

export const preservesUnknown = (s: JSONSchemaProps | undefined): boolean => s?.['x-kubernetes-preserve-unknown-fields'] === true
export const isIntOrString = (s: JSONSchemaProps | undefined): boolean => s?.['x-kubernetes-int-or-string'] === true
export const isEmbedded = (s: JSONSchemaProps | undefined): boolean => s?.['x-kubernetes-embedded-resource'] === true
export const embedded = (s: JSONSchemaProps): JSONSchemaProps => (isEmbedded(s) ? s : { ...s, 'x-kubernetes-embedded-resource': true })
export const listType = (s: JSONSchemaProps | undefined): string | undefined => s?.['x-kubernetes-list-type']
export const mapType = (s: JSONSchemaProps | undefined): string | undefined => s?.['x-kubernetes-map-type']
export const hasDefault = (s: JSONSchemaProps | undefined): boolean => s?.default !== undefined && s.default !== null

/** field.Path: nil is ''. */
export const child = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)
export const key = (path: string, name: string): string => `${path}[${name}]`

/** SchemaHas: whether the predicate holds for the schema or one below it. */
export function schemaHas(s: JSONSchemaProps | undefined, pred: (s: JSONSchemaProps) => boolean): boolean {
  if (!s) return false
  if (pred(s)) return true
  const inMap = (m: Schemas | undefined): boolean => sortedKeys(m).some((k) => schemaHas(getOwn(m, k), pred))
  const items = itemsOf(s)
  return (
    schemaHas(items?.schema, pred) ||
    (items?.schemas ?? []).some((x) => schemaHas(x, pred)) ||
    (s.allOf ?? []).some((x) => schemaHas(x, pred)) ||
    (s.anyOf ?? []).some((x) => schemaHas(x, pred)) ||
    (s.oneOf ?? []).some((x) => schemaHas(x, pred)) ||
    schemaHas(s.not, pred) ||
    inMap(s.properties) ||
    schemaHas(valueSchema(s), pred) ||
    inMap(s.patternProperties) ||
    schemaHas(schemaOrBool(s.additionalItems)?.schema, pred) ||
    inMap(s.definitions) ||
    sortedKeys(s.dependencies).some((k) => {
      const d = getOwn(s.dependencies, k)
      return isRecord(d) && schemaHas(d as JSONSchemaProps, pred)
    })
  )
}

/** What NewStructural cannot convert: the first complaint. */
export function notConvertible(s: JSONSchemaProps | undefined): string | undefined {
  if (!s) return undefined
  const unsupported = (name: string): string => `OpenAPIV3Schema '${name}' is not supported`
  if (s.id) return unsupported('id')
  if (s.$schema) return unsupported('schema')
  if (s.$ref) return unsupported('$ref')
  if (sortedKeys(s.patternProperties).length > 0) return unsupported('patternProperties')
  if (sortedKeys(s.dependencies).length > 0) return unsupported('dependencies')
  if (s.additionalItems !== undefined) return unsupported('additionalItems')
  if (sortedKeys(s.definitions).length > 0) return unsupported('definitions')
  const first = (...list: (JSONSchemaProps | undefined)[]): string | undefined => {
    for (const x of list) {
      const found = notConvertible(x)
      if (found) return found
    }
    return undefined
  }
  const values = first(s.not, ...(s.allOf ?? []), ...(s.anyOf ?? []), ...(s.oneOf ?? []))
  if (values) return values
  if (s['x-kubernetes-preserve-unknown-fields'] === false)
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
  const items = itemsOf(s)
  if (items && items.schemas.length > 0) return "OpenAPIV3Schema 'items' must be a schema, but is an array"
  return first(items?.schema, ...propertyNames(s).map((p) => propertyOf(s, p)), valueSchema(s))
}

const STRINGS = ['id', '$schema', 'description', 'type', 'format', 'title', 'pattern'] as const
const BOOLEANS = [
  'nullable',
  'exclusiveMaximum',
  'exclusiveMinimum',
  'uniqueItems',
  'x-kubernetes-embedded-resource',
  'x-kubernetes-int-or-string',
] as const
const POINTERS = [
  '$ref',
  'maximum',
  'minimum',
  'maxLength',
  'minLength',
  'maxItems',
  'minItems',
  'multipleOf',
  'maxProperties',
  'minProperties',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-map-type',
  'externalDocs',
  'example',
  'default',
] as const
const LISTS = ['enum', 'required', 'x-kubernetes-list-map-keys', 'x-kubernetes-validations'] as const
const SCHEMA_LISTS = ['allOf', 'anyOf', 'oneOf'] as const
const SCHEMA_MAPS = ['properties', 'patternProperties', 'definitions'] as const

/** A schema read and written by the Go type: unknown fields and empty values are gone, also inside the unions. */
export function readSchema(value: unknown): JSONSchemaProps {
  if (!isRecord(value)) return {}
  const out: Record<string, unknown> = {}
  const take = (name: string, map: (v: unknown) => unknown = (v) => v): void => {
    const v = getOwn(value, name)
    if (v === undefined || v === null) return
    const mapped = map(v)
    if (mapped !== undefined) out[name] = mapped
  }
  const union = (v: unknown): unknown => (Array.isArray(v) ? v.map(readSchema) : isRecord(v) ? readSchema(v) : v)
  const map = (v: unknown, read: (x: unknown) => unknown): unknown => {
    if (!isRecord(v)) return undefined
    const copy: Record<string, unknown> = {}
    for (const k of Object.keys(v)) setOwn(copy, k, read(getOwn(v, k)))
    return Object.keys(copy).length > 0 ? copy : undefined
  }
  for (const name of STRINGS) take(name, (v) => (v === '' ? undefined : v))
  for (const name of BOOLEANS) take(name, (v) => (v === false ? undefined : v))
  for (const name of POINTERS) take(name)
  for (const name of LISTS) take(name, (v) => (Array.isArray(v) && v.length > 0 ? v : undefined))
  for (const name of SCHEMA_LISTS) take(name, (v) => (Array.isArray(v) && v.length > 0 ? v.map(readSchema) : undefined))
  for (const name of SCHEMA_MAPS) take(name, (v) => map(v, readSchema))
  take('dependencies', (v) => map(v, union))
  take('not', readSchema)
  take('items', union)
  take('additionalProperties', union)
  take('additionalItems', union)
  return out as JSONSchemaProps
}

const schemaText: Print = (value) => goStruct(...schemaFields)(value)
const schemaMap: Print = (value) => {
  const map = (value ?? {}) as Schemas
  const names = sortedKeys(map)
  return names.length === 0 ? 'null' : `{${names.map((n) => `${goJson(n)}:${schemaText(getOwn(map, n))}`).join(',')}}`
}
const unionText: Print = (value) =>
  value === undefined
    ? 'null'
    : typeof value === 'boolean'
      ? `{"Allows":${value},"Schema":null}`
      : `{"Allows":true,"Schema":${schemaText(value)}}`
const itemsText: Print = (value) =>
  value === undefined
    ? 'null'
    : Array.isArray(value)
      ? `{"Schema":null,"JSONSchemas":[${value.map(schemaText).join(',')}]}`
      : `{"Schema":${schemaText(value)},"JSONSchemas":null}`
const same = (json: string, print: Print = goJson, go = json.charAt(0).toUpperCase() + json.slice(1)): GoField => [go, json, print]

/** ValidationRule as Go prints the internal type. */
export const ruleText: Print = goStruct(
  ['Rule', 'rule', goString],
  ['Message', 'message', goString],
  ['MessageExpression', 'messageExpression', goString],
  ['Reason', 'reason'],
  ['FieldPath', 'fieldPath', goString],
  ['OptionalOldSelf', 'optionalOldSelf'],
)

const schemaFields: readonly GoField[] = [
  same('id', goString, 'ID'),
  same('$schema', goString, 'Schema'),
  same('$ref', goJson, 'Ref'),
  same('description', goString),
  same('type', goString),
  same('nullable', goBool),
  same('format', goString),
  same('title', goString),
  same('default'),
  same('maximum'),
  same('exclusiveMaximum', goBool),
  same('minimum'),
  same('exclusiveMinimum', goBool),
  same('maxLength'),
  same('minLength'),
  same('pattern', goString),
  same('maxItems'),
  same('minItems'),
  same('uniqueItems', goBool),
  same('multipleOf'),
  same('enum', goSlice(goJson)),
  same('maxProperties'),
  same('minProperties'),
  same('required', goSlice(goJson)),
  same('items', itemsText),
  same('allOf', goSlice(schemaText)),
  same('oneOf', goSlice(schemaText)),
  same('anyOf', goSlice(schemaText)),
  same('not', schemaText),
  same('properties', schemaMap),
  same('additionalProperties', unionText),
  same('patternProperties', schemaMap),
  same('dependencies'),
  same('additionalItems', unionText),
  same('definitions', schemaMap),
  same('externalDocs', goStruct(['Description', 'description', goString], ['URL', 'url', goString])),
  same('example'),
  same('x-kubernetes-preserve-unknown-fields', goJson, 'XPreserveUnknownFields'),
  same('x-kubernetes-embedded-resource', goBool, 'XEmbeddedResource'),
  same('x-kubernetes-int-or-string', goBool, 'XIntOrString'),
  same('x-kubernetes-list-map-keys', goSlice(goJson), 'XListMapKeys'),
  same('x-kubernetes-list-type', goJson, 'XListType'),
  same('x-kubernetes-map-type', goJson, 'XMapType'),
  same('x-kubernetes-validations', goSlice(ruleText), 'XValidations'),
]

/** Go names of the fields that are set, in the order of the struct. */
export const setFields = (s: JSONSchemaProps): string[] =>
  schemaFields.filter(([, json]) => getOwn(s as Record<string, unknown>, json) !== undefined).map(([go]) => go)
export { schemaText }

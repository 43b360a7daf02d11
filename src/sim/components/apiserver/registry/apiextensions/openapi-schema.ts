// Rules for schemas of definitions beside structurality: ValidateCustomResourceDefinitionOpenAPISchema of
// apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
import { sortedKeys } from '../../../../../lib/compare.ts'
import { getOwn, isRecord } from '../../../../../lib/own.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import type { ValidationRule } from '../../../../api/types/kubernetes.gen.ts'
import { validFieldPath } from './fieldpath.ts'
import {
  additionalProperties,
  child,
  hasDefault,
  isEmbedded,
  itemsOf,
  type JSONSchemaProps,
  key,
  listType,
  mapType,
  notConvertible,
  propertyNames,
  propertyOf,
  type Schemas,
} from './schema.ts'

export const OPENAPI_TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string']
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']
const META = new Set(['metadata', 'kind', 'apiVersion'])

export interface SchemaOptions {
  requireValidPropertyType: boolean
  requireAtomicSetType: boolean
  requireMapListKeysMapSetValidation: boolean
}

/** What applies at a place in the schema (specStandardValidatorV3). */
export interface Standard {
  /** Why defaults are forbidden here; undefined if they are not. */
  noDefaults?: string
  insideResourceMeta: boolean
  /** The first ancestor whose values cannot be correlated over an update. */
  uncorrelatable?: string
}

export interface SchemaErrors {
  schema: FieldError[]
  /** Of rules (CEL): they come last, and only where the schema at and below them is right. */
  rules: FieldError[]
}

/** Compiles the rules of one node; `cel` is whatever the caller needs to know of the place. */
export interface RuleCompiler<C> {
  compile(schema: JSONSchemaProps, path: string, standard: Standard, cel: C): FieldError[]
  child(
    cel: C | undefined,
    what: { property: string } | { additional: true } | { items: true },
    schema: JSONSchemaProps | undefined,
  ): C | undefined
}

export function validateOpenAPISchema<C>(
  s: JSONSchemaProps | undefined,
  path: string,
  standard: Standard,
  isRoot: boolean,
  options: SchemaOptions,
  compiler: RuleCompiler<C>,
  cel: C | undefined,
): SchemaErrors {
  const out: SchemaErrors = { schema: [], rules: [] }
  if (!s) return out
  const errors = out.schema
  const append = (x: SchemaErrors): void => {
    errors.push(...x.schema)
    out.rules.push(...x.rules)
  }
  const below = (x: JSONSchemaProps | undefined, p: string, std: Standard, c: C | undefined): void =>
    append(validateOpenAPISchema(x, p, std, false, options, compiler, c))
  errors.push(...validateStandard(s, path, standard, options))
  if (s.uniqueItems)
    errors.push(forbidden(child(path, 'uniqueItems'), 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'))
  const additional = additionalProperties(s)
  if (additional) {
    const p = child(path, 'additionalProperties')
    if (propertyNames(s).length > 0 && (!additional.allows || additional.schema))
      errors.push(forbidden(p, 'additionalProperties and properties are mutual exclusive'))
    const std = standard.insideResourceMeta
      ? { ...standard, noDefaults: 'inside additionalProperties applying to object metadata' }
      : standard
    below(additional.schema, p, std, compiler.child(cel, { additional: true }, additional.schema))
  }
  for (const name of propertyNames(s)) {
    let std = standard
    if (!mapIsCorrelatable(s)) std = { ...std, uncorrelatable: std.uncorrelatable ?? path }
    if ((isRoot || isEmbedded(s)) && META.has(name)) {
      std = { ...std, insideResourceMeta: true }
      if (isRoot) std = { ...std, noDefaults: `in top-level ${name}` }
    }
    const property = propertyOf(s, name)
    below(property, key(child(path, 'properties'), name), std, compiler.child(cel, { property: name }, property))
  }
  below(s.not, child(path, 'not'), standard, undefined)
  for (const [name, list] of [
    ['allOf', s.allOf],
    ['oneOf', s.oneOf],
    ['anyOf', s.anyOf],
  ] as const) {
    for (const [i, x] of (list ?? []).entries()) below(x, key(child(path, name), String(i)), standard, undefined)
  }
  for (const name of sortedKeys(s.definitions))
    below(getOwn(s.definitions as Schemas, name), key(child(path, 'definitions'), name), standard, undefined)
  const items = itemsOf(s)
  if (items) {
    const std = listType(s) === 'map' ? standard : { ...standard, uncorrelatable: standard.uncorrelatable ?? path }
    below(items.schema, child(path, 'items'), std, compiler.child(cel, { items: true }, items.schema))
    for (const [i, x] of items.schemas.entries())
      below(x, key(child(path, 'items'), String(i)), std, compiler.child(cel, { items: true }, x))
  }
  for (const name of sortedKeys(s.dependencies)) {
    const d = getOwn(s.dependencies, name)
    if (isRecord(d)) below(d as JSONSchemaProps, key(child(path, 'dependencies'), name), standard, undefined)
  }
  if (s['x-kubernetes-preserve-unknown-fields'] === false)
    errors.push(invalid(child(path, 'x-kubernetes-preserve-unknown-fields'), false, 'must be true or undefined'))
  errors.push(...mapAndListTypes(s, path, options))
  if (options.requireMapListKeysMapSetValidation) errors.push(...validateMapListKeysMapSet(s, path))
  const rules = s['x-kubernetes-validations'] ?? []
  for (const [i, rule] of rules.entries()) errors.push(...validateRule(s, rule, key(child(path, 'x-kubernetes-validations'), String(i))))
  if (rules.length > 0 && errors.length === 0 && cel !== undefined) out.rules.push(...compiler.compile(s, path, standard, cel))
  return out
}

export const mapIsCorrelatable = (s: JSONSchemaProps): boolean => {
  const type = mapType(s)
  return type === undefined || type === 'granular' || type === 'atomic'
}

function validateStandard(s: JSONSchemaProps, path: string, standard: Standard, options: SchemaOptions): FieldError[] {
  const errors: FieldError[] = []
  const unsupported = (set: boolean, name: string): void => {
    if (set) errors.push(forbidden(child(path, name), `${name} is not supported`))
  }
  if (options.requireValidPropertyType && s.type && !OPENAPI_TYPES.includes(s.type))
    errors.push(notSupported(child(path, 'type'), s.type, OPENAPI_TYPES))
  if (hasDefault(s) && standard.noDefaults !== undefined)
    errors.push(forbidden(child(path, 'default'), `must not be set${standard.noDefaults === '' ? '' : ` ${standard.noDefaults}`}`))
  unsupported(!!s.id, 'id')
  unsupported(s.additionalItems !== undefined, 'additionalItems')
  unsupported(sortedKeys(s.patternProperties).length > 0, 'patternProperties')
  unsupported(sortedKeys(s.definitions).length > 0, 'definitions')
  unsupported(s.dependencies !== undefined, 'dependencies')
  unsupported(s.$ref !== undefined, '$ref')
  if (s.type === 'null') errors.push(forbidden(child(path, 'type'), 'type cannot be set to null, use nullable as an alternative'))
  if ((itemsOf(s)?.schemas.length ?? 0) > 0) errors.push(forbidden(child(path, 'items'), 'items must be a schema object and not an array'))
  if (standard.insideResourceMeta && isEmbedded(s))
    errors.push(forbidden(child(path, 'x-kubernetes-embedded-resource'), 'must not be used inside of resource meta'))
  return errors
}

function mapAndListTypes(s: JSONSchemaProps, path: string, options: SchemaOptions): FieldError[] {
  const errors: FieldError[] = []
  const typePath = child(path, 'type')
  const map = mapType(s)
  const list = listType(s)
  const keys = s['x-kubernetes-list-map-keys'] ?? []
  const items = itemsOf(s)
  if (map !== undefined && s.type !== 'object') {
    const detail = 'must be object if x-kubernetes-map-type is specified'
    errors.push(s.type ? invalid(typePath, s.type, detail) : required(typePath, detail))
  }
  if (map !== undefined && map !== 'atomic' && map !== 'granular')
    errors.push(notSupported(child(path, 'x-kubernetes-map-type'), map, ['atomic', 'granular']))
  if (list !== undefined && s.type !== 'array') {
    const detail = 'must be array if x-kubernetes-list-type is specified'
    errors.push(s.type ? invalid(typePath, s.type, detail) : required(typePath, detail))
  } else if (options.requireAtomicSetType && list === 'set' && items?.schema) {
    const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set'
    const of = listType(items.schema)
    if (items.schema.type === 'array' && of !== undefined && of !== 'atomic')
      errors.push(invalid(child(child(path, 'items'), 'x-kubernetes-list-type'), of, detail))
    if (items.schema.type === 'object' && mapType(items.schema) !== 'atomic')
      errors.push(invalid(child(child(path, 'items'), 'x-kubernetes-map-type'), of ?? null, detail))
  }
  const listPath = child(path, 'x-kubernetes-list-type')
  const keysPath = child(path, 'x-kubernetes-list-map-keys')
  if (list !== undefined && list !== 'atomic' && list !== 'set' && list !== 'map')
    errors.push(notSupported(listPath, list, ['atomic', 'set', 'map']))
  if (keys.length > 0) {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty'
    if (list === undefined) errors.push(required(listPath, detail))
    else if (list !== 'map') errors.push(invalid(listPath, list, detail))
  }
  if (list !== 'map') return errors
  if (keys.length === 0) errors.push(required(keysPath, 'must not be empty if x-kubernetes-list-type is map'))
  if (!items) errors.push(required(child(path, 'items'), 'must have a schema if x-kubernetes-list-type is map'))
  if (items && !items.schema)
    errors.push(
      invalid(
        child(path, 'items'),
        { Schema: null, JSONSchemas: items.schemas },
        'must only have a single schema if x-kubernetes-list-type is map',
      ),
    )
  if (items?.schema && items.schema.type !== 'object')
    errors.push(
      invalid(
        child(child(path, 'items'), 'type'),
        items.schema.type ?? '',
        "must be object if parent array's x-kubernetes-list-type is map",
      ),
    )
  if (items?.schema?.type === 'object') {
    const seen = new Set<string>()
    for (const k of keys) {
      const property = propertyOf(items.schema, k)
      if (!property) errors.push(invalid(keysPath, keys, 'entries must all be names of item properties'))
      else if (property.type === 'array' || property.type === 'object') {
        errors.push(
          invalid(
            child(key(child(child(path, 'items'), 'properties'), k), 'type'),
            items.schema.type,
            "must be a scalar type if parent array's x-kubernetes-list-type is map",
          ),
        )
      }
      if (seen.has(k)) errors.push(invalid(keysPath, keys, 'must not contain duplicate entries'))
      seen.add(k)
    }
  }
  return errors
}

export function validateMapListKeysMapSet(s: JSONSchemaProps, path: string): FieldError[] {
  const item = itemsOf(s)?.schema
  const list = listType(s)
  if (!item || (list !== 'set' && list !== 'map')) return []
  const errors: FieldError[] = []
  const itemPath = child(path, 'items')
  if (item.nullable) errors.push(forbidden(child(itemPath, 'nullable'), `cannot be nullable when x-kubernetes-list-type is ${list}`))
  if (list === 'set') return errors
  for (const k of s['x-kubernetes-list-map-keys'] ?? []) {
    const property = propertyOf(item, k)
    if (!property) continue
    const p = key(child(itemPath, 'properties'), k)
    if (!(item.required ?? []).includes(k) && !hasDefault(property)) {
      errors.push(
        required(
          child(p, 'default'),
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      )
    }
    if (property.nullable)
      errors.push(forbidden(child(p, 'nullable'), 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'))
  }
  return errors
}

const hasNewlines = (text: string): boolean => /[\n\r]/.test(text)

function validateRule(s: JSONSchemaProps, rule: ValidationRule, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { message = '', messageExpression = '', fieldPath = '' } = rule
  const text = (rule.rule ?? '').trim()
  const trimmed = message.trim()
  if (text === '') errors.push(required(child(path, 'rule'), 'rule is not specified'))
  else if (message !== '' && trimmed === '') errors.push(invalid(child(path, 'message'), message, 'must be non-empty if specified'))
  else if (hasNewlines(trimmed)) errors.push(invalid(child(path, 'message'), message, 'must not contain line breaks'))
  else if (hasNewlines(text) && trimmed === '')
    errors.push(required(child(path, 'message'), 'message must be specified if rule contains line breaks'))
  if (messageExpression !== '' && messageExpression.trim() === '')
    errors.push(required(child(path, 'messageExpression'), 'messageExpression must be non-empty if specified'))
  if (rule.reason !== undefined && !REASONS.includes(rule.reason)) errors.push(notSupported(child(path, 'reason'), rule.reason, REASONS))
  if (fieldPath !== '' && fieldPath.trim() === '')
    errors.push(invalid(child(path, 'fieldPath'), fieldPath, 'must be non-empty if specified'))
  if (hasNewlines(fieldPath)) errors.push(invalid(child(path, 'fieldPath'), fieldPath, 'must not contain line breaks'))
  if (fieldPath !== '' && notConvertible(s) === undefined && validFieldPath(fieldPath, s).error !== undefined)
    errors.push(invalid(child(path, 'fieldPath'), fieldPath, 'must be a valid path'))
  return errors
}

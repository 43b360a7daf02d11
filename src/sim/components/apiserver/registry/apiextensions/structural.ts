// Structural schemas: apiextensions-apiserver pkg/apiserver/schema/{validation,complete}.go.
import { compareStrings } from '../../../../../lib/compare.ts'
import { getOwn } from '../../../../../lib/own.ts'
import { compileGoRegexp } from '../../../../api/cel/regexp.ts'
import { fieldErrorText } from '../../../../api/field-error-text.ts'
import { type FieldError, forbidden, invalid, required } from '../../../../api/field.ts'
import {
  additionalProperties,
  child,
  isEmbedded,
  isIntOrString,
  itemSchema,
  type JSONSchemaProps,
  key,
  listType,
  mapType,
  notConvertible,
  preservesUnknown,
  propertyNames,
  propertyOf,
  valueSchema,
} from './schema.ts'

type Level = 'root' | 'item' | 'field'

/** Documentation that structural schemas do not keep. */
const NOT_KEPT = new Set(['externalDocs', 'example'])
const keysOf = (s: JSONSchemaProps): string[] =>
  Object.keys(s).filter((k) => !NOT_KEPT.has(k) && getOwn(s as Record<string, unknown>, k) !== undefined)
const isOnlyType = (s: JSONSchemaProps | undefined, type: string): boolean => s !== undefined && s.type === type && keysOf(s).length === 1
const isIntOrStringAnyOf = (list: readonly JSONSchemaProps[] | undefined): boolean =>
  list?.length === 2 && isOnlyType(list[0], 'integer') && isOnlyType(list[1], 'string')

/** ValidateStructural: all errors, sorted by their text. */
export function validateStructural(path: string, s: JSONSchemaProps): FieldError[] {
  const errors = [...invariants(s, 'root', path), ...valueCompleteness(s, s, path, path)]
  return errors
    .map((error) => ({ error, text: fieldErrorText(error) }))
    .sort((a, b) => compareStrings(a.text, b.text))
    .map((e) => e.error)
}

export const isNonStructural = (s: JSONSchemaProps | undefined): boolean =>
  s !== undefined && (notConvertible(s) !== undefined || validateStructural('', s).length > 0)

function invariants(s: JSONSchemaProps | undefined, level: Level, path: string): FieldError[] {
  if (!s) return []
  const errors: FieldError[] = []
  const type = s.type ?? ''
  const items = itemSchema(s)
  const typePath = child(path, 'type')
  if (type === 'array' && !items) errors.push(required(child(path, 'items'), 'must be specified'))
  errors.push(...invariants(items, 'item', child(path, 'items')))
  for (const name of propertyNames(s)) errors.push(...invariants(propertyOf(s, name), 'field', key(child(path, 'properties'), name)))
  if (additionalProperties(s)) {
    if (level === 'root') errors.push(forbidden(child(path, 'additionalProperties'), 'must not be used at the root'))
    errors.push(...invariants(valueSchema(s), 'field', child(path, 'additionalProperties')))
  }
  if (isIntOrString(s) && preservesUnknown(s))
    errors.push(invalid(child(path, 'x-kubernetes-preserve-unknown-fields'), true, 'must be false if x-kubernetes-int-or-string is true'))
  if (isIntOrString(s) && isEmbedded(s))
    errors.push(invalid(child(path, 'x-kubernetes-embedded-resource'), true, 'must be false if x-kubernetes-int-or-string is true'))
  errors.push(...values(s, isIntOrStringAnyOf(s.anyOf), isIntOrStringAnyOf(s.allOf?.[0]?.anyOf), level, path))
  const checksMetadata = level === 'root' || isEmbedded(s)
  if (isEmbedded(s) && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true'
    errors.push(type === '' ? required(typePath, detail) : invalid(typePath, type, detail))
  } else if (type === '' && !isIntOrString(s) && !preservesUnknown(s)) {
    const where = {
      root: 'must not be empty at the root',
      item: 'must not be empty for specified array items',
      field: 'must not be empty for specified object fields',
    }
    errors.push(required(typePath, where[level]))
  }
  if (isEmbedded(s) && additionalProperties(s))
    errors.push(forbidden(child(path, 'additionalProperties'), 'must not be used if x-kubernetes-embedded-resource is set'))
  if (level === 'root' && type !== '' && type !== 'object') errors.push(invalid(typePath, type, 'must be object at the root'))
  if (checksMetadata) {
    for (const name of ['kind', 'apiVersion']) {
      const p = propertyOf(s, name)
      if (p && p.type !== 'string')
        errors.push(invalid(child(key(child(path, 'properties'), name), 'type'), p.type ?? '', 'must be string'))
    }
  }
  const metadata = propertyOf(s, 'metadata')
  if (metadata) errors.push(...metadataInvariants(metadata, checksMetadata, level, key(child(path, 'properties'), 'metadata')))
  if (isEmbedded(s) && !preservesUnknown(s) && propertyNames(s).length === 0) {
    errors.push(
      required(
        child(path, 'properties'),
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    )
  }
  return errors
}

function metadataInvariants(s: JSONSchemaProps, checks: boolean, level: Level, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (checks && s.type !== 'object') errors.push(invalid(child(path, 'type'), s.type ?? '', 'must be object'))
  if (level !== 'root') return errors
  const names = propertyNames(s)
  const onlyNames = names.length > 0 && names.every((n) => n === 'name' || n === 'generateName')
  const others = keysOf(s).filter((k) => k !== 'type' && k !== 'default' && !(k === 'properties' && (onlyNames || names.length === 0)))
  if (others.length > 0)
    errors.push(forbidden(path, 'must not specify anything other than name and generateName, but metadata is implicitly specified'))
  return errors
}

/** validateValueValidation: the value checks of a schema, which may hold nested ones. */
function values(s: JSONSchemaProps, skipAnyOf: boolean, skipFirstAllOfAnyOf: boolean, level: Level, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (!skipAnyOf) errors.push(...(s.anyOf ?? []).flatMap((x, i) => nested(x, false, level, key(child(path, 'anyOf'), String(i)))))
  errors.push(...(s.allOf ?? []).flatMap((x, i) => nested(x, skipFirstAllOfAnyOf && i === 0, level, key(child(path, 'allOf'), String(i)))))
  errors.push(...(s.oneOf ?? []).flatMap((x, i) => nested(x, false, level, key(child(path, 'oneOf'), String(i)))))
  errors.push(...nested(s.not, false, level, child(path, 'not')))
  if (s.pattern) {
    const { error } = compileGoRegexp(s.pattern)
    if (error !== undefined)
      errors.push(invalid(child(path, 'pattern'), s.pattern, `must be a valid regular expression, but isn't: ${error}`))
  }
  return errors
}

function nested(s: JSONSchemaProps | undefined, skipAnyOf: boolean, level: Level, path: string): FieldError[] {
  if (!s) return []
  const errors = [...values(s, skipAnyOf, false, level, path), ...nested(itemSchema(s), false, level, child(path, 'items'))]
  for (const name of propertyNames(s)) errors.push(...nested(propertyOf(s, name), false, 'field', key(child(path, 'properties'), name)))
  const forbid = (set: boolean, name: string, detail: string): void => {
    if (set) errors.push(forbidden(child(path, name), detail))
  }
  forbid(!!s.type, 'type', 'must be empty to be structural')
  const additional = additionalProperties(s)
  forbid(additional?.allows === true, 'additionalProperties', 'must be undefined to be structural')
  forbid(s.default !== undefined, 'default', 'must be undefined to be structural')
  forbid(!!s.title, 'title', 'must be empty to be structural')
  forbid(!!s.description, 'description', 'must be empty to be structural')
  forbid(s.nullable === true, 'nullable', 'must be false to be structural')
  forbid(preservesUnknown(s), 'x-kubernetes-preserve-unknown-fields', 'must be false to be structural')
  forbid(isEmbedded(s), 'x-kubernetes-embedded-resource', 'must be false to be structural')
  forbid(isIntOrString(s), 'x-kubernetes-int-or-string', 'must be false to be structural')
  forbid((s['x-kubernetes-list-map-keys']?.length ?? 0) > 0, 'x-kubernetes-list-map-keys', 'must be empty to be structural')
  forbid(listType(s) !== undefined, 'x-kubernetes-list-type', 'must be undefined to be structural')
  forbid(mapType(s) !== undefined, 'x-kubernetes-map-type', 'must be undefined to be structural')
  forbid((s['x-kubernetes-validations']?.length ?? 0) > 0, 'x-kubernetes-validations', 'must be empty to be structural')
  if (propertyOf(s, 'metadata'))
    errors.push(forbidden(key(child(path, 'properties'), 'metadata'), 'must not be specified in a nested context'))
  return errors
}

/** Every field that value checks name is also specified outside of them. */
function valueCompleteness(v: JSONSchemaProps, s: JSONSchemaProps, sPath: string, vPath: string): FieldError[] {
  const list = (name: 'allOf' | 'anyOf' | 'oneOf'): FieldError[] =>
    (v[name] ?? []).flatMap((x, i) => nestedCompleteness(x, s, sPath, key(child(vPath, name), String(i))))
  return [...nestedCompleteness(v.not, s, sPath, child(vPath, 'not')), ...list('allOf'), ...list('anyOf'), ...list('oneOf')]
}

function nestedCompleteness(v: JSONSchemaProps | undefined, s: JSONSchemaProps | undefined, sPath: string, vPath: string): FieldError[] {
  if (!v) return []
  if (!s) return [required(sPath, `because it is defined in ${vPath}`)]
  const errors = [
    ...valueCompleteness(v, s, sPath, vPath),
    ...nestedCompleteness(itemSchema(v), itemSchema(s), child(sPath, 'items'), child(vPath, 'items')),
  ]
  for (const name of propertyNames(v)) {
    const below = key(child(vPath, 'properties'), name)
    errors.push(...nestedCompleteness(propertyOf(v, name), propertyOf(s, name), key(child(sPath, 'properties'), name), below))
  }
  return errors
}

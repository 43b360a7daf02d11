// TypeMeta and ObjectMeta of embedded resources: apiextensions-apiserver pkg/apiserver/schema/objectmeta.
import { getOwn, isRecord, setOwn } from '../../../../../lib/own.ts'
import { decodeTree } from '../../../../api/decode.ts'
import { type FieldError, invalid, required } from '../../../../api/field.ts'
import { fieldOf, schemaFor } from '../../../../api/schema/index.ts'
import type { ObjectMeta } from '../../../../api/types/kubernetes.gen.ts'
import { isDNS1035Label, validatePathSegmentName } from '../../../../api/validation/names.ts'
import { validateObjectMeta } from '../../../../api/validation/objectmeta.ts'
import {
  additionalProperties,
  child,
  embedded,
  isEmbedded,
  itemSchema,
  type JSONSchemaProps,
  key,
  propertyOf,
  valueSchema,
} from './schema.ts'

const metadataSchema = () => {
  const schema = fieldOf(schemaFor('', 'v1', 'ConfigMap'), 'metadata')?.schema
  if (!schema) throw new Error('no schema of metadata')
  return schema
}

export interface CoerceOptions {
  /** Malformed fields are dropped instead of refused. */
  dropInvalid: boolean
  /** Paths of unknown metadata fields are collected here. */
  unknown?: string[]
}

/** CoerceWithOptions: types of embedded metadata are checked, unknown fields of it pruned, in place. */
export function coerce(
  path: string,
  value: unknown,
  schema: JSONSchemaProps | undefined,
  isResourceRoot: boolean,
  options: CoerceOptions,
): FieldError | undefined {
  return coerceValue(path, value, isResourceRoot ? embedded(schema ?? {}) : schema, options)
}

const metadataPath = (path: string): string => child(path, 'metadata')

function coerceMetadata(path: string, holder: Record<string, unknown>, options: CoerceOptions): FieldError | undefined {
  const given = getOwn(holder, 'metadata')
  const schema = metadataSchema()
  const take = (meta: unknown, strictErrors: readonly string[]): void => {
    setOwn(holder, 'metadata', meta ?? {})
    for (const error of strictErrors) {
      const name = /^unknown field "(.*)"$/.exec(error)?.[1]
      if (name !== undefined) options.unknown?.push(child(metadataPath(path), name))
    }
  }
  const decoded = decodeTree(given, schema, 'Strict')
  if (decoded.value) {
    take(decoded.value.value, decoded.value.strictErrors)
    return undefined
  }
  if (!options.dropInvalid) return invalid(metadataPath(path), given, decoded.error)
  if (!isRecord(given)) return undefined
  const kept: Record<string, unknown> = {}
  const strict: string[] = []
  for (const k of Object.keys(given)) {
    const single: Record<string, unknown> = {}
    setOwn(single, k, getOwn(given, k))
    const field = decodeTree(single, schema, 'Strict')
    if (!field.value) continue
    if (isRecord(field.value.value)) for (const f of Object.keys(field.value.value)) setOwn(kept, f, getOwn(field.value.value, f))
    strict.push(...field.value.strictErrors)
  }
  take(kept, strict)
  return undefined
}

function coerceValue(path: string, value: unknown, s: JSONSchemaProps | undefined, options: CoerceOptions): FieldError | undefined {
  if (!s) return undefined
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) {
      const error = coerceValue(key(path, String(i)), item, itemSchema(s), options)
      if (error) return error
    }
    return undefined
  }
  if (!isRecord(value)) return undefined
  for (const k of Object.keys(value).sort()) {
    const v = getOwn(value, k)
    if (isEmbedded(s)) {
      if (k === 'apiVersion' || k === 'kind') {
        if (typeof v !== 'string' && options.dropInvalid) delete value[k]
        else if (typeof v !== 'string') return invalid(child(path, k), v, 'must be a string')
      } else if (k === 'metadata') {
        const error = coerceMetadata(path, value, options)
        if (error) return error
      }
    }
    const property = propertyOf(s, k)
    const error = property
      ? coerceValue(child(path, k), v, property, options)
      : additionalProperties(s)
        ? coerceValue(key(path, k), v, valueSchema(s), options)
        : undefined
    if (error) return error
  }
  return undefined
}

/** Validate. */
export const validateEmbedded = (
  path: string,
  value: unknown,
  schema: JSONSchemaProps | undefined,
  isResourceRoot: boolean,
): FieldError[] => validateValues(path, value, isResourceRoot ? embedded(schema ?? {}) : schema)

function validateValues(path: string, value: unknown, s: JSONSchemaProps | undefined): FieldError[] {
  if (!s) return []
  if (Array.isArray(value)) return value.flatMap((item, i) => validateValues(key(path, String(i)), item, itemSchema(s)))
  if (!isRecord(value)) return []
  const errors = isEmbedded(s) ? validateResource(path, value) : []
  for (const k of Object.keys(value).sort()) {
    const property = propertyOf(s, k)
    if (property) errors.push(...validateValues(child(path, k), getOwn(value, k), property))
    else if (additionalProperties(s)) errors.push(...validateValues(key(path, k), getOwn(value, k), valueSchema(s)))
  }
  return errors
}

function validateResource(path: string, value: Record<string, unknown>): FieldError[] {
  const errors: FieldError[] = []
  const has = (name: string): boolean => Object.hasOwn(value, name)
  if (!has('apiVersion')) errors.push(required(child(path, 'apiVersion')))
  if (!has('kind')) errors.push(required(child(path, 'kind')))
  if (has('apiVersion')) {
    const v = value.apiVersion
    if (typeof v !== 'string') errors.push(invalid(child(path, 'apiVersion'), v, 'must be a string'))
    else if (v === '') errors.push(invalid(child(path, 'apiVersion'), v, 'must not be empty'))
    else if (v.split('/').length > 2) errors.push(invalid(child(path, 'apiVersion'), v, `unexpected GroupVersion string: ${v}`))
  }
  if (has('kind')) {
    const v = value.kind
    if (typeof v !== 'string') errors.push(invalid(child(path, 'kind'), v, 'must be a string'))
    else if (v === '') errors.push(invalid(child(path, 'kind'), v, 'must not be empty'))
    else {
      const problems = isDNS1035Label(v.toLowerCase())
      if (problems.length > 0)
        errors.push(invalid(child(path, 'kind'), v, `may have mixed case, but should otherwise match: ${problems.join(',')}`))
    }
  }
  if (has('metadata')) {
    const decoded = decodeTree(value.metadata, metadataSchema(), 'Ignore')
    if (!decoded.value) errors.push(invalid(metadataPath(path), value.metadata, decoded.error))
    else {
      const meta = { ...((decoded.value.value ?? {}) as ObjectMeta) }
      if (!meta.name) meta.name = 'fakename'
      errors.push(...validateObjectMeta(meta, !!meta.namespace, validatePathSegmentName, metadataPath(path)))
    }
  }
  return errors
}

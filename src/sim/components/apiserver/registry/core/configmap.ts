// v1 ConfigMap (pkg/registry/core/configmap, ValidateConfigMap).
import { forbidden, invalid, tooLong, type FieldError } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { has, keysOf } from '../pod/maps.ts'
import type { KindStrategy } from '../strategy.ts'
import { decodedLength } from './base64.ts'
import { configMapColumns } from './columns.ts'
import { age, byteLength, invalidEach, isConfigMapKey, metaUpdate, namespacedMeta, semanticEqual } from './rules.ts'

export const maxSecretSize = 1024 * 1024
const isImmutable = 'field is immutable when `immutable` is set'

function validate(o: KubeObject): FieldError[] {
  const errors = namespacedMeta(o)
  let size = 0
  for (const key of keysOf(o.data)) {
    errors.push(...invalidEach(`data[${key}]`, key, isConfigMapKey(key)))
    if (has(o.binaryData, key)) errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'))
    size += byteLength(o.data[key])
  }
  for (const key of keysOf(o.binaryData)) {
    errors.push(...invalidEach(`binaryData[${key}]`, key, isConfigMapKey(key)))
    size += decodedLength(o.binaryData[key])
  }
  if (size > maxSecretSize) errors.push(tooLong('', maxSecretSize))
  return errors
}

/** The fields of an immutable ConfigMap or Secret that changed. */
export function immutableData(o: KubeObject, old: KubeObject, fields: readonly string[]): FieldError[] {
  if (old.immutable !== true) return []
  const errors = o.immutable === true ? [] : [forbidden('immutable', isImmutable)]
  for (const field of fields) {
    const [a, b] = [o[field] ?? {}, old[field] ?? {}]
    const same = keysOf(a).join('\n') === keysOf(b).join('\n') && keysOf(a).every((k) => semanticEqual(a[k], b[k]))
    if (!same) errors.push(forbidden(field, isImmutable))
  }
  return errors
}

export const configMap: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  categories: [],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaults() {},
  validate,
  validateUpdate: (o, old) => [...metaUpdate(o, old), ...immutableData(o, old, ['data', 'binaryData']), ...validate(o)],
  columns: configMapColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', keysOf(o.data).length + keysOf(o.binaryData).length, age(o, nowMs)],
}

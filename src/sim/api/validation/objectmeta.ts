// Metadata of every kind: pkg/api/validation/objectmeta.go.
import { deepEqual, sortStrings, sortedKeys } from '../../../lib/compare.ts'
import { getOwn } from '../../../lib/own.ts'
import { type FieldError, forbidden, invalid, required, tooLong } from '../field.ts'
import { byteLength, goStringSlice } from '../go-text.ts'
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from '../types/kubernetes.gen.ts'
import { validateLabels } from './labels.ts'
import { type ValidateNameFunc, isQualifiedName, validateNamespaceName } from './names.ts'
import { validateFieldManager } from './options.ts'

export const fieldImmutableErrorMsg = 'field is immutable'
export const isNegativeErrorMsg = 'must be greater than or equal to 0'
export const totalAnnotationSizeLimitBytes = 256 * 1024

export const validateNonnegativeField = (value: number, field: string): FieldError[] =>
  value < 0 ? [invalid(field, value, isNegativeErrorMsg)] : []

export const validateImmutableField = (next: unknown, old: unknown, field: string): FieldError[] =>
  deepEqual(next ?? null, old ?? null) ? [] : [invalid(field, next ?? null, fieldImmutableErrorMsg)]

export const validateAnnotations = (annotations: Readonly<Record<string, string>> | undefined, field: string): FieldError[] => {
  const errors: FieldError[] = []
  let size = 0
  for (const key of sortedKeys(annotations)) {
    for (const message of isQualifiedName(key.toLowerCase())) errors.push(invalid(field, key, message))
    size += byteLength(key) + byteLength(getOwn(annotations, key) as string)
  }
  if (size > totalAnnotationSizeLimitBytes) errors.push(tooLong(field, totalAnnotationSizeLimitBytes))
  return errors
}

const versionOf = (apiVersion: string): string => {
  if (apiVersion === '' || apiVersion === '/') return ''
  const parts = apiVersion.split('/')
  return parts.length > 2 ? '' : (parts[parts.length - 1] as string)
}

const validateOwnerReference = (reference: OwnerReference, field: string): FieldError[] => {
  const errors: FieldError[] = []
  const { apiVersion = '', kind = '', name = '', uid = '' } = reference
  if (versionOf(apiVersion) === '') errors.push(invalid(`${field}.apiVersion`, apiVersion, 'version must not be empty'))
  if (kind === '') errors.push(invalid(`${field}.kind`, kind, 'must not be empty'))
  if (name === '') errors.push(invalid(`${field}.name`, name, 'must not be empty'))
  if (uid === '') errors.push(invalid(`${field}.uid`, uid, 'must not be empty'))
  if (apiVersion === 'v1' && kind === 'Event') {
    errors.push({
      ...invalid(field, reference, '/v1, Kind=Event is disallowed from being an owner'),
      badValueText: ownerReferenceText(reference),
    })
  }
  return errors
}

/** As encoding/json writes the struct: in the order of its fields. */
const ownerReferenceText = (r: OwnerReference): string => {
  const text: Record<string, unknown> = { apiVersion: r.apiVersion ?? '', kind: r.kind ?? '', name: r.name ?? '', uid: r.uid ?? '' }
  if (r.controller !== undefined) text.controller = r.controller
  if (r.blockOwnerDeletion !== undefined) text.blockOwnerDeletion = r.blockOwnerDeletion
  return JSON.stringify(text)
}

export const validateOwnerReferences = (references: readonly OwnerReference[] | undefined, field: string): FieldError[] => {
  const errors: FieldError[] = []
  let first = ''
  for (const reference of references ?? []) {
    errors.push(...validateOwnerReference(reference, field))
    if (reference.controller !== true) continue
    const current = `${reference.kind ?? ''}/${reference.name ?? ''}`
    if (first === '') first = current
    else {
      errors.push({
        ...invalid(
          field,
          references,
          `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${current}`,
        ),
        badValueText: `[${(references ?? []).map(ownerReferenceText).join(',')}]`,
      })
    }
  }
  return errors
}

export const validateFinalizerName = (name: string, field: string): FieldError[] =>
  isQualifiedName(name).map((m) => invalid(field, name, m))

export const validateFinalizers = (finalizers: readonly string[] | undefined, field: string): FieldError[] => {
  const errors = (finalizers ?? []).flatMap((f) => validateFinalizerName(f, field))
  if (finalizers?.includes('orphan') && finalizers.includes('foregroundDeletion')) {
    errors.push(invalid(field, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
  }
  return errors
}

export const validateNoNewFinalizers = (
  next: readonly string[] | undefined,
  old: readonly string[] | undefined,
  field: string,
): FieldError[] => {
  const extra = sortStrings(new Set((next ?? []).filter((f) => !(old ?? []).includes(f))))
  if (extra.length === 0) return []
  return [forbidden(field, `no new finalizers can be added if the object is being deleted, found new finalizers ${goStringSlice(extra)}`)]
}

export const validateManagedFields = (entries: readonly ManagedFieldsEntry[] | undefined, field: string): FieldError[] =>
  (entries ?? []).flatMap((entry, i) => {
    const errors: FieldError[] = []
    const at = `${field}[${i}]`
    if (entry.operation !== 'Apply' && entry.operation !== 'Update')
      errors.push(invalid(`${at}.operation`, entry.operation ?? '', 'must be `Apply` or `Update`'))
    if (entry.fieldsType !== undefined && entry.fieldsType !== '' && entry.fieldsType !== 'FieldsV1')
      errors.push(invalid(`${at}.fieldsType`, entry.fieldsType, 'must be `FieldsV1`'))
    errors.push(...validateFieldManager(entry.manager ?? '', `${at}.manager`))
    if (byteLength(entry.subresource ?? '') > 256) errors.push(tooLong(`${at}.subresource`, 256))
    return errors
  })

/** ValidateObjectMeta: on creation, after name generation. */
export const validateObjectMeta = (meta: ObjectMeta, namespaced: boolean, nameFn: ValidateNameFunc, path = 'metadata'): FieldError[] => {
  const errors: FieldError[] = []
  const { name = '', generateName = '', namespace = '' } = meta
  if (generateName !== '')
    for (const message of nameFn(generateName, true)) errors.push(invalid(`${path}.generateName`, generateName, message))
  if (name === '') errors.push(required(`${path}.name`, 'name or generateName is required'))
  else for (const message of nameFn(name, false)) errors.push(invalid(`${path}.name`, name, message))
  if (!namespaced) {
    if (namespace !== '') errors.push(forbidden(`${path}.namespace`, 'not allowed on this type'))
  } else if (namespace === '') errors.push(required(`${path}.namespace`))
  else for (const message of validateNamespaceName(namespace, false)) errors.push(invalid(`${path}.namespace`, namespace, message))
  return [
    ...errors,
    ...validateNonnegativeField(meta.generation ?? 0, `${path}.generation`),
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateOwnerReferences(meta.ownerReferences, `${path}.ownerReferences`),
    ...validateFinalizers(meta.finalizers, `${path}.finalizers`),
    ...validateManagedFields(meta.managedFields, `${path}.managedFields`),
  ]
}

/** ValidateObjectMetaUpdate. */
export const validateObjectMetaUpdate = (next: ObjectMeta, old: ObjectMeta, path = 'metadata'): FieldError[] => {
  const errors: FieldError[] = []
  if (old.deletionTimestamp) errors.push(...validateNoNewFinalizers(next.finalizers, old.finalizers, `${path}.finalizers`))
  if (!next.resourceVersion) errors.push(invalid(`${path}.resourceVersion`, next.resourceVersion ?? '', 'must be specified for an update'))
  const generation = next.generation ?? 0
  errors.push(...validateNonnegativeField(generation, `${path}.generation`))
  if (generation < (old.generation ?? 0)) errors.push(invalid(`${path}.generation`, generation, 'must not be decremented'))
  return [
    ...errors,
    ...validateImmutableField(next.name ?? '', old.name ?? '', `${path}.name`),
    ...validateImmutableField(next.namespace ?? '', old.namespace ?? '', `${path}.namespace`),
    ...validateImmutableField(next.uid ?? '', old.uid ?? '', `${path}.uid`),
    ...validateImmutableField(next.creationTimestamp, old.creationTimestamp, `${path}.creationTimestamp`),
    ...validateImmutableField(next.deletionTimestamp, old.deletionTimestamp, `${path}.deletionTimestamp`),
    ...validateImmutableField(next.deletionGracePeriodSeconds, old.deletionGracePeriodSeconds, `${path}.deletionGracePeriodSeconds`),
    ...validateLabels(next.labels, `${path}.labels`),
    ...validateAnnotations(next.annotations, `${path}.annotations`),
    ...validateOwnerReferences(next.ownerReferences, `${path}.ownerReferences`),
    ...validateManagedFields(next.managedFields, `${path}.managedFields`),
  ]
}

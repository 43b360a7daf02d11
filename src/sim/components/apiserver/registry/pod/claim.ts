// The claim template of a generic ephemeral volume (pkg/apis/core/validation/validation.go: ValidatePersistentVolumeClaimTemplate).
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import type {
  ObjectMeta,
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedLocalObjectReference,
  TypedObjectReference,
} from '../../../../api/types/kubernetes.gen.ts'
import { at } from './maps.ts'
import { compare, quantityString, type ResourceList } from './quantities.ts'
import { validateResourceQuantityValue } from './resources.ts'
import {
  invalidEach,
  isDNS1123Label,
  isDNS1123Subdomain,
  nameIsDNSSubdomain,
  validateAnnotations,
  validateLabelSelector,
  validateLabels,
} from './rules.ts'

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
const volumeModes = ['Block', 'Filesystem']

function validateDataSource(source: TypedLocalObjectReference | TypedObjectReference, path: string): FieldError[] {
  const errs: FieldError[] = []
  if (!source.name) errs.push(required(`${path}.name`))
  if (!source.kind) errs.push(required(`${path}.kind`))
  if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') {
    errs.push(invalid(path, source.kind ?? '', "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
  }
  if (source.apiGroup) errs.push(...invalidEach(`${path}.apiGroup`, source.apiGroup, isDNS1123Subdomain(source.apiGroup)))
  const namespace = (source as TypedObjectReference).namespace
  if (namespace) errs.push(...invalidEach(`${path}.namespace`, namespace, isDNS1123Label(namespace)))
  return errs
}

/** ValidatePersistentVolumeClaimSpec for a new claim. */
export function validateClaimSpec(spec: Partial<PersistentVolumeClaimSpec>, path: string): FieldError[] {
  const errs: FieldError[] = []
  const modes: string[] = spec.accessModes ?? []
  if (modes.length === 0) errs.push(required(`${path}.accessModes`, 'at least 1 access mode is required'))
  errs.push(...validateLabelSelector(spec.selector, `${path}.selector`))
  for (const mode of modes) if (!accessModes.includes(mode)) errs.push(notSupported(`${path}.accessModes`, mode, accessModes))
  if (modes.includes('ReadWriteOncePod') && modes.some((m) => m !== 'ReadWriteOncePod' && accessModes.includes(m))) {
    errs.push(forbidden(`${path}.accessModes`, 'may not use ReadWriteOncePod with other access modes'))
  }
  const storage = at(spec.resources?.requests as ResourceList | undefined, 'storage')
  const storagePath = `${path}.resources[storage]`
  if (storage === undefined) errs.push(required(storagePath))
  else if (compare(storage, '0') <= 0) errs.push(invalid(storagePath, quantityString(storage), 'must be greater than zero'))
  else errs.push(...validateResourceQuantityValue('storage', storage, storagePath))
  const { storageClassName, volumeMode, dataSource, dataSourceRef, volumeAttributesClassName } = spec
  if (storageClassName) errs.push(...invalidEach(`${path}.storageClassName`, storageClassName, nameIsDNSSubdomain(storageClassName, false)))
  if (typeof volumeMode === 'string' && !volumeModes.includes(volumeMode))
    errs.push(notSupported(`${path}.volumeMode`, volumeMode, volumeModes))
  if (dataSource) errs.push(...validateDataSource(dataSource, `${path}.dataSource`))
  if (dataSourceRef) errs.push(...validateDataSource(dataSourceRef, `${path}.dataSourceRef`))
  // Upstream quotes a field.Path here, whose fields are private: an empty struct.
  const quoted = (detail: string): FieldError => ({ ...invalid(path, undefined, detail), badValueText: '{}' })
  if (dataSource && dataSourceRef?.namespace) errs.push(quoted('may not be specified when dataSourceRef.namespace is specified'))
  else if (dataSource && dataSourceRef) {
    const same =
      dataSource.apiGroup === dataSourceRef.apiGroup && dataSource.kind === dataSourceRef.kind && dataSource.name === dataSourceRef.name
    if (!same) errs.push(quoted('must match dataSourceRef'))
  }
  if (volumeAttributesClassName) {
    errs.push(
      ...invalidEach(`${path}.volumeAttributesClassName`, volumeAttributesClassName, nameIsDNSSubdomain(volumeAttributesClassName, false)),
    )
  }
  return errs
}

/** In Go's order of ObjectMeta's fields; labels and annotations may be set. */
const forbiddenMeta = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'finalizers',
  'managedFields',
] as const

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '' && value !== 0 && !(Array.isArray(value) && value.length === 0)
}

/** ValidateTemplateObjectMeta. */
export function validateTemplateMeta(meta: ObjectMeta, path: string): FieldError[] {
  return [
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...validateLabels(meta.labels, `${path}.labels`),
    ...forbiddenMeta.filter((f) => isSet(meta[f])).map((f) => forbidden(`${path}.${f === 'uid' ? 'uID' : f}`, 'cannot be set')),
  ]
}

export const validateClaimTemplate = (template: PersistentVolumeClaimTemplate, path: string): FieldError[] => [
  ...validateTemplateMeta(template.metadata ?? {}, `${path}.metadata`),
  ...validateClaimSpec(template.spec ?? {}, `${path}.spec`),
]

// v1 PersistentVolumeClaim with its status door (pkg/registry/core/persistentvolumeclaim, ValidatePersistentVolumeClaim).
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import { compareQuantities } from '../../../../api/quantity.ts'
import type { PersistentVolumeClaimSpec, TypedObjectReference } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { cloneJson } from '../../../../../lib/own.ts'
import { validateClaimSpec } from '../pod/claim.ts'
import { semanticEqual } from '../pod/equality.ts'
import { at, has, keysOf } from '../pod/maps.ts'
import { isFractional, isNativeResource, quantityString } from '../pod/quantities.ts'
import type { KindStrategy } from '../strategy.ts'
import { persistentVolumeClaimColumns } from './columns.ts'
import { goDiff } from './godiff.ts'
import { accessModesText, basicResource, betaStorageClass, storageClassOf } from './persistentvolume.ts'
import { type ResourceList, roundUpResourceList, validateResourceQuantityValue } from './resourcelist.ts'
import { age, immutable, invalidEach, isQualifiedName, keep, metaUpdate, namespacedMeta } from './rules.ts'
import { goClaimSpec } from './volumestructs.ts'

type Spec = PersistentVolumeClaimSpec & { dataSourceRef?: TypedObjectReference }

const resizeStatuses = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
]

const requested = (spec: Spec | undefined): string => at(spec?.resources?.requests as ResourceList | undefined, 'storage') ?? '0'

/** Data sources that are neither claims nor snapshots are dropped without a word, unless dataSourceRef names one. */
function enforceDataSource(spec: Spec, old: Spec | undefined): void {
  if (spec.dataSourceRef?.namespace && !old?.dataSourceRef) delete spec.dataSourceRef
  if (old?.dataSource || old?.dataSourceRef || spec.dataSourceRef || !spec.dataSource) return
  const { apiGroup, kind } = spec.dataSource
  const known = (kind === 'PersistentVolumeClaim' && !apiGroup) || (kind === 'VolumeSnapshot' && apiGroup === 'snapshot.storage.k8s.io')
  if (!known) delete spec.dataSource
}

/** dataSource and dataSourceRef say the same as long as only one was given. */
function normalizeDataSources(spec: Spec): void {
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource }
  else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) {
    const { namespace: _, ...local } = spec.dataSourceRef
    spec.dataSource = local
  }
}

function prepareSpec(o: KubeObject, old: KubeObject | undefined): void {
  const spec = o.spec as Spec
  enforceDataSource(spec, old?.spec as Spec | undefined)
  normalizeDataSources(spec)
}

const validate = (o: KubeObject): FieldError[] => [...namespacedMeta(o), ...validateClaimSpec((o.spec ?? {}) as Spec, 'spec')]

/** The spec as it would be if only what may change had changed. */
function comparable(o: KubeObject, old: KubeObject): { before: Spec; after: Spec; annotationErrors: FieldError[] } {
  const before: Spec = cloneJson(old.spec ?? {}) as Spec
  const after: Spec = cloneJson(o.spec ?? {}) as Spec
  normalizeDataSources(before)
  if (!before.volumeName) before.volumeName = after.volumeName
  const [oldClass, newClass] = [at(old.metadata.annotations, betaStorageClass), at(o.metadata.annotations, betaStorageClass)]
  const annotationErrors: FieldError[] = []
  const fromAnnotation =
    oldClass !== undefined &&
    before.storageClassName === undefined &&
    after.storageClassName === oldClass &&
    (newClass === undefined || newClass === oldClass)
  if (fromAnnotation) delete after.storageClassName
  else {
    if ((oldClass ?? '') !== (newClass ?? ''))
      annotationErrors.push(invalid(`metadata.annotations[${betaStorageClass}]`, newClass ?? '', 'field is immutable'))
    const fromNil =
      after.storageClassName !== undefined &&
      before.storageClassName === undefined &&
      (oldClass === undefined || after.storageClassName === oldClass)
    if (fromNil) delete after.storageClassName
  }
  if (o.status?.phase === 'Bound') {
    if (after.resources?.requests) (after.resources.requests as ResourceList).storage = requested(old.spec)
    if (before.volumeAttributesClassName === undefined) delete after.volumeAttributesClassName
    else after.volumeAttributesClassName = before.volumeAttributesClassName
  }
  return { before, after, annotationErrors }
}

function validateUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const { before, after, annotationErrors } = comparable(o, old)
  const errors = [...metaUpdate(o, old), ...validate(o), ...annotationErrors]
  if (!semanticEqual(after, before)) {
    const text = 'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
    errors.push(forbidden('spec', `${text}\n${goDiff(goClaimSpec(before), goClaimSpec(after))}`))
  }
  const capacity = at<string>(old.status?.capacity, 'storage') ?? '0'
  if (compareQuantities(requested(o.spec), requested(old.spec)) < 0 && compareQuantities(requested(o.spec), capacity) <= 0) {
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  }
  errors.push(...immutable('volumeMode', o.spec?.volumeMode, old.spec?.volumeMode))
  const [oldVac, newVac] = [old.spec?.volumeAttributesClassName, o.spec?.volumeAttributesClassName]
  if (oldVac !== newVac && old.status?.currentVolumeAttributesClassName !== undefined) {
    const field = 'spec.volumeAttributesClassName'
    if (newVac === undefined)
      errors.push(forbidden(field, 'update to nil is forbidden when status.currentVolumeAttributesClassName is not nil'))
    else if (newVac === '')
      errors.push(forbidden(field, 'update to empty string is forbidden when status.currentVolumeAttributesClassName is not nil'))
  }
  return errors
}

function resourceKey(name: string, field: string): FieldError[] {
  const errors = invalidEach(field, name, isQualifiedName(name))
  if (errors.length > 0) return errors
  return isNativeResource(name) && name !== 'storage' ? [notSupported(field, name, ['storage'])] : []
}

function validateStatusUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const errors = metaUpdate(o, old)
  if (!o.metadata.resourceVersion) errors.push(required('resourceVersion'))
  if (!o.spec?.accessModes?.length) errors.push(required('Spec.accessModes'))
  for (const name of keysOf(o.status?.capacity)) errors.push(...basicResource(o.status.capacity[name], `status.capacity[${name}]`))
  for (const name of keysOf(o.status?.allocatedResourceStatuses)) {
    const field = 'status.allocatedResourceStatuses'
    errors.push(...resourceKey(name, field))
    if (!resizeStatuses.includes(o.status.allocatedResourceStatuses[name])) errors.push(notSupported(field, name, resizeStatuses))
  }
  for (const name of keysOf(o.status?.allocatedResources)) {
    const key = resourceKey(name, 'status.allocatedResources')
    const field = `status.allocatedResources[${name}]`
    if (key.length > 0) errors.push(...key)
    else {
      const basic = basicResource(o.status.allocatedResources[name], field)
      errors.push(...(basic.length > 0 ? basic : validateResourceQuantityValue('storage', o.status.allocatedResources[name], field)))
    }
  }
  return errors
}

export function claimSpecWarnings(spec: Spec, field: string): string[] {
  return (['requests', 'limits'] as const).flatMap((list) => {
    const quantity = at(spec.resources?.[list] as ResourceList | undefined, 'storage')
    if (quantity === undefined || !isFractional(quantity)) return []
    return [
      `${field}.resources.${list}[storage]: fractional byte value ${JSON.stringify(quantityString(quantity))} is invalid, must be an integer`,
    ]
  })
}

const warnings = (o: KubeObject): string[] => [
  ...(has(o.metadata.annotations, betaStorageClass)
    ? [`metadata.annotations[${betaStorageClass}]: deprecated since v1.8; use "storageClassName" attribute instead`]
    : []),
  ...claimSpecWarnings((o.spec ?? {}) as Spec, 'spec'),
]

/** Pointers without omitempty: written as null. */
function defaultReferences(spec: Spec): void {
  for (const source of [spec.dataSource, spec.dataSourceRef] as ({ apiGroup?: string | null } | undefined)[])
    if (source) source.apiGroup ??= null
}

export const persistentVolumeClaim: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  resource: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  categories: [],
  namespaced: true,
  allowUnconditionalUpdate: true,
  deleteReturnsObject: true,
  defaults(o) {
    o.spec ??= {}
    o.status ??= {}
    o.status.phase ||= 'Pending'
    o.spec.volumeMode ??= 'Filesystem'
    o.spec.resources ??= {}
    roundUpResourceList(o.spec.resources.limits)
    roundUpResourceList(o.spec.resources.requests)
    roundUpResourceList(o.status.capacity)
    roundUpResourceList(o.status.allocatedResources)
    defaultReferences(o.spec)
    for (const condition of (o.status.conditions ?? []) as { lastProbeTime?: string | null; lastTransitionTime?: string | null }[]) {
      condition.lastProbeTime ??= null
      condition.lastTransitionTime ??= null
    }
  },
  prepareForCreate(o) {
    o.status = { phase: 'Pending' }
    prepareSpec(o, undefined)
  },
  validate,
  createWarnings: warnings,
  prepareForUpdate(o, old) {
    keep(o, old, 'status')
    prepareSpec(o, old)
  },
  validateUpdate,
  warnings,
  subresources: {
    status: { does: 'update', prepareForUpdate: (o, old) => keep(o, old, 'spec'), validateUpdate: validateStatusUpdate },
  },
  selectableFields: (o) => ({ name: o.metadata.name ?? '' }),
  columns: persistentVolumeClaimColumns,
  row: (o, nowMs) => {
    const spec = (o.spec ?? {}) as Spec
    const bound = !!spec.volumeName
    return [
      o.metadata.name ?? '',
      o.metadata.deletionTimestamp ? 'Terminating' : (o.status?.phase ?? ''),
      spec.volumeName ?? '',
      bound ? quantityString(at<string>(o.status?.capacity, 'storage') ?? '0') : '',
      bound ? accessModesText(o.status?.accessModes) : '',
      storageClassOf(o),
      spec.volumeAttributesClassName ?? '<unset>',
      age(o, nowMs),
      spec.volumeMode ?? '<unset>',
    ]
  },
}

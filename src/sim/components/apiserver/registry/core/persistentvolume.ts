// v1 PersistentVolume with its status door (pkg/registry/core/persistentvolume, ValidatePersistentVolume).
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import { compareQuantities, quantityValue } from '../../../../api/quantity.ts'
import type { PersistentVolumeSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateNodeSelector } from '../pod/affinity.ts'
import { semanticEqual } from '../pod/equality.ts'
import { at, has, keysOf } from '../pod/maps.ts'
import { quantityString } from '../pod/quantities.ts'
import { nodeSelectorTermWarnings } from '../pod/warnings.ts'
import type { KindStrategy } from '../strategy.ts'
import { persistentVolumeColumns } from './columns.ts'
import { goDiff } from './godiff.ts'
import { goJson } from './gostruct.ts'
import { secondSourceName, volumeSources } from './persistentvolumesource.ts'
import { roundUpResourceList } from './resourcelist.ts'
import { age, clusterMeta, immutable, invalidEach, keep, metaUpdate, nameIsDNSSubdomain, nowText } from './rules.ts'
import { goNodeAffinity, goVolumeSource } from './volumestructs.ts'

export const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
export const volumeModes = ['Block', 'Filesystem']
const reclaimPolicies = ['Delete', 'Recycle', 'Retain']
export const betaStorageClass = 'volume.beta.kubernetes.io/storage-class'
const mountOptions = 'volume.beta.kubernetes.io/mount-options'

export function validateAccessModes(modes: readonly string[], field: string, missing: string): FieldError[] {
  if (modes.length === 0) return [required(field, missing)]
  const errors: FieldError[] = modes.filter((m) => !accessModes.includes(m)).map((m) => notSupported(field, m, accessModes))
  if (modes.includes('ReadWriteOncePod') && modes.some((m) => m !== 'ReadWriteOncePod' && accessModes.includes(m))) {
    errors.push(forbidden(field, 'may not use ReadWriteOncePod with other access modes'))
  }
  return errors
}

const className = (field: string, name: string): FieldError[] => invalidEach(field, name, nameIsDNSSubdomain(name, false))

/** validateBasicResource. */
export const basicResource = (quantity: string, field: string): FieldError[] =>
  quantityValue(quantity) < 0 ? [invalid(field, quantityValue(quantity), 'must be a valid resource quantity')] : []

function validateCapacity(capacity: { [key: string]: string } | undefined): FieldError[] {
  const field = 'spec.capacity'
  const names = keysOf(capacity)
  const errors: FieldError[] = names.length === 0 ? [required(field)] : []
  if (!has(capacity, 'storage') || names.length > 1) {
    errors.push({ ...notSupported(field, capacity ?? null, ['storage']), badValueText: names.length === 0 ? 'null' : goJson(capacity) })
  }
  for (const name of names) {
    const quantity = at(capacity, name) ?? '0'
    errors.push(...basicResource(quantity, `${field}[${name}]`))
    if (compareQuantities(quantity, '0') <= 0)
      errors.push(invalid(`${field}[${name}]`, quantityString(quantity), 'must be greater than zero'))
  }
  return errors
}

function validateSources(spec: PersistentVolumeSpec, pvName: string, root: string): FieldError[] {
  const errors: FieldError[] = []
  let count = 0
  for (const [name, shown, check] of volumeSources) {
    if (!spec[name]) continue
    if (count > 0 && name !== 'flexVolume') {
      errors.push(forbidden(`${root}.${secondSourceName[name] ?? shown}`, 'may not specify more than 1 volume type'))
      continue
    }
    count++
    errors.push(...check(spec, `${root}.${shown}`, pvName))
    if (name === 'local' && !spec.nodeAffinity) errors.push(required(`${root}.nodeAffinity`, 'Local volume requires node affinity'))
  }
  if (count === 0) errors.push(required(root, 'must specify a volume type'))
  return errors
}

/** path.Clean(p) is the root. */
const isRoot = (path: string): boolean => {
  if (!path.startsWith('/')) return false
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.length === 0
}

function validateSpec(spec: PersistentVolumeSpec, pvName: string): FieldError[] {
  const errors = [
    ...validateAccessModes(spec.accessModes ?? [], 'spec.accessModes', ''),
    ...validateCapacity(spec.capacity as { [key: string]: string } | undefined),
  ]
  const policy = spec.persistentVolumeReclaimPolicy
  if (policy && !reclaimPolicies.includes(policy)) errors.push(notSupported('spec.persistentVolumeReclaimPolicy', policy, reclaimPolicies))
  if (spec.nodeAffinity) {
    const required1 = spec.nodeAffinity.required
    errors.push(
      ...(required1
        ? validateNodeSelector(required1, false, 'spec.nodeAffinity.required')
        : [required('spec.nodeAffinity.required', 'must specify required node constraints')]),
    )
  }
  errors.push(...validateSources(spec, pvName, 'spec'))
  if (spec.hostPath && isRoot(spec.hostPath.path ?? '') && policy === 'Recycle') {
    errors.push(forbidden('spec.persistentVolumeReclaimPolicy', "may not be 'recycle' for a hostPath mount of '/'"))
  }
  if (spec.storageClassName) errors.push(...className('spec.storageClassName', spec.storageClassName))
  if (spec.volumeMode !== undefined && !volumeModes.includes(spec.volumeMode))
    errors.push(notSupported('spec.volumeMode', spec.volumeMode, volumeModes))
  if (spec.volumeAttributesClassName !== undefined) {
    const name = spec.volumeAttributesClassName
    const field = 'spec.volumeAttributesClassName'
    errors.push(...(name === '' ? [required(field, 'an empty string is disallowed')] : className(field, name)))
    if (!spec.csi) errors.push(required('spec.csi', 'has to be specified when using volumeAttributesClassName'))
  }
  return errors
}

/** The volume inside a VolumeAttachment: no more than a CSI source and its access modes. */
export function validateInlineSpec(spec: PersistentVolumeSpec, root: string): FieldError[] {
  const context = 'in the context of inline volumes'
  const not = (field: string, is: boolean, what = 'may not be specified'): FieldError[] =>
    is ? [forbidden(`${root}.${field}`, `${what} ${context}`)] : []
  return [
    ...not('claimRef', !!spec.claimRef),
    ...not('capacity', keysOf(spec.capacity).length > 0),
    ...(spec.csi ? [] : [required(`${root}.csi`, `has to be specified ${context}`)]),
    ...validateAccessModes(spec.accessModes ?? [], `${root}.accessModes`, ''),
    ...not(
      'persistentVolumeReclaimPolicy',
      !!spec.persistentVolumeReclaimPolicy && spec.persistentVolumeReclaimPolicy !== 'Retain',
      'may only be Retain',
    ),
    ...not('nodeAffinity', !!spec.nodeAffinity),
    ...validateSources(spec, '', root),
    ...not('storageClassName', !!spec.storageClassName),
    ...not(
      'volumeMode',
      spec.volumeMode !== undefined && spec.volumeMode !== 'Filesystem',
      'may not specify volumeMode other than Filesystem',
    ),
  ]
}

const takesMountOptions: readonly (keyof PersistentVolumeSpec)[] = [
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'glusterfs',
  'nfs',
  'rbd',
  'quobyte',
  'iscsi',
  'cinder',
  'cephfs',
  'azureFile',
  'vsphereVolume',
  'azureDisk',
  'photonPersistentDisk',
]

const validateMountOptions = (o: KubeObject): FieldError[] =>
  takesMountOptions.some((s) => o.spec?.[s]) || !has(o.metadata.annotations, mountOptions)
    ? []
    : [forbidden(`metadata.annotations.${mountOptions}`, 'may not specify mount options for this volume type')]

const validate = (o: KubeObject): FieldError[] => [...clusterMeta(o), ...validateSpec(o.spec ?? {}, o.metadata.name ?? '')]

const betaNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/os': 'kubernetes.io/os',
  'beta.kubernetes.io/arch': 'kubernetes.io/arch',
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'beta.kubernetes.io/instance-type': 'node.kubernetes.io/instance-type',
}

type Selector = { nodeSelectorTerms?: { matchExpressions?: { key: string }[]; matchFields?: unknown[] }[] }

/** Labels may move from their beta names to the final ones: the old key is read as the new one where the new volume has it. */
function sameAffinity(value: { required?: Selector } | undefined, old: { required?: Selector } | undefined): boolean {
  const upgraded = (old?.required?.nodeSelectorTerms ?? []).map((term, i) => ({
    ...term,
    matchExpressions: (term.matchExpressions ?? []).map((e, k) => {
      const now = value?.required?.nodeSelectorTerms?.[i]?.matchExpressions?.[k]?.key
      return now !== undefined && Object.hasOwn(betaNodeLabels, e.key) && betaNodeLabels[e.key] === now ? { ...e, key: now } : e
    }),
  }))
  return semanticEqual(value, old) || semanticEqual(value?.required?.nodeSelectorTerms, upgraded)
}

function validateUpdate(o: KubeObject, old: KubeObject): FieldError[] {
  const errors = validate(o)
  const spec: PersistentVolumeSpec =
    old.spec?.csi && !old.spec.csi.controllerExpandSecretRef && o.spec?.csi
      ? { ...o.spec, csi: { ...o.spec.csi, controllerExpandSecretRef: undefined } }
      : (o.spec ?? {})
  const [before, after] = [goVolumeSource(old.spec), goVolumeSource(spec)]
  if (before !== after) {
    errors.push(
      forbidden('spec.persistentvolumesource', `spec.persistentvolumesource is immutable after creation\n${goDiff(before, after)}`),
    )
  }
  errors.push(...immutable('volumeMode', o.spec?.volumeMode, old.spec?.volumeMode))
  if (old.spec?.nodeAffinity && !sameAffinity(o.spec?.nodeAffinity, old.spec.nodeAffinity)) {
    errors.push({
      ...invalid('nodeAffinity', o.spec?.nodeAffinity ?? null, 'field is immutable, except for updating from beta label to GA'),
      badValueText: goNodeAffinity(o.spec?.nodeAffinity),
    })
  }
  if (old.spec?.volumeAttributesClassName !== undefined && o.spec?.volumeAttributesClassName === undefined) {
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'))
  }
  return errors
}

const deprecatedSources: readonly (readonly [keyof PersistentVolumeSpec, string, string])[] = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
]

function warnings(o: KubeObject): string[] {
  const spec = (o.spec ?? {}) as PersistentVolumeSpec
  const deprecated = [
    [betaStorageClass, 'deprecated since v1.8; use "storageClassName" attribute instead'],
    [mountOptions, 'deprecated since v1.31; use "mountOptions" attribute instead'],
  ] as const
  return [
    ...deprecated.filter(([key]) => has(o.metadata.annotations, key)).map(([key, text]) => `metadata.annotations[${key}]: ${text}`),
    ...(spec.persistentVolumeReclaimPolicy === 'Recycle'
      ? [
          'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
        ]
      : []),
    ...(spec.nodeAffinity?.required?.nodeSelectorTerms ?? []).flatMap((term, i) =>
      nodeSelectorTermWarnings(term, false, `spec.nodeAffinity.required.nodeSelectorTerms[${i}]`),
    ),
    ...deprecatedSources.filter(([name]) => spec[name]).map(([, shown, text]) => `spec.${shown}: ${text}`),
  ]
}

/** helper.GetAccessModesAsString. */
export const accessModesText = (modes: readonly string[] | undefined): string =>
  [
    ['ReadWriteOnce', 'RWO'],
    ['ReadOnlyMany', 'ROX'],
    ['ReadWriteMany', 'RWX'],
    ['ReadWriteOncePod', 'RWOP'],
  ]
    .filter(([mode]) => modes?.includes(mode ?? ''))
    .map(([, short]) => short)
    .join(',')

/** The class annotation of old wins over the field. */
export const storageClassOf = (o: KubeObject): string => at(o.metadata.annotations, betaStorageClass) ?? o.spec?.storageClassName ?? ''

export function defaultSource(spec: PersistentVolumeSpec): void {
  if (spec.hostPath) spec.hostPath.type ??= ''
  if (spec.iscsi) {
    spec.iscsi.iscsiInterface ||= 'default'
    spec.iscsi.lun ??= 0
  }
  if (spec.rbd) {
    spec.rbd.pool ||= 'rbd'
    spec.rbd.user ||= 'admin'
    spec.rbd.keyring ||= '/etc/ceph/keyring'
  }
  if (spec.azureDisk) {
    spec.azureDisk.cachingMode ??= 'ReadWrite'
    spec.azureDisk.kind ??= 'Shared'
    spec.azureDisk.fsType ??= 'ext4'
    spec.azureDisk.readOnly ??= false
  }
  if (spec.scaleIO) {
    spec.scaleIO.storageMode ||= 'ThinProvisioned'
    spec.scaleIO.fsType ||= 'xfs'
  }
}

export const persistentVolume: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  resource: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  categories: [],
  namespaced: false,
  allowUnconditionalUpdate: true,
  deleteReturnsObject: true,
  defaults(o) {
    o.spec ??= {}
    o.status ??= {}
    o.status.phase ||= 'Pending'
    o.spec.persistentVolumeReclaimPolicy ||= 'Retain'
    o.spec.volumeMode ??= 'Filesystem'
    roundUpResourceList(o.spec.capacity)
    defaultSource(o.spec)
  },
  prepareForCreate(o, view) {
    o.status = { phase: 'Pending', lastPhaseTransitionTime: nowText(view.nowMs) }
  },
  validate: (o) => [...validate(o), ...validateMountOptions(o)],
  createWarnings: warnings,
  prepareForUpdate: (o, old) => keep(o, old, 'status'),
  validateUpdate: (o, old) => [...validate(o), ...validateMountOptions(o), ...validateUpdate(o, old)],
  warnings,
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(o, old, view) {
        keep(o, old, 'spec')
        const before = old.status ?? {}
        const samePhase = before.phase === o.status?.phase
        const time = o.status?.lastPhaseTransitionTime
        if (samePhase && !time) {
          if (before.lastPhaseTransitionTime) o.status = { ...o.status, lastPhaseTransitionTime: before.lastPhaseTransitionTime }
        } else if (!samePhase && (!time || time === before.lastPhaseTransitionTime)) {
          o.status = { ...o.status, lastPhaseTransitionTime: nowText(view.nowMs) }
        }
      },
      validateUpdate: (o, old) => [...metaUpdate(o, old), ...(o.metadata.resourceVersion ? [] : [required('resourceVersion')])],
    },
  },
  selectableFields: (o) => ({ name: o.metadata.name ?? '' }),
  columns: persistentVolumeColumns,
  row: (o, nowMs) => {
    const spec = (o.spec ?? {}) as PersistentVolumeSpec
    return [
      o.metadata.name ?? '',
      quantityString(at(spec.capacity as { [key: string]: string }, 'storage') ?? '0'),
      accessModesText(spec.accessModes),
      spec.persistentVolumeReclaimPolicy ?? '',
      o.metadata.deletionTimestamp ? 'Terminating' : (o.status?.phase ?? ''),
      spec.claimRef ? `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}` : '',
      storageClassOf(o),
      spec.volumeAttributesClassName ?? '<unset>',
      o.status?.reason ?? '',
      age(o, nowMs),
      spec.volumeMode ?? '<unset>',
    ]
  },
}

// storage.k8s.io/v1 VolumeAttachment with its status door (pkg/registry/storage/volumeattachment, pkg/apis/storage/validation).
import { type FieldError, forbidden, invalid, required, tooLong } from '../../../../api/field.ts'
import type { VolumeError } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { volumeAttachmentColumns } from '../core/columns.ts'
import { goStruct, goString, goValueStruct } from '../core/gostruct.ts'
import { defaultSource, validateInlineSpec } from '../core/persistentvolume.ts'
import { csiDriverName } from '../core/persistentvolumesource.ts'
import { goVolumeSpec } from '../core/volumestructs.ts'
import { resetMeta } from '../pod/doors.ts'
import { roundUpResourceList } from '../core/resourcelist.ts'
import { age, byteLength, clusterMeta, invalidEach, keep, nameIsDNSSubdomain, semanticEqual } from '../core/rules.ts'
import { keysOf } from '../pod/maps.ts'
import type { KindStrategy } from '../strategy.ts'

const maxMetadataSize = 256 * 1024
const exactlyOne = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
const specText = goStruct(
  ['Attacher', 'attacher', goString],
  [
    'Source',
    'source',
    goValueStruct(['PersistentVolumeName', 'persistentVolumeName'], ['InlineVolumeSpec', 'inlineVolumeSpec', goVolumeSpec]),
  ],
  ['NodeName', 'nodeName', goString],
)

function validateSource(o: KubeObject): FieldError[] {
  const { inlineVolumeSpec, persistentVolumeName } = o.spec?.source ?? {}
  const hasName = persistentVolumeName !== undefined
  if (!inlineVolumeSpec && !hasName) return [required('spec.source', exactlyOne)]
  if (inlineVolumeSpec && hasName) return [forbidden('spec.source', exactlyOne)]
  if (inlineVolumeSpec) return validateInlineSpec(inlineVolumeSpec, 'spec.source.inlineVolumeSpec')
  return persistentVolumeName === '' ? [required('spec.source.persistentVolumeName', 'must specify non empty persistentVolumeName')] : []
}

function validateVolumeError(error: VolumeError | undefined, field: string): FieldError[] {
  if (!error) return []
  const code = (error as { errorCode?: number }).errorCode
  return [
    ...(byteLength(error.message ?? '') > 1024 ? [tooLong(`${field}.message`, maxMetadataSize)] : []),
    ...(code !== undefined && code < 0 ? [invalid(`${field}.errorCode`, code, 'must be between 0 and 2147483647, inclusive')] : []),
  ]
}

function validate(o: KubeObject): FieldError[] {
  const metadata = o.status?.attachmentMetadata
  const size = keysOf(metadata).reduce((sum, k) => sum + byteLength(k) + byteLength(metadata[k]), 0)
  const nodeName = o.spec?.nodeName ?? ''
  return [
    ...clusterMeta(o),
    ...(o.spec?.attacher ? [] : [required('spec.attacher')]),
    ...validateSource(o),
    ...invalidEach('spec.nodeName', nodeName, nameIsDNSSubdomain(nodeName, false)),
    ...(size > maxMetadataSize ? [tooLong('status.attachmentMetadata', maxMetadataSize)] : []),
    ...validateVolumeError(o.status?.attachError, 'status.attachError'),
    ...validateVolumeError(o.status?.detachError, 'status.detachError'),
  ]
}

function validateV1(o: KubeObject): FieldError[] {
  const name: string | undefined = o.spec?.source?.persistentVolumeName
  return [
    ...csiDriverName(o.spec?.attacher ?? '', 'spec.attacher'),
    ...(name === undefined ? [] : invalidEach('spec.source.persistentVolumeName', name, nameIsDNSSubdomain(name, false))),
  ]
}

const validateUpdate = (o: KubeObject, old: KubeObject): FieldError[] => [
  ...validate(o),
  ...(semanticEqual(o.spec, old.spec) ? [] : [{ ...invalid('spec', o.spec, 'field is immutable'), badValueText: specText(o.spec) }]),
]

export const volumeAttachment: KindStrategy = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttachment',
  resource: 'volumeattachments',
  singular: 'volumeattachment',
  shortNames: [],
  categories: [],
  namespaced: false,
  deleteReturnsObject: true,
  defaults(o) {
    o.spec ??= {}
    o.spec.source ??= {}
    o.spec.attacher ??= ''
    o.spec.nodeName ??= ''
    o.status ??= {}
    o.status.attached ??= false
    if (!o.spec.source.inlineVolumeSpec) return
    roundUpResourceList(o.spec.source.inlineVolumeSpec.capacity)
    defaultSource(o.spec.source.inlineVolumeSpec)
  },
  prepareForCreate(o) {
    o.status = { attached: false }
  },
  validate: (o) => [...validate(o), ...validateV1(o)],
  prepareForUpdate: (o, old) => keep(o, old, 'status'),
  validateUpdate,
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(o, old) {
        keep(o, old, 'spec')
        resetMeta(o.metadata, old.metadata)
      },
      validateUpdate,
    },
  },
  columns: volumeAttachmentColumns,
  row: (o, nowMs) => [
    o.metadata.name ?? '',
    o.spec?.attacher ?? '',
    o.spec?.source?.persistentVolumeName ?? '',
    o.spec?.nodeName ?? '',
    o.status?.attached === true,
    age(o, nowMs),
  ],
}

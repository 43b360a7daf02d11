// Volume sources of persistent volumes (pkg/apis/core/validation/validation.go). Most are those of pods; their secrets have namespaces.
import { type FieldError, invalid, notSupported, required } from '../../../../api/field.ts'
import type { PersistentVolumeSpec, SecretReference } from '../../../../api/types/kubernetes.gen.ts'
import { pathNoBacksteps } from '../pod/paths.ts'
import * as plugins from '../pod/volume-plugins.ts'
import { byteLength, invalidEach, isDNS1123Label, isDNS1123Subdomain, nameIsDNSLabel } from './rules.ts'

const { needs } = plugins
const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']

/** A path that must be there, and then may not step back. */
const path = (source: { path?: string }, field: string, more: () => FieldError[] = () => []): FieldError[] =>
  source.path ? [...pathNoBacksteps(source.path, `${field}.path`), ...more()] : [required(`${field}.path`)]

const secretWithNamespace = (ref: SecretReference | undefined, field: string): FieldError[] =>
  ref ? needs(ref, ['name', 'namespace'], `${field}.secretRef`) : []

function secretReference(ref: SecretReference | undefined, field: string): FieldError[] {
  if (!ref) return []
  return [
    ...(ref.name ? invalidEach(`${field}.name`, ref.name, isDNS1123Subdomain(ref.name)) : [required(`${field}.name`)]),
    ...(ref.namespace ? invalidEach(`${field}.namespace`, ref.namespace, isDNS1123Label(ref.namespace)) : [required(`${field}.namespace`)]),
  ]
}

/** ValidateCSIDriverName. */
export const csiDriverName = plugins.csiDriverName

type Check = (spec: PersistentVolumeSpec, field: string, pvName: string) => FieldError[]
type SourceName = keyof PersistentVolumeSpec

function glusterfs(source: NonNullable<PersistentVolumeSpec['glusterfs']>, field: string): FieldError[] {
  const namespace = source.endpointsNamespace
  const errors = needs(source, ['endpoints', 'path'], field)
  if (namespace === '')
    errors.push(invalid(`${field}.endpointsNamespace`, '', 'if the endpointnamespace is set, it must be a valid namespace name'))
  else if (namespace) errors.push(...invalidEach(`${field}.endpointsNamespace`, namespace, nameIsDNSLabel(namespace, false)))
  return errors
}

function iscsi(source: NonNullable<PersistentVolumeSpec['iscsi']>, field: string, pvName: string): FieldError[] {
  const { secretRef, ...rest } = source
  const errors = plugins.iscsi(
    { ...rest, ...(secretRef ? { secretRef: secretRef as { name?: string } } : {}) } as Parameters<typeof plugins.iscsi>[0],
    field,
  )
  if (typeof source.initiatorName === 'string' && byteLength(`${pvName}:${source.targetPortal ?? ''}`) > 64) {
    const text = 'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'
    errors.splice(source.targetPortal ? 0 : 1, 0, invalid(`${field}.targetportal`, source.targetPortal ?? '', text))
  }
  if (secretRef && !secretRef.name) errors.push(required(`${field}.secretRef.name`))
  return errors.map((e) => (e.detail.startsWith('must be valid format') ? { ...e, detail: 'must be valid format' } : e))
}

function storageos(source: NonNullable<PersistentVolumeSpec['storageos']>, field: string): FieldError[] {
  const { volumeName, volumeNamespace } = source
  return [
    ...(volumeName ? invalidEach(`${field}.volumeName`, volumeName, isDNS1123Label(volumeName)) : [required(`${field}.volumeName`)]),
    ...(volumeNamespace ? invalidEach(`${field}.volumeNamespace`, volumeNamespace, isDNS1123Label(volumeNamespace)) : []),
    ...secretWithNamespace(source.secretRef, field),
  ]
}

const csi = (source: NonNullable<PersistentVolumeSpec['csi']>, field: string): FieldError[] => [
  ...csiDriverName(source.driver ?? '', `${field}.driver`),
  ...needs(source, ['volumeHandle'], field),
  ...secretReference(source.controllerPublishSecretRef, `${field}.controllerPublishSecretRef`),
  ...secretReference(source.controllerExpandSecretRef, `${field}.controllerExpandSecretRef`),
  ...secretReference(source.nodePublishSecretRef, `${field}.nodePublishSecretRef`),
  ...secretReference(source.nodeExpandSecretRef, `${field}.nodeExpandSecretRef`),
]

/** In upstream's order: JSON name, the name that messages use, the check. */
export const volumeSources: readonly (readonly [SourceName, string, Check])[] = [
  [
    'hostPath',
    'hostPath',
    (s, f) =>
      path(s.hostPath ?? {}, f, () => {
        const type = s.hostPath?.type
        return type === undefined || hostPathTypes.includes(type) ? [] : [notSupported(`${f}.type`, type, hostPathTypes)]
      }),
  ],
  ['gcePersistentDisk', 'persistentDisk', (s, f) => plugins.disk(s.gcePersistentDisk ?? {}, 'pdName', f)],
  ['awsElasticBlockStore', 'awsElasticBlockStore', (s, f) => plugins.disk(s.awsElasticBlockStore ?? {}, 'volumeID', f)],
  ['glusterfs', 'glusterfs', (s, f) => (s.glusterfs ? glusterfs(s.glusterfs, f) : [])],
  ['flocker', 'flocker', (s, f) => plugins.flocker(s.flocker ?? {}, f)],
  ['nfs', 'nfs', (s, f) => plugins.nfs(s.nfs ?? {}, f)],
  ['rbd', 'rbd', (s, f) => needs(s.rbd, ['monitors', 'image'], f)],
  ['quobyte', 'quobyte', (s, f) => plugins.quobyte(s.quobyte ?? {}, f)],
  ['cephfs', 'cephfs', (s, f) => needs(s.cephfs, ['monitors'], f)],
  ['iscsi', 'iscsi', (s, f, pvName) => (s.iscsi ? iscsi(s.iscsi, f, pvName) : [])],
  ['cinder', 'cinder', (s, f) => [...needs(s.cinder, ['volumeID'], f), ...secretWithNamespace(s.cinder?.secretRef, f)]],
  ['fc', 'fc', (s, f) => plugins.fc(s.fc ?? {}, f)],
  ['flexVolume', 'flexVolume', (s, f) => plugins.flexVolume((s.flexVolume ?? {}) as Parameters<typeof plugins.flexVolume>[0], f)],
  [
    'azureFile',
    'azureFile',
    (s, f) => [
      ...needs(s.azureFile, ['secretName', 'shareName'], f),
      ...(s.azureFile?.secretNamespace === '' ? [required(`${f}.secretNamespace`)] : []),
    ],
  ],
  ['vsphereVolume', 'vsphereVolume', (s, f) => needs(s.vsphereVolume, ['volumePath'], f)],
  ['photonPersistentDisk', 'photonPersistentDisk', (s, f) => needs(s.photonPersistentDisk, ['pdID'], f)],
  ['portworxVolume', 'portworxVolume', (s, f) => needs(s.portworxVolume, ['volumeID'], f)],
  ['azureDisk', 'azureDisk', (s, f) => plugins.azureDisk(s.azureDisk ?? {}, f)],
  ['scaleIO', 'scaleIO', (s, f) => needs(s.scaleIO, ['gateway', 'system', 'volumeName'], f)],
  ['local', 'local', (s, f) => path(s.local ?? {}, f)],
  ['storageos', 'storageos', (s, f) => (s.storageos ? storageos(s.storageos, f) : [])],
  ['csi', 'csi', (s, f) => (s.csi ? csi(s.csi, f) : [])],
]

/** What "may not specify more than 1 volume type" is said of, where it differs from the name above. */
export const secondSourceName: Readonly<Record<string, string>> = { gcePersistentDisk: 'gcePersistentDisk', cephfs: 'cephFS' }

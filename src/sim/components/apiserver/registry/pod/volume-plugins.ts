// Volume sources of storage systems, one check each (pkg/apis/core/validation/validation.go).
import { type FieldError, invalid, notSupported, required, tooLong } from '../../../../api/field.ts'
import type {
  AWSElasticBlockStoreVolumeSource,
  AzureDiskVolumeSource,
  CSIVolumeSource,
  CinderVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  GCEPersistentDiskVolumeSource,
  GitRepoVolumeSource,
  ISCSIVolumeSource,
  NFSVolumeSource,
  QuobyteVolumeSource,
  StorageOSVolumeSource,
} from '../../../../api/types/kubernetes.gen.ts'
import { byteLength, keysOf } from './maps.ts'
import { isAbs, localDescendingPath } from './paths.ts'
import { dns1123Label, inclusiveRangeError, invalidEach, isDNS1123Subdomain, nameIsDNSSubdomain } from './rules.ts'

/** The fields must not be empty (strings or lists). */
export function needs(source: object | undefined, fields: readonly string[], path: string): FieldError[] {
  const values = (source ?? {}) as { [field: string]: unknown }
  return fields.filter((f) => !values[f] || (Array.isArray(values[f]) && values[f].length === 0)).map((f) => required(`${path}.${f}`))
}

const secretRefName = (ref: { name?: string } | undefined, path: string): FieldError[] =>
  ref && !ref.name ? [required(`${path}.secretRef.name`)] : []

export const gitRepo = (source: Partial<GitRepoVolumeSource>, path: string): FieldError[] => [
  ...needs(source, ['repository'], path),
  ...localDescendingPath(source.directory ?? '', `${path}.directory`),
]

/** GCE and AWS disks: 0 means no partition, but the message leaves it out. */
export function disk(
  source: Partial<GCEPersistentDiskVolumeSource & AWSElasticBlockStoreVolumeSource>,
  idField: string,
  path: string,
): FieldError[] {
  const partition = source.partition ?? 0
  return [
    ...needs(source, [idField], path),
    ...(partition < 0 || partition > 255 ? [invalid(`${path}.partition`, partition, inclusiveRangeError(1, 255))] : []),
  ]
}

export const nfs = (source: Partial<NFSVolumeSource>, path: string): FieldError[] => [
  ...needs(source, ['server', 'path'], path),
  ...(isAbs(source.path ?? '') ? [] : [invalid(`${path}.path`, source.path ?? '', 'must be an absolute path')]),
]

const initiatorFormats: readonly (readonly [prefix: string, format: RegExp])[] = [
  ['iqn', /iqn\.\d{4}-\d{2}\.([A-Za-z0-9\-.]+)(:[^,;*&$|\t\n\f\r ]+)$/],
  ['eui', /^eui.[A-Za-z0-9]{16}$/],
  ['naa', /^naa.[A-Za-z0-9]{32}$/],
]

function iscsiName(name: string, path: string): FieldError[] {
  const format = initiatorFormats.find(([prefix]) => name.startsWith(prefix))
  if (!format) return [invalid(path, name, 'must be valid format starting with iqn, eui, or naa')]
  return format[1].test(name) ? [] : [invalid(path, name, 'must be valid format')]
}

export function iscsi(source: Partial<ISCSIVolumeSource>, path: string): FieldError[] {
  const lun = source.lun ?? 0
  const errs = needs(source, ['targetPortal'], path)
  errs.push(...(source.iqn ? iscsiName(source.iqn, `${path}.iqn`) : [required(`${path}.iqn`)]))
  if (lun < 0 || lun > 255) errs.push(invalid(`${path}.lun`, lun, inclusiveRangeError(0, 255)))
  if ((source.chapAuthDiscovery || source.chapAuthSession) && !source.secretRef) errs.push(required(`${path}.secretRef`))
  if (typeof source.initiatorName === 'string') errs.push(...iscsiName(source.initiatorName, `${path}.initiatorname`))
  return errs
}

export function flocker(source: Partial<FlockerVolumeSource>, path: string): FieldError[] {
  const errs: FieldError[] = []
  if (!source.datasetName && !source.datasetUUID) errs.push(required(path, 'one of datasetName and datasetUUID is required'))
  if (source.datasetName && source.datasetUUID)
    errs.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'))
  if (source.datasetName?.includes('/')) errs.push(invalid(`${path}.datasetName`, source.datasetName, "must not contain '/'"))
  return errs
}

export const cinder = (source: Partial<CinderVolumeSource>, path: string): FieldError[] => [
  ...needs(source, ['volumeID'], path),
  ...secretRefName(source.secretRef, path),
]

/** net.SplitHostPort: `host:port`, with brackets around hosts that contain colons. */
function isHostPort(pair: string): boolean {
  const colon = pair.lastIndexOf(':')
  if (colon < 0) return false
  let host = pair.slice(0, colon)
  if (host.startsWith('[')) {
    if (!host.endsWith(']') || host.indexOf(']') !== host.length - 1) return false
    host = host.slice(1, -1)
  } else if (host.includes(':')) return false
  return !/[[\]]/.test(host) && !/[[\]]/.test(pair.slice(colon + 1))
}

export function quobyte(source: Partial<QuobyteVolumeSource>, path: string): FieldError[] {
  const pairs = 'must be a host:port pair or multiple pairs separated by commas'
  const errs: FieldError[] = []
  const registry = source.registry ?? ''
  if (!registry) errs.push(required(`${path}.registry`, pairs))
  else if (byteLength(source.tenant ?? '') >= 65)
    errs.push(required(`${path}.tenant`, 'must be a UUID and may not exceed a length of 64 characters'))
  else for (const pair of registry.split(',')) if (!isHostPort(pair)) errs.push(invalid(`${path}.registry`, registry, pairs))
  return [...errs, ...needs(source, ['volume'], path)]
}

export function fc(source: FCVolumeSource, path: string): FieldError[] {
  const errs: FieldError[] = []
  const wwns = source.targetWWNs ?? []
  const wwids = source.wwids ?? []
  if (wwns.length === 0 && wwids.length === 0)
    errs.push(required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'))
  if (wwns.length > 0 && wwids.length > 0)
    errs.push(invalid(`${path}.targetWWNs`, wwns, 'targetWWNs and wwids can not be specified simultaneously'))
  if (wwns.length === 0) return errs
  const lun = source.lun
  if (typeof lun !== 'number') errs.push(required(`${path}.lun`, 'lun is required if targetWWNs is specified'))
  else if (lun < 0 || lun > 255) errs.push(invalid(`${path}.lun`, lun, inclusiveRangeError(0, 255)))
  return errs
}

export const flexVolume = (source: Partial<FlexVolumeSource>, path: string): FieldError[] => [
  ...needs(source, ['driver'], path),
  ...keysOf(source.options).flatMap((key) => {
    const slash = key.indexOf('/')
    const namespace = `.${(slash < 0 ? key : key.slice(0, slash)).toLowerCase()}`
    const reserved = namespace.endsWith('.kubernetes.io') || namespace.endsWith('.k8s.io')
    return reserved ? [invalid(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved')] : []
  }),
]

const cachingModes = ['None', 'ReadOnly', 'ReadWrite']
const diskKinds = ['Dedicated', 'Managed', 'Shared']
const managedDisk = '/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}'
const blobDisk = 'https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd'

export function azureDisk(source: Partial<AzureDiskVolumeSource>, path: string): FieldError[] {
  const errs = needs(source, ['diskName', 'diskURI'], path)
  const { cachingMode, kind, diskURI = '' } = source
  if (typeof cachingMode === 'string' && !cachingModes.includes(cachingMode))
    errs.push(notSupported(`${path}.cachingMode`, cachingMode, cachingModes))
  if (typeof kind === 'string' && !diskKinds.includes(kind)) errs.push(notSupported(`${path}.kind`, kind, diskKinds))
  if (kind === 'Managed' && !diskURI.startsWith('/subscriptions/')) errs.push(notSupported(`${path}.diskURI`, diskURI, [managedDisk]))
  if (typeof kind === 'string' && kind !== 'Managed' && !diskURI.startsWith('https://'))
    errs.push(notSupported(`${path}.diskURI`, diskURI, [blobDisk]))
  return errs
}

export const storageos = (source: StorageOSVolumeSource, path: string): FieldError[] => [
  ...(source.volumeName ? dns1123Label(source.volumeName, `${path}.volumeName`) : [required(`${path}.volumeName`)]),
  ...(source.volumeNamespace ? dns1123Label(source.volumeNamespace, `${path}.volumeNamespace`) : []),
  ...secretRefName(source.secretRef, path),
]

/** ValidateCSIDriverName. */
export function csiDriverName(driver: string, path: string): FieldError[] {
  if (!driver) return [required(path)]
  return [...(byteLength(driver) > 63 ? [tooLong(path, 63)] : []), ...invalidEach(path, driver, isDNS1123Subdomain(driver.toLowerCase()))]
}

export function csi(source: Partial<CSIVolumeSource>, path: string): FieldError[] {
  const errs = csiDriverName(source.driver ?? '', `${path}.driver`)
  const ref = source.nodePublishSecretRef
  if (ref && !ref.name) errs.push(required(`${path}.nodePublishSecretRef.name`))
  else if (ref?.name) errs.push(...invalidEach(`${path}.name`, ref.name, nameIsDNSSubdomain(ref.name, false)))
  return errs
}

// Volumes of a pod (pkg/apis/core/validation/validation.go: ValidateVolumes, validateVolumeSource).
import { type FieldError, duplicate, forbidden, invalid, required } from '../../../../api/field.ts'
import type { ObjectMeta, Volume } from '../../../../api/types/kubernetes.gen.ts'
import { validateClaimTemplate } from './claim.ts'
import { byteLength } from './maps.ts'
import type { PodValidationOptions } from './options.ts'
import { validateProjected } from './projected.ts'
import { dns1123Label, nameIsDNSSubdomain, quote } from './rules.ts'
import { downwardAPISource, fileSource, imageSource, pathSource } from './volume-sources.ts'
import * as plugins from './volume-plugins.ts'
import { isNegative } from './quantities.ts'
import type { Volumes } from './mounts.ts'

/** The sources in upstream's order: key, the path under which "more than one type" is reported, and the check. */
type SourceCheck = readonly [key: keyof Volume, at: string, check: (v: Volume, path: string, opts: PodValidationOptions) => FieldError[]]

const sources: readonly SourceCheck[] = [
  ['hostPath', 'hostPath', (v, p) => pathSource(v.hostPath ?? {}, `${p}.hostPath`)],
  ['gitRepo', 'gitRepo', (v, p) => plugins.gitRepo(v.gitRepo ?? {}, `${p}.gitRepo`)],
  ['gcePersistentDisk', 'gcePersistentDisk', (v, p) => plugins.disk(v.gcePersistentDisk ?? {}, 'pdName', `${p}.persistentDisk`)],
  [
    'awsElasticBlockStore',
    'awsElasticBlockStore',
    (v, p) => plugins.disk(v.awsElasticBlockStore ?? {}, 'volumeID', `${p}.awsElasticBlockStore`),
  ],
  ['secret', 'secret', (v, p) => fileSource(v.secret ?? {}, 'secretName', `${p}.secret`)],
  ['nfs', 'nfs', (v, p) => plugins.nfs(v.nfs ?? {}, `${p}.nfs`)],
  ['iscsi', 'iscsi', (v, p) => plugins.iscsi(v.iscsi ?? {}, `${p}.iscsi`)],
  ['glusterfs', 'glusterfs', (v, p) => plugins.needs(v.glusterfs, ['endpoints', 'path'], `${p}.glusterfs`)],
  ['flocker', 'flocker', (v, p) => plugins.flocker(v.flocker ?? {}, `${p}.flocker`)],
  [
    'persistentVolumeClaim',
    'persistentVolumeClaim',
    (v, p) => plugins.needs(v.persistentVolumeClaim, ['claimName'], `${p}.persistentVolumeClaim`),
  ],
  ['rbd', 'rbd', (v, p) => plugins.needs(v.rbd, ['monitors', 'image'], `${p}.rbd`)],
  ['cinder', 'cinder', (v, p) => plugins.cinder(v.cinder ?? {}, `${p}.cinder`)],
  ['cephfs', 'cephFS', (v, p) => plugins.needs(v.cephfs, ['monitors'], `${p}.cephfs`)],
  ['quobyte', 'quobyte', (v, p) => plugins.quobyte(v.quobyte ?? {}, `${p}.quobyte`)],
  ['downwardAPI', 'downwarAPI', (v, p) => downwardAPISource(v.downwardAPI ?? {}, `${p}.downwardAPI`)],
  ['fc', 'fc', (v, p) => plugins.fc(v.fc ?? {}, `${p}.fc`)],
  ['flexVolume', 'flexVolume', (v, p) => plugins.flexVolume(v.flexVolume ?? {}, `${p}.flexVolume`)],
  ['configMap', 'configMap', (v, p) => fileSource(v.configMap ?? {}, 'name', `${p}.configMap`)],
  ['azureFile', 'azureFile', (v, p) => plugins.needs(v.azureFile, ['secretName', 'shareName'], `${p}.azureFile`)],
  ['vsphereVolume', 'vsphereVolume', (v, p) => plugins.needs(v.vsphereVolume, ['volumePath'], `${p}.vsphereVolume`)],
  ['photonPersistentDisk', 'photonPersistentDisk', (v, p) => plugins.needs(v.photonPersistentDisk, ['pdID'], `${p}.photonPersistentDisk`)],
  ['portworxVolume', 'portworxVolume', (v, p) => plugins.needs(v.portworxVolume, ['volumeID'], `${p}.portworxVolume`)],
  ['azureDisk', 'azureDisk', (v, p) => plugins.azureDisk(v.azureDisk ?? {}, `${p}.azureDisk`)],
  ['storageos', 'storageos', (v, p) => plugins.storageos(v.storageos ?? {}, `${p}.storageos`)],
  ['projected', 'projected', (v, p, opts) => validateProjected(v.projected ?? {}, `${p}.projected`, opts)],
  ['scaleIO', 'scaleIO', (v, p) => plugins.needs(v.scaleIO, ['gateway', 'system', 'volumeName'], `${p}.scaleIO`)],
  ['csi', 'csi', (v, p) => plugins.csi(v.csi ?? {}, `${p}.csi`)],
  ['ephemeral', 'ephemeral', (v, p) => ephemeral(v, `${p}.ephemeral`)],
  ['image', 'image', (v, p, opts) => imageSource(v.image ?? {}, `${p}.image`, opts)],
]

const ephemeral = (v: Volume, path: string): FieldError[] =>
  v.ephemeral?.volumeClaimTemplate
    ? validateClaimTemplate(v.ephemeral.volumeClaimTemplate, `${path}.volumeClaimTemplate`)
    : [required(`${path}.volumeClaimTemplate`)]

const iscsiNameTooLong =
  'Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.'

function validateVolumeSource(v: Volume, path: string, meta: ObjectMeta | undefined, opts: PodValidationOptions): FieldError[] {
  const errs: FieldError[] = []
  const name = v.name ?? ''
  let seen = false
  if (v.emptyDir) {
    seen = true
    const limit = v.emptyDir.sizeLimit
    if (typeof limit === 'string' && isNegative(limit))
      errs.push(forbidden(`${path}.emptyDir.sizeLimit`, 'SizeLimit field must be a valid resource quantity'))
  }
  for (const [key, at, check] of sources) {
    if (!v[key]) continue
    if (seen) errs.push(forbidden(`${path}.${at}`, 'may not specify more than 1 volume type'))
    else {
      errs.push(...check(v, path, opts))
      if (key === 'ephemeral' && meta?.name && name) {
        const claim = `${meta.name}-${name}`
        for (const msg of nameIsDNSSubdomain(claim, false)) errs.push(invalid(`${path}.name`, name, `PVC name ${quote(claim)}: ${msg}`))
      }
    }
    seen = true
    if (key === 'iscsi' && typeof v.iscsi?.initiatorName === 'string' && byteLength(`${name}:${v.iscsi.targetPortal ?? ''}`) > 64) {
      errs.push(invalid(`${path}.name`, name, iscsiNameTooLong))
    }
  }
  if (!seen) errs.push(required(path, 'must specify a volume type'))
  return errs
}

/** ValidateVolumes. `meta` only of a real pod: its name decides the names of generic ephemeral volumes' claims. */
export function validateVolumes(
  list: readonly Volume[] | undefined,
  meta: ObjectMeta | undefined,
  path: string,
  opts: PodValidationOptions,
): { volumes: Volumes; errs: FieldError[] } {
  const errs: FieldError[] = []
  const volumes = new Map<string, Volume>()
  const created = new Set(meta?.name ? (list ?? []).filter((v) => v.ephemeral).map((v) => `${meta.name}-${v.name ?? ''}`) : [])
  for (const [i, v] of (list ?? []).entries()) {
    const at = `${path}[${i}]`
    const name = v.name ?? ''
    const own = validateVolumeSource(v, at, meta, opts)
    own.push(...(name ? dns1123Label(name, `${at}.name`) : [required(`${at}.name`)]))
    if (volumes.has(name)) own.push(duplicate(`${at}.name`, name))
    if (own.length === 0) volumes.set(name, v)
    errs.push(...own)
    const claim = v.persistentVolumeClaim?.claimName
    if (v.persistentVolumeClaim && created.has(claim ?? '')) {
      errs.push(
        invalid(`${at}.persistentVolumeClaim.claimName`, claim, 'must not reference a PVC that gets created for an ephemeral volume'),
      )
    }
  }
  return { volumes, errs }
}

// Volume mounts and block devices of a container (pkg/apis/core/validation/validation.go: ValidateVolumeMounts, ValidateVolumeDevices).
import { type FieldError, forbidden, invalid, notFound, notSupported, required } from '../../../../api/field.ts'
import type { Volume, VolumeDevice, VolumeMount } from '../../../../api/types/kubernetes.gen.ts'
import { localDescendingPath, pathNoBacksteps } from './paths.ts'
import type { AnyContainer } from './visit.ts'

/** The pod's valid volumes by name: an invalid one cannot be mounted either. */
export type Volumes = ReadonlyMap<string, Volume>

const propagations = ['Bidirectional', 'HostToContainer', 'None']

function validatePropagation(mount: VolumeMount, container: AnyContainer, path: string): FieldError[] {
  const propagation = mount.mountPropagation as string | undefined
  if (propagation === undefined || propagation === null) return []
  const errs = propagations.includes(propagation) ? [] : [notSupported(path, propagation, propagations)]
  if (propagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
    errs.push(forbidden(path, 'Bidirectional mount propagation is available only to privileged containers'))
  }
  return errs
}

function validateRecursiveReadOnly(mount: VolumeMount, path: string): FieldError[] {
  const mode = mount.recursiveReadOnly
  if (mode === undefined || mode === null || mode === 'Disabled') return []
  if (mode !== 'Enabled' && mode !== 'IfPossible') return [notSupported(path, mode, ['Disabled', 'Enabled', 'IfPossible'])]
  const errs: FieldError[] = []
  if (!mount.readOnly) errs.push(forbidden(path, 'may only be specified when readOnly is true'))
  const propagation = mount.mountPropagation as string | undefined
  if (propagation !== undefined && propagation !== null && propagation !== 'None') {
    errs.push(forbidden(path, 'may only be specified when mountPropagation is None or not specified'))
  }
  return errs
}

/** Paths of subPath, mountPropagation and recursiveReadOnly name the list and not the entry, as upstream does. */
export function validateVolumeMounts(container: AnyContainer, volumes: Volumes, path: string): FieldError[] {
  const errs: FieldError[] = []
  const devices = container.volumeDevices ?? []
  const deviceNames = new Set(devices.map((d) => d.name ?? ''))
  const devicePaths = new Set(new Map(devices.map((d) => [d.name ?? '', d.devicePath ?? ''])).values())
  const mountPaths = new Set<string>()
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${path}[${i}]`
    const name = mount.name ?? ''
    const mountPath = mount.mountPath ?? ''
    if (!name) errs.push(required(`${at}.name`))
    if (!volumes.has(name)) errs.push(notFound(`${at}.name`, name))
    if (!mountPath) errs.push(required(`${at}.mountPath`))
    if (mountPaths.has(mountPath)) errs.push(invalid(`${at}.mountPath`, mountPath, 'must be unique'))
    mountPaths.add(mountPath)
    if (deviceNames.has(name)) errs.push(invalid(`${at}.name`, name, 'must not already exist in volumeDevices'))
    if (devicePaths.has(mountPath)) errs.push(invalid(`${at}.mountPath`, mountPath, 'must not already exist as a path in volumeDevices'))
    if (mount.subPath) errs.push(...localDescendingPath(mount.subPath, `${path}.subPath`))
    if (mount.subPathExpr) {
      if (mount.subPath) errs.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'))
      errs.push(...localDescendingPath(mount.subPathExpr, `${path}.subPathExpr`))
    }
    errs.push(
      ...validatePropagation(mount, container, `${path}.mountPropagation`),
      ...validateRecursiveReadOnly(mount, `${path}.recursiveReadOnly`),
    )
  }
  return errs
}

export function validateVolumeDevices(container: AnyContainer, volumes: Volumes, path: string): FieldError[] {
  const errs: FieldError[] = []
  const mounts = new Map((container.volumeMounts ?? []).map((m) => [m.name ?? '', m.mountPath ?? '']))
  const mountPaths = new Set(mounts.values())
  const names = new Set<string>()
  const paths = new Set<string>()
  for (const [i, device] of (container.volumeDevices ?? ([] as VolumeDevice[])).entries()) {
    const at = `${path}[${i}]`
    const name = device.name ?? ''
    const devicePath = device.devicePath ?? ''
    const volume = volumes.get(name)
    if (!name) errs.push(required(`${at}.name`))
    if (names.has(name)) errs.push(invalid(`${at}.name`, name, 'must be unique'))
    if (volume && !volume.persistentVolumeClaim && !volume.ephemeral) {
      errs.push(invalid(`${at}.name`, name, 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode'))
    }
    if (!volume) errs.push(notFound(`${at}.name`, name))
    if (!devicePath) errs.push(required(`${at}.devicePath`))
    if (paths.has(devicePath)) errs.push(invalid(`${at}.devicePath`, devicePath, 'must be unique'))
    if (devicePath && pathNoBacksteps(devicePath, '').length > 0)
      errs.push(invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"))
    else paths.add(devicePath)
    if (mounts.has(name)) errs.push(invalid(`${at}.name`, name, 'must not already exist in volumeMounts'))
    if (mountPaths.has(devicePath)) errs.push(invalid(`${at}.devicePath`, devicePath, 'must not already exist as a path in volumeMounts'))
    if (name) names.add(name)
  }
  return errs
}

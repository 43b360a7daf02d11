// The everyday volume sources: host paths, files from ConfigMaps, Secrets and the downward API, images.
import { type FieldError, invalid, notSupported, required } from '../../../../api/field.ts'
import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  DownwardAPIVolumeSource,
  HostPathVolumeSource,
  ImageVolumeSource,
  KeyToPath,
  SecretVolumeSource,
} from '../../../../api/types/kubernetes.gen.ts'
import { validateObjectFieldSelector, validateResourceFieldSelector, volumeFieldPaths } from './env.ts'
import type { PodValidationOptions } from './options.ts'
import { localNonReservedPath, pathNoBacksteps } from './paths.ts'

const hostPathTypes = ['', 'BlockDevice', 'CharDevice', 'Directory', 'DirectoryOrCreate', 'File', 'FileOrCreate', 'Socket']

export const fileMode = (mode: number | undefined, path: string): FieldError[] =>
  typeof mode === 'number' && (mode > 0o777 || mode < 0)
    ? [invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive')]
    : []

export function pathSource(source: Partial<HostPathVolumeSource>, path: string): FieldError[] {
  if (!source.path) return [required(`${path}.path`)]
  const type = source.type as string | undefined
  const errs = pathNoBacksteps(source.path, `${path}.path`)
  if (typeof type === 'string' && !hostPathTypes.includes(type)) errs.push(notSupported(`${path}.type`, type, hostPathTypes))
  return errs
}

export function keyToPath(item: KeyToPath, path: string): FieldError[] {
  return [
    ...(item.key ? [] : [required(`${path}.key`)]),
    ...(item.path ? [] : [required(`${path}.path`)]),
    ...localNonReservedPath(item.path ?? '', `${path}.path`),
    ...fileMode(item.mode, `${path}.mode`),
  ]
}

/** A ConfigMap or Secret volume, whose object is named by `nameField`. */
export function fileSource(
  source: Partial<ConfigMapVolumeSource & SecretVolumeSource>,
  nameField: 'name' | 'secretName',
  path: string,
): FieldError[] {
  return [
    ...(source[nameField] ? [] : [required(`${path}.${nameField}`)]),
    ...fileMode(source.defaultMode, `${path}.defaultMode`),
    ...(source.items ?? []).flatMap((item, i) => keyToPath(item, `${path}.items[${i}]`)),
  ]
}

export function downwardAPIFile(file: DownwardAPIVolumeFile, path: string): FieldError[] {
  const errs: FieldError[] = []
  if (!file.path) errs.push(required(`${path}.path`))
  errs.push(...localNonReservedPath(file.path ?? '', `${path}.path`))
  if (file.fieldRef) {
    errs.push(...validateObjectFieldSelector(file.fieldRef, volumeFieldPaths, `${path}.fieldRef`))
    if (file.resourceFieldRef) errs.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
  } else if (file.resourceFieldRef) errs.push(...validateResourceFieldSelector(file.resourceFieldRef, `${path}.resourceFieldRef`, true))
  else errs.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  return [...errs, ...fileMode(file.mode, `${path}.mode`)]
}

/** Errors of items name the volume source, not the item, as upstream does. */
export const downwardAPISource = (source: DownwardAPIVolumeSource, path: string): FieldError[] => [
  ...fileMode(source.defaultMode, `${path}.defaultMode`),
  ...(source.items ?? []).flatMap((file) => downwardAPIFile(file, path)),
]

export const pullPolicies = ['Always', 'IfNotPresent', 'Never']

export function validatePullPolicy(policy: string | undefined, path: string): FieldError[] {
  if (!policy) return [required(path)]
  return pullPolicies.includes(policy) ? [] : [notSupported(path, policy, pullPolicies)]
}

export const imageSource = (source: ImageVolumeSource, path: string, opts: PodValidationOptions): FieldError[] => [
  ...(opts.resourceIsPod && !source.reference ? [required(`${path}.reference`)] : []),
  ...validatePullPolicy(source.pullPolicy, `${path}.pullPolicy`),
]

// Environment variables and the references in them (pkg/apis/core/validation/validation.go: ValidateEnv, ValidateEnvFrom …).
import { type FieldError, invalid, notFound, notSupported, required } from '../../../../api/field.ts'
import type {
  ConfigMapKeySelector,
  EnvFromSource,
  EnvVar,
  FileKeySelector,
  ObjectFieldSelector,
  PodSpec,
  ResourceFieldSelector,
  SecretKeySelector,
} from '../../../../api/types/kubernetes.gen.ts'
import { pathNoBacksteps } from './paths.ts'
import { compare, quantityString } from './quantities.ts'
import { dns1123Label, invalidEach, isConfigMapKey, isQualifiedName, isRelaxedEnvVarName, nameIsDNSSubdomain } from './rules.ts'
import { containersWithPath } from './visit.ts'

const envFieldPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]
export const volumeFieldPaths = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid']
const containerResources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]
const downwardLabels = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'status.phase',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
])

/** `metadata.labels['key']` → path and key (pkg/fieldpath). */
function splitSubscript(fieldPath: string): [path: string, subscript: string] | undefined {
  if (!fieldPath.endsWith("']")) return undefined
  const s = fieldPath.slice(0, -2)
  const at = s.indexOf("['")
  return at > 0 ? [s.slice(0, at), s.slice(at + 2)] : undefined
}

/** ConvertDownwardAPIFieldLabel: the internal path, or why there is none. */
function convertLabel(version: string, label: string): { path: string } | { error: string } {
  if (version !== 'v1') return { error: `unsupported pod version: ${version}` }
  const split = splitSubscript(label)
  if (split) {
    const ok = split[0] === 'metadata.annotations' || split[0] === 'metadata.labels'
    return ok ? { path: label } : { error: `field label does not support subscript: ${label}` }
  }
  if (downwardLabels.has(label)) return { path: label }
  return label === 'spec.host' ? { path: 'spec.nodeName' } : { error: `field label not supported: ${label}` }
}

export function validateObjectFieldSelector(ref: ObjectFieldSelector, allowed: readonly string[], path: string): FieldError[] {
  if (!ref.apiVersion) return [required(`${path}.apiVersion`)]
  if (!ref.fieldPath) return [required(`${path}.fieldPath`)]
  const converted = convertLabel(ref.apiVersion, ref.fieldPath)
  if ('error' in converted) return [invalid(`${path}.fieldPath`, ref.fieldPath, `error converting fieldPath: ${converted.error}`)]
  const split = splitSubscript(converted.path)
  if (!split) return allowed.includes(converted.path) ? [] : [notSupported(`${path}.fieldPath`, converted.path, allowed)]
  const [base, subscript] = split
  const key = base === 'metadata.annotations' ? subscript.toLowerCase() : subscript
  return invalidEach(path, key, isQualifiedName(key))
}

const sizeDivisors = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']

function validateDivisor(resource: string, divisor: string, path: string): FieldError[] {
  if (compare(divisor, '0') === 0) return []
  const text = quantityString(divisor)
  const only = (values: readonly string[], what: string): FieldError[] =>
    values.includes(text)
      ? []
      : [invalid(`${path}.divisor`, resource, `only divisor's values ${values.join(', ')} are supported with the ${what} resource`)]
  switch (resource) {
    case 'limits.cpu':
    case 'requests.cpu':
      return text === '1m' || text === '1'
        ? []
        : [invalid(`${path}.divisor`, resource, "only divisor's values 1m and 1 are supported with the cpu resource")]
    case 'limits.memory':
    case 'requests.memory':
      return only(sizeDivisors, 'memory')
    case 'limits.ephemeral-storage':
    case 'requests.ephemeral-storage':
      return only(sizeDivisors, 'local ephemeral storage')
  }
  return /^(requests|limits)\.hugepages-/.test(resource) ? only(sizeDivisors, 'hugepages') : []
}

export function validateResourceFieldSelector(ref: ResourceFieldSelector, path: string, volume: boolean): FieldError[] {
  const resource = ref.resource ?? ''
  const errs: FieldError[] = []
  if (volume && !ref.containerName) errs.push(required(`${path}.containerName`))
  else if (!resource) errs.push(required(`${path}.resource`))
  else if (!containerResources.includes(resource) && !/^(requests|limits)\.hugepages-/.test(resource)) {
    errs.push(notSupported(`${path}.resource`, resource, containerResources))
  }
  return [...errs, ...validateDivisor(resource, ref.divisor ?? '0', path)]
}

function validateKeySelector(ref: ConfigMapKeySelector | SecretKeySelector, path: string): FieldError[] {
  const errs = invalidEach(`${path}.name`, ref.name ?? '', nameIsDNSSubdomain(ref.name ?? '', false))
  if (!ref.key) errs.push(required(`${path}.key`))
  else errs.push(...invalidEach(`${path}.key`, ref.key, isConfigMapKey(ref.key)))
  return errs
}

function validateFileKeySelector(ref: FileKeySelector, path: string): FieldError[] {
  return [
    ...(ref.key ? invalidEach(`${path}.key`, ref.key, isRelaxedEnvVarName(ref.key)) : [required(`${path}.key`)]),
    ...(ref.volumeName ? dns1123Label(ref.volumeName, `${path}.volumeName`) : [required(`${path}.volumeName`)]),
    ...(ref.path ? pathNoBacksteps(ref.path, `${path}.path`) : [required(`${path}.path`)]),
  ]
}

function validateValueFrom(env: EnvVar, path: string): FieldError[] {
  const from = env.valueFrom
  if (!from) return []
  const errs: FieldError[] = []
  let sources = 0
  if (from.fieldRef) {
    sources++
    errs.push(...validateObjectFieldSelector(from.fieldRef, envFieldPaths, `${path}.fieldRef`))
  }
  if (from.resourceFieldRef) {
    sources++
    errs.push(...validateResourceFieldSelector(from.resourceFieldRef, `${path}.resourceFieldRef`, false))
  }
  if (from.configMapKeyRef) {
    sources++
    errs.push(...validateKeySelector(from.configMapKeyRef, `${path}.configMapKeyRef`))
  }
  if (from.secretKeyRef) {
    sources++
    errs.push(...validateKeySelector(from.secretKeyRef, `${path}.secretKeyRef`))
  }
  if (from.fileKeyRef) {
    sources++
    errs.push(...validateFileKeySelector(from.fileKeyRef, `${path}.fileKeyRef`))
  }
  if (sources === 0)
    errs.push(invalid(path, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`'))
  else if (env.value) errs.push(invalid(path, '', 'may not be specified when `value` is not empty'))
  else if (sources > 1) errs.push(invalid(path, '', 'may not have more than one field specified at a time'))
  return errs
}

export const validateEnv = (vars: readonly EnvVar[] | undefined, path: string): FieldError[] =>
  (vars ?? []).flatMap((env, i) => [
    ...(env.name ? invalidEach(`${path}[${i}].name`, env.name, isRelaxedEnvVarName(env.name)) : [required(`${path}[${i}].name`)]),
    ...validateValueFrom(env, `${path}[${i}].valueFrom`),
  ])

function validateEnvSource(ref: { name?: string }, path: string): FieldError[] {
  return ref.name ? invalidEach(`${path}.name`, ref.name, nameIsDNSSubdomain(ref.name, true)) : [required(`${path}.name`)]
}

/** The two last errors name the list, not the entry, as upstream does. */
export const validateEnvFrom = (sources: readonly EnvFromSource[] | undefined, path: string): FieldError[] =>
  (sources ?? []).flatMap((from, i) => {
    const errs: FieldError[] = []
    if (from.prefix) errs.push(...invalidEach(`${path}[${i}].prefix`, from.prefix, isRelaxedEnvVarName(from.prefix)))
    if (from.configMapRef) errs.push(...validateEnvSource(from.configMapRef, `${path}[${i}].configMapRef`))
    if (from.secretRef) errs.push(...validateEnvSource(from.secretRef, `${path}[${i}].secretRef`))
    if (!from.configMapRef && !from.secretRef) errs.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'))
    else if (from.configMapRef && from.secretRef) errs.push(invalid(path, '', 'may not have more than one field specified at a time'))
    return errs
  })

/** validateFileKeyRefVolumes: env files live in emptyDir volumes. */
export function validateFileKeyRefVolumes(spec: PodSpec, path: string): FieldError[] {
  const sources = new Map((spec.volumes ?? []).map((v) => [v.name ?? '', v]))
  return containersWithPath(spec, path).flatMap(({ container, path: containerPath }) =>
    (container.env ?? []).flatMap((env, i) => {
      const file = env.valueFrom?.fileKeyRef
      if (!file) return []
      const at = `${containerPath}.env[${i}].valueFrom.fileKeyRef.volumeName`
      const volume = sources.get(file.volumeName ?? '')
      if (!volume) return [notFound(at, file.volumeName ?? '')]
      return volume.emptyDir ? [] : [invalid(at, file.volumeName, 'referenced volume must be of type emptyDir')]
    }),
  )
}

// Containers of all three lists (pkg/apis/core/validation/validation.go: validateContainers, validateInitContainers, validateEphemeralContainers).
import { type FieldError, duplicate, forbidden, invalid, notFound, notSupported, required, tooLong } from '../../../../api/field.ts'
import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  ContainerRestartRule,
  PodSpec,
} from '../../../../api/types/kubernetes.gen.ts'
import { validateEnv, validateEnvFrom } from './env.ts'
import { type Volumes, validateVolumeDevices, validateVolumeMounts } from './mounts.ts'
import type { PodValidationOptions } from './options.ts'
import { validateLifecycle, validateProbes } from './probes.ts'
import { validateContainerResources } from './resources.ts'
import { dns1123Label, invalidEach, isValidPortName, isValidPortNum } from './rules.ts'
import { validateSecurityContext } from './security.ts'
import { type AnyContainer, isRestartableInitContainer } from './visit.ts'
import { validatePullPolicy } from './volume-sources.ts'

/** What the checks of one container need to know about its pod. */
export interface PodContext {
  spec: PodSpec
  volumes: Volumes
  claims: ReadonlySet<string>
  opts: PodValidationOptions
}

const protocols = ['SCTP', 'TCP', 'UDP']

function validatePorts(ports: readonly ContainerPort[] | undefined, path: string): FieldError[] {
  const errs: FieldError[] = []
  const names = new Set<string>()
  for (const [i, port] of (ports ?? []).entries()) {
    const at = `${path}[${i}]`
    if (port.name) {
      const wrong = isValidPortName(port.name)
      if (wrong.length > 0) errs.push(...invalidEach(`${at}.name`, port.name, wrong))
      else if (names.has(port.name)) errs.push(duplicate(`${at}.name`, port.name))
      else names.add(port.name)
    }
    if (!port.containerPort) errs.push(required(`${at}.containerPort`))
    else errs.push(...invalidEach(`${at}.containerPort`, port.containerPort, isValidPortNum(port.containerPort)))
    if (port.hostPort) errs.push(...invalidEach(`${at}.hostPort`, port.hostPort, isValidPortNum(port.hostPort)))
    const protocol = port.protocol as string | undefined
    if (!protocol) errs.push(required(`${at}.protocol`))
    else if (!protocols.includes(protocol)) errs.push(notSupported(`${at}.protocol`, protocol, protocols))
  }
  return errs
}

/** Errors name the list, except for duplicates, as upstream does. */
function validateResizePolicy(
  policies: readonly ContainerResizePolicy[] | undefined,
  path: string,
  podRestartPolicy: string | undefined,
): FieldError[] {
  const errs: FieldError[] = []
  const seen = new Set<string>()
  for (const [i, policy] of (policies ?? []).entries()) {
    const resource = policy.resourceName ?? ''
    const restart = policy.restartPolicy ?? ''
    if (seen.has(resource)) errs.push(duplicate(`${path}[${i}]`, resource))
    seen.add(resource)
    if (!resource) errs.push(required(path))
    else if (resource !== 'cpu' && resource !== 'memory') errs.push(notSupported(path, resource, ['cpu', 'memory']))
    if (!restart) errs.push(required(path))
    else if (restart !== 'NotRequired' && restart !== 'RestartContainer')
      errs.push(notSupported(path, restart, ['NotRequired', 'RestartContainer']))
    if (podRestartPolicy === 'Never' && restart !== 'NotRequired') {
      errs.push(invalid(path, restart, "must be 'NotRequired' when `restartPolicy` is 'Never'"))
    }
  }
  return errs
}

const messagePolicies = ['File', 'FallbackToLogsOnError']

/** validateContainerCommon. */
function validateCommon(c: AnyContainer, path: string, pod: PodContext): FieldError[] {
  const errs = c.name ? dns1123Label(c.name, `${path}.name`) : [required(`${path}.name`)]
  if (!c.image) errs.push(required(`${path}.image`))
  const policy = c.terminationMessagePolicy as string | undefined
  if (!policy) errs.push(required(`${path}.terminationMessagePolicy`))
  else if (!messagePolicies.includes(policy)) errs.push(notSupported(`${path}.terminationMessagePolicy`, policy, messagePolicies))
  return [
    ...errs,
    ...validatePorts(c.ports, `${path}.ports`),
    ...validateEnv(c.env, `${path}.env`),
    ...validateEnvFrom(c.envFrom, `${path}.envFrom`),
    ...validateVolumeMounts(c, pod.volumes, `${path}.volumeMounts`),
    ...validateVolumeDevices(c, pod.volumes, `${path}.volumeDevices`),
    ...validatePullPolicy(c.imagePullPolicy, `${path}.imagePullPolicy`),
    ...validateContainerResources(c.resources, pod.claims, `${path}.resources`, pod.opts),
    ...validateResizePolicy(c.resizePolicy, `${path}.resizePolicy`, pod.spec.restartPolicy),
    ...validateSecurityContext(c.securityContext, `${path}.securityContext`, pod.spec.hostUsers !== false),
  ]
}

/** Two containers cannot have the same port of the host. */
function hostPortConflicts(containers: readonly Container[], path: string): FieldError[] {
  const errs: FieldError[] = []
  const taken = new Set<string>()
  for (const [i, c] of containers.entries()) {
    for (const [j, port] of (c.ports ?? []).entries()) {
      if (!port.hostPort) continue
      const key = `${port.protocol ?? ''}/${port.hostIP ?? ''}/${port.hostPort}`
      if (taken.has(key)) errs.push(duplicate(`${path}[${i}].ports[${j}].hostPort`, key))
      taken.add(key)
    }
  }
  return errs
}

const restartPolicies = ['Always', 'Never', 'OnFailure']

function validateRestartRule(rule: ContainerRestartRule, path: string, opts: PodValidationOptions): FieldError[] {
  const action = rule.action ?? ''
  const errs: FieldError[] = []
  const known = action === 'Restart' || (opts.allowRestartAllContainers && action === 'RestartAllContainers')
  if (!known) errs.push(notSupported(`${path}.action`, action, ['Restart']))
  const codes = rule.exitCodes
  if (!codes) return [...errs, required(`${path}.exitCodes`, 'must be specified')]
  const operator = codes.operator ?? ''
  if (operator !== 'In' && operator !== 'NotIn') errs.push(notSupported(`${path}.exitCodes.operator`, operator, ['In', 'NotIn']))
  if ((codes.values ?? []).length > 255) errs.push(tooLong(`${path}.exitCodes.values`, 255))
  return errs
}

/** validateContainerRestartPolicy: a container's own policy and rules. */
function validateRestartPolicy(c: Container, path: string, opts: PodValidationOptions): FieldError[] {
  const policy = c.restartPolicy
  const rules = c.restartPolicyRules ?? []
  const errs: FieldError[] = []
  if (typeof policy !== 'string') {
    if (rules.length === 0) return []
    errs.push(required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used'))
  } else if (!restartPolicies.includes(policy)) errs.push(notSupported(`${path}.restartPolicy`, policy, restartPolicies))
  if (rules.length > 20) errs.push(tooLong(`${path}.restartPolicyRules`, 20))
  return [...errs, ...rules.flatMap((rule, i) => validateRestartRule(rule, `${path}.restartPolicyRules[${i}]`, opts))]
}

function validateInitRestartPolicy(c: Container, path: string, opts: PodValidationOptions): FieldError[] {
  if (typeof c.restartPolicy !== 'string') {
    return (c.restartPolicyRules ?? []).length > 0
      ? [required(`${path}.restartPolicy`, 'must specify restartPolicy when restart rules are used')]
      : []
  }
  if (c.restartPolicy !== 'Always' || opts.allowRestartAllContainers) return validateRestartPolicy(c, path, opts)
  return (c.restartPolicyRules ?? []).length > 0
    ? [forbidden(`${path}.restartPolicyRules`, 'restartPolicyRules are not allowed for init containers with restart policy Always')]
    : []
}

export function validateContainers(pod: PodContext, path: string): FieldError[] {
  const containers = pod.spec.containers ?? []
  if (containers.length === 0) return [required(path)]
  const names = new Set<string>()
  const errs = containers.flatMap((c, i) => {
    const at = `${path}[${i}]`
    const own = validateCommon(c, at, pod)
    if (names.has(c.name ?? '')) own.push(duplicate(`${at}.name`, c.name ?? ''))
    names.add(c.name ?? '')
    if (c.lifecycle) own.push(...validateLifecycle(c.lifecycle, pod.spec.terminationGracePeriodSeconds, `${at}.lifecycle`, pod.spec.os))
    return [...own, ...validateProbes(c, at), ...validateRestartPolicy(c, at, pod.opts)]
  })
  return [...errs, ...hostPortConflicts(containers, path)]
}

const sidecarsOnly = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const

export function validateInitContainers(pod: PodContext, path: string): FieldError[] {
  const names = new Set((pod.spec.containers ?? []).map((c) => c.name ?? ''))
  return (pod.spec.initContainers ?? []).flatMap((c, i) => {
    const at = `${path}[${i}]`
    const errs = [...validateCommon(c, at, pod), ...validateInitRestartPolicy(c, at, pod.opts)]
    if (names.has(c.name ?? '')) errs.push(duplicate(`${at}.name`, c.name ?? ''))
    else if (c.name) names.add(c.name)
    // Init containers run one by one; upstream therefore looks at each alone, under index 0.
    errs.push(...hostPortConflicts([c], path))
    if (isRestartableInitContainer(c)) {
      if (c.lifecycle) errs.push(...validateLifecycle(c.lifecycle, pod.spec.terminationGracePeriodSeconds, `${at}.lifecycle`, pod.spec.os))
      return [...errs, ...validateProbes(c, at)]
    }
    const reason = 'may not be set for init containers without restartPolicy=Always'
    return [...errs, ...sidecarsOnly.filter((f) => c[f]).map((f) => forbidden(`${at}.${f}`, reason))]
  })
}

/** In Go's order of the struct; everything else may be set. */
const notEphemeral = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const

function isSet(value: unknown): boolean {
  if (value === undefined || value === null) return false
  return typeof value !== 'object' || (Array.isArray(value) ? value.length > 0 : true)
}

export function validateEphemeralContainers(pod: PodContext, path: string): FieldError[] {
  const list = pod.spec.ephemeralContainers ?? []
  if (list.length === 0) return []
  const others = new Set([...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])].map((c) => c.name ?? ''))
  const names = new Set(others)
  const reason = 'cannot be set for an Ephemeral Container'
  return list.flatMap((c, i) => {
    const at = `${path}[${i}]`
    const errs = [...validateCommon(c, at, pod), ...validateImageForPod(c, at)]
    if (names.has(c.name ?? '')) errs.push(duplicate(`${at}.name`, c.name ?? ''))
    names.add(c.name ?? '')
    if (c.targetContainerName && !others.has(c.targetContainerName)) errs.push(notFound(`${at}.targetContainerName`, c.targetContainerName))
    for (const f of notEphemeral) {
      const r = c.resources
      const set =
        f === 'resources'
          ? isSet(r?.claims) || Object.keys(r?.limits ?? {}).length > 0 || Object.keys(r?.requests ?? {}).length > 0
          : isSet(c[f])
      if (set) errs.push(forbidden(`${at}.${f}`, reason))
    }
    for (const [j, mount] of (c.volumeMounts ?? []).entries()) {
      if (mount.subPath) errs.push(forbidden(`${at}.volumeMounts[${j}].subPath`, reason))
      if (mount.subPathExpr) errs.push(forbidden(`${at}.volumeMounts[${j}].subPathExpr`, reason))
    }
    return errs
  })
}

/** validateContainerOnlyForPod: what a template may have but a pod may not. */
export const validateImageForPod = (c: AnyContainer, path: string): FieldError[] =>
  (c.image ?? '').trim() === (c.image ?? '') ? [] : [invalid(`${path}.image`, c.image, 'must not have leading or trailing whitespace')]

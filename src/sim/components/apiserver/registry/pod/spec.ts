// ValidatePodSpec (pkg/apis/core/validation/validation.go), in upstream's order.
import { type FieldError, duplicate, forbidden, invalid, notSupported, required, tooLong } from '../../../../api/field.ts'
import type { ObjectMeta, PodDNSConfig, PodResourceClaim, PodSchedulingGate, PodSpec } from '../../../../api/types/kubernetes.gen.ts'
import { validateAffinity } from './affinity.ts'
import { mirrorPodKey } from './annotations.ts'
import { type PodContext, validateContainers, validateEphemeralContainers, validateInitContainers } from './containers.ts'
import { validateFileKeyRefVolumes } from './env.ts'
import { goPodResourceClaim } from './gostruct.ts'
import { byteLength, has } from './maps.ts'
import type { PodValidationOptions } from './options.ts'
import { validateOverhead, validatePodResources } from './resources.ts'
import {
  dns1123Label,
  dns1123Subdomain,
  inclusiveRangeError,
  invalidEach,
  isDNS1123SubdomainWithUnderscore,
  isQualifiedName,
  isValidIPForLegacyField,
  nameIsDNSSubdomain,
  validateLabels,
} from './rules.ts'
import { validateHostUsers, validatePodSecurityContext } from './security.ts'
import { validateTopologySpreadConstraints } from './spread.ts'
import { validateTolerations } from './tolerations.ts'
import { containersWithPath } from './visit.ts'
import { validateVolumes } from './volumes.ts'
import { validateHostProcess, validateOS } from './windows.ts'

const enumerated = (value: string | undefined, supported: readonly string[], path: string): FieldError[] => {
  if (!value) return [required(path)]
  return supported.includes(value) ? [] : [notSupported(path, value, supported)]
}

function validateResourceClaims(claims: readonly PodResourceClaim[] | undefined, meta: ObjectMeta | undefined, path: string): FieldError[] {
  const names = new Set<string>()
  return (claims ?? []).flatMap((claim, i) => {
    if (has(meta?.annotations, mirrorPodKey)) return [forbidden('[]', 'static pods do not support resource claims')]
    const at = `${path}[${i}]`
    const errs: FieldError[] = []
    if (!claim.name) errs.push(required(`${at}.name`))
    else if (names.has(claim.name)) errs.push(duplicate(`${at}.name`, claim.name))
    else errs.push(...dns1123Label(claim.name, `${at}.name`))
    names.add(claim.name ?? '')
    const { resourceClaimName: name, resourceClaimTemplateName: template } = claim
    const quoted = (detail: string): FieldError => ({ ...invalid(at, undefined, detail), badValueText: goPodResourceClaim(claim) })
    const byName = typeof name === 'string'
    const byTemplate = typeof template === 'string'
    if (byName && byTemplate) errs.push(quoted('at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'))
    if (!byName && !byTemplate) errs.push(quoted('must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
    if (byName) errs.push(...invalidEach(`${at}.resourceClaimName`, name, nameIsDNSSubdomain(name, false)))
    if (byTemplate) errs.push(...invalidEach(`${at}.resourceClaimTemplateName`, template, nameIsDNSSubdomain(template, false)))
    return errs
  })
}

/** validatePodHostNetworkDeps: in a template, a host port may still be missing. */
function validateHostPorts(spec: PodSpec, path: string, opts: PodValidationOptions): FieldError[] {
  if (!spec.hostNetwork) return []
  return (spec.containers ?? []).flatMap((c, i) =>
    (c.ports ?? []).flatMap((port, j) => {
      const hostPort = port.hostPort ?? 0
      if ((!opts.resourceIsPod && hostPort === 0) || hostPort === (port.containerPort ?? 0)) return []
      return [invalid(`${path}.containers[${i}].ports[${j}].hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true')]
    }),
  )
}

function validateSchedulingGates(gates: readonly PodSchedulingGate[] | undefined, path: string): FieldError[] {
  const seen = new Set<string>()
  return (gates ?? []).flatMap((gate, i) => {
    const name = gate.name ?? ''
    const errs = invalidEach(`${path}[${i}]`, name, isQualifiedName(name))
    if (seen.has(name)) errs.push(duplicate(`${path}[${i}]`, name))
    seen.add(name)
    return errs
  })
}

function validateDNSConfig(config: PodDNSConfig | undefined, policy: string | undefined, path: string): FieldError[] {
  if (policy === 'None') {
    if (!config) return [required(path, 'must provide `dnsConfig` when `dnsPolicy` is None')]
    if ((config.nameservers ?? []).length === 0)
      return [required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None')]
  }
  if (!config) return []
  const errs: FieldError[] = []
  const nameservers = config.nameservers ?? []
  const searches = config.searches ?? []
  if (nameservers.length > 3) errs.push(invalid(`${path}.nameservers`, nameservers, 'must not have more than 3 nameservers'))
  errs.push(...nameservers.flatMap((ns, i) => isValidIPForLegacyField(`${path}.nameservers[${i}]`, ns)))
  if (searches.length > 32) errs.push(invalid(`${path}.searches`, searches, 'must not have more than 32 search paths'))
  if (byteLength(searches.join(' ')) > 2048) {
    errs.push(invalid(`${path}.searches`, searches, 'must not have more than 2048 characters (including spaces) in the search list'))
  }
  for (const [i, search] of searches.entries()) {
    const name = search.endsWith('.') ? search.slice(0, -1) : search
    if (search !== '.') errs.push(...invalidEach(`${path}.searches[${i}]`, name, isDNS1123SubdomainWithUnderscore(name)))
  }
  for (const [i, option] of (config.options ?? []).entries())
    if (!option.name) errs.push(required(`${path}.options[${i}]`, 'must not be empty'))
  return errs
}

/** validatePodHostName: spec.hostnameOverride. */
function validateHostnameOverride(spec: PodSpec, path: string): FieldError[] {
  const name = spec.hostnameOverride
  const at = `${path}.hostnameOverride`
  if (typeof name !== 'string') return []
  return [
    ...(spec.setHostnameAsFQDN ? [forbidden(at, 'may not be specified when setHostnameAsFQDN is true')] : []),
    ...(spec.hostNetwork ? [forbidden(at, 'may not be specified when hostNetwork is true')] : []),
    ...(byteLength(name) > 64 ? [tooLong(at, 64)] : []),
    ...dns1123Subdomain(name, at),
  ]
}

const subdomainName = (name: string | undefined, path: string): FieldError[] =>
  name ? invalidEach(path, name, nameIsDNSSubdomain(name, false)) : []

/** The simple fields at the end of ValidatePodSpec. */
function validateNames(spec: PodSpec, path: string, opts: PodValidationOptions): FieldError[] {
  const errs = [
    ...subdomainName(spec.serviceAccountName, `${path}.serviceAccountName`),
    ...subdomainName(spec.nodeName, `${path}.nodeName`),
  ]
  const deadline = spec.activeDeadlineSeconds
  if (typeof deadline === 'number' && (deadline < 1 || deadline > 0x7fffffff)) {
    errs.push(invalid(`${path}.activeDeadlineSeconds`, deadline, inclusiveRangeError(1, 0x7fffffff)))
  }
  if (spec.hostname) errs.push(...dns1123Label(spec.hostname, `${path}.hostname`))
  if (spec.subdomain) errs.push(...dns1123Label(spec.subdomain, `${path}.subdomain`))
  errs.push(...validateTolerations(spec.tolerations, `${path}.tolerations`, opts))
  for (const [i, alias] of (spec.hostAliases ?? []).entries()) {
    errs.push(...isValidIPForLegacyField(`${path}.hostAliases[${i}].ip`, alias.ip ?? ''))
    errs.push(...(alias.hostnames ?? []).flatMap((name, j) => dns1123Subdomain(name, `${path}.hostAliases[${i}].hostnames[${j}]`)))
  }
  errs.push(...subdomainName(spec.priorityClassName, `${path}.priorityClassName`))
  const runtimeClass = spec.runtimeClassName
  if (typeof runtimeClass === 'string')
    errs.push(...invalidEach(`${path}.runtimeClassName`, runtimeClass, nameIsDNSSubdomain(runtimeClass, false)))
  if (typeof spec.preemptionPolicy === 'string') {
    errs.push(...enumerated(spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], `${path}.preemptionPolicy`))
  }
  if (spec.overhead) errs.push(...validateOverhead(spec.overhead, `${path}.overhead`, opts))
  return errs
}

/** `meta` only of a real pod, not of a template. */
export function validatePodSpec(spec: PodSpec, meta: ObjectMeta | undefined, path: string, opts: PodValidationOptions = {}): FieldError[] {
  const { volumes, errs: volumeErrs } = validateVolumes(spec.volumes, meta, `${path}.volumes`, opts)
  const claims = new Set((spec.resourceClaims ?? []).map((c) => c.name ?? '').filter((name) => name !== ''))
  const pod: PodContext = { spec, volumes, claims, opts }
  const devices = containersWithPath(spec, path).flatMap(({ container, path: at }) =>
    (container.volumeDevices ?? []).length > 0 ? [`${at}.volumeDevices`] : [],
  )
  return [
    ...(typeof spec.terminationGracePeriodSeconds === 'number' ? [] : [required(`${path}.terminationGracePeriodSeconds`)]),
    ...volumeErrs,
    ...validateResourceClaims(spec.resourceClaims, meta, `${path}.resourceClaims`),
    ...validateContainers(pod, `${path}.containers`),
    ...validateInitContainers(pod, `${path}.initContainers`),
    ...validateEphemeralContainers(pod, `${path}.ephemeralContainers`),
    ...validatePodResources(spec, claims, path, opts),
    ...validateHostPorts(spec, path, opts),
    ...enumerated(spec.restartPolicy, ['Always', 'OnFailure', 'Never'], `${path}.restartPolicy`),
    ...enumerated(spec.dnsPolicy, ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'], `${path}.dnsPolicy`),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec, `${path}.securityContext`, opts),
    ...validateAffinity(spec.affinity, `${path}.affinity`, opts),
    ...validateDNSConfig(spec.dnsConfig, spec.dnsPolicy, `${path}.dnsConfig`),
    ...(spec.readinessGates ?? []).flatMap((gate, i) =>
      invalidEach(`${path}.readinessGates[${i}].conditionType`, gate.conditionType ?? '', isQualifiedName(gate.conditionType ?? '')),
    ),
    ...validateSchedulingGates(spec.schedulingGates, `${path}.schedulingGates`),
    ...validateTopologySpreadConstraints(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`, opts),
    ...validateHostProcess(spec, path),
    ...validateHostUsers(spec, path, opts, devices),
    ...validateHostnameOverride(spec, path),
    ...validateNames(spec, path, opts),
    ...validateOS(spec, path),
    ...validateFileKeyRefVolumes(spec, path),
  ]
}

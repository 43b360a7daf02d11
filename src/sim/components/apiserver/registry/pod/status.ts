// The /status door: what it keeps, and ValidatePodStatusUpdate (pkg/registry/core/pod/strategy.go, pkg/apis/core/validation/validation.go).
import { type FieldError, duplicate, forbidden, internalError, invalid, required } from '../../../../api/field.ts'
import type { Container, ContainerStatus, PodCondition, PodSpec, PodStatus } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { ipFamilyOf } from '../../../../api/validation/ip.ts'
import { validateImmutableField } from '../../../../api/validation/objectmeta.ts'
import { podSpecificAnnotationUpdates } from './annotations.ts'
import { dropDisabledStatusFields } from './disabled.ts'
import { goIPs } from './gostruct.ts'
import { has } from './maps.ts'
import {
  getWarningsForIP,
  dns1123Label,
  invalidEach,
  isQualifiedName,
  isValidIPForLegacyField,
  nameIsDNSSubdomain,
  validatePodMetaUpdate,
} from './rules.ts'
import { unixId } from './security.ts'
import { podOptions, specOf } from './update.ts'

export const statusOf = (pod: KubeObject): PodStatus => (pod['status'] as PodStatus | undefined) ?? {}

/** preserveOldObservedGeneration: a client cannot clear it. */
function preserveObservedGeneration(status: PodStatus, old: PodStatus): void {
  if (!status.observedGeneration && old.observedGeneration) status.observedGeneration = old.observedGeneration
  const known = new Map<string, (number | undefined)[]>()
  for (const c of old.conditions ?? []) known.set(c.type, [...(known.get(c.type) ?? []), c.observedGeneration])
  status.conditions = status.conditions?.map((c) => {
    const generation = known.get(c.type)?.shift()
    return c.observedGeneration || !generation ? c : { ...c, observedGeneration: generation }
  }) as PodCondition[]
  if (!status.conditions) delete (status as { conditions?: PodCondition[] }).conditions
}

export function preparePodStatusUpdate(draft: KubeObject, old: KubeObject): void {
  draft['spec'] = old['spec']
  if (old.metadata.deletionTimestamp === undefined) delete draft.metadata.deletionTimestamp
  else draft.metadata.deletionTimestamp = old.metadata.deletionTimestamp
  if (old.metadata.ownerReferences === undefined) delete draft.metadata.ownerReferences
  else draft.metadata.ownerReferences = old.metadata.ownerReferences
  const status = statusOf(draft)
  draft['status'] = status
  const oldStatus = statusOf(old)
  if (!status.qosClass && oldStatus.qosClass) status.qosClass = oldStatus.qosClass
  preserveObservedGeneration(status, oldStatus)
  dropDisabledStatusFields(status, oldStatus)
}

const systemConditions = new Set(['PodScheduled', 'Ready', 'Initialized'])

const validateConditions = (conditions: readonly PodCondition[] | undefined, path: string): FieldError[] =>
  (conditions ?? []).flatMap((c, i) => {
    const generation = c.observedGeneration ?? 0
    const errs = generation < 0 ? [invalid(`${path}[${i}].observedGeneration`, generation, 'must be a non-negative integer')] : []
    const type = c.type ?? ''
    return systemConditions.has(type) ? errs : [...errs, ...invalidEach(`${path}[${i}].Type`, type, isQualifiedName(type))]
  })

/** ContainerShouldRestart: rules, then the container's policy, then the pod's. */
function shouldRestart(c: Container, spec: PodSpec, exitCode: number): boolean {
  const byPolicy = (policy: string | undefined): boolean | undefined =>
    policy === 'Always' ? true : policy === 'OnFailure' ? exitCode !== 0 : policy === 'Never' ? false : undefined
  if (typeof c.restartPolicy === 'string') {
    const rule = (c.restartPolicyRules ?? []).find((r) => {
      const listed = (r.exitCodes?.values ?? []).includes(exitCode)
      return r.exitCodes?.operator === 'In' ? listed : r.exitCodes?.operator === 'NotIn' && !listed
    })
    if (rule?.action === 'Restart') return true
    const own = byPolicy(c.restartPolicy)
    if (own !== undefined) return own
  }
  return byPolicy(spec.restartPolicy) ?? false
}

/** A container that will not be restarted cannot leave its terminated state. */
function stateTransitions(
  statuses: readonly ContainerStatus[],
  old: readonly ContainerStatus[],
  path: string,
  mayRestart: (name: string, exitCode: number) => boolean,
): FieldError[] {
  return old.flatMap((before, i) => {
    const terminated = before.state?.terminated
    if (!terminated) return []
    const after = statuses.find((s) => s.name === before.name && !s.state?.terminated)
    if (!after || mayRestart(before.name, terminated.exitCode ?? 0)) return []
    return [forbidden(`${path}[${i}].state`, 'may not be transitioned to non-terminated state')]
  })
}

function transitionErrors(status: PodStatus, old: PodStatus, spec: PodSpec): FieldError[] {
  const restartsOf = (containers: readonly Container[] | undefined) => (name: string, exitCode: number) => {
    const c = (containers ?? []).find((container) => container.name === name)
    return c !== undefined && shouldRestart(c, spec, exitCode)
  }
  const all = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  const allCouldRestart =
    podOptions().allowRestartAllContainers && all.some((c) => (c.restartPolicyRules ?? []).some((r) => r.action === 'RestartAllContainers'))
  const regular = allCouldRestart
    ? []
    : [
        ...stateTransitions(
          status.containerStatuses ?? [],
          old.containerStatuses ?? [],
          'status.containerStatuses',
          restartsOf(spec.containers),
        ),
        ...stateTransitions(
          status.initContainerStatuses ?? [],
          old.initContainerStatuses ?? [],
          'status.initContainerStatuses',
          restartsOf(spec.initContainers),
        ),
      ]
  const ephemeral = stateTransitions(
    status.ephemeralContainerStatuses ?? [],
    old.ephemeralContainerStatuses ?? [],
    'status.ephemeralContainerStatuses',
    () => false,
  )
  return [...regular, ...ephemeral]
}

function claimStatuses(status: PodStatus, spec: PodSpec, path: string): FieldError[] {
  const names = new Set<string>()
  return (status.resourceClaimStatuses ?? []).flatMap((s, i) => {
    const at = `${path}[${i}].name`
    const name = s.name ?? ''
    const errs: FieldError[] = []
    if (!(spec.resourceClaims ?? []).some((c) => c.name === name))
      errs.push(invalid(at, name, 'must match the name of an entry in `spec.resourceClaims`'))
    if (names.has(name)) errs.push(duplicate(at, name))
    names.add(name)
    if (typeof s.resourceClaimName === 'string')
      errs.push(...invalidEach(at, s.resourceClaimName, nameIsDNSSubdomain(s.resourceClaimName, false)))
    return errs
  })
}

/** validatePodExtendedResourceClaimStatus; only for pods that have one already. */
function extendedClaim(status: PodStatus, spec: PodSpec, path: string): FieldError[] {
  const claim = status.extendedResourceClaimStatus
  if (!claim) return []
  const containers = new Map([...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((c) => [c.name, c]))
  const errs: FieldError[] = []
  const mappings = claim.requestMappings ?? []
  if (mappings.length === 0) errs.push(required(`${path}.requestMappings`, 'at least one request mapping is required'))
  const seen = new Set<string>()
  for (const [i, m] of mappings.entries()) {
    const at = `${path}.requestMappings[${i}]`
    const c = containers.get(m.containerName)
    const where = 'spec.initContainers.resources.requests or spec.containers.resources.requests'
    if (!c) {
      errs.push(
        invalid(
          `${at}.containerName`,
          m.containerName,
          'must match the name of an entry in spec.initContainers.name or spec.containers.name',
        ),
      )
    } else if (!has(c.resources?.requests, m.resourceName)) {
      errs.push(invalid(`${at}.resourceName`, m.resourceName, `must match the extended resource name of an entry in ${where}`))
    }
    errs.push(...dns1123Label(m.requestName ?? '', `${path}.requestName`))
    const key = `${m.containerName}/${m.resourceName}/${m.requestName}`
    if (seen.has(key)) {
      errs.push(
        duplicate(`${at}.containerName`, m.containerName),
        duplicate(`${at}.resourceName`, m.resourceName),
        duplicate(`${at}.requestName`, m.requestName),
      )
    }
    seen.add(key)
  }
  const name = claim.resourceClaimName
  if (!name) errs.push(required(`${path}.resourceClaimName`))
  else errs.push(...invalidEach(`${path}.resourceClaimName`, name, nameIsDNSSubdomain(name, false)))
  return errs
}

interface IPHolder {
  ip?: string
}

/** Valid addresses, at most one of each family; what was there may stay. */
function validateIPs(ips: readonly IPHolder[], old: readonly IPHolder[] | undefined, path: string): FieldError[] {
  const list = ips.map((i) => i.ip ?? '')
  const known = (old ?? []).map((i) => i.ip ?? '')
  const errs = list.flatMap((ip, i) => isValidIPForLegacyField(`${path}[${i}]`, ip, known))
  if (list.length < 2) return errs
  const families = list.map(ipFamilyOf)
  const bad = families.indexOf(undefined)
  if (bad >= 0) errs.push(internalError(path, `failed to check for dual stack with error:invalid IP[${bad}]: ${list[bad]}`))
  const dual = bad < 0 && families.includes('IPv4') && families.includes('IPv6')
  if (!dual || list.length > 2) {
    errs.push({ ...invalid(path, undefined, 'may specify no more than one IP for each IP family'), badValueText: goIPs(ips) })
  }
  return errs
}

function validateHostIPs(status: PodStatus, old: PodStatus): FieldError[] {
  const ips = status.hostIPs ?? []
  const first = ips[0]?.ip ?? ''
  if (ips.length === 0) return []
  const same = (status.hostIP ?? '') === first ? [] : [invalid('status.hostIPs[0].ip', first, 'must be equal to `hostIP`')]
  return [...same, ...validateIPs(ips, old.hostIPs, 'status.hostIPs')]
}

function validateUsers(statuses: readonly ContainerStatus[] | undefined, path: string, spec: PodSpec): FieldError[] {
  const os = spec.os ? spec.os.name : 'linux'
  return (statuses ?? []).flatMap((s, i) => {
    const linux = s.user?.linux
    const at = `${path}[${i}].user.linux`
    if (!linux) return []
    if (os === 'windows') return [forbidden(at, 'cannot be set for a windows pod')]
    if (os !== 'linux') return []
    return [
      ...unixId(linux.uid, `${at}.uid`),
      ...unixId(linux.gid, `${at}.gid`),
      ...(linux.supplementalGroups ?? []).flatMap((gid, j) => unixId(gid, `${at}.supplementalGroups[${j}]`)),
    ]
  })
}

export function validatePodStatusUpdate(pod: KubeObject, old: KubeObject): FieldError[] {
  const opts = podOptions(old)
  const spec = specOf(pod)
  const status = statusOf(pod)
  const oldStatus = statusOf(old)
  const nominated = status.nominatedNodeName ?? ''
  const renominated = nominated !== (oldStatus.nominatedNodeName ?? '') && nominated !== ''
  const errs = [
    ...validatePodMetaUpdate(pod.metadata, old.metadata),
    ...podSpecificAnnotationUpdates(pod.metadata, old.metadata, spec, 'metadata.annotations', opts),
    ...validateConditions(status.conditions, 'status.conditions'),
  ]
  if ((spec.nodeName ?? '') !== (specOf(old).nodeName ?? '')) errs.push(forbidden('status.nodeName', 'may not be changed directly'))
  if (renominated) {
    errs.push(...invalidEach('status.nominatedNodeName', nominated, nameIsDNSSubdomain(nominated, false)))
    if (specOf(old).nodeName) errs.push(forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node'))
  }
  const generation = status.observedGeneration ?? 0
  if (generation < 0) errs.push(invalid('status.observedGeneration', generation, 'must be a non-negative integer'))
  return [
    ...errs,
    ...validateImmutableField(status.qosClass ?? '', oldStatus.qosClass ?? '', 'status.qosClass'),
    ...transitionErrors(status, oldStatus, specOf(old)),
    ...claimStatuses(status, spec, 'status.resourceClaimStatuses'),
    ...extendedClaim(status, spec, 'status.extendedResourceClaimStatus'),
    ...validateIPs(status.podIPs ?? [], oldStatus.podIPs, 'status.podIPs'),
    ...validateHostIPs(status, oldStatus),
    ...validateUsers(status.containerStatuses, 'status.containerStatuses', spec),
    ...validateUsers(status.initContainerStatuses, 'status.initContainerStatuses', spec),
    ...validateUsers(status.ephemeralContainerStatuses, 'status.ephemeralContainerStatuses', spec),
  ]
}

export function podStatusWarnings(pod: KubeObject): string[] {
  const status = statusOf(pod)
  return [
    ...(status.podIPs ?? []).flatMap((ip, i) => getWarningsForIP(`status.podIPs[${i}].ip`, ip.ip ?? '')),
    ...(status.hostIPs ?? []).flatMap((ip, i) => getWarningsForIP(`status.hostIPs[${i}].ip`, ip.ip ?? '')),
  ]
}

// What one object uses of a quota: kubernetes/pkg/quota/v1/evaluator/core, apiserver/pkg/quota/v1/generic.
import { sortStrings } from '../../../lib/compare.ts'
import { setOwn } from '../../../lib/own.ts'
import { groupResource } from '../meta.ts'
import { quantityToString, parseQuantity } from '../quantity.ts'
import { parseTime } from '../time.ts'
import type { KubeObject } from '../types/object.ts'
import { podLimits, podRequests, type ResourceList } from './resources.ts'

export interface Evaluator {
  /** `pods`, `deployments.apps`. */
  readonly resource: string
  /** Which of the names of a quota concern this kind. */
  matches(name: string): boolean
  usage(object: KubeObject, nowMs: number): ResourceList
  /** What the object must say for these names, or undefined. */
  constraintProblem?(object: KubeObject, names: readonly string[]): string | undefined
  scopeMatches?(scope: ScopeRequirement, object: KubeObject, nowMs: number): boolean
  /** Updates may raise the usage, too. */
  readonly countsUpdates: boolean
}

export interface ScopeRequirement {
  readonly scopeName: string
  readonly operator: string
  readonly values?: readonly string[]
}

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage']
const MUST_SPECIFY = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])
const isExtended = (name: string): boolean => name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.')

function computeUsage(requests: ResourceList, limits: ResourceList): Record<string, string> {
  const out: Record<string, string> = { pods: '1' }
  for (const name of COMPUTE) {
    const [request, limit] = [requests[name], limits[name]]
    if (request !== undefined) {
      out[name] = request
      out[`requests.${name}`] = request
    }
    if (limit !== undefined) out[`limits.${name}`] = limit
  }
  for (const name of Object.keys(requests)) {
    const value = requests[name] as string
    if (name.startsWith('hugepages-')) {
      setOwn(out, name, value)
      setOwn(out, `requests.${name}`, value)
    }
    if (isExtended(name)) setOwn(out, `requests.${name}`, value)
  }
  return out
}

/** QuotaV1Pod: pods that ended, or whose grace is over, use nothing. */
function usesResources(pod: KubeObject, nowMs: number): boolean {
  if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true
  return nowMs <= (parseTime(deletionTimestamp) ?? 0) + deletionGracePeriodSeconds * 1000
}

const isBestEffort = (pod: KubeObject): boolean => {
  const containers = [...(pod.spec.initContainers ?? []), ...(pod.spec.containers ?? [])] as { resources?: { requests?: object; limits?: object } }[]
  const some = (r?: { requests?: object; limits?: object }): boolean => Object.keys(r?.requests ?? {}).some((k) => COMPUTE.includes(k)) || Object.keys(r?.limits ?? {}).some((k) => COMPUTE.includes(k))
  return !some(pod.spec.resources) && !containers.some((c) => some(c.resources))
}

function valueMatches({ operator, values }: ScopeRequirement, value: string): boolean {
  switch (operator) {
    case 'Exists':
      return value !== ''
    case 'DoesNotExist':
      return value === ''
    case 'In':
      return (values ?? []).includes(value)
    case 'NotIn':
      return !(values ?? []).includes(value)
    default:
      return false
  }
}

const crossNamespaceAffinity = (pod: KubeObject): boolean => {
  const { affinity } = pod.spec
  type Term = { namespaces?: string[]; namespaceSelector?: object; podAffinityTerm?: Term }
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some((a) =>
    [...(a?.requiredDuringSchedulingIgnoredDuringExecution ?? []), ...(a?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p: Term) => p.podAffinityTerm)].some(
      (t: Term | undefined) => (t?.namespaces?.length ?? 0) > 0 || t?.namespaceSelector !== undefined,
    ),
  )
}

function podScope(scope: ScopeRequirement, pod: KubeObject): boolean {
  const terminating = pod.spec.activeDeadlineSeconds !== undefined && pod.spec.activeDeadlineSeconds >= 0
  switch (scope.scopeName) {
    case 'Terminating':
      return terminating
    case 'NotTerminating':
      return !terminating
    case 'BestEffort':
      return isBestEffort(pod)
    case 'NotBestEffort':
      return !isBestEffort(pod)
    case 'PriorityClass':
      return scope.operator === 'Exists' ? Boolean(pod.spec.priorityClassName) : valueMatches(scope, pod.spec.priorityClassName ?? '')
    case 'CrossNamespacePodAffinity':
      return crossNamespaceAffinity(pod)
    default:
      return false
  }
}

function podConstraint(pod: KubeObject, names: readonly string[]): string | undefined {
  if (pod.spec.resources) return undefined
  const required = names.filter((n) => MUST_SPECIFY.has(n))
  const missing = new Map<string, string[]>()
  for (const c of [...(pod.spec.containers ?? []), ...(pod.spec.initContainers ?? [])]) {
    const has = computeUsage(c.resources?.requests ?? {}, c.resources?.limits ?? {})
    for (const name of required) if (!Object.hasOwn(has, name)) missing.set(name, [...(missing.get(name) ?? []), c.name])
  }
  if (missing.size === 0) return undefined
  const lines = sortStrings(missing.keys()).map((name) => `${name} for: ${sortStrings(new Set(missing.get(name))).join(',')}`)
  return `must specify ${lines.join('; ')}`
}

const POD_NAMES = new Set(['pods', ...COMPUTE, ...COMPUTE.flatMap((n) => [`requests.${n}`, `limits.${n}`])])

const pods: Evaluator = {
  resource: 'pods',
  matches: (name) => name === 'count/pods' || POD_NAMES.has(name) || name.startsWith('hugepages-') || name.startsWith('requests.hugepages-') || (name.startsWith('requests.') && isExtended(name.slice('requests.'.length))),
  usage(pod, nowMs) {
    if (!usesResources(pod, nowMs)) return { 'count/pods': '1' }
    return { 'count/pods': '1', ...computeUsage(podRequests(pod.spec), podLimits(pod.spec)) }
  },
  constraintProblem: podConstraint,
  scopeMatches: podScope,
  countsUpdates: false,
}

const services: Evaluator = {
  resource: 'services',
  matches: (name) => ['count/services', 'services', 'services.nodeports', 'services.loadbalancers'].includes(name),
  usage({ spec }) {
    const ports = (spec.ports ?? []) as { nodePort?: number }[]
    const out: Record<string, string> = { 'count/services': '1', services: '1' }
    if (spec.type === 'NodePort') out['services.nodeports'] = String(ports.length)
    if (spec.type === 'LoadBalancer') {
      out['services.nodeports'] = String(spec.allocateLoadBalancerNodePorts === false ? ports.filter((p) => p.nodePort).length : ports.length)
      out['services.loadbalancers'] = '1'
    }
    return out
  },
  countsUpdates: true,
}

const CLASS_SUFFIX = '.storageclass.storage.k8s.io/'
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

const claims: Evaluator = {
  resource: 'persistentvolumeclaims',
  matches: (name) => ['count/persistentvolumeclaims', 'persistentvolumeclaims', 'requests.storage'].includes(name) || name.endsWith(`${CLASS_SUFFIX}requests.storage`) || name.endsWith(`${CLASS_SUFFIX}persistentvolumeclaims`),
  usage(claim) {
    const storage = claim.spec?.resources?.requests?.storage as string | undefined
    const className: string = claim.metadata.annotations?.[CLASS_ANNOTATION] ?? claim.spec?.storageClassName ?? ''
    const out: Record<string, string> = { 'count/persistentvolumeclaims': '1', persistentvolumeclaims: '1' }
    if (className !== '') setOwn(out, `${className}${CLASS_SUFFIX}persistentvolumeclaims`, '1')
    if (storage !== undefined) {
      const text = quantityToString(parseQuantity(storage))
      out['requests.storage'] = text
      if (className !== '') setOwn(out, `${className}${CLASS_SUFFIX}requests.storage`, text)
    }
    return out
  },
  scopeMatches: (scope, claim) => scope.scopeName === 'VolumeAttributesClass' && (scope.operator === 'Exists' ? Boolean(claim.spec?.volumeAttributesClassName) : valueMatches(scope, claim.spec?.volumeAttributesClassName ?? '')),
  countsUpdates: true,
}

/** Kinds that had a count before `count/…` came. */
const LEGACY = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas'])

export function evaluatorFor(group: string, resource: string): Evaluator {
  if (group === '') {
    if (resource === 'pods') return pods
    if (resource === 'services') return services
    if (resource === 'persistentvolumeclaims') return claims
  }
  const id = groupResource(group, resource)
  const names = [`count/${id}`, ...(group === '' && LEGACY.has(resource) ? [resource] : [])]
  return {
    resource: id,
    matches: (name) => names.includes(name),
    usage: () => Object.fromEntries(names.map((n) => [n, '1'])),
    countsUpdates: false,
  }
}

const scopesOf = (quota: KubeObject): ScopeRequirement[] => [
  ...((quota.spec?.scopes ?? []) as string[]).map((scopeName) => ({ scopeName, operator: 'Exists' })),
  ...((quota.spec?.scopeSelector?.matchExpressions ?? []) as ScopeRequirement[]),
]

/** Whether a quota counts this object at all: it has a name of this kind, and all its scopes fit. */
export function quotaMatches(quota: KubeObject, evaluator: Evaluator, object: KubeObject, nowMs: number): boolean {
  const hard = (quota.status?.hard ?? quota.spec?.hard ?? {}) as ResourceList
  if (!Object.keys(hard).some((name) => evaluator.matches(name))) return false
  return scopesOf(quota).every((scope) => evaluator.scopeMatches?.(scope, object, nowMs) === true)
}

// What an object counts against a ResourceQuota (k8s.io/apiserver/pkg/quota, pkg/quota/v1/evaluator/core). Admission and the quota
// controller must agree on it.
import type { KubeObject } from './types/object.ts'
import { addQuantities, compareQuantities, newQuantity, parseQuantity, type Quantity, quantityToString, zeroQuantity } from './quantity.ts'

export type Usage = ReadonlyMap<string, Quantity>

export interface QuotaResource {
  readonly group: string
  /** Plural. */
  readonly resource: string
}

const ONE = newQuantity(1)

/** Kinds with a counter of their own beside count/<resource>. */
const PLAIN_COUNTERS: readonly string[] = [
  'configmaps',
  'secrets',
  'replicationcontrollers',
  'resourcequotas',
  'services',
  'persistentvolumeclaims',
]
const COMPUTE: readonly string[] = ['cpu', 'memory', 'ephemeral-storage']
const STORAGE_CLASS_SUFFIX = '.storageclass.storage.k8s.io/'

/** `count/pods`, `count/deployments.apps`. */
export const countName = ({ group, resource }: QuotaResource): string => (group === '' ? `count/${resource}` : `count/${resource}.${group}`)

/** The kind whose objects a hard limit is about. */
export function resourceOfLimit(name: string): QuotaResource | undefined {
  if (name.startsWith('count/')) {
    const rest = name.slice('count/'.length)
    const dot = rest.indexOf('.')
    return dot < 0 ? { group: '', resource: rest } : { group: rest.slice(dot + 1), resource: rest.slice(0, dot) }
  }
  if (name.startsWith('services')) return { group: '', resource: 'services' }
  if (name === 'requests.storage' || name.includes(STORAGE_CLASS_SUFFIX)) return { group: '', resource: 'persistentvolumeclaims' }
  if (PLAIN_COUNTERS.includes(name)) return { group: '', resource: name }
  if (
    name === 'pods' ||
    COMPUTE.includes(name) ||
    name.startsWith('requests.') ||
    name.startsWith('limits.') ||
    name.startsWith('hugepages-')
  )
    return { group: '', resource: 'pods' }
  return undefined
}

interface ResourceRequirements {
  readonly requests?: Readonly<Record<string, string>>
  readonly limits?: Readonly<Record<string, string>>
}
interface Container {
  readonly restartPolicy?: string
  readonly resources?: ResourceRequirements
}

const add = (into: Map<string, Quantity>, name: string, amount: Quantity): void => {
  const old = into.get(name)
  into.set(name, old ? addQuantities(old, amount) : amount)
}
const plus = (a: Usage, b: Usage): Map<string, Quantity> => {
  const sum = new Map(a)
  for (const [name, amount] of b) add(sum, name, amount)
  return sum
}
const atLeast = (into: Map<string, Quantity>, other: Usage): void => {
  for (const [name, amount] of other) {
    const old = into.get(name)
    if (!old || compareQuantities(amount, old) > 0) into.set(name, amount)
  }
}

/** component-helpers/resource PodRequests and PodLimits: containers and sidecars together, or the largest init container. */
export function podResources(pod: KubeObject, which: 'requests' | 'limits'): Map<string, Quantity> {
  const of = (c: Container): Map<string, Quantity> =>
    new Map(Object.entries(c.resources?.[which] ?? {}).map(([k, v]) => [k, parseQuantity(String(v))]))
  const sum = new Map<string, Quantity>()
  for (const c of (pod.spec?.containers ?? []) as Container[]) for (const [k, v] of of(c)) add(sum, k, v)
  const sidecars = new Map<string, Quantity>()
  const init = new Map<string, Quantity>()
  for (const c of (pod.spec?.initContainers ?? []) as Container[]) {
    if (c.restartPolicy === 'Always') {
      for (const [k, v] of of(c)) {
        add(sum, k, v)
        add(sidecars, k, v)
      }
      atLeast(init, sidecars)
    } else atLeast(init, plus(of(c), sidecars))
  }
  atLeast(sum, init)
  for (const [k, v] of Object.entries((pod.spec?.resources as ResourceRequirements | undefined)?.[which] ?? {}))
    sum.set(k, parseQuantity(String(v)))
  for (const [k, v] of Object.entries((pod.spec?.overhead ?? {}) as Record<string, string>))
    if (which === 'requests' || sum.has(k)) add(sum, k, parseQuantity(v))
  return sum
}

/** QuotaV1Pod: finished pods, and those that should have been gone by now, use nothing. */
export function countsAgainstQuota(pod: KubeObject, nowMs: number): boolean {
  if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true
  return nowMs <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

const isExtended = (name: string): boolean => name.includes('/') && !name.startsWith('requests.') && !/(^|\.)kubernetes\.io\//.test(name)

function podUsage(pod: KubeObject, nowMs: number): Map<string, Quantity> {
  const usage = new Map<string, Quantity>([['count/pods', ONE]])
  if (!countsAgainstQuota(pod, nowMs)) return usage
  usage.set('pods', ONE)
  for (const [name, amount] of podResources(pod, 'requests')) {
    if (COMPUTE.includes(name) || name.startsWith('hugepages-')) {
      usage.set(name, amount)
      usage.set(`requests.${name}`, amount)
    } else if (isExtended(name)) usage.set(`requests.${name}`, amount)
  }
  for (const [name, amount] of podResources(pod, 'limits')) if (COMPUTE.includes(name)) usage.set(`limits.${name}`, amount)
  return usage
}

function serviceUsage(service: KubeObject): Map<string, Quantity> {
  const usage = new Map<string, Quantity>([
    ['count/services', ONE],
    ['services', ONE],
    ['services.loadbalancers', zeroQuantity],
    ['services.nodeports', zeroQuantity],
  ])
  const ports = (service.spec?.ports ?? []) as { nodePort?: number }[]
  if (service.spec?.type === 'NodePort') usage.set('services.nodeports', newQuantity(ports.length))
  if (service.spec?.type === 'LoadBalancer') {
    const all = service.spec.allocateLoadBalancerNodePorts !== false
    usage.set('services.nodeports', newQuantity(all ? ports.length : ports.filter((p) => (p.nodePort ?? 0) !== 0).length))
    usage.set('services.loadbalancers', ONE)
  }
  return usage
}

/** GetPersistentVolumeClaimClass: the annotation of old beats the field. */
const classOf = (claim: KubeObject): string =>
  claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName ?? ''

function claimUsage(claim: KubeObject): Map<string, Quantity> {
  const usage = new Map<string, Quantity>([
    ['count/persistentvolumeclaims', ONE],
    ['persistentvolumeclaims', ONE],
  ])
  const storageClass = classOf(claim)
  if (storageClass !== '') usage.set(`${storageClass}${STORAGE_CLASS_SUFFIX}persistentvolumeclaims`, ONE)
  const requested: string | undefined = claim.spec?.resources?.requests?.storage
  if (requested === undefined) return usage
  let amount = parseQuantity(requested)
  const allocated: string | undefined = claim.status?.allocatedResources?.storage
  if (allocated !== undefined && compareQuantities(parseQuantity(allocated), amount) > 0) amount = parseQuantity(allocated)
  usage.set('requests.storage', amount)
  if (storageClass !== '') usage.set(`${storageClass}${STORAGE_CLASS_SUFFIX}requests.storage`, amount)
  return usage
}

/** The evaluator's Usage. `nowMs`: Unix ms. */
export function quotaUsage(r: QuotaResource, object: KubeObject, nowMs: number): Map<string, Quantity> {
  if (r.group === '' && r.resource === 'pods') return podUsage(object, nowMs)
  if (r.group === '' && r.resource === 'services') return serviceUsage(object)
  if (r.group === '' && r.resource === 'persistentvolumeclaims') return claimUsage(object)
  const usage = new Map<string, Quantity>([[countName(r), ONE]])
  if (r.group === '' && PLAIN_COUNTERS.includes(r.resource)) usage.set(r.resource, ONE)
  return usage
}

interface ScopeRequirement {
  readonly scopeName: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** Scopes of a quota as requirements: plain ones, then the selector's. */
export const scopesOf = (quota: KubeObject): ScopeRequirement[] => [
  ...((quota.spec?.scopes ?? []) as string[]).map((scopeName) => ({ scopeName, operator: 'Exists' })),
  ...((quota.spec?.scopeSelector?.matchExpressions ?? []) as ScopeRequirement[]),
]

const isBestEffort = (pod: KubeObject): boolean => {
  const all = [
    ...((pod.spec?.containers ?? []) as Container[]),
    ...((pod.spec?.initContainers ?? []) as Container[]),
    { resources: pod.spec?.resources as ResourceRequirements },
  ]
  const asks = (list: Readonly<Record<string, string>> | undefined): boolean =>
    Object.entries(list ?? {}).some(
      ([k, v]) => (k === 'cpu' || k === 'memory') && compareQuantities(parseQuantity(String(v)), zeroQuantity) > 0,
    )
  return !all.some((c) => asks(c.resources?.requests) || asks(c.resources?.limits))
}

const crossesNamespaces = (pod: KubeObject): boolean => {
  const { podAffinity, podAntiAffinity } = pod.spec?.affinity ?? {}
  const terms = [podAffinity, podAntiAffinity].flatMap((a) => [
    ...(a?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(a?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((w: { podAffinityTerm: object }) => w.podAffinityTerm),
  ])
  return terms.some(
    (t: { namespaces?: unknown[]; namespaceSelector?: object }) => (t.namespaces ?? []).length > 0 || t.namespaceSelector !== undefined,
  )
}

function matchesValues(r: ScopeRequirement, value: string): boolean {
  switch (r.operator) {
    case 'In':
      return r.values?.includes(value) === true
    case 'NotIn':
      return r.values?.includes(value) !== true
    case 'Exists':
      return value !== ''
    case 'DoesNotExist':
      return value === ''
    default:
      return false
  }
}

/** podMatchesScopeFunc. Objects of other kinds match no scope, save claims their VolumeAttributesClass. */
export function matchesScopes(quota: KubeObject, r: QuotaResource, object: KubeObject): boolean {
  return scopesOf(quota).every((s) => {
    if (r.group === '' && r.resource === 'persistentvolumeclaims')
      return s.scopeName === 'VolumeAttributesClass' && matchesValues(s, object.spec?.volumeAttributesClassName ?? '')
    if (r.group !== '' || r.resource !== 'pods') return false
    const deadline = object.spec?.activeDeadlineSeconds !== undefined && object.spec.activeDeadlineSeconds >= 0
    switch (s.scopeName) {
      case 'Terminating':
        return deadline
      case 'NotTerminating':
        return !deadline
      case 'BestEffort':
        return isBestEffort(object)
      case 'NotBestEffort':
        return !isBestEffort(object)
      case 'PriorityClass':
        return matchesValues(s, object.spec?.priorityClassName ?? '')
      case 'CrossNamespacePodAffinity':
        return crossesNamespaces(object)
      default:
        return false
    }
  })
}

/** CalculateUsage for the names in `hard`: what the given objects use. Names of unknown kinds are left out. */
export function calculateUsage(
  quota: KubeObject,
  list: (r: QuotaResource) => readonly KubeObject[] | undefined,
  nowMs: number,
): Record<string, string> {
  const names = Object.keys((quota.spec?.hard ?? {}) as Record<string, string>)
  const kinds = new Map<string, QuotaResource>()
  for (const name of names) {
    const r = resourceOfLimit(name)
    if (r) kinds.set(`${r.resource}.${r.group}`, r)
  }
  const used = new Map<string, Quantity>()
  for (const r of kinds.values()) {
    const objects = list(r)
    if (!objects) continue
    for (const name of names)
      if (resourceOfLimit(name)?.resource === r.resource && resourceOfLimit(name)?.group === r.group) used.set(name, zeroQuantity)
    for (const object of objects) {
      if (!matchesScopes(quota, r, object)) continue
      for (const [name, amount] of quotaUsage(r, object, nowMs))
        if (used.has(name)) used.set(name, addQuantities(used.get(name) as Quantity, amount))
    }
  }
  return Object.fromEntries([...used].map(([name, amount]) => [name, quantityToString(amount)]))
}

// Resource lists and the names in them: pkg/apis/core/helper/helpers.go, component-helpers/resource/helpers.go.
import {
  addQuantities,
  compareQuantities,
  parseQuantity,
  quantityMilliValue,
  quantitySign,
  quantityToString,
  quantityValue,
  roundUpQuantity,
  tryParseQuantity,
} from '../../../../api/quantity.ts'
import type { Container, PodSpec } from '../../../../api/types/kubernetes.gen.ts'
import { at, keysOf, put } from './maps.ts'
import { isQualifiedName } from '../../../../api/validation/names.ts'
import { isRestartableInitContainer } from './visit.ts'

/** Resource name → quantity. */
export interface ResourceList {
  [key: string]: string
}

export const compare = (a: string, b: string): number => compareQuantities(a, b)
export const isNegative = (q: string): boolean => compare(q, '0') < 0
/** Quantity.MilliValue()%1000 != 0: not a whole number (anything finer than a thousandth rounds up). */
export const isFractional = (q: string): boolean => quantityMilliValue(q) % 1000 !== 0
export const quantityString = (q: string): string => quantityToString(parseQuantity(q))
export const roundUpToMilli = (q: string): string => quantityToString(roundUpQuantity(parseQuantity(q), -3))

const hugePagesPrefix = 'hugepages-'
export const isHugePageResourceName = (name: string): boolean => name.startsWith(hugePagesPrefix)

/** A whole number of pages; both amounts round up to whole bytes. */
export function isHugePageResourceValueDivisible(name: string, quantity: string): boolean {
  const page = tryParseQuantity(name.slice(hugePagesPrefix.length)).value
  if (!page || quantitySign(page) <= 0 || quantityMilliValue(page) % 1000 !== 0) return false
  return quantityValue(quantity) % quantityValue(page) === 0
}

const standardContainerResources = new Set(['cpu', 'memory', 'ephemeral-storage'])
const standardResources = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'storage',
  'requests.storage',
  'services.nodeports',
  'services.loadbalancers',
])
const integerResources = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
])

export const isStandardContainerResourceName = (name: string): boolean =>
  standardContainerResources.has(name) || isHugePageResourceName(name)
export const isStandardResourceName = (name: string): boolean =>
  standardResources.has(name) || isHugePageResourceName(name) || name.startsWith(`requests.${hugePagesPrefix}`)
/** In the kubernetes.io namespace, where names without a prefix are too. */
export const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')
export const isExtendedResourceName = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0
export const isIntegerResourceName = (name: string): boolean => integerResources.has(name) || isExtendedResourceName(name)
export const isOvercommitAllowed = (name: string): boolean => isNativeResource(name) && !isHugePageResourceName(name)
export const isSupportedPodLevelResource = (name: string): boolean => name === 'cpu' || name === 'memory' || isHugePageResourceName(name)

function addTo(list: ResourceList, more: ResourceList | undefined): void {
  for (const key of keysOf(more)) {
    const q = at(more, key) ?? '0'
    const before = at(list, key)
    put(list, key, before === undefined ? q : quantityToString(addQuantities(parseQuantity(before), parseQuantity(q))))
  }
}

function maxInto(list: ResourceList, more: ResourceList): void {
  for (const key of keysOf(more)) {
    const q = at(more, key) ?? '0'
    const before = at(list, key)
    if (before === undefined || compare(q, before) > 0) put(list, key, q)
  }
}

/** Sum over containers and sidecars, or what the greediest init container needs together with the sidecars started before it. */
function aggregate(spec: PodSpec, pick: (c: Container) => ResourceList | undefined): ResourceList {
  const total: ResourceList = {}
  for (const c of spec.containers ?? []) addTo(total, pick(c))
  const sidecars: ResourceList = {}
  const initialising: ResourceList = {}
  for (const c of spec.initContainers ?? []) {
    const needed: ResourceList = {}
    if (isRestartableInitContainer(c)) {
      addTo(total, pick(c))
      addTo(sidecars, pick(c))
    } else addTo(needed, pick(c))
    addTo(needed, sidecars)
    maxInto(initialising, needed)
  }
  maxInto(total, initialising)
  return total
}

export const aggregateContainerRequests = (spec: PodSpec): ResourceList => aggregate(spec, (c) => c.resources?.requests)
export const aggregateContainerLimits = (spec: PodSpec): ResourceList => aggregate(spec, (c) => c.resources?.limits)

// Sums and comparisons of resource lists: k8s.io/apiserver/pkg/quota/v1/resources.go, component-helpers/resource (pods as a whole).
import { sortedKeys } from '../../../lib/compare.ts'
import { getOwn, setOwn } from '../../../lib/own.ts'
import { addQuantities, compareQuantities, isZeroQuantity, parseQuantity, quantityToString, subQuantities } from '../quantity.ts'

export type ResourceList = Readonly<Record<string, string>>

const asText = (value: string | number): string => String(value)
const sum = (a: string, b: string): string => quantityToString(addQuantities(parseQuantity(asText(a)), parseQuantity(asText(b))))

export function addLists(a: ResourceList, b: ResourceList): ResourceList {
  const out: Record<string, string> = {}
  for (const key of Object.keys(a)) setOwn(out, key, getOwn(b, key) === undefined ? (a[key] as string) : sum(a[key] as string, b[key] as string))
  for (const key of Object.keys(b)) if (!Object.hasOwn(out, key)) setOwn(out, key, b[key] as string)
  return out
}

/** What `a` has more than `b`, never below zero. */
export function subtractLists(a: ResourceList, b: ResourceList): ResourceList {
  const out: Record<string, string> = {}
  for (const key of Object.keys(a)) {
    const other = getOwn(b, key)
    const rest = other === undefined ? (a[key] as string) : quantityToString(subQuantities(parseQuantity(asText(a[key] as string)), parseQuantity(asText(other))))
    setOwn(out, key, compareQuantities(rest, '0') < 0 ? '0' : rest)
  }
  return out
}

export function maxLists(a: ResourceList, b: ResourceList): ResourceList {
  const out: Record<string, string> = {}
  for (const key of Object.keys(a)) {
    const other = getOwn(b, key)
    setOwn(out, key, other !== undefined && compareQuantities(asText(other), asText(a[key] as string)) > 0 ? other : (a[key] as string))
  }
  for (const key of Object.keys(b)) if (!Object.hasOwn(out, key)) setOwn(out, key, b[key] as string)
  return out
}

export function maskList(list: ResourceList, names: Iterable<string>): ResourceList {
  const out: Record<string, string> = {}
  for (const name of names) if (Object.hasOwn(list, name)) setOwn(out, name, list[name] as string)
  return out
}

export const withoutZeros = (list: ResourceList): ResourceList => maskList(list, Object.keys(list).filter((k) => !isZeroQuantity(asText(list[k] as string))))

/** Names whose value in `a` is above that in `b`; names that `b` lacks are free. */
export const exceededNames = (a: ResourceList, b: ResourceList): string[] => sortedKeys(a).filter((k) => Object.hasOwn(b, k) && compareQuantities(asText(a[k] as string), asText(b[k] as string)) > 0)

/** `cpu=1,pods=3`, by name. */
export const listText = (list: ResourceList): string =>
  sortedKeys(list)
    .map((k) => `${k}=${quantityToString(parseQuantity(asText(list[k] as string)))}`)
    .join(',')

interface ContainerLike {
  readonly restartPolicy?: string
  readonly resources?: { readonly requests?: ResourceList; readonly limits?: ResourceList }
}
export interface PodSpecLike {
  readonly containers?: readonly ContainerLike[]
  readonly initContainers?: readonly ContainerLike[]
  readonly overhead?: ResourceList
  readonly resources?: { readonly requests?: ResourceList; readonly limits?: ResourceList }
}

/** PodRequests and PodLimits: containers and sidecars together, or the largest step of initialization, and the overhead. */
function aggregate(spec: PodSpecLike, of: (c: ContainerLike) => ResourceList | undefined, podLevel: ResourceList | undefined, overhead: boolean): ResourceList {
  let total: ResourceList = {}
  for (const c of spec.containers ?? []) total = addLists(total, of(c) ?? {})
  let sidecars: ResourceList = {}
  let init: ResourceList = {}
  for (const c of spec.initContainers ?? []) {
    let step = of(c) ?? {}
    if (c.restartPolicy === 'Always') {
      total = addLists(total, step)
      sidecars = addLists(sidecars, step)
      step = sidecars
    } else step = addLists(step, sidecars)
    init = maxLists(init, step)
  }
  let out = maxLists(total, init)
  if (podLevel) out = { ...out, ...podLevel }
  return overhead && spec.overhead ? addLists(out, spec.overhead) : out
}

export const podRequests = (spec: PodSpecLike): ResourceList => aggregate(spec, (c) => c.resources?.requests, spec.resources?.requests, true)

export function podLimits(spec: PodSpecLike): ResourceList {
  const limits = aggregate(spec, (c) => c.resources?.limits, spec.resources?.limits, false)
  // Overhead raises only limits that there are.
  return spec.overhead ? addLists(limits, maskList(spec.overhead, Object.keys(limits))) : limits
}

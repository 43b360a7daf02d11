// Requests of pods and allocatable amounts of nodes (pkg/scheduler/framework/types.go Resource, component-helpers/resource/helpers.go PodRequests).
import { quantityMilliValue, quantityValue } from '../../../api/quantity.ts'
import type { Container, ContainerStatus, Pod } from '../../../api/types/kubernetes.gen.ts'

export interface Resource {
  readonly milliCPU: number
  readonly memory: number
  readonly ephemeralStorage: number
  readonly allowedPodNumber: number
  /** Extended resources, huge pages and other scalars, by name. */
  readonly scalar: ReadonlyMap<string, number>
}

type Quantities = Readonly<Record<string, string | number>>
/** Amounts by resource name: CPU in thousandths, everything else in units. */
type Amounts = Map<string, number>

export const NO_SCALARS: ReadonlyMap<string, number> = new Map()
export const ZERO_RESOURCE: Resource = { milliCPU: 0, memory: 0, ephemeralStorage: 0, allowedPodNumber: 0, scalar: NO_SCALARS }

/** What a container without a request counts as, for LeastAllocated (pkg/scheduler/util/pod_resources.go). */
export const DEFAULT_MILLI_CPU_REQUEST = 100
export const DEFAULT_MEMORY_REQUEST = 200 * 1024 * 1024

const amountOf = (name: string, quantity: string | number): number =>
  name === 'cpu' ? quantityMilliValue(quantity) : quantityValue(quantity)

const amounts = (list: Quantities | undefined | null): Amounts => {
  const out: Amounts = new Map()
  if (list) for (const name of Object.keys(list)) out.set(name, amountOf(name, list[name] as string))
  return out
}

const add = (to: Amounts, from: Amounts): void => {
  for (const [name, amount] of from) to.set(name, (to.get(name) ?? 0) + amount)
}

const max = (to: Amounts, from: Amounts): void => {
  for (const [name, amount] of from) if (amount > (to.get(name) ?? Number.NEGATIVE_INFINITY)) to.set(name, amount)
}

/** v1helper.IsScalarResourceName: what a node counts as a plain number. */
export function isScalarResourceName(name: string): boolean {
  return (
    isExtendedResourceName(name) ||
    name.startsWith('hugepages-') ||
    name.includes('kubernetes.io/') ||
    name.startsWith('attachable-volumes-')
  )
}

function isExtendedResourceName(name: string): boolean {
  return name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.')
}

function toResource(list: Amounts): Resource {
  let scalar: Map<string, number> | undefined
  for (const [name, amount] of list) {
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage' || name === 'pods') continue
    if (!isScalarResourceName(name)) continue
    scalar ??= new Map()
    scalar.set(name, amount)
  }
  return {
    milliCPU: list.get('cpu') ?? 0,
    memory: list.get('memory') ?? 0,
    ephemeralStorage: list.get('ephemeral-storage') ?? 0,
    allowedPodNumber: list.get('pods') ?? 0,
    scalar: scalar ?? NO_SCALARS,
  }
}

export const parseResource = (list: Quantities | undefined | null): Resource => toResource(amounts(list))

/** What a running container holds while its resize is pending or infeasible (determineContainerReqs). */
function containerRequests(pod: Pod, container: Container, status: ContainerStatus | undefined, withDefaults: boolean): Amounts {
  const spec = amounts(container.resources?.requests)
  if (status?.resources || status?.allocatedResources) {
    const actual = amounts(status.resources?.requests)
    const allocated = amounts(status.allocatedResources)
    const infeasible = (pod.status?.conditions ?? []).some((c) => c.type === 'PodResizePending' && c.reason === 'Infeasible')
    if (infeasible) spec.clear()
    max(spec, actual)
    max(spec, allocated)
  }
  if (withDefaults) {
    if (!spec.has('cpu')) spec.set('cpu', DEFAULT_MILLI_CPU_REQUEST)
    if (!spec.has('memory')) spec.set('memory', DEFAULT_MEMORY_REQUEST)
  }
  return spec
}

const POD_LEVEL = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')

/**
 * PodRequests: the sum over app containers and sidecars, but at least what any init container needs beside the sidecars started before it;
 * pod-level requests replace the sum; overhead comes on top. `withDefaults` substitutes missing container requests.
 */
export function podRequests(pod: Pod, withDefaults: boolean): Resource {
  const spec = pod.spec
  const statuses = new Map<string, ContainerStatus>()
  for (const s of pod.status?.containerStatuses ?? []) statuses.set(s.name, s)
  for (const s of pod.status?.initContainerStatuses ?? []) statuses.set(s.name, s)

  const total: Amounts = new Map()
  for (const container of spec?.containers ?? []) add(total, containerRequests(pod, container, statuses.get(container.name), withDefaults))
  const sidecars: Amounts = new Map()
  const init: Amounts = new Map()
  for (const container of spec?.initContainers ?? []) {
    const restartable = container.restartPolicy === 'Always'
    const own = containerRequests(pod, container, restartable ? statuses.get(container.name) : undefined, withDefaults)
    if (restartable) {
      add(total, own)
      add(sidecars, own)
      max(init, sidecars)
    } else {
      add(own, sidecars)
      max(init, own)
    }
  }
  max(total, init)
  const podLevel = spec?.resources?.requests
  if (podLevel) for (const [name, amount] of amounts(podLevel)) if (POD_LEVEL(name)) total.set(name, amount)
  add(total, amounts(spec?.overhead))
  return toResource(total)
}

export const addResource = (a: Resource, b: Resource, sign: 1 | -1): Resource => ({
  milliCPU: a.milliCPU + sign * b.milliCPU,
  memory: a.memory + sign * b.memory,
  ephemeralStorage: a.ephemeralStorage + sign * b.ephemeralStorage,
  allowedPodNumber: a.allowedPodNumber,
  scalar: b.scalar.size === 0 ? a.scalar : addScalars(a.scalar, b.scalar, sign),
})

function addScalars(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>, sign: 1 | -1): ReadonlyMap<string, number> {
  const out = new Map(a)
  for (const [name, amount] of b) out.set(name, (out.get(name) ?? 0) + sign * amount)
  return out
}

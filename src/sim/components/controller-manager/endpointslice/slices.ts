// Desired slices from pods (staging/src/k8s.io/endpointslice/reconciler.go, utils.go): few writes, at most 100 endpoints each.
import { compareStrings, deepEqual } from '../../../../lib/compare.ts'
import { copyOwn, deleteOwn } from '../../../../lib/own.ts'
import { stableStringify } from '../../../../lib/stringify.ts'
import type { Endpoint, EndpointPortDiscoveryV1, ServicePort } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { belongs, findPort, hasHostname, HEADLESS_LABEL, isIPv6, isServiceIPSet, podIPs, targetRef } from '../endpoints/pods.ts'
import { controllerOf, isPodReady, ownerReference } from '../runtime/objects.ts'

export const MAX_ENDPOINTS_PER_SLICE = 100
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by'
export const MANAGED_BY = 'endpointslice-controller.k8s.io'

export type AddressType = 'IPv4' | 'IPv6'

export interface Plan {
  readonly create: KubeObject[]
  readonly update: KubeObject[]
  readonly remove: KubeObject[]
}

const portOrder = (a: EndpointPortDiscoveryV1, b: EndpointPortDiscoveryV1): number =>
  compareStrings(a.name ?? '', b.name ?? '') || (a.port ?? 0) - (b.port ?? 0)
export const portKey = (ports: readonly EndpointPortDiscoveryV1[] | null | undefined): string =>
  stableStringify([...(ports ?? [])].sort(portOrder))
const endpointKey = (e: Endpoint): string =>
  `${[...e.addresses].sort().join(',')}|${e.hostname ?? ''}|${e.targetRef?.namespace ?? ''}/${e.targetRef?.name ?? ''}`

export const endpointsOf = (slice: KubeObject): Endpoint[] => (slice.endpoints ?? []) as Endpoint[]
/** A slice with nothing in it is written with null, as upstream's encoding does. */
const orNull = <T>(list: readonly T[]): readonly T[] | null => (list.length > 0 ? list : null)
const withEndpoints = (slice: KubeObject, endpoints: readonly Endpoint[]): KubeObject => ({ ...slice, endpoints: orNull(endpoints) })

export const addressTypes = (service: KubeObject): AddressType[] => {
  const families = (service.spec?.ipFamilies ?? []) as AddressType[]
  return families.length > 0 ? families : ['IPv4']
}

const RESERVED = [SERVICE_NAME_LABEL, MANAGED_BY_LABEL, HEADLESS_LABEL]
const free = (labels: Readonly<Record<string, string>> | undefined): Record<string, string> => {
  const copy = copyOwn(labels ?? {})
  for (const key of RESERVED) deleteOwn(copy, key)
  return copy
}
const sliceLabels = (service: KubeObject): Record<string, string> => {
  const labels = free(service.metadata.labels)
  if (!isServiceIPSet(service)) labels[HEADLESS_LABEL] = ''
  labels[SERVICE_NAME_LABEL] = service.metadata.name ?? ''
  labels[MANAGED_BY_LABEL] = MANAGED_BY
  return labels
}

export const newSlice = (
  service: KubeObject,
  type: AddressType,
  ports: readonly EndpointPortDiscoveryV1[],
  endpoints: readonly Endpoint[],
): KubeObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    generateName: `${service.metadata.name}-`,
    namespace: service.metadata.namespace ?? '',
    labels: sliceLabels(service),
    ownerReferences: [ownerReference(service)],
  },
  addressType: type,
  endpoints: orNull(endpoints),
  ports: orNull(ports),
})

function portsOf(service: KubeObject, pod: KubeObject): EndpointPortDiscoveryV1[] {
  const ports: EndpointPortDiscoveryV1[] = []
  for (const port of (service.spec?.ports ?? []) as ServicePort[]) {
    const number = findPort(pod, port)
    if (number !== undefined)
      ports.push({
        name: port.name ?? '',
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}),
      })
  }
  return ports.sort(portOrder)
}

function endpointOf(pod: KubeObject, node: KubeObject | undefined, service: KubeObject, type: AddressType): Endpoint {
  const serving = isPodReady(pod)
  const terminating = pod.metadata.deletionTimestamp !== undefined
  const zone = node?.metadata.labels?.['topology.kubernetes.io/zone']
  return {
    addresses: podIPs(pod).filter((ip) => isIPv6(ip) === (type === 'IPv6')),
    conditions: { ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating), serving, terminating },
    ...(hasHostname(pod, service) ? { hostname: pod.spec.hostname as string } : {}),
    targetRef: targetRef(pod),
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName as string } : {}),
    ...(zone ? { zone } : {}),
  }
}

export interface DesiredInput {
  readonly service: KubeObject
  readonly pods: readonly KubeObject[]
  readonly nodes: Readonly<Record<string, KubeObject>>
  readonly slices: readonly KubeObject[]
}

/** reconcileByAddressType. `skipped`: pods left out because their node does not exist. */
export function planFor(input: DesiredInput, type: AddressType): Plan & { readonly skipped: string[] } {
  const { service, pods, nodes, slices } = input
  const create: KubeObject[] = []
  const update: KubeObject[] = []
  const remove: KubeObject[] = []
  const skipped: string[] = []
  const existing = new Map<string, KubeObject[]>()
  for (const slice of slices) {
    if (controllerOf(slice)?.uid !== service.metadata.uid) {
      remove.push(slice)
      continue
    }
    const key = portKey(slice.ports)
    existing.set(key, [...(existing.get(key) ?? []), slice])
  }
  const desired = new Map<string, { ports: EndpointPortDiscoveryV1[]; endpoints: Map<string, Endpoint> }>()
  for (const pod of pods) {
    if (!belongs(pod, true)) continue
    const ports = portsOf(service, pod)
    const key = portKey(ports)
    const group = desired.get(key) ?? { ports, endpoints: new Map<string, Endpoint>() }
    desired.set(key, group)
    const name: string = pod.spec?.nodeName ?? ''
    const node = Object.hasOwn(nodes, name) ? nodes[name] : undefined
    if (!node && service.spec?.publishNotReadyAddresses !== true) {
      skipped.push(
        `skipping Pod ${pod.metadata.name} for Service ${service.metadata.namespace}/${service.metadata.name}: Node ${name} Not Found`,
      )
      continue
    }
    const endpoint = endpointOf(pod, node, service, type)
    if (endpoint.addresses.length > 0) group.endpoints.set(endpointKey(endpoint), endpoint)
  }
  for (const [key, group] of desired) {
    const plan = planPorts(service, type, group.ports, existing.get(key) ?? [], group.endpoints)
    create.push(...plan.create)
    update.push(...plan.update)
    remove.push(...plan.remove)
  }
  for (const [key, old] of existing) if (!desired.has(key)) remove.push(...old)
  // A Service always has a slice, be it empty.
  if (slices.length === remove.length && create.length === 0) {
    const placeholder = newSlice(service, type, [], [])
    const [only] = remove
    if (remove.length === 1 && only && isPlaceholder(only, placeholder)) remove.length = 0
    else create.push(placeholder)
  }
  return { create, update, remove, skipped }
}

const isPlaceholder = (slice: KubeObject, placeholder: KubeObject): boolean =>
  endpointsOf(slice).length === 0 &&
  (slice.ports ?? []).length === 0 &&
  deepEqual(slice.metadata.labels, placeholder.metadata.labels) &&
  controllerOf(slice)?.uid === controllerOf(placeholder)?.uid

/** reconcileByPortMapping. */
function planPorts(
  service: KubeObject,
  type: AddressType,
  ports: readonly EndpointPortDiscoveryV1[],
  slices: readonly KubeObject[],
  wanted: Map<string, Endpoint>,
): Plan {
  const create: KubeObject[] = []
  const remove: KubeObject[] = []
  const changed = new Map<string, KubeObject>()
  const unchanged = new Map<string, KubeObject>()
  for (const slice of slices) {
    const name = slice.metadata.name ?? ''
    const kept: Endpoint[] = []
    let updated = false
    for (const endpoint of endpointsOf(slice)) {
      const key = endpointKey(endpoint)
      const want = wanted.get(key)
      if (!want) continue
      // Hints are written at the end; they are no change of the endpoint itself.
      kept.push(endpoint.hints ? { ...want, hints: endpoint.hints } : want)
      if (!deepEqual(want, { ...endpoint, hints: undefined })) updated = true
      wanted.delete(key)
    }
    const labels = deepEqual(free(slice.metadata.labels), free(service.metadata.labels))
    if (updated || kept.length !== endpointsOf(slice).length) {
      if (kept.length === 0) remove.push(slice)
      else changed.set(name, withEndpoints({ ...slice, metadata: { ...slice.metadata, labels: sliceLabels(service) } }, kept))
    } else if (!labels) changed.set(name, { ...slice, metadata: { ...slice.metadata, labels: sliceLabels(service) } })
    else unchanged.set(name, slice)
  }
  const take = (slice: KubeObject): KubeObject => {
    const room = MAX_ENDPOINTS_PER_SLICE - endpointsOf(slice).length
    const more = [...wanted].slice(0, room)
    for (const [key] of more) wanted.delete(key)
    return withEndpoints(slice, [...endpointsOf(slice), ...more.map(([, e]) => e)])
  }
  const fullestFirst = [...changed].sort(([, a], [, b]) => endpointsOf(b).length - endpointsOf(a).length)
  for (const [name, slice] of fullestFirst) if (wanted.size > 0) changed.set(name, take(slice))
  while (wanted.size > 0) {
    const fits = (s: KubeObject): boolean => endpointsOf(s).length + wanted.size <= MAX_ENDPOINTS_PER_SLICE
    const [reuse] =
      wanted.size < MAX_ENDPOINTS_PER_SLICE
        ? [...unchanged.values()].filter(fits).sort((a, b) => endpointsOf(b).length - endpointsOf(a).length)
        : []
    if (reuse) {
      const name = reuse.metadata.name ?? ''
      unchanged.delete(name)
      changed.set(name, take(reuse))
    } else create.push(take(newSlice(service, type, ports, [])))
  }
  return { create, update: [...changed.values()], remove }
}

/** trafficdist.ReconcileHints: which zone or node should use an endpoint; slices that only lose or gain hints are updated too. */
export function withHints(service: KubeObject, plan: Plan, all: readonly KubeObject[]): Plan {
  const how: string | undefined = service.spec?.trafficDistribution
  const hints = (e: Endpoint): Endpoint => {
    const { hints: old, ...bare } = e
    if (how === undefined || e.conditions?.ready === false) return bare
    const zones = e.zone ? { forZones: [{ name: e.zone }] } : {}
    const nodes = how === 'PreferSameNode' && e.nodeName ? { forNodes: [{ name: e.nodeName }] } : {}
    return Object.keys({ ...zones, ...nodes }).length > 0 ? { ...bare, hints: { ...nodes, ...zones } } : bare
  }
  const hinted = (slice: KubeObject): KubeObject => withEndpoints(slice, endpointsOf(slice).map(hints))
  const touched = new Set([...plan.update, ...plan.remove].map((s) => s.metadata.name))
  const late = all
    .filter((s) => !touched.has(s.metadata.name))
    .flatMap((s) => (endpointsOf(s).some((e) => !deepEqual(hints(e).hints, e.hints)) ? [hinted(s)] : []))
  return { create: plan.create.map(hinted), update: [...plan.update.map(hinted), ...late], remove: plan.remove }
}

/** finalize: what would be created takes the place of what would be deleted. */
export function reuse(service: KubeObject, plan: Plan): Plan {
  const create = [...plan.create]
  const update = [...plan.update]
  const remove: KubeObject[] = []
  for (const slice of plan.remove) {
    const next = create.at(-1)
    if (next && next.addressType === slice.addressType && controllerOf(slice)?.uid === controllerOf(next)?.uid) {
      create.pop()
      update.push({ ...next, metadata: { ...next.metadata, name: slice.metadata.name as string } })
    } else remove.push(slice)
  }
  return { create: service.metadata.deletionTimestamp === undefined ? create : [], update, remove }
}

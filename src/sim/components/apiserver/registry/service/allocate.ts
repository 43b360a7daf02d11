// Cluster IPs and node ports of Services, upstream pkg/registry/core/service/storage/{alloc,storage}.go with ipallocator and portallocator.
// Pure: what is taken is read from the stored Services (and IPAddresses), so a deleted or changed Service releases by itself.
import type { FieldError } from '../../../../api/field.ts'
import { invalid } from '../../../../api/field.ts'
import type { ServiceSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import type { IPFamily, ParsedCIDR as CIDR } from '../../../../api/validation/ip.ts'
import { formatCIDR, formatIP, parseCIDR, parseIP } from '../../../../api/validation/ip.ts'
import type { BeginFailure, RegistryView } from '../strategy.ts'
import { validateClusterIPsRelatedFields } from './clusterips.ts'
import { familyOf, lastAddress } from './ip.ts'
import { needsHealthCheck, sameClusterIPs, sameIPFamilies } from './semantics.ts'

export interface ServiceNetwork {
  /** --service-cluster-ip-range: one block, or one of each family; the first names the default family. */
  serviceCIDRs: readonly string[]
  /** --service-node-port-range */
  nodePorts: { base: number; size: number }
}

export const defaultServiceNetwork: ServiceNetwork = { serviceCIDRs: ['10.96.0.0/12'], nodePorts: { base: 30000, size: 2768 } }

/** What allocation looks at. `taken` includes the Service that is being updated: its values are released only when the update is stored. */
export interface AllocationView {
  network: ServiceNetwork
  cidrs: readonly CIDR[]
  takenIPs: ReadonlySet<string>
  takenPorts: ReadonlySet<number>
  dryRun: boolean
  random(): number
}

const canonical = (text: string): string => {
  const ip = parseIP(text)
  return ip === undefined ? text : formatIP(ip.family, ip.value)
}

export function allocationView(view: RegistryView, network: ServiceNetwork = defaultServiceNetwork): AllocationView {
  const takenIPs = new Set<string>()
  const takenPorts = new Set<number>()
  for (const service of view.list('services')) {
    const spec = service.spec as ServiceSpec
    for (const ip of spec.clusterIPs ?? []) if (ip !== 'None') takenIPs.add(canonical(ip))
    for (const port of spec.ports ?? []) if (port.nodePort) takenPorts.add(port.nodePort)
    if (spec.healthCheckNodePort) takenPorts.add(spec.healthCheckNodePort)
  }
  for (const address of view.list('ipaddresses.networking.k8s.io')) takenIPs.add(canonical(address.metadata.name ?? ''))
  const texts = [...network.serviceCIDRs]
  for (const extra of view.list('servicecidrs.networking.k8s.io')) {
    const ready = extra.status?.conditions?.some((c: { type: string; status: string }) => c.type === 'Ready' && c.status === 'True')
    if (ready && !extra.metadata.deletionTimestamp) for (const cidr of extra.spec?.cidrs ?? []) if (!texts.includes(cidr)) texts.push(cidr)
  }
  const cidrs = texts.map(parseCIDR).filter((c): c is CIDR => c !== undefined)
  return { network, cidrs, takenIPs, takenPorts, dryRun: view.dryRun === true, random: () => view.random() }
}

type Result<T> = { ok: T } | { error: string }

const familiesOf = (network: ServiceNetwork): IPFamily[] => network.serviceCIDRs.map((c) => parseCIDR(c)?.family ?? 'IPv4')

/** The band kept for addresses that users choose: min(max(16, size/16), 256), none in blocks of 16 or fewer. */
function ipBand(size: bigint): bigint {
  if (size <= 16n) return 0n
  const offset = size / 16n
  return offset < 16n ? 16n : offset > 256n ? 256n : offset
}

/** The band kept for ports that users choose: min(max(16, size/32), 128). */
function portBand(size: number): number {
  return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128)
}

interface AddressRange {
  first: bigint
  last: bigint
  band: bigint
}

function rangeOf(cidr: CIDR): AddressRange {
  const last = lastAddress(cidr)
  return {
    first: cidr.network + 1n,
    last: cidr.family === 'IPv4' ? last - 1n : last,
    band: ipBand(last - cidr.network + 1n),
  }
}

const contains = (cidr: CIDR, family: IPFamily, value: bigint): boolean =>
  cidr.family === family && value > cidr.network && (family === 'IPv4' ? value < lastAddress(cidr) : value <= lastAddress(cidr))

/** A fixed address. `mine` are those already given in this request. */
function allocateIP(view: AllocationView, family: IPFamily, text: string, mine: Set<string>): string | undefined {
  const ip = parseIP(text)
  if (ip === undefined) return `failed to parse service IP ${JSON.stringify(text)}`
  if (view.dryRun) {
    const cidr = view.cidrs.find((c) => c.family === family)
    if (cidr === undefined || contains(cidr, ip.family, ip.value)) return undefined
    return `the provided IP (${formatIP(ip.family, ip.value)}) is not in the valid range. The range of valid IPs is ${formatCIDR(cidr)}`
  }
  if (!view.cidrs.some((c) => contains(c, ip.family, ip.value))) return 'the provided network does not match the current range'
  const name = formatIP(ip.family, ip.value)
  if (view.takenIPs.has(name) || mine.has(name)) return 'provided IP is already allocated'
  mine.add(name)
  return undefined
}

/** Any address: from a random place in the upper band onwards, then in the lower band. */
function allocateNextIP(view: AllocationView, family: IPFamily, mine: Set<string>): Result<string> {
  for (const cidr of view.cidrs.filter((c) => c.family === family)) {
    if (view.dryRun) return { ok: formatIP(family, cidr.network) }
    const { first, last, band } = rangeOf(cidr)
    const bands = [[first + band, last] as const, [first, first + band - 1n] as const]
    for (const [from, to] of bands) {
      const size = to - from + 1n
      if (size <= 0n) continue
      // 2^53 places are enough to start from in an IPv6 block.
      const start = from + BigInt(Math.floor(view.random() * Number(size > 1n << 53n ? 1n << 53n : size)))
      let value = start
      do {
        const name = formatIP(family, value)
        if (!view.takenIPs.has(name) && !mine.has(name)) {
          mine.add(name)
          return { ok: name }
        }
        value = value === to ? from : value + 1n
      } while (value !== start)
    }
  }
  return { error: 'range is full' }
}

/** portallocator's operation: what this request has taken so far. */
interface PortOperation {
  taken: number[]
}

function allocatePort(view: AllocationView, operation: PortOperation, port: number): string | undefined {
  const { base, size } = view.network.nodePorts
  if (view.dryRun) {
    if (view.takenPorts.has(port) || operation.taken.includes(port)) return 'provided port is already allocated'
    operation.taken.push(port)
    return undefined
  }
  if (port < base || port >= base + size) {
    return `provided port is not in the valid range. The range of valid ports is ${base}-${base + size - 1}`
  }
  if (view.takenPorts.has(port) || operation.taken.includes(port)) return 'provided port is already allocated'
  operation.taken.push(port)
  return undefined
}

function allocateNextPort(view: AllocationView, operation: PortOperation): Result<number> {
  const { base, size } = view.network.nodePorts
  if (view.dryRun) {
    const port = (operation.taken.length === 0 ? 32768 : Math.max(...operation.taken)) + 1
    operation.taken.push(port)
    return { ok: port }
  }
  const band = portBand(size)
  for (const [from, length] of [[base + band, size - band] as const, [base, band] as const]) {
    if (length <= 0) continue
    const start = Math.floor(view.random() * length)
    for (let i = 0; i < length; i++) {
      const port = from + ((start + i) % length)
      if (view.takenPorts.has(port) || operation.taken.includes(port)) continue
      operation.taken.push(port)
      return { ok: port }
    }
  }
  return { error: 'range is full' }
}

const fail = (...fieldErrors: FieldError[]): BeginFailure => ({ fieldErrors })

/** PreferDualStack Services neither gain nor lose an address by themselves. */
function isMatchingPreferDualStack(spec: ServiceSpec, old: ServiceSpec | undefined): boolean {
  if (old === undefined || spec.ipFamilyPolicy !== 'PreferDualStack' || old.type !== spec.type) return false
  if (!['ClusterIP', 'NodePort', 'LoadBalancer'].includes(spec.type ?? '')) return false
  const preferred = old.ipFamilyPolicy === undefined || old.ipFamilyPolicy === 'PreferDualStack'
  return preferred && sameClusterIPs(old, spec) && sameIPFamilies(old, spec)
}

/** initIPFamilyFields: ipFamilyPolicy and ipFamilies from what the user gave and what the cluster has. */
function initIPFamilyFields(draft: KubeObject, old: KubeObject | undefined, network: ServiceNetwork): BeginFailure | undefined {
  const spec = draft.spec as ServiceSpec
  const before = old?.spec as ServiceSpec | undefined
  if (spec.type === 'ExternalName' || isMatchingPreferDualStack(spec, before)) return undefined
  const families = familiesOf(network)
  const selectorless = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0

  if (spec.ipFamilyPolicy === undefined) {
    if (before?.ipFamilyPolicy !== undefined) spec.ipFamilyPolicy = before.ipFamilyPolicy
    else spec.ipFamilyPolicy = selectorless ? 'RequireDualStack' : 'SingleStack'
  }
  const related = validateClusterIPsRelatedFields(spec, before)
  if (related.length > 0) return { fieldErrors: related }

  const errors: FieldError[] = []
  const policyError = (detail: string): void => {
    errors.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail))
  }
  if (before !== undefined) {
    const oldIPs = before.clusterIPs ?? []
    const oldFamilies = before.ipFamilies ?? []
    if (spec.ipFamilyPolicy === 'SingleStack') {
      if (sameClusterIPs(before, spec) && (spec.clusterIPs?.length ?? 0) > 1) spec.clusterIPs = spec.clusterIPs?.slice(0, 1)
      if (sameIPFamilies(before, spec) && (spec.ipFamilies?.length ?? 0) > 1) spec.ipFamilies = spec.ipFamilies?.slice(0, 1)
    } else {
      const ips = spec.clusterIPs?.length ?? 0
      const given = spec.ipFamilies?.length ?? 0
      if (ips > 0 && ips < oldIPs.length) policyError("must be 'SingleStack' to release the secondary cluster IP")
      if (given > 0 && given < oldFamilies.length) policyError("must be 'SingleStack' to release the secondary IP family")
    }
  }
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (spec.clusterIPs?.length === 2)
      policyError("must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified")
    if (spec.ipFamilies?.length === 2)
      policyError("must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified")
  }
  for (const [i, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === 'None') break
    const family = familyOf(ip)
    if (i < (spec.ipFamilies?.length ?? 0)) continue
    if (!families.includes(family))
      errors.push(invalid(`spec.clusterIPs[${i}]`, spec.clusterIPs, `${family} is not configured on this cluster`))
    else spec.ipFamilies = [...(spec.ipFamilies ?? []), family]
  }
  if (errors.length > 0) return { fieldErrors: errors }

  const other = (family: string | undefined): IPFamily => (family === 'IPv4' ? 'IPv6' : 'IPv4')
  if (selectorless) {
    if ((spec.ipFamilies?.length ?? 0) === 0) spec.ipFamilies = families.slice(0, 1)
    if (spec.ipFamilies?.length === 1 && spec.ipFamilyPolicy !== 'SingleStack')
      spec.ipFamilies = [...spec.ipFamilies, other(spec.ipFamilies[0])]
    return undefined
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack' && families.length < 2)
    policyError('this cluster is not configured for dual-stack services')
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    if (!families.includes(family as IPFamily)) errors.push(invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'))
  }
  if (errors.length > 0) return { fieldErrors: errors }
  if ((spec.ipFamilies?.length ?? 0) === 0) spec.ipFamilies = families.slice(0, 1)
  if (spec.ipFamilyPolicy !== 'SingleStack' && spec.ipFamilies?.length === 1 && families.length === 2) {
    spec.ipFamilies = [...spec.ipFamilies, other(spec.ipFamilies[0])]
  }
  return undefined
}

/** Fills the empty places of spec.clusterIPs from place `from` on, and reserves the given ones. */
function allocateClusterIPs(spec: ServiceSpec, view: AllocationView, from = 0): BeginFailure | undefined {
  const ips = [...(spec.clusterIPs ?? [])]
  const families = (spec.ipFamilies ?? []) as IPFamily[]
  for (let i = 0; i < families.length; i++) ips[i] ??= ''
  const asked = [...ips]
  const mine = new Set<string>()
  for (const [i, family] of families.entries()) {
    if (i < from) continue
    const wanted = ips[i] ?? ''
    if (wanted === '') {
      const next = allocateNextIP(view, family, mine)
      if ('error' in next) return { internalError: `failed to allocate a serviceIP: ${next.error}` }
      ips[i] = next.ok
    } else {
      const refused = allocateIP(view, family, wanted, mine)
      if (refused !== undefined) return fail(invalid('spec.clusterIPs', asked, `failed to allocate IP ${wanted}: ${refused}`))
    }
  }
  spec.clusterIPs = ips
  if (from === 0) spec.clusterIP = ips[0]
  return undefined
}

const shouldAllocateNodePorts = (spec: ServiceSpec): boolean =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)

const usesNodePorts = (spec: ServiceSpec): boolean => spec.type === 'NodePort' || spec.type === 'LoadBalancer'

function initNodePorts(spec: ServiceSpec, view: AllocationView, operation: PortOperation): BeginFailure | undefined {
  const ports = spec.ports ?? []
  const byPort = new Map<number, number>()
  for (const [i, port] of ports.entries()) {
    if (!port.nodePort && !shouldAllocateNodePorts(spec)) continue
    const allocated = byPort.get(port.port)
    if (allocated === undefined) {
      // The same port number of another protocol may name the node port.
      const wanted = ports.find((p) => p.port === port.port && p.nodePort)?.nodePort
      if (wanted !== undefined) {
        const refused = allocatePort(view, operation, wanted)
        if (refused !== undefined) return fail(invalid(`spec.ports[${i}].nodePort`, wanted, refused))
        port.nodePort = wanted
      } else {
        const next = allocateNextPort(view, operation)
        if ('error' in next) return { internalError: `failed to allocate a nodePort: ${next.error}` }
        port.nodePort = next.ok
      }
      byPort.set(port.port, port.nodePort)
    } else if (!port.nodePort) {
      port.nodePort = allocated
    } else if (port.nodePort !== allocated) {
      const refused = allocatePort(view, operation, port.nodePort)
      if (refused !== undefined) return fail(invalid(`spec.ports[${i}].nodePort`, port.nodePort, refused))
    }
  }
  return undefined
}

function allocateHealthCheckNodePort(spec: ServiceSpec, view: AllocationView, operation: PortOperation): BeginFailure | undefined {
  if (spec.healthCheckNodePort) {
    const refused = allocatePort(view, operation, spec.healthCheckNodePort)
    if (refused === undefined) return undefined
    return { internalError: `failed to allocate requested HealthCheck NodePort ${spec.healthCheckNodePort}: ${refused}` }
  }
  const next = allocateNextPort(view, operation)
  if ('error' in next) return { internalError: `failed to allocate a HealthCheck NodePort 0: ${next.error}` }
  spec.healthCheckNodePort = next.ok
  return undefined
}

/** Upstream's beginCreate: keeps clusterIP and clusterIPs in step, then families, addresses, ports. */
export function allocateOnCreate(draft: KubeObject, view: AllocationView): BeginFailure | undefined {
  const spec = draft.spec as ServiceSpec
  if (spec.clusterIP && (spec.clusterIPs?.length ?? 0) === 0) spec.clusterIPs = [spec.clusterIP]
  const families = initIPFamilyFields(draft, undefined, view.network)
  if (families !== undefined) return families
  if (spec.type !== 'ExternalName' && spec.clusterIPs?.[0] !== 'None') {
    const failure = allocateClusterIPs(spec, view)
    if (failure !== undefined) return failure
  }
  const operation: PortOperation = { taken: [] }
  if (usesNodePorts(spec)) {
    const failure = initNodePorts(spec, view, operation)
    if (failure !== undefined) return failure
  }
  return needsHealthCheck(spec) ? allocateHealthCheckNodePort(spec, view, operation) : undefined
}

/** patchAllocatedValues: values that were allocated and are left out in a PUT stay. */
function patchAllocatedValues(spec: ServiceSpec, old: ServiceSpec): void {
  if (old.type !== 'ExternalName' && spec.type !== 'ExternalName') {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP
    if ((spec.clusterIPs?.length ?? 0) === 0 && (old.clusterIPs?.length ?? 0) > 0) spec.clusterIPs = [...(old.clusterIPs ?? [])]
  }
  if (shouldAllocateNodePorts(old) && shouldAllocateNodePorts(spec)) {
    const oldPorts = old.ports ?? []
    const kept = new Set(
      (spec.ports ?? []).filter((p) => p.nodePort && oldPorts.some((o) => o.nodePort === p.nodePort)).map((p) => p.nodePort),
    )
    const byName = new Map(oldPorts.map((p) => [p.name ?? '', p.nodePort]))
    for (const port of spec.ports ?? []) {
      const before = byName.get(port.name ?? '')
      if (!port.nodePort && before && !kept.has(before)) port.nodePort = before
    }
  }
  if (needsHealthCheck(old) && needsHealthCheck(spec) && !spec.healthCheckNodePort && old.healthCheckNodePort) {
    spec.healthCheckNodePort = old.healthCheckNodePort
  }
}

/** normalizeClusterIPs for updates: clients that know only one of clusterIP and clusterIPs. */
function normalizeClusterIPs(spec: ServiceSpec, old: ServiceSpec): void {
  if ((old.clusterIPs?.length ?? 0) > 0 && (spec.clusterIPs?.length ?? 0) === 0 && old.clusterIP === spec.clusterIP) {
    spec.clusterIPs = [...(old.clusterIPs ?? [])]
  }
  if ((old.clusterIP ?? '') === (spec.clusterIP ?? '') || !sameClusterIPs(old, spec)) return
  if (old.clusterIP && !spec.clusterIP) delete spec.clusterIPs
  else spec.clusterIPs = [spec.clusterIP ?? '']
}

function updateClusterIPs(spec: ServiceSpec, old: ServiceSpec, view: AllocationView): BeginFailure | undefined {
  if (isMatchingPreferDualStack(spec, old)) return undefined
  if (old.type === 'ExternalName' && spec.type !== 'ExternalName') {
    return spec.clusterIPs?.[0] === 'None' ? undefined : allocateClusterIPs(spec, view)
  }
  if (old.clusterIPs?.[0] === 'None' || spec.type === 'ExternalName') return undefined
  return old.ipFamilies?.length === 1 && spec.ipFamilies?.length === 2 ? allocateClusterIPs(spec, view, 1) : undefined
}

function updateNodePorts(spec: ServiceSpec, old: ServiceSpec, view: AllocationView, operation: PortOperation): BeginFailure | undefined {
  const oldPorts = (old.ports ?? []).map((p) => p.nodePort)
  const seen: string[] = []
  const reserved = new Set<number>()
  for (const [i, port] of (spec.ports ?? []).entries()) {
    if (!port.nodePort && !shouldAllocateNodePorts(spec)) continue
    if (port.nodePort) {
      if (!oldPorts.includes(port.nodePort) && !reserved.has(port.nodePort)) {
        const refused = allocatePort(view, operation, port.nodePort)
        if (refused !== undefined) return fail(invalid(`spec.ports[${i}].nodePort`, port.nodePort, refused))
        reserved.add(port.nodePort)
      }
    } else {
      const next = allocateNextPort(view, operation)
      if ('error' in next) return { internalError: `failed to allocate a nodePort: ${next.error}` }
      port.nodePort = next.ok
    }
    const key = `{${port.protocol} ${port.nodePort}}`
    if (seen.includes(key)) return { internalError: `duplicate nodePort: ${key}` }
    seen.push(key)
  }
  return undefined
}

/** Upstream's beginUpdate. */
export function allocateOnUpdate(draft: KubeObject, old: KubeObject, view: AllocationView): BeginFailure | undefined {
  const spec = draft.spec as ServiceSpec
  const before = old.spec as ServiceSpec
  patchAllocatedValues(spec, before)
  normalizeClusterIPs(spec, before)
  const families = initIPFamilyFields(draft, old, view.network)
  if (families !== undefined) return families
  const ips = updateClusterIPs(spec, before, view)
  if (ips !== undefined) return ips
  const operation: PortOperation = { taken: [] }
  if (usesNodePorts(spec)) {
    const ports = updateNodePorts(spec, before, view, operation)
    if (ports !== undefined) return ports
  }
  return !needsHealthCheck(before) && needsHealthCheck(spec) ? allocateHealthCheckNodePort(spec, view, operation) : undefined
}

// What kube-proxy makes of Services and EndpointSlices before it writes rules: pkg/proxy/serviceport.go, endpoint.go, endpointslicecache.go, topology.go.
import type { EndpointSlice, Service } from '../../api/types/kubernetes.gen.ts'
import { compareStrings } from '../../../lib/compare.ts'
import { isIPv4, maskedCIDR, rangeOf } from './kernel/address.ts'
import type { Protocol } from './kernel/netfilter.ts'

/** What is asked of kube-proxy besides the objects it watches. */
export interface NodeView {
  readonly node: string
  readonly nodeIP: string
  readonly nodeLabels: Readonly<Record<string, string>>
  /** Addresses in it are pods' (--cluster-cidr, detect-local-mode ClusterCIDR); '' = unknown. */
  readonly clusterCIDR: string
  /** Ranges of cluster IPs (ServiceCIDR objects). */
  readonly serviceCIDRs: readonly string[]
}

export interface ProxyInput extends NodeView {
  readonly services: readonly Service[]
  readonly endpointSlices: readonly EndpointSlice[]
}

export interface ProxyEndpoint {
  readonly ip: string
  readonly port: number
  readonly isLocal: boolean
  readonly ready: boolean
  readonly serving: boolean
  readonly terminating: boolean
  readonly zoneHints: readonly string[]
  readonly nodeHints: readonly string[]
}

export interface ServicePortInfo {
  readonly namespace: string
  readonly name: string
  readonly portName: string
  /** `namespace/name` or `namespace/name:port`. */
  readonly nameString: string
  readonly protocol: Protocol
  readonly clusterIP: string
  readonly port: number
  readonly nodePort: number
  readonly externalIPs: readonly string[]
  readonly loadBalancerVIPs: readonly string[]
  readonly sourceRanges: readonly string[]
  readonly healthCheckNodePort: number
  readonly internalPolicyLocal: boolean
  readonly externalPolicyLocal: boolean
  /** 0: none. */
  readonly affinitySeconds: number
  /** Reachable by something else than its cluster IP. */
  readonly externallyAccessible: boolean
  readonly endpoints: Endpoints
}

export interface Endpoints {
  /** For traffic policy Cluster, after topology hints. */
  readonly cluster: readonly ProxyEndpoint[]
  /** For traffic policy Local. */
  readonly local: readonly ProxyEndpoint[]
  /** All that this node may send to. */
  readonly reachable: readonly ProxyEndpoint[]
  /** There is a usable endpoint anywhere in the cluster. */
  readonly any: boolean
}

export const endpointText = (e: ProxyEndpoint): string => `${e.ip}:${e.port}`

/** Service ports in the order of their names, with their endpoints. */
export function servicePorts(input: ProxyInput): ServicePortInfo[] {
  const endpoints = endpointsByPort(input)
  const out: ServicePortInfo[] = []
  for (const service of input.services) {
    const spec = service.spec
    const clusterIP = clusterIPv4(service)
    if (!spec || clusterIP === undefined) continue
    const { namespace = '', name = '' } = service.metadata
    const type = spec.type ?? 'ClusterIP'
    const external = type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0)
    const externalPolicyLocal = external && spec.externalTrafficPolicy === 'Local'
    const externalIPs = (spec.externalIPs ?? []).filter(isIPv4)
    const loadBalancerVIPs = (service.status?.loadBalancer?.ingress ?? []).flatMap((i) =>
      i.ip !== undefined && isIPv4(i.ip) && (i.ipMode ?? 'VIP') === 'VIP' ? [i.ip] : [],
    )
    for (const port of spec.ports ?? []) {
      const portName = port.name ?? ''
      const protocol = (port.protocol ?? 'TCP').toLowerCase() as Protocol
      const nodePort = port.nodePort ?? 0
      const info = {
        namespace,
        name,
        portName,
        nameString: portName === '' ? `${namespace}/${name}` : `${namespace}/${name}:${portName}`,
        protocol,
        clusterIP,
        port: port.port,
        nodePort,
        externalIPs,
        loadBalancerVIPs,
        sourceRanges: (spec.loadBalancerSourceRanges ?? [])
          .map((r) => r.trim())
          .filter((r) => r.includes('/') && rangeOf(r) !== undefined)
          .map(maskedCIDR),
        healthCheckNodePort: type === 'LoadBalancer' && externalPolicyLocal ? (spec.healthCheckNodePort ?? 0) : 0,
        internalPolicyLocal: spec.internalTrafficPolicy === 'Local',
        externalPolicyLocal,
        affinitySeconds: spec.sessionAffinity === 'ClientIP' ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800) : 0,
        externallyAccessible: nodePort !== 0 || loadBalancerVIPs.length > 0 || externalIPs.length > 0,
      }
      out.push({ ...info, endpoints: categorize(endpoints.get(portKey(namespace, name, portName, protocol)) ?? [], info, input) })
    }
  }
  return out.sort((a, b) => compareStrings(a.nameString, b.nameString) || compareStrings(a.protocol, b.protocol))
}

const portKey = (namespace: string, name: string, port: string, protocol: string): string => `${namespace}/${name}/${port}/${protocol}`

/** undefined: kube-proxy passes the Service over (headless, ExternalName, or without an IPv4 address). */
function clusterIPv4(service: Service): string | undefined {
  const { clusterIP = '', clusterIPs = [], type } = service.spec ?? {}
  if (type === 'ExternalName' || clusterIP === 'None' || clusterIP === '') return undefined
  return [...clusterIPs, clusterIP].find(isIPv4)
}

function endpointsByPort(input: ProxyInput): Map<string, ProxyEndpoint[]> {
  const found = new Map<string, Map<string, ProxyEndpoint>>()
  const slices = [...input.endpointSlices].sort((a, b) => compareStrings(a.metadata.name ?? '', b.metadata.name ?? ''))
  for (const slice of slices) {
    const labels = slice.metadata.labels ?? {}
    const service = Object.hasOwn(labels, 'kubernetes.io/service-name') ? labels['kubernetes.io/service-name'] : undefined
    if (!service || slice.addressType !== 'IPv4') continue
    for (const { name = '', port, protocol = 'TCP' } of slice.ports ?? []) {
      if (!port) continue
      const key = portKey(slice.metadata.namespace ?? '', service, name, protocol.toLowerCase())
      const endpoints = found.get(key) ?? new Map<string, ProxyEndpoint>()
      found.set(key, endpoints)
      for (const e of slice.endpoints ?? []) {
        const ip = e.addresses[0]
        if (ip === undefined || !isIPv4(ip)) continue
        const isLocal = e.nodeName === input.node
        if (endpoints.has(`${ip}:${port}`) && !isLocal) continue
        endpoints.set(`${ip}:${port}`, {
          ip,
          port,
          isLocal,
          ready: e.conditions?.ready ?? true,
          serving: e.conditions?.serving ?? true,
          terminating: e.conditions?.terminating ?? false,
          zoneHints: (e.hints?.forZones ?? []).map((z) => z.name),
          nodeHints: (e.hints?.forNodes ?? []).map((n) => n.name),
        })
      }
    }
  }
  return new Map([...found].map(([key, set]) => [key, [...set.values()].sort((a, b) => compareStrings(endpointText(a), endpointText(b)))]))
}

/** pkg/proxy/topology.go CategorizeEndpoints: ready endpoints, else those that still serve while they terminate; for Cluster and Local on their own. */
function categorize(endpoints: readonly ProxyEndpoint[], info: Omit<ServicePortInfo, 'endpoints'>, view: NodeView): Endpoints {
  const leaving = (e: ProxyEndpoint): boolean => !e.ready && e.serving && e.terminating
  const usesCluster = !info.internalPolicyLocal || info.externallyAccessible
  const usesLocal = info.internalPolicyLocal || (info.externalPolicyLocal && info.externallyAccessible)
  let cluster: readonly ProxyEndpoint[] = []
  if (usesCluster) {
    const available = topology(
      endpoints.filter((e) => e.ready),
      view,
    )
    cluster = available.length > 0 ? available : endpoints.filter((e) => e.serving && e.terminating)
  }
  if (!usesLocal) return { cluster, local: [], reachable: cluster, any: cluster.length > 0 }
  const ready = endpoints.filter((e) => e.isLocal && e.ready)
  const local = ready.length > 0 ? ready : endpoints.filter((e) => e.isLocal && leaving(e))
  const any = cluster.length > 0 || endpoints.some((e) => e.ready || leaving(e))
  const reachable = usesCluster ? endpoints.filter((e) => cluster.includes(e) || local.includes(e)) : local
  return { cluster, local, reachable, any }
}

/** Hints count only when every ready endpoint has one and one is for here: this node, else this node's zone. */
function topology(ready: readonly ProxyEndpoint[], view: NodeView): readonly ProxyEndpoint[] {
  if (ready.every((e) => e.nodeHints.length > 0) && ready.some((e) => e.nodeHints.includes(view.node)))
    return ready.filter((e) => e.nodeHints.includes(view.node))
  const label = 'topology.kubernetes.io/zone'
  const zone = Object.hasOwn(view.nodeLabels, label) ? (view.nodeLabels[label] ?? '') : ''
  if (ready.every((e) => e.zoneHints.length > 0) && ready.some((e) => e.zoneHints.includes(zone)))
    return ready.filter((e) => e.zoneHints.includes(zone))
  return ready
}

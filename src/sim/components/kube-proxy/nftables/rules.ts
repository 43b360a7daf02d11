// kube-proxy's nftables mode: pkg/proxy/nftables/proxier.go setupNFTables and syncProxyRules. Rules carry the text that `nft list` shows.
import { base32, sha256 } from '../../../../lib/sha256.ts'
import { compareStrings } from '../../../../lib/compare.ts'
import { contains, ipToNumber, ipToText, rangeOf } from '../kernel/address.ts'
import type { Action, Chain, Hook, MapElement, Match, Rule, RuleSet } from '../kernel/netfilter.ts'
import { endpointText, type ProxyEndpoint, type ProxyInput, type ServicePortInfo, servicePorts } from '../services.ts'

const TABLE = 'kube-proxy'
const MARK_CHAIN = 'mark-for-masquerade'
/** chainNameBaseLengthMax */
const NAME_MAX = 240

const named = (name: string): string => `${base32(sha256(name)).slice(0, 8)}-${name}`.slice(0, NAME_MAX)
const serviceBase = (s: ServicePortInfo): string => named(`${s.namespace}/${s.name}/${s.protocol}/${s.portName}`)
const endpointBase = (s: ServicePortInfo, e: ProxyEndpoint): string =>
  named(`${s.namespace}/${s.name}/${s.protocol}/${s.portName}__${e.ip}/${e.port}`)

/** Hook, and priority as a number and as shown. Chains in the order in which they are made. */
const BASE_CHAINS: readonly (readonly [
  name: string,
  type: 'filter' | 'nat',
  hook: Hook,
  priority: number,
  shown: string,
  jumps: readonly string[],
])[] = [
  ['filter-prerouting-pre-dnat', 'filter', 'prerouting', -110, 'dstnat - 10', ['ct state new jump firewall-check']],
  ['filter-output-pre-dnat', 'filter', 'output', -110, '-110', ['ct state new jump firewall-check']],
  [
    'filter-input',
    'filter',
    'input',
    0,
    'filter',
    ['ct state new jump nodeport-endpoints-check', 'ct state new jump service-endpoints-check'],
  ],
  [
    'filter-forward',
    'filter',
    'forward',
    0,
    'filter',
    ['ct state new jump service-endpoints-check', 'ct state new jump cluster-ips-check'],
  ],
  ['filter-output', 'filter', 'output', 0, 'filter', ['ct state new jump service-endpoints-check', 'ct state new jump cluster-ips-check']],
  ['nat-prerouting', 'nat', 'prerouting', -100, 'dstnat', ['jump services']],
  ['nat-output', 'nat', 'output', -100, '-100', ['jump services']],
  ['nat-postrouting', 'nat', 'postrouting', 100, 'srcnat', ['jump masquerading']],
]

export const MAPS = {
  'firewall-ips': {
    type: 'ipv4_addr . inet_proto . inet_service : verdict',
    comment: 'destinations that are subject to LoadBalancerSourceRanges',
  },
  'no-endpoint-services': {
    type: 'ipv4_addr . inet_proto . inet_service : verdict',
    comment: 'vmap to drop or reject packets to services with no endpoints',
  },
  'no-endpoint-nodeports': {
    type: 'inet_proto . inet_service : verdict',
    comment: 'vmap to drop or reject packets to service nodeports with no endpoints',
  },
  'service-ips': { type: 'ipv4_addr . inet_proto . inet_service : verdict', comment: 'ClusterIP, ExternalIP and LoadBalancer IP traffic' },
  'service-nodeports': { type: 'inet_proto . inet_service : verdict', comment: 'NodePort traffic' },
} as const
type MapName = keyof typeof MAPS

export const SETS = { 'cluster-ips': 'Active ClusterIPs', 'nodeport-ips': 'IPs that accept NodePort traffic' } as const

/** What `nft list` shows beyond the rules: how base chains are declared, comments of chains, and the sets that remember clients. */
export interface NftablesRules extends RuleSet {
  readonly mode: 'nftables'
  /** First line of a chain's body, by chain. */
  readonly declarations: readonly (readonly [chain: string, text: string])[]
  readonly affinity: readonly { readonly name: string; readonly seconds: number }[]
}

export function nftablesRules(input: ProxyInput): NftablesRules {
  const chains = new Map<string, Rule[]>()
  const declarations = new Map<string, string>()
  const maps: Record<MapName, MapElement[]> = {
    'firewall-ips': [],
    'no-endpoint-services': [],
    'no-endpoint-nodeports': [],
    'service-ips': [],
    'service-nodeports': [],
  }
  const clusterIPs = new Set<string>()
  const affinity: { name: string; seconds: number }[] = []

  const chain = (name: string): void => {
    if (!chains.has(name)) chains.set(name, [])
  }
  const add = (name: string, text: string, actions: Action | readonly Action[], match?: Match): void => {
    chain(name)
    chains.get(name)?.push({ text, actions: Array.isArray(actions) ? actions : [actions as Action], ...(match ? { match } : {}) })
  }
  const put = (map: MapName, key: string, text: string, action: Action, comment?: string): void => {
    if (!maps[map].some((e) => e.key === key))
      maps[map].push({ key, action, text: `${key}${comment === undefined ? '' : ` comment "${comment}"`} : ${text}` })
  }

  for (const [name, type, hook, , shown, jumps] of BASE_CHAINS) {
    chain(name)
    declarations.set(name, `type ${type} hook ${hook} priority ${shown}; policy accept;`)
    for (const text of jumps) add(name, text, { do: 'jump', chain: text.split(' ').at(-1) as string })
  }
  const serviceKey = 'ip daddr . meta l4proto . th dport'
  const nodePortKey = 'ip daddr @nodeport-ips meta l4proto . th dport'
  add(MARK_CHAIN, 'meta mark set meta mark | 0x00004000', { do: 'mark' })
  add('masquerading', 'meta mark & 0x00004000 == 0x00000000 return', { do: 'return' }, { marked: false })
  add('masquerading', 'meta mark set meta mark ^ 0x00004000', { do: 'unmark' })
  add('masquerading', 'masquerade fully-random', { do: 'masquerade' })
  add(
    'cluster-ips-check',
    'ip daddr @cluster-ips reject comment "Reject traffic to invalid ports of ClusterIPs"',
    { do: 'reject' },
    { destinationIn: 'cluster-ips' },
  )
  if (input.serviceCIDRs.length > 0)
    add(
      'cluster-ips-check',
      `ip daddr ${anonymousSet(input.serviceCIDRs)} drop comment "Drop traffic to unallocated ClusterIPs"`,
      { do: 'drop' },
      { destination: [...input.serviceCIDRs] },
    )
  add('firewall-check', `${serviceKey} vmap @firewall-ips`, { do: 'lookup', map: 'firewall-ips', by: 'service' })
  declarations.set('reject-chain', 'comment "helper for @no-endpoint-services / @no-endpoint-nodeports"')
  add('reject-chain', 'reject', { do: 'reject' })
  add('service-endpoints-check', `${serviceKey} vmap @no-endpoint-services`, { do: 'lookup', map: 'no-endpoint-services', by: 'service' })
  add(
    'nodeport-endpoints-check',
    `${nodePortKey} vmap @no-endpoint-nodeports`,
    { do: 'lookup', map: 'no-endpoint-nodeports', by: 'port' },
    { destinationIn: 'nodeport-ips' },
  )
  add('services', `${serviceKey} vmap @service-ips`, { do: 'lookup', map: 'service-ips', by: 'service' })
  add(
    'services',
    `${nodePortKey} vmap @service-nodeports`,
    { do: 'lookup', map: 'service-nodeports', by: 'port' },
    { destinationIn: 'nodeport-ips' },
  )

  const goto = (target: string): Action => ({ do: 'goto', chain: target })
  const mark: Action = { do: 'jump', chain: MARK_CHAIN }
  const { clusterCIDR } = input

  for (const s of servicePorts(input)) {
    const { endpoints, protocol, nameString } = s
    const base = serviceBase(s)
    const [cluster, local, external, firewall] = [`service-${base}`, `local-${base}`, `external-${base}`, `firewall-${base}`]
    const hasInternal = endpoints.any && (!s.internalPolicyLocal || endpoints.local.length > 0)
    const hasExternal = endpoints.any && (!s.externalPolicyLocal || endpoints.local.length > 0)
    const internal = s.internalPolicyLocal ? local : cluster
    const usesExternal = endpoints.any && s.externallyAccessible
    const usesFirewall = s.loadBalancerVIPs.length > 0 && s.sourceRanges.length > 0
    const key = (ip: string): string => `${ip} . ${protocol} . ${s.port}`
    const refuse = (map: MapName, k: string): void =>
      endpoints.any ? put(map, k, 'drop', { do: 'drop' }, nameString) : put(map, k, 'goto reject-chain', goto('reject-chain'), nameString)

    clusterIPs.add(s.clusterIP)
    if (hasInternal) put('service-ips', key(s.clusterIP), `goto ${internal}`, goto(internal))
    else refuse('no-endpoint-services', key(s.clusterIP))
    for (const ip of [...s.externalIPs, ...s.loadBalancerVIPs]) {
      if (endpoints.any) put('service-ips', key(ip), `goto ${external}`, goto(external))
      if (!hasExternal) refuse('no-endpoint-services', key(ip))
    }
    if (usesFirewall) for (const ip of s.loadBalancerVIPs) put('firewall-ips', key(ip), `goto ${firewall}`, goto(firewall))
    if (s.nodePort !== 0) {
      const k = `${protocol} . ${s.nodePort}`
      if (endpoints.any) put('service-nodeports', k, `goto ${external}`, goto(external))
      if (!hasExternal) refuse('no-endpoint-nodeports', k)
    }

    if (hasInternal && clusterCIDR !== '')
      add(internal, `ip daddr ${s.clusterIP} ip saddr != ${clusterCIDR} jump ${MARK_CHAIN}`, mark, {
        destination: [s.clusterIP],
        notSource: [clusterCIDR],
      })
    if (usesExternal) {
      if (!s.externalPolicyLocal) add(external, `jump ${MARK_CHAIN}`, mark)
      else {
        if (clusterCIDR !== '')
          add(external, `ip saddr ${clusterCIDR} goto ${cluster} comment "short-circuit pod traffic"`, goto(cluster), {
            source: clusterCIDR,
          })
        add(external, `fib saddr type local jump ${MARK_CHAIN} comment "masquerade local traffic"`, mark, { sourceLocal: true })
        add(external, `fib saddr type local goto ${cluster} comment "short-circuit local traffic"`, goto(cluster), { sourceLocal: true })
      }
      const policy = s.externalPolicyLocal ? local : cluster
      if (hasExternal) add(external, `goto ${policy}`, goto(policy))
    }
    if (usesFirewall) {
      const fromHere = s.sourceRanges.some((range) => contains(range, input.nodeIP))
      const sources = [...s.sourceRanges, ...(fromHere ? s.loadBalancerVIPs : [])]
      add(firewall, `ip saddr != ${anonymousSet(sources)} drop`, { do: 'drop' }, { notSource: sources })
    }

    const balance = (name: string, list: readonly ProxyEndpoint[]): void => {
      const target = (e: ProxyEndpoint): string => `endpoint-${endpointBase(s, e)}`
      if (s.affinitySeconds > 0)
        for (const e of list) {
          const set = `affinity-${endpointBase(s, e)}`
          add(name, `ip saddr @${set} goto ${target(e)}`, goto(target(e)), { recent: { list: set, seconds: s.affinitySeconds } })
        }
      add(name, `numgen random mod ${list.length} vmap { ${list.map((e, i) => `${i} : goto ${target(e)}`).join(', ')} }`, {
        do: 'random',
        chains: list.map(target),
      })
    }
    if (endpoints.cluster.length > 0) balance(cluster, endpoints.cluster)
    if (endpoints.local.length > 0) balance(local, endpoints.local)
    for (const e of endpoints.reachable) {
      const name = `endpoint-${endpointBase(s, e)}`
      add(name, `ip saddr ${e.ip} jump ${MARK_CHAIN}`, mark, { source: e.ip })
      if (s.affinitySeconds > 0) {
        const set = `affinity-${endpointBase(s, e)}`
        affinity.push({ name: set, seconds: s.affinitySeconds })
        add(name, `update @${set} { ip saddr }`, { do: 'remember', list: set })
      }
      add(name, `meta l4proto ${protocol} dnat to ${endpointText(e)}`, { do: 'dnat', ip: e.ip, port: e.port }, { protocol })
    }
  }

  const hooks = new Map(BASE_CHAINS.map(([name, , hook, priority]) => [name, { hook, priority }]))
  const all: Chain[] = [...chains].map(([name, rules]) => {
    const base = hooks.get(name)
    return { table: TABLE, name, rules, ...(base ? { base } : {}) }
  })
  return {
    mode: 'nftables',
    chains: all,
    maps: Object.keys(MAPS).map((name) => ({ name, elements: maps[name as MapName] })),
    sets: [
      { name: 'cluster-ips', addresses: [...clusterIPs].sort((a, b) => ipToNumber(a) - ipToNumber(b)) },
      { name: 'nodeport-ips', addresses: [input.nodeIP] },
    ],
    declarations: [...declarations],
    affinity,
  }
}

/** An anonymous set of ranges as nft shows it: merged where they touch, in order, without braces if it is one range. */
function anonymousSet(ranges: readonly string[]): string {
  const merged: { first: number; last: number }[] = []
  const sorted = ranges.flatMap((r) => rangeOf(r) ?? []).sort((a, b) => a.first - b.first || b.last - a.last)
  for (const { first, last } of sorted) {
    const before = merged.at(-1)
    if (before && first <= before.last + 1) before.last = Math.max(before.last, last)
    else merged.push({ first, last })
  }
  const shown = merged.map(({ first, last }) => {
    const size = last - first + 1
    if (size === 1) return ipToText(first)
    const bits = Math.log2(size)
    return Number.isInteger(bits) && first % size === 0 ? `${ipToText(first)}/${32 - bits}` : `${ipToText(first)}-${ipToText(last)}`
  })
  return shown.length === 1 ? (shown[0] as string) : `{ ${shown.join(', ')} }`
}

export const sortElements = (elements: readonly MapElement[]): MapElement[] => [...elements].sort((a, b) => compareStrings(a.key, b.key))

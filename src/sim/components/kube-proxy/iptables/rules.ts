// kube-proxy's iptables mode: pkg/proxy/iptables/proxier.go syncProxyRules. Rules carry the text that iptables-save shows.
import { base32, sha256 } from '../../../../lib/sha256.ts'
import { contains } from '../kernel/address.ts'
import type { Action, Chain, Hook, Match, Rule, RuleSet } from '../kernel/netfilter.ts'
import { endpointText, type ProxyEndpoint, type ProxyInput, type ServicePortInfo, servicePorts } from '../services.ts'

type Table = 'nat' | 'filter'

/** Base chains of the kernel, in the order of a dump. */
const BASE: Readonly<Record<Table, readonly (readonly [string, Hook])[]>> = {
  nat: [
    ['PREROUTING', 'prerouting'],
    ['INPUT', 'input'],
    ['OUTPUT', 'output'],
    ['POSTROUTING', 'postrouting'],
  ],
  filter: [
    ['INPUT', 'input'],
    ['FORWARD', 'forward'],
    ['OUTPUT', 'output'],
  ],
}
/** NF_IP_PRI_NAT_DST and NF_IP_PRI_FILTER. */
const PRIORITY: Readonly<Record<Table, number>> = { nat: -100, filter: 0 }

const hash = (text: string): string => base32(sha256(text)).slice(0, 16)
const servicePrefix = (s: ServicePortInfo): string => hash(s.nameString + s.protocol)
const endpointChain = (s: ServicePortInfo, e: ProxyEndpoint): string => `KUBE-SEP-${hash(s.nameString + s.protocol + endpointText(e))}`

/** Writes one rule's text as iptables-save does: addresses, protocol, matches in the order given, target. */
interface Line {
  readonly source?: string
  readonly notSource?: string
  readonly destination?: string
  readonly protocol?: string
  readonly matches?: readonly string[]
  readonly target?: string
}

const host = (ip: string): string => `${ip}/32`
const comment = (text: string): string => `comment --comment "${text}"`

function line({ source, notSource, destination, protocol, matches = [], target }: Line): string {
  const any = (range: string | undefined): boolean => range === undefined || range.endsWith('/0')
  return [
    ...(any(source) ? [] : [`-s ${source}`]),
    ...(notSource === undefined ? [] : [`! -s ${notSource}`]),
    ...(any(destination) ? [] : [`-d ${destination}`]),
    ...(protocol === undefined ? [] : [`-p ${protocol}`]),
    ...matches.map((m) => `-m ${m}`),
    ...(target === undefined ? [] : [`-j ${target}`]),
  ].join(' ')
}

export function iptablesRules(input: ProxyInput): RuleSet {
  const chains: Record<Table, Map<string, Rule[]>> = { nat: new Map(), filter: new Map() }
  for (const table of ['nat', 'filter'] as const) for (const [name] of BASE[table]) chains[table].set(name, [])
  const declare = (table: Table, ...names: string[]): void => {
    for (const name of names) if (!chains[table].has(name)) chains[table].set(name, [])
  }
  const add = (table: Table, chain: string, shape: Line, action: Action | readonly Action[], match?: Match): void => {
    declare(table, chain)
    chains[table]
      .get(chain)
      ?.push({ text: line(shape), actions: Array.isArray(action) ? action : [action as Action], ...(match ? { match } : {}) })
  }
  const jump = (chain: string): Action => ({ do: 'jump', chain })

  frame(declare, add)
  const { clusterCIDR } = input

  for (const s of servicePorts(input)) {
    const { nameString: name, protocol, endpoints } = s
    const suffix = servicePrefix(s)
    const [cluster, local, external, firewall] = [`KUBE-SVC-${suffix}`, `KUBE-SVL-${suffix}`, `KUBE-EXT-${suffix}`, `KUBE-FW-${suffix}`]
    const hasInternal = endpoints.any && (!s.internalPolicyLocal || endpoints.local.length > 0)
    const hasExternal = endpoints.any && (!s.externalPolicyLocal || endpoints.local.length > 0)
    const internal = s.internalPolicyLocal ? local : cluster
    const usesExternal = endpoints.any && s.externallyAccessible
    const usesFirewall = endpoints.any && s.loadBalancerVIPs.length > 0 && s.sourceRanges.length > 0
    const dport = (port: number): string => `${protocol} --dport ${port}`
    const to = (ip: string): { shape: Line; match: Match } => ({
      shape: { destination: host(ip), protocol },
      match: { destination: [ip], protocol, port: s.port },
    })
    /** Traffic that nothing here can answer: rejected if there are no endpoints at all, dropped if there are none on this node. */
    const refuse = (chain: string, shape: Line, match: Match, port: number, addrtype: readonly string[] = []): void => {
      const why = endpoints.any ? 'has no local endpoints' : 'has no endpoints'
      const target = endpoints.any ? 'DROP' : 'REJECT --reject-with icmp-port-unreachable'
      add(
        'filter',
        chain,
        { ...shape, matches: [comment(`${name} ${why}`), ...addrtype, dport(port)], target },
        { do: endpoints.any ? 'drop' : 'reject' },
        match,
      )
    }

    if (hasInternal) {
      const { shape, match } = to(s.clusterIP)
      add(
        'nat',
        'KUBE-SERVICES',
        { ...shape, matches: [comment(`${name} cluster IP`), dport(s.port)], target: internal },
        jump(internal),
        match,
      )
    } else refuse('KUBE-SERVICES', to(s.clusterIP).shape, to(s.clusterIP).match, s.port)

    for (const ip of s.externalIPs) {
      const { shape, match } = to(ip)
      if (endpoints.any)
        add(
          'nat',
          'KUBE-SERVICES',
          { ...shape, matches: [comment(`${name} external IP`), dport(s.port)], target: external },
          jump(external),
          match,
        )
      if (!hasExternal) refuse('KUBE-EXTERNAL-SERVICES', shape, match, s.port)
    }

    for (const ip of s.loadBalancerVIPs) {
      const { shape, match } = to(ip)
      const target = usesFirewall ? firewall : external
      if (endpoints.any)
        add('nat', 'KUBE-SERVICES', { ...shape, matches: [comment(`${name} loadbalancer IP`), dport(s.port)], target }, jump(target), match)
      if (usesFirewall)
        add(
          'filter',
          'KUBE-PROXY-FIREWALL',
          { ...shape, matches: [comment(`${name} traffic not accepted by ${firewall}`), dport(s.port)], target: 'DROP' },
          { do: 'drop' },
          match,
        )
      if (!hasExternal) refuse('KUBE-EXTERNAL-SERVICES', shape, match, s.port)
    }

    if (s.nodePort !== 0) {
      if (endpoints.any) {
        const accounting = 'nfacct --nfacct-name  localhost_nps_accepted_pkts'
        add(
          'nat',
          'KUBE-NODEPORTS',
          { destination: '127.0.0.0/8', protocol, matches: [comment(name), dport(s.nodePort), accounting], target: external },
          jump(external),
          { destination: ['127.0.0.0/8'], protocol, port: s.nodePort },
        )
        add('nat', 'KUBE-NODEPORTS', { protocol, matches: [comment(name), dport(s.nodePort)], target: external }, jump(external), {
          protocol,
          port: s.nodePort,
        })
      }
      if (!hasExternal)
        refuse('KUBE-EXTERNAL-SERVICES', { protocol }, { destinationLocal: true, protocol, port: s.nodePort }, s.nodePort, [
          'addrtype --dst-type LOCAL',
        ])
    }

    if (s.healthCheckNodePort !== 0)
      add(
        'filter',
        'KUBE-NODEPORTS',
        { protocol: 'tcp', matches: [comment(`${name} health check node port`), `tcp --dport ${s.healthCheckNodePort}`], target: 'ACCEPT' },
        { do: 'accept' },
        { protocol: 'tcp', port: s.healthCheckNodePort },
      )

    if (hasInternal && clusterCIDR !== '') {
      const { shape, match } = to(s.clusterIP)
      add(
        'nat',
        internal,
        { ...shape, notSource: clusterCIDR, matches: [comment(`${name} cluster IP`), dport(s.port)], target: 'KUBE-MARK-MASQ' },
        jump('KUBE-MARK-MASQ'),
        { ...match, notSource: [clusterCIDR] },
      )
    }

    if (usesExternal) {
      if (!s.externalPolicyLocal)
        add(
          'nat',
          external,
          { matches: [comment(`masquerade traffic for ${name} external destinations`)], target: 'KUBE-MARK-MASQ' },
          jump('KUBE-MARK-MASQ'),
        )
      else {
        if (clusterCIDR !== '')
          add(
            'nat',
            external,
            { source: clusterCIDR, matches: [comment(`pod traffic for ${name} external destinations`)], target: cluster },
            jump(cluster),
            { source: clusterCIDR },
          )
        const sourceLocal = 'addrtype --src-type LOCAL'
        add(
          'nat',
          external,
          { matches: [comment(`masquerade LOCAL traffic for ${name} external destinations`), sourceLocal], target: 'KUBE-MARK-MASQ' },
          jump('KUBE-MARK-MASQ'),
          { sourceLocal: true },
        )
        add(
          'nat',
          external,
          { matches: [comment(`route LOCAL traffic for ${name} external destinations`), sourceLocal], target: cluster },
          jump(cluster),
          { sourceLocal: true },
        )
      }
      const policy = s.externalPolicyLocal ? local : cluster
      if (hasExternal) add('nat', external, { target: policy }, jump(policy))
    }

    if (usesFirewall) {
      const fromHere = s.sourceRanges.some((range) => contains(range, input.nodeIP))
      for (const source of [...s.sourceRanges, ...(fromHere ? s.loadBalancerVIPs.map(host) : [])])
        add('nat', firewall, { source, matches: [comment(`${name} loadbalancer IP`)], target: external }, jump(external), { source })
      add('nat', firewall, { matches: [comment(`other traffic to ${name} will be dropped by KUBE-PROXY-FIREWALL`)] }, [])
    }

    const balance = (chain: string, list: readonly ProxyEndpoint[]): void => {
      const via = (e: ProxyEndpoint): string => comment(`${name} -> ${endpointText(e)}`)
      if (s.affinitySeconds > 0)
        for (const e of list) {
          const target = endpointChain(s, e)
          add(
            'nat',
            chain,
            {
              matches: [via(e), `recent --rcheck --seconds ${s.affinitySeconds} --reap --name ${target} --mask 255.255.255.255 --rsource`],
              target,
            },
            jump(target),
            { recent: { list: target, seconds: s.affinitySeconds } },
          )
        }
      for (const [i, e] of list.entries()) {
        const target = endpointChain(s, e)
        const probability = 1 / (list.length - i)
        if (i < list.length - 1)
          add(
            'nat',
            chain,
            { matches: [via(e), `statistic --mode random --probability ${shownProbability(probability)}`], target },
            jump(target),
            { probability },
          )
        else add('nat', chain, { matches: [via(e)], target }, jump(target), {})
      }
    }
    if (endpoints.cluster.length > 0) balance(cluster, endpoints.cluster)
    if (endpoints.local.length > 0) balance(local, endpoints.local)

    for (const e of endpoints.reachable) {
      const chain = endpointChain(s, e)
      add('nat', chain, { source: host(e.ip), matches: [comment(name)], target: 'KUBE-MARK-MASQ' }, jump('KUBE-MARK-MASQ'), {
        source: e.ip,
      })
      const recent = s.affinitySeconds > 0 ? [`recent --set --name ${chain} --mask 255.255.255.255 --rsource`] : []
      const remember: Action[] = s.affinitySeconds > 0 ? [{ do: 'remember', list: chain }] : []
      add(
        'nat',
        chain,
        { protocol, matches: [comment(name), ...recent, protocol], target: `DNAT --to-destination ${endpointText(e)}` },
        [...remember, { do: 'dnat', ip: e.ip, port: e.port }],
        { protocol },
      )
    }
  }

  const last = 'kubernetes service nodeports; NOTE: this must be the last rule in this chain'
  add('nat', 'KUBE-SERVICES', { matches: [comment(last), 'addrtype --dst-type LOCAL'], target: 'KUBE-NODEPORTS' }, jump('KUBE-NODEPORTS'), {
    destinationLocal: true,
  })

  const all: Chain[] = []
  for (const table of ['nat', 'filter'] as const) {
    const hooks = new Map(BASE[table])
    for (const [name, rules] of chains[table]) {
      const hook = hooks.get(name)
      all.push({ table, name, rules, ...(hook ? { base: { hook, priority: PRIORITY[table] } } : {}) })
    }
  }
  return { mode: 'iptables', chains: all, maps: [], sets: [] }
}

/** kube-proxy writes ten digits; the kernel keeps 31 bits of them and iptables-save shows eleven digits of that. */
const shownProbability = (p: number): string => (Math.round(Number(p.toFixed(10)) * 0x80000000) / 0x80000000).toFixed(11)

type Add = (table: Table, chain: string, shape: Line, action: Action | readonly Action[], match?: Match) => void

/** The chains that are there whatever Services there are, and the jumps that lead to them. */
function frame(declare: (table: Table, ...names: string[]) => void, add: Add): void {
  declare('nat', 'KUBE-MARK-MASQ', 'KUBE-NODEPORTS', 'KUBE-POSTROUTING', 'KUBE-PROXY-CANARY', 'KUBE-SERVICES')
  declare(
    'filter',
    'KUBE-EXTERNAL-SERVICES',
    'KUBE-FIREWALL',
    'KUBE-FORWARD',
    'KUBE-NODEPORTS',
    'KUBE-PROXY-CANARY',
    'KUBE-PROXY-FIREWALL',
    'KUBE-SERVICES',
  )
  const fresh = 'conntrack --ctstate NEW'
  const into = (table: Table, chain: string, target: string, matches: readonly string[]): void =>
    add(table, chain, { matches, target }, { do: 'jump', chain: target })
  into('nat', 'PREROUTING', 'KUBE-SERVICES', [comment('kubernetes service portals')])
  into('nat', 'OUTPUT', 'KUBE-SERVICES', [comment('kubernetes service portals')])
  into('nat', 'POSTROUTING', 'KUBE-POSTROUTING', [comment('kubernetes postrouting rules')])
  const balancer = comment('kubernetes load balancer firewall')
  const portals = comment('kubernetes service portals')
  const visible = comment('kubernetes externally-visible service portals')
  into('filter', 'INPUT', 'KUBE-PROXY-FIREWALL', [fresh, balancer])
  into('filter', 'INPUT', 'KUBE-NODEPORTS', [comment('kubernetes health check service ports')])
  into('filter', 'INPUT', 'KUBE-EXTERNAL-SERVICES', [fresh, visible])
  into('filter', 'INPUT', 'KUBE-FIREWALL', [])
  into('filter', 'FORWARD', 'KUBE-PROXY-FIREWALL', [fresh, balancer])
  into('filter', 'FORWARD', 'KUBE-FORWARD', [comment('kubernetes forwarding rules')])
  into('filter', 'FORWARD', 'KUBE-SERVICES', [fresh, portals])
  into('filter', 'FORWARD', 'KUBE-EXTERNAL-SERVICES', [fresh, visible])
  into('filter', 'OUTPUT', 'KUBE-PROXY-FIREWALL', [fresh, balancer])
  into('filter', 'OUTPUT', 'KUBE-SERVICES', [fresh, portals])
  into('filter', 'OUTPUT', 'KUBE-FIREWALL', [])

  add('nat', 'KUBE-MARK-MASQ', { target: 'MARK --set-xmark 0x4000/0x4000' }, { do: 'mark' })
  add('nat', 'KUBE-POSTROUTING', { matches: ['mark ! --mark 0x4000/0x4000'], target: 'RETURN' }, { do: 'return' }, { marked: false })
  add('nat', 'KUBE-POSTROUTING', { target: 'MARK --set-xmark 0x4000/0x0' }, { do: 'unmark' })
  add(
    'nat',
    'KUBE-POSTROUTING',
    { matches: [comment('kubernetes service traffic requiring SNAT')], target: 'MASQUERADE --random-fully' },
    { do: 'masquerade' },
  )
  add(
    'filter',
    'KUBE-FIREWALL',
    {
      destination: '127.0.0.0/8',
      matches: [comment('block incoming localnet connections'), 'conntrack ! --ctstate RELATED,ESTABLISHED,DNAT'],
      target: 'DROP',
      notSource: '127.0.0.0/8',
    },
    { do: 'drop' },
    { destination: ['127.0.0.0/8'], notSource: ['127.0.0.0/8'] },
  )
  add(
    'filter',
    'KUBE-FORWARD',
    { matches: ['conntrack --ctstate INVALID', 'nfacct --nfacct-name  ct_state_invalid_dropped_pkts'], target: 'DROP' },
    { do: 'drop' },
    { established: true },
  )
  add(
    'filter',
    'KUBE-FORWARD',
    { matches: [comment('kubernetes forwarding rules'), 'mark --mark 0x4000/0x4000'], target: 'ACCEPT' },
    { do: 'accept' },
    { marked: true },
  )
  add(
    'filter',
    'KUBE-FORWARD',
    { matches: [comment('kubernetes forwarding conntrack rule'), 'conntrack --ctstate RELATED,ESTABLISHED'], target: 'ACCEPT' },
    { do: 'accept' },
    { established: true },
  )
}

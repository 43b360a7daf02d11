// The packet filter of a machine: rules as data, and how a packet walks through them. Both of kube-proxy's dialects (iptables, nftables) are this.
import { contains } from './address.ts'

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting'
export type Protocol = 'tcp' | 'udp' | 'sctp'

/** Everything that is given must hold. */
export interface Match {
  readonly source?: string
  /** Matches addresses in none of these ranges. */
  readonly notSource?: readonly string[]
  /** Ranges, any of which may hold the address. */
  readonly destination?: readonly string[]
  /** Name of an address set. */
  readonly destinationIn?: string
  readonly protocol?: Protocol
  readonly port?: number
  /** The address is one of this machine's own. */
  readonly sourceLocal?: true
  readonly destinationLocal?: true
  readonly marked?: boolean
  /** A source that was remembered in this list at most so long ago. */
  readonly recent?: { readonly list: string; readonly seconds: number }
  readonly probability?: number
  /** Only for packets that are not the first of a connection; the model's packets all are. */
  readonly established?: true
}

export type Action =
  | { readonly do: 'jump' | 'goto'; readonly chain: string }
  | { readonly do: 'accept' | 'drop' | 'reject' | 'return' | 'masquerade' | 'mark' | 'unmark' }
  | { readonly do: 'dnat'; readonly ip: string; readonly port: number }
  /** Puts the source into a list. */
  | { readonly do: 'remember'; readonly list: string }
  /** Looks the packet up in a verdict map, by address, protocol and port or by protocol and port. */
  | { readonly do: 'lookup'; readonly map: string; readonly by: 'service' | 'port' }
  /** One of the chains, each as likely. */
  | { readonly do: 'random'; readonly chains: readonly string[] }

export interface Rule {
  /** As the dump shows it, without the chain. */
  readonly text: string
  readonly match?: Match
  readonly actions: readonly Action[]
}

export interface Chain {
  readonly table: string
  readonly name: string
  /** Where packets enter it; chains without are reached by jumps only. */
  readonly base?: { readonly hook: Hook; readonly priority: number }
  readonly rules: readonly Rule[]
}

export interface MapElement {
  readonly key: string
  readonly action: Action
  /** As the dump shows it. */
  readonly text: string
}

export interface RuleSet {
  readonly mode: 'iptables' | 'nftables'
  readonly chains: readonly Chain[]
  readonly maps: readonly { readonly name: string; readonly elements: readonly MapElement[] }[]
  readonly sets: readonly { readonly name: string; readonly addresses: readonly string[] }[]
}

export interface Headers {
  readonly source: string
  readonly destination: string
  readonly port: number
  readonly protocol: Protocol
}

/** What a rule may ask of the machine. */
export interface Machine {
  isLocal(ip: string): boolean
  readonly address: string
  remembered(list: string, source: string): number | undefined
  remember(list: string, source: string): void
  random(): number
  readonly now: number
}

export interface Matched {
  readonly chain: string
  readonly rule: string
  readonly decision: string
}

export interface Walk {
  readonly verdict: 'accept' | 'drop' | 'reject'
  readonly headers: Headers
  readonly marked: boolean
  readonly matched: readonly Matched[]
}

interface Index {
  readonly chains: ReadonlyMap<string, Chain>
  readonly base: ReadonlyMap<Hook, readonly Chain[]>
  readonly maps: ReadonlyMap<string, ReadonlyMap<string, MapElement>>
  readonly sets: ReadonlyMap<string, ReadonlySet<string>>
}

const indexes = new WeakMap<RuleSet, Index>()

function indexOf(rules: RuleSet): Index {
  let index = indexes.get(rules)
  if (!index) {
    const base = new Map<Hook, Chain[]>()
    for (const chain of rules.chains) if (chain.base) base.set(chain.base.hook, [...(base.get(chain.base.hook) ?? []), chain])
    for (const chains of base.values()) chains.sort((a, b) => (a.base?.priority ?? 0) - (b.base?.priority ?? 0))
    index = {
      chains: new Map(rules.chains.map((c) => [`${c.table}/${c.name}`, c])),
      base,
      maps: new Map(rules.maps.map((m) => [m.name, new Map(m.elements.map((e) => [e.key, e]))])),
      sets: new Map(rules.sets.map((s) => [s.name, new Set(s.addresses)])),
    }
    indexes.set(rules, index)
  }
  return index
}

/** `next`: nothing decided, the caller's chain goes on. */
type Outcome = 'next' | 'accept' | 'drop' | 'reject'

/** Every chain is entered at most so often by one packet: rules that call themselves are a broken rule set. */
const MAX_DEPTH = 32

export function walk(rules: RuleSet | undefined, hook: Hook, packet: Headers, marked: boolean, machine: Machine): Walk {
  let headers = packet
  let mark = marked
  const matched: Matched[] = []
  if (!rules) return { verdict: 'accept', headers, marked: mark, matched }
  const index = indexOf(rules)

  const holds = (m: Match | undefined): boolean => {
    if (!m) return true
    if (m.established) return false
    if (m.protocol !== undefined && m.protocol !== headers.protocol) return false
    if (m.port !== undefined && m.port !== headers.port) return false
    if (m.destination !== undefined && !m.destination.some((range) => contains(range, headers.destination))) return false
    if (m.destinationIn !== undefined && !index.sets.get(m.destinationIn)?.has(headers.destination)) return false
    if (m.source !== undefined && !contains(m.source, headers.source)) return false
    if (m.notSource?.some((range) => contains(range, headers.source))) return false
    if (m.destinationLocal && !machine.isLocal(headers.destination)) return false
    if (m.sourceLocal && !machine.isLocal(headers.source)) return false
    if (m.marked !== undefined && m.marked !== mark) return false
    if (m.recent !== undefined) {
      const since = machine.remembered(m.recent.list, headers.source)
      if (since === undefined || machine.now - since > m.recent.seconds * 1000) return false
    }
    return m.probability === undefined || machine.random() < m.probability
  }

  const enter = (table: string, name: string, depth: number): Outcome => {
    const chain = index.chains.get(`${table}/${name}`)
    if (!chain || depth > MAX_DEPTH) return 'next'
    for (const rule of chain.rules) {
      if (!holds(rule.match)) continue
      const note = (decision: string): void => {
        if (!chain.base) matched.push({ chain: name, rule: rule.text, decision })
      }
      for (const action of rule.actions) {
        const outcome = act(chain, action, rule.match !== undefined, note, depth)
        if (outcome === 'return') return 'next'
        if (outcome !== 'next') return outcome
      }
    }
    return 'next'
  }

  const act = (chain: Chain, action: Action, chosen: boolean, note: (decision: string) => void, depth: number): Outcome | 'return' => {
    switch (action.do) {
      case 'jump':
      case 'goto': {
        const target = index.chains.get(`${chain.table}/${action.chain}`)
        const marks = target?.rules.length === 1 && target.rules[0]?.actions[0]?.do === 'mark'
        if (marks) note('mark for masquerading')
        else if (chosen) note(`go on in ${action.chain}`)
        const outcome = enter(chain.table, action.chain, depth + 1)
        if (outcome === 'next') return action.do === 'goto' ? 'return' : 'next'
        return outcome
      }
      case 'return':
        return 'return'
      case 'accept':
        return 'accept'
      case 'drop':
        note('DROP')
        return 'drop'
      case 'reject':
        note('REJECT')
        return 'reject'
      case 'mark':
        mark = true
        return 'next'
      case 'unmark':
        mark = false
        return 'next'
      case 'masquerade':
        note(`masquerade: the source becomes ${machine.address}`)
        headers = { ...headers, source: machine.address }
        return 'accept'
      case 'dnat':
        note(`DNAT to ${action.ip}:${action.port}`)
        headers = { ...headers, destination: action.ip, port: action.port }
        return 'accept'
      case 'remember':
        machine.remember(action.list, headers.source)
        return 'next'
      case 'lookup': {
        const port = `${headers.protocol} . ${headers.port}`
        const element = index.maps.get(action.map)?.get(action.by === 'port' ? port : `${headers.destination} . ${port}`)
        if (!element) return 'next'
        return act(
          chain,
          element.action,
          true,
          (decision) => matched.push({ chain: chain.name, rule: `@${action.map}: ${element.text}`, decision }),
          depth,
        )
      }
      case 'random': {
        const choice = action.chains[Math.floor(machine.random() * action.chains.length)]
        return choice === undefined ? 'next' : act(chain, { do: 'goto', chain: choice }, true, note, depth)
      }
    }
  }

  for (const chain of index.base.get(hook) ?? []) {
    const outcome = enter(chain.table, chain.name, 0)
    if (outcome === 'drop' || outcome === 'reject') return { verdict: outcome, headers, marked: mark, matched }
  }
  return { verdict: 'accept', headers, marked: mark, matched }
}

import type { TraceLevel } from '../record.ts'

/** kube-proxy writing rules, and packets walking through them. `packet` numbers a packet; its records are its hops. */
export interface ProxyTrace {
  'proxy.rules.synced': {
    node: string
    mode: 'iptables' | 'nftables'
    services: number
    endpoints: number
    rules: number
    changed: readonly string[]
  }
  'packet.sent': { packet: number; from: string; source: string; destination: string; what: string }
  /** A rule of the named chain decided something: `DNAT to 10.244.1.3:80`, `REJECT`, `no rule`. */
  'packet.rule.matched': { packet: number; node: string; chain: string; rule: string; decision: string }
  'packet.routed': { packet: number; from: string; to: string; why: string }
  'packet.delivered': { packet: number; pod: string; container: string; port: number }
  'packet.dropped': { packet: number; at: string; why: string }
  'request.answered': { packet: number; status: number; body: string; tookMs: number; by: string }
  'request.failed': { packet: number; error: string; tookMs: number }
}

export const proxyLevels: Record<keyof ProxyTrace, TraceLevel> = {
  'proxy.rules.synced': 'story',
  'packet.sent': 'story',
  'packet.rule.matched': 'story',
  'packet.routed': 'story',
  'packet.delivered': 'story',
  'packet.dropped': 'story',
  'request.answered': 'story',
  'request.failed': 'story',
}

import type { TraceLevel } from '../record.ts'

export interface DnsTrace {
  'dns.ready': { services: number; endpoints: number }
  'dns.query.received': { name: string; type: string; from: string }
  'dns.query.answered': { name: string; type: string; status: string; answers: readonly string[] }
}

export const dnsLevels: Record<keyof DnsTrace, TraceLevel> = {
  'dns.ready': 'story',
  'dns.query.received': 'detail',
  'dns.query.answered': 'story',
}

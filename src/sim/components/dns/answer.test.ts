import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { EndpointSlice, Service } from '../../api/types/kubernetes.gen.ts'
import { answerDns, DEFAULT_ZONES } from './answer.ts'
import { dnsData } from './data.ts'
import type { DnsResponse } from './message.ts'

const golden = JSON.parse(readFileSync(new URL('golden/dns.json', import.meta.url), 'utf8')) as {
  objects: (Service | EndpointSlice)[]
  queries: (DnsResponse & { name: string; type: string })[]
}

const kubernetes = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default' },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP' }] },
  },
] as Service[]
const objects = [...kubernetes, ...golden.objects]
const data = dnsData(
  objects.filter((o): o is Service => o.kind === 'Service'),
  objects.filter((o): o is EndpointSlice => o.kind === 'EndpointSlice'),
  ['default', 'shop'],
)
const ask = (name: string, type: string): DnsResponse => answerDns({ name, type }, data, { zones: DEFAULT_ZONES, ttl: 30, serial: 7 })

describe('CoreDNS', () => {
  it.each(golden.queries.map((q) => [q.name, q.type, q] as const))('%s %s: as recorded', (name, type, q) => {
    const { status, flags, answer, additional } = q
    const authority = q.authority.map((r) => r.replace('<serial>', '7'))
    expect(ask(name, type)).toEqual({ status, flags, answer: answer.map((r) => r.replace('<serial>', '7')), authority, additional })
  })

  it('follows an ExternalName into the cluster', () => {
    expect(ask('extin.shop.svc.cluster.local', 'A').answer).toEqual([
      'extin.shop.svc.cluster.local. 30 CNAME web.shop.svc.cluster.local.',
      'web.shop.svc.cluster.local. 30 A 10.96.20.10',
    ])
  })

  it('keeps the case of the question in the authority', () => {
    expect(ask('Nope.shop.svc.Cluster.Local', 'A').authority).toEqual([
      'Cluster.Local. 30 SOA ns.dns.Cluster.Local. hostmaster.Cluster.Local. 7 7200 1800 86400 30',
    ])
  })
})

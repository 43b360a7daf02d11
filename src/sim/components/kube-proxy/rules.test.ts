import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { EndpointSlice, Service } from '../../api/types/kubernetes.gen.ts'
import { iptablesRules } from './iptables/rules.ts'
import { iptablesSave } from './iptables/save.ts'
import { nftList } from './nftables/list.ts'
import { nftablesRules } from './nftables/rules.ts'
import type { ProxyInput } from './services.ts'
import { comparableIptables, comparableNft } from './testing/comparable.ts'

interface Case {
  name: string
  about: string
  node: string
  objects: (Service | EndpointSlice)[]
  iptables: { nat: string; filter: string }
  nftables: string
}

const { cases } = JSON.parse(readFileSync(new URL('golden/rules.json', import.meta.url), 'utf8')) as { cases: Case[] }

/** The recorded cluster has this Service too; it is left out of the comparison. */
const kubernetes = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'kubernetes', namespace: 'default' },
  spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, targetPort: 6443 }] },
} as Service

const inputOf = (objects: readonly (Service | EndpointSlice)[]): ProxyInput => ({
  node: 'node-1',
  nodeIP: '172.18.0.11',
  nodeLabels: {},
  clusterCIDR: '10.244.0.0/16',
  serviceCIDRs: ['10.96.0.0/12'],
  services: [kubernetes, ...objects.filter((o): o is Service => o.kind === 'Service')],
  endpointSlices: objects.filter((o): o is EndpointSlice => o.kind === 'EndpointSlice'),
})

describe('the rules of kube-proxy', () => {
  it.each(cases.map((c) => [c.name, c] as const))('%s: iptables as recorded', (_, c) => {
    const rules = iptablesRules(inputOf(c.objects))
    expect(comparableIptables(iptablesSave(rules, 'nat'))).toBe(c.iptables.nat)
    // Without endpoints default/kubernetes is rejected in the filter table; that line is left out with it.
    expect(comparableIptables(iptablesSave(rules, 'filter'))).toBe(c.iptables.filter)
  })

  it.each(cases.map((c) => [c.name, c] as const))('%s: nftables as recorded', (_, c) => {
    expect(comparableNft(nftList(nftablesRules(inputOf(c.objects))))).toBe(c.nftables)
  })

  const slice = (endpoints: EndpointSlice['endpoints']): EndpointSlice =>
    ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: '', port: 80, protocol: 'TCP' }],
      endpoints,
    }) as EndpointSlice
  const web = (spec: object): Service =>
    ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { clusterIP: '10.96.10.10', ports: [{ port: 80, protocol: 'TCP' }], ...spec },
    }) as Service
  const three = slice(
    ['10.244.1.5', '10.244.2.7', '10.244.3.9'].map((ip, i) => ({
      addresses: [ip],
      nodeName: `node-${i + 1}`,
      conditions: { ready: true },
      hints: { forZones: [{ name: i === 0 ? 'a' : 'b' }] },
    })),
  )

  it('shows probabilities as the kernel keeps them', () => {
    expect(iptablesSave(iptablesRules(inputOf([web({}), three])), 'nat')).toContain('--probability 0.33333333349 ')
  })

  it('keeps traffic in the zone when every endpoint has a hint', () => {
    const dump = iptablesSave(iptablesRules({ ...inputOf([web({}), three]), nodeLabels: { 'topology.kubernetes.io/zone': 'b' } }), 'nat')
    expect(dump).not.toContain('10.244.1.5')
    expect(dump).toContain('10.244.2.7')
  })

  it('shows source ranges merged and the load balancer itself when the node is allowed', () => {
    const lb = {
      ...web({ type: 'LoadBalancer', loadBalancerSourceRanges: ['172.18.0.0/16', '10.0.0.0/9', '10.128.0.0/9', '0.0.0.0/32'] }),
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.10' }] } },
    } as Service
    expect(nftList(nftablesRules(inputOf([lb, three])))).toContain('ip saddr != { 0.0.0.0, 10.0.0.0/8, 172.18.0.0/16, 203.0.113.10 } drop')
    expect(iptablesSave(iptablesRules(inputOf([lb, three])), 'nat')).toContain(
      '-s 203.0.113.10/32 -m comment --comment "shop/web loadbalancer IP" -j KUBE-EXT-',
    )
  })
})

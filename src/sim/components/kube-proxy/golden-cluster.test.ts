import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createCluster } from '../../cluster/cluster.ts'
import { CLASSROOM } from '../../cluster/spec.ts'
import type { KubeObject } from '../../api/types/object.ts'
import type { KubectlResult } from '../kubectl/types.ts'
import { netfilterCommand } from './kernel/commands.ts'
import { comparableIptables, comparableNft } from './testing/comparable.ts'

interface Case {
  name: string
  node: string
  objects: KubeObject[]
  iptables: { nat: string; filter: string }
  nftables: string
}
const { cases } = JSON.parse(readFileSync(new URL('golden/rules.json', import.meta.url), 'utf8')) as { cases: Case[] }
const COLLECTIONS: Readonly<Record<string, string>> = {
  Service: '/api/v1/namespaces/shop/services',
  EndpointSlice: '/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices',
}

describe('a cluster whose nodes run kube-proxy', () => {
  it.each(['iptables', 'nftables'] as const)(
    'has the recorded rules in the kernel of node-1 a few seconds after each change, %s',
    { timeout: 60_000 },
    (mode) => {
      const { sim } = createCluster({ profile: 'cluster', seed: 1, spec: { ...CLASSROOM, proxyMode: mode } })
      let n = 0
      const raw = (method: string, path: string, body?: object, contentType?: string): void => {
        const id = `r${++n}`
        const results = sim.peek<KubectlResult>('kubectl', 'results')
        sim.input({
          target: 'kubectl',
          kind: 'kubectl.command',
          payload: {
            id,
            command: {
              verb: 'raw',
              method,
              path,
              ...(body ? { body: JSON.stringify(body) } : {}),
              ...(contentType ? { contentType } : {}),
            },
            summary: `${method} ${path}`,
          },
        })
        sim.runUntil({ kind: 'predicate', holds: () => results.get(id)?.done === true })
        expect(results.get(id)?.ok).toBe(true)
      }
      raw('POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
      const failed: string[] = []
      for (const c of cases) {
        for (const { status, ...object } of c.objects) {
          raw('POST', COLLECTIONS[object.kind] as string, object)
          if (status) raw('PATCH', `${COLLECTIONS[object.kind]}/${object.metadata.name}/status`, { status }, 'application/merge-patch+json')
        }
        sim.runToTime(sim.now + 5000)
        const dump = (command: string): string => netfilterCommand(sim.peek(`kernel/${c.node}`, 'rules'), command)?.stdout ?? ''
        const same =
          mode === 'iptables'
            ? comparableIptables(dump('iptables-save -t nat')) === c.iptables.nat &&
              comparableIptables(dump('iptables-save -t filter')) === c.iptables.filter
            : comparableNft(dump('nft list table ip kube-proxy')) === c.nftables
        if (!same) failed.push(c.name)
        for (const object of c.objects) raw('DELETE', `${COLLECTIONS[object.kind]}/${object.metadata.name}`)
        sim.runToTime(sim.now + 3000)
      }
      expect(failed).toEqual([])
    },
  )
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ServiceSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import type { BeginFailure, RegistryView } from '../strategy.ts'
import { allocateOnCreate, allocateOnUpdate, allocationView, defaultServiceNetwork, type ServiceNetwork } from './allocate.ts'
import { service } from './service.ts'

const draftOf = (spec: ServiceSpec): KubeObject => {
  const draft = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: structuredClone(spec),
  } as KubeObject
  service.defaults?.(draft)
  return draft
}

const textsOf = (failure: BeginFailure | undefined): string[] | undefined =>
  failure && 'fieldErrors' in failure ? failure.fieldErrors.map((e) => `${e.field}: ${e.detail}`) : undefined

function cluster(network: ServiceNetwork = defaultServiceNetwork, random: () => number = () => 0) {
  const stored: KubeObject[] = []
  const view = (dryRun = false) =>
    allocationView(
      { list: (resource: string) => (resource === 'services' ? stored : []), random, dryRun } as unknown as RegistryView,
      network,
    )
  return {
    stored,
    create(spec: ServiceSpec, dryRun = false) {
      const draft = draftOf(spec)
      const failure = allocateOnCreate(draft, view(dryRun))
      if (failure === undefined && !dryRun) stored.push(draft)
      return { spec: draft.spec as ServiceSpec, failure, texts: textsOf(failure) }
    },
    update(old: ServiceSpec, spec: ServiceSpec) {
      const draft = draftOf(spec)
      const failure = allocateOnUpdate(draft, draftOf(old), view())
      return { spec: draft.spec as ServiceSpec, texts: textsOf(failure) }
    },
  }
}

const small: ServiceNetwork = { serviceCIDRs: ['10.0.0.0/26'], nodePorts: { base: 30000, size: 40 } }
const dual: ServiceNetwork = { serviceCIDRs: ['10.96.0.0/16', 'fd00:10:96::/112'], nodePorts: { base: 30000, size: 2768 } }
const web = { ports: [{ port: 80 }] } as ServiceSpec
const lastByte = (ip: string | undefined): number => Number(ip?.split('.')[3])

describe('cluster IPs', () => {
  it('come from the upper band until it is full, then from the lower one, each once, and then run out', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })), (numbers) => {
        const c = cluster(small, () => numbers.next().value as number)
        const given = Array.from({ length: 62 }, () => lastByte(c.create(web).spec.clusterIP))
        const upper = given.slice(0, 46)
        expect(Math.min(...upper)).toBe(17)
        expect(Math.max(...upper)).toBe(62)
        expect(new Set(given).size).toBe(62)
        expect(c.create(web).failure).toEqual({ internalError: 'failed to allocate a serviceIP: range is full' })
      }),
      { numRuns: 20 },
    )
  })

  it('that a user asks for are given once, and again after the Service is gone', () => {
    const c = cluster()
    const asked = { ...web, clusterIP: '10.96.0.77' }
    expect(c.create(asked).spec.clusterIPs).toEqual(['10.96.0.77'])
    expect(c.create(asked).texts).toEqual(['spec.clusterIPs: failed to allocate IP 10.96.0.77: provided IP is already allocated'])
    c.stored.pop()
    expect(c.create(asked).failure).toBeUndefined()
    expect(c.create({ ...web, clusterIP: '192.168.0.1' }).texts).toEqual([
      'spec.clusterIPs: failed to allocate IP 192.168.0.1: the provided network does not match the current range',
    ])
  })

  it('of a dry run take nothing and draw no random number', () => {
    const c = cluster(defaultServiceNetwork, () => {
      throw new Error('drawn')
    })
    expect(c.create({ ...web, type: 'NodePort' }, true).failure).toBeUndefined()
    expect(c.stored).toEqual([])
  })
})

describe('two IP families', () => {
  it('are given as far as the policy asks and the cluster has them', () => {
    const both = cluster(dual).create({ ...web, ipFamilyPolicy: 'PreferDualStack' }).spec
    expect(both.ipFamilies).toEqual(['IPv4', 'IPv6'])
    expect(both.clusterIPs).toHaveLength(2)
    expect(both.clusterIPs?.[1]).toMatch(/^fd00:10:96::/)
    expect(cluster().create({ ...web, ipFamilyPolicy: 'PreferDualStack' }).spec.ipFamilies).toEqual(['IPv4'])
    expect(cluster().create({ ...web, ipFamilyPolicy: 'RequireDualStack' }).texts).toEqual([
      'spec.ipFamilyPolicy: this cluster is not configured for dual-stack services',
    ])
  })

  it('come and go with an update of the policy, the first address stays', () => {
    const c = cluster(dual)
    const single = c.create(web).spec
    const both = c.update(single, { ...single, ipFamilyPolicy: 'RequireDualStack' }).spec
    expect(both.clusterIPs?.[0]).toBe(single.clusterIP)
    expect(both.clusterIPs).toHaveLength(2)
    expect(c.update(both, { ...both, ipFamilyPolicy: 'SingleStack' }).spec.clusterIPs).toEqual([single.clusterIP])
  })
})

describe('node ports', () => {
  it('come from the upper band first, each once, and then run out', () => {
    const c = cluster(small, () => 0.99)
    const given = Array.from({ length: 40 }, () => c.create({ ...web, type: 'NodePort' }).spec.ports?.[0]?.nodePort ?? 0)
    expect(Math.min(...given.slice(0, 24))).toBe(30016)
    expect(new Set(given).size).toBe(40)
    expect(c.create({ ...web, type: 'NodePort' }).failure).toEqual({ internalError: 'failed to allocate a nodePort: range is full' })
  })

  it('are shared by two protocols of one port and refused when taken or out of range', () => {
    const c = cluster()
    const ports = [
      { name: 'tcp', port: 53, protocol: 'TCP' as const },
      { name: 'udp', port: 53, protocol: 'UDP' as const, nodePort: 30053 },
    ]
    expect(c.create({ type: 'NodePort', ports }).spec.ports?.map((p) => p.nodePort)).toEqual([30053, 30053])
    const asking = (nodePort: number) => c.create({ type: 'NodePort', ports: [{ port: 80, nodePort }] }).texts
    expect(asking(30053)).toEqual(['spec.ports[0].nodePort: provided port is already allocated'])
    expect(asking(80)).toEqual(['spec.ports[0].nodePort: provided port is not in the valid range. The range of valid ports is 30000-32767'])
  })

  it('that an update leaves out stay with the port of the same name', () => {
    const c = cluster()
    const old = c.create({ type: 'NodePort', ports: [{ name: 'http', port: 80 }] }).spec
    const updated = c.update(old, { type: 'NodePort', ports: [{ name: 'http', port: 8080 }] }).spec
    expect(updated.ports?.[0]?.nodePort).toBe(old.ports?.[0]?.nodePort)
    expect(updated.clusterIP).toBe(old.clusterIP)
  })
})

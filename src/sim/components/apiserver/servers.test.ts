import { describe, expect, it } from 'vitest'
import {
  advance,
  createApiCluster,
  DOOR,
  type DoorRequest,
  doorType,
  request,
  STATIC_TOKENS,
  stream,
  toHttpRequest,
} from '../../cluster/door.ts'
import { Simulation } from '../../cluster/simulation.ts'
import type { ComponentType } from '../../net/context.ts'
import { etcdType } from '../etcd/etcd.ts'
import { type KubeApiserverConfig, kubeApiserverType } from './apiserver.ts'

/** Ends and starts processes. */
const handType: ComponentType = {
  type: 'hand',
  handlers: {
    stop: (ctx, id: string) => ctx.stopProcess(id, 'test'),
    start: (ctx, p: { id: string; type: string; host: string; config: unknown }) => ctx.startProcess(p),
  },
}

function threeServers(seed = 1) {
  const sim = new Simulation({ seed, types: [etcdType, kubeApiserverType, doorType, handType] })
  const members = ['etcd/m1', 'etcd/m2', 'etcd/m3']
  const process = (kind: 'etcd' | 'kube-apiserver', n: number) => {
    const config: KubeApiserverConfig = {
      etcd: [...members.slice(n - 1), ...members.slice(0, n - 1)],
      advertiseAddress: `10.0.0.${n}`,
      serviceCIDR: '10.96.0.0/12',
      nodePortRange: '30000-32767',
      tokens: STATIC_TOKENS,
    }
    return { id: `${kind}/m${n}`, type: kind, host: `m${n}`, config: kind === 'etcd' ? { members, fsyncMs: 1 } : config }
  }
  for (const n of [1, 2, 3]) sim.network.addHost({ name: `m${n}`, ip: `10.0.0.${n}`, role: 'control-plane', up: true })
  sim.network.addHost({ name: 'you', ip: '10.0.1.1', role: 'visitor', up: true })
  sim.boot({ id: DOOR, type: 'door', host: 'you', config: null })
  sim.boot({ id: 'hand', type: 'hand', host: 'you', config: null })
  for (const n of [1, 2, 3]) for (const kind of ['etcd', 'kube-apiserver'] as const) sim.boot(process(kind, n))
  sim.runToTime(60_000)
  sim.baseline()
  const stop = (id: string): void => {
    sim.input({ target: 'hand', kind: 'stop', payload: id })
    advance(sim, 1)
  }
  const start = (kind: 'etcd' | 'kube-apiserver', n: number): void => {
    sim.input({ target: 'hand', kind: 'start', payload: process(kind, n) })
    advance(sim, 1)
  }
  const addresses = (): string[] => {
    const running = sim.processList().find((p) => p.type === 'kube-apiserver' && p.running)?.id
    const body = request(sim, { path: '/api/v1/namespaces/default/endpoints/kubernetes' }, running).body as {
      subsets: { addresses: { ip: string }[] }[]
    }
    return body.subsets.flatMap((s) => s.addresses.map((a) => a.ip))
  }
  return { sim, stop, start, addresses }
}

const configMap = (name: string) => ({ metadata: { name } })
const path = '/api/v1/namespaces/default/configmaps'

describe('several API servers', () => {
  it('all stand behind the kubernetes Service; one that is gone is taken out within 25 s, and comes back', () => {
    const { sim, stop, start, addresses } = threeServers()
    expect(addresses()).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    const slice = request(sim, { path: '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes' }).body as {
      endpoints: { addresses: string[] }[]
      metadata: { resourceVersion: string }
    }
    expect(slice.endpoints.flatMap((e) => e.addresses)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    stop('kube-apiserver/m2')
    advance(sim, 25_000)
    expect(addresses()).toEqual(['10.0.0.1', '10.0.0.3'])
    start('kube-apiserver', 2)
    advance(sim, 15_000)
    expect(addresses()).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3'])
  })

  it('read what another one has just written', () => {
    const { sim } = threeServers(2)
    for (let i = 0; i < 20; i++) {
      const [writer, reader] = [`kube-apiserver/m${1 + (i % 3)}`, `kube-apiserver/m${1 + ((i + 1) % 3)}`]
      expect(request(sim, { method: 'POST', path, body: configMap(`c${i}`) }, writer).status).toBe(201)
      expect(request(sim, { path: `${path}/c${i}` }, reader).status).toBe(200)
      const list = request(sim, { path }, reader).body as { items: unknown[] }
      expect(list.items.length).toBe(i + 1)
    }
  })

  it('never give one address to two Services', () => {
    const { sim } = threeServers(5)
    for (const n of [1, 2, 3]) {
      const payload: DoorRequest = {
        id: `s${n}`,
        server: `kube-apiserver/m${n}`,
        stream: false,
        summary: '',
        request: toHttpRequest({
          method: 'POST',
          path: '/api/v1/namespaces/default/services',
          body: { metadata: { name: `s${n}` }, spec: { clusterIP: '10.96.7.7', ports: [{ port: 80 }] } },
        }),
      }
      sim.input({ target: DOOR, kind: 'door.request', payload })
    }
    advance(sim, 2000)
    const codes = [1, 2, 3].map((n) => sim.peek<{ status: number }>(DOOR, 'answers').get(`s${n}`)?.status)
    expect(codes.sort()).toEqual([201, 422, 422])
    const { items } = request(sim, { path: '/apis/networking.k8s.io/v1/ipaddresses' }).body as { items: { metadata: { name: string } }[] }
    expect(items.map((i) => i.metadata.name)).toEqual(['10.96.0.1', '10.96.7.7'])
  })

  it('turn to another etcd member when their own is stopped; watches go on without a gap', () => {
    const { sim, stop } = threeServers(3)
    const watch = stream(sim, { path: `${path}?watch=true` }, 'kube-apiserver/m1')
    expect(request(sim, { method: 'POST', path, body: configMap('before') }, 'kube-apiserver/m1').status).toBe(201)
    stop('etcd/m1')
    expect(request(sim, { method: 'POST', path, body: configMap('meanwhile') }, 'kube-apiserver/m2').status).toBeLessThan(600)
    advance(sim, 5000)
    expect(request(sim, { method: 'POST', path, body: configMap('after') }, 'kube-apiserver/m1').status).toBe(201)
    advance(sim, 2000)
    const names = watch.chunks().map((c) => ('event' in c ? (c.event.object as { metadata: { name: string } }).metadata.name : ''))
    expect(names).toEqual(expect.arrayContaining(['before', 'after']))
    expect(watch.ended()).toBe(false)
  })

  it('refuse writes when etcd has no majority, and take them again when it has', () => {
    const { sim, stop, start } = threeServers(4)
    stop('etcd/m2')
    stop('etcd/m3')
    const refused = request(sim, { method: 'POST', path, body: configMap('a') }, 'kube-apiserver/m1')
    expect(refused.status).toBe(500)
    expect((refused.body as { message: string }).message).toBe('etcdserver: request timed out')
    // What the cache has can still be read from it.
    expect(request(sim, { path: '/api/v1/namespaces?resourceVersion=0' }, 'kube-apiserver/m1').status).toBe(200)
    start('etcd', 2)
    advance(sim, 5000)
    expect(request(sim, { method: 'POST', path, body: configMap('b') }, 'kube-apiserver/m1').status).toBe(201)
  })
})

describe('events', () => {
  it('are gone an hour after they were last written', () => {
    const sim = createApiCluster({ profile: 'api', seed: 1 })
    const events = '/api/v1/namespaces/default/events'
    const post = (name: string): number =>
      request(sim, {
        method: 'POST',
        path: events,
        body: {
          metadata: { name, namespace: 'default' },
          involvedObject: { kind: 'Pod', namespace: 'default', name: 'web' },
          reason: 'Tested',
          type: 'Normal',
        },
      }).status
    const names = (): string[] =>
      (request(sim, { path: events }).body as { items: { metadata: { name: string } }[] }).items.map((e) => e.metadata.name)
    expect(post('one')).toBe(201)
    expect(post('two')).toBe(201)
    expect(sim.peek('etcd/control-plane', 'leases').size).toBe(1)
    advance(sim, 30 * 60_000)
    const patched = request(sim, {
      method: 'PATCH',
      path: `${events}/two`,
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { count: 2 },
    })
    expect(patched.status).toBe(200)
    expect(names()).toEqual(['one', 'two'])
    advance(sim, 32 * 60_000)
    expect(names()).toEqual(['two'])
    advance(sim, 30 * 60_000)
    expect(names()).toEqual([])
    expect(sim.peek('etcd/control-plane', 'leases').size).toBe(0)
  })

  it('written at the same time ask for one lease', () => {
    const sim = createApiCluster({ profile: 'api', seed: 2 })
    const watch = stream(sim, { path: '/api/v1/events?watch=true' })
    for (let i = 0; i < 10; i++) {
      const body = {
        metadata: { name: `e${i}`, namespace: 'default' },
        involvedObject: { kind: 'Pod', namespace: 'default', name: 'web' },
        reason: 'Tested',
        type: 'Normal',
      }
      sim.input({
        target: DOOR,
        kind: 'door.request',
        payload: {
          id: `e${i}`,
          server: 'kube-apiserver/control-plane',
          stream: false,
          summary: '',
          request: {
            method: 'POST',
            path: '/api/v1/namespaces/default/events',
            headers: { accept: 'application/json', 'content-type': 'application/json', authorization: 'Bearer admin-token' },
            body,
            sourceIP: '127.0.0.1',
          },
        },
      })
    }
    advance(sim, 100)
    expect(watch.chunks().length).toBe(10)
    expect(sim.peek('etcd/control-plane', 'leases').size).toBe(1)
  })
})

import { describe, expect, it } from 'vitest'
import type { EndpointSlice, Service } from '../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../api/types/object.ts'
import type { ClientConfig } from '../../client/request.ts'
import { fakeApi } from '../../client/testing/fake-api.ts'
import { Simulation } from '../../cluster/simulation.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import type { TraceRecord } from '../../trace/record.ts'
import { type ClientResult, clientType } from '../client/client.ts'
import { corednsType } from '../dns/coredns.ts'
import type { PodConnect } from '../runtime/cri.ts'
import { kernelType } from './kernel.ts'
import { kubeProxyType } from './kube-proxy.ts'

const NODES = ['node-1', 'node-2', 'node-3'] as const
const ipOf = (node: string): string => `172.18.0.1${node.at(-1)}`
const podCIDR = (node: string): string => `10.244.${node.at(-1)}.0/24`
const POD_WEB = ['10.244.1.5', '10.244.2.7']

/** Accepts connections for the pods of its node, as containerd does. */
const runtime: ComponentType = {
  type: 'containerd',
  handlers: {
    'pod.connect': (ctx: Context, { ip, port }: PodConnect, delivery) => {
      const here = ctx.config as Record<string, number>
      const by = { namespace: 'shop', pod: `web-${ip}`, container: 'nginx' }
      const body =
        ip in here
          ? here[ip] === port
            ? ({ connected: true, by, http: { status: 200, body: `hello from ${ip}`, contentType: 'text/plain' } } as const)
            : ({ connected: false, error: 'connection refused' } as const)
          : ({ connected: false, error: 'no route to host' } as const)
      if (delivery.call !== undefined) ctx.reply(delivery.call, body)
    },
  },
}
/** Sets the routes of its node, as a CNI agent does; kept apart so that the test needs no Node objects. */
const router: ComponentType = {
  type: 'router',
  start: (ctx) =>
    ctx.send(
      `kernel/${ctx.host}`,
      'route.replace',
      { routes: NODES.filter((n) => n !== ctx.host).map((node) => ({ podCIDR: podCIDR(node), via: ipOf(node), node })) },
      { flow: 'control', summary: 'routes' },
    ),
  handlers: {},
}

const client: ClientConfig = {
  servers: ['api'],
  user: 'system:serviceaccount:kube-system:kube-proxy',
  groups: [],
  userAgent: 'kube-proxy/v1.35.4',
}

const service = (name: string, namespace: string, spec: object): KubeObject =>
  ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec }) as unknown as Service as unknown as KubeObject
const slice = (name: string, namespace: string, ports: object[], ips: readonly string[]): KubeObject =>
  ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports,
    endpoints: ips.map((ip) => ({ addresses: [ip], nodeName: `node-${ip.split('.')[2]}`, conditions: { ready: true } })),
  }) as unknown as EndpointSlice as unknown as KubeObject

function put(sim: Simulation, path: string, object: KubeObject): void {
  sim.input({ target: 'hand', kind: 'put', payload: { path, object } })
}
const hand: ComponentType = {
  type: 'hand',
  start: (ctx) => ctx.next('tick'),
  handlers: {
    put: (ctx: Context, { path, object }: { path: string; object: KubeObject }) =>
      void ctx.call(
        'api',
        'http.request',
        { method: 'POST', path, headers: {}, body: object },
        { then: { kind: 'done' }, flow: 'write', summary: 'put' },
      ),
    stop: (ctx: Context, id: string) => ctx.stopProcess(id, 'test'),
    cut: (ctx: Context, [a, b]: [string, string]) => ctx.setLink(a, b, { cut: true }),
    off: (ctx: Context, host: string) => ctx.setHostUp(host, false),
    done: () => {},
    /** Virtual time passes only from step to step. */
    tick: (ctx: Context) => ctx.setTimer('tick', 500, 'tick', null, { periodic: true }),
  },
}

function cluster(mode: 'iptables' | 'nftables', seed = 1): Simulation {
  const sim = new Simulation({ seed, types: [fakeApi, kernelType, kubeProxyType, corednsType, clientType, runtime, router, hand] })
  for (const name of [...NODES, 'cp', 'you', 'outside']) sim.network.addHost({ name, ip: name, role: 'worker', up: true })
  const nodes = Object.fromEntries(NODES.map((n) => [ipOf(n), n]))
  sim.boot({ id: 'api', type: 'fake-api', host: 'cp', config: null })
  sim.boot({ id: 'hand', type: 'hand', host: 'you', config: null })
  sim.boot({ id: 'client', type: 'client', host: 'outside', config: { nodes, client } })
  for (const node of NODES) {
    sim.boot({ id: `kernel/${node}`, type: 'kernel', host: node, config: { node, nodeIP: ipOf(node), podCIDR: '10.244.0.0/16', nodes } })
    sim.boot({
      id: `containerd/${node}`,
      type: 'containerd',
      host: node,
      config: Object.fromEntries([...POD_WEB, '10.244.3.99'].filter((ip) => `node-${ip.split('.')[2]}` === node).map((ip) => [ip, 80])),
    })
    sim.boot({ id: `router/${node}`, type: 'router', host: node, config: null })
    sim.boot({
      id: `kube-proxy/${node}`,
      type: 'kube-proxy',
      host: node,
      config: { client, node, nodeIP: ipOf(node), mode, clusterCIDR: '10.244.0.0/16' },
    })
  }
  sim.boot({
    id: 'coredns/coredns-a',
    type: 'coredns',
    host: 'node-3',
    config: { client, node: 'node-3', pod: { name: 'coredns-a', namespace: 'kube-system', ip: '10.244.3.3', uid: 'u' } },
  })
  for (const ns of ['default', 'shop', 'kube-system'])
    put(sim, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } })
  put(sim, '/apis/networking.k8s.io/v1/servicecidrs', {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: ['10.96.0.0/12'] },
  })
  put(
    sim,
    '/api/v1/services',
    service('kube-dns', 'kube-system', { clusterIP: '10.96.0.10', ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] }),
  )
  put(
    sim,
    '/apis/discovery.k8s.io/v1/endpointslices',
    slice('kube-dns', 'kube-system', [{ name: 'dns', port: 53, protocol: 'UDP' }], ['10.244.3.3']),
  )
  put(
    sim,
    '/api/v1/services',
    service('web', 'shop', { type: 'NodePort', clusterIP: '10.96.10.10', ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }] }),
  )
  put(sim, '/apis/discovery.k8s.io/v1/endpointslices', slice('web', 'shop', [{ name: '', port: 80, protocol: 'TCP' }], POD_WEB))
  put(sim, '/api/v1/services', service('empty', 'shop', { clusterIP: '10.96.10.11', ports: [{ port: 80, protocol: 'TCP' }] }))
  put(sim, '/api/v1/namespaces/shop/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'shell', namespace: 'shop', uid: 's' },
    spec: { nodeName: 'node-1' },
    status: { phase: 'Running', podIP: '10.244.1.5' },
  } as unknown as KubeObject)
  sim.runToTime(5000)
  return sim
}

let n = 0
function request(
  sim: Simulation,
  url: string,
  from: 'outside' | { pod: string; namespace: string } = 'outside',
): { result: ClientResult; trace: TraceRecord[] } {
  const id = `r${++n}`
  const before = sim.kernel.records
  sim.input({ target: 'client', kind: 'client.request', payload: { id, from, url, summary: url } })
  sim.runUntil({ kind: 'predicate', holds: () => sim.peek<ClientResult>('client', 'results').get(id)?.done === true })
  return { result: sim.peek<ClientResult>('client', 'results').get(id) as ClientResult, trace: sim.records().slice(before) }
}
const shell = { pod: 'shell', namespace: 'shop' }
const decisions = (trace: readonly TraceRecord[]): string[] =>
  trace.flatMap((r) => (r.kind === 'packet.rule.matched' ? [(r.data as { decision: string }).decision] : []))

describe.each(['iptables', 'nftables'] as const)('traffic through the rules of kube-proxy, %s', (mode) => {
  it('carries a request from outside through a node port to both endpoints, with the node as source', () => {
    const sim = cluster(mode)
    const bodies = new Set<string>()
    for (let i = 0; i < 12; i++) {
      const { result, trace } = request(sim, 'http://172.18.0.13:30080/')
      expect(result).toMatchObject({ done: true, ok: true, status: 200 })
      bodies.add(result.body ?? '')
      expect(decisions(trace)).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^DNAT to 10\.244\.[12]\.[57]:80$/),
          'masquerade: the source becomes 172.18.0.13',
          'mark for masquerading',
        ]),
      )
      expect(trace.map((r) => r.kind)).toContain('packet.delivered')
    }
    expect([...bodies].sort()).toEqual(['hello from 10.244.1.5', 'hello from 10.244.2.7'])
  })

  it('resolves a Service name through its own node and CoreDNS before it connects', () => {
    const { result, trace } = request(cluster(mode), 'http://web/', shell)
    expect(result).toMatchObject({ ok: true, status: 200 })
    const asked = trace.flatMap((r) => (r.kind === 'dns.query.answered' ? [(r.data as { name: string }).name] : []))
    expect(asked).toEqual(['web.shop.svc.cluster.local.'])
    const answered = trace.find((r) => r.kind === 'request.answered') as TraceRecord
    const kinds: string[] = []
    for (let seq = answered.cause; seq > 0; ) {
      const record = trace.find((r) => r.seq === seq)
      if (!record) break
      kinds.push(record.kind)
      seq = record.cause
    }
    expect(kinds).toEqual(expect.arrayContaining(['packet.delivered', 'packet.rule.matched', 'dns.query.answered', 'visitor.input']))
  })

  it('does not masquerade a pod that reaches another pod by a cluster IP, but does when it reaches itself', () => {
    const sim = cluster(mode)
    for (let i = 0; i < 12; i++) {
      const { result, trace } = request(sim, 'http://10.96.10.10/', shell)
      const self = result.body === 'hello from 10.244.1.5'
      expect(decisions(trace).some((d) => d.startsWith('masquerade'))).toBe(self)
    }
  })

  it('refuses a Service without endpoints, and a pod that does not listen', () => {
    const sim = cluster(mode)
    expect(request(sim, 'http://empty.shop/', shell).result).toMatchObject({ ok: false, error: 'connection refused' })
    expect(request(sim, 'http://10.244.2.7:81/', shell).result).toMatchObject({ ok: false, error: 'connection refused' })
    expect(request(sim, 'http://nowhere/', shell).result).toMatchObject({ ok: false, error: 'could not resolve host: nowhere' })
  })

  it('gets no answer from addresses that nobody has and from machines without power', () => {
    const sim = cluster(mode)
    expect(request(sim, 'http://10.96.99.99/', shell).result).toMatchObject({ ok: false, error: 'timed out' })
    expect(request(sim, 'http://10.96.10.10/').result).toMatchObject({ ok: false, error: 'timed out' })
    sim.input({ target: 'hand', kind: 'off', payload: 'node-2' })
    expect(request(sim, 'http://10.244.2.7/', shell).result).toMatchObject({ ok: false, error: 'timed out' })
    expect(request(sim, 'http://172.18.0.12:30080/').result).toMatchObject({ ok: false, error: 'timed out' })
  })

  it('goes on by the rules that are there when kube-proxy is stopped', () => {
    const sim = cluster(mode)
    for (const node of NODES) sim.input({ target: 'hand', kind: 'stop', payload: `kube-proxy/${node}` })
    sim.runToTime(sim.now + 1000)
    expect(request(sim, 'http://172.18.0.11:30080/').result).toMatchObject({ ok: true, status: 200 })
  })

  it('sends a client with affinity to the same endpoint until it is forgotten', () => {
    const sim = cluster(mode)
    put(
      sim,
      '/api/v1/services',
      service('sticky', 'shop', {
        clusterIP: '10.96.10.13',
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
        ports: [{ port: 80, protocol: 'TCP' }],
      }),
    )
    put(sim, '/apis/discovery.k8s.io/v1/endpointslices', slice('sticky', 'shop', [{ name: '', port: 80, protocol: 'TCP' }], POD_WEB))
    sim.runToTime(sim.now + 3000)
    const ask = (): string => request(sim, 'http://10.96.10.13/', shell).result.body ?? ''
    expect(new Set(Array.from({ length: 10 }, ask)).size).toBe(1)
    const later = Array.from({ length: 10 }, () => {
      sim.runToTime(sim.now + 61_000)
      return ask()
    })
    expect(new Set(later).size).toBe(2)
  })

  it('keeps external traffic on its node, and says on the health check port where there are endpoints', () => {
    const sim = cluster(mode)
    const spec = {
      type: 'LoadBalancer',
      clusterIP: '10.96.10.14',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 31999,
      ports: [{ port: 80, nodePort: 30081, protocol: 'TCP' }],
    }
    put(sim, '/api/v1/services', service('local', 'shop', spec))
    put(sim, '/apis/discovery.k8s.io/v1/endpointslices', slice('local', 'shop', [{ name: '', port: 80, protocol: 'TCP' }], ['10.244.1.5']))
    sim.runToTime(sim.now + 3000)
    const there = request(sim, 'http://172.18.0.11:30081/')
    expect(there.result).toMatchObject({ ok: true, body: 'hello from 10.244.1.5' })
    expect(decisions(there.trace).some((d) => d.startsWith('masquerade'))).toBe(false)
    expect(request(sim, 'http://172.18.0.13:30081/').result).toMatchObject({ ok: false, error: 'timed out' })
    expect(request(sim, 'http://172.18.0.11:31999/').result.status).toBe(200)
    expect(request(sim, 'http://172.18.0.13:31999/').result.status).toBe(503)
  })

  it('loses packets where a link is cut', () => {
    const sim = cluster(mode)
    sim.input({ target: 'hand', kind: 'cut', payload: ['node-1', 'node-2'] })
    expect(request(sim, 'http://10.244.2.7/', shell).result).toMatchObject({ ok: false, error: 'timed out' })
    expect(request(sim, 'http://172.18.0.12:80/').result).toMatchObject({ ok: false })
  })

  it('writes rules when something changed, and only then', () => {
    const sim = cluster(mode)
    const synced = (): number => sim.records().filter((r) => r.kind === 'proxy.rules.synced' && r.actor === 'kube-proxy/node-1').length
    const before = synced()
    put(sim, '/api/v1/services', service('headless', 'shop', { clusterIP: 'None', ports: [{ port: 1 }] }))
    sim.runToTime(sim.now + 3000)
    expect(synced()).toBe(before)
    put(sim, '/api/v1/services', service('more', 'shop', { clusterIP: '10.96.10.12', ports: [{ port: 1 }] }))
    sim.runToTime(sim.now + 3000)
    expect(synced()).toBe(before + 1)
    expect(sim.peek<string>('kernel/node-1', 'rules').get('text')).toContain('shop/more')
  })
})

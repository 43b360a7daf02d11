// A visitor's requests: from outside the cluster, or from inside a pod (as `kubectl debug` would put a client into the pod's network).
import { apiRequest, type ApiResult, type ClientConfig } from '../../client/request.ts'
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import { isIPv4 } from '../kube-proxy/kernel/address.ts'
import type { ConnectionReply } from '../kube-proxy/kernel/connection.ts'
import { type HttpAsk, PACKET, PACKET_LOOK, type Packet, type PacketAnswer } from '../kube-proxy/kernel/packet.ts'
import { NETWORK_REQUEST, type NetworkCall } from '../runtime/network.ts'
import { parseUrl, type Target } from './url.ts'

export interface OutsideClientConfig {
  /** Address → name of the machines that the outside world can reach. */
  readonly nodes: Readonly<Record<string, string>>
  /** Needed for requests from pods: to find out where the pod runs. */
  readonly client?: ClientConfig
  /** Address of this client. */
  readonly ip?: string
  readonly clusterDNS?: string
  readonly clusterDomain?: string
}

/** Payload of the input `client.request`. */
export interface ClientRequest {
  readonly id: string
  readonly from: 'outside' | { readonly pod: string; readonly namespace: string }
  readonly url: string
  readonly summary?: string
}

/** Table `results`, by the request's id. */
export interface ClientResult {
  readonly done: boolean
  readonly ok?: boolean
  /** 0: connected, but no HTTP was spoken. */
  readonly status?: number
  readonly body?: string
  readonly error?: string
  /** Machine by machine, rule by rule. */
  readonly hops: readonly string[]
}

interface Pending {
  readonly id: string
  readonly url: string
  readonly startedAt: number
  readonly packet: number
}

/** How long the client waits for an answer. */
const TIMEOUT_MS = 10_000
const OUTSIDE_IP = '203.0.113.7'
const NDOTS = 5

const config = (ctx: Context): OutsideClientConfig => ctx.config as OutsideClientConfig
const results = (ctx: Context) => ctx.table<ClientResult>('results')
const pending = (ctx: Context) => ctx.table<Pending>('pending')

function start(ctx: Context, request: ClientRequest): void {
  const { id, from, url } = request
  results(ctx).put(id, { done: false, hops: [] })
  const counters = ctx.table<number>('counters')
  const packet = (counters.get('packets') ?? 0) + 1
  counters.put('packets', packet)
  pending(ctx).put(id, { id, url, startedAt: ctx.now, packet })
  const target = parseUrl(url)
  if (!target) {
    fail(ctx, id, `not a URL of the form http://host[:port]/path: ${url}`)
    return
  }
  if (from === 'outside') fromOutside(ctx, id, packet, target)
  else fromPod(ctx, id, from)
}

/** The outside knows the machines' addresses and names, nothing else: cluster addresses have no meaning there. */
function fromOutside(ctx: Context, id: string, packet: number, target: Target): void {
  const { nodes, ip = OUTSIDE_IP } = config(ctx)
  const address = isIPv4(target.host) ? target.host : Object.keys(nodes).find((a) => nodes[a] === target.host)
  if (address === undefined) {
    fail(ctx, id, `could not resolve host: ${target.host}`)
    return
  }
  const http: HttpAsk = { scheme: target.scheme, method: 'GET', path: target.path, host: target.host }
  const out: Packet = {
    id: packet,
    from: 'outside',
    source: ip,
    destination: address,
    port: target.port,
    protocol: 'tcp',
    what: `GET ${target.path}`,
    http,
    timeoutMs: TIMEOUT_MS,
  }
  ctx.because(ctx.record('packet.sent', { packet, from: 'outside', source: ip, destination: `${address}:${target.port}`, what: out.what }))
  ctx.setTimer(`timeout/${id}`, TIMEOUT_MS, 'client.timeout', id)
  const node = Object.hasOwn(nodes, address) ? nodes[address] : undefined
  if (node === undefined) {
    ctx.because(ctx.record('packet.dropped', { packet, at: 'outside', why: `outside the cluster no route leads to ${address}` }))
    return
  }
  ctx.because(ctx.record('packet.routed', { packet, from: 'outside', to: node, why: `${address} is ${node}` }))
  ctx.call(`kernel/${node}`, PACKET, out, {
    ...PACKET_LOOK,
    then: { kind: 'client.answered', data: id },
    timeoutMs: TIMEOUT_MS,
    summary: `${out.what} to ${address}:${target.port}`,
  })
}

function fromPod(ctx: Context, id: string, from: { pod: string; namespace: string }): void {
  const { client } = config(ctx)
  if (!client) {
    fail(ctx, id, 'requests from pods need access to the API server, to find the pod')
    return
  }
  apiRequest(
    ctx,
    client,
    { method: 'GET', path: `/api/v1/namespaces/${from.namespace}/pods/${from.pod}`, timeoutMs: TIMEOUT_MS },
    { kind: 'client.pod', data: id },
  )
}

function onPod(ctx: Context, result: ApiResult<string>): void {
  const id = result.data
  const request = pending(ctx).get(id)
  if (!request) return
  const target = parseUrl(request.url) as Target
  if (result.form !== 'response') {
    fail(ctx, id, `the API server cannot say where the pod runs: ${result.form === 'error' ? result.error : 'no answer'}`)
    return
  }
  const pod = result.value.body as unknown as Pod
  if (result.value.status !== 200) {
    fail(ctx, id, (result.value.body as { message?: string } | undefined)?.message ?? `HTTP ${result.value.status}`)
    return
  }
  const { spec, status, metadata } = pod
  const node = spec?.nodeName
  if (!node || !status?.podIP || status.phase !== 'Running') {
    fail(ctx, id, `pod ${metadata.namespace}/${metadata.name} does not run (phase ${status?.phase ?? 'Pending'})`)
    return
  }
  const call: NetworkCall = {
    node,
    source: status.podIP,
    pod: { namespace: metadata.namespace ?? '', name: metadata.name ?? '', uid: metadata.uid ?? '' },
    hostNetwork: spec.hostNetwork ?? false,
    resolver: resolverOf(ctx, pod),
    request: {
      tool: target.scheme === 'tcp' ? 'nc' : 'curl',
      host: target.host,
      port: target.port,
      path: target.path,
      method: 'GET',
      timeoutMs: TIMEOUT_MS,
    },
  }
  ctx.setTimer(`timeout/${id}`, TIMEOUT_MS + 1000, 'client.timeout', id)
  ctx.call(`kernel/${node}`, NETWORK_REQUEST, call, {
    ...PACKET_LOOK,
    then: { kind: 'client.pod-answered', data: id },
    timeoutMs: TIMEOUT_MS + 1000,
    summary: `in pod ${metadata.name}: GET ${request.url}`,
  })
}

/** What the kubelet writes into the pod's resolv.conf for its dnsPolicy. */
function resolverOf(ctx: Context, pod: Pod): NetworkCall['resolver'] {
  const { clusterDNS = '10.96.0.10', clusterDomain = 'cluster.local' } = config(ctx)
  const policy = pod.spec?.dnsPolicy ?? 'ClusterFirst'
  const own = pod.spec?.dnsConfig
  const extra = { servers: own?.nameservers ?? [], searches: own?.searches ?? [] }
  const ndots = Number(own?.options?.find((o) => o.name === 'ndots')?.value ?? Number.NaN)
  const cluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec?.hostNetwork)
  if (!cluster) return { ...extra, ndots: Number.isNaN(ndots) ? 1 : ndots }
  const searches = [`${pod.metadata.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain]
  return { servers: [clusterDNS, ...extra.servers], searches: [...searches, ...extra.searches], ndots: Number.isNaN(ndots) ? NDOTS : ndots }
}

/** The machine that the packet went to first has the whole answer. */
function onAnswered(ctx: Context, result: CallResult<PacketAnswer, string>): void {
  if (result.form !== 'response') return
  const answer = result.value
  if (!answer.ok) fail(ctx, result.data, answer.error, answer.hops)
  else succeed(ctx, result.data, answer, answer.by, answer.hops)
}

function onPodAnswered(ctx: Context, result: CallResult<ConnectionReply, string>): void {
  const id = result.data
  if (result.form !== 'response') return
  const reply = result.value
  const request = pending(ctx).get(id)
  if (!request) return
  pending(ctx).delete(id)
  ctx.cancelTimer(`timeout/${id}`)
  const target = parseUrl(request.url)
  // The node of the pod has recorded how the request ended.
  if (reply.ok) results(ctx).put(id, { done: true, ...judged(target, reply), hops: reply.hops })
  else
    results(ctx).put(id, {
      done: true,
      ok: false,
      error: reply.error === 'no such host' ? `could not resolve host: ${target?.host ?? ''}` : reply.error,
      hops: reply.hops,
    })
}

/** A connection to something that is no HTTP server is no answer to an HTTP request. */
function judged(target: Target | undefined, reply: { status: number; body: string; plain?: true }): Omit<ClientResult, 'done' | 'hops'> {
  if (target?.scheme === 'https' && reply.plain) return { ok: false, status: 0, error: 'the server speaks plain HTTP, not TLS' }
  if (reply.status === 0)
    return target?.scheme === 'tcp' ? { ok: true, status: 0, body: '' } : { ok: false, status: 0, error: 'empty reply from server' }
  return { ok: true, status: reply.status, body: reply.body }
}

const took = (ctx: Context, request: Pending): number => Math.round((ctx.now - request.startedAt) * 1000) / 1000

function succeed(
  ctx: Context,
  id: string,
  reply: { status: number; body: string; plain?: true },
  by: string,
  hops: readonly string[],
): void {
  const request = pending(ctx).get(id)
  if (!request) return
  const verdict = judged(parseUrl(request.url), reply)
  if (verdict.error !== undefined) {
    fail(ctx, id, verdict.error, hops)
    return
  }
  pending(ctx).delete(id)
  ctx.cancelTimer(`timeout/${id}`)
  ctx.record('request.answered', {
    packet: request.packet,
    status: reply.status,
    body: reply.body.slice(0, 200),
    tookMs: took(ctx, request),
    by,
  })
  results(ctx).put(id, { done: true, ...verdict, hops })
}

function fail(ctx: Context, id: string, error: string, hops: readonly string[] = []): void {
  const request = pending(ctx).get(id)
  if (!request) return
  pending(ctx).delete(id)
  ctx.cancelTimer(`timeout/${id}`)
  ctx.record('request.failed', { packet: request.packet, error, tookMs: took(ctx, request) })
  results(ctx).put(id, { done: true, ok: false, error, hops })
}

export const clientType: ComponentType = {
  type: 'client',
  handlers: {
    'client.request': (ctx: Context, request: ClientRequest) => start(ctx, request),
    'client.pod': onPod as never,
    'client.answered': onAnswered as never,
    'client.pod-answered': onPodAnswered as never,
    'client.timeout': (ctx: Context, id: string) => fail(ctx, id, 'timed out'),
  },
}

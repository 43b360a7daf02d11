// CoreDNS: its own copy of Services, EndpointSlices and Namespaces, from which it answers names.
import type { EndpointSlice, Service } from '../../api/types/kubernetes.gen.ts'
import { createInformers, store } from '../../client/informer.ts'
import type { ClientConfig } from '../../client/request.ts'
import { EPOCH_MS } from '../../engine/types.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import { PACKET_LOOK, type Listening } from '../kube-proxy/kernel/packet.ts'
import { answerDns, DEFAULT_ZONES, type DnsData } from './answer.ts'
import { dnsData } from './data.ts'
import { DNS_QUERY, type DnsQuery, type DnsResponse } from './message.ts'

export interface CorednsConfig {
  readonly client: ClientConfig
  readonly node: string
  readonly pod: { readonly name: string; readonly namespace: string; readonly ip: string; readonly uid: string }
}

const TTL_SECONDS = 30
const INFORMERS = ['services', 'endpointslices', 'namespaces'] as const

const config = (ctx: Context): CorednsConfig => ctx.config as CorednsConfig

const informers = createInformers({
  client: (ctx) => config(ctx).client,
  onEvent: (ctx, event) => {
    ctx.table<number>('state').put('changed', ctx.now)
    if (event.informer !== 'namespaces') ctx.table<number>('state').put('version', (ctx.table<number>('state').get('version') ?? 0) + 1)
  },
  onSynced: (ctx) => {
    if (!INFORMERS.every((name) => informers.hasSynced(ctx, name))) return
    ctx.record('dns.ready', { services: store(ctx, 'services').size, endpoints: store(ctx, 'endpointslices').size })
  },
})

export const corednsType: ComponentType = {
  type: 'coredns',
  start(ctx) {
    const { node, pod } = config(ctx)
    for (const protocol of ['udp', 'tcp'] as const) {
      const socket: Listening = { ip: pod.ip, port: 53, protocol, name: `${pod.namespace}/${pod.name}`, container: 'coredns' }
      ctx.send(`kernel/${node}`, 'socket.listen', socket, { flow: 'control', summary: `listen ${pod.ip}:53/${protocol}` })
    }
    informers.start(ctx, { name: 'services', path: '/api/v1/services' })
    informers.start(ctx, { name: 'endpointslices', path: '/apis/discovery.k8s.io/v1/endpointslices' })
    informers.start(ctx, { name: 'namespaces', path: '/api/v1/namespaces' })
  },
  handlers: {
    ...informers.handlers,
    [DNS_QUERY]: (ctx: Context, query: DnsQuery, delivery) => {
      const { name, type, from } = query
      ctx.because(ctx.record('dns.query.received', { name, type, from }))
      const response = shuffled(ctx, respond(ctx, query))
      ctx.because(ctx.record('dns.query.answered', { name, type, status: response.status, answers: response.answer }))
      if (delivery.call !== undefined)
        ctx.reply(delivery.call, response, { ...PACKET_LOOK, summary: `${response.status} ${name}`, ok: response.status === 'NOERROR' })
    },
  },
}

function respond(ctx: Context, query: DnsQuery): DnsResponse {
  // What is not there yet must not be denied.
  if (!INFORMERS.every((name) => informers.hasSynced(ctx, name)))
    return { status: 'SERVFAIL', flags: 'qr', answer: [], authority: [], additional: [] }
  const serial = Math.floor((EPOCH_MS + (ctx.table<number>('state').get('changed') ?? 0)) / 1000)
  return answerDns(query, dataOf(ctx), { zones: DEFAULT_ZONES, ttl: TTL_SECONDS, serial, forward: noSuchName })
}

/** The simulated world has no names outside the cluster. */
const noSuchName = (): DnsResponse => ({ status: 'NXDOMAIN', flags: 'qr', answer: [], authority: [], additional: [] })

function dataOf(ctx: Context): DnsData {
  return dnsData(
    store(ctx, 'services').values() as unknown as Service[],
    store(ctx, 'endpointslices').values() as unknown as EndpointSlice[],
    store(ctx, 'namespaces').keys(),
  )
}

/** Plugin loadbalance: addresses in random order, after the CNAMEs that lead to them. */
function shuffled(ctx: Context, response: DnsResponse): DnsResponse {
  const isAddress = (r: string): boolean => / (A|AAAA) /.test(r)
  const addresses = response.answer.filter(isAddress)
  for (let i = addresses.length - 1; i > 0; i--) {
    const j = Math.floor(ctx.random('loadbalance') * (i + 1))
    ;[addresses[i], addresses[j]] = [addresses[j] as string, addresses[i] as string]
  }
  return { ...response, answer: [...response.answer.filter((r) => !isAddress(r)), ...addresses] }
}

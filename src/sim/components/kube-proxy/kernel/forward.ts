// The way of a packet through one machine: rules, routing decision, rules again, and out: to a process here or to another machine.
import type { Context } from '../../../net/context.ts'
import type { CallResult } from '../../../net/types.ts'
import { DNS_QUERY, type DnsQuery, type DnsResponse } from '../../dns/message.ts'
import type { PodConnect, PodConnectReply } from '../../runtime/cri.ts'
import { contains } from './address.ts'
import { type Headers, type Hook, type Machine, walk } from './netfilter.ts'
import { type Hops, PACKET, PACKET_LOOK, type Packet, type PacketAnswer, SOCKET_REQUEST, type SocketReply } from './packet.ts'
import { config, isLocal, machineAt, recent, routeTo, ruleSet, sockets } from './state.ts'

/** Who waits for the answer: another machine (a call), or a connection of this one. */
export type ReplyTo = { readonly call: number } | { readonly connection: number; readonly packet: number }

interface Underway {
  readonly to: ReplyTo
  readonly packet: Packet
  readonly hops: Hops
}

interface Delivered extends Underway {
  readonly name: string
  readonly container: string
}

const machine = (ctx: Context): Machine => ({
  isLocal: (ip) => isLocal(ctx, ip),
  address: config(ctx).nodeIP,
  remembered: (list, source) => recent(ctx).get(`${list} ${source}`),
  remember: (list, source) => recent(ctx).put(`${list} ${source}`, ctx.now),
  random: () => ctx.random('netfilter'),
  now: ctx.now,
})

/** A packet comes in (from a pod's interface or the wire: prerouting) or is made here (output). */
export function enter(ctx: Context, hook: 'prerouting' | 'output', packet: Packet, to: ReplyTo): void {
  const { node } = config(ctx)
  const hops: string[] = []
  let headers: Headers = packet
  let marked = false

  /** false: the packet ended here. */
  const through = (at: Hook): boolean => {
    const result = walk(ruleSet(ctx), at, headers, marked, machine(ctx))
    for (const { chain, rule, decision } of result.matched) {
      ctx.because(ctx.record('packet.rule.matched', { packet: packet.id, node, chain, rule, decision }))
      hops.push(`${node}: ${chain}: ${decision}`)
    }
    marked = result.marked
    headers = result.headers
    if (result.verdict === 'accept') return true
    if (result.verdict === 'reject') finish(ctx, to, { ok: false, error: 'connection refused', hops })
    else drop(ctx, packet, `${result.matched.at(-1)?.chain ?? at} drops it: the sender hears nothing`)
    return false
  }

  if (!through(hook)) return
  const { destination } = headers
  const local = isLocal(ctx, destination)
  if (local) {
    if (!through('input')) return
  } else {
    if (hook === 'prerouting' && !through('forward')) return
    if (!through('postrouting')) return
  }
  const onward: Packet = { ...packet, source: headers.source, destination, port: headers.port, protocol: headers.protocol }
  const underway: Underway = { to, packet: onward, hops }
  if (local) deliver(ctx, underway)
  else route(ctx, underway)
}

function route(ctx: Context, underway: Underway): void {
  const { node, podCIDR } = config(ctx)
  const { packet, hops } = underway
  const { destination } = packet
  const pods = routeTo(ctx, destination)
  const next = machineAt(ctx, destination) ?? pods?.node
  if (next !== undefined) {
    const why = pods ? `route ${pods.podCIDR} via ${pods.via}` : `${destination} is ${next}, on the same wire`
    ctx.because(ctx.record('packet.routed', { packet: packet.id, from: node, to: next, why }))
    const data: Underway = { ...underway, hops: [...hops, `${node} → ${next}: ${why}`] }
    ctx.call(`kernel/${next}`, PACKET, packet, {
      ...PACKET_LOOK,
      then: { kind: 'kernel.forwarded', data },
      timeoutMs: packet.timeoutMs,
      summary: `${packet.what} to ${destination}:${packet.port}`,
    })
    return
  }
  if (contains(podCIDR, destination)) deliver(ctx, underway)
  else drop(ctx, packet, `no rule and no route for ${destination}: it leaves by the default route and nobody has this address`)
}

/** To whoever listens here: a process of the simulation, or a program in a container. */
function deliver(ctx: Context, underway: Underway): void {
  const { node, nodeIP } = config(ctx)
  const { packet, to, hops } = underway
  const ip = contains('127.0.0.0/8', packet.destination) ? nodeIP : packet.destination
  const { port, protocol } = packet
  const socket = sockets(ctx).get(`${protocol}/${ip}/${port}`) ?? (ip === nodeIP ? sockets(ctx).get(`${protocol}//${port}`) : undefined)
  if (socket) {
    ctx.because(ctx.record('packet.delivered', { packet: packet.id, pod: socket.name, container: socket.container, port }))
    const data: Delivered = {
      ...underway,
      name: socket.name,
      container: socket.container,
      hops: [...hops, `${node}: ${socket.name} port ${port}`],
    }
    const then = { kind: 'kernel.answered', data }
    if (packet.dns) {
      const query: DnsQuery = { ...packet.dns, from: packet.source }
      ctx.call(socket.process, DNS_QUERY, query, { ...PACKET_LOOK, then, timeoutMs: packet.timeoutMs, summary: packet.what })
    } else
      ctx.call(
        socket.process,
        SOCKET_REQUEST,
        { port, ...packet.http },
        { ...PACKET_LOOK, then, timeoutMs: packet.timeoutMs, summary: packet.what },
      )
    return
  }
  if (protocol !== 'tcp') {
    finish(ctx, to, { ok: false, error: 'connection refused', hops: [...hops, `${node}: nobody listens on ${ip}:${port}/${protocol}`] })
    return
  }
  const { scheme = 'tcp', method, path, host, body } = packet.http ?? {}
  const connect: PodConnect = {
    ip,
    port,
    protocol: scheme,
    ...(method === undefined ? {} : { method }),
    ...(path === undefined ? {} : { path }),
    ...(host === undefined ? {} : { host }),
    ...(body === undefined ? {} : { body }),
  }
  ctx.call(`containerd/${node}`, 'pod.connect', connect, {
    ...PACKET_LOOK,
    then: { kind: 'kernel.connected', data: underway },
    timeoutMs: packet.timeoutMs,
    summary: `${packet.what} to ${ip}:${port}`,
  })
}

/** The program in a container answered, or nobody did. */
export function onConnected(ctx: Context, result: CallResult<PodConnectReply, Underway>): void {
  const { to, packet, hops } = result.data
  const { node } = config(ctx)
  const { destination, port } = packet
  if (result.form === 'error' && result.error !== 'connection refused') return
  const reply: PodConnectReply = result.form === 'response' ? result.value : { connected: false, error: 'connection refused' }
  if (!reply.connected) {
    if (reply.error === 'i/o timeout') drop(ctx, packet, `${destination} does not answer`)
    else
      finish(ctx, to, {
        ok: false,
        error: reply.error,
        hops: [
          ...hops,
          `${node}: ${reply.error === 'no route to host' ? `no pod has ${destination}` : `nobody listens on ${destination}:${port}`}`,
        ],
      })
    return
  }
  const by = reply.by ? `${reply.by.namespace}/${reply.by.pod}` : destination
  ctx.because(ctx.record('packet.delivered', { packet: packet.id, pod: by, container: reply.by?.container ?? '', port }))
  finish(ctx, to, {
    ok: true,
    by,
    status: reply.http?.status ?? 0,
    body: reply.http?.body ?? '',
    ...(reply.plain ? { plain: true } : {}),
    hops: [...hops, `${node}: ${by} port ${port}`],
  })
}

/** A process of the simulation answered. */
export function onAnswered(ctx: Context, result: CallResult<DnsResponse | SocketReply, Delivered>): void {
  const { to, packet, hops, name } = result.data
  if (result.form === 'response') {
    const dns = packet.dns ? (result.value as DnsResponse) : undefined
    const { status, body } = dns ? { status: 0, body: '' } : (result.value as SocketReply)
    finish(ctx, to, { ok: true, by: name, status, body, ...(dns ? { dns } : {}), hops })
  } else if (result.form === 'error' && result.error !== 'i/o timeout') {
    // The process is gone, and its socket with it.
    sockets(ctx).delete(`${packet.protocol}/${packet.destination}/${packet.port}`)
    finish(ctx, to, { ok: false, error: 'connection refused', hops })
  }
}

/** Another machine answered: back along the way (connection tracking undoes what the rules changed). */
export function onForwarded(ctx: Context, result: CallResult<PacketAnswer, Underway>): void {
  const { to, hops } = result.data
  if (result.form === 'response') finish(ctx, to, { ...result.value, hops: [...hops, ...result.value.hops] })
}

function drop(ctx: Context, packet: Packet, why: string): void {
  ctx.record('packet.dropped', { packet: packet.id, at: config(ctx).node, why })
}

function finish(ctx: Context, to: ReplyTo, answer: PacketAnswer): void {
  if ('call' in to) ctx.reply(to.call, answer, { ...PACKET_LOOK, summary: answerText(answer), ok: answer.ok })
  else ctx.next('connection.answered', { ...to, answer })
}

function answerText(answer: PacketAnswer): string {
  if (!answer.ok) return answer.error
  if (answer.dns) return answer.dns.status
  return answer.status === 0 ? 'connected' : String(answer.status)
}

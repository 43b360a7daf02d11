// Connections that programs on this machine open: the resolver of their C library, then the connection itself.
import type { Context } from '../../../net/context.ts'
import { addressesOf } from '../../dns/message.ts'
import type { NetworkCall, NetworkReply } from '../../runtime/network.ts'
import { isIPv4 } from './address.ts'
import { enter } from './forward.ts'
import { PACKET_LOOK, type Packet, type PacketAnswer } from './packet.ts'
import { type Connection, config, connections, count, newPacket } from './state.ts'

/** resolv.conf's defaults: options timeout and attempts. */
const DNS_TIMEOUT_MS = 5000
const DNS_ATTEMPTS = 2
const DNS_PORT = 53

/** What a connection came to. Beside NetworkReply: who answered, and the way. `status` 0: no HTTP was spoken. */
export type ConnectionReply = NetworkReply & { readonly by?: string; readonly plain?: true; readonly hops: readonly string[] }

export function open(ctx: Context, request: NetworkCall, call: number): void {
  const id = count(ctx, 'connections')
  const { host, timeoutMs } = request.request
  const lookup = !isIPv4(host) || request.request.tool === 'nslookup'
  const names = lookup ? searchNames(host, request.resolver.searches, request.resolver.ndots) : []
  connections(ctx).put(key(id), { id, call, request, startedAt: ctx.now, names, attempt: 0, packet: 0, hops: [] })
  ctx.setTimer(`connection/${id}`, timeoutMs, 'connection.timeout', id)
  if (lookup) ask(ctx, id)
  else connect(ctx, id, host)
}

const key = (id: number): string => String(id).padStart(10, '0')

/** Search domains come first for names with fewer dots than ndots. */
function searchNames(host: string, searches: readonly string[], ndots: number): string[] {
  if (host.endsWith('.')) return [host]
  const searched = searches.map((s) => `${host}.${s}.`)
  return host.split('.').length - 1 >= ndots ? [`${host}.`, ...searched] : [...searched, `${host}.`]
}

function send(
  ctx: Context,
  c: Connection,
  part: Pick<Packet, 'destination' | 'port' | 'protocol' | 'what' | 'http' | 'dns' | 'timeoutMs'>,
): void {
  const { source, hostNetwork, pod } = c.request
  const id = newPacket(ctx)
  const from = `${pod.namespace}/${pod.name}`
  const packet: Packet = { ...part, id, from, source: source === '' ? config(ctx).nodeIP : source }
  connections(ctx).put(key(c.id), { ...c, packet: id })
  ctx.because(
    ctx.record('packet.sent', {
      packet: id,
      from,
      source: packet.source,
      destination: `${part.destination}:${part.port}`,
      what: part.what,
    }),
  )
  enter(ctx, hostNetwork ? 'output' : 'prerouting', packet, { connection: c.id, packet: id })
}

function ask(ctx: Context, id: number): void {
  const c = connections(ctx).get(key(id))
  if (!c) return
  const name = c.names[0]
  const { servers } = c.request.resolver
  const server = servers[c.attempt % Math.max(1, servers.length)]
  if (name === undefined || server === undefined || c.attempt >= DNS_ATTEMPTS * servers.length) {
    end(ctx, c, { ok: false, error: 'no such host' })
    return
  }
  ctx.setTimer(`dns/${id}`, DNS_TIMEOUT_MS, 'dns.timeout', id)
  send(ctx, c, {
    destination: server,
    port: DNS_PORT,
    protocol: 'udp',
    what: `DNS A ${name.replace(/\.$/, '')}`,
    dns: { name, type: 'A' },
    timeoutMs: DNS_TIMEOUT_MS,
  })
}

function connect(ctx: Context, id: number, address: string): void {
  const c = connections(ctx).get(key(id))
  if (!c) return
  const { tool, host, port, path, method, body, timeoutMs } = c.request.request
  const http =
    tool === 'nc'
      ? undefined
      : {
          scheme: port === 443 || port === 6443 ? ('https' as const) : ('http' as const),
          method,
          path,
          host,
          ...(body === undefined ? {} : { body }),
        }
  const what = http ? `${method} ${path}` : 'connect'
  const left = Math.max(1, timeoutMs - (ctx.now - c.startedAt))
  send(ctx, { ...c, address }, { destination: address, port, protocol: 'tcp', what, ...(http ? { http } : {}), timeoutMs: left })
}

export function onAnswer(ctx: Context, { connection, packet, answer }: { connection: number; packet: number; answer: PacketAnswer }): void {
  const before = connections(ctx).get(key(connection))
  if (!before || before.packet !== packet) return
  const c: Connection = { ...before, hops: [...before.hops, ...answer.hops] }
  connections(ctx).put(key(connection), c)
  if (c.address === undefined) {
    ctx.cancelTimer(`dns/${connection}`)
    resolved(ctx, c, answer)
    return
  }
  const { address } = c
  if (!answer.ok) {
    end(ctx, c, { ok: false, error: answer.error, address })
    return
  }
  const { status, body, by, plain } = answer
  end(ctx, c, { ok: true, address, status, body }, { by, ...(plain ? { plain } : {}) })
}

function resolved(ctx: Context, c: Connection, answer: PacketAnswer): void {
  if (!answer.ok || answer.dns?.status === 'SERVFAIL') {
    connections(ctx).put(key(c.id), { ...c, attempt: c.attempt + 1 })
    ask(ctx, c.id)
    return
  }
  const address = answer.dns ? addressesOf(answer.dns)[0] : undefined
  if (address === undefined) {
    connections(ctx).put(key(c.id), { ...c, names: c.names.slice(1), attempt: 0 })
    ask(ctx, c.id)
    return
  }
  if (c.request.request.tool === 'nslookup') {
    const server = c.request.resolver.servers[0] ?? ''
    const found = answer.dns ? addressesOf(answer.dns) : []
    const body = `Server:\t\t${server}\nAddress:\t${server}:53\n\n${found.map((a) => `Name:\t${(c.names[0] ?? '').replace(/\.$/, '')}\nAddress: ${a}\n`).join('')}\n`
    end(ctx, c, { ok: true, address: server, status: 200, body }, { by: answer.by })
    return
  }
  connect(ctx, c.id, address)
}

export function onDnsTimeout(ctx: Context, id: number): void {
  const c = connections(ctx).get(key(id))
  if (!c || c.address !== undefined) return
  connections(ctx).put(key(id), { ...c, attempt: c.attempt + 1 })
  ask(ctx, id)
}

export function onTimeout(ctx: Context, id: number): void {
  const c = connections(ctx).get(key(id))
  if (c)
    end(ctx, c, {
      ok: false,
      error: c.address === undefined ? 'no such host' : 'timed out',
      ...(c.address === undefined ? {} : { address: c.address }),
    })
}

function end(ctx: Context, c: Connection, reply: NetworkReply, more: { by?: string; plain?: true } = {}): void {
  connections(ctx).delete(key(c.id))
  ctx.cancelTimer(`connection/${c.id}`)
  ctx.cancelTimer(`dns/${c.id}`)
  const tookMs = Math.round((ctx.now - c.startedAt) * 1000) / 1000
  ctx.because(
    reply.ok
      ? ctx.record('request.answered', {
          packet: c.packet,
          status: reply.status,
          body: reply.body.slice(0, 200),
          tookMs,
          by: more.by ?? reply.address,
        })
      : ctx.record('request.failed', { packet: c.packet, error: reply.error, tookMs }),
  )
  const value: ConnectionReply = { ...reply, ...more, hops: c.hops }
  ctx.reply(c.call, value, { ...PACKET_LOOK, summary: reply.ok ? String(reply.status) : reply.error, ok: reply.ok })
}

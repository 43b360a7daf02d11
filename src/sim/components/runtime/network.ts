// Connections that programs in containers open (wget, curl, nc, nslookup).
import type { Context } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import { answerConnection, runContainer } from './container-process.ts'
import type { PodConnectReply } from './cri.ts'
import { type FileView, readFile } from './filesystem.ts'
import { viewOf } from './container-process.ts'
import type { NetworkAnswer, NetworkRequest } from './shell/machine.ts'
import { config, type Container, containers, count, sandboxes } from './state.ts'

/** Kind of the call to the node's network (whoever carries packets): a connection from a pod to a name or address. */
export const NETWORK_REQUEST = 'network.request'

export interface NetworkCall {
  readonly node: string
  /** Address of the pod that asks. */
  readonly source: string
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly hostNetwork: boolean
  readonly resolver: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly ndots: number }
  readonly request: NetworkRequest
}

export type NetworkReply =
  | { readonly ok: true; readonly address: string; readonly status: number; readonly body: string }
  | {
      readonly ok: false
      readonly error: 'no such host' | 'connection refused' | 'timed out' | 'no route to host'
      readonly address?: string
    }

interface Pending {
  readonly container: string
  readonly pid: number
  readonly request: NetworkRequest
}

export function connectOut(ctx: Context, container: Container, request: NetworkRequest, pid: number): number {
  const sandbox = sandboxes(ctx).get(container.sandboxId)
  const id = count(ctx, 'connections')
  ctx.table<Pending>('connections').put(String(id), { container: container.id, pid, request })
  const own = localAddress(request.host, viewOf(ctx, container))
  const source = sandbox?.ip ?? ''
  const { network } = config(ctx)
  if (own === undefined && network !== undefined) {
    const dns = sandbox?.config.dns
    const ndots = Number(/ndots:(\d+)/.exec((dns?.options ?? []).join(' '))?.[1] ?? 1)
    const call: NetworkCall = {
      node: config(ctx).node,
      source,
      pod: { namespace: sandbox?.config.namespace ?? '', name: sandbox?.config.name ?? '', uid: container.podUid },
      hostNetwork: sandbox?.hostNetwork ?? false,
      resolver: { servers: dns?.servers ?? [], searches: dns?.searches ?? [], ndots },
      request,
    }
    ctx.call(network, NETWORK_REQUEST, call, {
      then: { kind: 'network.answered', data: id },
      timeoutMs: request.timeoutMs,
      flow: 'data',
      summary: `${request.tool} ${request.host}`,
    })
    return id
  }
  const address = own === '127.0.0.1' ? source : (own ?? request.host)
  const reply =
    own === undefined && !/^\d+\.\d+\.\d+\.\d+$/.test(request.host)
      ? undefined
      : answerConnection(ctx, {
          ip: address,
          port: request.port,
          protocol: request.tool === 'nc' ? 'tcp' : 'http',
          path: request.path,
          method: request.method,
        })
  ctx.setTimer(`connection/${id}`, 1, 'network.local', { id, reply: reply ?? null, address })
  return id
}

/** localhost, the pod's own name, and names in /etc/hosts. */
function localAddress(host: string, view: FileView): string | undefined {
  if (host === 'localhost' || host === '127.0.0.1') return '127.0.0.1'
  try {
    for (const line of readFile(view, '/etc/hosts').split('\n')) {
      const [ip, ...names] = line.split(/\s+/)
      if (ip && /^\d/.test(ip) && (names.includes(host) || ip === host)) return ip
    }
  } catch {
    return undefined
  }
  return undefined
}

export function onLocalAnswer(ctx: Context, answer: { id: number; reply: PodConnectReply | null; address: string }): void {
  const { reply, address } = answer
  if (!reply) finish(ctx, answer.id, { ok: false, error: 'no such host' })
  else if (!reply.connected)
    finish(ctx, answer.id, { ok: false, error: reply.error === 'i/o timeout' ? 'timed out' : reply.error, address })
  else finish(ctx, answer.id, { ok: true, address, status: reply.http?.status ?? 200, body: reply.http?.body ?? '' })
}

export function onNetworkAnswer(ctx: Context, result: CallResult<NetworkReply, number>): void {
  finish(ctx, result.data, result.form === 'response' ? result.value : { ok: false, error: 'timed out' })
}

function finish(ctx: Context, id: number, reply: NetworkReply): void {
  const pending = ctx.table<Pending>('connections').get(String(id))
  if (!pending) return
  ctx.table<Pending>('connections').delete(String(id))
  if (containers(ctx).get(pending.container)?.state !== 'CONTAINER_RUNNING') return
  const answer = shown(pending.request, reply)
  runContainer(ctx, pending.container, (m) => {
    const r = m.running.get(pending.pid)
    if (!r || r.proc.waiting.w !== 'network' || r.proc.waiting.call !== id) return
    const top = r.stack.at(-1)
    if (top?.i !== 'exec') return
    r.stack[r.stack.length - 1] = { ...top, state: { ...(top.state as object), answer } }
    r.proc = { ...r.proc, waiting: { w: 'ready' } }
  })
}

/** What the tool prints. */
function shown(request: NetworkRequest, reply: NetworkReply): NetworkAnswer {
  const { tool, host, port } = request
  if (reply.ok) {
    if (tool === 'nslookup') return { status: 0, stdout: reply.body, stderr: '' }
    if (tool === 'nc') return { status: 0, stdout: '', stderr: '' }
    if (reply.status >= 400 && tool === 'wget')
      return {
        status: 1,
        stdout: '',
        stderr: `wget: server returned error: HTTP/1.1 ${reply.status} ${reply.status === 404 ? 'Not Found' : 'Error'}\n`,
      }
    return { status: 0, stdout: reply.body, stderr: tool === 'wget' ? '' : '' }
  }
  const address = reply.address ?? host
  switch (tool) {
    case 'wget': {
      const why =
        reply.error === 'connection refused'
          ? 'Connection refused'
          : reply.error === 'no route to host'
            ? 'No route to host'
            : 'Connection timed out'
      return reply.error === 'no such host'
        ? { status: 1, stdout: '', stderr: `wget: bad address '${host}'\n` }
        : reply.error === 'timed out'
          ? { status: 1, stdout: '', stderr: 'wget: download timed out\n' }
          : { status: 1, stdout: '', stderr: `wget: can't connect to remote host (${address}): ${why}\n` }
    }
    case 'curl':
      if (reply.error === 'no such host') return { status: 6, stdout: '', stderr: `curl: (6) Could not resolve host: ${host}\n` }
      if (reply.error === 'timed out')
        return {
          status: 28,
          stdout: '',
          stderr: `curl: (28) Failed to connect to ${host} port ${port} after ${request.timeoutMs} ms: Timeout was reached\n`,
        }
      return { status: 7, stdout: '', stderr: `curl: (7) Failed to connect to ${host} port ${port}: Connection refused\n` }
    case 'nslookup':
      return {
        status: 1,
        stdout: `Server:\t\t${address}\nAddress:\t${address}:53\n\n** server can't find ${host}: NXDOMAIN\n\n`,
        stderr: '',
      }
    default:
      return reply.error === 'no such host'
        ? { status: 1, stdout: '', stderr: `nc: bad address '${host}'\n` }
        : {
            status: 1,
            stdout: '',
            stderr: `nc: ${host} (${address}:${port}): ${reply.error === 'connection refused' ? 'Connection refused' : 'Connection timed out'}\n`,
          }
  }
}

// The kubelet's own HTTP server (port 10250), as the API server's proxy uses it: logs, exec, port-forward (pkg/kubelet/server).
import type { ContainerStatus, Pod, PodStatus } from '../../api/types/kubernetes.gen.ts'
import type { HttpRequest, HttpResponse, StreamChunk } from '../../api/http.ts'
import { parseApiTime } from '../../client/time.ts'
import type { Delivery } from '../../engine/types.ts'
import type { Context } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import type { CriReply, ExecResult, LogOptions, PodConnectReply } from '../runtime/cri.ts'
import { config } from './config.ts'
import { containerSpecs, nameOf, namespaceOf } from './pod-util.ts'
import { getPodStatus } from './status-manager.ts'
import type { ManagedPod } from './types.ts'

/** Answer of an exec or attach: what the command wrote, and how it ended. */
export interface ExecAnswer {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

const text = (status: number, body: string): HttpResponse => ({ status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body })

const badRequest = (message: string): HttpResponse => ({
  status: 400,
  headers: { 'content-type': 'application/json' },
  body: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: 'BadRequest', code: 400 },
})

const internalError = (message: string): HttpResponse => ({
  status: 500,
  headers: { 'content-type': 'application/json' },
  body: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${message}`,
    reason: 'InternalError',
    details: { causes: [{ message }] },
    code: 500,
  },
})

function findPod(ctx: Context, namespace: string, name: string): Pod | undefined {
  return ctx
    .table<ManagedPod>('pods')
    .values()
    .find((m) => namespaceOf(m.pod) === namespace && nameOf(m.pod) === name)?.pod
}

const bare = (id: string): string => id.replace(/^containerd:\/\//, '')

/** kubelet_pods.go validateContainerLogStatus: the container whose log is meant, or why there is none. */
function logContainer(pod: Pod, status: PodStatus, name: string, previous: boolean): { id: string } | { error: string } {
  const c: ContainerStatus | undefined = [
    ...(status.containerStatuses ?? []),
    ...(status.initContainerStatuses ?? []),
    ...(status.ephemeralContainerStatuses ?? []),
  ].find((x) => x.name === name)
  if (!c) return { error: `container "${name}" in pod "${nameOf(pod)}" is not available` }
  const { state, lastState } = c
  if (previous) {
    const id = lastState?.terminated?.containerID
    return id ? { id: bare(id) } : { error: `previous terminated container "${name}" in pod "${nameOf(pod)}" not found` }
  }
  if (state?.running) return { id: bare(c.containerID ?? '') }
  if (state?.terminated) {
    if (!state.terminated.containerID) {
      const last = lastState?.terminated?.containerID
      return last ? { id: bare(last) } : { error: `container "${name}" in pod "${nameOf(pod)}" is terminated` }
    }
    return { id: bare(state.terminated.containerID) }
  }
  const last = lastState?.terminated?.containerID
  if (last) return { id: bare(last) }
  if (state?.waiting) {
    const { reason = '', message } = state.waiting
    if (reason === 'ErrImagePull')
      return { error: `container "${name}" in pod "${nameOf(pod)}" is waiting to start: image can't be pulled` }
    if (reason === 'ImagePullBackOff')
      return { error: `container "${name}" in pod "${nameOf(pod)}" is waiting to start: trying and failing to pull image` }
    void message
    return { error: `container "${name}" in pod "${nameOf(pod)}" is waiting to start: ${reason}` }
  }
  return { error: `container "${name}" in pod "${nameOf(pod)}" is waiting to start - no logs yet` }
}

function logs(ctx: Context, call: number, path: readonly string[], query: URLSearchParamsLike): void {
  const [namespace = '', name = '', container = ''] = path
  const pod = findPod(ctx, namespace, name)
  if (!pod) {
    ctx.reply(call, text(404, `pod "${name}" not found\n`))
    return
  }
  if (!containerSpecs(pod).some((s) => s.container.name === container)) {
    ctx.reply(call, text(404, `container "${container}" not found in pod "${name}"\n`))
    return
  }
  const status = getPodStatus(ctx, pod.metadata.uid as string) ?? pod.status ?? {}
  const found = logContainer(pod, status, container, query.get('previous') === 'true')
  if ('error' in found) {
    ctx.reply(call, badRequest(found.error))
    return
  }
  const number = (key: string): number | undefined => (query.get(key) === undefined ? undefined : Number(query.get(key)))
  const tail = number('tailLines')
  const limit = number('limitBytes')
  const sinceSeconds = number('sinceSeconds')
  const sinceTime = query.get('sinceTime') === undefined ? undefined : parseApiTime(query.get('sinceTime'))
  const since = sinceSeconds === undefined ? sinceTime : ctx.now - sinceSeconds * 1000
  const stream = query.get('stream') as LogOptions['stream']
  const options: LogOptions = {
    timestamps: query.get('timestamps') === 'true',
    ...(tail === undefined ? {} : { tailLines: tail }),
    ...(limit === undefined ? {} : { limitBytes: limit }),
    ...(since === undefined ? {} : { since }),
    ...(stream ? { stream } : {}),
  }
  const follow = query.get('follow') === 'true'
  const backend = ctx.call(
    config(ctx).runtime,
    'log.read',
    { id: found.id, options, follow },
    { then: { kind: follow ? 'server.log.chunk' : 'server.log', data: call }, stream: follow, flow: 'data', summary: `log ${container}` },
  )
  if (follow) {
    ctx.push(call, { head: { status: 200, headers: { 'content-type': 'text/plain' } } }, { flow: 'data', summary: '200' })
    ctx.table<{ front: number; back: number }>('server-streams').put(String(call), { front: call, back: backend })
  }
}

function exec(ctx: Context, call: number, path: readonly string[], query: URLSearchParamsLike, stdin: string | undefined): void {
  const [namespace = '', name = '', container = ''] = path.length === 4 ? [path[0], path[1], path[3]] : path
  const pod = findPod(ctx, namespace, name)
  const status = pod ? (getPodStatus(ctx, pod.metadata.uid as string) ?? pod.status) : undefined
  const c = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ].find((x) => x.name === container)
  if (!c?.containerID || !c.state?.running) {
    ctx.reply(call, text(404, `container not found ("${container}")`))
    return
  }
  ctx.call(
    config(ctx).runtime,
    'cri.ExecSync',
    { id: bare(c.containerID), command: query.all('command'), timeoutSeconds: 0, ...(stdin === undefined ? {} : { stdin }) },
    { then: { kind: 'server.exec', data: call }, flow: 'data', summary: `exec ${query.all('command').join(' ')}` },
  )
}

/** One request of a forwarded connection: `?ports=80&path=/…`. */
function portForward(ctx: Context, call: number, path: readonly string[], query: URLSearchParamsLike): void {
  const [namespace = '', name = ''] = path
  const pod = findPod(ctx, namespace, name)
  const status = pod ? getPodStatus(ctx, pod.metadata.uid as string) : undefined
  if (!status?.podIP) {
    ctx.reply(call, text(404, `pod "${name}" not found\n`))
    return
  }
  const port = Number(query.get('ports') ?? query.get('port') ?? 0)
  ctx.call(
    config(ctx).runtime,
    'pod.connect',
    { ip: status.podIP, port, protocol: 'http', path: query.get('path') ?? '/', method: query.get('method') ?? 'GET' },
    { then: { kind: 'server.forwarded', data: { call, port } }, flow: 'data', summary: `port-forward ${name}:${port}` },
  )
}

interface URLSearchParamsLike {
  get(name: string): string | undefined
  all(name: string): string[]
}

function parseQuery(raw: string): URLSearchParamsLike {
  const pairs =
    raw === ''
      ? []
      : raw.split('&').map((p): [string, string] => {
          const cut = p.indexOf('=')
          const decode = (s: string): string => {
            try {
              return decodeURIComponent(s.replaceAll('+', ' '))
            } catch {
              return s
            }
          }
          return cut < 0 ? [decode(p), ''] : [decode(p.slice(0, cut)), decode(p.slice(cut + 1))]
        })
  return { get: (name) => pairs.find(([k]) => k === name)?.[1], all: (name) => pairs.filter(([k]) => k === name).map(([, v]) => v) }
}

export function createServer(): {
  readonly handlers: Readonly<Record<string, (ctx: Context, payload: never, delivery: Delivery) => void>>
} {
  return {
    handlers: {
      'kubelet.http': ((ctx: Context, request: HttpRequest, delivery: Delivery) => {
        const { call } = delivery
        if (call === undefined) return
        const [path = '', raw = ''] = request.path.split('?')
        const [, what, ...rest] = path.split('/')
        const query = parseQuery(raw)
        if (what === 'containerLogs') logs(ctx, call, rest, query)
        else if (what === 'exec' || what === 'run' || what === 'attach')
          exec(ctx, call, rest, query, typeof request.body === 'string' ? request.body : undefined)
        else if (what === 'portForward') portForward(ctx, call, rest, query)
        else if (what === 'healthz') ctx.reply(call, text(200, 'ok'))
        else ctx.reply(call, text(404, '404 page not found\n'))
      }) as never,
      'server.log': ((ctx: Context, result: CallResult<CriReply<{ text: string }>, number>) => {
        if (result.form === 'response' && result.value.ok) ctx.reply(result.data, text(200, result.value.value.text))
        else ctx.reply(result.data, text(500, 'failed to read the log\n'))
      }) as never,
      'server.log.chunk': ((ctx: Context, result: CallResult<StreamChunk, number>) => {
        if (result.form === 'chunk') ctx.push(result.data, result.value, { flow: 'data', summary: 'log' })
        else {
          ctx.table('server-streams').delete(String(result.data))
          ctx.hangUp(result.data)
        }
      }) as never,
      'server.exec': ((ctx: Context, result: CallResult<CriReply<ExecResult>, number>) => {
        const reply = result.form === 'response' ? result.value : undefined
        if (reply?.ok)
          ctx.reply(result.data, {
            status: 200,
            headers: { 'content-type': 'application/json' },
            body: { ...reply.value } satisfies ExecAnswer,
          })
        else
          ctx.reply(
            result.data,
            internalError(
              `error executing command in container: ${reply && !reply.ok ? reply.error.message : 'container runtime unreachable'}`,
            ),
          )
      }) as never,
      'server.forwarded': ((ctx: Context, result: CallResult<PodConnectReply, { call: number; port: number }>) => {
        const { call, port } = result.data
        if (result.form !== 'response' || !result.value.connected)
          ctx.reply(call, text(502, `error forwarding port ${port}: connection refused`))
        else
          ctx.reply(call, {
            status: result.value.http?.status ?? 200,
            headers: { 'content-type': result.value.http?.contentType ?? 'text/plain' },
            body: result.value.http?.body ?? '',
          })
      }) as never,
      'net.closed': ((ctx: Context, { call }: { call: number }) => {
        const stream = ctx.table<{ front: number; back: number }>('server-streams').get(String(call))
        if (!stream) return
        ctx.table('server-streams').delete(String(call))
        ctx.hangUp(stream.back)
      }) as never,
    },
  }
}

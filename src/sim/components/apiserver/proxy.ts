// Requests that the kubelet answers: log, exec, attach, portforward (pkg/registry/core/pod/rest). The answer is passed on as it comes.
import type { HttpResponse, StreamChunk } from '../../api/http.ts'
import { internalError, serviceUnavailable } from '../../api/status.ts'
import type { Context } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import type { ConnectionReply } from '../kube-proxy/kernel/connection.ts'
import { NETWORK_REQUEST, type NetworkCall } from '../runtime/network.ts'
import { audit } from './audit.ts'
import { commonHeaders } from './encode/answer.ts'
import { callKey, finish, inFlight, respondStatus } from './serve.ts'
import type { InFlight, Plan } from './types.ts'

/** Message kind of a request to a kubelet's server (port 10250). Its payload is an HttpRequest. */
export const KUBELET_HTTP = 'kubelet.http'

export function proxy(ctx: Context, item: InFlight, plan: Extract<Plan, { do: 'proxy' }>): void {
  const call = ctx.call(`kubelet/${plan.node}`, KUBELET_HTTP, plan.request, {
    then: { kind: 'apiserver.proxy.answer', data: { call: item.call, node: plan.node } },
    stream: plan.stream,
    flow: 'read',
    summary: `${plan.request.method} ${plan.request.path.split('?')[0]}`,
  })
  inFlight(ctx).put(callKey(item.call), { ...item, stage: 'proxying', waitsFor: 'kubelet', backend: call })
}

export function onProxyAnswer(ctx: Context, result: CallResult<HttpResponse | StreamChunk, { call: number; node: string }>): void {
  const item = inFlight(ctx).get(callKey(result.data.call))
  if (!item) {
    if (result.form === 'chunk') ctx.hangUp(result.call)
    return
  }
  switch (result.form) {
    case 'response':
      finish(ctx, item, withCommon(item, result.value as HttpResponse), undefined)
      return
    case 'chunk': {
      const sent = result.value as StreamChunk
      const chunk: StreamChunk = 'head' in sent ? { head: withCommon(item, sent.head) } : sent
      if ('head' in chunk) audit(ctx, item, { code: chunk.head.status }, 'ResponseStarted')
      ctx.push(item.call, chunk, { flow: 'data', summary: 'text' in chunk ? 'output' : 'head' })
      return
    }
    case 'end':
      inFlight(ctx).delete(callKey(item.call))
      ctx.hangUp(item.call)
      return
    case 'error':
      respondStatus(ctx, item, internalError(`error dialing backend: dial tcp: ${result.data.node}:10250: connect: ${result.error}`))
  }
}

const withCommon = <R extends { headers: HttpResponse['headers'] }>(item: InFlight, response: R): R => ({
  ...response,
  headers: { ...commonHeaders(item), ...response.headers },
})

/** How long a connection to a pod may take. */
const REACH_TIMEOUT_MS = 30_000

/** Connects to an address from this machine's network (pods/NAME/proxy and the like). */
export function reach(ctx: Context, item: InFlight, plan: Extract<Plan, { do: 'reach' }>): void {
  const { address, port, request } = plan
  const connection: NetworkCall = {
    node: ctx.host,
    source: '',
    pod: { namespace: 'kube-system', name: ctx.self.replace('/', '-'), uid: '' },
    hostNetwork: true,
    resolver: { servers: [], searches: [], ndots: 1 },
    request: { tool: 'curl', host: address, port, timeoutMs: REACH_TIMEOUT_MS, ...request },
  }
  const call = ctx.call(`kernel/${ctx.host}`, NETWORK_REQUEST, connection, {
    then: { kind: 'apiserver.reach.answer', data: { call: item.call, to: `${address}:${port}` } },
    flow: 'data',
    summary: `${request.method} ${address}:${port}${request.path.split('?')[0]}`,
  })
  inFlight(ctx).put(callKey(item.call), { ...item, stage: 'proxying', waitsFor: 'backend', backend: call })
}

export function onReachAnswer(ctx: Context, result: CallResult<ConnectionReply, { call: number; to: string }>): void {
  const item = inFlight(ctx).get(callKey(result.data.call))
  if (!item) return
  const refused = (why: string): void => respondStatus(ctx, item, serviceUnavailable(`error trying to reach service: ${why}`))
  if (result.form !== 'response')
    refused(`dial tcp ${result.data.to}: connect: ${result.form === 'error' ? result.error : 'connection refused'}`)
  else if (!result.value.ok)
    refused(`dial tcp ${result.data.to}: ${result.value.error === 'timed out' ? 'i/o timeout' : `connect: ${result.value.error}`}`)
  else if (result.value.status === 0) refused('EOF')
  else
    finish(
      ctx,
      item,
      {
        status: result.value.status,
        headers: { ...commonHeaders(item), 'content-type': contentType(result.value.body) },
        body: result.value.body,
      },
      undefined,
    )
}

/** As net/http guesses it. */
const contentType = (body: string): string =>
  /^\s*<(!doctype html|html|head|body|h1|p|div)/i.test(body)
    ? 'text/html; charset=utf-8'
    : /^\s*[{[]/.test(body)
      ? 'application/json'
      : 'text/plain; charset=utf-8'

/** The client of a streamed answer went away. */
export function dropProxy(ctx: Context, call: number): void {
  const item = inFlight(ctx).get(callKey(call))
  if (item?.backend === undefined) return
  inFlight(ctx).delete(callKey(call))
  ctx.hangUp(item.backend)
}

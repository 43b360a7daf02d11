// Requests that the kubelet answers: log, exec, attach, portforward (pkg/registry/core/pod/rest). The answer is passed on as it comes.
import type { HttpResponse, StreamChunk } from '../../api/http.ts'
import { internalError } from '../../api/status.ts'
import type { Context } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import { audit } from './audit.ts'
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
      finish(ctx, item, result.value as HttpResponse, undefined)
      return
    case 'chunk': {
      const chunk = result.value as StreamChunk
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

/** The client of a streamed answer went away. */
export function dropProxy(ctx: Context, call: number): void {
  const item = inFlight(ctx).get(callKey(call))
  if (item?.backend === undefined) return
  inFlight(ctx).delete(callKey(call))
  ctx.hangUp(item.backend)
}

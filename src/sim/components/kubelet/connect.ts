// Connections from the kubelet to its node's pods: probes and hooks.
import type { Container } from '../../api/types/kubernetes.gen.ts'
import type { PodConnect, PodConnectReply } from '../runtime/cri.ts'
import { config } from './config.ts'
import { call, once, type Work } from './workflow.ts'

export function* connectTo(request: PodConnect, timeoutMs: number): Work<PodConnectReply> {
  const runtime = yield* once((ctx) => config(ctx).runtime)
  const result = yield* call<PodConnectReply>(runtime, 'pod.connect', request, {
    flow: 'data',
    summary: `${request.protocol} ${request.ip}:${request.port}${request.path ?? ''}`,
    timeoutMs,
  })
  if (result.form === 'response') return result.value
  return { connected: false, error: 'i/o timeout' }
}

/** A number, or the name of one of the container's ports; 0 = unknown. */
export function portNumber(container: Container, port: number | string | undefined): number {
  if (typeof port === 'number') return port
  const named = container.ports?.find((p) => p.name === port)
  return named?.containerPort ?? (Number(port) || 0)
}

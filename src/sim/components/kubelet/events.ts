// The kubelet's events, in upstream's words (pkg/kubelet/events/event.go).
import type { ObjectReference, Pod } from '../../api/types/kubernetes.gen.ts'
import { createEventRecorder } from '../../client/events.ts'
import type { Context } from '../../net/context.ts'
import { config, EVENT_SOURCE } from './config.ts'
import { containerReference, podReference } from './pod-util.ts'
import type { ContainerSpec } from './types.ts'

export const recorder = createEventRecorder({ client: (ctx) => config(ctx).client })

const source = (ctx: Context): { component: string; host: string } => ({ component: EVENT_SOURCE, host: config(ctx).node })

export function podEvent(ctx: Context, pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void {
  recorder.recordEvent(ctx, source(ctx), { object: podReference(pod), type, reason, message })
}

export function containerEvent(
  ctx: Context,
  pod: Pod,
  spec: ContainerSpec,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): void {
  recorder.recordEvent(ctx, source(ctx), { object: containerReference(pod, spec), type, reason, message })
}

export function nodeEvent(ctx: Context, type: 'Normal' | 'Warning', reason: string, message: string): void {
  const { node } = config(ctx)
  const object: ObjectReference = { kind: 'Node', name: node, uid: node }
  recorder.recordEvent(ctx, source(ctx), { object, type, reason, message })
}

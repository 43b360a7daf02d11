// The binding cycle: runs beside the scheduling of other pods, step by step as answers come in (pkg/scheduler/schedule_one.go bindingCycle).
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import { type ApiResult, apiRequest, type ClientConfig, passOver } from '../../client/request.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import type { QueuedPod } from './queue/queue.ts'
import { patchPodStatus, statusPatch } from './status-patch.ts'
import { checkBindings, releaseVolumes, VOLUME_BIND_TIMEOUT_MS, VOLUME_POLL_MS, type VolumeWork } from './volumes.ts'

export interface Binding {
  readonly entry: QueuedPod
  /** As it was scheduled: with spec.nodeName set. */
  readonly pod: Pod
  readonly node: string
  readonly volumes: VolumeWork
  readonly written: number
  readonly deadline: number
  readonly cause: number
}

export interface BindingHooks {
  client(ctx: Context): ClientConfig
  bound(ctx: Context, binding: Binding): void
  failed(ctx: Context, binding: Binding, error: string): void
}

export interface Bindings {
  start(ctx: Context, binding: Omit<Binding, 'written' | 'deadline' | 'cause'>): void
  readonly handlers: ComponentType['handlers']
}

export function createBindings(hooks: BindingHooks): Bindings {
  const bindings = (ctx: Context) => ctx.table<Binding>('bindings')

  const bind = (ctx: Context, uid: string, binding: Binding): void => {
    const { namespace, name } = binding.pod.metadata
    ctx.because(ctx.record('scheduler.bind.requested', { pod: binding.entry.key, node: binding.node }, refOf(binding.pod)))
    const body = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { namespace, name, uid: binding.pod.metadata.uid },
      target: { kind: 'Node', name: binding.node },
    }
    apiRequest(
      ctx,
      hooks.client(ctx),
      { method: 'POST', path: `/api/v1/namespaces/${namespace}/pods/${name}/binding`, body },
      { kind: 'binding.answered', data: uid },
    )
  }

  /** The next write, or the wait for the volume controller. */
  const prepare = (ctx: Context, uid: string, binding: Binding): void => {
    const write = binding.volumes.writes[binding.written]
    if (write) {
      apiRequest(ctx, hooks.client(ctx), { method: 'PUT', path: write.path, body: write.body }, { kind: 'binding.volume', data: uid })
      return
    }
    bindings(ctx).put(uid, { ...binding, deadline: ctx.now + VOLUME_BIND_TIMEOUT_MS })
    ctx.setTimer(`binding/${uid}`, VOLUME_POLL_MS, 'binding.poll', uid, { periodic: true })
  }

  const fail = (ctx: Context, uid: string, binding: Binding, error: string): void => {
    bindings(ctx).delete(uid)
    releaseVolumes(ctx, binding.volumes)
    hooks.failed(ctx, binding, error)
  }

  const errorOf = (ctx: Context, result: ApiResult): string | undefined => {
    if (result.form === 'error') {
      passOver(ctx, hooks.client(ctx))
      return result.error
    }
    if (result.form !== 'response') return 'EOF'
    if (result.value.status < 300) return undefined
    return String((result.value.body as { message?: string } | undefined)?.message ?? result.value.status)
  }

  const withBinding = (handle: (ctx: Context, uid: string, binding: Binding, error: string | undefined) => void) =>
    ((ctx: Context, result: ApiResult<string>) => {
      const binding = bindings(ctx).get(result.data)
      if (binding) handle(ctx, result.data, binding, errorOf(ctx, result))
    }) as never

  return {
    start(ctx, work) {
      const uid = work.pod.metadata.uid ?? ''
      const binding: Binding = { ...work, written: 0, deadline: 0, cause: ctx.cause }
      bindings(ctx).put(uid, binding)
      if (binding.volumes.bindings.length === 0 && binding.volumes.provisions.length === 0) {
        bind(ctx, uid, binding)
        return
      }
      ctx.record(
        'scheduler.volumes.binding',
        { pod: binding.entry.key, node: binding.node, bindings: binding.volumes.bindings, provisions: binding.volumes.provisions },
        refOf(binding.pod),
      )
      // Volumes take time: others (an autoscaler) shall know where the pod will go.
      const patch = statusPatch(binding.pod, ctx.now, undefined, binding.node)
      if (patch) patchPodStatus(ctx, hooks.client(ctx), binding.pod, patch, { kind: 'binding.nominated', data: uid })
      else prepare(ctx, uid, binding)
    },
    handlers: {
      'binding.nominated': withBinding((ctx, uid, binding) => prepare(ctx, uid, binding)),
      'binding.volume': withBinding((ctx, uid, binding, error) => {
        if (error !== undefined) {
          fail(ctx, uid, binding, `running PreBind plugin "VolumeBinding": ${error}`)
          return
        }
        const next = { ...binding, written: binding.written + 1 }
        bindings(ctx).put(uid, next)
        prepare(ctx, uid, next)
      }),
      'binding.poll': ((ctx: Context, uid: string) => {
        const binding = bindings(ctx).get(uid)
        if (!binding) return
        const verdict = checkBindings(ctx, binding.volumes, binding.node)
        if (verdict === undefined && ctx.now < binding.deadline) {
          ctx.setTimer(`binding/${uid}`, VOLUME_POLL_MS, 'binding.poll', uid, { periodic: true })
          return
        }
        ctx.resume({ cause: binding.cause, background: false })
        if (verdict === '') bind(ctx, uid, binding)
        else fail(ctx, uid, binding, `running PreBind plugin "VolumeBinding": ${verdict ?? 'binding volumes: context deadline exceeded'}`)
      }) as never,
      'binding.answered': withBinding((ctx, uid, binding, error) => {
        if (error !== undefined) {
          fail(ctx, uid, binding, `running Bind plugin "DefaultBinder": ${error}`)
          return
        }
        bindings(ctx).delete(uid)
        ctx.record('scheduler.pod.bound', { pod: binding.entry.key, node: binding.node }, refOf(binding.pod))
        hooks.bound(ctx, binding)
      }),
    },
  }
}

export const refOf = (pod: Pod) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: pod.metadata.namespace ?? '',
  name: pod.metadata.name ?? '',
  ...(pod.metadata.uid ? { uid: pod.metadata.uid } : {}),
})

// Stopping containers and pods (pkg/kubelet/kuberuntime killContainer, killPodWithSyncResult, kuberuntime_termination_order.go).
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import type { Context } from '../../net/context.ts'
import { MINIMUM_GRACE_SECONDS } from './config.ts'
import { containerEvent } from './events.ts'
import { runHook } from './hooks.ts'
import { findSpec, isRestartableInit, specOf } from './pod-util.ts'
import type { CachedStatus, ContainerSpec } from './types.ts'
import { all, cri, once, until, type Work } from './workflow.ts'

export interface KillOptions {
  readonly message: string
  readonly reason: '' | 'LivenessProbe' | 'StartupProbe'
  readonly ips: readonly string[]
  readonly gracePeriodSeconds?: number
  /** Part of stopping the whole pod: sidecars wait for their turn. */
  readonly ordered?: string
}

function graceOf(pod: Pod, spec: ContainerSpec, reason: KillOptions['reason']): number {
  if (pod.metadata.deletionGracePeriodSeconds !== undefined && pod.metadata.deletionTimestamp)
    return pod.metadata.deletionGracePeriodSeconds
  const probe =
    reason === 'LivenessProbe' ? spec.container.livenessProbe : reason === 'StartupProbe' ? spec.container.startupProbe : undefined
  return probe?.terminationGracePeriodSeconds ?? specOf(pod).terminationGracePeriodSeconds ?? 30
}

/** undefined = the container has stopped. */
export function* killContainer(pod: Pod, spec: ContainerSpec, id: string, options: KillOptions): Work<string | undefined> {
  let grace = graceOf(pod, spec, options.reason)
  yield* once(
    (ctx) =>
      void containerEvent(
        ctx,
        pod,
        spec,
        'Normal',
        'Killing',
        options.message === '' ? `Stopping container ${spec.container.name}` : options.message,
      ),
  )
  if (options.gracePeriodSeconds !== undefined) grace = options.gracePeriodSeconds
  const hook = spec.container.lifecycle?.preStop
  if (hook && grace > 0) {
    const start = yield* once((ctx) => ctx.now)
    const failure = yield* runHookWithin(pod, spec, id, hook, options.ips, grace)
    if (failure !== undefined && failure !== '')
      yield* once((ctx) => void containerEvent(ctx, pod, spec, 'Warning', 'FailedPreStopHook', 'PreStopHook failed'))
    const end = yield* once((ctx) => ctx.now)
    grace -= Math.floor((end - start) / 1000)
  }
  if (options.ordered !== undefined && grace > 0) {
    const start = yield* once((ctx) => ctx.now)
    yield* waitForTurn(pod, spec, options.ordered, grace)
    const end = yield* once((ctx) => ctx.now)
    grace -= Math.floor((end - start) / 1000)
  }
  const stopped = yield* cri('StopContainer', { id, timeoutSeconds: Math.max(grace, MINIMUM_GRACE_SECONDS) }, spec.container.name)
  if (!stopped.ok && stopped.error.code !== 'NotFound') return stopped.error.message
  return undefined
}

/** A hook that outlasts the grace period is left behind; that is no failure of the hook. */
function* runHookWithin(
  pod: Pod,
  spec: ContainerSpec,
  id: string,
  hook: NonNullable<NonNullable<ContainerSpec['container']['lifecycle']>['preStop']>,
  ips: readonly string[],
  grace: number,
): Work<string | undefined> {
  if (hook.sleep && hook.sleep.seconds > grace) return yield* runHook(pod, spec, id, { sleep: { seconds: grace } }, 'PreStop', ips, grace)
  const failure = yield* runHook(pod, spec, id, hook, 'PreStop', ips, grace)
  return failure?.startsWith('command timed out') ? '' : failure
}

const turns = (ctx: Context) => ctx.table<readonly string[]>('termination-order')

/** Sidecars end after the main containers, the last one first. */
function* waitForTurn(pod: Pod, spec: ContainerSpec, order: string, grace: number): Work<null> {
  if (!(spec.kind === 'init' && isRestartableInit(spec.container))) return null
  const after = (name: string): boolean => {
    const other = findSpec(pod, name)
    return other !== undefined && (other.kind === 'container' || (other.kind === 'init' && other.index > spec.index))
  }
  yield* until(`turn/${order}`, (ctx) => !(turns(ctx).get(order) ?? []).some(after), grace * 1000)
  return null
}

/** Workflow: one container of a pod that is being stopped. */
export function* killPodContainer(
  args: { pod: Pod; name: string; id: string; gracePeriodSeconds?: number; ips: readonly string[]; order: string },
  wake: (ctx: Context, key: string) => void,
): Work<string | null> {
  const spec = findSpec(args.pod, args.name)
  if (!spec) {
    const stopped = yield* cri('StopContainer', { id: args.id, timeoutSeconds: MINIMUM_GRACE_SECONDS }, args.name)
    return stopped.ok ? null : stopped.error.message
  }
  const failure = yield* killContainer(args.pod, spec, args.id, {
    message: '',
    reason: '',
    ips: args.ips,
    ...(args.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: args.gracePeriodSeconds }),
    ordered: args.order,
  })
  yield* once((ctx) => {
    const left = (turns(ctx).get(args.order) ?? []).filter((n) => n !== args.name)
    if (left.length > 0) turns(ctx).put(args.order, left)
    else turns(ctx).delete(args.order)
    wake(ctx, `turn/${args.order}`)
  })
  return failure ?? null
}

/** Stops all containers side by side, then the sandboxes. */
export function* killPod(
  pod: Pod,
  podStatus: CachedStatus,
  order: string,
  gracePeriodSeconds: number | undefined,
): Work<string | undefined> {
  const running = podStatus.containers.filter((c) => c.state === 'CONTAINER_RUNNING')
  yield* once((ctx) => {
    if (running.length > 0)
      turns(ctx).put(
        order,
        running.map((c) => c.name),
      )
  })
  const results = yield* all<string | null>(
    running.map((c) => ({
      program: 'killPodContainer',
      args: { pod, name: c.name, id: c.id, ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }), ips: podStatus.ips, order },
    })),
  )
  for (const sandbox of podStatus.sandboxes) {
    const stopped = yield* cri('StopPodSandbox', { id: sandbox.id }, '')
    if (!stopped.ok && stopped.error.code !== 'NotFound') return stopped.error.message
  }
  return results.find((r) => r !== null) ?? undefined
}

// The three syncs of a pod (pkg/kubelet/kubelet.go SyncPod, SyncTerminatingPod, SyncTerminatedPod) as workflows.
import type { Pod, PodStatus } from '../../api/types/kubernetes.gen.ts'
import type { Context } from '../../net/context.ts'
import { computePodActions, type ProbeResults } from './compute-actions.ts'
import { crashBackoff, getBackoff, goDuration, inBackoffSince, nextBackoff } from './backoff.ts'
import { config } from './config.ts'
import { sandboxHostname } from './environment.ts'
import { containerEvent, podEvent } from './events.ts'
import { killContainer, killPod } from './kill-pod.ts'
import { podDns } from './network-files.ts'
import {
  containerSpecs,
  findSpec,
  formatPod,
  hashContainer,
  isHostNetwork,
  isRestartableInit,
  isTerminalPhase,
  nameOf,
  namespaceOf,
  podKey,
  specOf,
  uidOf,
} from './pod-util.ts'
import { type StartError, startContainer } from './start-container.ts'
import type { CachedStatus, ContainerSpec, Reason, SyncKind } from './types.ts'
import { waitForMount } from './volumes.ts'
import { cri, once, sleep, type Work } from './workflow.ts'

export interface SyncArgs {
  readonly kind: SyncKind
  readonly pod: Pod
  readonly podStatus: CachedStatus
  readonly run: string
  readonly gracePeriodSeconds?: number
  readonly override?: { readonly reason: string; readonly message: string }
}

export interface SyncResult {
  readonly terminal?: boolean
  readonly error?: string
  /** When the next try makes sense, virtual ms (a BackoffError). */
  readonly retryAt?: number
}

/** What the syncs need of the rest of the kubelet. */
export interface SyncHooks {
  generateStatus(ctx: Context, pod: Pod, podStatus: CachedStatus, terminal: boolean, override?: SyncArgs['override']): PodStatus
  setStatus(ctx: Context, pod: Pod, status: PodStatus): void
  networkError(ctx: Context): string | undefined
  registerObjects(ctx: Context, pod: Pod): void
  wantVolumes(ctx: Context, pod: Pod): void
  addProbes(ctx: Context, pod: Pod): void
  stopLivenessAndStartup(ctx: Context, pod: Pod): void
  removeProbes(ctx: Context, pod: Pod): void
  ensureMirror(ctx: Context, pod: Pod): void
  terminateStatus(ctx: Context, pod: Pod): void
  probeResults(ctx: Context): ProbeResults
  wake(ctx: Context, key: string): void
  releaseVolumes(ctx: Context, pod: Pod): number
}

const reasons = (ctx: Context) => ctx.table<Reason>('reasons')

export const reasonOf = (ctx: Context, uid: string, container: string): Reason | undefined => reasons(ctx).get(`${uid}/${container}`)

export function forgetReasons(ctx: Context, uid: string): void {
  for (const key of reasons(ctx).keysWithPrefix(`${uid}/`)) reasons(ctx).delete(key)
}

export const NETWORK_NOT_READY = 'network is not ready'

export function* syncPod(args: SyncArgs, hooks: SyncHooks): Work<SyncResult> {
  const { pod } = args
  const status = yield* once((ctx) => {
    const s = hooks.generateStatus(ctx, pod, args.podStatus, false)
    hooks.setStatus(ctx, pod, s)
    return { phase: s.phase ?? '', ips: (s.podIPs ?? []).map((p) => p.ip) }
  })
  const podStatus: CachedStatus = { ...args.podStatus, ips: status.ips }
  if (isTerminalPhase(status.phase)) return { terminal: true }
  const network = yield* once((ctx) => (isHostNetwork(pod) ? null : (hooks.networkError(ctx) ?? null)))
  if (network !== null) {
    yield* once((ctx) => void podEvent(ctx, pod, 'Warning', 'NetworkNotReady', `${NETWORK_NOT_READY}: ${network}`))
    return { error: `${NETWORK_NOT_READY}: ${network}` }
  }
  yield* once((ctx) => {
    hooks.registerObjects(ctx, pod)
    hooks.ensureMirror(ctx, pod)
    hooks.wantVolumes(ctx, pod)
  })
  const unmounted = yield* waitForMount(pod)
  if (unmounted !== undefined) {
    yield* once((ctx) => void podEvent(ctx, pod, 'Warning', 'FailedMount', `Unable to attach or mount volumes: ${unmounted}`))
    return { error: unmounted }
  }
  yield* once((ctx) => hooks.addProbes(ctx, pod))
  return yield* runtimeSync(args, podStatus, hooks)
}

interface Failure extends StartError {
  readonly retryAt?: number
}

/** kuberuntime_manager.go SyncPod. */
function* runtimeSync(args: SyncArgs, podStatus: CachedStatus, hooks: SyncHooks): Work<SyncResult> {
  const { pod } = args
  const uid = uidOf(pod)
  const actions = yield* once((ctx) => {
    const a = computePodActions(pod, podStatus, hooks.probeResults(ctx))
    const spec = specOf(pod)
    const names = (list: readonly { name: string }[] | undefined, at: readonly number[]): string[] => at.map((i) => list?.[i]?.name ?? '')
    if (a.createSandbox || a.killPod || a.toStart.length + a.initToStart.length + a.toKill.length > 0)
      ctx.record(
        'kubelet.pod.actions',
        {
          uid,
          createSandbox: a.createSandbox,
          killPod: a.killPod,
          start: names(spec.containers, a.toStart),
          init: names(spec.initContainers, a.initToStart),
          kill: a.toKill.map((k) => k.name),
        },
        { apiVersion: 'v1', kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid },
      )
    return a
  })
  if (actions.createSandbox && actions.sandboxId !== '')
    yield* once((ctx) => void podEvent(ctx, pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.'))
  if (actions.killPod) {
    const failure = yield* killPod(pod, podStatus, args.run, undefined)
    if (failure !== undefined) return { error: failure }
    if (actions.createSandbox) yield* purgeInit(pod, podStatus)
  } else
    for (const kill of actions.toKill) {
      const spec = findSpec(pod, kill.name) as ContainerSpec
      const failure = yield* killContainer(pod, spec, kill.id, { message: kill.message, reason: kill.reason, ips: podStatus.ips })
      if (failure !== undefined) return { error: failure }
    }
  yield* pruneInit(pod, podStatus)
  let ips = podStatus.ips
  let sandboxId = actions.sandboxId
  if (actions.createSandbox) {
    const created = yield* createSandbox(pod, actions.attempt)
    if ('error' in created) {
      yield* once((ctx) => void podEvent(ctx, pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${created.error}`))
      return { error: created.error }
    }
    sandboxId = created.id
    ips = [created.ip]
  }
  const failures: Failure[] = []
  function* start(spec: ContainerSpec): Work<boolean> {
    const failure = (yield* backOff(pod, spec, podStatus)) ?? (yield* startContainer(pod, spec, sandboxId, podStatus, ips, hooks.wake))
    yield* once((ctx) => {
      const key = `${uid}/${spec.container.name}`
      if (failure) reasons(ctx).put(key, { reason: failure.reason, message: failure.message })
      else reasons(ctx).delete(key)
    })
    if (failure) failures.push(failure)
    return failure === undefined || failure === null
  }
  const specs = containerSpecs(pod)
  const pick = (kind: ContainerSpec['kind'], index: number): ContainerSpec =>
    specs.find((s) => s.kind === kind && s.index === index) as ContainerSpec
  for (const index of actions.ephemeralToStart) yield* start(pick('ephemeral', index))
  let aborted = false
  for (const index of actions.initToStart) {
    const spec = pick('init', index)
    const ok = yield* start(spec)
    if (!ok && !isRestartableInit(spec.container)) {
      aborted = true
      break
    }
  }
  if (!aborted) for (const index of actions.toStart) yield* start(pick('container', index))
  if (failures.length === 0) return {}
  const retries = failures.flatMap((f) => (f.retryAt === undefined ? [] : [f.retryAt]))
  return {
    error: failures.map((f) => `failed to "StartContainer" with ${f.reason}: "${f.message}"`).join(', '),
    ...(retries.length > 0 ? { retryAt: Math.min(...retries) } : {}),
  }
}

const backoffKey = (pod: Pod, spec: ContainerSpec): string =>
  `${nameOf(pod)}_${namespaceOf(pod)}_${uidOf(pod)}_${spec.container.name}_${hashContainer(spec.container)}`

/** doBackOff: null = go ahead. */
function* backOff(pod: Pod, spec: ContainerSpec, podStatus: CachedStatus): Work<Failure | null> {
  const exited = podStatus.containers.find((c) => c.name === spec.container.name && c.state === 'CONTAINER_EXITED')
  if (!exited) return null
  return yield* once((ctx): Failure | null => {
    const key = backoffKey(pod, spec)
    if (!inBackoffSince(ctx, crashBackoff, key, exited.finishedAt)) {
      nextBackoff(ctx, crashBackoff, key, exited.finishedAt)
      return null
    }
    const delayMs = getBackoff(ctx, crashBackoff, key)?.delayMs ?? 0
    containerEvent(
      ctx,
      pod,
      spec,
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${spec.container.name} in pod ${formatPod(pod)}`,
    )
    ctx.record(
      'kubelet.container.backoff',
      { uid: uidOf(pod), container: spec.container.name, delayMs, untilMs: exited.finishedAt + delayMs },
      { apiVersion: 'v1', kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid: uidOf(pod) },
    )
    return {
      reason: 'CrashLoopBackOff',
      message: `back-off ${goDuration(delayMs)} restarting failed container=${spec.container.name} pod=${formatPod(pod)}`,
      retryAt: exited.finishedAt + delayMs,
    }
  })
}

function* createSandbox(pod: Pod, attempt: number): Work<{ id: string; ip: string } | { error: string }> {
  const request = yield* once((ctx) => {
    const { clusterDNS, clusterDomain, node } = config(ctx)
    const hostname = sandboxHostname(pod, clusterDomain, node)
    const ports = specOf(pod).containers.flatMap((c) =>
      (c.ports ?? []).map((p) => ({ hostPort: p.hostPort ?? 0, containerPort: p.containerPort, protocol: p.protocol ?? 'TCP' })),
    )
    return {
      uid: uidOf(pod),
      name: nameOf(pod),
      namespace: namespaceOf(pod),
      attempt,
      hostname,
      hostNetwork: isHostNetwork(pod),
      dns: podDns(pod, clusterDNS, clusterDomain),
      labels: Object.entries(pod.metadata.labels ?? {}),
      ports,
    }
  })
  const created = yield* cri('RunPodSandbox', request, podKey(pod))
  return created.ok ? created.value : { error: created.error.message }
}

/** Of each init container only the last run is kept. */
function* pruneInit(pod: Pod, podStatus: CachedStatus): Work<null> {
  for (const c of specOf(pod).initContainers ?? []) {
    const exited = podStatus.containers.filter(
      (s) => s.name === c.name && (s.state === 'CONTAINER_EXITED' || s.state === 'CONTAINER_UNKNOWN'),
    )
    for (const old of exited.slice(1)) yield* cri('RemoveContainer', { id: old.id }, c.name)
  }
  return null
}

function* purgeInit(pod: Pod, podStatus: CachedStatus): Work<null> {
  for (const c of specOf(pod).initContainers ?? [])
    for (const old of podStatus.containers.filter((s) => s.name === c.name)) yield* cri('RemoveContainer', { id: old.id }, c.name)
  return null
}

export function* syncTerminatingPod(args: SyncArgs, hooks: SyncHooks): Work<SyncResult> {
  const { pod, podStatus } = args
  yield* once((ctx) => {
    hooks.setStatus(ctx, pod, hooks.generateStatus(ctx, pod, podStatus, false, args.override))
    hooks.stopLivenessAndStartup(ctx, pod)
  })
  const failure = yield* killPod(pod, podStatus, args.run, args.gracePeriodSeconds)
  if (failure !== undefined) {
    yield* once((ctx) => void podEvent(ctx, pod, 'Warning', 'FailedKillPod', `error killing pod: ${failure}`))
    return { error: failure }
  }
  const stopped = yield* cri('PodStatus', { uids: [uidOf(pod)] }, podKey(pod))
  if (!stopped.ok) return { error: stopped.error.message }
  const found = stopped.value.pods[0]
  const running = (found?.containers ?? []).filter((c) => c.state === 'CONTAINER_RUNNING')
  if (running.length > 0)
    return { error: `detected running containers after a successful KillPod, CRI violation: ${running.map((c) => c.name).join(', ')}` }
  yield* once((ctx) => {
    hooks.removeProbes(ctx, pod)
    const cached: CachedStatus = {
      uid: uidOf(pod),
      name: nameOf(pod),
      namespace: namespaceOf(pod),
      sandboxes: found?.sandboxes ?? [],
      containers: found?.containers ?? [],
      ips: podStatus.ips,
    }
    hooks.setStatus(ctx, pod, hooks.generateStatus(ctx, pod, cached, true, args.override))
  })
  return {}
}

export function* syncTerminatedPod(args: SyncArgs, hooks: SyncHooks): Work<SyncResult> {
  const { pod, podStatus } = args
  const wait = yield* once((ctx) => {
    hooks.setStatus(ctx, pod, hooks.generateStatus(ctx, pod, podStatus, true, args.override))
    return hooks.releaseVolumes(ctx, pod)
  })
  if (wait > 0) yield* sleep(wait)
  yield* once((ctx) => hooks.terminateStatus(ctx, pod))
  return {}
}

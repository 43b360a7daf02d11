// The kubelet: runs the pods that the API binds to its node (pkg/kubelet/kubelet.go). This file wires its parts; each has its own.
import type { Node, Pod } from '../../api/types/kubernetes.gen.ts'
import { createInformers, type InformerEvent, store } from '../../client/informer.ts'
import { parseApiTime } from '../../client/time.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import type { Table } from '../../engine/types.ts'
import { admitPod } from './admission.ts'
import { collectGarbage, deleteDeadContainers } from './container-gc.ts'
import { config, SANDBOX_GC_MS } from './config.ts'
import { podEvent, recorder } from './events.ts'
import { leavePullQueue } from './images.ts'
import { killPodContainer } from './kill-pod.ts'
import { networkError, nodeHandlers, onNodeChanged, runtimeFailed, startNodeStatus } from './node-status.ts'
import { registerPod, unregisterPod } from './objects.ts'
import { cachedStatus, createPleg, type PlegEvent } from './pleg.ts'
import { createPodWorkers, workerOf } from './pod-workers.ts'
import { isMirror, isTerminalPhase, nameOf, namespaceOf, qosClass, specOf, uidOf } from './pod-util.ts'
import { createProber, type ProbeArgs, probeResult } from './prober.ts'
import { createServer } from './server.ts'
import {
  mirrorHandlers,
  onMirrorPod,
  removeManifest,
  restoreManifest,
  startStaticPods,
  ensureMirror,
  mirrorUidOf,
  forgetMirror,
  staticUidOf,
} from './static-pods.ts'
import { createStatusManager, getPodStatus } from './status-manager.ts'
import { generateAPIPodStatus } from './status-generate.ts'
import {
  forgetReasons,
  reasonOf,
  syncPod,
  syncTerminatedPod,
  syncTerminatingPod,
  type SyncArgs,
  type SyncHooks,
  type SyncResult,
} from './sync-pod.ts'
import type { CachedStatus, ManagedPod } from './types.ts'
import { allMounted, forgetVolumes, mountVolume, unprocessed, usedVolumes, wantVolumes } from './volumes.ts'
import { createWorkflows, type Work } from './workflow.ts'

export type { KubeletConfig } from './config.ts'

const managed = (ctx: Context): Table<ManagedPod> => ctx.table('pods')

export const podOf = (ctx: Context, uid: string): Pod | undefined => managed(ctx).get(uid)?.pod

const emptyStatus = (pod: Pod): CachedStatus => ({
  uid: uidOf(pod),
  name: nameOf(pod),
  namespace: namespaceOf(pod),
  sandboxes: [],
  containers: [],
  ips: [],
})

const informers = createInformers({
  client: (ctx) => config(ctx).client,
  onEvent: (ctx, event) => onInformer(ctx, event),
})

const watches = {
  start: (ctx: Context, spec: { name: string; path: string; query?: string }) => informers.start(ctx, spec),
  stop: (ctx: Context, name: string) => informers.stop(ctx, name),
}

const pleg = createPleg({
  onRelist: (ctx, events) => onRelist(ctx, events),
  onFailure: (ctx, message) => runtimeFailed(ctx, message),
})

const statusManager = createStatusManager({
  couldHaveRunningContainers: (ctx, uid) => podWorkers.couldHaveRunningContainers(ctx, uid),
  apiUid: (ctx, uid) => mirrorUidOf(ctx, uid) ?? uid,
  onDeleted: () => undefined,
})

const prober = createProber({
  pod: podOf,
  status: getPodStatus,
  run: (ctx, id, args) => workflows.start(ctx, id, 'probe', args, { kind: 'probe', data: args }),
  cancel: (ctx, id) => workflows.cancel(ctx, id),
  onResult: (ctx, uid, type, containerId, outcome) => {
    const pod = podOf(ctx, uid)
    if (!pod) return
    if (type === 'readiness') statusManager.setContainerReadiness(ctx, pod, containerId, outcome === 'success')
    if (type === 'startup') statusManager.setContainerStartup(ctx, pod, containerId, outcome === 'success')
    if (type === 'liveness' && outcome !== 'failure') return
    podWorkers.update(ctx, pod, 'sync')
  },
  kubeletStartedAt: (ctx) => ctx.table<number>('clock').get('startedAt') ?? 0,
})

const syncHooks: SyncHooks = {
  generateStatus(ctx, pod, podStatus, terminal, override) {
    const old = getPodStatus(ctx, uidOf(pod)) ?? pod.status ?? {}
    const expired = override ?? pastDeadline(ctx, pod)
    if (expired && !override) podEvent(ctx, pod, 'Normal', expired.reason, expired.message)
    return generateAPIPodStatus(pod, podStatus, terminal, {
      old,
      hostIP: config(ctx).nodeIP,
      reason: (container) => reasonOf(ctx, uidOf(pod), container),
      probe: (p, s) => prober.updateStatus(ctx, p, s),
      ...(expired ? { override: expired } : {}),
    })
  },
  setStatus: (ctx, pod, status) => statusManager.set(ctx, pod, status),
  networkError,
  registerObjects: (ctx, pod) => registerPod(ctx, pod, watches),
  wantVolumes: (ctx, pod) => wantVolumes(ctx, pod, startMount),
  addProbes: (ctx, pod) => prober.addPod(ctx, pod),
  stopLivenessAndStartup: (ctx, pod) => prober.stopLivenessAndStartup(ctx, pod),
  removeProbes: (ctx, pod) => prober.removePod(ctx, uidOf(pod)),
  ensureMirror,
  terminateStatus: (ctx, pod) => statusManager.terminate(ctx, pod),
  probeResults: (ctx) => (type, id) => probeResult(ctx, type, id),
  wake: (ctx, key) => workflows.wake(ctx, key),
  releaseVolumes(ctx, pod) {
    const since = ctx.now - (workerOf(ctx, uidOf(pod))?.terminatedAt ?? ctx.now)
    forgetVolumes(ctx, uidOf(pod))
    unregisterPod(ctx, uidOf(pod), watches)
    // The volume loops need up to two turns to take volumes away; a pod that must wait looks again after 300 ms.
    return usedVolumes(pod).length === 0 || since >= 200 ? 0 : 300
  },
}

const workflows = createWorkflows(
  {
    syncPod: ((args: SyncArgs) => syncPod(args, syncHooks)) as never,
    syncTerminatingPod: ((args: SyncArgs) => syncTerminatingPod(args, syncHooks)) as never,
    syncTerminatedPod: ((args: SyncArgs) => syncTerminatedPod(args, syncHooks)) as never,
    killPodContainer: ((args: Parameters<typeof killPodContainer>[0]) => killPodContainer(args, syncHooks.wake)) as never,
    mountVolume: mountVolume as never,
    probe: ((args: ProbeArgs) => prober.probe(args)) as (args: never) => Work<unknown>,
  },
  (ctx, then, result) => {
    if (then.kind === 'worker') {
      const { uid, run } = then.data as { uid: string; run: number }
      if (workerOf(ctx, uid)?.runs === run) podWorkers.synced(ctx, uid, result as SyncResult)
    } else if (then.kind === 'probe') prober.finished(ctx, then.data as ProbeArgs, result as never)
    else if (then.kind === 'volume') {
      const { uid } = then.data as { uid: string }
      const pod = podOf(ctx, uid)
      if (pod && (allMounted(ctx, pod) || unprocessed(ctx, pod).length > 0)) workflows.wake(ctx, `volumes/${uid}`)
    }
  },
)

const podWorkers = createPodWorkers({
  newerThan: (ctx, since) => pleg.newerThan(ctx, since),
  wantRelist: (ctx) => pleg.want(ctx),
  podStatus: (ctx, pod) => cachedStatus(ctx, uidOf(pod)) ?? emptyStatus(pod),
  start: (ctx, id, program, args, then) => workflows.start(ctx, id, program, args, then),
  cancel: (ctx, id) => workflows.cancel(ctx, id),
  onFinished: (ctx, uid) => {
    if (!managed(ctx).has(uid)) cleanUp(ctx, uid)
  },
})

const server = createServer()

function startMount(ctx: Context, uid: string, name: string): void {
  const pod = podOf(ctx, uid)
  if (pod && !workflows.running(ctx, `volume/${uid}/${name}`))
    workflows.start(ctx, `volume/${uid}/${name}`, 'mountVolume', { pod, name }, { kind: 'volume', data: { uid } })
}

/** active_deadline.go. */
function pastDeadline(ctx: Context, pod: Pod): { reason: string; message: string } | undefined {
  const seconds = specOf(pod).activeDeadlineSeconds
  if (seconds === undefined) return undefined
  const start = parseApiTime(((getPodStatus(ctx, uidOf(pod)) ?? pod.status)?.startTime as string | undefined) ?? undefined)
  if (start === undefined || ctx.now - start < seconds * 1000) return undefined
  return { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' }
}

function armDeadline(ctx: Context, pod: Pod): void {
  const seconds = specOf(pod).activeDeadlineSeconds
  if (seconds === undefined || isTerminalPhase(pod.status?.phase)) {
    ctx.cancelTimer(`deadline/${uidOf(pod)}`)
    return
  }
  const start = parseApiTime(((getPodStatus(ctx, uidOf(pod)) ?? pod.status)?.startTime as string | undefined) ?? undefined) ?? ctx.now
  // The sync loop looks once a second.
  const at = Math.max(ctx.now, start + seconds * 1000)
  ctx.setTimer(`deadline/${uidOf(pod)}`, Math.ceil(at / 1000) * 1000 - ctx.now, 'pod.deadline', uidOf(pod), { periodic: seconds > 60 })
}

function onInformer(ctx: Context, event: InformerEvent): void {
  if (event.informer === 'pods') onPod(ctx, event)
  else if (event.informer === 'nodes') onNodeChanged(ctx, event.object as unknown as Node)
  else if (event.informer.startsWith('configmap/') || event.informer.startsWith('secret/')) return
}

/** What differs makes an update; a status alone only a look at whether it is still ours (config.go checkAndUpdatePod). */
function meaning(old: Pod, next: Pod): 'update' | 'reconcile' | 'none' {
  const essence = (p: Pod): string =>
    JSON.stringify([
      p.spec,
      p.metadata.labels ?? {},
      p.metadata.deletionTimestamp ?? null,
      p.metadata.deletionGracePeriodSeconds ?? null,
      p.metadata.annotations ?? {},
    ])
  if (essence(old) !== essence(next)) return 'update'
  return JSON.stringify(old.status) !== JSON.stringify(next.status) ? 'reconcile' : 'none'
}

function onPod(ctx: Context, event: InformerEvent): void {
  const pod = event.object as unknown as Pod
  if (isMirror(pod)) {
    onMirrorPod(ctx, pod, event.type)
    const own = staticUidOf(ctx, pod)
    if (event.type === 'MODIFIED' && own !== undefined) statusManager.reconcile(ctx, pod, own)
    return
  }
  const uid = uidOf(pod)
  const before = event.old as unknown as Pod | undefined
  if (event.type !== 'DELETED' && before && uidOf(before) !== uid) removePod(ctx, before)
  if (event.type === 'DELETED') {
    removePod(ctx, pod)
    return
  }
  const known = managed(ctx).get(uid)
  if (!known) {
    addPod(ctx, pod, 'api')
    return
  }
  managed(ctx).put(uid, { ...known, pod })
  switch (meaning(known.pod, pod)) {
    case 'update':
      armDeadline(ctx, pod)
      podWorkers.update(ctx, pod, 'update')
      return
    case 'reconcile': {
      const worker = workerOf(ctx, uid)
      if (worker) ctx.table<typeof worker>('workers').put(uid, { ...worker, pod })
      if (needsToReconcileReadiness(ctx, pod)) podWorkers.update(ctx, pod, 'sync')
      else statusManager.reconcile(ctx, pod)
    }
  }
}

/** A readiness gate that changed makes another Ready condition. */
function needsToReconcileReadiness(ctx: Context, pod: Pod): boolean {
  if ((specOf(pod).readinessGates ?? []).length === 0) return false
  const status = getPodStatus(ctx, uidOf(pod))
  const containersReady = status?.conditions?.find((c) => c.type === 'ContainersReady')?.status === 'True'
  if (!containersReady) return false
  const all = (specOf(pod).readinessGates ?? []).flatMap((gate) => {
    const c = pod.status?.conditions?.find((x) => x.type === gate.conditionType)
    return c?.status === 'True'
      ? []
      : [
          c
            ? `the status of pod readiness gate "${gate.conditionType}" is not "True", but ${c.status}`
            : `corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`,
        ]
  })
  const now = status?.conditions?.find((c) => c.type === 'Ready')
  return all.length === 0 ? now?.status !== 'True' : now?.status === 'True' || now?.message !== all.join(', ')
}

/** HandlePodAdditions. */
export function addPod(ctx: Context, pod: Pod, source: 'api' | 'file'): void {
  const uid = uidOf(pod)
  managed(ctx).put(uid, { pod, source, seenAt: ctx.now })
  const ref = { apiVersion: 'v1', kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid }
  if (!isTerminalPhase(pod.status?.phase) && !pod.metadata.deletionTimestamp && !cachedStatus(ctx, uid)) {
    const others = managed(ctx)
      .values()
      .map((m) => m.pod)
      .filter((p) => uidOf(p) !== uid && !isOver(ctx, p))
    const node = store(ctx, 'nodes').get(config(ctx).node) as unknown as Node | undefined
    const rejection = admitPod(pod, node, others)
    if (rejection) {
      ctx.because(ctx.record('kubelet.pod.rejected', { uid, reason: rejection.reason, message: rejection.message }, ref))
      podEvent(ctx, pod, 'Warning', rejection.reason, rejection.message)
      const { generation } = pod.metadata
      statusManager.set(ctx, pod, {
        phase: 'Failed',
        reason: rejection.reason,
        message: `Pod was rejected: ${rejection.message}`,
        qosClass: qosClass(pod),
        ...(generation === undefined ? {} : { observedGeneration: generation }),
      })
      ctx.table<string>('rejected').put(uid, rejection.reason)
      return
    }
  }
  ctx.record('kubelet.pod.admitted', { uid, source }, ref)
  podWorkers.update(ctx, pod, 'create')
  armDeadline(ctx, pod)
}

/** Its containers can no longer run: it does not count against the node. */
function isOver(ctx: Context, pod: Pod): boolean {
  const uid = uidOf(pod)
  if (ctx.table('rejected').has(uid)) return true
  const worker = workerOf(ctx, uid)
  if (worker) return worker.terminatedAt !== undefined
  return isTerminalPhase(pod.status?.phase)
}

/** HandlePodRemoves: the API has forgotten the pod. */
export function removePod(ctx: Context, pod: Pod): void {
  const uid = uidOf(pod)
  if (!managed(ctx).has(uid)) return
  managed(ctx).delete(uid)
  ctx.cancelTimer(`deadline/${uid}`)
  const worker = workerOf(ctx, uid)
  ctx.record('kubelet.pod.removed', { uid }, { apiVersion: 'v1', kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid })
  if (worker && worker.state !== 'finished') {
    const last = { ...pod, metadata: { ...pod.metadata, ...(pod.metadata.deletionTimestamp ? {} : { deletionGracePeriodSeconds: 1 }) } }
    podWorkers.update(ctx, last, 'kill', {
      deleted: true,
      ...(pod.metadata.deletionGracePeriodSeconds === undefined
        ? {}
        : { gracePeriodSeconds: Math.max(1, pod.metadata.deletionGracePeriodSeconds) }),
    })
    return
  }
  cleanUp(ctx, uid)
}

/** Nothing of the pod is left but what garbage collection takes later. */
function cleanUp(ctx: Context, uid: string): void {
  podWorkers.forget(ctx, uid)
  statusManager.forget(ctx, uid)
  prober.removePod(ctx, uid)
  forgetReasons(ctx, uid)
  forgetVolumes(ctx, uid)
  unregisterPod(ctx, uid, watches)
  leavePullQueue(ctx, uid)
  forgetMirror(ctx, uid)
  ctx.table('rejected').delete(uid)
  for (const key of ctx.table('tokens').keysWithPrefix(`${uid}/`)) ctx.table('tokens').delete(key)
  if (cachedStatus(ctx, uid) && !ctx.hasTimer('gc')) ctx.setTimer('gc', SANDBOX_GC_MS, 'gc.tick', null, { periodic: true })
}

function onRelist(ctx: Context, events: readonly PlegEvent[]): void {
  const uids = new Set(events.filter((e) => e.type !== 'ContainerRemoved').map((e) => e.uid))
  for (const uid of [...uids].sort()) {
    const pod = podOf(ctx, uid)
    if (pod) podWorkers.update(ctx, pod, 'sync')
  }
  for (const e of events) if (e.type === 'ContainerDied') deleteDeadContainers(ctx, e.uid, e.container, contentMayGo(ctx, e.uid))
  podWorkers.relisted(ctx)
  removeStrangers(ctx)
}

/** ShouldPodContentBeRemoved: a deleted or evicted pod whose containers have stopped. */
function contentMayGo(ctx: Context, uid: string): boolean {
  const worker = workerOf(ctx, uid)
  if (!worker) return !managed(ctx).has(uid)
  return (worker.deleted || worker.evicted) && worker.terminatedAt !== undefined
}

/** After a restart: pods in the runtime that nobody wants any more are stopped. */
function removeStrangers(ctx: Context): void {
  if (!informers.synced(ctx)) return
  for (const cached of ctx.table<CachedStatus>('pod-cache').values()) {
    if (managed(ctx).has(cached.uid) || workerOf(ctx, cached.uid)) continue
    if (!cached.containers.some((c) => c.state === 'CONTAINER_RUNNING') && !cached.sandboxes.some((s) => s.state === 'SANDBOX_READY'))
      continue
    const pod: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { uid: cached.uid, name: cached.name, namespace: cached.namespace },
      spec: { containers: [] },
    }
    podWorkers.update(ctx, pod, 'kill', { gracePeriodSeconds: 1 })
  }
}

export const kubeletType: ComponentType = {
  type: 'kubelet',
  durable: ['removed-manifests'],
  start(ctx) {
    ctx.table<number>('clock').put('startedAt', ctx.now)
    pleg.start(ctx)
    const { node } = config(ctx)
    informers.start(ctx, { name: 'nodes', path: '/api/v1/nodes', query: `fieldSelector=${encodeURIComponent(`metadata.name=${node}`)}` })
    informers.start(ctx, { name: 'services', path: '/api/v1/services' })
    startNodeStatus(ctx)
    startStaticPods(ctx, (c, pod) => addPod(c, pod, 'file'))
    informers.start(ctx, { name: 'pods', path: '/api/v1/pods', query: `fieldSelector=${encodeURIComponent(`spec.nodeName=${node}`)}` })
  },
  handlers: {
    'manifest.remove': (ctx: Context, { name }: { name: string }) => removeManifest(ctx, name, removePod),
    'manifest.restore': (ctx: Context, { name }: { name: string }) => restoreManifest(ctx, name, (c, pod) => addPod(c, pod, 'file')),
    'manifest.mirror.deleted': () => {},
    ...informers.handlers,
    ...recorder.handlers,
    ...workflows.handlers,
    ...statusManager.handlers,
    ...prober.handlers,
    ...podWorkers.handlers,
    ...pleg.handlers,
    ...nodeHandlers,
    ...mirrorHandlers,
    ...server.handlers,
    'volume.mount': (ctx: Context, { uid, name }: { uid: string; name: string }) => startMount(ctx, uid, name),
    'pod.deadline': (ctx: Context, uid: string) => {
      const pod = podOf(ctx, uid)
      if (!pod || isTerminalPhase(getPodStatus(ctx, uid)?.phase)) return
      const worker = workerOf(ctx, uid)
      if (!worker || worker.state !== 'sync') return
      ctx.foreground()
      const override = pastDeadline(ctx, pod)
      if (!override) {
        armDeadline(ctx, pod)
        return
      }
      podWorkers.update(ctx, pod, 'sync')
    },
    'gc.tick': (ctx: Context) => {
      if (collectGarbage(ctx, (uid) => managed(ctx).has(uid) || workerOf(ctx, uid) !== undefined))
        ctx.setTimer('gc', SANDBOX_GC_MS, 'gc.tick', null, { periodic: true })
    },
    'gc.done': () => undefined,
  },
}

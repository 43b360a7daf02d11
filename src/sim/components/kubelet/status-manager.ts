// Keeps the API's pod statuses equal to the kubelet's (pkg/kubelet/status/status_manager.go): one pod after the other, GET then PATCH.
import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { type ApiResult, apiRequest, passOver } from '../../client/request.ts'
import { apiTime } from '../../client/time.ts'
import type { Context } from '../../net/context.ts'
import type { Table } from '../../engine/types.ts'
import { config } from './config.ts'
import { containersReadyCondition, readyCondition } from './status-generate.ts'
import {
  findCondition,
  isMirror,
  isTerminalPhase,
  nameOf,
  namespaceOf,
  ownedByKubelet,
  sharedByKubelet,
  specOf,
  uidOf,
} from './pod-util.ts'
import { statusPatch } from './status-patch.ts'
import type { VersionedStatus } from './types.ts'

/** syncPeriod: everything is looked over again. */
const RETRY_MS = 10_000

export interface StatusHooks {
  couldHaveRunningContainers(ctx: Context, uid: string): boolean
  /** The API's uid of a pod (a mirror pod's for a static one). */
  apiUid(ctx: Context, uid: string): string | undefined
  onDeleted(ctx: Context, uid: string): void
}

interface Queued {
  readonly cause: number
  readonly background: boolean
}

const statuses = (ctx: Context): Table<VersionedStatus> => ctx.table('status')
const sent = (ctx: Context): Table<number> => ctx.table('status-sent')
const queue = (ctx: Context): Table<Queued & { uid: string }> => ctx.table('status-queue')
const busy = (ctx: Context): Table<{ uid: string; version: number; stage: string; final: boolean }> => ctx.table('status-busy')

export const getPodStatus = (ctx: Context, uid: string): PodStatus | undefined => statuses(ctx).get(uid)?.status

const TIMED = [
  'ContainersReady',
  'Ready',
  'Initialized',
  'PodReadyToStartContainers',
  'PodScheduled',
  'DisruptionTarget',
  'PodResizePending',
  'PodResizeInProgress',
]

export interface StatusManager {
  set(ctx: Context, pod: Pod, status: PodStatus): void
  setContainerReadiness(ctx: Context, pod: Pod, containerId: string, ready: boolean): void
  setContainerStartup(ctx: Context, pod: Pod, containerId: string, started: boolean): void
  terminate(ctx: Context, pod: Pod): void
  forget(ctx: Context, uid: string): void
  /** The API's version differs from ours (someone else wrote): write again. `uid`: ours, if the API shows a mirror pod. */
  reconcile(ctx: Context, pod: Pod, uid?: string): void
  readonly handlers: Readonly<Record<string, (ctx: Context, payload: never) => void>>
}

export function createStatusManager(hooks: StatusHooks): StatusManager {
  const update = (ctx: Context, pod: Pod, next: PodStatus, force: boolean, finished: boolean): void => {
    const uid = uidOf(pod)
    const cached = statuses(ctx).get(uid)
    const old: PodStatus = cached?.status ?? (isStatic(pod) ? {} : (pod.status ?? {}))
    const now = apiTime(ctx.now)
    const conditions = (next.conditions ?? []).map((c): PodCondition => {
      if (!TIMED.includes(c.type)) return c
      const before = findCondition(old, c.type)
      return {
        lastProbeTime: null as never,
        ...c,
        lastTransitionTime: before && before.status === c.status ? (before.lastTransitionTime ?? now) : (c.lastTransitionTime ?? now),
      }
    })
    const status: PodStatus = { ...next, ...(next.conditions ? { conditions } : {}), startTime: old.startTime ?? now }
    if (cached && !force && same(cached.status, status)) return
    const version = Math.max(cached?.version ?? 0, sent(ctx).get(uid) ?? 0) + 1
    statuses(ctx).put(uid, {
      status,
      version,
      uid,
      name: nameOf(pod),
      namespace: namespaceOf(pod),
      podIsFinished: finished || (cached?.podIsFinished ?? false),
    })
    const ready = findCondition(status, 'Ready')?.status === 'True'
    if (!cached || cached.status.phase !== status.phase || (findCondition(cached.status, 'Ready')?.status === 'True') !== ready) {
      ctx.foreground()
      ctx.record(
        'kubelet.status.changed',
        { uid, phase: status.phase ?? '', ready },
        { apiVersion: 'v1', kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid },
      )
    }
    enqueue(ctx, uid)
  }
  const enqueue = (ctx: Context, uid: string): void => {
    const waiting = queue(ctx)
      .values()
      .find((q) => q.uid === uid)
    if (!waiting) {
      const n = (ctx.table<number>('status-counter').get('n') ?? 0) + 1
      ctx.table<number>('status-counter').put('n', n)
      queue(ctx).put(String(n).padStart(12, '0'), { uid, cause: ctx.cause, background: ctx.background })
    }
    pump(ctx)
  }
  const pump = (ctx: Context): void => {
    for (;;) {
      if (busy(ctx).has('now')) return
      const key = queue(ctx).keys()[0]
      const item = key === undefined ? undefined : queue(ctx).get(key)
      if (key === undefined || !item) return
      queue(ctx).delete(key)
      const s = statuses(ctx).get(item.uid)
      if (!s || (sent(ctx).get(item.uid) ?? 0) >= s.version) continue
      ctx.resume(item)
      busy(ctx).put('now', { uid: item.uid, version: s.version, stage: 'get', final: false })
      apiRequest(ctx, config(ctx).client, { method: 'GET', path: pathOf(s) }, { kind: 'status.got', data: item.uid })
      return
    }
  }
  const done = (ctx: Context): void => {
    busy(ctx).delete('now')
    pump(ctx)
  }
  const failed = (ctx: Context, uid: string, result: ApiResult): void => {
    if (result.form === 'error') passOver(ctx, config(ctx).client)
    ctx.setTimer(`status/${uid}`, RETRY_MS, 'status.retry', uid, { periodic: true })
    done(ctx)
  }
  const afterWrite = (ctx: Context, s: VersionedStatus, version: number, pod: Pod): void => {
    sent(ctx).put(s.uid, version)
    if (canBeDeleted(ctx, s, pod)) {
      apiRequest(
        ctx,
        config(ctx).client,
        {
          method: 'DELETE',
          path: podPath(s),
          body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } },
        },
        { kind: 'status.deleted', data: s.uid },
      )
      return
    }
    done(ctx)
  }
  const canBeDeleted = (ctx: Context, s: VersionedStatus, pod: Pod): boolean =>
    pod.metadata.deletionTimestamp !== undefined &&
    !isMirror(pod) &&
    isTerminalPhase(pod.status?.phase) &&
    (statuses(ctx).get(s.uid)?.podIsFinished ?? false)

  return {
    set(ctx, pod, status) {
      // A pod that is being deleted may need a write although nothing changed: the deletion itself.
      update(ctx, pod, status, pod.metadata.deletionTimestamp !== undefined, false)
    },
    setContainerReadiness(ctx, pod, containerId, ready) {
      const old = statuses(ctx).get(uidOf(pod))
      if (!old) return
      const change = (list: readonly ContainerStatus[] | undefined): ContainerStatus[] | undefined =>
        list?.map((c) => (c.containerID === containerId ? { ...c, ready } : c))
      const target = [...(old.status.containerStatuses ?? []), ...(old.status.initContainerStatuses ?? [])].find(
        (c) => c.containerID === containerId,
      )
      if (!target || target.ready === ready) return
      const status = withLists(old.status, change)
      const list = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])]
      const generation = pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }
      const containersReady = containersReadyCondition(specOf(pod), list, status.phase ?? '')
      const conditions = (status.conditions ?? []).map((c) =>
        c.type === 'ContainersReady'
          ? { ...containersReady, ...generation }
          : c.type === 'Ready'
            ? { ...readyCondition(specOf(pod), containersReady, status.conditions ?? []), ...generation }
            : c,
      )
      update(ctx, pod, { ...status, conditions }, false, false)
    },
    setContainerStartup(ctx, pod, containerId, started) {
      const old = statuses(ctx).get(uidOf(pod))
      if (!old) return
      update(
        ctx,
        pod,
        withLists(old.status, (l) => l?.map((c) => (c.containerID === containerId ? { ...c, started } : c))),
        false,
        false,
      )
    },
    terminate(ctx, pod) {
      const old = statuses(ctx).get(uidOf(pod))?.status ?? pod.status ?? {}
      const end = (c: ContainerStatus): ContainerStatus =>
        c.state?.terminated
          ? c
          : {
              ...c,
              state: {
                terminated: {
                  reason: 'ContainerStatusUnknown',
                  message: 'The container could not be located when the pod was terminated',
                  exitCode: 137,
                  startedAt: null,
                  finishedAt: null,
                } as never,
              },
            }
      const init = old.initContainerStatuses
      const containerStatuses = hasPodInitialized(pod, old) ? old.containerStatuses?.map(end) : old.containerStatuses
      const reached = init ? initialisedCount(init) : 0
      const status: PodStatus = {
        ...old,
        ...(containerStatuses ? { containerStatuses } : {}),
        ...(init ? { initContainerStatuses: init.map((c, i) => (i < reached ? end(c) : c)) } : {}),
        phase: old.phase === 'Succeeded' ? 'Succeeded' : 'Failed',
      }
      update(ctx, pod, status, true, true)
    },
    forget(ctx, uid) {
      statuses(ctx).delete(uid)
      sent(ctx).delete(uid)
      ctx.cancelTimer(`status/${uid}`)
    },
    reconcile(ctx, pod, uid = uidOf(pod)) {
      const s = statuses(ctx).get(uid)
      if (!s || (sent(ctx).get(s.uid) ?? 0) < s.version) return
      const merged = mergePodStatus(pod, pod.status ?? {}, s.status, hooks.couldHaveRunningContainers(ctx, s.uid))
      if (statusPatch(pod, merged) === undefined) return
      sent(ctx).put(s.uid, s.version - 1)
      enqueue(ctx, s.uid)
    },
    handlers: {
      'status.retry': ((ctx: Context, uid: string) => {
        const s = statuses(ctx).get(uid)
        if (s && (sent(ctx).get(uid) ?? 0) < s.version) enqueue(ctx, uid)
      }) as never,
      'status.got': ((ctx: Context, result: ApiResult<string>) => {
        const uid = result.data
        const s = statuses(ctx).get(uid)
        if (!s || result.form !== 'response') {
          failed(ctx, uid, result)
          return
        }
        const { status, body } = result.value
        if (status === 404) {
          // Nobody asks for this pod any more; the source will say so.
          sent(ctx).put(uid, s.version)
          done(ctx)
          return
        }
        if (status >= 300) {
          failed(ctx, uid, result)
          return
        }
        const pod = body as unknown as Pod
        if (pod.metadata.uid !== hooks.apiUid(ctx, uid)) {
          statuses(ctx).delete(uid)
          sent(ctx).delete(uid)
          done(ctx)
          return
        }
        const merged = mergePodStatus(pod, pod.status ?? {}, s.status, hooks.couldHaveRunningContainers(ctx, uid))
        const patch = statusPatch(pod, merged)
        if (patch === undefined) {
          afterWrite(ctx, s, s.version, pod)
          return
        }
        busy(ctx).put('now', { uid, version: s.version, stage: 'patch', final: false })
        apiRequest(
          ctx,
          config(ctx).client,
          { method: 'PATCH', path: `${podPath(s)}/status`, body: patch, contentType: 'application/strategic-merge-patch+json' },
          { kind: 'status.patched', data: { uid, version: s.version } },
        )
      }) as never,
      'status.patched': ((ctx: Context, result: ApiResult<{ uid: string; version: number }>) => {
        const { uid, version } = result.data
        const s = statuses(ctx).get(uid)
        if (!s || result.form !== 'response' || result.value.status >= 300) {
          failed(ctx, uid, result)
          return
        }
        const written = result.value.body as KubeObject as unknown as Pod
        afterWrite(ctx, s, version, written)
        if (s.version > version) enqueue(ctx, uid)
      }) as never,
      'status.deleted': ((ctx: Context, result: ApiResult<string>) => {
        const s = statuses(ctx).get(result.data)
        if (result.form === 'response' && (result.value.status < 300 || result.value.status === 404 || result.value.status === 409)) {
          statuses(ctx).delete(result.data)
          sent(ctx).delete(result.data)
          hooks.onDeleted(ctx, result.data)
          done(ctx)
          return
        }
        if (s) sent(ctx).put(result.data, s.version - 1)
        failed(ctx, result.data, result)
      }) as never,
    },
  }
}

const podPath = (s: VersionedStatus): string => `/api/v1/namespaces/${s.namespace}/pods/${s.name}`
const pathOf = podPath
const isStatic = (pod: Pod): boolean => pod.metadata.annotations?.['kubernetes.io/config.source'] === 'file'

function withLists(status: PodStatus, change: (list: readonly ContainerStatus[] | undefined) => ContainerStatus[] | undefined): PodStatus {
  const containerStatuses = change(status.containerStatuses)
  const initContainerStatuses = change(status.initContainerStatuses)
  return { ...status, ...(containerStatuses ? { containerStatuses } : {}), ...(initContainerStatuses ? { initContainerStatuses } : {}) }
}

/** isPodStatusByKubeletEqual: conditions of others do not count. */
function same(a: PodStatus, b: PodStatus): boolean {
  const own = (s: PodStatus): PodStatus => ({
    ...s,
    conditions: (s.conditions ?? []).filter((c) => ownedByKubelet(c.type) || sharedByKubelet(c.type)),
  })
  return stable(own(a)) === stable(own(b))
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_, v) =>
    v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort(([x], [y]) => (x < y ? -1 : 1))) : v,
  )
}

function hasPodInitialized(pod: Pod, status: PodStatus): boolean {
  const init = specOf(pod).initContainers ?? []
  if (init.length === 0) return true
  if ((status.containerStatuses ?? []).some((c) => !c.state?.waiting || c.lastState?.terminated)) return true
  const last = (status.initContainerStatuses ?? []).at(-1)
  if (!last) return false
  if (init.at(-1)?.restartPolicy === 'Always' && last.started) return true
  return last.state?.terminated?.exitCode === 0
}

/** How many init containers were reached; the first counts in any case. */
function initialisedCount(init: readonly ContainerStatus[]): number {
  for (let i = init.length - 1; i >= 0; i--) {
    const c = init[i] as ContainerStatus
    if (!(c.state?.waiting && !c.lastState?.terminated)) return i + 1
  }
  return Math.min(1, init.length)
}

/** Our status with the conditions of others; a phase is not final while containers may run. */
export function mergePodStatus(pod: Pod, old: PodStatus, next: PodStatus, couldRun: boolean): PodStatus {
  const conditions: PodCondition[] = (old.conditions ?? []).filter((c) => !ownedByKubelet(c.type))
  for (const c of next.conditions ?? []) {
    if (ownedByKubelet(c.type)) conditions.push(c)
    else if (sharedByKubelet(c.type)) {
      const at = conditions.findIndex((x) => x.type === c.type)
      const before = at < 0 ? undefined : conditions[at]
      if (before && before.status === c.status && before.reason === c.reason && before.message === c.message) continue
      if (couldRun) continue
      if (at >= 0) conditions[at] = c
      else conditions.push(c)
    }
  }
  let merged: PodStatus = {
    ...next,
    conditions,
    ...(old.resourceClaimStatuses ? { resourceClaimStatuses: old.resourceClaimStatuses } : {}),
  }
  if (!isTerminalPhase(old.phase) && isTerminalPhase(next.phase) && couldRun) {
    const { phase: _, reason: __, message: ___, ...rest } = merged
    merged = {
      ...rest,
      ...(old.phase ? { phase: old.phase } : {}),
      ...(old.reason ? { reason: old.reason } : {}),
      ...(old.message ? { message: old.message } : {}),
    }
  }
  if (
    isTerminalPhase(merged.phase) &&
    (findCondition(merged, 'Ready')?.status === 'True' || findCondition(merged, 'ContainersReady')?.status === 'True')
  ) {
    const reason = merged.phase === 'Failed' ? 'PodFailed' : 'PodCompleted'
    merged = {
      ...merged,
      conditions: (merged.conditions ?? []).map((c) => {
        if ((c.type !== 'Ready' && c.type !== 'ContainersReady') || c.status !== 'True') return c
        const { message: _, ...rest } = c
        return { ...rest, status: 'False', reason }
      }),
    }
  }
  void pod
  return merged
}

// One worker per pod: what it does next, and when again (pkg/kubelet/pod_workers.go).
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import type { Context } from '../../net/context.ts'
import type { Table } from '../../engine/types.ts'
import { BACKOFF_JITTER, BACKOFF_MS, RESYNC_JITTER, RESYNC_MS, TRANSIENT_BACKOFF_MS } from './config.ts'
import { isTerminalPhase, jitter, nameOf, namespaceOf, specOf, uidOf } from './pod-util.ts'
import { NETWORK_NOT_READY, type SyncArgs, type SyncResult } from './sync-pod.ts'
import type { CachedStatus, SyncKind, Worker } from './types.ts'

export interface WorkerHooks {
  newerThan(ctx: Context, since: number): boolean
  wantRelist(ctx: Context): void
  podStatus(ctx: Context, pod: Pod): CachedStatus
  start(ctx: Context, id: string, program: string, args: SyncArgs, then: { kind: string; data: unknown }): void
  cancel(ctx: Context, id: string): void
  onFinished(ctx: Context, uid: string): void
}

export interface PodWorkers {
  update(
    ctx: Context,
    pod: Pod,
    kind: SyncKind,
    options?: { gracePeriodSeconds?: number; override?: Worker['override']; evicted?: boolean; deleted?: boolean },
  ): void
  synced(ctx: Context, uid: string, result: SyncResult): void
  /** A new list of the runtime is there. */
  relisted(ctx: Context): void
  couldHaveRunningContainers(ctx: Context, uid: string): boolean
  forget(ctx: Context, uid: string): void
  readonly handlers: Readonly<Record<string, (ctx: Context, payload: never) => void>>
}

const workers = (ctx: Context): Table<Worker> => ctx.table('workers')
export const workerOf = (ctx: Context, uid: string): Worker | undefined => workers(ctx).get(uid)
export const allWorkers = (ctx: Context): Worker[] => workers(ctx).values()

/** So many failed syncs, and waits as long as this, count as something that is still going on. */
const FOREGROUND_FAILURES = 2
const FOREGROUND_DELAY_MS = 25_000

const PROGRAM: Readonly<Record<Worker['state'], string>> = {
  sync: 'syncPod',
  terminating: 'syncTerminatingPod',
  terminated: 'syncTerminatedPod',
  finished: '',
}
const KIND = { sync: 'sync', terminating: 'terminating', terminated: 'terminated', finished: 'terminated' } as const

/** The shortest grace period asked for so far. */
function gracePeriod(pod: Pod, asked: number | undefined, before: number | undefined): number {
  let grace = specOf(pod).terminationGracePeriodSeconds ?? 30
  if (pod.metadata.deletionGracePeriodSeconds !== undefined && pod.metadata.deletionTimestamp)
    grace = pod.metadata.deletionGracePeriodSeconds
  if (asked !== undefined) grace = asked
  if (before !== undefined && before < grace) grace = before
  return Math.max(grace, 1)
}

export function createPodWorkers(hooks: WorkerHooks): PodWorkers {
  const put = (ctx: Context, w: Worker): void => workers(ctx).put(w.uid, w)
  const runId = (w: Worker): string => `pod/${w.uid}/${w.runs}`

  const begin = (ctx: Context, uid: string): void => {
    const w = workers(ctx).get(uid)
    if (!w || w.working || w.state === 'finished') return
    if (!hooks.newerThan(ctx, w.lastSync)) {
      put(ctx, { ...w, waitsForCache: true })
      hooks.wantRelist(ctx)
      return
    }
    const kind = w.pending ?? 'sync'
    const next: Worker = { ...w, working: true, waitsForCache: false, runs: w.runs + 1 }
    delete (next as { pending?: unknown }).pending
    put(ctx, next)
    ctx.cancelTimer(`work/${uid}`)
    const { pod } = next
    const told = w.state === 'sync' ? (kind === 'kill' ? 'sync' : kind) : KIND[w.state]
    ctx.record(
      'kubelet.pod.sync.started',
      { uid, kind: told },
      { apiVersion: 'v1', kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid },
    )
    const args: SyncArgs = {
      kind,
      pod,
      podStatus: hooks.podStatus(ctx, pod),
      run: runId(next),
      ...(next.gracePeriodSeconds === undefined || next.state === 'sync' ? {} : { gracePeriodSeconds: next.gracePeriodSeconds }),
      ...(next.override ? { override: next.override } : {}),
    }
    hooks.start(ctx, runId(next), PROGRAM[w.state], args, { kind: 'worker', data: { uid, run: next.runs } })
  }
  const again = (ctx: Context, w: Worker, delayMs: number, periodic: boolean): void => {
    ctx.setTimer(`work/${w.uid}`, delayMs, 'worker.due', w.uid, { periodic })
  }
  const api: PodWorkers = {
    update(ctx, pod, kind, options = {}) {
      const uid = uidOf(pod)
      const before = workers(ctx).get(uid)
      if (before?.state === 'finished') return
      if (!before && kind === 'kill' && options.deleted) return
      const base: Worker = before ?? {
        uid,
        pod,
        state: 'sync',
        working: false,
        lastSync: -1,
        waitsForCache: false,
        deleted: false,
        evicted: false,
        runs: 0,
        failures: 0,
        cause: ctx.cause,
        background: ctx.background,
      }
      // A pod that was already over when the kubelet first saw it is not run again.
      const over = !before && isTerminalPhase(pod.status?.phase)
      const kill = kind === 'kill' || pod.metadata.deletionTimestamp !== undefined || over
      let next: Worker = {
        ...base,
        pod: options.deleted && before ? before.pod : pod,
        pending: kind,
        deleted: base.deleted || pod.metadata.deletionTimestamp !== undefined || (options.deleted ?? false),
        evicted: base.evicted || (options.evicted ?? false),
        ...(options.override ? { override: options.override } : {}),
        cause: ctx.cause,
        background: ctx.background,
      }
      if (kill && (base.state === 'sync' || base.state === 'terminating')) {
        const grace = gracePeriod(pod, options.gracePeriodSeconds, base.gracePeriodSeconds)
        const shortened = base.gracePeriodSeconds !== undefined && grace < base.gracePeriodSeconds
        next = { ...next, gracePeriodSeconds: grace }
        if (base.state === 'sync') {
          // What the sync was doing is given up; its containers are looked at anew.
          if (base.working) {
            hooks.cancel(ctx, runId(base))
            next = { ...next, working: false, lastSync: -1 }
          }
          next = { ...next, state: 'terminating', terminatingAt: ctx.now }
        } else if (shortened && base.working) {
          hooks.cancel(ctx, runId(base))
          next = { ...next, working: false, lastSync: -1 }
        }
      }
      put(ctx, next)
      if (!next.working) begin(ctx, uid)
    },
    synced(ctx, uid, result) {
      const w = workers(ctx).get(uid)
      if (!w) return
      const { pod } = w
      const told = KIND[w.state]
      const failed = result.error !== undefined
      let next: Worker = { ...w, working: false, lastSync: ctx.now, failures: failed ? w.failures + 1 : 0 }
      let delay: number | undefined
      if (!failed && w.state === 'sync' && result.terminal) {
        next = { ...next, state: 'terminating', terminatingAt: ctx.now, gracePeriodSeconds: gracePeriod(pod, undefined, undefined) }
        delay = 0
      } else if (!failed && w.state === 'terminating') {
        next = { ...next, state: 'terminated', terminatedAt: ctx.now }
        delay = 0
      } else if (!failed && w.state === 'terminated') {
        next = { ...next, state: 'finished' }
      } else if (!failed) delay = jitter(RESYNC_MS, RESYNC_JITTER, ctx.random('workers'))
      else if ((result.error ?? '').includes(NETWORK_NOT_READY)) delay = jitter(TRANSIENT_BACKOFF_MS, BACKOFF_JITTER, ctx.random('workers'))
      else {
        const backoff = result.retryAt === undefined ? BACKOFF_MS : Math.min(Math.max(0, result.retryAt - ctx.now), RESYNC_MS)
        delay = jitter(backoff, BACKOFF_JITTER, ctx.random('workers'))
      }
      put(ctx, next)
      ctx.record(
        'kubelet.pod.sync.finished',
        {
          uid,
          kind: told,
          ...(failed ? { error: result.error as string } : {}),
          ...(delay === undefined ? {} : { nextMs: Math.round(delay) }),
        },
        { apiVersion: 'v1', kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid },
      )
      if (next.state === 'finished') {
        hooks.onFinished(ctx, uid)
        return
      }
      if (next.pending !== undefined || delay === 0) {
        begin(ctx, uid)
        return
      }
      // What fails again and again does not keep the cluster busy.
      again(ctx, next, delay as number, !failed || next.failures > FOREGROUND_FAILURES || (delay as number) > FOREGROUND_DELAY_MS)
    },
    relisted(ctx) {
      for (const w of workers(ctx).values()) {
        if (!w.waitsForCache) continue
        ctx.resume(w)
        begin(ctx, w.uid)
      }
    },
    couldHaveRunningContainers(ctx, uid) {
      const w = workers(ctx).get(uid)
      return w === undefined ? false : w.terminatedAt === undefined
    },
    forget(ctx, uid) {
      const w = workers(ctx).get(uid)
      if (!w) return
      hooks.cancel(ctx, runId(w))
      ctx.cancelTimer(`work/${uid}`)
      workers(ctx).delete(uid)
    },
    handlers: {
      'worker.due': ((ctx: Context, uid: string) => {
        const w = workers(ctx).get(uid)
        if (!w || w.working) return
        put(ctx, { ...w, pending: w.pending ?? 'sync', cause: ctx.cause, background: ctx.background })
        begin(ctx, uid)
      }) as never,
    },
  }
  return api
}

// Pod lifecycle events (pkg/kubelet/pleg/generic.go). Upstream lists all containers every second; here a list is made at the second at which
// upstream's would be the first to find something (the runtime says so) or at which somebody waits for it. What lists without news would have
// shown is known without asking.
import type { Context } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import type { Table } from '../../engine/types.ts'
import type { CriReply, RuntimePodStatus } from '../runtime/cri.ts'
import { config, RELIST_MS } from './config.ts'
import type { CachedStatus } from './types.ts'

export interface PlegEvent {
  readonly uid: string
  readonly type: 'ContainerStarted' | 'ContainerDied' | 'ContainerRemoved'
  readonly container: string
}

export interface PlegHooks {
  /** After the cache has the new state of these pods. */
  onRelist(ctx: Context, events: readonly PlegEvent[]): void
  onFailure(ctx: Context, message: string): void
}

interface State {
  /** Start of the series of relists. */
  readonly origin: number
  readonly busy: boolean
  /** Virtual ms of the last list that was really made. */
  readonly listedAt: number
  readonly full: boolean
}

const cache = (ctx: Context): Table<CachedStatus> => ctx.table('pod-cache')
const state = (ctx: Context): State => ctx.table<State>('pleg').get('state') ?? { origin: 0, busy: false, listedAt: -1, full: true }
const dirty = (ctx: Context): Table<string> => ctx.table('pleg-dirty')

export const cachedStatus = (ctx: Context, uid: string): CachedStatus | undefined => cache(ctx).get(uid)

export interface Pleg {
  start(ctx: Context): void
  /** A list newer than `since` is there (made, or known to be without news). */
  newerThan(ctx: Context, since: number): boolean
  want(ctx: Context): void
  readonly handlers: Readonly<Record<string, (ctx: Context, payload: never) => void>>
}

export function createPleg(hooks: PlegHooks): Pleg {
  const arm = (ctx: Context): void => {
    const s = state(ctx)
    if (s.busy || ctx.hasTimer('pleg')) return
    const passed = ctx.now - s.origin
    const next = s.origin + (Math.floor(passed / RELIST_MS) + 1) * RELIST_MS
    ctx.setTimer('pleg', next - ctx.now, 'pleg.relist')
  }
  const relist = (ctx: Context): void => {
    const s = state(ctx)
    if (s.busy) return
    const uids = dirty(ctx).keys()
    ctx.table<State>('pleg').put('state', { ...s, busy: true })
    dirty(ctx).clear()
    ctx.call(config(ctx).runtime, 'cri.PodStatus', s.full ? {} : { uids }, {
      then: { kind: 'pleg.listed', data: { uids, at: ctx.now, full: s.full } },
      flow: 'control',
      summary: 'relist',
      timeoutMs: 120_000,
    })
  }
  const onListed = (
    ctx: Context,
    result: CallResult<CriReply<{ pods: readonly RuntimePodStatus[] }>, { uids: readonly string[]; at: number; full: boolean }>,
  ): void => {
    const s = state(ctx)
    const reply = result.form === 'response' ? result.value : undefined
    if (!reply?.ok) {
      ctx.table<State>('pleg').put('state', { ...s, busy: false })
      for (const uid of result.data.uids) dirty(ctx).put(uid, uid)
      hooks.onFailure(ctx, result.form === 'error' ? result.error : reply && !reply.ok ? reply.error.message : 'connection closed')
      ctx.setTimer('pleg', RELIST_MS, 'pleg.relist', null, { periodic: true })
      return
    }
    ctx.table<State>('pleg').put('state', { ...s, busy: false, listedAt: result.data.at, full: false })
    const found = new Map(reply.value.pods.map((p) => [p.uid, p]))
    const events: PlegEvent[] = []
    for (const uid of result.data.full ? [...new Set([...found.keys(), ...cache(ctx).keys()])].sort() : [...new Set(result.data.uids)]) {
      const old = cache(ctx).get(uid)
      const now = found.get(uid)
      events.push(...differences(uid, old, now))
      if (!now) {
        cache(ctx).delete(uid)
        continue
      }
      const ready = now.sandboxes[0]?.state === 'SANDBOX_READY'
      // A pod whose sandbox is gone keeps the address that it had.
      const ips = ready ? [now.sandboxes[0]?.ip ?? ''].filter((ip) => ip !== '' && !now.sandboxes[0]?.hostNetwork) : (old?.ips ?? [])
      cache(ctx).put(uid, { ...now, ips })
    }
    if (events.length > 0) {
      ctx.foreground()
      for (const e of events) ctx.record('kubelet.pleg.event', { uid: e.uid, type: e.type, container: e.container })
    }
    hooks.onRelist(ctx, events)
    if (dirty(ctx).size > 0) arm(ctx)
  }
  return {
    start(ctx) {
      ctx
        .table<State>('pleg')
        .put('state', { origin: ctx.now + RELIST_MS * ctx.random('pleg') - RELIST_MS, busy: false, listedAt: -1, full: true })
      relist(ctx)
    },
    newerThan(ctx, since) {
      const s = state(ctx)
      if (s.listedAt > since) return true
      if (s.busy || s.listedAt < 0) return false
      // The last second of the series that is over, if nothing was waiting to be found then.
      const last = s.origin + Math.floor((ctx.now - s.origin) / RELIST_MS) * RELIST_MS
      return last > since && dirty(ctx).size === 0
    },
    want: arm,
    handlers: {
      'pleg.relist': relist as never,
      'pleg.listed': onListed as never,
      'cri.event': ((ctx: Context, { uid }: { uid: string }) => {
        dirty(ctx).put(uid, uid)
        arm(ctx)
      }) as never,
    },
  }
}

/** Sandboxes count as containers here, as they do upstream. */
function differences(uid: string, old: RuntimePodStatus | undefined, now: RuntimePodStatus | undefined): PlegEvent[] {
  const states = (p: RuntimePodStatus | undefined): Map<string, string> =>
    new Map([
      ...(p?.containers ?? []).map((c): [string, string] => [
        c.id,
        c.state === 'CONTAINER_RUNNING' ? 'running' : c.state === 'CONTAINER_EXITED' ? 'exited' : 'other',
      ]),
      ...(p?.sandboxes ?? []).map((s): [string, string] => [s.id, s.state === 'SANDBOX_READY' ? 'running' : 'exited']),
    ])
  const [before, after] = [states(old), states(now)]
  const events: PlegEvent[] = []
  for (const id of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [a, b] = [before.get(id), after.get(id)]
    if (a === b) continue
    if (b === 'running') events.push({ uid, type: 'ContainerStarted', container: id })
    else if (b === 'exited') events.push({ uid, type: 'ContainerDied', container: id })
    else if (b === undefined) {
      if (a !== 'exited') events.push({ uid, type: 'ContainerDied', container: id })
      events.push({ uid, type: 'ContainerRemoved', container: id })
    }
  }
  return events
}

// Leader election by a Lease (client-go/tools/leaderelection/leaderelection.go): of several candidates one works, the others wait.
// A candidate judges a lease by the time at which it saw it change last, never by the times written in it.
import type { KubeObject } from '../api/types/object.ts'
import type { ComponentType, Context } from '../net/context.ts'
import { randomUuid } from './identity.ts'
import { type ApiResult, apiRequest, type ClientConfig, passOver } from './request.ts'
import { apiMicroTime } from './time.ts'

/** Defaults of component-base/config/v1alpha1 for all control plane components. */
export const LEASE_DURATION_MS = 15_000
export const RENEW_DEADLINE_MS = 10_000
export const RETRY_PERIOD_MS = 2_000
/** leaderelection.JitterFactor: a waiting candidate tries again after RETRY_PERIOD_MS · (1 + random · JITTER_FACTOR). */
export const JITTER_FACTOR = 1.2
/** The client of leader election gives a request up after half the renew deadline. */
const REQUEST_TIMEOUT_MS = RENEW_DEADLINE_MS / 2

export interface LeaderElectionHooks {
  client(ctx: Context): ClientConfig
  /** namespace and name of the Lease: `kube-system`, `kube-scheduler`. */
  lease(ctx: Context): { namespace: string; name: string }
  /** Runs in the step in which the lease is won. That step is foreground work. */
  onStartedLeading(ctx: Context): void
  /** The lease could not be renewed in time. Upstream's components exit: `ctx.stopProcess(ctx.self, 'leaderelection lost')`. */
  onStoppedLeading(ctx: Context): void
  onNewLeader?(ctx: Context, identity: string): void
  /** The event "X became leader" / "X stopped leading" on the Lease, for the component's event recorder. */
  onEvent?(ctx: Context, event: { object: KubeObject; type: 'Normal'; reason: 'LeaderElection'; message: string }): void
}

interface ElectionState {
  readonly identity: string
  readonly role: 'waiting' | 'leading' | 'stopped'
  /** The lease as last seen or written, and when it was seen to change. */
  readonly lease?: KubeObject
  readonly observedAt: number
  readonly reportedLeader: string
}

export interface LeaderElection {
  /** Begins to run for the lease; the first try is made at once. */
  start(ctx: Context): void
  isLeader(ctx: Context): boolean
  /** holderIdentity of this candidate: `<hostname>_<uuid>`. */
  identity(ctx: Context): string | undefined
  /** To be spread into the component's handlers. */
  readonly handlers: ComponentType['handlers']
}

export function createLeaderElection(hooks: LeaderElectionHooks): LeaderElection {
  const table = (ctx: Context) => ctx.table<ElectionState>('leader-election')
  const get = (ctx: Context): ElectionState | undefined => table(ctx).get('state')
  const put = (ctx: Context, state: ElectionState): void => table(ctx).put('state', state)

  const collection = (ctx: Context): string => `/apis/coordination.k8s.io/v1/namespaces/${hooks.lease(ctx).namespace}/leases`
  const holderOf = (lease: KubeObject | undefined): string => (lease?.spec?.holderIdentity as string | undefined) ?? ''
  const isValid = (state: ElectionState, now: number): boolean =>
    state.lease !== undefined && state.observedAt + Number(state.lease.spec?.leaseDurationSeconds ?? 0) * 1000 > now

  const send = (ctx: Context, method: 'GET' | 'POST' | 'PUT', body: KubeObject | undefined, then: string, data?: unknown): void => {
    const path = method === 'POST' ? collection(ctx) : `${collection(ctx)}/${hooks.lease(ctx).name}`
    const client = hooks.client(ctx)
    apiRequest(
      ctx,
      client,
      { method, path, timeoutMs: REQUEST_TIMEOUT_MS, userAgent: `${client.userAgent}/leader-election`, ...(body ? { body } : {}) },
      { kind: then, data: data ?? null },
    )
  }

  /** The lease with this candidate as its holder. */
  const claimed = (ctx: Context, state: ElectionState): KubeObject => {
    const now = apiMicroTime(ctx.now)
    const old = state.lease
    const mine = holderOf(old) === state.identity
    const spec = {
      holderIdentity: state.identity,
      leaseDurationSeconds: LEASE_DURATION_MS / 1000,
      acquireTime: mine ? old?.spec?.acquireTime : now,
      renewTime: now,
      leaseTransitions: old ? Number(old.spec?.leaseTransitions ?? 0) + (mine ? 0 : 1) : 0,
    }
    const { namespace, name } = hooks.lease(ctx)
    if (!old) return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { namespace, name }, spec }
    return { ...old, spec: { ...old.spec, ...spec } }
  }

  const observe = (ctx: Context, lease: KubeObject): ElectionState => {
    const state = get(ctx) as ElectionState
    const changed = state.lease?.metadata.resourceVersion !== lease.metadata.resourceVersion
    const next = changed ? { ...state, lease, observedAt: ctx.now } : state
    put(ctx, next)
    const holder = holderOf(lease)
    if (holder !== '' && holder !== next.reportedLeader) {
      put(ctx, { ...next, reportedLeader: holder })
      ctx.record('client.leader.observed', {
        lease: `${lease.metadata.namespace}/${lease.metadata.name}`,
        holder,
        self: holder === state.identity,
      })
      hooks.onNewLeader?.(ctx, holder)
    }
    return get(ctx) as ElectionState
  }

  const attempt = (ctx: Context): void => {
    const state = get(ctx)
    if (!state || state.role === 'stopped') return
    // Fast path of v1.30+: the leader renews from what it wrote last, without reading first.
    if (state.role === 'leading' && holderOf(state.lease) === state.identity && isValid(state, ctx.now)) {
      send(ctx, 'PUT', claimed(ctx, state), 'leader-election.renewed')
    } else send(ctx, 'GET', undefined, 'leader-election.got')
  }

  const failed = (ctx: Context, result: ApiResult): void => {
    const state = get(ctx)
    if (!state || state.role === 'stopped') return
    if (result.form === 'error') passOver(ctx, hooks.client(ctx))
    const wait = state.role === 'leading' ? RETRY_PERIOD_MS : RETRY_PERIOD_MS * (1 + ctx.random('leader-election') * JITTER_FACTOR)
    ctx.setTimer('leader-election', wait, 'leader-election.try', null, { periodic: true })
  }

  const renewLater = (ctx: Context): void =>
    ctx.setTimer('leader-election', RETRY_PERIOD_MS, 'leader-election.round', null, { periodic: true })

  const round = (ctx: Context): void => {
    ctx.setTimer('leader-election/deadline', RENEW_DEADLINE_MS, 'leader-election.deadline', null, { periodic: true })
    attempt(ctx)
  }

  const held = (ctx: Context, lease: KubeObject): void => {
    const state = observe(ctx, lease)
    if (state.role === 'leading') {
      renewLater(ctx)
      return
    }
    ctx.foreground()
    put(ctx, { ...state, role: 'leading' })
    const { namespace, name } = hooks.lease(ctx)
    ctx.because(
      ctx.record('client.lease.acquired', {
        lease: `${namespace}/${name}`,
        identity: state.identity,
        transitions: Number(lease.spec?.leaseTransitions ?? 0),
      }),
    )
    hooks.onEvent?.(ctx, { object: lease, type: 'Normal', reason: 'LeaderElection', message: `${state.identity} became leader` })
    // The renew loop begins at once, beside the work of the leader.
    ctx.setTimer('leader-election', 0, 'leader-election.round', null, { periodic: true })
    hooks.onStartedLeading(ctx)
  }

  const onWritten = (ctx: Context, result: ApiResult): void => {
    if ((get(ctx)?.role ?? 'stopped') === 'stopped') return
    if (result.form === 'response' && result.value.status < 300) held(ctx, result.value.body as KubeObject)
    else failed(ctx, result)
  }

  return {
    start(ctx) {
      put(ctx, { identity: `${ctx.host}_${randomUuid(ctx, 'leader-election')}`, role: 'waiting', observedAt: ctx.now, reportedLeader: '' })
      attempt(ctx)
    },
    isLeader: (ctx) => get(ctx)?.role === 'leading',
    identity: (ctx) => get(ctx)?.identity,
    handlers: {
      'leader-election.try': attempt as never,
      'leader-election.round': round as never,
      'leader-election.got': ((ctx: Context, result: ApiResult) => {
        const state = get(ctx)
        if (!state || state.role === 'stopped') return
        if (result.form === 'response' && result.value.status === 404) {
          const fresh: ElectionState = {
            identity: state.identity,
            role: state.role,
            observedAt: state.observedAt,
            reportedLeader: state.reportedLeader,
          }
          send(ctx, 'POST', claimed(ctx, fresh), 'leader-election.written')
          return
        }
        if (result.form !== 'response' || result.value.status >= 300) {
          failed(ctx, result)
          return
        }
        const seen = observe(ctx, result.value.body as KubeObject)
        if (holderOf(seen.lease) !== '' && holderOf(seen.lease) !== seen.identity && isValid(seen, ctx.now)) {
          failed(ctx, result)
          return
        }
        send(ctx, 'PUT', claimed(ctx, seen), 'leader-election.written')
      }) as never,
      'leader-election.written': onWritten as never,
      'leader-election.renewed': ((ctx: Context, result: ApiResult) => {
        if (result.form === 'response' && result.value.status < 300) held(ctx, result.value.body as KubeObject)
        // A lost race or a lease that somebody else changed: read it, within the same round.
        else if (result.form === 'response' && (get(ctx)?.role ?? 'stopped') === 'leading')
          send(ctx, 'GET', undefined, 'leader-election.got')
        else failed(ctx, result)
      }) as never,
      'leader-election.deadline': ((ctx: Context) => {
        const state = get(ctx)
        if (state?.role !== 'leading') return
        ctx.foreground()
        ctx.cancelTimer('leader-election')
        put(ctx, { ...state, role: 'stopped' })
        const { namespace, name } = hooks.lease(ctx)
        ctx.because(
          ctx.record('client.lease.lost', { lease: `${namespace}/${name}`, identity: state.identity, renewDeadlineMs: RENEW_DEADLINE_MS }),
        )
        if (state.lease)
          hooks.onEvent?.(ctx, {
            object: state.lease,
            type: 'Normal',
            reason: 'LeaderElection',
            message: `${state.identity} stopped leading`,
          })
        hooks.onStoppedLeading(ctx)
      }) as never,
    },
  }
}

// Runs controllers: shared informers feed queues, workers take keys, a sync is a record that grows by one answer at a time.
import type { ObjectRef } from '../../../api/types/object.ts'
import { createEventRecorder } from '../../../client/events.ts'
import { expectations } from '../../../client/expectations.ts'
import { createInformers, type InformerEvent, store } from '../../../client/informer.ts'
import { createLeaderElection } from '../../../client/leader-election.ts'
import { type ApiResult, apiRequest, type ClientConfig, passOver } from '../../../client/request.ts'
import { QUEUE_DUE, type QueueDue, queueDue, type WorkQueue, workQueue } from '../../../client/workqueue.ts'
import { hash32, mix32 } from '../../../engine/random.ts'
import type { Table } from '../../../engine/types.ts'
import type { ComponentType, Context } from '../../../net/context.ts'
import { indexed, updateIndexes } from './indexes.ts'
import { splitKey } from './objects.ts'
import { apiVersionOf, collectionPath, resource } from './resources.ts'
import { SyncError } from './steps.ts'
import type { ApiAnswer, ApiCall, Controller, Effect, Env, KubeControllerManagerConfig, Outcome, Runtime, Step } from './types.ts'

/** `--kube-api-qps`, `--kube-api-burst`. */
const DEFAULT_QPS = 20
const DEFAULT_BURST = 30
const VERSION = 'v1.35.4'

interface Sync {
  readonly queue: string
  readonly key: string
  readonly observed: unknown
  readonly startedAt: number
  readonly seed: number
  /** What the next effects are caused by: the start of the sync or its last decision. */
  readonly cause: number
  readonly background: boolean
  readonly answers: readonly { readonly value: unknown; readonly at: number }[]
  readonly requests: number
  readonly pending?: { readonly single: boolean; readonly calls: readonly ApiCall[]; readonly got: readonly (ApiAnswer | null)[] }
}

interface SendData {
  readonly queue: string
  readonly key: string
  readonly index: number
}

const userAgent = (suffix: string): string => `kube-controller-manager/${VERSION} (linux/amd64) kubernetes/1c2a0b4/${suffix}`

/** The manager itself: shared informers and the lease. */
export function managerClient(ctx: Context, suffix: string): ClientConfig {
  const { servers } = ctx.config as KubeControllerManagerConfig
  return { servers, user: 'system:kube-controller-manager', groups: [], userAgent: userAgent(suffix) }
}

/** `--use-service-account-credentials`: every controller speaks as its own service account. */
export function controllerClient(
  ctx: Context,
  { serviceAccount, asManager }: Pick<Controller, 'serviceAccount' | 'asManager'>,
): ClientConfig {
  if (asManager) return managerClient(ctx, serviceAccount)
  const { servers } = ctx.config as KubeControllerManagerConfig
  const user = `system:serviceaccount:kube-system:${serviceAccount}`
  return { servers, user, groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'], userAgent: userAgent(user) }
}

export interface ControllerSet {
  // biome-ignore lint/suspicious/noExplicitAny: every controller observes something else
  /** Controllers that run with this configuration, in the order in which events are given to them. */
  (config: KubeControllerManagerConfig): readonly Controller<any>[]
}

export function controllerManager(type: string, controllersFor: ControllerSet): ComponentType {
  const queues = new Map<string, WorkQueue>()
  const selected = new WeakMap<object, readonly Controller[]>()
  const controllers = (ctx: Context): readonly Controller[] => {
    const config = ctx.config as KubeControllerManagerConfig
    let list = selected.get(config)
    if (!list) {
      list = controllersFor(config) as readonly Controller[]
      selected.set(config, list)
    }
    return list
  }
  const controller = (ctx: Context, queue: string): Controller => {
    const found = controllers(ctx).find((c) => c.name === queue)
    if (!found) throw new Error(`no controller ${queue}`)
    return found
  }
  const queueOf = (c: Controller): WorkQueue => {
    let queue = queues.get(c.name)
    if (!queue) {
      queue = workQueue(c.name, c.retry)
      queues.set(c.name, queue)
    }
    return queue
  }
  const syncs = (ctx: Context, queue: string): Table<Sync> => ctx.table(`syncs/${queue}`)
  /** Queues whose caches are complete. */
  const flags = (ctx: Context): Table<boolean> => ctx.table('manager')
  const running = (ctx: Context, queue: string): boolean => flags(ctx).has(queue)

  const recorder = createEventRecorder({
    client: (ctx, source) => {
      const by = controllers(ctx).find((c) => (c.eventSource ?? c.serviceAccount) === source.component)
      return by ? controllerClient(ctx, by) : managerClient(ctx, 'leader-election')
    },
  })

  const subjectOf = (c: Controller, key: string): ObjectRef | undefined => {
    if (!c.subject) return undefined
    const r = resource(c.subject)
    const { namespace, name } = splitKey(key)
    return { apiVersion: apiVersionOf(r), kind: r.kind, ...(namespace ? { namespace } : {}), name }
  }

  const runtime = (ctx: Context, c: Controller, key = ''): Runtime => {
    const sibling = (queue?: string): Controller | undefined => (queue === undefined ? c : controllers(ctx).find((x) => x.name === queue))
    const awaited = expectations(c.controller)
    return {
      get now() {
        return ctx.now
      },
      config: ctx.config as KubeControllerManagerConfig,
      random: () => ctx.random(c.controller),
      get: (informer, k) => store(ctx, informer).get(k),
      list(informer, namespace) {
        const objects = store(ctx, informer)
        if (namespace === undefined) return objects.values()
        return objects.keysWithPrefix(`${namespace}/`).flatMap((k) => objects.get(k) ?? [])
      },
      index: (informer, index, value) => indexed(ctx, informer, index, value).flatMap((k) => store(ctx, informer).get(k) ?? []),
      memory: (name) => ctx.table(`memory/${c.controller}/${name}`),
      expectations: awaited,
      expectationsSatisfied: (k) => awaited.satisfied(ctx, k),
      add(k, queue) {
        const target = sibling(queue)
        if (target) enqueue(ctx, target, k, lastEvent(ctx))
      },
      addAfter(k, delayMs, options = {}) {
        const target = sibling(options.queue)
        if (target && delayMs <= 0) enqueue(ctx, target, k, lastEvent(ctx))
        else if (target) queueOf(target).addAfter(ctx, k, delayMs, options.periodic)
      },
      addRateLimited(k, queue) {
        const target = sibling(queue)
        if (target) queueOf(target).addRateLimited(ctx, k)
      },
      retries: (k) => queueOf(c).retries(ctx, k),
      forget: (k) => queueOf(c).forget(ctx, k),
      event: (event) => recorder.recordEvent(ctx, { component: c.eventSource ?? c.serviceAccount }, event),
      decided: (what, facts, subject) =>
        ctx.because(ctx.record('controller.decided', { controller: c.name, key, what, facts }, subject ?? subjectOf(c, key))),
      foreground: () => ctx.foreground(),
      watch: (informer, path) => informers.start(ctx, { name: informer, path }),
      unwatch: (informer) => informers.stop(ctx, informer),
      context: ctx,
    }
  }

  /** What the present step is about, for the trace of queues. */
  const lastEvent = (ctx: Context): string => ctx.table<string>('manager-step').get('event') ?? ''

  const enqueue = (ctx: Context, c: Controller, key: string, by: string): void => {
    const queue = queueOf(c)
    const outer = ctx.cause
    if (!queue.waiting(ctx, key)) ctx.because(ctx.record('controller.queue.added', { controller: c.name, key, by }, subjectOf(c, key)))
    queue.add(ctx, key)
    ctx.because(outer)
    wake(ctx, c.name)
  }

  /** Workers look at their queue once the present step has told everybody. */
  const wake = (ctx: Context, queue: string): void => {
    if (!running(ctx, queue)) return
    const woken = ctx.table<boolean>('manager-woken')
    if (woken.has(queue)) return
    woken.put(queue, true)
    ctx.next('controller.work', queue)
  }

  const work = (ctx: Context, name: string): void => {
    ctx.table<boolean>('manager-woken').delete(name)
    if (!running(ctx, name)) return
    const c = controller(ctx, name)
    const queue = queueOf(c)
    while (syncs(ctx, name).size < c.workers) {
      const item = queue.take(ctx)
      if (!item) return
      ctx.resume(item)
      const started = ctx.record(
        'controller.reconcile.started',
        { controller: name, key: item.key, waitedMs: ctx.now - item.addedAt },
        subjectOf(c, item.key),
      )
      ctx.because(started)
      const observed = c.observe(item.key, runtime(ctx, c, item.key))
      const sync: Sync = {
        queue: name,
        key: item.key,
        observed: observed ?? null,
        startedAt: ctx.now,
        seed: Math.floor(ctx.random('syncs') * 0x100000000),
        cause: started,
        background: item.background,
        answers: [],
        requests: 0,
      }
      if (observed === undefined) finish(ctx, c, sync, undefined, undefined)
      else advance(ctx, c, sync)
    }
  }

  /** Replays a sync to where it was and goes on until it waits for answers or ends. */
  const advance = (ctx: Context, c: Controller, sync: Sync): void => {
    let draws = 0
    const env: { -readonly [K in keyof Env]: Env[K] } = {
      now: sync.startedAt,
      config: ctx.config as KubeControllerManagerConfig,
      random: () => mix32(sync.seed, hash32(`draw ${draws++}`)) / 0x100000000,
    }
    const rt = runtime(ctx, c, sync.key)
    const answers = [...sync.answers]
    let outcome: Outcome | undefined
    let error: string | undefined
    try {
      const steps = c.reconcile(sync.observed, env)
      let at = steps.next()
      for (const { value, at: when } of answers) {
        env.now = when
        at = steps.next(value)
      }
      env.now = ctx.now
      while (!at.done) {
        const step = at.value as Step
        if ('effect' in step) {
          const value = (step as Effect).effect(rt)
          answers.push({ value: value ?? null, at: ctx.now })
          at = steps.next(value)
          continue
        }
        const single = !Array.isArray(step)
        const calls = (single ? [step] : step) as readonly ApiCall[]
        const pending = { single, calls, got: calls.map(() => null) }
        syncs(ctx, c.name).put(sync.key, {
          ...sync,
          answers,
          cause: ctx.cause,
          background: ctx.background,
          requests: sync.requests + calls.length,
          pending,
        })
        for (const index of calls.keys()) send(ctx, c, { queue: c.name, key: sync.key, index })
        return
      }
      outcome = (at.value ?? undefined) as Outcome | undefined
    } catch (thrown) {
      if (!(thrown instanceof SyncError)) throw thrown
      error = thrown.message
    }
    finish(ctx, c, sync, outcome, error)
  }

  /** client-go's flow control: a request takes a token or waits for one. */
  const send = (ctx: Context, c: Controller, data: SendData): void => {
    const table = ctx.table<{ tokens: number; at: number }>('client-throttle')
    const { qps = DEFAULT_QPS, burst = DEFAULT_BURST } = c
    const bucket = table.get(c.serviceAccount) ?? { tokens: burst, at: ctx.now }
    const tokens = Math.min(burst, bucket.tokens + ((ctx.now - bucket.at) * qps) / 1000) - 1
    table.put(c.serviceAccount, { tokens, at: ctx.now })
    if (tokens >= 0) transmit(ctx, data)
    else ctx.setTimer(`send/${data.queue}/${data.key}/${data.index}`, (-tokens * 1000) / qps, 'controller.send', data)
  }

  const transmit = (ctx: Context, data: SendData): void => {
    const request = syncs(ctx, data.queue).get(data.key)?.pending?.calls[data.index]
    if (!request) return
    apiRequest(ctx, controllerClient(ctx, controller(ctx, data.queue)), request, { kind: 'controller.answered', data })
  }

  const onAnswer = (ctx: Context, result: ApiResult<SendData>): void => {
    const { queue, key, index } = result.data
    const sync = syncs(ctx, queue).get(key)
    if (!sync?.pending) return
    const c = controller(ctx, queue)
    const request = sync.pending.calls[index] as ApiCall
    const answer = flatten(request, result)
    if (answer.status === 0) passOver(ctx, controllerClient(ctx, c))
    // What changed the cluster is no longer only routine.
    if (answer.ok && request.method !== 'GET') ctx.foreground()
    const got = sync.pending.got.map((old, i) => (i === index ? answer : old))
    if (got.some((a) => a === null)) {
      syncs(ctx, queue).put(key, { ...sync, background: sync.background && ctx.background, pending: { ...sync.pending, got } })
      return
    }
    const { pending, ...rest } = sync
    const value = pending.single ? got[0] : got
    const next: Sync = { ...rest, answers: [...sync.answers, { value, at: ctx.now }] }
    ctx.resume({ cause: sync.cause, background: sync.background && ctx.background })
    advance(ctx, c, next)
  }

  const finish = (ctx: Context, c: Controller, sync: Sync, outcome: Outcome | undefined, error: string | undefined): void => {
    const queue = queueOf(c)
    const { key } = sync
    syncs(ctx, c.name).delete(key)
    const base = { controller: c.name, key, requests: sync.requests }
    if (error !== undefined) {
      const drop = c.retry?.max !== undefined && queue.retries(ctx, key) >= c.retry.max
      ctx.record('controller.reconcile.finished', { ...base, outcome: drop ? 'dropped' : 'failed', error }, subjectOf(c, key))
      if (drop) queue.forget(ctx, key)
      else queue.addRateLimited(ctx, key)
    } else {
      const again = outcome?.requeueAfterMs
      ctx.record(
        'controller.reconcile.finished',
        { ...base, outcome: again === undefined ? 'done' : 'requeued', ...(again === undefined ? {} : { afterMs: again }) },
        subjectOf(c, key),
      )
      if (!outcome?.keepBackoff) queue.forget(ctx, key)
      if (again !== undefined) queue.addAfter(ctx, key, again, outcome?.periodic)
    }
    queue.done(ctx, key)
    if (queue.length(ctx) > 0) wake(ctx, c.name)
  }

  const dispatch = (ctx: Context, event: InformerEvent): void => {
    updateIndexes(ctx, event)
    const step = ctx.table<string>('manager-step')
    step.put('event', `${event.type} ${event.informer} ${event.key}`)
    for (const c of controllers(ctx)) {
      c.on[event.informer]?.(runtime(ctx, c), event)
      c.onAny?.(runtime(ctx, c), event)
    }
    step.delete('event')
  }

  const informers = createInformers({
    client: (ctx) => managerClient(ctx, 'shared-informers'),
    onEvent: dispatch,
    onSynced: (ctx) => {
      for (const c of controllers(ctx)) {
        if (running(ctx, c.name) || !c.informers.every((name) => informers.hasSynced(ctx, name))) continue
        flags(ctx).put(c.name, true)
        const outer = ctx.cause
        ctx.because(ctx.record('controller.started', { controller: c.name, informers: c.informers }))
        c.start?.(runtime(ctx, c))
        for (const [index, tick] of (c.ticks ?? []).entries()) {
          ctx.setTimer(
            `tick/${c.name}/${index}`,
            tick.firstMs ?? tick.everyMs,
            'controller.tick',
            { queue: c.name, index },
            { periodic: true },
          )
        }
        wake(ctx, c.name)
        ctx.because(outer)
      }
    },
  })

  const begin = (ctx: Context): void => {
    const names = new Set<string>()
    for (const c of controllers(ctx)) for (const name of c.informers) names.add(name)
    for (const name of [...names].sort()) informers.start(ctx, { name, path: collectionPath(resource(name)) })
  }

  const election = createLeaderElection({
    client: (ctx) => managerClient(ctx, 'leader-election'),
    lease: () => ({ namespace: 'kube-system', name: 'kube-controller-manager' }),
    onStartedLeading: begin,
    onStoppedLeading: (ctx) => ctx.stopProcess(ctx.self, 'leaderelection lost'),
    onEvent: (ctx, event) => recorder.recordEvent(ctx, { component: 'kube-controller-manager' }, event),
  })

  return {
    type,
    start(ctx) {
      if ((ctx.config as KubeControllerManagerConfig).leaderElect) election.start(ctx)
      else begin(ctx)
    },
    handlers: {
      ...informers.handlers,
      ...election.handlers,
      ...recorder.handlers,
      [QUEUE_DUE]: ((ctx: Context, due: QueueDue) => {
        const c = controller(ctx, due.queue)
        queueDue(ctx, queueOf(c), due.key)
        wake(ctx, c.name)
      }) as never,
      'controller.work': work as never,
      'controller.send': transmit as never,
      'controller.answered': onAnswer as never,
      'controller.tick': ((ctx: Context, { queue, index }: { queue: string; index: number }) => {
        const c = controller(ctx, queue)
        const tick = c.ticks?.[index]
        if (!tick) return
        ctx.setTimer(`tick/${queue}/${index}`, tick.everyMs, 'controller.tick', { queue, index }, { periodic: true })
        tick.run(runtime(ctx, c))
      }) as never,
    },
  }
}

function flatten(request: ApiCall, result: ApiResult<SendData>): ApiAnswer {
  if (result.form !== 'response') {
    const error = result.form === 'error' ? result.error : 'EOF'
    return { ok: false, status: 0, reason: '', message: `${request.method} "${request.path}": ${error}` }
  }
  const { status, body } = result.value
  if (status < 300) return { ok: true, status, body, reason: '', message: '' }
  const failure = (typeof body === 'object' ? body : { message: body }) as { reason?: string; message?: string } | undefined
  return {
    ok: false,
    status,
    body,
    reason: failure?.reason ?? '',
    message: failure?.message ?? `the server responded with the status code ${status}`,
  }
}

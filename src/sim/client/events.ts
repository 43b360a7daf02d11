// Event recorders. Components say what happened to an object; identical and similar events are merged before they reach the API server.
// recordEvent: core/v1 Events (client-go/tools/record: event.go, events_cache.go), used by the kubelet, the controllers and kube-proxy.
// recordSeriesEvent: events.k8s.io/v1 Events (client-go/tools/events), used by the scheduler.
import type { ObjectReference } from '../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../api/types/object.ts'
import type { ComponentType, Context } from '../net/context.ts'
import type { Table } from '../engine/types.ts'
import { EPOCH_MS } from '../engine/types.ts'
import { type ApiResult, apiRequest, type ClientConfig, passOver } from './request.ts'
import { apiMicroTime, apiTime } from './time.ts'

/** events_cache.go: size of the LRU caches, similar events after which they are merged, and the window in which they count as similar. */
export const EVENT_CACHE_ENTRIES = 4096
export const AGGREGATE_AFTER = 10
export const AGGREGATE_WINDOW_MS = 600_000
export const AGGREGATE_PREFIX = '(combined from similar events): '
/** Token bucket per source and object: a burst of 25, then one every five minutes. */
export const SPAM_BURST = 25
export const SPAM_REFILL_MS = 300_000
/** event.go: tries per event, the pause between them, and how many events wait for the API server before new ones are dropped. */
export const MAX_TRIES = 12
export const RETRY_SLEEP_MS = 10_000
export const QUEUE_LENGTH = 1000
/** tools/events: after this long without a repetition a series is over; a running one is written again every half hour. */
export const SERIES_FINISH_MS = 360_000
export const SERIES_REFRESH_MS = 1_800_000

export interface EventSource {
  /** `kubelet`, `replicaset-controller`, `default-scheduler`. */
  readonly component: string
  /** Core events: the node, for kubelet and kube-proxy. Series events: the host name of the instance. */
  readonly host?: string
}

export interface NewEvent {
  /** The object (its reference is taken) or a reference made by the caller (for `fieldPath`). */
  readonly object: KubeObject | ObjectReference
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
  readonly annotations?: Readonly<Record<string, string>>
}

export interface NewSeriesEvent extends NewEvent {
  readonly related?: KubeObject | ObjectReference
  readonly action: string
}

export interface EventRecorder {
  recordEvent(ctx: Context, source: EventSource, event: NewEvent): void
  recordSeriesEvent(ctx: Context, source: EventSource, event: NewSeriesEvent): void
  /** To be spread into the component's handlers. */
  readonly handlers: ComponentType['handlers']
}

export interface EventHooks {
  client(ctx: Context, source: EventSource): ClientConfig
}

interface Queued {
  readonly seq: number
  readonly source: EventSource
  readonly event: KubeObject
  readonly cause: number
  readonly background: boolean
}

interface Sending {
  readonly source: EventSource
  readonly event: KubeObject
  /** Key of the observation that the answer updates. */
  readonly key: string
  readonly patch?: object
  readonly tries: number
  readonly cause: number
  readonly background: boolean
  /** Core events of one source are sent one after the other; series events side by side. */
  readonly queue: string
}

interface Observation {
  readonly used: number
  readonly count: number
  readonly firstTimestamp: string
  readonly name: string
  readonly namespace: string
}

interface Aggregate {
  readonly used: number
  readonly messages: readonly string[]
  readonly at: number
}

interface Bucket {
  readonly used: number
  readonly tokens: number
  readonly at: number
}

interface Series {
  readonly used: number
  readonly event: KubeObject
  readonly source: EventSource
}

export function objectReference(object: KubeObject | ObjectReference): ObjectReference {
  if (!isObject(object)) return object
  const { apiVersion, kind, metadata } = object
  return {
    kind,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
    name: metadata.name ?? '',
    ...(metadata.uid ? { uid: metadata.uid } : {}),
    apiVersion,
    ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
  }
}

const isObject = (object: KubeObject | ObjectReference): object is KubeObject => typeof (object as KubeObject).metadata === 'object'

const join = (...parts: (string | undefined)[]): string => parts.map((p) => p ?? '').join('\u0000')

export function createEventRecorder(hooks: EventHooks): EventRecorder {
  const observations = (ctx: Context): Table<Observation> => ctx.table('events/observed')
  const aggregates = (ctx: Context): Table<Aggregate> => ctx.table('events/aggregates')
  const buckets = (ctx: Context): Table<Bucket> => ctx.table('events/spam')
  const queue = (ctx: Context): Table<Queued> => ctx.table('events/queue')
  const sending = (ctx: Context): Table<Sending> => ctx.table('events/sending')
  const series = (ctx: Context): Table<Series> => ctx.table('events/series')

  const count = (ctx: Context, name: string): number => {
    const table = ctx.table<number>('events/counters')
    const n = (table.get(name) ?? 0) + 1
    table.put(name, n)
    return n
  }

  /** Least recently used entries go first; an eighth at a time, so that the scan is rare. */
  const remember = <V extends { readonly used: number }>(table: Table<V>, key: string, value: V): void => {
    table.put(key, value)
    if (table.size <= EVENT_CACHE_ENTRIES) return
    const oldest = table.entries().sort(([, a], [, b]) => a.used - b.used)
    for (const [old] of oldest.slice(0, EVENT_CACHE_ENTRIES / 8)) table.delete(old)
  }

  /** `<object>.<hexadecimal nanoseconds>`: below a microsecond virtual time is drawn, so that two components never choose the same name. */
  const eventName = (ctx: Context, object: string): string => {
    const nanos = BigInt(Math.floor((EPOCH_MS + ctx.now) * 1000)) * 1000n + BigInt(Math.floor(ctx.random('events') * 1000))
    const table = ctx.table<string>('events/last-name')
    const last = BigInt(table.get('nanos') ?? '0')
    const next = nanos > last ? nanos : last + 1n
    table.put('nanos', next.toString())
    return `${object}.${next.toString(16)}`
  }

  const recordEvent = (ctx: Context, source: EventSource, event: NewEvent): void => {
    if (queue(ctx).size >= QUEUE_LENGTH) {
      ctx.record('client.event.dropped', { reason: event.reason, message: event.message, why: 'queue full' })
      return
    }
    const reference = objectReference(event.object)
    const now = apiTime(ctx.now)
    const namespace = reference.namespace || 'default'
    const made: KubeObject = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        name: eventName(ctx, reference.name ?? ''),
        namespace,
        ...(event.annotations ? { annotations: { ...event.annotations } } : {}),
      },
      involvedObject: reference,
      reason: event.reason,
      message: event.message,
      source: { component: source.component, ...(source.host ? { host: source.host } : {}) },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type: event.type,
      eventTime: null,
      reportingComponent: source.component,
      reportingInstance: source.host ?? '',
    }
    const seq = count(ctx, 'queue')
    queue(ctx).put(`${source.component} ${String(seq).padStart(12, '0')}`, {
      seq,
      source,
      event: made,
      cause: ctx.cause,
      background: ctx.background,
    })
    pump(ctx, source.component)
  }

  /** Sends the next event of a source unless one is on its way. */
  const pump = (ctx: Context, component: string): void => {
    while (!sending(ctx).has(component)) {
      const key = queue(ctx).keysWithPrefix(`${component} `)[0]
      const item = key === undefined ? undefined : queue(ctx).get(key)
      if (key === undefined || item === undefined) return
      queue(ctx).delete(key)
      ctx.resume(item)
      correlate(ctx, item)
    }
  }

  /** EventCorrelator: merge similar ones, count repetitions, refuse floods. */
  const correlate = (ctx: Context, item: Queued): void => {
    const { event, source } = item
    const { involvedObject: o } = event
    const used = count(ctx, 'used')
    const about = join(source.component, source.host, o.kind, o.namespace, o.name, o.uid, o.apiVersion)
    const full = join(
      source.component,
      source.host,
      o.kind,
      o.namespace,
      o.name,
      o.fieldPath,
      o.uid,
      o.apiVersion,
      event.type,
      event.reason,
      event.message,
    )
    const similar = join(about, event.type, event.reason)

    const old = aggregates(ctx).get(similar)
    const known = old && ctx.now - old.at <= AGGREGATE_WINDOW_MS ? old.messages : []
    const messages = known.includes(event.message) ? known : [...known, event.message]
    const merge = messages.length >= AGGREGATE_AFTER
    remember(aggregates(ctx), similar, { used, messages: merge ? messages.slice(1) : messages, at: ctx.now })
    const now = apiTime(ctx.now)
    const key = merge ? similar : full
    const aggregated: KubeObject = merge
      ? {
          ...event,
          metadata: { ...event.metadata, name: eventName(ctx, o.name) },
          count: 1,
          firstTimestamp: now,
          lastTimestamp: now,
          message: AGGREGATE_PREFIX + event.message,
        }
      : event

    const before = observations(ctx).get(key)
    const observed: KubeObject = before
      ? {
          ...aggregated,
          metadata: { ...aggregated.metadata, name: before.name },
          firstTimestamp: before.firstTimestamp,
          count: before.count + 1,
        }
      : aggregated
    const patch = before ? { count: observed.count, lastTimestamp: observed.lastTimestamp, message: observed.message } : undefined
    remember(observations(ctx), key, {
      used,
      count: observed.count,
      firstTimestamp: observed.firstTimestamp,
      name: observed.metadata.name as string,
      namespace: observed.metadata.namespace as string,
    })

    const bucket = buckets(ctx).get(about) ?? { used, tokens: SPAM_BURST, at: ctx.now }
    const tokens = Math.min(SPAM_BURST, bucket.tokens + (ctx.now - bucket.at) / SPAM_REFILL_MS)
    remember(buckets(ctx), about, { used, tokens: tokens >= 1 ? tokens - 1 : tokens, at: ctx.now })
    if (tokens < 1) {
      ctx.record('client.event.dropped', { reason: event.reason, message: event.message, why: 'too many events about this object' })
      return
    }
    send(ctx, {
      source,
      event: observed,
      key,
      ...(patch ? { patch } : {}),
      tries: 0,
      cause: ctx.cause,
      background: ctx.background,
      queue: source.component,
    })
  }

  const send = (ctx: Context, work: Sending): void => {
    sending(ctx).put(work.queue, work)
    const { event, patch } = work
    const api = event.apiVersion === 'v1' ? '/api/v1' : `/apis/${event.apiVersion}`
    const collection = `${api}/namespaces/${event.metadata.namespace}/events`
    const request = patch
      ? {
          method: 'PATCH' as const,
          path: `${collection}/${event.metadata.name}`,
          body: patch,
          contentType: 'application/strategic-merge-patch+json',
        }
      : { method: 'POST' as const, path: collection, body: event }
    apiRequest(ctx, hooks.client(ctx, work.source), request, { kind: 'events.written', data: work.queue })
  }

  const done = (ctx: Context, work: Sending): void => {
    sending(ctx).delete(work.queue)
    if (work.queue === work.source.component) pump(ctx, work.queue)
  }

  const onWritten = (ctx: Context, result: ApiResult<string>): void => {
    const work = sending(ctx).get(result.data)
    if (!work) return
    if (result.form !== 'response') {
      // Only an unreachable server is worth waiting for; the first pause is drawn, so that clients do not return all at once.
      passOver(ctx, hooks.client(ctx, work.source))
      const tries = work.tries + 1
      if (tries >= MAX_TRIES) {
        ctx.record('client.event.dropped', {
          reason: work.event.reason,
          message: work.event.message ?? work.event.note ?? '',
          why: 'API server unreachable',
        })
        done(ctx, work)
        return
      }
      sending(ctx).put(work.queue, { ...work, tries })
      ctx.setTimer(
        `events/${work.queue}`,
        tries === 1 ? RETRY_SLEEP_MS * ctx.random('events') : RETRY_SLEEP_MS,
        'events.retry',
        work.queue,
        { periodic: true },
      )
      return
    }
    const { status, body } = result.value
    if (work.patch && status === 404) {
      const { patch: _, ...create } = work
      const { resourceVersion: __, ...metadata } = work.event.metadata
      send(ctx, { ...create, event: { ...work.event, metadata } })
      return
    }
    if (status < 300) {
      const written = body as KubeObject
      if (work.event.apiVersion === 'v1') {
        const before = observations(ctx).get(work.key)
        if (before)
          observations(ctx).put(work.key, {
            ...before,
            name: written.metadata.name as string,
            count: Math.max(before.count, Number(written.count ?? 1)),
          })
      } else {
        const before = series(ctx).get(work.key)
        if (before) {
          const { resourceVersion, uid, creationTimestamp } = written.metadata
          series(ctx).put(work.key, {
            ...before,
            event: {
              ...before.event,
              metadata: { ...before.event.metadata, resourceVersion, uid, creationTimestamp } as KubeObject['metadata'],
            },
          })
        }
      }
    } else if (!(status === 409 && (body as { reason?: string } | undefined)?.reason === 'AlreadyExists')) {
      ctx.record('client.event.dropped', {
        reason: work.event.reason,
        message: work.event.message ?? work.event.note ?? '',
        why: String((body as { message?: string } | undefined)?.message ?? status),
      })
    }
    done(ctx, work)
  }

  const recordSeriesEvent = (ctx: Context, source: EventSource, event: NewSeriesEvent): void => {
    const regarding = objectReference(event.object)
    const related = event.related ? objectReference(event.related) : undefined
    const reportingInstance = `${source.component}-${source.host ?? ctx.host}`
    const now = apiMicroTime(ctx.now)
    const key = join(
      event.type,
      event.action,
      event.reason,
      source.component,
      reportingInstance,
      ...[regarding, related].flatMap((r) => [r?.kind, r?.namespace, r?.name, r?.uid, r?.apiVersion, r?.resourceVersion, r?.fieldPath]),
    )
    const used = count(ctx, 'used')
    const known = series(ctx).get(key)
    if (known) {
      const { series: running } = known.event
      const next = running ? { count: running.count + 1, lastObservedTime: now } : { count: 2, lastObservedTime: now }
      const repeated: KubeObject = { ...known.event, series: next }
      remember(series(ctx), key, { ...known, used, event: repeated })
      if (!running) sendSeries(ctx, key, source, repeated)
      return
    }
    const made: KubeObject = {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: {
        name: eventName(ctx, regarding.name ?? ''),
        namespace: regarding.namespace || 'default',
        ...(event.annotations ? { annotations: { ...event.annotations } } : {}),
      },
      eventTime: now,
      reportingController: source.component,
      reportingInstance,
      action: event.action,
      reason: event.reason,
      regarding,
      ...(related ? { related } : {}),
      note: event.message,
      type: event.type,
    }
    remember(series(ctx), key, { used, event: made, source })
    if (!ctx.hasTimer('events/series')) ctx.setTimer('events/series', SERIES_FINISH_MS, 'events.series', null, { periodic: true })
    sendSeries(ctx, key, source, made)
  }

  const sendSeries = (ctx: Context, key: string, source: EventSource, event: KubeObject): void => {
    const patch = event.series ? { series: event.series } : undefined
    send(ctx, {
      source,
      event,
      key,
      ...(patch ? { patch } : {}),
      tries: 0,
      cause: ctx.cause,
      background: ctx.background,
      queue: `series ${count(ctx, 'series')}`,
    })
  }

  /** Every six minutes: series that ended are written a last time and forgotten; every half hour running ones are written. */
  const onSeriesTick = (ctx: Context): void => {
    const round = count(ctx, 'series-round')
    for (const [key, { event, source }] of series(ctx).entries()) {
      const last = EPOCH_MS + ctx.now - Date.parse((event.series?.lastObservedTime as string | undefined) ?? (event.eventTime as string))
      if (event.series && (last > SERIES_FINISH_MS || round % (SERIES_REFRESH_MS / SERIES_FINISH_MS) === 0))
        sendSeries(ctx, key, source, event)
      if (last > SERIES_FINISH_MS) series(ctx).delete(key)
    }
    if (series(ctx).size > 0) ctx.setTimer('events/series', SERIES_FINISH_MS, 'events.series', null, { periodic: true })
  }

  return {
    recordEvent,
    recordSeriesEvent,
    handlers: {
      'events.written': onWritten as never,
      'events.retry': ((ctx: Context, name: string) => {
        const work = sending(ctx).get(name)
        if (!work) return
        ctx.resume(work)
        send(ctx, work)
      }) as never,
      'events.series': onSeriesTick as never,
    },
  }
}

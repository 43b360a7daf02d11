// Shared informers: a component's own copy of some objects, kept true by one watch each (client-go's reflector with WatchList,
// which v1.35 uses by default: one stream that first sends what exists, then a bookmark, then changes).
import type { HttpResponse, StreamChunk } from '../api/http.ts'
import type { KubeObject } from '../api/types/object.ts'
import type { ComponentType, Context } from '../net/context.ts'
import type { Table } from '../engine/types.ts'
import type { CallResult } from '../net/types.ts'
import { apiStream, type ClientConfig, passOver } from './request.ts'

export interface InformerSpec {
  /** Unique within the component; by convention the plural resource: `pods`, `replicasets`. */
  readonly name: string
  /** Collection path: `/api/v1/pods`, `/apis/apps/v1/replicasets`. */
  readonly path: string
  /** Further query, e.g. `fieldSelector=spec.nodeName%3Dnode-1`. */
  readonly query?: string
}

export interface InformerEvent {
  readonly informer: string
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** namespace/name, or name. */
  readonly key: string
  readonly object: KubeObject
  /** The object as the store had it before. */
  readonly old?: KubeObject
}

interface InformerState {
  readonly spec: InformerSpec
  readonly call: number
  readonly synced: boolean
  readonly resourceVersion: string
  readonly backoffMs: number
}

export interface InformerHooks {
  client(ctx: Context): ClientConfig
  /** Runs for every change of a store, after the store has it. */
  onEvent(ctx: Context, event: InformerEvent): void
  /** Runs once per informer when its first list is complete. */
  onSynced?(ctx: Context, informer: string): void
}

/** Reflector back-off (client-go reflector.go): 800 ms doubling to 30 s, jittered. */
const BACKOFF_START_MS = 800
const BACKOFF_MAX_MS = 30_000

export interface Informers {
  /** Begins to list and watch. Starting an informer again that already runs does nothing. */
  start(ctx: Context, spec: InformerSpec): void
  stop(ctx: Context, name: string): void
  /** True once every started informer has seen a complete list. */
  synced(ctx: Context): boolean
  hasSynced(ctx: Context, name: string): boolean
  /** To be spread into the component's handlers. */
  readonly handlers: ComponentType['handlers']
}

/** The store of an informer: key → object. Read-only for everyone but this module. */
export function store(ctx: Context, informer: string): Table<KubeObject> {
  return ctx.table<KubeObject>(`informer/${informer}`)
}

export function objectKey(object: KubeObject): string {
  const { namespace, name } = object.metadata
  return namespace ? `${namespace}/${name}` : (name ?? '')
}

export function createInformers(hooks: InformerHooks): Informers {
  const states = (ctx: Context): Table<InformerState> => ctx.table<InformerState>('informers')

  const open = (ctx: Context, state: InformerState): void => {
    const { spec } = state
    const query = [
      'watch=true',
      'allowWatchBookmarks=true',
      ...(state.resourceVersion === ''
        ? ['sendInitialEvents=true', 'resourceVersionMatch=NotOlderThan']
        : [`resourceVersion=${state.resourceVersion}`]),
      ...(spec.query ? [spec.query] : []),
    ].join('&')
    if (state.resourceVersion === '') ctx.table<string>(`informer-seen/${spec.name}`).clear()
    const call = apiStream(
      ctx,
      hooks.client(ctx),
      { method: 'GET', path: `${spec.path}?${query}` },
      { kind: 'informer.chunk', data: spec.name },
    )
    states(ctx).put(spec.name, { ...state, call })
  }

  const retry = (ctx: Context, state: InformerState, fromScratch: boolean): void => {
    passOver(ctx, hooks.client(ctx))
    states(ctx).put(state.spec.name, {
      ...state,
      call: 0,
      resourceVersion: fromScratch ? '' : state.resourceVersion,
      backoffMs: Math.min(state.backoffMs * 2, BACKOFF_MAX_MS),
    })
    ctx.setTimer(`informer/${state.spec.name}`, state.backoffMs * (1 + ctx.random('informer')), 'informer.retry', state.spec.name, {
      periodic: true,
    })
  }

  const change = (ctx: Context, name: string, type: InformerEvent['type'], object: KubeObject): void => {
    const objects = store(ctx, name)
    const key = objectKey(object)
    const old = objects.get(key)
    if (type === 'DELETED') {
      if (!old) return
      objects.delete(key)
    } else {
      if (old && old.metadata.resourceVersion === object.metadata.resourceVersion) return
      objects.put(key, object)
    }
    const seen = type === 'DELETED' ? 'DELETED' : old ? 'MODIFIED' : 'ADDED'
    hooks.onEvent(ctx, { informer: name, type: seen, key, object, ...(old ? { old } : {}) })
  }

  /** The list is complete: what it did not mention no longer exists. */
  const completed = (ctx: Context, state: InformerState): void => {
    const { name } = state.spec
    const seen = ctx.table<string>(`informer-seen/${name}`)
    for (const [key, object] of store(ctx, name).entries()) if (!seen.has(key)) change(ctx, name, 'DELETED', object)
    seen.clear()
    if (!state.synced) hooks.onSynced?.(ctx, name)
  }

  const onChunk = (ctx: Context, result: CallResult<StreamChunk | HttpResponse, string>): void => {
    const state = states(ctx).get(result.data)
    if (!state || (state.call !== result.call && state.call !== 0)) return
    if (result.form === 'error' || result.form === 'end') {
      // An ended watch goes on from where it was; upstream's servers end them after 5–10 minutes.
      if (result.form === 'end') open(ctx, state)
      else retry(ctx, state, false)
      return
    }
    if (result.form === 'response') {
      retry(ctx, state, (result.value as HttpResponse).status === 410)
      return
    }
    const chunk = result.value as StreamChunk
    if (!('event' in chunk)) return
    const { type, object } = chunk.event
    if (type === 'ERROR') {
      retry(ctx, state, object.code === 410)
      ctx.hangUp(result.call)
      return
    }
    const resourceVersion = object.metadata.resourceVersion ?? state.resourceVersion
    if (type === 'BOOKMARK') {
      const initialEnd = object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true'
      states(ctx).put(state.spec.name, { ...state, resourceVersion, synced: state.synced || initialEnd, backoffMs: BACKOFF_START_MS })
      if (initialEnd) completed(ctx, state)
      return
    }
    const listing = state.resourceVersion === ''
    // A new list after a retry (background work) may bring real news.
    if (listing && store(ctx, state.spec.name).get(objectKey(object))?.metadata.resourceVersion !== object.metadata.resourceVersion)
      ctx.foreground()
    if (listing) ctx.table<string>(`informer-seen/${state.spec.name}`).put(objectKey(object), '1')
    else states(ctx).put(state.spec.name, { ...state, resourceVersion })
    change(ctx, state.spec.name, type, object)
  }

  return {
    start(ctx, spec) {
      if (states(ctx).has(spec.name)) return
      open(ctx, { spec, call: 0, synced: false, resourceVersion: '', backoffMs: BACKOFF_START_MS })
    },
    stop(ctx, name) {
      const state = states(ctx).get(name)
      if (!state) return
      ctx.hangUp(state.call)
      ctx.cancelTimer(`informer/${name}`)
      states(ctx).delete(name)
      store(ctx, name).clear()
    },
    synced: (ctx) =>
      states(ctx)
        .values()
        .every((s) => s.synced),
    hasSynced: (ctx, name) => states(ctx).get(name)?.synced === true,
    handlers: {
      'informer.chunk': onChunk as never,
      'informer.retry': ((ctx: Context, name: string) => {
        const state = states(ctx).get(name)
        if (state) open(ctx, state)
      }) as never,
    },
  }
}

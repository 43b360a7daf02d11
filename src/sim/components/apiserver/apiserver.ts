// The kube-apiserver: an HTTP-shaped door in front of etcd. Requests are planned by pure code (rest/, admission/, registry/) and
// carried out here: etcd transactions, reads, watches, proxied calls.
import type { Context, ComponentType } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import { type EtcdAnswer, prefixEnd, type RangeResponse, type WatchChunk } from '../etcd/types.ts'
import { bootstrapHandlers, startBootstrap } from './bootstrap/bootstrap.ts'
import { cacheState, fill, reset, setCacheState, take } from './cache/cache.ts'
import { endpointHandlers, startEndpoints } from './bootstrap/endpoints.ts'
import { compactionHandlers, startCompactor } from './cache/compaction.ts'
import { callEtcd, memberOf, passOverMember } from './etcd-client.ts'
import { definitionHandlers, definitionsChanged, startDefinitions } from './definitions/controllers.ts'
import { onLookup, onRange, onWaitTimeout, startLookup, wake } from './needs.ts'
import { dropProxy, onProxyAnswer, onReachAnswer } from './proxy.ts'
import { onRequest, receive } from './serve.ts'
import { REGISTRY_PREFIX } from './storage-keys.ts'
import { closeAllWatches, closeWatch, dispatch, onBookmarks, onWatchTimeout } from './watch/serve.ts'
import { writeHandlers } from './writes.ts'
import type { HttpRequest } from '../../api/http.ts'

export type { KubeApiserverConfig } from './types.ts'

/** Pause before etcd is asked again after a failure. */
const RETRY_MS = 1000

function list(ctx: Context): void {
  callEtcd(
    ctx,
    'etcd.range',
    { key: REGISTRY_PREFIX, rangeEnd: prefixEnd(REGISTRY_PREFIX) },
    { kind: 'apiserver.cache.list' },
    'list /registry/',
  )
}

function retryList(ctx: Context, error: string): void {
  ctx.record('apiserver.etcd.failed', { member: memberOf(ctx), error })
  passOverMember(ctx)
  ctx.setTimer('cache', RETRY_MS, 'apiserver.cache.retry', null, { periodic: true })
}

function onList(ctx: Context, result: CallResult<EtcdAnswer<RangeResponse>>): void {
  if (result.form !== 'response') return retryList(ctx, result.form === 'error' ? result.error : result.form)
  if (!result.value.ok) return retryList(ctx, result.value.error)
  const { revision, kvs } = result.value.value
  const first = !cacheState(ctx).ready
  if (!first) {
    // Nobody can be told what happened between; watchers begin anew.
    closeAllWatches(ctx)
    reset(ctx)
  }
  fill(ctx, kvs, revision)
  ctx.because(ctx.record('apiserver.cache.ready', { revision, objects: kvs.length }))
  watch(ctx)
  if (!first) return
  startCompactor(ctx)
  const early = ctx.table<{ request: HttpRequest; call: number; cause: number; background: boolean }>('early')
  startBootstrap(ctx)
  startDefinitions(ctx)
  startEndpoints(ctx)
  for (const [key, item] of early.entries()) {
    early.delete(key)
    ctx.resume(item)
    receive(ctx, item.request, item.call)
  }
}

function watch(ctx: Context): void {
  ctx.call(
    memberOf(ctx),
    'etcd.watch',
    { key: REGISTRY_PREFIX, rangeEnd: prefixEnd(REGISTRY_PREFIX), startRevision: cacheState(ctx).revision + 1, progressNotify: true },
    {
      then: { kind: 'apiserver.cache.event' },
      stream: true,
      flow: 'watch',
      summary: 'watch /registry/',
    },
  )
}

function onEvent(ctx: Context, result: CallResult<WatchChunk | EtcdAnswer<unknown>>): void {
  if (result.form !== 'chunk') {
    const error =
      result.form === 'error'
        ? result.error
        : result.form === 'response' && 'ok' in result.value && !result.value.ok
          ? result.value.error
          : 'end'
    ctx.record('apiserver.etcd.failed', { member: memberOf(ctx), error })
    passOverMember(ctx)
    ctx.setTimer('cache', RETRY_MS, 'apiserver.cache.rewatch', null, { periodic: true })
    return
  }
  const chunk = result.value as WatchChunk
  if (chunk.compactRevision !== undefined) {
    // What lay between is lost: everything is listed anew.
    list(ctx)
    return
  }
  const { revision } = cacheState(ctx)
  if (chunk.events.length === 0 || chunk.revision <= revision) return
  const changes = chunk.events.map((event) => take(ctx, event)).filter((c) => c !== undefined)
  setCacheState(ctx, { revision: chunk.revision })
  for (const change of changes) dispatch(ctx, change.id, change)
  for (const id of new Set(changes.map((change) => change.id))) definitionsChanged(ctx, id)
  wake(ctx)
}

export const kubeApiserverType: ComponentType = {
  type: 'kube-apiserver',
  start: list,
  handlers: {
    'http.request': onRequest,
    'apiserver.cache.list': onList,
    'apiserver.cache.event': onEvent,
    'apiserver.cache.retry': list,
    'apiserver.cache.rewatch': watch,
    'apiserver.etcd.range': onRange,
    'apiserver.wait.timeout': onWaitTimeout,
    'apiserver.lookup.start': startLookup,
    'apiserver.lookup.answer': onLookup,
    'apiserver.proxy.answer': onProxyAnswer,
    'apiserver.reach.answer': onReachAnswer,
    'apiserver.watch.timeout': onWatchTimeout,
    'apiserver.bookmarks': onBookmarks,
    'net.closed': (ctx: Context, { call }: { call: number }) => {
      closeWatch(ctx, call, 'client went away')
      dropProxy(ctx, call)
    },
    ...compactionHandlers,
    ...writeHandlers,
    ...endpointHandlers,
    ...bootstrapHandlers,
    ...definitionHandlers,
  },
}

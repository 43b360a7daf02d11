// Open watches: what they are sent first, and each change as it comes (storage/cacher/cache_watcher.go, handlers/watch.go).
import type { HttpResponse, StreamChunk, WatchEvent } from '../../../api/http.ts'
import { resourceExpired } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { EPOCH_MS } from '../../../engine/types.ts'
import type { Context } from '../../../net/context.ts'
import { audit } from '../audit.ts'
import { cacheState, cacheTable, eventsAfter, podKeysOn } from '../cache/cache.ts'
import { routeOf } from '../cache/view.ts'
import { commonHeaders, warningHeader } from '../encode/answer.ts'
import { encodeObject } from '../encode/encode.ts'
import { negotiate } from '../encode/negotiate.ts'
import type { Served } from '../registry/index.ts'
import { queryValue } from '../request-info.ts'
import { apiVersionOf } from '../rest/names.ts'
import { selection, selects, type Selection } from '../rest/selectors.ts'
import type { CacheEvent, InFlight, Watcher, WatchPlan } from '../types.ts'

/** --min-request-timeout: a watch without timeoutSeconds ends after one to two times this. */
const MIN_REQUEST_TIMEOUT_MS = 1_800_000
/** cacher bookmarkFrequency. */
export const BOOKMARK_MS = 60_000

const callKey = (call: number): string => String(call).padStart(10, '0')
export const watchers = (ctx: Context) => ctx.table<Watcher>('watchers')
/** `pods|call`, and for watches of one node's pods `pods@node-1|call`. */
const watchIndex = (ctx: Context) => ctx.table<string>('watch-index')
const indexKey = (w: Watcher): string => `${w.cache}${w.nodeName ? `@${w.nodeName}` : ''}|${callKey(w.call)}`

const selections = new WeakMap<Watcher, Selection>()

function selectionOf(served: Served, w: Watcher): Selection {
  let s = selections.get(w)
  if (!s) {
    s = selection(served, w.labelSelector, w.fieldSelector)
    selections.set(w, s)
  }
  return s
}

export function openWatch(ctx: Context, item: InFlight, plan: WatchPlan): void {
  const served = routeOf(ctx, plan.group, plan.version, item.info.resource)
  if (!served) return
  const w: Watcher = {
    ...plan,
    call: item.call,
    openedAt: ctx.now,
    includeObject: queryValue(item.info.query, 'includeObject') ?? 'Metadata',
    headed: false,
  }
  const headers: HttpResponse['headers'] = {
    ...commonHeaders(item),
    'content-type': 'application/json',
    ...(item.warnings.length > 0 ? { warning: warningHeader(item.warnings) } : {}),
  }
  ctx.push(w.call, { head: { status: 200, headers } } satisfies StreamChunk, {
    flow: 'watch',
    summary: `200 watch ${plan.cache}`,
    ok: true,
  })
  audit(ctx, item, { code: 200 }, 'ResponseStarted')
  watchers(ctx).put(callKey(w.call), w)
  watchIndex(ctx).put(indexKey(w), callKey(w.call))
  const sent = sendInitial(ctx, served, w)
  ctx.record('apiserver.watch.opened', {
    request: item.auditID,
    resource: plan.cache,
    ...(plan.namespace ? { namespace: plan.namespace } : {}),
    ...(plan.labelSelector ? { labelSelector: plan.labelSelector } : {}),
    ...(plan.fieldSelector ? { fieldSelector: plan.fieldSelector } : {}),
    from: plan.from,
    initialEvents: sent,
  })
  const timeoutMs = plan.timeoutSeconds === undefined ? MIN_REQUEST_TIMEOUT_MS * (1 + ctx.random('watch')) : plan.timeoutSeconds * 1000
  if (timeoutMs > 0) ctx.setTimer(`watch/${w.call}`, timeoutMs, 'apiserver.watch.timeout', w.call, { periodic: true })
  if (plan.bookmarks && !ctx.hasTimer('bookmarks')) ctx.setTimer('bookmarks', BOOKMARK_MS, 'apiserver.bookmarks', null, { periodic: true })
}

function sendInitial(ctx: Context, served: Served, w: Watcher): number {
  const s = selectionOf(served, w)
  let sent = 0
  if (w.initial) {
    for (const object of existing(ctx, w)) {
      if (!selects(served, s, object)) continue
      send(ctx, served, w, 'ADDED', object)
      sent++
    }
    if (w.initialEndBookmark) bookmark(ctx, served, w, cacheState(ctx).revision, true)
    return sent
  }
  const after = eventsAfter(ctx, w.cache, w.from)
  if ('oldest' in after) {
    const status = resourceExpired(`too old resource version: ${w.from} (${after.oldest})`)
    push(ctx, w, { type: 'ERROR', object: status as unknown as KubeObject }, 'ERROR 410')
    closeWatch(ctx, w.call, 'shutdown')
    ctx.hangUp(w.call)
    return 0
  }
  for (const event of after.events) if (offer(ctx, served, w, event)) sent++
  return sent
}

function existing(ctx: Context, w: Watcher): readonly KubeObject[] {
  const table = cacheTable(ctx, w.cache)
  const keys = w.nodeName ? podKeysOn(ctx, w.nodeName) : w.namespace ? table.keysWithPrefix(`${w.namespace}/`) : undefined
  if (!keys) return table.values()
  const prefix = w.namespace ? `${w.namespace}/` : ''
  return keys.filter((k) => k.startsWith(prefix)).map((k) => table.get(k) as KubeObject)
}

/** Sends a change to every watcher it concerns. */
export function dispatch(ctx: Context, id: string, event: CacheEvent): void {
  const index = watchIndex(ctx)
  if (index.size === 0) return
  deliverTo(ctx, index.keysWithPrefix(`${id}|`), event)
  if (id !== 'pods') return
  const [before, after] = [event.old?.spec?.nodeName as string | undefined, event.object.spec?.nodeName as string | undefined]
  if (before) deliverTo(ctx, index.keysWithPrefix(`pods@${before}|`), event)
  if (after && after !== before) deliverTo(ctx, index.keysWithPrefix(`pods@${after}|`), event)
}

function deliverTo(ctx: Context, keys: readonly string[], event: CacheEvent): void {
  for (const key of keys) {
    const w = watchers(ctx).get(watchIndex(ctx).get(key) as string)
    if (!w) continue
    const served = routeOf(ctx, w.group, w.version, resourceOfCache(w.cache, w.group))
    if (served) offer(ctx, served, w, event)
  }
}

const resourceOfCache = (cache: string, _group: string): string => {
  const dot = cache.indexOf('.')
  return dot < 0 ? cache : cache.slice(0, dot)
}

/** With a selector an object that begins to match is ADDED, one that stops is DELETED (in its old content). */
function offer(ctx: Context, served: Served, w: Watcher, event: CacheEvent): boolean {
  if (w.namespace !== '' && event.object.metadata.namespace !== w.namespace) return false
  const s = selectionOf(served, w)
  const matched = event.old !== undefined && selects(served, s, event.old)
  const matches = event.type !== 'DELETED' && selects(served, s, event.object)
  if (matches) send(ctx, served, w, matched ? 'MODIFIED' : 'ADDED', event.object)
  else if (matched) send(ctx, served, w, 'DELETED', event.type === 'DELETED' ? event.object : lastMatching(event))
  else return false
  return true
}

const lastMatching = (event: CacheEvent): KubeObject => {
  const old = event.old as KubeObject
  return { ...old, metadata: { ...old.metadata, resourceVersion: String(event.revision) } }
}

function send(ctx: Context, served: Served, w: Watcher, type: WatchEvent['type'], object: KubeObject): void {
  const media = negotiate(w.accept, { pretty: false }) ?? { subtype: 'json' as const, pretty: false }
  const current = watchers(ctx).get(callKey(w.call)) ?? w
  const shown = encodeObject(
    { served, media, nowMs: EPOCH_MS + ctx.now, includeObject: w.includeObject, withoutColumns: current.headed },
    object,
  )
  if (media.convert?.kind === 'Table' && !current.headed) {
    const next = { ...current, headed: true }
    watchers(ctx).put(callKey(w.call), next)
  }
  push(ctx, w, { type, object: shown as KubeObject }, `${type} ${served.strategy.resource}/${object.metadata.name}`)
}

function push(ctx: Context, w: Watcher, event: WatchEvent, summary: string): void {
  ctx.push(w.call, { event } satisfies StreamChunk, { flow: 'watch', summary })
}

function bookmark(ctx: Context, served: Served, w: Watcher, revision: number, initialEnd: boolean): void {
  const object: KubeObject = {
    kind: served.strategy.kind,
    apiVersion: apiVersionOf(served),
    metadata: { resourceVersion: String(revision), ...(initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}) },
  }
  push(ctx, w, { type: 'BOOKMARK', object }, 'BOOKMARK')
}

/** Periodic: tells patient watchers how far they have seen. */
export function onBookmarks(ctx: Context): void {
  const { revision } = cacheState(ctx)
  let any = false
  for (const w of watchers(ctx).values()) {
    if (!w.bookmarks) continue
    any = true
    const served = routeOf(ctx, w.group, w.version, resourceOfCache(w.cache, w.group))
    if (served) bookmark(ctx, served, w, revision, false)
  }
  if (any) ctx.setTimer('bookmarks', BOOKMARK_MS, 'apiserver.bookmarks', null, { periodic: true })
}

export function closeAllWatches(ctx: Context): void {
  for (const { call } of watchers(ctx).values()) {
    closeWatch(ctx, call, 'shutdown')
    ctx.hangUp(call)
  }
}

export function onWatchTimeout(ctx: Context, call: number): void {
  closeWatch(ctx, call, 'timeout')
  ctx.hangUp(call)
}

export function closeWatch(ctx: Context, call: number, why: 'client went away' | 'timeout' | 'shutdown'): void {
  const w = watchers(ctx).get(callKey(call))
  if (!w) return
  watchers(ctx).delete(callKey(call))
  watchIndex(ctx).delete(indexKey(w))
  ctx.cancelTimer(`watch/${call}`)
  ctx.record('apiserver.watch.closed', { resource: w.cache, why })
}

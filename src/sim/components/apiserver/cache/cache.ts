// The watch cache: every object as etcd had it at one revision, fed by one watch of /registry/ (apiserver/pkg/storage/cacher).
// Reads come from here; writes are planned on it and checked by etcd's transaction.
import type { KubeObject } from '../../../api/types/object.ts'
import type { Table } from '../../../engine/types.ts'
import type { Context } from '../../../net/context.ts'
import type { KeyValue, WatchEvent } from '../../etcd/types.ts'
import { builtIn } from '../registry/index.ts'
import { splitStorageKey } from '../storage-keys.ts'
import type { CacheEvent } from '../types.ts'

export interface CacheState {
  /** Everything up to here is in the tables. */
  readonly revision: number
  /** The revision of the list that the cache began with: older changes are unknown. */
  readonly listRevision: number
  readonly ready: boolean
}

const EMPTY: CacheState = { revision: 0, listRevision: 0, ready: false }

export const cacheState = (ctx: Context): CacheState => ctx.table<CacheState>('cache-state').get('state') ?? EMPTY
export const setCacheState = (ctx: Context, change: Partial<CacheState>): void =>
  ctx.table<CacheState>('cache-state').put('state', { ...cacheState(ctx), ...change })

/** Objects of one resource by namespace/name, in the storage version, with their resourceVersion. */
export const cacheTable = (ctx: Context, id: string): Table<KubeObject> => ctx.table<KubeObject>(`cache/${id}`)

/** Pods by node: `node-1/default/web-1` → `default/web-1`. */
export const podsByNode = (ctx: Context): Table<string> => ctx.table<string>('index/pods-by-node')

const decorated = new WeakMap<object, { readonly revision: number; readonly object: KubeObject }>()

/** A stored value as clients see it: with the revision of its last change. The same value at the same revision is the same object. */
export function withRevision(value: KubeObject, revision: number): KubeObject {
  const known = decorated.get(value)
  if (known?.revision === revision) return known.object
  const object = { ...value, metadata: { ...value.metadata, resourceVersion: String(revision) } }
  decorated.set(value, { revision, object })
  return object
}

/** What goes into etcd: without resourceVersion. */
export function withoutRevision(object: KubeObject): KubeObject {
  if (object.metadata.resourceVersion === undefined) return object
  const { resourceVersion: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

export const revisionOf = (object: KubeObject): number => Number(object.metadata.resourceVersion ?? 0)

/** Cache table of a folder under /registry/; undefined for what is no API object (ranges, masterleases). */
export function tableOfFolder(folder: string): string | undefined {
  const known = builtIn.byFolder.get(folder)
  if (known) return known.id
  const slash = folder.indexOf('/')
  return slash > 0 && folder.slice(0, slash).includes('.') ? `${folder.slice(slash + 1)}.${folder.slice(0, slash)}` : undefined
}

/** Takes the first list. */
export function fill(ctx: Context, kvs: readonly KeyValue[], revision: number): void {
  for (const kv of kvs) {
    const { folder, key } = splitStorageKey(kv.key)
    const id = tableOfFolder(folder)
    if (id === undefined) continue
    const object = withRevision(kv.value as KubeObject, kv.modRevision)
    if (!cacheTable(ctx, id).has(key)) countObjects(ctx, id, 1)
    cacheTable(ctx, id).put(key, object)
    if (id === 'pods') indexPod(ctx, key, undefined, object)
  }
  setCacheState(ctx, { revision, listRevision: revision, ready: true })
}

/** Forgets everything: a new list is about to come. */
export function reset(ctx: Context): void {
  const counts = ctx.table<number>('object-counts')
  for (const id of counts.keys()) {
    cacheTable(ctx, id).clear()
    ctx.table(`window/${id}`).clear()
  }
  counts.clear()
  ctx.table('window').clear()
  podsByNode(ctx).clear()
}

/** Takes one change of etcd; the event for watchers, or undefined if it is nothing they can see. */
export function take(ctx: Context, event: WatchEvent): (CacheEvent & { readonly id: string }) | undefined {
  const { folder, key } = splitStorageKey(event.kv.key)
  const id = tableOfFolder(folder)
  if (id === undefined) return undefined
  const table = cacheTable(ctx, id)
  const old = table.get(key)
  const revision = event.kv.modRevision
  let change: CacheEvent
  if (event.type === 'DELETE') {
    if (!old) return undefined
    countObjects(ctx, id, -1)
    table.delete(key)
    change = { revision, type: 'DELETED', key, object: deletedAt(old, revision), old }
  } else {
    const object = withRevision(event.kv.value as KubeObject, revision)
    if (!old) countObjects(ctx, id, 1)
    table.put(key, object)
    change = { revision, type: old ? 'MODIFIED' : 'ADDED', key, object, ...(old ? { old } : {}) }
  }
  if (id === 'pods') indexPod(ctx, key, old, event.type === 'DELETE' ? undefined : change.object)
  remember(ctx, id, change)
  return { ...change, id }
}

function countObjects(ctx: Context, id: string, by: number): void {
  const counts = ctx.table<number>('object-counts')
  counts.put(id, (counts.get(id) ?? 0) + by)
}

const deletedAt = (old: KubeObject, revision: number): KubeObject => ({
  ...old,
  metadata: { ...old.metadata, resourceVersion: String(revision) },
})

function indexPod(ctx: Context, key: string, old: KubeObject | undefined, now: KubeObject | undefined): void {
  const [before, after] = [old?.spec?.nodeName ?? '', now?.spec?.nodeName ?? '']
  if (before === after && (old === undefined) === (now === undefined)) return
  if (old && before !== '') podsByNode(ctx).delete(`${before}/${key}`)
  if (now && after !== '') podsByNode(ctx).put(`${after}/${key}`, key)
}

/** Keys of pods on a node, in order. */
export const podKeysOn = (ctx: Context, node: string): string[] =>
  podsByNode(ctx)
    .keysWithPrefix(`${node}/`)
    .map((k) => k.slice(node.length + 1))

// The window of recent events, for watches that resume: a ring per resource, kept without sorting its keys.

/** At least this many events are kept, and all that are younger than the fresh duration (cacher/watch_cache.go). */
const WINDOW_MIN = 100
const FRESH_MS = 75_000

interface Ring {
  readonly first: number
  readonly next: number
}

interface Remembered {
  readonly at: number
  readonly event: CacheEvent
}

const ringOf = (ctx: Context, id: string): Ring => ctx.table<Ring>('window').get(id) ?? { first: 0, next: 0 }

function remember(ctx: Context, id: string, event: CacheEvent): void {
  const events = ctx.table<Remembered>(`window/${id}`)
  let { first, next } = ringOf(ctx, id)
  events.put(String(next++), { at: ctx.now, event })
  while (next - first > WINDOW_MIN) {
    const oldest = events.get(String(first))
    if (oldest && oldest.at > ctx.now - FRESH_MS) break
    events.delete(String(first++))
  }
  ctx.table<Ring>('window').put(id, { first, next })
}

/** Events after a revision, or the oldest revision from which one could watch. */
export function eventsAfter(ctx: Context, id: string, revision: number): { events: CacheEvent[] } | { oldest: number } {
  const { first, next } = ringOf(ctx, id)
  const events = ctx.table<Remembered>(`window/${id}`)
  // As long as nothing was dropped the list's revision is the limit, afterwards the oldest event that is left.
  const oldest = first > 0 ? (events.get(String(first)) as Remembered).event.revision : cacheState(ctx).listRevision + 1
  if (revision < oldest - 1) return { oldest: oldest - 1 }
  const out: CacheEvent[] = []
  for (let i = next - 1; i >= first; i--) {
    const { event } = events.get(String(i)) as Remembered
    if (event.revision <= revision) break
    out.push(event)
  }
  return { events: out.reverse() }
}

// The scheduler's picture of the cluster: nodes with the pods that are on them or assumed to be (pkg/scheduler/backend/cache).
// Tables hold plain facts; the snapshot that plugins read is derived from them, step by step or, after a rewind, anew.
import type { Node, Pod } from '../../api/types/kubernetes.gen.ts'
import { store } from '../../client/informer.ts'
import type { Table } from '../../engine/types.ts'
import type { Context } from '../../net/context.ts'
import { buildNodeInfo, emptyNodeInfo, type NodeInfo, nodeFacts, withNode, withoutPod, withPod } from './framework/nodeinfo.ts'
import { assumedPodInfo, type PodInfo, podInfo } from './framework/podinfo.ts'
import {
  addToTree,
  buildSnapshot,
  getNode,
  type ImageState,
  listTree,
  type NodeTree,
  removeFromTree,
  replaceNode,
  type Snapshot,
  withImages,
  zoneKey,
} from './framework/snapshot.ts'

interface CachedPod {
  /** Rises with every write: the order of pods on a node. */
  readonly seq: number
  readonly node: string
  readonly assumed: boolean
  /** With spec.nodeName set. */
  readonly pod: Pod
}

/** A new record with every change of the cache; what was derived belongs to the record that it was derived for. */
interface CacheState {
  readonly seq: number
  readonly tree: NodeTree
}

interface Derived {
  readonly state: CacheState
  readonly snapshot: Snapshot
  /** Nodes of which only pods are known. */
  readonly orphans: ReadonlyMap<string, NodeInfo>
}

const EMPTY: CacheState = { seq: 0, tree: [] }
const derivedOf = new WeakMap<Table<CacheState>, Derived>()

const cachedPods = (ctx: Context) => ctx.table<CachedPod>('cache/pods')
const states = (ctx: Context) => ctx.table<CacheState>('cache/state')
const images = (ctx: Context) => ctx.table<ImageState>('cache/images')
const stateOf = (ctx: Context): CacheState => states(ctx).get('state') ?? EMPTY

/** Writes a new state. `derive` brings what was derived for the old one up to date; without it, it is built anew when needed. */
function advance(ctx: Context, change: Partial<CacheState>, derive?: (before: Derived) => Omit<Derived, 'state'>): number {
  const table = states(ctx)
  const before = stateOf(ctx)
  const state: CacheState = { ...before, seq: before.seq + 1, ...change }
  table.put('state', state)
  const derived = derivedOf.get(table)
  if (derive && derived?.state === before) derivedOf.set(table, { state, ...derive(derived) })
  else derivedOf.delete(table)
  return state.seq
}

/** UpdateSnapshot. */
export function currentSnapshot(ctx: Context): Snapshot {
  const table = states(ctx)
  const state = stateOf(ctx)
  const known = derivedOf.get(table)
  if (known?.state === state) return known.snapshot
  const byNode = new Map<string, CachedPod[]>()
  for (const cached of cachedPods(ctx).values()) {
    const list = byNode.get(cached.node)
    if (list) list.push(cached)
    else byNode.set(cached.node, [cached])
  }
  const podsOf = (name: string): PodInfo[] => (byNode.get(name) ?? []).sort((a, b) => a.seq - b.seq).map((c) => podInfo(c.pod))
  const nodes = store(ctx, 'nodes')
  const names = listTree(state.tree)
  const infos = names.map((name) => buildNodeInfo(name, nodes.get(name) as Node | undefined, podsOf(name)))
  const orphans = new Map<string, NodeInfo>()
  const listed = new Set(names)
  for (const name of byNode.keys()) if (!listed.has(name)) orphans.set(name, buildNodeInfo(name, undefined, podsOf(name)))
  const snapshot = buildSnapshot(infos, imageMap(ctx))
  derivedOf.set(table, { state, snapshot, orphans })
  return snapshot
}

const imageMap = (ctx: Context): ReadonlyMap<string, ImageState> => new Map(images(ctx).entries())

function changeNode(derived: Derived, name: string, change: (node: NodeInfo) => NodeInfo): Omit<Derived, 'state'> {
  const node = getNode(derived.snapshot, name)
  if (node) return { snapshot: replaceNode(derived.snapshot, change(node)), orphans: derived.orphans }
  const orphans = new Map(derived.orphans)
  orphans.set(name, change(orphans.get(name) ?? emptyNodeInfo(name)))
  return { snapshot: derived.snapshot, orphans }
}

function put(ctx: Context, info: PodInfo, node: string, assumed: boolean): void {
  const seq = advance(ctx, {}, (d) => changeNode(d, node, (n) => withPod(n, info)))
  cachedPods(ctx).put(info.uid, { seq, node, assumed, pod: info.pod })
}

function remove(ctx: Context, uid: string): void {
  const cached = cachedPods(ctx).get(uid)
  if (!cached) return
  cachedPods(ctx).delete(uid)
  advance(ctx, {}, (d) => changeNode(d, cached.node, (n) => withoutPod(n, uid)))
}

export const isAssumed = (ctx: Context, pod: Pod): boolean => cachedPods(ctx).get(uidOf(pod))?.assumed ?? false

export const uidOf = (pod: Pod): string => podInfo(pod).uid

/** AssumePod: from now on the pod counts as being on the node. Answers the pod as it is there. */
export function assumePod(ctx: Context, pod: PodInfo, node: string): PodInfo {
  const assumed = assumedPodInfo(pod, node)
  put(ctx, assumed, node, true)
  return assumed
}

/** ForgetPod: the assumption was wrong. */
export function forgetPod(ctx: Context, uid: string): Pod | undefined {
  const cached = cachedPods(ctx).get(uid)
  if (!cached?.assumed) return undefined
  remove(ctx, uid)
  return cached.pod
}

/** AddPod, UpdatePod: the API says that the pod is on a node; an assumption becomes certain. */
export function setPod(ctx: Context, pod: Pod): void {
  remove(ctx, uidOf(pod))
  put(ctx, podInfo(pod), pod.spec?.nodeName as string, false)
}

export const removePod = (ctx: Context, pod: Pod): void => remove(ctx, uidOf(pod))

export function addNode(ctx: Context, node: Node): void {
  addImages(ctx, node)
  advance(ctx, { tree: addToTree(stateOf(ctx).tree, node) })
}

export function updateNode(ctx: Context, old: Node, node: Node): void {
  const sameImages =
    nodeFacts(old).images.size === nodeFacts(node).images.size &&
    [...nodeFacts(node).images].every((name) => nodeFacts(old).images.has(name))
  if (!sameImages) {
    removeImages(ctx, old)
    addImages(ctx, node)
  }
  if (zoneKey(old) !== zoneKey(node)) {
    advance(ctx, { tree: addToTree(removeFromTree(stateOf(ctx).tree, old), node) })
    return
  }
  advance(ctx, {}, (d) => {
    const changed = changeNode(d, node.metadata.name as string, (n) => withNode(n, node))
    return sameImages ? changed : { ...changed, snapshot: withImages(changed.snapshot, imageMap(ctx)) }
  })
}

export function removeNode(ctx: Context, node: Node): void {
  removeImages(ctx, node)
  advance(ctx, { tree: removeFromTree(stateOf(ctx).tree, node) })
}

/** The size of an image is what the first node said. */
function addImages(ctx: Context, node: Node): void {
  const seen = new Set<string>()
  for (const image of node.status?.images ?? []) {
    for (const name of image.names ?? []) {
      if (seen.has(name)) continue
      seen.add(name)
      const state = images(ctx).get(name)
      images(ctx).put(name, { size: state?.size ?? image.sizeBytes ?? 0, nodes: (state?.nodes ?? 0) + 1 })
    }
  }
}

function removeImages(ctx: Context, node: Node): void {
  for (const name of nodeFacts(node).images) {
    const state = images(ctx).get(name)
    if (!state) continue
    if (state.nodes <= 1) images(ctx).delete(name)
    else images(ctx).put(name, { size: state.size, nodes: state.nodes - 1 })
  }
}

// All nodes at the start of a scheduling cycle (pkg/scheduler/backend/cache/snapshot.go, node_tree.go). Immutable; replacing one node copies
// one chunk and the list of chunks, so that 5,000 nodes cost no more per pod than a hundred. What plugins count over many nodes they may keep
// per chunk: a chunk never changes.
import type { Node } from '../../../api/types/kubernetes.gen.ts'
import { getOwn } from '../../../../lib/own.ts'
import { LABEL_REGION, LABEL_REGION_BETA, LABEL_ZONE, LABEL_ZONE_BETA } from './names.ts'
import type { NodeInfo } from './nodeinfo.ts'

/** A run of nodes. It never changes; what was worked out about it is kept with it (and so goes when it goes). */
export interface Chunk {
  readonly nodes: readonly NodeInfo[]
  memo: Map<unknown, unknown> | undefined
}

export interface ImageState {
  /** Of the node that reported the image first. */
  readonly size: number
  readonly nodes: number
}

export interface Snapshot {
  readonly size: number
  readonly chunks: readonly Chunk[]
  readonly index: ReadonlyMap<string, number>
  readonly images: ReadonlyMap<string, ImageState>
  /** Pods with any pod (anti-)affinity, and with a required anti-affinity, on all nodes. */
  readonly podsWithAffinity: number
  readonly podsWithRequiredAntiAffinity: number
}

const CHUNK_BITS = 6
const CHUNK_SIZE = 1 << CHUNK_BITS

export function buildSnapshot(nodes: readonly NodeInfo[], images: ReadonlyMap<string, ImageState>): Snapshot {
  const chunks: Chunk[] = []
  for (let i = 0; i < nodes.length; i += CHUNK_SIZE) chunks.push({ nodes: nodes.slice(i, i + CHUNK_SIZE), memo: undefined })
  const index = new Map<string, number>()
  let podsWithAffinity = 0
  let podsWithRequiredAntiAffinity = 0
  nodes.forEach((node, i) => {
    index.set(node.name, i)
    podsWithAffinity += node.podsWithAffinity.length
    podsWithRequiredAntiAffinity += node.podsWithRequiredAntiAffinity.length
  })
  return { size: nodes.length, chunks, index, images, podsWithAffinity, podsWithRequiredAntiAffinity }
}

export const chunkOf = (snapshot: Snapshot, i: number): Chunk => snapshot.chunks[i >>> CHUNK_BITS] as Chunk
export const positionOf = (i: number): number => i & (CHUNK_SIZE - 1)
export const nodeAt = (snapshot: Snapshot, i: number): NodeInfo => chunkOf(snapshot, i).nodes[positionOf(i)] as NodeInfo

export function getNode(snapshot: Snapshot, name: string): NodeInfo | undefined {
  const i = snapshot.index.get(name)
  return i === undefined ? undefined : nodeAt(snapshot, i)
}

/** The snapshot with another record for a node that it has. */
export function replaceNode(snapshot: Snapshot, node: NodeInfo): Snapshot {
  const i = snapshot.index.get(node.name)
  if (i === undefined) return snapshot
  const before = nodeAt(snapshot, i)
  if (before === node) return snapshot
  const chunks = snapshot.chunks.slice()
  const nodes = chunkOf(snapshot, i).nodes.slice()
  nodes[positionOf(i)] = node
  chunks[i >>> CHUNK_BITS] = { nodes, memo: undefined }
  return {
    size: snapshot.size,
    chunks,
    index: snapshot.index,
    images: snapshot.images,
    podsWithAffinity: snapshot.podsWithAffinity + node.podsWithAffinity.length - before.podsWithAffinity.length,
    podsWithRequiredAntiAffinity:
      snapshot.podsWithRequiredAntiAffinity + node.podsWithRequiredAntiAffinity.length - before.podsWithRequiredAntiAffinity.length,
  }
}

export const withImages = (snapshot: Snapshot, images: ReadonlyMap<string, ImageState>): Snapshot => ({ ...snapshot, images })

export function forEachNode(snapshot: Snapshot, body: (node: NodeInfo) => void): void {
  for (const chunk of snapshot.chunks) for (const node of chunk.nodes) body(node)
}

export const allNodes = (snapshot: Snapshot): NodeInfo[] => snapshot.chunks.flatMap((c) => c.nodes)

const MEMO_LIMIT = 128

/** What `compute` says about a chunk, computed once per chunk and key. The key stands for everything that the result depends on besides the chunk. */
export function perChunk<T>(chunk: Chunk, key: string | object, compute: (nodes: readonly NodeInfo[]) => T): T {
  chunk.memo ??= new Map()
  let found = chunk.memo.get(key) as T | undefined
  if (found === undefined) {
    if (chunk.memo.size >= MEMO_LIMIT) chunk.memo.clear()
    found = compute(chunk.nodes)
    chunk.memo.set(key, found)
  }
  return found
}

/** A sum over all chunks that is kept from one snapshot to the next: only chunks that changed are counted anew. */
export interface RunningSum<P, T> {
  /** Of one chunk. Also the key's business: two sums of the same key count the same. */
  count(nodes: readonly NodeInfo[]): P
  empty(): T
  /** In place. */
  add(total: T, part: P, sign: 1 | -1): void
}

interface Slot {
  chunks: readonly Chunk[]
  total: unknown
}

const SLOT_LIMIT = 32
const slots = new WeakMap<Snapshot['index'], Map<string, Slot>>()

/** The sum for this snapshot. It is only good until the next call with the same key: callers read it within their cycle. */
export function runningSum<P, T>(snapshot: Snapshot, key: string, sum: RunningSum<P, T>): T {
  let byKey = slots.get(snapshot.index)
  if (!byKey) {
    byKey = new Map()
    slots.set(snapshot.index, byKey)
  }
  let slot = byKey.get(key)
  if (!slot) {
    if (byKey.size >= SLOT_LIMIT) byKey.clear()
    slot = { chunks: [], total: sum.empty() }
    byKey.set(key, slot)
  }
  const total = slot.total as T
  const { chunks } = snapshot
  if (slot.chunks !== chunks) {
    for (let i = 0; i < chunks.length; i++) {
      const before = slot.chunks[i]
      const now = chunks[i] as Chunk
      if (before === now) continue
      if (before) sum.add(total, perChunk(before, key, sum.count), -1)
      sum.add(total, perChunk(now, key, sum.count), 1)
    }
    slot.chunks = chunks
  }
  return total
}

/** Zones in the order in which they appeared, each with its nodes in the order in which they came. */
export type NodeTree = readonly { readonly zone: string; readonly nodes: readonly string[] }[]

/** GetZoneKey: region and zone, newer labels first. */
export function zoneKey(node: Node): string {
  const labels = node.metadata.labels
  const zone = getOwn(labels, LABEL_ZONE_BETA) ?? getOwn(labels, LABEL_ZONE) ?? ''
  const region = getOwn(labels, LABEL_REGION_BETA) ?? getOwn(labels, LABEL_REGION) ?? ''
  return zone === '' && region === '' ? '' : `${region}:\0:${zone}`
}

export function addToTree(tree: NodeTree, node: Node): NodeTree {
  const zone = zoneKey(node)
  const name = node.metadata.name as string
  if (!tree.some((z) => z.zone === zone)) return [...tree, { zone, nodes: [name] }]
  return tree.map((z) => (z.zone === zone && !z.nodes.includes(name) ? { zone, nodes: [...z.nodes, name] } : z))
}

export function removeFromTree(tree: NodeTree, node: Node): NodeTree {
  const zone = zoneKey(node)
  return tree
    .map((z) => (z.zone === zone ? { zone, nodes: z.nodes.filter((n) => n !== node.metadata.name) } : z))
    .filter((z) => z.nodes.length > 0)
}

/** nodeTree.list: one node of each zone in turn. */
export function listTree(tree: NodeTree): string[] {
  const out: string[] = []
  for (let i = 0, left = true; left; i++) {
    left = false
    for (const { nodes } of tree) {
      const name = nodes[i]
      if (name === undefined) continue
      out.push(name)
      left = true
    }
  }
  return out
}

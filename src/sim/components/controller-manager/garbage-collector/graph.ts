// The owner graph (pkg/controller/garbagecollector/graph_builder.go): nodes by uid, edges from owners to dependents. Owners that
// nobody has seen are virtual until the API server was asked.
import { deepEqual } from '../../../../lib/compare.ts'
import type { OwnerReference } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import type { InformerEvent } from '../../../client/informer.ts'
import type { Table } from '../../../engine/types.ts'
import type { Runtime } from '../runtime/types.ts'

export const ORPHAN_FINALIZER = 'orphan'
export const FOREGROUND_FINALIZER = 'foregroundDeletion'
export const DELETE_QUEUE = 'garbage-collector-controller'
export const ORPHAN_QUEUE = 'garbage-collector-controller/orphan'
/** Owners known to be gone: an LRU cache upstream. */
const ABSENT_ENTRIES = 500
export const INVALID_NAMESPACE = 'OwnerRefInvalidNamespace'

export interface Identity {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly uid: string
}

export interface GraphNode extends Identity {
  /** Only known from a reference. */
  readonly virtual: boolean
  readonly owners: readonly OwnerReference[]
  readonly dependents: number
  readonly beingDeleted: boolean
  readonly deletingDependents: boolean
}

const nodes = (rt: Runtime): Table<GraphNode> => rt.memory('nodes')
const edges = (rt: Runtime): Table<string> => rt.memory('edges')
const absent = (rt: Runtime): Table<number> => rt.memory('absent')

export const graphNode = (rt: Runtime, uid: string): GraphNode | undefined => nodes(rt).get(uid)

export function dependentsOf(rt: Runtime, uid: string): GraphNode[] {
  if ((nodes(rt).get(uid)?.dependents ?? 0) === 0) return []
  return edges(rt)
    .keysWithPrefix(`${uid}/`)
    .flatMap((edge) => nodes(rt).get(edges(rt).get(edge) as string) ?? [])
}

export const absentKey = (owner: Pick<OwnerReference, 'apiVersion' | 'kind' | 'name' | 'uid'>, namespace: string): string =>
  `${owner.apiVersion}|${owner.kind}|${namespace}|${owner.name}|${owner.uid}`
export const isAbsent = (rt: Runtime, key: string): boolean => absent(rt).has(key)
export function addAbsent(rt: Runtime, key: string): void {
  const table = absent(rt)
  const n = (table.get('') ?? 0) + 1
  table.put('', n)
  table.put(key, n)
  if (table.size > ABSENT_ENTRIES) {
    const oldest = table
      .entries()
      .filter(([k]) => k !== '')
      .sort(([, a], [, b]) => a - b)[0]
    if (oldest) table.delete(oldest[0])
  }
}

const identityOf = (o: KubeObject): Identity => ({
  apiVersion: o.apiVersion,
  kind: o.kind,
  namespace: o.metadata.namespace ?? '',
  name: o.metadata.name ?? '',
  uid: o.metadata.uid ?? '',
})
const sameIdentity = (a: Identity, b: Identity): boolean =>
  a.apiVersion === b.apiVersion && a.kind === b.kind && a.namespace === b.namespace && a.name === b.name

const isDeleting = (o: KubeObject | undefined): boolean => o?.metadata.deletionTimestamp !== undefined
export const hasFinalizer = (o: KubeObject | undefined, finalizer: string): boolean => o?.metadata.finalizers?.includes(finalizer) === true
const startsWaiting = (old: KubeObject | undefined, o: KubeObject, finalizer: string): boolean =>
  isDeleting(o) && hasFinalizer(o, finalizer) && !(isDeleting(old) && hasFinalizer(old, finalizer))

const addEdge = (rt: Runtime, owner: string, dependent: string): void => {
  const key = `${owner}/${dependent}`
  if (edges(rt).has(key)) return
  edges(rt).put(key, dependent)
  const node = nodes(rt).get(owner)
  if (node) nodes(rt).put(owner, { ...node, dependents: node.dependents + 1 })
}
const removeEdge = (rt: Runtime, owner: string, dependent: string): void => {
  const key = `${owner}/${dependent}`
  if (!edges(rt).has(key)) return
  edges(rt).delete(key)
  const node = nodes(rt).get(owner)
  if (node) nodes(rt).put(owner, { ...node, dependents: node.dependents - 1 })
}

function reportInvalidNamespace(rt: Runtime, node: GraphNode, ownerUid: string): void {
  const owner = node.owners.find((o) => o.uid === ownerUid)
  if (!owner) return
  const { apiVersion, kind, namespace, name, uid } = node
  rt.event({
    object: { apiVersion, kind, ...(namespace ? { namespace } : {}), name, uid },
    type: 'Warning',
    reason: INVALID_NAMESPACE,
    message: `ownerRef [${owner.apiVersion}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}] does not exist in namespace "${namespace}"`,
  })
}

function addToOwners(rt: Runtime, node: GraphNode, owners: readonly OwnerReference[]): void {
  let doubtful = false
  for (const owner of owners) {
    const known = nodes(rt).get(owner.uid)
    if (!known) {
      const { apiVersion, kind, name, uid } = owner
      nodes(rt).put(uid, {
        apiVersion,
        kind,
        name,
        uid,
        namespace: node.namespace,
        virtual: true,
        owners: [],
        dependents: 0,
        beingDeleted: false,
        deletingDependents: false,
      })
      addEdge(rt, uid, node.uid)
      rt.add(uid, DELETE_QUEUE)
      continue
    }
    addEdge(rt, owner.uid, node.uid)
    if (doubtful) continue
    if (known.namespace !== '' && known.namespace !== node.namespace) {
      if (!known.virtual) reportInvalidNamespace(rt, node, owner.uid)
      doubtful = true
    } else if (known.apiVersion !== owner.apiVersion || known.kind !== owner.kind || known.name !== owner.name) doubtful = true
    else if (known.namespace === '' && node.namespace !== '' && known.virtual) doubtful = true
  }
  if (doubtful) rt.add(node.uid, DELETE_QUEUE)
}

function processTransitions(rt: Runtime, old: KubeObject | undefined, o: KubeObject, uid: string): void {
  if (startsWaiting(old, o, ORPHAN_FINALIZER)) {
    rt.add(uid, ORPHAN_QUEUE)
    return
  }
  if (!startsWaiting(old, o, FOREGROUND_FINALIZER)) return
  const node = nodes(rt).get(uid)
  if (!node) return
  nodes(rt).put(uid, { ...node, deletingDependents: true })
  for (const dependent of dependentsOf(rt, uid)) rt.add(dependent.uid, DELETE_QUEUE)
  rt.add(uid, DELETE_QUEUE)
}

/** processGraphChanges for an event of an informer. */
export function applyEvent(rt: Runtime, { type, object, old }: InformerEvent): void {
  const identity = identityOf(object)
  const { uid } = identity
  if (type === 'DELETED') {
    removeNode(rt, uid, identity)
    return
  }
  // The name was taken by another object while nobody looked.
  if (old && old.metadata.uid !== uid) removeNode(rt, old.metadata.uid ?? '', identityOf(old))
  let node = nodes(rt).get(uid)
  const owners = object.metadata.ownerReferences ?? []
  if (!node) {
    node = {
      ...identity,
      virtual: false,
      owners,
      dependents: 0,
      beingDeleted: isDeleting(object),
      deletingDependents: isDeleting(object) && hasFinalizer(object, FOREGROUND_FINALIZER),
    }
    nodes(rt).put(uid, node)
    addToOwners(rt, node, owners)
    processTransitions(rt, undefined, object, uid)
    return
  }
  if (node.virtual) {
    const wrong = sameIdentity(node, identity)
      ? []
      : dependentsOf(rt, uid).filter(
          (d) =>
            !d.owners.some(
              (o) => o.uid === uid && o.apiVersion === identity.apiVersion && o.kind === identity.kind && o.name === identity.name,
            ) ||
            (identity.namespace !== '' && d.namespace !== identity.namespace),
        )
    for (const dependent of wrong) {
      if (identity.namespace !== '' && dependent.namespace !== identity.namespace) reportInvalidNamespace(rt, dependent, uid)
      rt.add(dependent.uid, DELETE_QUEUE)
    }
    node = { ...node, ...identity, virtual: false }
    nodes(rt).put(uid, node)
  }
  if (!deepEqual(node.owners, owners)) {
    const before = node.owners
    const removed = before.filter((o) => !owners.some((n) => n.uid === o.uid))
    const unblocked = before.filter(
      (o) => o.blockOwnerDeletion === true && owners.some((n) => n.uid === o.uid && n.blockOwnerDeletion !== true),
    )
    for (const owner of [...removed.filter((o) => o.blockOwnerDeletion === true), ...unblocked])
      if (nodes(rt).has(owner.uid)) rt.add(owner.uid, DELETE_QUEUE)
    node = { ...node, owners }
    nodes(rt).put(uid, node)
    addToOwners(
      rt,
      node,
      owners.filter((o) => !before.some((b) => b.uid === o.uid)),
    )
    for (const owner of removed) removeEdge(rt, owner.uid, uid)
    node = nodes(rt).get(uid) as GraphNode
  }
  if (isDeleting(object) && !node.beingDeleted) nodes(rt).put(uid, { ...node, beingDeleted: true })
  processTransitions(rt, old, object, uid)
}

function removeNode(rt: Runtime, uid: string, identity: Identity): void {
  const node = nodes(rt).get(uid)
  if (!node) return
  const dependents = dependentsOf(rt, uid)
  for (const dependent of dependents) edges(rt).delete(`${uid}/${dependent.uid}`)
  nodes(rt).delete(uid)
  for (const owner of node.owners) removeEdge(rt, owner.uid, uid)
  if (dependents.length > 0) addAbsent(rt, absentKey(identity, identity.namespace))
  for (const dependent of dependents) rt.add(dependent.uid, DELETE_QUEUE)
  for (const owner of node.owners) if (nodes(rt).get(owner.uid)?.deletingDependents) rt.add(owner.uid, DELETE_QUEUE)
}

/** A reference led to nothing: the virtual owner goes, unless its dependents disagree about who it is (then another spelling is tried). */
export function applyVirtualDelete(rt: Runtime, identity: Identity): void {
  const node = nodes(rt).get(identity.uid)
  if (!node) return
  if (!node.virtual) return
  const key = absentKey(identity, identity.namespace)
  const dependents = dependentsOf(rt, identity.uid)
  const matches = (d: GraphNode): boolean =>
    (identity.namespace === '' || d.namespace === identity.namespace) &&
    d.owners.some(
      (o) => o.uid === identity.uid && o.apiVersion === identity.apiVersion && o.kind === identity.kind && o.name === identity.name,
    )
  const other = dependents.find((d) => !matches(d))
  if (!other) {
    removeNode(rt, identity.uid, identity)
    return
  }
  // The owner may exist under other coordinates: those that match what was asked for are dealt with, the node takes the next spelling.
  addAbsent(rt, key)
  for (const dependent of dependents) if (matches(dependent)) rt.add(dependent.uid, DELETE_QUEUE)
  if (!sameIdentity(node, identity)) return
  const next = other.owners.find((o) => o.uid === identity.uid)
  if (!next || isAbsent(rt, absentKey(next, other.namespace))) return
  nodes(rt).put(identity.uid, { ...node, apiVersion: next.apiVersion, kind: next.kind, name: next.name, namespace: other.namespace })
  rt.add(identity.uid, DELETE_QUEUE)
}

// pkg/controller/garbagecollector/garbagecollector.go: what nobody owns any more goes; owners that wait for their dependents, or leave them
// behind, are let go when that is done.
import { deepEqual } from '../../../../lib/compare.ts'
import type { OwnerReference } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject, ObjectRef } from '../../../api/types/object.ts'
import { customResources, discovered } from '../runtime/discovered.ts'
import { collectionPath, RESOURCES, type Resource } from '../runtime/resources.ts'
import {
  call,
  calls,
  decided,
  effect,
  get,
  isConflict,
  isNotFound,
  MERGE_PATCH,
  must,
  patchCall,
  remove,
  SyncError,
} from '../runtime/steps.ts'
import type { ApiAnswer, Controller, Outcome, Runtime, Steps } from '../runtime/types.ts'
import {
  absentKey,
  addAbsent,
  applyEvent,
  applyVirtualDelete,
  DELETE_QUEUE,
  dependentsOf,
  FOREGROUND_FINALIZER,
  type GraphNode,
  graphNode,
  hasFinalizer,
  isAbsent,
  ORPHAN_FINALIZER,
  ORPHAN_QUEUE,
} from './graph.ts'

/** New resource types are looked for this often (garbageCollector.Sync). */
const RESYNC_MS = 30_000
const CONTROLLER = 'garbage-collector-controller'
const SERVICE_ACCOUNT = 'generic-garbage-collector'
const WORKERS = 20

/** Events are not collected: nobody owns them and they are many. */
const monitored = RESOURCES.filter((r) => r.plural !== 'events')
/** What the collector waits for; the rest of what it monitors may come later. */
const essential = [
  'pods',
  'replicasets',
  'deployments',
  'namespaces',
  'configmaps',
  'secrets',
  'services',
  'customresourcedefinitions',
  'jobs',
  'statefulsets',
  'daemonsets',
  'cronjobs',
  'controllerrevisions',
]

interface Observed {
  readonly node: GraphNode
  readonly resource: Resource | undefined
  readonly dependents: readonly GraphNode[]
}

const resourceFor = (rt: Runtime, apiVersion: string, kind: string): Resource | undefined => {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return discovered(rt).find((r) => r.group === group && r.kind === kind)
}

const observeNode = (uid: string, rt: Runtime): Observed | undefined => {
  const node = graphNode(rt, uid)
  return node ? { node, resource: resourceFor(rt, node.apiVersion, node.kind), dependents: dependentsOf(rt, uid) } : undefined
}

const shared = {
  controller: CONTROLLER,
  serviceAccount: SERVICE_ACCOUNT,
  eventSource: CONTROLLER,
  workers: WORKERS,
  qps: 40,
  burst: 60,
  on: {},
} as const

/** attemptToDelete: the queue of objects whose owners may be gone, of virtual owners, and of owners that wait for dependents. */
export const garbageCollector: Controller<Observed> = {
  ...shared,
  name: DELETE_QUEUE,
  informers: essential,
  start: (rt) => {
    for (const r of monitored) rt.watch(r.name, collectionPath(r))
  },
  onAny: (rt, event) => {
    if (event.informer !== 'events' && event.informer !== 'events.events.k8s.io') applyEvent(rt, event)
  },
  ticks: [
    {
      everyMs: RESYNC_MS,
      run(rt) {
        const watched = rt.memory<string>('custom')
        const found = customResources(rt)
        for (const r of found) {
          if (watched.has(r.name)) continue
          watched.put(r.name, collectionPath(r))
          rt.watch(r.name, collectionPath(r))
        }
        for (const name of watched.keys()) {
          if (found.some((r) => r.name === name)) continue
          watched.delete(name)
          rt.unwatch(name)
        }
      },
    },
  ],
  observe: observeNode,
  *reconcile({ node, resource, dependents }): Steps<Outcome | void> {
    if (node.beingDeleted && !node.deletingDependents) return
    if (!resource) throw new SyncError(`unable to get REST mapping for ${node.apiVersion}/${node.kind}.`)
    const answer = yield* get(resource, node.namespace, node.name)
    if (isNotFound(answer) || (answer.ok && (answer.body as KubeObject).metadata.uid !== node.uid)) {
      yield* effect((rt) => applyVirtualDelete(rt, node))
      return
    }
    const latest = must(answer)
    if (node.deletingDependents) {
      yield* processDeletingDependents(node, resource, dependents)
      return
    }
    const owners = latest.metadata.ownerReferences ?? []
    if (owners.length > 0) {
      const verdict = yield* classify(node, owners)
      if (verdict === undefined) return
      yield* settle(node, resource, latest, dependents, verdict)
    }
    // An owner known by name only is asked about again until an informer has seen it.
    if (node.virtual && (yield* effect((rt) => graphNode(rt, node.uid)?.virtual === true))) throw new SyncError('not observed yet')
  },
}

interface Verdict {
  readonly solid: readonly OwnerReference[]
  readonly dangling: readonly OwnerReference[]
  /** Owners that wait for their dependents to go. */
  readonly waiting: readonly OwnerReference[]
}

/** classifyReferences; nothing if a cluster-scoped object names a namespaced owner, which no retry can settle. */
function* classify(node: GraphNode, owners: readonly OwnerReference[]): Steps<Verdict | undefined> {
  const solid: OwnerReference[] = []
  const dangling: OwnerReference[] = []
  const waiting: OwnerReference[] = []
  for (const owner of owners) {
    const known = yield* effect((rt) => isAbsent(rt, absentKey(owner, '')) || isAbsent(rt, absentKey(owner, node.namespace)))
    if (known) {
      dangling.push(owner)
      continue
    }
    const resource = yield* effect((rt) => resourceFor(rt, owner.apiVersion, owner.kind) ?? null)
    if (!resource) throw new SyncError(`unable to get REST mapping for ${owner.apiVersion}/${owner.kind}.`)
    if (node.namespace === '' && resource.namespaced) return undefined
    const namespace = resource.namespaced ? node.namespace : ''
    const answer = yield* get(resource, namespace, owner.name)
    if (isNotFound(answer) || (answer.ok && (answer.body as KubeObject).metadata.uid !== owner.uid)) {
      yield* effect((rt) => addAbsent(rt, absentKey(owner, namespace)))
      dangling.push(owner)
      continue
    }
    const found = must(answer)
    if (found.metadata.deletionTimestamp !== undefined && hasFinalizer(found, FOREGROUND_FINALIZER)) waiting.push(owner)
    else solid.push(owner)
  }
  return { solid, dangling, waiting }
}

/** Keeps, relieves or deletes an object according to its owners. */
function* settle(
  node: GraphNode,
  resource: Resource,
  latest: KubeObject,
  dependents: readonly GraphNode[],
  { solid, dangling, waiting }: Verdict,
): Steps<void> {
  const facts = { solid: solid.length, absent: dangling.length, waiting: waiting.length }
  if (solid.length > 0) {
    if (dangling.length === 0 && waiting.length === 0) return
    yield* decided('drop references to absent owners', facts, refTo(node))
    yield* dropOwners(
      node,
      resource,
      [...dangling, ...waiting].map((o) => o.uid),
    )
    return
  }
  if (waiting.length > 0 && dependents.length > 0) {
    // A circle of objects that wait for each other is broken by no longer blocking.
    if (dependents.some((d) => d.deletingDependents)) yield* unblock(node, resource)
    yield* decided('delete with its dependents first', facts, refTo(node))
    yield* removeObject(node, resource, latest, 'Foreground')
    return
  }
  const policy = hasFinalizer(latest, ORPHAN_FINALIZER)
    ? 'Orphan'
    : hasFinalizer(latest, FOREGROUND_FINALIZER)
      ? 'Foreground'
      : 'Background'
  yield* decided('delete: no owner is left', facts, refTo(node))
  yield* removeObject(node, resource, latest, policy)
}

const refTo = ({ apiVersion, kind, namespace, name, uid }: GraphNode): ObjectRef => ({
  apiVersion,
  kind,
  ...(namespace ? { namespace } : {}),
  name,
  uid,
})

const object = (node: GraphNode): KubeObject => ({
  apiVersion: node.apiVersion,
  kind: node.kind,
  metadata: { name: node.name, namespace: node.namespace, uid: node.uid },
})

/** Strategic merge where the type has it, else a JSON merge patch of the whole list on the version just read. */
function* patchOwners(
  node: GraphNode,
  resource: Resource,
  strategic: object,
  change: (owners: readonly OwnerReference[]) => OwnerReference[],
): Steps<ApiAnswer> {
  const [answer] = yield* calls([patchCall(resource, object(node), strategic)])
  if (answer?.status !== 415) return answer as ApiAnswer
  const live = yield* get(resource, node.namespace, node.name)
  if (!live.ok) return live
  const { resourceVersion, ownerReferences = [] } = (live.body as KubeObject).metadata
  return yield* call(
    patchCall(resource, object(node), { metadata: { resourceVersion, ownerReferences: change(ownerReferences) } }, { type: MERGE_PATCH }),
  )
}

const dropPatch = (uid: string, owners: readonly string[]): object => ({
  metadata: { uid, ownerReferences: owners.map((o) => ({ $patch: 'delete', uid: o })) },
})

function* dropOwners(node: GraphNode, resource: Resource, uids: readonly string[]): Steps<void> {
  must(yield* patchOwners(node, resource, dropPatch(node.uid, uids), (owners) => owners.filter((o) => !uids.includes(o.uid))))
}

function* unblock(node: GraphNode, resource: Resource): Steps<void> {
  const released = (owners: readonly OwnerReference[]): OwnerReference[] => owners.map((o) => ({ ...o, blockOwnerDeletion: false }))
  must(yield* patchOwners(node, resource, { metadata: { uid: node.uid, ownerReferences: released(node.owners) } }, released))
}

function* removeObject(
  node: GraphNode,
  resource: Resource,
  latest: KubeObject,
  policy: 'Background' | 'Foreground' | 'Orphan',
): Steps<void> {
  const { resourceVersion = '', ownerReferences } = latest.metadata
  const options = { propagationPolicy: policy, preconditions: { uid: node.uid, resourceVersion } }
  let answer = yield* remove(resource, node.namespace, node.name, options)
  if (isConflict(answer)) {
    const live = yield* get(resource, node.namespace, node.name)
    if (isNotFound(live)) return
    const { uid, resourceVersion: now, ownerReferences: owners } = must(live).metadata
    // Changed in something else: its owners are still what was judged.
    if (uid === node.uid && now !== resourceVersion && deepEqual(owners, ownerReferences)) {
      answer = yield* remove(resource, node.namespace, node.name, { propagationPolicy: policy, preconditions: { uid: node.uid } })
    }
  }
  if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
}

function* processDeletingDependents(node: GraphNode, resource: Resource, dependents: readonly GraphNode[]): Steps<void> {
  const blocking = dependents.filter((d) => d.owners.some((o) => o.uid === node.uid && o.blockOwnerDeletion === true))
  if (blocking.length === 0) {
    yield* removeFinalizer(node, resource, FOREGROUND_FINALIZER)
    return
  }
  yield* effect((rt) => {
    for (const d of blocking) if (!d.deletingDependents) rt.add(d.uid, DELETE_QUEUE)
  })
}

function* removeFinalizer(node: GraphNode, resource: Resource, finalizer: string): Steps<void> {
  for (let i = 0; ; i++) {
    const answer = yield* get(resource, node.namespace, node.name)
    if (isNotFound(answer)) return
    const { finalizers = [], resourceVersion } = must(answer).metadata
    if (!finalizers.includes(finalizer)) return
    if (i === 0) yield* decided('release the owner', { finalizer }, refTo(node))
    const patched = yield* call(
      patchCall(
        resource,
        object(node),
        { metadata: { resourceVersion, finalizers: finalizers.filter((f) => f !== finalizer) } },
        { type: MERGE_PATCH },
      ),
    )
    if (patched.ok || isNotFound(patched)) return
    if (!isConflict(patched) || i >= 4) throw new SyncError(patched.message)
  }
}

/** attemptToOrphan: dependents lose the reference, then the owner its finalizer. */
export const orphanCollector: Controller<Observed> = {
  ...shared,
  name: ORPHAN_QUEUE,
  informers: garbageCollector.informers,
  observe: observeNode,
  *reconcile({ node, resource, dependents }): Steps<Outcome | void> {
    if (!resource) throw new SyncError(`unable to get REST mapping for ${node.apiVersion}/${node.kind}.`)
    if (dependents.length > 0) {
      yield* decided('leave the dependents behind', { dependents: dependents.length }, refTo(node))
      const resources = yield* effect((rt) => dependents.map((d) => resourceFor(rt, d.apiVersion, d.kind) ?? null))
      const answers = yield* calls(
        dependents.flatMap((d, i) => (resources[i] ? [patchCall(resources[i] as Resource, object(d), dropPatch(d.uid, [node.uid]))] : [])),
      )
      const errors: string[] = []
      for (const [i, answer] of answers.entries()) {
        if (answer.status === 415) {
          const d = dependents[i] as GraphNode
          const again = yield* patchOwners(d, resources[i] as Resource, dropPatch(d.uid, [node.uid]), (owners) =>
            owners.filter((o) => o.uid !== node.uid),
          )
          if (!again.ok && !isNotFound(again)) errors.push(again.message)
        } else if (!answer.ok && !isNotFound(answer)) errors.push(answer.message)
      }
      if (errors.length > 0)
        throw new SyncError(`orphanDependents for ${node.kind} ${node.namespace}/${node.name} failed, got errors: ${errors.join(', ')}`)
    }
    yield* removeFinalizer(node, resource, ORPHAN_FINALIZER)
  },
}

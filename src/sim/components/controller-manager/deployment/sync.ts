// sync.go: revisions, the new ReplicaSet, scaling, status.
import { deepEqual } from '../../../../lib/compare.ts'
import { copyOwn } from '../../../../lib/own.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { podTemplateHash } from '../../../api/hash.ts'
import { byCreation, controllerOf, ownerReference, refOf } from '../runtime/objects.ts'
import {
  create,
  decided,
  effect,
  event,
  isAlreadyExists,
  isNamespaceTerminating,
  isNotFound,
  must,
  remove,
  SyncError,
  update,
  updateStatus,
} from '../runtime/steps.ts'
import type { Env, Outcome, Steps } from '../runtime/types.ts'
import { DESIRED_REPLICAS, MESSAGE, POD_TEMPLATE_HASH, REASON, REVISION } from './constants.ts'
import {
  activeOrLatest,
  activeSets,
  annotatedReplicas,
  calculateStatus,
  equalIgnoreHash,
  findNew,
  getCondition,
  hasProgressDeadline,
  isRollingUpdate,
  isSaturated,
  maxSurge,
  newCondition,
  newSetAnnotations,
  newSetReplicas,
  proportion,
  replicasAnnotations,
  replicasOf,
  revisionOf,
  setCondition,
  type Status,
  sum,
  withAnnotations,
} from './util.ts'

/** The Deployment as this sync has changed it in memory (annotation, conditions), and its sets, the new one apart. */
export interface Sets {
  readonly deployment: KubeObject
  readonly newSet: KubeObject | undefined
  readonly olds: readonly KubeObject[]
}

export const all = (s: Pick<Sets, 'newSet' | 'olds'>): KubeObject[] => (s.newSet ? [...s.olds, s.newSet] : [...s.olds])

const withStatus = (d: KubeObject, status: Status): KubeObject => ({ ...d, status })

/** getAllReplicaSetsAndSyncRevision. */
export function* syncRevision(d: KubeObject, sets: readonly KubeObject[], mayCreate: boolean, env: Env): Steps<Sets> {
  const existing = findNew(d, sets)
  const olds = sets.filter((rs) => rs.metadata.uid !== existing?.metadata.uid)
  const revision = Math.max(0, ...olds.map(revisionOf)) + 1
  if (existing) {
    const annotated = newSetAnnotations(d, existing, revision, true)
    const minReady: number = d.spec?.minReadySeconds ?? 0
    if (annotated.changed || (existing.spec?.minReadySeconds ?? 0) !== minReady) {
      const spec = { ...existing.spec, minReadySeconds: minReady }
      const newSet = must(yield* update('replicasets', { ...annotated.object, spec }))
      return { deployment: d, newSet, olds }
    }
    const revised = withAnnotations(d, { [REVISION]: existing.metadata.annotations?.[REVISION] ?? '' })
    let next = revised.object
    let changed = revised.changed
    if (hasProgressDeadline(d) && !getCondition(d.status, 'Progressing')) {
      next = withStatus(
        next,
        setCondition(
          d.status ?? {},
          newCondition('Progressing', 'True', REASON.foundNewReplicaSet, `Found new replica set "${existing.metadata.name}"`, env.now),
        ),
      )
      changed = true
    }
    if (changed) must(yield* updateStatus('deployments', next))
    return { deployment: next, newSet: existing, olds }
  }
  if (!mayCreate) return { deployment: d, newSet: undefined, olds }
  return yield* createNewSet(d, olds, revision, env)
}

function* createNewSet(d: KubeObject, olds: readonly KubeObject[], revision: number, env: Env): Steps<Sets> {
  const hash = podTemplateHash(d.spec.template, d.status?.collisionCount)
  const labels = copyOwn<string>(d.spec.template.metadata?.labels ?? {})
  labels[POD_TEMPLATE_HASH] = hash
  const { matchLabels, ...selector } = d.spec.selector
  const blank: KubeObject = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name: `${d.metadata.name}-${hash}`, namespace: d.metadata.namespace ?? '', labels, ownerReferences: [ownerReference(d)] },
    spec: {
      replicas: 0,
      ...(d.spec.minReadySeconds ? { minReadySeconds: d.spec.minReadySeconds } : {}),
      selector: { ...selector, matchLabels: { ...copyOwn(matchLabels ?? {}), [POD_TEMPLATE_HASH]: hash } },
      template: { ...d.spec.template, metadata: { ...d.spec.template.metadata, labels } },
    },
  }
  const replicas = newSetReplicas(d, [...olds, blank], blank)
  const wanted = newSetAnnotations(d, { ...blank, spec: { ...blank.spec, replicas } }, revision, false).object
  yield* decided('create the new replica set', { name: wanted.metadata.name ?? '', revision, replicas }, refOf(wanted))
  const answer = yield* create('replicasets', d.metadata.namespace, wanted)
  let newSet: KubeObject
  let existed = false
  if (answer.ok) newSet = answer.body
  else if (isAlreadyExists(answer)) {
    const found = yield* effect((rt) => rt.get('replicasets', `${d.metadata.namespace}/${wanted.metadata.name}`))
    if (!found) throw new SyncError(`replicasets.apps "${wanted.metadata.name}" not found`)
    if (controllerOf(found)?.uid !== d.metadata.uid || !equalIgnoreHash(d.spec.template, found.spec.template)) {
      // Another object has the name: the next sync hashes with a raised collision count.
      yield* updateStatus('deployments', withStatus(d, { ...d.status, collisionCount: (d.status?.collisionCount ?? 0) + 1 }))
      throw new SyncError(answer.message)
    }
    newSet = found
    existed = true
  } else {
    if (!isNamespaceTerminating(answer)) {
      const message = `Failed to create new replica set "${wanted.metadata.name}": ${answer.message}`
      if (hasProgressDeadline(d))
        yield* updateStatus(
          'deployments',
          withStatus(d, setCondition(d.status ?? {}, newCondition('Progressing', 'False', REASON.failedCreate, message, env.now))),
        )
      yield* event(d, 'Warning', REASON.failedCreate, message)
    }
    throw new SyncError(answer.message)
  }
  if (!existed && replicas > 0)
    yield* event(d, 'Normal', REASON.scaling, `Scaled up replica set ${newSet.metadata.name} from 0 to ${replicas}`)
  const revised = withAnnotations(d, { [REVISION]: String(revision) })
  let next = revised.object
  let changed = revised.changed
  if (!existed && hasProgressDeadline(d)) {
    next = withStatus(
      next,
      setCondition(
        d.status ?? {},
        newCondition('Progressing', 'True', REASON.newReplicaSet, `Created new replica set "${newSet.metadata.name}"`, env.now),
      ),
    )
    changed = true
  }
  if (changed) must(yield* updateStatus('deployments', next))
  return { deployment: next, newSet, olds }
}

export interface Scaled {
  readonly set: KubeObject
  readonly scaled: boolean
}

/** scaleReplicaSet: replicas and the annotations that remember what they were sized for. */
export function* scaleSet(d: KubeObject, rs: KubeObject, to: number): Steps<Scaled> {
  const from = replicasOf(rs)
  const annotated = withAnnotations(rs, replicasAnnotations(replicasOf(d), replicasOf(d) + maxSurge(d)))
  if (from === to && !annotated.changed) return { set: rs, scaled: false }
  if (from !== to) yield* decided(from < to ? 'scale up' : 'scale down', { replicaSet: rs.metadata.name ?? '', from, to }, refOf(rs))
  const set = must(yield* update('replicasets', { ...annotated.object, spec: { ...rs.spec, replicas: to } }))
  if (from === to) return { set, scaled: false }
  yield* event(d, 'Normal', REASON.scaling, `Scaled ${from < to ? 'up' : 'down'} replica set ${rs.metadata.name} from ${from} to ${to}`)
  return { set, scaled: true }
}

/** scaleReplicaSetAndRecordEvent: nothing if the size is right already. */
export function* scaleTo(d: KubeObject, rs: KubeObject, to: number): Steps<Scaled> {
  return replicasOf(rs) === to ? { set: rs, scaled: false } : yield* scaleSet(d, rs, to)
}

/** isScalingEvent: an active set was sized for another number of replicas. */
export function* isScalingEvent(d: KubeObject, sets: readonly KubeObject[], env: Env): Steps<{ found: boolean; deployment: KubeObject }> {
  const synced = yield* syncRevision(d, sets, false, env)
  const found = activeSets(all(synced)).some((rs) => {
    const desired = annotatedReplicas(rs, DESIRED_REPLICAS)
    return desired !== undefined && desired !== replicasOf(d)
  })
  return { found, deployment: synced.deployment }
}

/** sync: what a paused or just scaled Deployment does. */
export function* scaleAndSync(d: KubeObject, sets: readonly KubeObject[], env: Env): Steps<Outcome | void> {
  const synced = yield* syncRevision(d, sets, false, env)
  yield* scale(synced)
  if (d.spec?.paused) yield* cleanup(synced.deployment, synced.olds)
  yield* syncStatus(synced, env)
}

function* scale({ deployment: d, newSet, olds }: Sets): Steps<void> {
  const only = activeOrLatest(newSet, olds)
  if (only) {
    yield* scaleTo(d, only, replicasOf(d))
    return
  }
  if (isSaturated(d, newSet)) {
    for (const old of activeSets(olds)) yield* scaleTo(d, old, 0)
    return
  }
  if (!isRollingUpdate(d)) return
  const active = activeSets(all({ newSet, olds }))
  const allowed = replicasOf(d) > 0 ? replicasOf(d) + maxSurge(d) : 0
  const toAdd = allowed - sum(active, replicasOf)
  // The largest first; of equals the newer when growing, the older when shrinking.
  if (toAdd > 0) active.sort((a, b) => replicasOf(b) - replicasOf(a) || byCreation(b, a))
  else if (toAdd < 0) active.sort((a, b) => replicasOf(b) - replicasOf(a) || byCreation(a, b))
  let added = 0
  const sizes = active.map((rs) => {
    const share = toAdd === 0 ? 0 : proportion(rs, d, toAdd, added)
    added += share
    return replicasOf(rs) + share
  })
  if (toAdd !== 0) yield* decided('scale in proportion', { allowed, toAdd })
  for (const [i, rs] of active.entries()) {
    const leftover = i === 0 ? toAdd - added : 0
    yield* scaleSet(d, rs, Math.max(0, (sizes[i] as number) + leftover))
  }
}

/** cleanupDeployment: old sets beyond the history limit, the lowest revisions first. */
export function* cleanup(d: KubeObject, olds: readonly KubeObject[]): Steps<void> {
  const limit: number | undefined = d.spec?.revisionHistoryLimit
  if (limit === undefined || limit === 2147483647) return
  const alive = olds.filter((rs) => rs.metadata.deletionTimestamp === undefined)
  const surplus = alive.length - limit
  if (surplus <= 0) return
  const oldest = alive.sort((a, b) => revisionOf(a) - revisionOf(b) || byCreation(a, b)).slice(0, surplus)
  for (const rs of oldest) {
    if ((rs.status?.replicas ?? 0) !== 0 || replicasOf(rs) !== 0 || (rs.metadata.generation ?? 0) > (rs.status?.observedGeneration ?? 0))
      continue
    yield* decided('remove an old replica set', { name: rs.metadata.name ?? '', limit }, refOf(rs))
    const answer = yield* remove('replicasets', rs.metadata.namespace, rs.metadata.name ?? '')
    if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
  }
}

/** syncDeploymentStatus. */
export function* syncStatus(synced: Sets, env: Env): Steps<void> {
  const { deployment: d, newSet } = synced
  const status = calculateStatus(d, all(synced), newSet, env.now)
  if (!deepEqual(d.status ?? {}, status)) must(yield* updateStatus('deployments', withStatus(d, status)))
}

export function* syncStatusOnly(d: KubeObject, sets: readonly KubeObject[], env: Env): Steps<void> {
  yield* syncStatus(yield* syncRevision(d, sets, false, env), env)
}

/** checkPausedConditions. */
export function* checkPaused(d: KubeObject, env: Env): Steps<KubeObject> {
  if (!hasProgressDeadline(d)) return d
  const current = getCondition(d.status, 'Progressing')
  if (current?.reason === REASON.timedOut) return d
  const shown = current?.reason === REASON.paused
  const paused = d.spec?.paused === true
  if (paused === shown) return d
  const [reason, message] = paused ? [REASON.paused, MESSAGE.paused] : [REASON.resumed, MESSAGE.resumed]
  const next = withStatus(d, setCondition(d.status ?? {}, newCondition('Progressing', 'Unknown', reason, message, env.now)))
  must(yield* updateStatus('deployments', next))
  return next
}

// Readings and arithmetic of pkg/controller/deployment/util/deployment_util.go.
import { deepEqual } from '../../../../lib/compare.ts'
import { copyOwn, getOwn, setOwn } from '../../../../lib/own.ts'
import type { Deployment, DeploymentCondition } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime, parseApiTime } from '../../../client/time.ts'
import { scaledIntOrPercent } from '../../../api/intstr.ts'
import { nonZero } from '../runtime/numbers.ts'
import { byCreation, condition } from '../runtime/objects.ts'
import {
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  MAX_REVISION_HISTORY_CHARS,
  MESSAGE,
  NOT_COPIED,
  POD_TEMPLATE_HASH,
  REASON,
  REVISION,
  REVISION_HISTORY,
} from './constants.ts'

export type Status = NonNullable<Deployment['status']>

export const replicasOf = (o: KubeObject): number => o.spec?.replicas ?? 0
export const availableOf = (rs: KubeObject): number => rs.status?.availableReplicas ?? 0
export const sum = (sets: readonly KubeObject[], count: (rs: KubeObject) => number): number => sets.reduce((n, rs) => n + count(rs), 0)
export const activeSets = (sets: readonly KubeObject[]): KubeObject[] => sets.filter((rs) => replicasOf(rs) > 0)
export const isRollingUpdate = (d: KubeObject): boolean => d.spec?.strategy?.type === 'RollingUpdate'
export const hasProgressDeadline = (d: KubeObject): boolean =>
  d.spec?.progressDeadlineSeconds !== undefined && d.spec.progressDeadlineSeconds !== 2147483647

/** ResolveFenceposts: surge rounds up, unavailable rounds down, and both zero would stand still. */
export function fenceposts(d: KubeObject): { surge: number; unavailable: number } {
  const { maxSurge, maxUnavailable } = d.spec?.strategy?.rollingUpdate ?? {}
  const surge = scaledIntOrPercent(maxSurge, replicasOf(d), true)
  const unavailable = scaledIntOrPercent(maxUnavailable, replicasOf(d), false)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}
export const maxSurge = (d: KubeObject): number => (isRollingUpdate(d) ? fenceposts(d).surge : 0)
export const maxUnavailable = (d: KubeObject): number =>
  !isRollingUpdate(d) || replicasOf(d) === 0 ? 0 : Math.min(fenceposts(d).unavailable, replicasOf(d))

const withoutHash = (template: { metadata?: { labels?: Record<string, string> } }): unknown => {
  const labels = { ...template.metadata?.labels }
  delete labels[POD_TEMPLATE_HASH]
  return { ...template, metadata: { ...template.metadata, labels } }
}
const sameTemplate = new WeakMap<object, WeakMap<object, boolean>>()
/** EqualIgnoreHash. Remembered per pair: templates are immutable and compared at every sync. */
export function equalIgnoreHash(a: object, b: object): boolean {
  let known = sameTemplate.get(a)
  if (!known) {
    known = new WeakMap()
    sameTemplate.set(a, known)
  }
  const old = known.get(b)
  if (old !== undefined) return old
  const equal = deepEqual(withoutHash(a), withoutHash(b))
  known.set(b, equal)
  return equal
}

/** FindNewReplicaSet: the oldest whose template is the Deployment's. */
export const findNew = (d: KubeObject, sets: readonly KubeObject[]): KubeObject | undefined =>
  [...sets].sort(byCreation).find((rs) => equalIgnoreHash(rs.spec.template, d.spec.template))

const number = (text: string | undefined): number => (text !== undefined && /^-?\d+$/.test(text) ? Number(text) : 0)
export const revisionOf = (o: KubeObject): number => number(o.metadata.annotations?.[REVISION])
export const annotatedReplicas = (rs: KubeObject, annotation: string): number | undefined => {
  const text = rs.metadata.annotations?.[annotation]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

export interface Annotated {
  readonly object: KubeObject
  readonly changed: boolean
}

export function withAnnotations(object: KubeObject, wanted: Readonly<Record<string, string>>): Annotated {
  const annotations = copyOwn(object.metadata.annotations ?? {})
  let changed = false
  for (const [key, value] of Object.entries(wanted)) {
    if (getOwn(annotations, key) === value) continue
    setOwn(annotations, key, value)
    changed = true
  }
  return { object: changed ? { ...object, metadata: { ...object.metadata, annotations } } : object, changed }
}

export const replicasAnnotations = (desired: number, max: number): Record<string, string> => ({
  [DESIRED_REPLICAS]: String(desired),
  [MAX_REPLICAS]: String(max),
})

/** SetNewReplicaSetAnnotations. */
export function newSetAnnotations(d: KubeObject, rs: KubeObject, revision: number, exists: boolean): Annotated {
  const wanted: Record<string, string> = {}
  for (const [key, value] of Object.entries(d.metadata.annotations ?? {})) if (!NOT_COPIED.includes(key)) setOwn(wanted, key, value)
  const old = rs.metadata.annotations?.[REVISION]
  if (revisionOf(rs) < revision) {
    wanted[REVISION] = String(revision)
    // Rolled back to: the revision it had is part of its history.
    if (old !== undefined) {
      const history = rs.metadata.annotations?.[REVISION_HISTORY] ?? ''
      const past = history === '' ? [] : history.split(',')
      let length = history.length + old.length + 1
      let start = 0
      while (past.length > 0 && length > MAX_REVISION_HISTORY_CHARS && start < past.length) length -= (past[start++]?.length ?? 0) + 1
      if (past.length === 0 || length <= MAX_REVISION_HISTORY_CHARS) wanted[REVISION_HISTORY] = [...past.slice(start), old].join(',')
    }
  }
  if (!exists) Object.assign(wanted, replicasAnnotations(replicasOf(d), replicasOf(d) + maxSurge(d)))
  return withAnnotations(rs, wanted)
}

export const newCondition = (type: string, status: string, reason: string, message: string, now: number): DeploymentCondition => ({
  type,
  status,
  lastUpdateTime: apiTime(now),
  lastTransitionTime: apiTime(now),
  reason,
  message,
})

export const getCondition = (status: Status | undefined, type: string): DeploymentCondition | undefined =>
  condition(status?.conditions as DeploymentCondition[] | undefined, type)

/** SetDeploymentCondition: the same status and reason change nothing; otherwise it goes to the end of the list. */
export function setCondition(status: Status, next: DeploymentCondition): Status {
  const current = getCondition(status, next.type)
  if (current && current.status === next.status && current.reason === next.reason) return status
  const kept =
    current && current.status === next.status
      ? { ...next, ...(current.lastTransitionTime ? { lastTransitionTime: current.lastTransitionTime } : {}) }
      : next
  return { ...status, conditions: [...(status.conditions ?? []).filter((c) => c.type !== next.type), kept] }
}

export function removeCondition(status: Status, type: string): Status {
  const conditions = (status.conditions ?? []).filter((c) => c.type !== type)
  if (conditions.length === (status.conditions ?? []).length) return status
  const { conditions: _, ...rest } = status
  return conditions.length > 0 ? { ...rest, conditions } : rest
}

/** calculateStatus of sync.go. */
export function calculateStatus(d: KubeObject, sets: readonly KubeObject[], newSet: KubeObject | undefined, now: number): Status {
  const available = sum(sets, availableOf)
  const terminating = sets.some((rs) => rs.status?.terminatingReplicas === undefined)
    ? undefined
    : sum(sets, (rs) => rs.status.terminatingReplicas)
  const old = d.status as Status | undefined
  const status: Status = {
    ...nonZero({
      observedGeneration: d.metadata.generation,
      replicas: sum(sets, (rs) => rs.status?.replicas ?? 0),
      updatedReplicas: newSet?.status?.replicas,
      readyReplicas: sum(sets, (rs) => rs.status?.readyReplicas ?? 0),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, sum(sets, replicasOf) - available),
    }),
    ...(terminating === undefined ? {} : { terminatingReplicas: terminating }),
    ...(old?.collisionCount === undefined ? {} : { collisionCount: old.collisionCount }),
    ...(old?.conditions ? { conditions: old.conditions } : {}),
  }
  const enough = available >= replicasOf(d) - maxUnavailable(d)
  return setCondition(
    status,
    enough
      ? newCondition('Available', 'True', REASON.minimumAvailable, MESSAGE.available, now)
      : newCondition('Available', 'False', REASON.minimumUnavailable, MESSAGE.unavailable, now),
  )
}

export const isComplete = (d: KubeObject, status: Status): boolean => {
  const want = replicasOf(d)
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = status
  return updatedReplicas === want && replicas === want && availableReplicas === want && observedGeneration >= (d.metadata.generation ?? 0)
}

export const isProgressing = (d: KubeObject, status: Status): boolean => {
  const old = (d.status ?? {}) as Status
  const olds = (s: Status): number => (s.replicas ?? 0) - (s.updatedReplicas ?? 0)
  return (
    (status.updatedReplicas ?? 0) > (old.updatedReplicas ?? 0) ||
    olds(status) < olds(old) ||
    (status.readyReplicas ?? 0) > (old.readyReplicas ?? 0) ||
    (status.availableReplicas ?? 0) > (old.availableReplicas ?? 0)
  )
}

/** Virtual ms at which the rollout counts as stuck unless it makes progress. */
export const deadlineAt = (d: KubeObject, current: DeploymentCondition): number =>
  (parseApiTime(current.lastUpdateTime) ?? 0) + Number(d.spec.progressDeadlineSeconds) * 1000

export const isTimedOut = (d: KubeObject, status: Status, now: number): boolean => {
  if (!hasProgressDeadline(d)) return false
  const current = getCondition(status, 'Progressing')
  if (!current || current.reason === REASON.newAvailable) return false
  return current.reason === REASON.timedOut || deadlineAt(d, current) < now
}

/** IsSaturated. */
export const isSaturated = (d: KubeObject, rs: KubeObject | undefined): boolean =>
  rs !== undefined &&
  annotatedReplicas(rs, DESIRED_REPLICAS) === replicasOf(d) &&
  replicasOf(rs) === replicasOf(d) &&
  availableOf(rs) === replicasOf(d)

/** FindActiveOrLatest: the only set with replicas, or the latest if none has any. */
export function activeOrLatest(newSet: KubeObject | undefined, olds: readonly KubeObject[]): KubeObject | undefined {
  if (!newSet && olds.length === 0) return undefined
  const active = activeSets(newSet ? [...olds, newSet] : olds)
  if (active.length > 1) return undefined
  return active[0] ?? newSet ?? [...olds].sort(byCreation).at(-1)
}

/** NewRSNewReplicas: how large the new set may be now. */
export function newSetReplicas(d: KubeObject, sets: readonly KubeObject[], newSet: KubeObject): number {
  if (!isRollingUpdate(d)) return replicasOf(d)
  const room = replicasOf(d) + scaledIntOrPercent(d.spec.strategy.rollingUpdate?.maxSurge, replicasOf(d), true) - sum(sets, replicasOf)
  return room <= 0 ? replicasOf(newSet) : replicasOf(newSet) + Math.min(room, replicasOf(d) - replicasOf(newSet))
}

const round = (x: number): number => (x < 0 ? Math.trunc(x - 0.5) : Math.trunc(x + 0.5))

/** GetReplicaSetProportion: the share of one set in what is to be added or removed while a rollout is under way. */
export function proportion(rs: KubeObject, d: KubeObject, toAdd: number, added: number): number {
  const size = replicasOf(rs)
  if (size === 0 || toAdd === 0 || toAdd === added) return 0
  const fraction = (): number => {
    if (replicasOf(d) === 0) return -size
    const before = annotatedReplicas(rs, MAX_REPLICAS) || (d.status?.replicas ?? 0)
    return before === 0 ? 0 : round((size * (replicasOf(d) + maxSurge(d))) / before) - size
  }
  const allowed = toAdd - added
  return toAdd > 0 ? Math.min(fraction(), allowed) : Math.max(fraction(), allowed)
}

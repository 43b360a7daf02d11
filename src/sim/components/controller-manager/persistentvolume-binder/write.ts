// Changes of claims and volumes. What was written is remembered until the cache has it: upstream's controller keeps its own copy too.
import type { KubeObject } from '../../../api/types/object.ts'
import { keyOf } from '../runtime/objects.ts'
import { decided, effect, event, must, update, updateStatus } from '../runtime/steps.ts'
import type { Runtime, Steps } from '../runtime/types.ts'
import { BIND_COMPLETED, BOUND_BY_CONTROLLER, hasAnnotation, isBoundTo } from './match.ts'

export const CLAIMS = 'persistentvolumeclaims'
export const VOLUMES = 'persistentvolumes'

const revision = (o: KubeObject | undefined): number => Number(o?.metadata.resourceVersion ?? 0)

/** The newer of what the cache has and what was written. */
export function latest(rt: Runtime, informer: string, key: string): KubeObject | undefined {
  const cached = rt.get(informer, key)
  const written = rt.memory<KubeObject>(informer).get(key)
  return cached && written && cached.metadata.uid === written.metadata.uid && revision(written) > revision(cached) ? written : cached
}
export const latestList = (rt: Runtime, informer: string): KubeObject[] =>
  rt.list(informer).flatMap((o) => latest(rt, informer, keyOf(o)) ?? [])
export const seen = (rt: Runtime, informer: string, key: string, object: KubeObject | undefined): void => {
  const written = rt.memory<KubeObject>(informer).get(key)
  if (written && (!object || revision(object) >= revision(written))) rt.memory(informer).delete(key)
}

const remember = (informer: string, object: KubeObject): Steps<void> =>
  effect((rt) => rt.memory<KubeObject>(informer).put(keyOf(object), object))

function* save(informer: string, object: KubeObject): Steps<KubeObject> {
  const saved = must(yield* update(informer, object))
  yield* remember(informer, saved)
  return saved
}
function* saveStatus(informer: string, object: KubeObject): Steps<KubeObject> {
  const saved = must(yield* updateStatus(informer, object))
  yield* remember(informer, saved)
  return saved
}

export function* volumePhase(volume: KubeObject, phase: string, message = ''): Steps<KubeObject> {
  if (volume.status?.phase === phase && (volume.status?.message ?? '') === message) return volume
  const { message: _, ...status } = volume.status ?? {}
  return yield* saveStatus(VOLUMES, { ...volume, status: { ...status, phase, ...(message ? { message } : {}) } })
}

export function* volumePhaseWithEvent(
  volume: KubeObject,
  phase: string,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
): Steps<void> {
  if (volume.status?.phase === phase) return
  const saved = yield* volumePhase(volume, phase, message)
  yield* event(saved, type, reason, message)
}

export function* claimPhase(claim: KubeObject, phase: string, volume?: KubeObject): Steps<KubeObject> {
  const { accessModes, capacity, ...rest } = claim.status ?? {}
  const changed = claim.status?.phase !== phase
  const modes: string[] = volume?.spec?.accessModes ?? []
  const size: string | undefined = volume?.spec?.capacity?.storage
  // The capacity is told when the claim becomes bound; later it follows expansion.
  const wanted = volume
    ? { accessModes: modes, capacity: changed || !capacity ? (size === undefined ? undefined : { storage: size }) : capacity }
    : { accessModes: undefined, capacity: undefined }
  const same =
    !changed &&
    JSON.stringify(accessModes ?? []) === JSON.stringify(wanted.accessModes ?? []) &&
    JSON.stringify(capacity ?? null) === JSON.stringify(wanted.capacity ?? null)
  if (same) return claim
  const status = {
    ...rest,
    phase,
    ...(wanted.accessModes ? { accessModes: wanted.accessModes } : {}),
    ...(wanted.capacity ? { capacity: wanted.capacity } : {}),
  }
  return yield* saveStatus(CLAIMS, { ...claim, status })
}

const annotated = (o: KubeObject, annotations: Readonly<Record<string, string>>): KubeObject => ({
  ...o,
  metadata: { ...o.metadata, annotations: { ...o.metadata.annotations, ...annotations } },
})

export const claimReference = (claim: KubeObject): object => ({
  kind: 'PersistentVolumeClaim',
  namespace: claim.metadata.namespace,
  name: claim.metadata.name,
  uid: claim.metadata.uid,
  apiVersion: 'v1',
  resourceVersion: claim.metadata.resourceVersion,
})

/** bind: the volume first, then the claim; each half can be done again. */
export function* bind(volume: KubeObject, claim: KubeObject): Steps<void> {
  const ref = volume.spec?.claimRef
  let v = volume
  if (!ref || ref.name !== claim.metadata.name || ref.namespace !== claim.metadata.namespace || ref.uid !== claim.metadata.uid) {
    yield* decided('bind', { volume: volume.metadata.name ?? '', claim: keyOf(claim) })
    const chosen = !isBoundTo(volume, claim) && !hasAnnotation(volume, BOUND_BY_CONTROLLER)
    v = yield* save(
      VOLUMES,
      annotated({ ...volume, spec: { ...volume.spec, claimRef: claimReference(claim) } }, chosen ? { [BOUND_BY_CONTROLLER]: 'yes' } : {}),
    )
  }
  v = yield* volumePhase(v, 'Bound')
  let c = claim
  if (claim.spec?.volumeName !== v.metadata.name || !hasAnnotation(claim, BIND_COMPLETED)) {
    const chosen = claim.spec?.volumeName !== v.metadata.name && !hasAnnotation(claim, BOUND_BY_CONTROLLER)
    c = yield* save(
      CLAIMS,
      annotated(
        { ...claim, spec: { ...claim.spec, volumeName: v.metadata.name } },
        { [BIND_COMPLETED]: 'yes', ...(chosen ? { [BOUND_BY_CONTROLLER]: 'yes' } : {}) },
      ),
    )
  }
  yield* claimPhase(c, 'Bound', v)
}

/** unbindVolume: what the controller bound it gives back; a reservation made by hand stays, without the uid. */
export function* unbind(volume: KubeObject): Steps<void> {
  const { claimRef, ...spec } = volume.spec
  let next: KubeObject
  if (hasAnnotation(volume, BOUND_BY_CONTROLLER)) {
    const { [BOUND_BY_CONTROLLER]: _, ...annotations } = volume.metadata.annotations ?? {}
    next = { ...volume, spec, metadata: { ...volume.metadata, annotations } }
  } else {
    const { uid: _, ...ref } = claimRef
    next = { ...volume, spec: { ...spec, claimRef: ref } }
  }
  yield* decided('unbind', { volume: volume.metadata.name ?? '' })
  yield* volumePhase(yield* save(VOLUMES, next), 'Available')
}

export { save }

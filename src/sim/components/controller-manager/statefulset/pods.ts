// StatefulPodControl (stateful_pod_control.go): claims and pods of a set, and the events about them.
import type { KubeObject } from '../../../api/types/object.ts'
import { create, effect, event, isAlreadyExists, isConflict, isNotFound, must, remove, SyncError, update } from '../runtime/steps.ts'
import type { ApiAnswer, Steps } from '../runtime/types.ts'
import { claimsFor, ordinalOf, repaired } from './identity.ts'
import { claimMatches, isStale, withOwners } from './retention.ts'

const VERBS = { create: 'Create', delete: 'Delete', update: 'Update' } as const
type Verb = keyof typeof VERBS

function* podEvent(verb: Verb, set: KubeObject, pod: KubeObject, error?: string): Steps<void> {
  const what = `${VERBS[verb]} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`
  if (error === undefined) yield* event(set, 'Normal', `Successful${VERBS[verb]}`, `${what} successful`)
  else yield* event(set, 'Warning', `Failed${VERBS[verb]}`, `${what} failed error: ${error}`)
}

export function* createClaims(set: KubeObject, pod: KubeObject): Steps<void> {
  const errors: string[] = []
  for (const claim of claimsFor(set, ordinalOf(pod))) {
    const { name = '', namespace } = claim.metadata
    const cached = yield* effect((rt) => rt.get('persistentvolumeclaims', `${namespace}/${name}`) ?? null)
    if (cached) {
      if (cached.metadata.deletionTimestamp) errors.push(`pvc ${name} is being deleted`)
      continue
    }
    const answer = yield* create('persistentvolumeclaims', namespace, claim)
    if (!answer.ok) errors.push(`failed to create PVC ${name}: ${answer.message}`)
    const what = `Create Claim ${name} Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name}`
    if (answer.ok) yield* event(set, 'Normal', 'SuccessfulCreate', `${what} success`)
    else if (!isAlreadyExists(answer)) yield* event(set, 'Warning', 'FailedCreate', `${what} failed error: ${answer.message}`)
  }
  if (errors.length > 0) throw new SyncError(errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]`)
}

/** A claim that is still owned by an earlier pod of this name waits for the garbage collector. */
export function* hasStaleClaim(set: KubeObject, pod: KubeObject): Steps<boolean> {
  return yield* effect((rt) =>
    claimsFor(set, ordinalOf(pod)).some((c) => {
      const cached = rt.get('persistentvolumeclaims', `${c.metadata.namespace}/${c.metadata.name}`)
      return cached !== undefined && isStale(cached, pod.metadata.name ?? '', pod.metadata.uid)
    }),
  )
}

export function* createPod(set: KubeObject, pod: KubeObject): Steps<void> {
  try {
    yield* createClaims(set, pod)
  } catch (thrown) {
    if (thrown instanceof SyncError) yield* podEvent('create', set, pod, thrown.message)
    throw thrown
  }
  const answer = yield* create('pods', set.metadata.namespace, pod)
  if (isAlreadyExists(answer)) throw new SyncError(answer.message)
  if (answer.ok) yield* updateClaimOwners(set, answer.body as KubeObject)
  yield* podEvent('create', set, pod, answer.ok ? undefined : answer.message)
  must(answer)
}

export function* deletePod(set: KubeObject, pod: KubeObject): Steps<ApiAnswer> {
  const answer = yield* remove('pods', pod.metadata.namespace, pod.metadata.name ?? '')
  yield* podEvent('delete', set, pod, answer.ok ? undefined : answer.message)
  return answer
}

export function* claimsMatch(set: KubeObject, pod: KubeObject): Steps<boolean> {
  return yield* effect((rt) =>
    claimsFor(set, ordinalOf(pod)).every((c) => {
      const cached = rt.get('persistentvolumeclaims', `${c.metadata.namespace}/${c.metadata.name}`)
      return cached === undefined || claimMatches(set, pod, cached)
    }),
  )
}

export function* updateClaimOwners(set: KubeObject, pod: KubeObject): Steps<void> {
  for (const claim of claimsFor(set, ordinalOf(pod))) {
    const cached = yield* effect((rt) => rt.get('persistentvolumeclaims', `${claim.metadata.namespace}/${claim.metadata.name}`) ?? null)
    if (!cached || claimMatches(set, pod, cached)) continue
    const answer = yield* update('persistentvolumeclaims', withOwners(set, pod, cached))
    if (!answer.ok && !isNotFound(answer))
      throw new SyncError(`could not update claim ${claim.metadata.name} for delete policy ownerRefs: ${answer.message}`)
  }
}

export function* repairPod(set: KubeObject, pod: KubeObject): Steps<void> {
  yield* createClaims(set, pod)
  yield* updateClaimOwners(set, pod)
  const answer = yield* update('pods', repaired(set, pod))
  if (!isConflict(answer)) yield* podEvent('update', set, pod, answer.ok ? undefined : answer.message)
  must(answer)
}

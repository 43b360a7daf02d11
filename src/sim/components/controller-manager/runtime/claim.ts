// Adoption and release (pkg/controller/controller_ref_manager.go): which of the matching objects belong to this controller object.
import type { Selector } from '../../../api/labels.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { controllerOf, ownerReference } from './objects.ts'
import { get, isNotFound, must, patch, SyncError } from './steps.ts'
import type { Steps } from './types.ts'

export interface ClaimOptions {
  /** Resource of the owner and of the claimed objects. */
  readonly ownerResource: string
  readonly resource: string
  readonly selector: Selector
  /** Added to what the adoption patch sets, and taken away on release (jobs track pods by a finalizer). */
  readonly finalizer?: string
  readonly filter?: (object: KubeObject) => boolean
}

/** Objects that are or become the owner's. Adopts matching orphans (after reading the owner afresh) and releases what no longer matches. */
export function* claim(owner: KubeObject, objects: readonly KubeObject[], options: ClaimOptions): Steps<KubeObject[]> {
  const claimed: KubeObject[] = []
  const errors: string[] = []
  let mayAdopt = false
  const matches = (o: KubeObject): boolean => options.selector.matches(o.metadata.labels ?? {}) && (options.filter?.(o) ?? true)
  for (const object of objects) {
    const ref = controllerOf(object)
    if (ref) {
      if (ref.uid !== owner.metadata.uid) continue
      if (matches(object)) claimed.push(object)
      else if (owner.metadata.deletionTimestamp === undefined) {
        const answer = yield* patch(options.resource, object, releasePatch(object, owner, options.finalizer))
        // Gone, or no longer the object or the owner that was meant.
        if (!answer.ok && !isNotFound(answer) && answer.status !== 422) errors.push(answer.message)
      }
      continue
    }
    if (owner.metadata.deletionTimestamp !== undefined || !matches(object) || object.metadata.deletionTimestamp !== undefined) continue
    if (!mayAdopt) {
      yield* canAdopt(owner, options.ownerResource)
      mayAdopt = true
    }
    const answer = yield* patch(options.resource, object, adoptPatch(object, owner, options.finalizer))
    if (answer.ok) claimed.push(answer.body as KubeObject)
    else if (!isNotFound(answer)) errors.push(answer.message)
  }
  if (errors.length > 0) throw new SyncError(errors.join(', '))
  return claimed
}

/** RecheckDeletionTimestamp: the cache may not know yet that the owner goes away or was made anew. */
function* canAdopt(owner: KubeObject, resource: string): Steps<void> {
  const fresh = must(yield* get(resource, owner.metadata.namespace, owner.metadata.name ?? ''), "can't adopt")
  if (fresh.metadata.uid !== owner.metadata.uid) {
    throw new SyncError(
      `original ${owner.kind} ${owner.metadata.namespace}/${owner.metadata.name} is gone: got uid ${fresh.metadata.uid}, wanted ${owner.metadata.uid}`,
    )
  }
  if (fresh.metadata.deletionTimestamp)
    throw new SyncError(`${owner.metadata.namespace}/${owner.metadata.name} has just been deleted at ${fresh.metadata.deletionTimestamp}`)
}

const adoptPatch = (object: KubeObject, owner: KubeObject, finalizer?: string): object => ({
  metadata: {
    ownerReferences: [ownerReference(owner)],
    uid: object.metadata.uid,
    ...(finalizer ? { finalizers: [finalizer] } : {}),
  },
})

export const releasePatch = (object: KubeObject, owner: KubeObject, finalizer?: string): object => ({
  metadata: {
    uid: object.metadata.uid,
    ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }],
    ...(finalizer ? { '$deleteFromPrimitiveList/finalizers': [finalizer] } : {}),
  },
})

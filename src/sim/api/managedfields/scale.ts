// Ownership seen through the scale subresource: apimachinery pkg/util/managedfields/scalehandler.go.
import { fail, ok, type Result } from '../../../lib/result.ts'
import type { ManagedFieldsEntry } from '../types/kubernetes.gen.ts'
import { differenceSets, fieldElement, fieldSetOf, hasPath, isEmptySet } from './fieldset.ts'
import { decodeManagedFields, emptyManaged, encodeManagedFields } from './managed.ts'

const SCALE_VERSION = 'autoscaling/v1'
const SCALE_REPLICAS = ['spec', 'replicas']

/** Entries of the Scale object: the managers that own the replicas, `path` being where the parent keeps them. */
export const parentToScale = (parent: readonly ManagedFieldsEntry[] | undefined, path: readonly string[]): Result<ManagedFieldsEntry[]> => {
  const decoded = decodeManagedFields(parent)
  if (decoded.value === undefined) return fail(decoded.error)
  const managed = emptyManaged()
  for (const [id, versioned] of decoded.value.fields) {
    if (!hasPath(versioned.set, path.map(fieldElement))) continue
    managed.fields.set(id, { set: fieldSetOf([SCALE_REPLICAS]), apiVersion: SCALE_VERSION, applied: versioned.applied })
    managed.times.set(id, decoded.value.times.get(id))
  }
  return ok(encodeManagedFields(managed) ?? [])
}

/** Back to the parent after a write of the Scale: who no longer owns the replicas there loses them here. */
export const scaleToParent = (
  parent: readonly ManagedFieldsEntry[] | undefined,
  scale: readonly ManagedFieldsEntry[] | undefined,
  path: readonly string[],
  apiVersion: string,
): Result<ManagedFieldsEntry[] | undefined> => {
  const old = decodeManagedFields(parent)
  const next = decodeManagedFields(scale)
  if (old.value === undefined) return fail(old.error)
  if (next.value === undefined) return fail(next.error)
  const scaleFields = new Map(next.value.fields)
  const managed = emptyManaged()
  const elements = path.map(fieldElement)
  for (const [id, versioned] of old.value.fields) {
    const time = old.value.times.get(id)
    let kept = versioned
    if (hasPath(versioned.set, elements) && !scaleFields.has(id)) {
      kept = { ...versioned, set: differenceSets(versioned.set, fieldSetOf([path])) }
      if (isEmptySet(kept.set)) continue
    } else if (hasPath(versioned.set, elements)) scaleFields.delete(id)
    managed.fields.set(id, kept)
    managed.times.set(id, time)
  }
  for (const [id, versioned] of scaleFields) {
    if (!hasPath(versioned.set, SCALE_REPLICAS.map(fieldElement))) continue
    managed.fields.set(id, { set: fieldSetOf([path]), apiVersion, applied: versioned.applied })
    managed.times.set(id, old.value.times.get(id))
  }
  return ok(encodeManagedFields(managed))
}

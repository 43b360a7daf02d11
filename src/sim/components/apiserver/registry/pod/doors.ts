// What the doors to a pod share (pkg/registry/core/pod/strategy.go, apimachinery's meta/v1/helpers.go).
import type { ObjectMeta } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { semanticEqual } from './equality.ts'

/** updatePodGeneration: one more, if the spec differs. */
export function bumpGeneration(draft: KubeObject, old: KubeObject): void {
  const generation = old.metadata.generation ?? 0
  const next = semanticEqual(draft['spec'], old['spec']) ? generation : generation + 1
  if (next > 0) draft.metadata.generation = next
  else delete draft.metadata.generation
}

const kept = ['deletionTimestamp', 'generation', 'selfLink', 'labels', 'annotations', 'finalizers', 'ownerReferences'] as const

/** ResetObjectMetaForStatus: a door to a part of an object leaves its metadata alone. */
export function resetMeta(meta: ObjectMeta, old: ObjectMeta): void {
  const copy = <K extends (typeof kept)[number]>(field: K): void => {
    if (old[field] === undefined) delete meta[field]
    else meta[field] = old[field]
  }
  kept.forEach(copy)
}

// Small readings of objects that most controllers share (pkg/controller/controller_utils.go, pkg/api/v1/pod/util.go).
import type { OwnerReference } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject, ObjectRef } from '../../../api/types/object.ts'
import { parseApiTime } from '../../../client/time.ts'

export const controllerOf = (object: KubeObject): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((r) => r.controller === true)

export const isControlledBy = (object: KubeObject, owner: KubeObject): boolean => controllerOf(object)?.uid === owner.metadata.uid

export const ownerReference = (owner: KubeObject): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name ?? '',
  uid: owner.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
})

export const keyOf = (object: KubeObject): string =>
  object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : (object.metadata.name ?? '')

export const splitKey = (key: string): { namespace: string; name: string } => {
  const slash = key.indexOf('/')
  return slash < 0 ? { namespace: '', name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

export const refOf = (object: KubeObject): ObjectRef => ({
  apiVersion: object.apiVersion,
  kind: object.kind,
  ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
  name: object.metadata.name ?? '',
  ...(object.metadata.uid ? { uid: object.metadata.uid } : {}),
})

export interface ConditionLike {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string | null
}

export const condition = <C extends ConditionLike>(conditions: readonly C[] | undefined | null, type: string): C | undefined =>
  conditions?.find((c) => c.type === type)

export const podCondition = (pod: KubeObject, type: string): ConditionLike | undefined =>
  condition(pod.status?.conditions as ConditionLike[] | undefined, type)

export const isPodReady = (pod: KubeObject): boolean => podCondition(pod, 'Ready')?.status === 'True'

/** Ready for at least minReadySeconds. */
export const isPodAvailable = (pod: KubeObject, minReadySeconds: number, now: number): boolean => {
  const ready = podCondition(pod, 'Ready')
  if (ready?.status !== 'True') return false
  if (minReadySeconds === 0) return true
  const since = parseApiTime(ready.lastTransitionTime ?? undefined)
  return since !== undefined && since + minReadySeconds * 1000 <= now
}

export const isPodTerminal = (pod: KubeObject): boolean => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded'
export const isPodActive = (pod: KubeObject): boolean => !isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined
/** Deleted but not gone, and its containers not known to be over. */
export const isPodTerminating = (pod: KubeObject): boolean => !isPodTerminal(pod) && pod.metadata.deletionTimestamp !== undefined

export const createdAt = (object: KubeObject): number => parseApiTime(object.metadata.creationTimestamp) ?? 0

/** Oldest first; names break ties. */
export const byCreation = (a: KubeObject, b: KubeObject): number => createdAt(a) - createdAt(b) || compareNames(a, b)
export const compareNames = (a: KubeObject, b: KubeObject): number =>
  (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : (a.metadata.name ?? '') > (b.metadata.name ?? '') ? 1 : 0

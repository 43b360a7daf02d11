// Small questions about objects and names that every component asks.
import type { OwnerReference } from './types/kubernetes.gen.ts'
import type { KubeObject, ObjectRef } from './types/object.ts'

/** cache.MetaNamespaceKeyFunc: `namespace/name`, or `name` for cluster-scoped objects. */
export const key = (namespace: string | undefined, name: string): string => (namespace ? `${namespace}/${name}` : name)
export const keyOf = (object: KubeObject): string => key(object.metadata.namespace, object.metadata.name ?? '')

export const splitKey = (text: string): { namespace?: string; name: string } => {
  const slash = text.indexOf('/')
  return slash < 0 ? { name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) }
}

/** schema.ParseGroupVersion; the core group is ''. */
export const parseGroupVersion = (apiVersion: string): { group: string; version: string } => {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

export const groupVersion = (group: string, version: string): string => (group === '' ? version : `${group}/${version}`)

/** GroupResource.String(): `pods`, `deployments.apps`. */
export const groupResource = (group: string, resource: string): string => (group === '' ? resource : `${resource}.${group}`)

export const refOf = (object: KubeObject): ObjectRef => {
  const { namespace, name = '', uid, resourceVersion } = object.metadata
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    ...(namespace ? { namespace } : {}),
    name,
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
  }
}

/** metav1.GetControllerOf: the one owner that controls the object. */
export const controllerOf = (object: { metadata: { ownerReferences?: readonly OwnerReference[] } }): OwnerReference | undefined =>
  object.metadata.ownerReferences?.find((r) => r.controller === true)

/** metav1.IsControlledBy: by uid. */
export const isControlledBy = (object: { metadata: { ownerReferences?: readonly OwnerReference[] } }, owner: KubeObject): boolean =>
  owner.metadata.uid !== undefined && controllerOf(object)?.uid === owner.metadata.uid

/** metav1.NewControllerRef. */
export const newControllerRef = (owner: KubeObject): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name ?? '',
  uid: owner.metadata.uid ?? '',
  controller: true,
  blockOwnerDeletion: true,
})

export const isTerminating = (object: KubeObject): boolean => object.metadata.deletionTimestamp !== undefined

// What every Kubernetes object has in common. The per-kind shapes are in kubernetes.gen.ts.
import type { ObjectMeta } from './kubernetes.gen.ts'

/** Any JSON value, as it arrives in a request body. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/**
 * An API object of any kind. Objects that have been stored, sent or cached are shared by reference between components
 * and are never mutated: copy before you change (a spread per level you touch, or structuredClone for a draft).
 */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  // biome-ignore lint/suspicious/noExplicitAny: the generic machinery handles every kind; typed code narrows to Pod, Node …
  [field: string]: any
}

/** Names an object in messages, trace records and links. `namespace` is absent for cluster-scoped kinds. */
export interface ObjectRef {
  apiVersion: string
  kind: string
  namespace?: string
  name: string
  uid?: string
  resourceVersion?: string
}

/** group '' is the core group. */
export interface GroupVersionResource {
  group: string
  version: string
  resource: string
}

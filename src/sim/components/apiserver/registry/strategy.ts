// A kind is a declaration: everything the API server needs to know about it, and nothing it does.
// The generic verbs (../rest) read these; no kind is named anywhere else in the API server.
import type { FieldError } from '../../../api/field.ts'
import type { KubeObject } from '../../../api/types/object.ts'

/** One column of the server-side table. `priority` 0 is always printed, 1 only with `-o wide`. */
export interface Column {
  name: string
  type: 'string' | 'integer' | 'date' | 'number' | 'boolean'
  format?: string
  description: string
  priority: number
}

/** What a strategy may look at beside the object. Read-only; the same view that admission uses. */
export interface RegistryView {
  /** Virtual time, ms since the Unix epoch. */
  nowMs: number
  /** A stored object by resource (plural, with group: `services`, `deployments.apps`), or undefined. */
  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined
  list(resource: string, namespace?: string): readonly KubeObject[]
  /** Deterministic: drawn from the API server's own random stream. */
  random(): number
  /** Who asks. */
  user: { name: string; groups: readonly string[]; uid?: string; extra?: Readonly<Record<string, readonly string[]>> }
  /** The request asks for dryRun=All: nothing will be stored. */
  dryRun?: boolean
  /** group/version of the request's path (`events.k8s.io/v1`, `v1`), for the kinds whose rules depend on it. */
  requestVersion?: string
}

/** Why beginCreate or beginUpdate refused: field errors answer 422 Invalid, `internalError` answers 500 InternalError with that text. */
export type BeginFailure = { fieldErrors: FieldError[] } | { internalError: string }

/** How an update through one door (the main resource, /status, /resize …) changes and checks an object. */
export interface UpdateStrategy {
  /** Changes `draft` in place (a private copy): resets what this door may not write, bumps generation and the like. */
  prepareForUpdate?(draft: KubeObject, old: KubeObject, view: RegistryView): void
  /** All errors, in upstream's order. Runs after prepareForUpdate, defaulting and admission. */
  validateUpdate(draft: KubeObject, old: KubeObject, view: RegistryView): FieldError[]
  warnings?(draft: KubeObject, old: KubeObject, view: RegistryView): string[]
}

/** `resource` as `pods` or `deployments.apps`. */
export type Companion =
  | { readonly resource: string; readonly create: KubeObject }
  | { readonly resource: string; readonly remove: { readonly namespace: string; readonly name: string } }

/**
 * Contract for a kind. `defaults`, `prepareFor*` and `canonicalize` get a draft they own and change in place; everything else is pure.
 * Order at create, as upstream: decode → defaults → mutating admission → prepareForCreate → name generation → validate → validating admission → canonicalize → store.
 */
export interface KindStrategy extends UpdateStrategy {
  group: string
  version: string
  kind: string
  /** Plural, lower case: `pods`. */
  resource: string
  singular: string
  shortNames: readonly string[]
  categories: readonly string[]
  namespaced: boolean
  /** Verbs in discovery's order; absent means all eight: create delete deletecollection get list patch update watch. */
  verbs?: readonly string[]
  /** Other group-versions that serve the same stored objects (events.k8s.io/v1 for events, autoscaling/v1 for HPA), with lossless converters. */
  alsoServedAs?: readonly ServedVersion[]

  /** v1 defaults, recursively (a Deployment defaults its pod template). Runs on every decode, also of patches' results. */
  defaults(draft: KubeObject): void
  /** Upstream's BeginCreate and BeginUpdate (the Service's addresses and ports): changes `draft` in place just before prepareForCreate /
   *  prepareForUpdate (main resource only). A failure is the whole answer: nothing else is validated. */
  beginCreate?(draft: KubeObject, view: RegistryView): BeginFailure | undefined
  beginUpdate?(draft: KubeObject, old: KubeObject, view: RegistryView): BeginFailure | undefined
  /** Upstream's AfterDelete: objects that are deleted together with this one, if they exist (a Service's Endpoints). */
  afterDelete?(object: KubeObject): readonly { resource: string; namespace: string; name: string }[]
  /** Objects that are made or removed in the transaction of this one (a Service's IPAddresses). `old` is absent at creation. */
  companions?(next: KubeObject, old: KubeObject | undefined, view: RegistryView): readonly Companion[]
  prepareForCreate?(draft: KubeObject, view: RegistryView): void
  /** All errors, in upstream's order. Generic metadata checks (name, labels, annotations, ownerReferences …) are made by calling
   *  validateObjectMeta from ../../../api/validation at the place where upstream does. */
  validate(draft: KubeObject, view: RegistryView): FieldError[]
  createWarnings?(draft: KubeObject, view: RegistryView): string[]
  canonicalize?(draft: KubeObject): void
  /** Upstream's AllowCreateOnUpdate: PUT to a missing name creates. */
  allowCreateOnUpdate?: boolean
  /** Upstream's AllowUnconditionalUpdate: PUT without resourceVersion overwrites. */
  allowUnconditionalUpdate?: boolean
  /** Which deletion a DELETE without options means; absent = Background. */
  defaultPropagation?: 'Orphan' | 'Background' | 'Foreground'
  /** Warnings of a DELETE that leaves the propagation to the default (Jobs). */
  deleteWarnings?(): readonly string[]
  /** DELETE answers with the object instead of a Status. */
  deleteReturnsObject?: boolean
  /** Grace period of a DELETE in seconds (pods); undefined = delete at once. Receives the options' value, or undefined. */
  gracePeriodSeconds?(object: KubeObject, requested: number | undefined): number
  /** Upstream's GetResetFields of a door ('' = the kind's own): paths that it ignores, so that nobody comes to own them through it.
   *  Absent: `status` for the main door of kinds with a status door, `spec` for the status door. */
  resetFields?(subresource: string): readonly (readonly string[])[] | undefined
  /** false: no garbage collection finalizers, whatever the options say (upstream's GarbageCollectionPolicy Unsupported, as for events). */
  garbageCollected?: boolean
  /** Upstream's own Delete of a kind (namespaces): the object to store instead of removing it, or a ready answer. undefined = the ordinary way. */
  beginDelete?(
    object: KubeObject,
    now: string,
  ): { store?: KubeObject; answer?: { code: number; object?: KubeObject; raw?: object } } | undefined
  /** Upstream's ShouldDeleteDuringUpdate of a kind, asked when no finalizer is left in the draft; absent = the generic rule. */
  endsDeletion?(draft: KubeObject, old: KubeObject): boolean
  /** Further doors, by subresource name: status, resize, ephemeralcontainers, approval … */
  subresources?: Readonly<Record<string, Subresource>>
  /** Values that a field selector may name, besides metadata.name and metadata.namespace. */
  selectableFields?(object: KubeObject): Record<string, string>
  columns: readonly Column[]
  /** Cells of one row, in the order of columns (strings or numbers; dates already as "5m" via translateTimestampSince). */
  row(object: KubeObject, nowMs: number): (string | number | boolean | null)[]
}

export interface ServedVersion {
  group: string
  version: string
  /** From the storage version to this one; returns a new object. */
  toServed(object: KubeObject): KubeObject
  /** And back. */
  fromServed(object: KubeObject): KubeObject
  defaults?(draft: KubeObject): void
  /** What field selectors are called in this version → their name in selectableFields; absent: the same names. */
  fieldLabels?: Readonly<Record<string, string>>
}

export type Subresource =
  /** Writes a part of the same object. */
  | ({ does: 'update' } & UpdateStrategy)
  /** autoscaling/v1 Scale seen through these paths. */
  | { does: 'scale'; specReplicasPath: string; statusReplicasPath: string; selector(object: KubeObject): string }
  /** Handled by a named handler of the API server (binding, eviction, log, exec, token …). */
  | { does: 'handler'; kind: string; group: string; version: string; verbs: readonly string[] }

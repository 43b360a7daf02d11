// Who owns which field: apimachinery pkg/util/managedfields over structured-merge-diff/v6/merge.
// Managers of other versions of a kind are compared in the version of the request (no conversion between versions).
import { compareStrings, deepEqual, sortStrings } from '../../../lib/compare.ts'
import { isRecord } from '../../../lib/own.ts'
import { decodeTree } from '../decode.ts'
import type { StatusCause } from '../field-error-text.ts'
import { byteLength, goJson, goQuote } from '../go-text.ts'
import { marshalObject } from '../marshal.ts'
import { groupVersion, parseGroupVersion } from '../meta.ts'
import type { GroupVersionKind, ObjectSchema } from '../schema/index.ts'
import { applyConflict, badRequest, type Status, unknownError } from '../status.ts'
import { formatTime } from '../time.ts'
import type { ManagedFieldsEntry } from '../types/kubernetes.gen.ts'
import type { KubeObject } from '../types/object.ts'
import { totalAnnotationSizeLimitBytes } from '../validation/objectmeta.ts'
import {
  differenceSets,
  ensureNamedFields,
  type FieldPath,
  type FieldSet,
  emptySet,
  fieldSetOf,
  hasPath,
  intersectSets,
  isEmptySet,
  pathsOf,
  pathText,
  recursiveDifference,
  unionSets,
} from './fieldset.ts'
import {
  decodeManagedFields,
  emptyManaged,
  encodeManagedFields,
  identityOf,
  type Managed,
  managerIdentifier,
  type VersionedSet,
} from './managed.ts'
import { compareTyped, type Comparison, mergeTyped, removeItems, toFieldSet, TypedError, validateTyped } from './typed.ts'

export { fieldSetOf, fromFieldsV1, toFieldsV1, type FieldSet } from './fieldset.ts'
export { scaleToParent, parentToScale } from './scale.ts'

export interface FieldManagerContext {
  /** Schema and kind of the version that the request uses. */
  readonly schema: ObjectSchema
  readonly gvk: GroupVersionKind
  /** Name of the subresource that is written; absent for the resource itself. */
  readonly subresource?: string
  readonly nowMs: number
  /** Fields that this door resets whatever a client sends (`status` on the main resource): nobody owns them through it. */
  readonly resetFields?: FieldSet
}

const MAX_UPDATE_MANAGERS = 10
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
const SELF = 'current-operation'

const STRIPPED = fieldSetOf([
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation', 'managedFields', 'resourceVersion'].map(
    (name) => ['metadata', name],
  ),
])

/** Which manager a request acts for: the parameter, or the user agent up to its first slash. */
export const managerOrUserAgent = (fieldManager: string | undefined, userAgent: string | undefined): string => {
  if (fieldManager) return fieldManager
  let out = ''
  for (const character of (userAgent ?? '').split('/')[0] ?? '') {
    if (character !== ' ' && /[\p{C}\p{Z}]/u.test(character)) continue
    if (byteLength(out) + byteLength(character) > 128) break
    out += character
  }
  return out
}

const versionOf = (context: FieldManagerContext): string => groupVersion(context.gvk.group, context.gvk.version)

const withoutManagedFields = (object: KubeObject): KubeObject => {
  if (object.metadata?.managedFields === undefined) return object
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

const withManaged = (object: KubeObject, managed: Managed): KubeObject => {
  const managedFields = encodeManagedFields(managed)
  const bare = withoutManagedFields(object)
  return managedFields ? { ...bare, metadata: { ...bare.metadata, managedFields } } : bare
}

/** The object as Go's typed form has it, which is what ownership is computed from. */
const typedForm = (object: KubeObject, schema: ObjectSchema): unknown =>
  schema.definition ? marshalObject(withoutManagedFields(object), schema) : withoutManagedFields(object)

const emptyObject = (context: FieldManagerContext): KubeObject => ({ apiVersion: versionOf(context), kind: context.gvk.kind, metadata: {} })

/** `metadata.managedFields: []` or `[{}]` clears the record. */
const isReset = (entries: readonly ManagedFieldsEntry[] | undefined): boolean =>
  entries !== undefined && (entries.length === 0 || (entries.length === 1 && Object.keys(entries[0] as object).length === 0))

const decodeOrEmpty = (entries: readonly ManagedFieldsEntry[] | undefined): Managed => decodeManagedFields(entries).value ?? emptyManaged()

const filtered = (set: FieldSet, context: FieldManagerContext): FieldSet =>
  context.resetFields ? recursiveDifference(set, context.resetFields) : set

const filteredComparison = (comparison: Comparison, context: FieldManagerContext): Comparison => ({
  removed: filtered(comparison.removed, context),
  modified: filtered(comparison.modified, context),
  added: filtered(comparison.added, context),
})

interface Conflict {
  readonly manager: string
  readonly path: FieldPath
}

/** Updater.update: takes from every other manager what was changed or removed; or says what it would take. */
const takeOver = (fields: Map<string, VersionedSet>, comparison: Comparison, workflow: string, force: boolean): Conflict[] => {
  const changed = unionSets(comparison.modified, comparison.added)
  const conflicts = new Map<string, FieldSet>()
  for (const [manager, versioned] of fields) {
    if (manager === workflow) continue
    const conflict = intersectSets(versioned.set, changed)
    if (!isEmptySet(conflict)) conflicts.set(manager, conflict)
  }
  if (!force && conflicts.size > 0) {
    return sortStrings(conflicts.keys()).flatMap((manager) =>
      pathsOf(conflicts.get(manager) as FieldSet).map((path) => ({ manager, path })),
    )
  }
  for (const [manager, versioned] of [...fields]) {
    let set = versioned.set
    const conflict = conflicts.get(manager)
    if (conflict) set = differenceSets(set, conflict)
    if (manager !== workflow) set = differenceSets(set, comparison.removed)
    if (isEmptySet(set)) fields.delete(manager)
    else if (set !== versioned.set) fields.set(manager, { ...versioned, set })
  }
  return []
}

const strip = (fields: Map<string, VersionedSet>, manager: string): void => {
  const versioned = fields.get(manager)
  if (!versioned) return
  const set = differenceSets(versioned.set, STRIPPED)
  if (isEmptySet(set)) fields.delete(manager)
  else fields.set(manager, { ...versioned, set })
}

const capUpdateManagers = (managed: Managed): void => {
  const updaters = [...managed.fields].filter(([, v]) => !v.applied).map(([id]) => id)
  if (updaters.length <= MAX_UPDATE_MANAGERS) return
  updaters.sort((a, b) => compareStrings(managed.times.get(a) ?? '', managed.times.get(b) ?? '') || compareStrings(a, b))
  const first = new Map<string, string>()
  let length = updaters.length
  for (const manager of updaters) {
    if (length <= MAX_UPDATE_MANAGERS) return
    const versioned = managed.fields.get(manager) as VersionedSet
    const bucket = managerIdentifier({ manager: 'ancient-changes', operation: 'Update', apiVersion: versioned.apiVersion })
    const oldest = first.get(versioned.apiVersion)
    if (oldest === undefined) {
      first.set(versioned.apiVersion, manager)
      continue
    }
    if (!managed.fields.has(bucket)) {
      managed.fields.set(bucket, managed.fields.get(oldest) as VersionedSet)
      managed.fields.delete(oldest)
    }
    managed.fields.set(bucket, { ...versioned, set: unionSets(versioned.set, (managed.fields.get(bucket) as VersionedSet).set) })
    managed.fields.delete(manager)
    managed.times.set(bucket, managed.times.get(manager))
    length--
  }
}

/** The chain below the skipping of untracked objects: compare, take over, merge into the manager's entry, cap. */
const trackUpdate = (live: unknown, next: unknown, managed: Managed, manager: string, context: FieldManagerContext): void => {
  const { fields, times } = managed
  const comparison = filteredComparison(compareTyped(live, next, context.schema), context)
  takeOver(fields, comparison, SELF, true)
  const own = unionSets(comparison.modified, comparison.added)
  const set = differenceSets(filtered(own, context), STRIPPED)
  if (!isEmptySet(set)) {
    const id = managerIdentifier({
      manager: manager === '' ? 'unknown' : manager,
      operation: 'Update',
      apiVersion: versionOf(context),
      ...(context.subresource ? { subresource: context.subresource } : {}),
    })
    const previous = fields.get(id)
    fields.set(id, { set: previous ? unionSets(set, previous.set) : set, apiVersion: versionOf(context), applied: false })
    times.set(id, formatTime(context.nowMs))
  }
  capUpdateManagers(managed)
}

/**
 * FieldManager.UpdateNoErrors: the new object with its record of owners, after a create (`live` undefined), PUT or patch.
 * `next.metadata.managedFields` says what the client sent; a subresource ignores it.
 */
export const updateManagedFields = (
  live: KubeObject | undefined,
  next: KubeObject,
  manager: string,
  context: FieldManagerContext,
): KubeObject => {
  const old = live ?? emptyObject(context)
  const sent = next.metadata?.managedFields
  let managed: Managed
  if (context.subresource) managed = decodeOrEmpty(old.metadata.managedFields)
  else if (isReset(sent)) managed = emptyManaged()
  else {
    const decoded = decodeManagedFields(sent).value
    managed = decoded && decoded.fields.size > 0 ? decoded : decodeOrEmpty(old.metadata.managedFields)
  }
  // An object that nobody tracks stays untracked until somebody applies to it.
  if (managed.fields.size === 0 && old.metadata.uid) return withoutManagedFields(next)
  const nextForm = typedForm(next, context.schema)
  const oldForm = typedForm(old, context.schema)
  if (validateTyped(nextForm, context.schema, true) !== undefined || validateTyped(oldForm, context.schema, true) !== undefined)
    return withoutManagedFields(next)
  trackUpdate(oldForm, nextForm, managed, manager, context)
  return withManaged(next, managed)
}

const printManager = (id: string): string => {
  const { manager = '', operation, apiVersion = '', subresource } = identityOf(id)
  const name = subresource ? `${goQuote(manager)} with subresource ${goQuote(subresource)}` : goQuote(manager)
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}

/** NewConflictError. */
const conflictStatus = (conflicts: readonly Conflict[]): Status => {
  const causes: StatusCause[] = conflicts.map((c) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${printManager(c.manager)}`,
    field: pathText(c.path),
  }))
  const only = conflicts[0]
  if (conflicts.length === 1 && only)
    return applyConflict(causes, `Apply failed with 1 conflict: conflict with ${printManager(only.manager)}: ${pathText(only.path)}`)
  const lines = sortStrings(new Set(conflicts.map((c) => c.manager))).flatMap((manager) => [
    `conflicts with ${printManager(manager)}:`,
    ...conflicts.filter((c) => c.manager === manager).map((c) => `- ${pathText(c.path)}`),
  ])
  return applyConflict(causes, `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`)
}

/** `ns/name; group/version, Kind=K` as upstream names an object in errors. */
const nameText = (object: Record<string, unknown>, gvk: GroupVersionKind): string => {
  const metadata = isRecord(object.metadata) ? object.metadata : {}
  return `${typeof metadata.namespace === 'string' ? metadata.namespace : ''}/${typeof metadata.name === 'string' ? metadata.name : ''}; ${gvk.group}/${gvk.version}, Kind=${gvk.kind}`
}

/** Updater.prune: what the applier let go, and nobody else holds, goes. */
const prune = (merged: unknown, fields: Map<string, VersionedSet>, last: VersionedSet | undefined, schema: ObjectSchema): unknown => {
  if (!last || isEmptySet(last.set)) return merged
  const ensure = (set: FieldSet): FieldSet => ensureNamedFields(set, schema)
  const lastSet = ensure(last.set)
  let pruned = removeItems(merged, schema, lastSet)
  let managed = emptySet()
  for (const versioned of fields.values()) managed = unionSets(managed, versioned.set)
  const mergedSet = ensure(toFieldSet(merged, schema))
  const owned = unionSets(ensure(toFieldSet(pruned, schema)), ensure(managed))
  pruned = removeItems(merged, schema, differenceSets(mergedSet, owned))
  const prunedSet = ensure(toFieldSet(pruned, schema))
  return removeItems(merged, schema, intersectSets(differenceSets(mergedSet, prunedSet), lastSet))
}

export type ApplyResult =
  | { readonly object: KubeObject; readonly status?: undefined }
  | { readonly object?: undefined; readonly status: Status }

const cloneManaged = (managed: Managed): Managed => ({ fields: new Map(managed.fields), times: new Map(managed.times) })

interface Applied {
  readonly conflicts?: readonly Conflict[]
  readonly status?: Status
  readonly object?: KubeObject
  readonly managed?: Managed
}

const applyOnce = (
  live: KubeObject,
  config: Record<string, unknown>,
  given: Managed,
  manager: string,
  force: boolean,
  context: FieldManagerContext,
): Applied => {
  const { schema } = context
  const managed = cloneManaged(given)
  const liveForm = typedForm(live, schema)
  // The first apply to an object without a record gives all that is there to a manager of its own.
  if (managed.fields.size === 0) trackUpdate(typedForm(emptyObject(context), schema), liveForm, managed, 'before-first-apply', context)
  const wrong = validateTyped(config, schema)
  if (wrong !== undefined)
    return { status: unknownError(`failed to create typed patch object (${nameText(config, context.gvk)}): ${wrong}`) }
  let merged: unknown
  try {
    merged = mergeTyped(liveForm, config, schema)
  } catch (error) {
    if (error instanceof TypedError) return { status: unknownError(`failed to merge config: ${error.message}`) }
    throw error
  }
  const id = managerIdentifier({
    manager: manager === '' ? 'unknown' : manager,
    operation: 'Apply',
    ...(context.subresource ? { subresource: context.subresource } : {}),
  })
  const last = managed.fields.get(id)
  managed.fields.set(id, { set: filtered(toFieldSet(config, schema), context), apiVersion: versionOf(context), applied: true })
  const next = prune(merged, managed.fields, last, schema)
  const conflicts = takeOver(managed.fields, filteredComparison(compareTyped(liveForm, next, schema), context), id, force)
  if (conflicts.length > 0) return { conflicts }
  strip(managed.fields, id)
  if (deepEqual(liveForm, next)) return { object: live, managed }
  managed.times.set(id, formatTime(context.nowMs))
  if (!schema.definition) return { object: next as KubeObject, managed }
  const decoded = decodeTree(next, schema, 'Ignore')
  if (decoded.error !== undefined) {
    return {
      status: unknownError(
        `failed to convert new object (${nameText(config, context.gvk)}) to proper version (${groupVersion(context.gvk.group, context.gvk.version)}): ${decoded.error}`,
      ),
    }
  }
  return { object: decoded.value.value as KubeObject, managed }
}

/** Fields that kubectl may take over from itself: unchanged since client-side apply wrote them. */
const allowedFromLastApplied = (live: KubeObject, context: FieldManagerContext): FieldSet | undefined => {
  const text = live.metadata.annotations?.[LAST_APPLIED]
  if (!text) return undefined
  let last: unknown
  try {
    last = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isRecord(last) || last.apiVersion !== versionOf(context)) return undefined
  if (validateTyped(last, context.schema) !== undefined) return undefined
  const comparison = compareTyped(last, typedForm(live, context.schema), context.schema)
  return [comparison.modified, comparison.added, comparison.removed].reduce(differenceSets, toFieldSet(last, context.schema))
}

/** Server-side apply by kubectl keeps the annotation of client-side apply up to date, if there is one. */
const refreshLastApplied = (object: KubeObject, config: Record<string, unknown>, manager: string): KubeObject => {
  const annotations = object.metadata.annotations
  if (manager !== 'kubectl' || !annotations?.[LAST_APPLIED]) return object
  const metadata = isRecord(config.metadata) ? config.metadata : {}
  const { [LAST_APPLIED]: _, ...own } = isRecord(metadata.annotations) ? metadata.annotations : {}
  const bare = { ...config, metadata: metadata.annotations === undefined ? metadata : { ...metadata, annotations: own } }
  const text = `${goJson(bare)}\n`
  const { [LAST_APPLIED]: __, ...others } = annotations
  const size = Object.entries(others).reduce(
    (sum, [k, v]) => sum + byteLength(k) + byteLength(v),
    byteLength(LAST_APPLIED) + byteLength(text),
  )
  return {
    ...object,
    metadata: { ...object.metadata, annotations: size > totalAnnotationSizeLimitBytes ? others : { ...others, [LAST_APPLIED]: text } },
  }
}

/**
 * FieldManager.Apply: the merged object with its record of owners (not yet defaulted), or the Status that refuses it.
 * `live` is undefined when the object does not exist.
 */
export const applyManagedFields = (
  live: KubeObject | undefined,
  config: Record<string, unknown>,
  manager: string,
  force: boolean,
  context: FieldManagerContext,
): ApplyResult => {
  const apiVersion = typeof config.apiVersion === 'string' ? config.apiVersion : ''
  const kind = typeof config.kind === 'string' ? config.kind : ''
  const { group, version } = parseGroupVersion(apiVersion)
  if (group !== context.gvk.group || version !== context.gvk.version || kind !== context.gvk.kind) {
    return { status: badRequest(`invalid object type: ${group}/${version}, Kind=${kind}`) }
  }
  if (isRecord(config.metadata) && config.metadata.managedFields !== undefined && config.metadata.managedFields !== null) {
    return { status: badRequest('metadata.managedFields must be nil') }
  }
  const old = live ?? emptyObject(context)
  const decoded = decodeManagedFields(old.metadata.managedFields)
  if (decoded.value === undefined) return { status: unknownError(`failed to decode managed fields: ${decoded.error}`) }
  let result = applyOnce(old, config, decoded.value, manager, force, context)
  if (result.conflicts && manager === 'kubectl') {
    const allowed = allowedFromLastApplied(old, context)
    if (allowed) {
      const left = result.conflicts.filter((c) => !hasPath(allowed, c.path))
      result = left.length > 0 ? { conflicts: left } : applyOnce(old, config, decoded.value, manager, true, context)
    }
  }
  if (result.status) return { status: result.status }
  if (result.conflicts) return { status: conflictStatus(result.conflicts) }
  return { object: withManaged(refreshLastApplied(result.object as KubeObject, config, manager), result.managed as Managed) }
}

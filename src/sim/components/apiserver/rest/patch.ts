// PATCH: handlers/patch.go. The patched object goes the way of an update; apply may create.
import { getOwn, isRecord, setOwn } from '../../../../lib/own.ts'
import { ok, type Result } from '../../../../lib/result.ts'
import { invalid as invalidField } from '../../../api/field.ts'
import { type DecodedObject, decodeTree, strictDecodingText } from '../../../api/decode.ts'
import { goValue } from '../../../api/go-text.ts'
import { applyManagedFields } from '../../../api/managedfields/index.ts'
import { groupVersion } from '../../../api/meta.ts'
import { decodeApplyPatch, decodeJsonPatch, decodeMergePatch, decodeStrategicPatch } from '../../../api/patch/body.ts'
import { checkMergePatch, jsonMergePatch } from '../../../api/patch/json-merge.ts'
import { applyJsonPatch, MAX_JSON_PATCH_OPERATIONS } from '../../../api/patch/json-patch.ts'
import { strategicMergePatch } from '../../../api/patch/strategic.ts'
import { type GroupVersionKind, schemaFor } from '../../../api/schema/index.ts'
import {
  badRequest,
  conflict,
  failure,
  genericServerResponse,
  invalid,
  notFound,
  requestEntityTooLarge,
  unknownError,
  unsupportedMediaType,
} from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { toServed } from '../encode/encode.ts'
import { refuse } from '../refusal.ts'
import type { Plan } from '../types.ts'
import { expectedKind, toStorage } from './body.ts'
import { managerContext, managerOf, updateManager } from './managed.ts'
import { dedupOwnerReferences, ensureNamespace } from './meta.ts'
import { resourceOf } from './names.ts'
import { type Options, writeOptions } from './options.ts'
import type { ResourceRq } from './request.ts'
import { checkName, doorOf, updateObject } from './update.ts'

const JSON_PATCH = 'application/json-patch+json'
const MERGE = 'application/merge-patch+json'
const STRATEGIC = 'application/strategic-merge-patch+json'
const APPLY = 'application/apply-patch+yaml'

export const patchTypes = (custom: boolean): string[] => (custom ? [JSON_PATCH, MERGE, APPLY] : [JSON_PATCH, MERGE, STRATEGIC, APPLY])

/** The patch's media type; a wrong one is refused by the router for built-in kinds, by the handler for custom ones. */
export function patchType(rq: ResourceRq): string {
  const type = (rq.request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
  const supported = patchTypes(rq.served.custom === true)
  if (supported.includes(type)) return type
  if (rq.served.custom) return refuse(unsupportedMediaType(supported))
  return refuse(failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {}))
}

/** Applies a patch to a document that is shown through a subresource (Scale). */
export function patchDocument(rq: ResourceRq, type: string, current: KubeObject, kind: GroupVersionKind, options: Options): KubeObject {
  if (type !== APPLY) return changed(rq, type, current, options, kind)
  const read = decodeApplyPatch(rq.request.body)
  if (read.value === undefined) return refuse(badRequest(read.error))
  const schema = schemaFor(kind.group, kind.version, kind.kind)
  if (!schema) throw new Error(`no schema of ${kind.kind}`)
  const context = { schema, gvk: kind, nowMs: rq.nowMs, ...(rq.info.subresource ? { subresource: rq.info.subresource } : {}) }
  const result = applyManagedFields(current, read.value.patch, managerOf(rq, options), options.force === true, context)
  return result.status ? refuse(result.status) : result.object
}

export function planPatch(rq: ResourceRq): Plan {
  const type = patchType(rq)
  const options = writeOptions(rq, 'PatchOptions', type === APPLY)
  return updateObject(rq, {
    options,
    door: doorOf(rq),
    creates: type === APPLY && rq.info.subresource === '',
    next: (existing) => patched(rq, type, existing, options),
  })
}

/** patcher.applyPatch. */
function patched(rq: ResourceRq, type: string, existing: KubeObject | undefined, options: Options): KubeObject {
  if (!existing && type !== APPLY) refuse(notFound(resourceOf(rq.served), rq.info.name))
  const shown = existing && toServed(rq.served, existing)
  const result = type === APPLY ? applied(rq, shown, options) : changed(rq, type, shown as KubeObject, options)
  if (!existing && result.metadata.uid) {
    refuse(
      conflict(
        resourceOf(rq.served),
        rq.info.name,
        `uid mismatch: the provided object specified uid ${result.metadata.uid}, and no existing object was found`,
      ),
    )
  }
  const draft = toStorage(rq, result)
  if (type !== APPLY) updateManager(rq, existing, draft, options)
  ensureNamespace(rq, draft.metadata)
  checkName(rq, draft.metadata.name, draft.metadata.namespace)
  dedupOwnerReferences(rq, draft.metadata, false)
  return draft
}

function applied(rq: ResourceRq, existing: KubeObject | undefined, options: Options): KubeObject {
  const read = decodeApplyPatch(rq.request.body)
  if (read.value === undefined) refuse(badRequest(read.error))
  const context = managerContext(rq)
  if (!context) throw new Error(`no schema for apply to ${rq.served.id}`)
  const result = applyManagedFields(existing, read.value.patch, managerOf(rq, options), options.force === true, context)
  if (result.status) refuse(result.status)
  const strict = options.fieldValidation === 'Ignore' ? [] : read.value.strictErrors
  if (strict.length > 0) {
    if (options.fieldValidation === 'Strict') refuse(badRequest(`error strict decoding YAML: ${strict.join(', ')}`))
    rq.warnings.push(...strict)
  }
  return privateCopy(result.object)
}

/** What apply returns may share parts with the live object, which drafts may not change. */
const privateCopy = (object: KubeObject): KubeObject => JSON.parse(JSON.stringify(object)) as KubeObject

const refusePatch = (value: string, why: string): never => refuse(invalid({ group: '', name: '' }, '', [invalidField('patch', value, why)]))

function changed(rq: ResourceRq, type: string, current: KubeObject, options: Options, kind = expectedKind(rq)): KubeObject {
  const { body } = rq.request
  const { fieldValidation } = options
  let result: unknown
  let strictErrors: readonly string[]
  /** How the refusal quotes the whole: the patched object, or for strategic patches the patch. */
  let quoted: () => string
  if (type === JSON_PATCH) {
    const read = decodeJsonPatch(body, fieldValidation)
    if (read.value === undefined) return refuse(badRequest(read.error))
    if (read.value.patch.length > MAX_JSON_PATCH_OPERATIONS) {
      refuse(
        requestEntityTooLarge(
          `The allowed maximum operations in a JSON patch is ${MAX_JSON_PATCH_OPERATIONS}, got ${read.value.patch.length}`,
        ),
      )
    }
    const applied = applyJsonPatch(current, read.value.patch)
    if (applied.error !== undefined) return refuse(genericServerResponse(422))
    result = applied.value
    strictErrors = read.value.strictErrors
    quoted = () => JSON.stringify(result)
  } else if (type === MERGE) {
    const read = decodeMergePatch(body, fieldValidation)
    if (read.value === undefined) return refuse(badRequest(read.error))
    const checked = checkMergePatch(read.value.patch)
    if (checked.error !== undefined) return refuse(badRequest(checked.error))
    result = jsonMergePatch(current, read.value.patch)
    strictErrors = read.value.strictErrors
    quoted = () => JSON.stringify(result)
  } else {
    const read = decodeStrategicPatch(body, fieldValidation)
    if (read.value === undefined) return refuse(badRequest(read.error))
    const { patch } = read.value
    const schema = schemaFor(kind.group, kind.version, kind.kind) ?? rq.served.schema
    if (!schema) throw new Error(`no schema for a strategic patch of ${rq.served.id}`)
    const merged = strategicMergePatch(current, patch, schema)
    if (merged.value === undefined) return refuse(strategicStatus(merged.error))
    result = merged.value
    strictErrors = read.value.strictErrors
    quoted = () => goValue(afterMerge(patch, current))
  }
  return decodeResult(rq, result, strictErrors, quoted, options, kind)
}

const SET_ELEMENT_ORDER = '$setElementOrder/'

/** What strategicpatch's merge leaves of the patch it is given: lists that came with their order are taken out of it (mergePatchIntoOriginal). */
function afterMerge(patch: unknown, original: unknown): unknown {
  if (!isRecord(patch) || !isRecord(original)) return patch
  const merged = new Set(
    Object.keys(patch)
      .filter((key) => key.startsWith(SET_ELEMENT_ORDER))
      .map((key) => key.slice(SET_ELEMENT_ORDER.length))
      .filter((list) => Object.hasOwn(patch, list) || Object.hasOwn(original, list)),
  )
  const left: Record<string, unknown> = {}
  for (const key of Object.keys(patch)) {
    const list = key.startsWith(SET_ELEMENT_ORDER) ? key.slice(SET_ELEMENT_ORDER.length) : key
    if (!merged.has(list)) setOwn(left, key, afterMerge(patch[key], getOwn(original, key)))
  }
  return left
}

/** interpretStrategicMergePatchError. */
function strategicStatus(error: { readonly code: 400 | 422 | 500; readonly message: string }) {
  if (error.code === 400) return badRequest(error.message)
  return error.code === 422 ? genericServerResponse(422) : unknownError(error.message)
}

const mapObject = (decoded: Result<DecodedObject>): Result<{ value: unknown; strictErrors: readonly string[] }> =>
  decoded.error === undefined ? ok({ value: decoded.value.object, strictErrors: decoded.value.strictErrors }) : decoded

function decodeResult(
  rq: ResourceRq,
  result: unknown,
  patchErrors: readonly string[],
  quoted: () => string,
  options: Options,
  kind: GroupVersionKind,
): KubeObject {
  const schema = schemaFor(kind.group, kind.version, kind.kind) ?? rq.served.schema
  if (!schema) throw new Error(`no schema of ${rq.served.id}`)
  const custom = rq.info.subresource !== 'scale' ? rq.served.decode?.(kind.kind, result, options.fieldValidation) : undefined
  const decoded = custom ? mapObject(custom) : decodeTree(result, schema, options.fieldValidation)
  if (decoded.error !== undefined) return refusePatch(quoted(), decoded.error)
  const object = (decoded.value.value ?? {}) as KubeObject
  const apiVersion = groupVersion(kind.group, kind.version)
  if (object.kind !== kind.kind || object.apiVersion !== apiVersion) {
    return refusePatch(quoted(), `unable to decode "${object.apiVersion}, Kind=${object.kind}" into ${kind.kind}`)
  }
  const strict = options.fieldValidation === 'Ignore' ? [] : [...patchErrors, ...decoded.value.strictErrors]
  if (strict.length > 0) {
    if (options.fieldValidation === 'Strict') return refusePatch(quoted(), strictDecodingText(strict))
    rq.warnings.push(...strict)
  }
  object.metadata ??= {}
  return object
}

// POST: apiserver/pkg/endpoints/handlers/create.go, registry/generic/registry/store.go Create, registry/rest/create.go.
import { fieldErrorText } from '../../../api/field-error-text.ts'
import type { FieldError } from '../../../api/field.ts'
import { byteLength } from '../../../api/go-text.ts'
import { marshalObject } from '../../../api/marshal.ts'
import { schemaFor } from '../../../api/schema/index.ts'
import { generateName } from '../../../api/names.ts'
import { alreadyExists, generateNameConflict, internalError, invalid, unknownError } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { validatePathSegmentName } from '../../../api/validation/names.ts'
import { validateObjectMeta } from '../../../api/validation/objectmeta.ts'
import { mutate, validate } from '../admission/chain.ts'
import type { Attributes } from '../admission/types.ts'
import { attributesOfRequest, forbiddenStatus } from '../authz/attributes.ts'
import { authorize } from '../authz/authorize.ts'
import type { BeginFailure } from '../registry/strategy.ts'
import { refuse } from '../refusal.ts'
import { newUid } from '../uuid.ts'
import type { Plan } from '../types.ts'
import { decodeBody } from './body.ts'
import { guardEscalation } from './escalation.ts'
import { updateManager } from './managed.ts'
import { dedupOwnerReferences, ensureNamespace, wipeSystemFields } from './meta.ts'
import { kindOf, resourceOf } from './names.ts'
import { type Options, writeOptions } from './options.ts'
import { namespaceOf, type ResourceRq } from './request.ts'
import { createTxn, keyFor, withEffects } from './store.ts'

/** Upstream tries this often to find a free generated name (RetryGenerateName). */
const GENERATE_NAME_ATTEMPTS = 8

/** Answers and stored objects have the fields that Go writes, also empty ones. */
export function marshalled(rq: ResourceRq, draft: KubeObject): KubeObject {
  const { strategy } = rq.served
  const schema = rq.served.custom ? undefined : schemaFor(strategy.group, strategy.version, strategy.kind)
  return schema ? (marshalObject(draft, schema) as KubeObject) : draft
}

/** etcd's --max-request-bytes. */
const MAX_OBJECT_BYTES = 1.5 * 1024 * 1024
/** Bodies below this cannot make an object that large. */
const SMALL_BODY = 256 * 1024

export function checkSize(rq: ResourceRq, object: KubeObject): void {
  const { body, headers } = rq.request
  // Only copies make much of little.
  const copies = headers['content-type'] === 'application/json-patch+json'
  if (!copies && (typeof body !== 'string' || body.length < SMALL_BODY)) return
  if (byteLength(JSON.stringify(object)) > MAX_OBJECT_BYTES) refuse(unknownError('etcdserver: request is too large'))
}

export function planCreate(rq: ResourceRq): Plan {
  const options = writeOptions(rq, 'CreateOptions')
  const draft = decodeBody(rq, options)
  const { metadata } = draft
  dedupOwnerReferences(rq, metadata, false)
  wipeSystemFields(metadata)
  ensureNamespace(rq, metadata)
  updateManager(rq, undefined, draft, options)
  const a = attributesOf(rq, 'CREATE', metadata.name ?? '', draft, undefined, options.dryRun)
  mutate(a)
  dedupOwnerReferences(rq, metadata, true)
  return storeNew(rq, draft, a, options, 201)
}

export function attributesOf(
  rq: ResourceRq,
  operation: Attributes['operation'],
  name: string,
  object: KubeObject | undefined,
  old: KubeObject | undefined,
  dryRun: boolean,
): Attributes {
  const { strategy } = rq.served
  return {
    operation,
    rq,
    group: strategy.group,
    resource: strategy.resource,
    subresource: rq.info.subresource,
    kind: strategy.kind,
    namespace: rq.info.namespace,
    name,
    ...(object ? { object } : {}),
    ...(old ? { old } : {}),
    dryRun,
  }
}

export function refuseInvalid(rq: ResourceRq, name: string, errors: readonly FieldError[], object?: KubeObject): never {
  rq.notes.push({ kind: 'apiserver.validation.failed', errors: errors.map(fieldErrorText) })
  refuse(invalid(kindOf(rq.served, object), name, errors))
}

export function refuseBegin(rq: ResourceRq, name: string, failure: BeginFailure): never {
  if ('fieldErrors' in failure) refuseInvalid(rq, name, failure.fieldErrors)
  refuse(internalError(failure.internalError))
}

/** An apply or PUT that turns out to create needs the right to do so (handlers/create.go withAuthorization). */
function mayCreate(rq: ResourceRq): void {
  const a = { ...attributesOfRequest(rq.user, rq.info), verb: 'create' }
  const decision = authorize(a, rq.view)
  if (!decision.allowed) refuse(forbiddenStatus(a, decision.reason))
}

/** Store.Create, after mutating admission. */
export function storeNew(rq: ResourceRq, draft: KubeObject, a: Attributes, options: Options, code: number): Plan {
  const { served, view } = rq
  const { strategy } = served
  const { metadata } = draft
  guardEscalation(rq, draft, undefined)
  metadata.creationTimestamp = rq.now
  metadata.uid = newUid(() => rq.random())
  const generated = !metadata.name && !!metadata.generateName
  if (generated) metadata.name = generateName(metadata.generateName as string, () => rq.random())
  const begin = strategy.beginCreate?.(draft, view)
  if (begin) refuseBegin(rq, metadata.name ?? '', begin)
  ensureNamespace(rq, metadata)
  strategy.prepareForCreate?.(draft, view)
  const name = metadata.name ?? ''
  const errors = strategy.validate(draft, view)
  if (errors.length > 0) refuseInvalid(rq, name, errors, draft)
  const metaErrors = validateObjectMeta(metadata, strategy.namespaced, validatePathSegmentName)
  if (metaErrors.length > 0) refuseInvalid(rq, name, metaErrors)
  rq.warnings.push(...(strategy.createWarnings?.(draft, view) ?? []))
  strategy.canonicalize?.(draft)
  if (rq.info.verb !== 'create') mayCreate(rq)
  validate({ ...a, name })
  if (metadata.resourceVersion && metadata.resourceVersion !== '0' && rq.request.method === 'POST')
    refuse(unknownError('resourceVersion should not be set on objects to be created'))
  const key = keyFor(served, namespaceOf(rq), name)
  const existing = view.current(served, namespaceOf(rq), name)
  if (existing && (!generated || rq.plans > GENERATE_NAME_ATTEMPTS)) {
    const status = generated ? generateNameConflict(resourceOf(served), name) : alreadyExists(resourceOf(served), name)
    refuse(existing.metadata.deletionTimestamp ? { ...status, message: `object is being deleted: ${status.message}` } : status)
  }
  const object = marshalled(rq, draft)
  delete object.metadata.resourceVersion
  checkSize(rq, object)
  if (options.dryRun) return { do: 'answer', answer: { code, object } }
  rq.effects.push(...(strategy.companions?.(object, undefined, view) ?? []))
  return {
    do: 'commit',
    txn: withEffects(rq, createTxn(key, object)),
    then: { do: 'answer-object', code, object },
    stores: `create ${key}`,
  }
}

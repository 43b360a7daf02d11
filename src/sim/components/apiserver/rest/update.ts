// PUT, and the store half of PATCH: handlers/update.go, registry/generic/registry/store.go Update, registry/rest/update.go.
import { deepEqual } from '../../../../lib/compare.ts'
import { invalid as invalidField } from '../../../api/field.ts'
import { badRequest, conflict, invalid, notFound, unknownError } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { validatePathSegmentName } from '../../../api/validation/names.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../../../api/validation/objectmeta.ts'
import { mutate, validate } from '../admission/chain.ts'
import { revisionOf } from '../cache/cache.ts'
import { refuse } from '../refusal.ts'
import type { UpdateStrategy } from '../registry/strategy.ts'
import type { Plan } from '../types.ts'
import { decodeBody } from './body.ts'
import { attributesOf, checkSize, marshalled, refuseBegin, refuseInvalid, storeNew } from './create.ts'
import { finishDelete } from './delete.ts'
import { guardEscalation } from './escalation.ts'
import { updateManager, withoutTimestampNoise } from './managed.ts'
import { dedupOwnerReferences, ensureNamespace, wipeSystemFields } from './meta.ts'
import { kindOf, resourceOf } from './names.ts'
import { type Options, writeOptions } from './options.ts'
import { namespaceOf, type ResourceRq } from './request.ts'
import { keyFor, updateTxn, withEffects } from './store.ts'

export interface UpdateSpec {
  readonly options: Options
  /** Rules of the door: the kind's own or a subresource's. */
  readonly door: UpdateStrategy
  /** The wanted object, as a private draft, made from what exists (undefined = nothing). Managers are noted by it. */
  next(existing: KubeObject | undefined): KubeObject
  /** Apply creates whatever the kind says; subresources never do. */
  readonly creates: boolean
  /** The uid that the client says the object has. */
  readonly uid?: string
  /** Makes the answer from the stored object (Scale); absent: the object itself. */
  readonly answer?: (stored: KubeObject) => object
}

export function planUpdate(rq: ResourceRq): Plan {
  const options = writeOptions(rq, 'UpdateOptions')
  const draft = decodeBody(rq, options)
  const { metadata } = draft
  checkName(rq, metadata.name, metadata.namespace)
  dedupOwnerReferences(rq, metadata, false)
  return updateObject(rq, {
    options,
    door: doorOf(rq),
    creates: rq.info.subresource === '' && rq.served.strategy.allowCreateOnUpdate === true,
    ...(metadata.uid ? { uid: metadata.uid } : {}),
    next: (existing) => {
      updateManager(rq, existing, draft, options)
      return draft
    },
  })
}

/** The update rules of the request's door. */
export function doorOf(rq: ResourceRq): UpdateStrategy {
  const { strategy } = rq.served
  if (rq.info.subresource === '') return strategy
  const sub = strategy.subresources?.[rq.info.subresource]
  return sub?.does === 'update' ? sub : strategy
}

export function checkName(rq: ResourceRq, name: string | undefined, namespace: string | undefined): void {
  if (!name) refuse(badRequest(`the name of the object (${rq.info.name} based on URL) was undeterminable: name must be provided`))
  if (name !== rq.info.name) refuse(badRequest(`the name of the object (${name}) does not match the name on the URL (${rq.info.name})`))
  const expected = namespaceOf(rq)
  if (expected && namespace && namespace !== expected) {
    refuse(badRequest(`the namespace of the object (${namespace}) does not match the namespace on the request (${expected})`))
  }
}

/** storage.Preconditions.Check, as storage errors read. */
export function checkUid(rq: ResourceRq, key: string, uid: string | undefined, existing: KubeObject | undefined): void {
  if (uid === undefined || uid === existing?.metadata.uid) return
  const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${existing?.metadata.uid ?? ''}`
  refuse(
    conflict(
      resourceOf(rq.served),
      rq.info.name,
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
    ),
  )
}

export function updateObject(rq: ResourceRq, spec: UpdateSpec): Plan {
  const { served, view } = rq
  const { strategy } = served
  const { options, door } = spec
  const namespace = namespaceOf(rq)
  const { name } = rq.info
  const key = keyFor(served, namespace, name)
  const existing = view.current(served, namespace, name)
  if (!existing && !spec.creates) refuse(notFound(resourceOf(served), name))
  checkUid(rq, key, spec.uid, existing)
  const draft = spec.next(existing)
  const { metadata } = draft
  if (!existing) {
    wipeSystemFields(metadata)
    const a = attributesOf(rq, 'CREATE', name, draft, undefined, options.dryRun)
    mutate(a)
    dedupOwnerReferences(rq, metadata, true)
    return storeNew(rq, draft, a, options, 201)
  }
  const a = attributesOf(rq, 'UPDATE', name, draft, existing, options.dryRun)
  mutate(a)
  dedupOwnerReferences(rq, metadata, true)
  guardEscalation(rq, draft, existing)
  checkVersion(rq, draft, existing)
  const before = existing.metadata
  if (rq.info.subresource === '') {
    const begin = strategy.beginUpdate?.(draft, existing, view)
    if (begin) refuseBegin(rq, name, begin)
  }
  // rest.BeforeUpdate
  ensureNamespace(rq, metadata)
  if (before.generation === undefined) delete metadata.generation
  else metadata.generation = before.generation
  door.prepareForUpdate?.(draft, existing, view)
  metadata.uid ||= before.uid as string
  if (before.creationTimestamp !== undefined) metadata.creationTimestamp = before.creationTimestamp
  if (before.deletionTimestamp !== undefined) metadata.deletionTimestamp = before.deletionTimestamp
  if (before.deletionGracePeriodSeconds !== undefined) metadata.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds
  const errors = [
    ...validateObjectMeta(metadata, strategy.namespaced, validatePathSegmentName),
    ...validateObjectMetaUpdate(metadata, before),
    ...door.validateUpdate(draft, existing, view),
  ]
  if (errors.length > 0) refuseInvalid(rq, metadata.name ?? '', errors, draft)
  rq.warnings.push(...(door.warnings?.(draft, existing, view) ?? []))
  strategy.canonicalize?.(draft)
  validate(a)
  if (endsDeletion(rq, draft, existing))
    return finishDelete(rq, draft, existing, options.dryRun, { do: 'answer-object', code: 200, object: draft })
  const next = marshalled(rq, draft)
  checkSize(rq, next)
  withoutTimestampNoise(next, existing)
  const answerOf = (object: KubeObject): Plan => ({
    do: 'answer',
    answer: spec.answer ? { code: 200, raw: spec.answer(object) } : { code: 200, object },
  })
  if (deepEqual(next, existing)) {
    // Nothing to write; but only the newest state may say so.
    if (!rq.fresh) rq.need('fresh', { kind: 'fresh' })
    return answerOf(existing)
  }
  if (options.dryRun) return answerOf(next)
  if (rq.info.subresource === '') rq.effects.push(...(strategy.companions?.(next, existing, view) ?? []))
  const then = spec.answer
    ? ({ do: 'plan', phase: 'answer', object: next } as const)
    : ({ do: 'answer-object', code: 200, object: next } as const)
  return { do: 'commit', txn: withEffects(rq, updateTxn(key, next, revisionOf(existing))), then, stores: `update ${key}` }
}

/** The client's resourceVersion: the newest, or none where the kind allows that. */
function checkVersion(rq: ResourceRq, draft: KubeObject, existing: KubeObject): void {
  const { served } = rq
  const { name } = rq.info
  const asked = draft.metadata.resourceVersion ?? ''
  const version = parseVersion(asked)
  if (version === 0 && served.strategy.allowUnconditionalUpdate) {
    draft.metadata.resourceVersion = existing.metadata.resourceVersion as string
    return
  }
  if (version === 0) {
    refuse(
      invalid({ group: kindOf(served).group, name: served.strategy.resource }, name, [
        invalidField('metadata.resourceVersion', 0, 'must be specified for an update'),
      ]),
    )
  }
  if (version !== revisionOf(existing)) refuse(conflict(resourceOf(served), name))
}

function parseVersion(text: string): number {
  if (text === '') return 0
  if (!/^\d+$/.test(text)) refuse(unknownError(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`))
  return Number(text)
}

/** ShouldDeleteDuringUpdate: the last finalizer goes from an object that is being deleted. */
function endsDeletion(rq: ResourceRq, draft: KubeObject, existing: KubeObject): boolean {
  const custom = rq.served.strategy.endsDeletion
  if ((draft.metadata.finalizers?.length ?? 0) > 0) return false
  if (custom) return custom(draft, existing)
  if ((existing.metadata.finalizers?.length ?? 0) === 0) return false
  return existing.metadata.deletionTimestamp !== undefined && (existing.metadata.deletionGracePeriodSeconds ?? 0) === 0
}

// DELETE: handlers/delete.go, registry/generic/registry/store.go Delete, registry/rest/delete.go.
import { conflict, invalid, notFound, type Status } from '../../../api/status.ts'
import { formatTime, parseTime } from '../../../api/time.ts'
import type { DeleteOptions } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { validateDeleteOptions } from '../../../api/validation/options.ts'
import { mutate, validate } from '../admission/chain.ts'
import type { Attributes } from '../admission/types.ts'
import { revisionOf } from '../cache/cache.ts'
import { refuse } from '../refusal.ts'
import { queryBool, queryValue, queryValues } from '../request-info.ts'
import type { Answer, Plan, Then } from '../types.ts'
import { attributesOf } from './create.ts'
import { decodeDeleteOptions } from './delete-options.ts'
import { resourceOf } from './names.ts'
import { queryInt } from './options.ts'
import { namespaceOf, type ResourceRq } from './request.ts'
import { deleteTxn, keyFor, updateTxn } from './store.ts'

const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

export function deleteOptions(rq: ResourceRq): DeleteOptions {
  const fromBody = decodeDeleteOptions(rq)
  const options = fromBody ?? optionsFromQuery(rq)
  const errors = validateDeleteOptions(options)
  if (errors.length > 0) refuse(invalid({ group: 'meta.k8s.io', name: 'DeleteOptions' }, '', errors))
  return options
}

function optionsFromQuery(rq: ResourceRq): DeleteOptions {
  const { query } = rq.info
  const grace = queryInt(rq, 'gracePeriodSeconds')
  const orphan = queryBool(query, 'orphanDependents')
  const policy = queryValue(query, 'propagationPolicy')
  const dryRun = queryValues(query, 'dryRun')
  return {
    ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan }),
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    ...(dryRun.length > 0 ? { dryRun } : {}),
  }
}

export function planDelete(rq: ResourceRq): Plan {
  const options = deleteOptions(rq)
  return deleteOne(rq, rq.info.name, options, (answer) => ({ do: 'answer', answer }))
}

/**
 * The steps of one deletion: perhaps an update that marks it, perhaps the removal. `phase` tells which step the request has reached.
 * `done` says what to do after the last one.
 */
export function deleteOne(
  rq: ResourceRq,
  name: string,
  options: DeleteOptions,
  done: (answer: Answer) => Extract<Then, { do: 'answer' | 'plan' }>,
): Plan {
  const { served, view } = rq
  const { strategy } = served
  const namespace = namespaceOf(rq)
  const dryRun = (options.dryRun?.length ?? 0) > 0
  if (rq.phase === 'delete/marked') {
    // The object was updated to grace 0 and goes now; whoever removed it first did the same work.
    const marked = rq.phaseObject as KubeObject
    const now = view.current(served, namespace, name)
    if (!now || now.metadata.uid !== marked.metadata.uid) return after(done(answerDeleted(rq, marked)))
    return finishDelete(rq, marked, now, false, done(answerDeleted(rq, marked)))
  }
  const existing = view.current(served, namespace, name)
  if (!existing) refuse(notFound(resourceOf(served), name))
  checkPreconditions(rq, options, existing)
  const a = attributesOf(rq, 'DELETE', name, undefined, existing, dryRun)
  const special = strategy.beginDelete?.(existing, rq.now)
  if (special) {
    admitDelete(a)
    if (special.answer) return after(done(special.answer))
    if (special.store) {
      if (dryRun) return after(done({ code: 200, object: special.store }))
      const key = keyFor(served, namespace, name)
      return {
        do: 'commit',
        txn: updateTxn(key, special.store, revisionOf(existing)),
        then: withObject(done, special.store),
        stores: `update ${key}`,
      }
    }
  }
  const { outcome, next, grace } = beforeDelete(rq, existing, options)
  if (outcome === 'pending') {
    return after(done(answerDeleted(rq, existing, true)))
  }
  const finalizers = collectorFinalizers(rq, existing, options)
  if (options.propagationPolicy === undefined && options.orphanDependents === undefined)
    rq.warnings.push(...(strategy.deleteWarnings?.() ?? []))
  const changed = finalizers !== undefined
  const pending = (finalizers ?? existing.metadata.finalizers ?? []).length > 0
  admitDelete(a)
  if (outcome === 'graceful' || pending || changed) {
    let marked = next
    if (changed) marked = withFinalizers(marked, finalizers)
    if (outcome !== 'graceful' && pending) marked = markAsDeleting(marked, rq)
    const lingers = pending || (outcome === 'graceful' && (grace ?? 0) > 0)
    if (lingers) {
      if (dryRun) return after(done({ code: lingerCode(options), object: marked }))
      const key = keyFor(served, namespace, name)
      if (marked === existing) return after(done({ code: lingerCode(options), object: existing }))
      return {
        do: 'commit',
        txn: updateTxn(key, marked, revisionOf(existing)),
        then: withObject(done, marked, lingerCode(options)),
        stores: `update ${key}`,
      }
    }
    if (dryRun) return after(done(answerDeleted(rq, marked)))
    if (outcome === 'graceful' && marked !== existing) {
      const key = keyFor(served, namespace, name)
      return {
        do: 'commit',
        txn: updateTxn(key, marked, revisionOf(existing)),
        then: { do: 'plan', phase: 'delete/marked', data: rq.phaseData, object: marked },
        stores: `update ${key}`,
      }
    }
  }
  return finishDelete(rq, existing, existing, dryRun, done(answerDeleted(rq, existing)))
}

/** AdmissionToValidateObjectDeleteFunc runs both halves of the chain. */
function admitDelete(a: Attributes): void {
  mutate(a)
  validate(a)
}

const lingerCode = (options: DeleteOptions): number => (options.orphanDependents === false ? 202 : 200)

const after = (then: Extract<Then, { do: 'answer' | 'plan' }>): Plan =>
  then.do === 'answer' ? { do: 'answer', answer: then.answer } : { do: 'continue', then }

/** The continuation for a stored object: its answer carries the revision of the transaction. */
function withObject(done: (answer: Answer) => Extract<Then, { do: 'answer' | 'plan' }>, object: KubeObject, code = 200): Then {
  const then = done({ code, object })
  return then.do === 'answer' && then.answer.object === object ? { do: 'answer-object', code, object } : then
}

/** Removes the object from the store. `then` is what the request goes on with. */
export function finishDelete(rq: ResourceRq, last: KubeObject, existing: KubeObject, dryRun: boolean, then: Then): Plan {
  if (dryRun)
    return {
      do: 'answer',
      answer:
        then.do === 'answer-object' ? { code: then.code, object: last } : then.do === 'answer' ? then.answer : answerDeleted(rq, last),
    }
  const { served, view } = rq
  const key = keyFor(served, existing.metadata.namespace, existing.metadata.name ?? '')
  const others: string[] = []
  for (const other of served.strategy.afterDelete?.(existing) ?? []) {
    const kind = view.kind(other.resource)
    if (kind) others.push(keyFor(kind, other.namespace, other.name))
  }
  return { do: 'commit', txn: deleteTxn(key, revisionOf(existing), others), then, stores: `delete ${key}` }
}

/** What DELETE answers about a gone object: the object itself or a Status, by kind. */
export function answerDeleted(rq: ResourceRq, object: KubeObject, lingers = false): Answer {
  const { strategy } = rq.served
  if (strategy.deleteReturnsObject || lingers) return { code: 200, object }
  const { name = '', uid } = object.metadata
  const status: Omit<Status, 'code'> = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(strategy.group === '' ? {} : { group: strategy.group }), kind: strategy.resource, ...(uid ? { uid } : {}) },
  }
  return { code: 200, raw: status }
}

function checkPreconditions(rq: ResourceRq, options: DeleteOptions, existing: KubeObject): void {
  const { preconditions } = options
  if (!preconditions) return
  const { strategy } = rq.served
  const refuseWith = (why: string): never =>
    refuse(conflict({ group: strategy.group, name: strategy.kind }, existing.metadata.name ?? '', why))
  if (preconditions.uid !== undefined && preconditions.uid !== existing.metadata.uid) {
    refuseWith(
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${existing.metadata.uid}). The object might have been deleted and then recreated`,
    )
  }
  if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== existing.metadata.resourceVersion) {
    refuseWith(
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${existing.metadata.resourceVersion}). The object might have been modified`,
    )
  }
}

interface Before {
  /** graceful: marked with a grace period; pending: it is already on its way; now: the kind knows no grace. */
  readonly outcome: 'graceful' | 'pending' | 'now'
  readonly next: KubeObject
  readonly grace?: number
}

/** rest.BeforeDelete. */
function beforeDelete(rq: ResourceRq, existing: KubeObject, options: DeleteOptions): Before {
  const { strategy } = rq.served
  const requested = options.gracePeriodSeconds !== undefined && options.gracePeriodSeconds < 0 ? 1 : options.gracePeriodSeconds
  if (!strategy.gracePeriodSeconds) return { outcome: 'now', next: existing }
  const { metadata } = existing
  if (metadata.deletionTimestamp !== undefined) {
    const running = metadata.deletionGracePeriodSeconds
    if (running === undefined) return { outcome: 'now', next: existing }
    if (requested === undefined || requested >= running) return { outcome: 'pending', next: existing }
    const started = (parseTime(metadata.deletionTimestamp) ?? rq.nowMs) - running * 1000
    return {
      outcome: 'graceful',
      grace: requested,
      next: withMeta(existing, { deletionTimestamp: formatTime(started + requested * 1000), deletionGracePeriodSeconds: requested }),
    }
  }
  const grace = strategy.gracePeriodSeconds(existing, requested)
  const next = withMeta(existing, {
    deletionTimestamp: formatTime(rq.nowMs + grace * 1000),
    deletionGracePeriodSeconds: grace,
    ...((metadata.generation ?? 0) > 0 ? { generation: (metadata.generation as number) + 1 } : {}),
  })
  return { outcome: 'graceful', grace, next }
}

const withMeta = (object: KubeObject, change: Partial<KubeObject['metadata']>): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, ...change },
})

function withFinalizers(object: KubeObject, finalizers: readonly string[]): KubeObject {
  const { finalizers: _, ...metadata } = object.metadata
  return { ...object, metadata: finalizers.length > 0 ? { ...metadata, finalizers: [...finalizers] } : metadata }
}

/** markAsDeleting: for kinds without a grace period that are held by finalizers. */
function markAsDeleting(object: KubeObject, rq: ResourceRq): KubeObject {
  const { metadata } = object
  const fresh = metadata.deletionTimestamp === undefined
  if (!fresh && metadata.deletionGracePeriodSeconds === 0 && (parseTime(metadata.deletionTimestamp) ?? 0) <= rq.nowMs) return object
  return withMeta(object, {
    deletionTimestamp: fresh || (parseTime(metadata.deletionTimestamp) ?? 0) > rq.nowMs ? rq.now : (metadata.deletionTimestamp as string),
    deletionGracePeriodSeconds: 0,
    ...(fresh && (metadata.generation ?? 0) > 0 ? { generation: (metadata.generation as number) + 1 } : {}),
  })
}

/** deletionFinalizersForGarbageCollection: the new list if it differs. */
function collectorFinalizers(rq: ResourceRq, existing: KubeObject, options: DeleteOptions): string[] | undefined {
  const { strategy } = rq.served
  const old = existing.metadata.finalizers ?? []
  const policy = options.propagationPolicy
  const fallback = strategy.defaultPropagation === 'Orphan'
  const supported = strategy.garbageCollected !== false
  const orphan = !supported
    ? false
    : options.orphanDependents !== undefined
      ? options.orphanDependents
      : policy !== undefined
        ? policy === 'Orphan'
        : old.includes(ORPHAN) || fallback
  const foreground =
    !supported || options.orphanDependents !== undefined ? false : policy !== undefined ? policy === 'Foreground' : old.includes(FOREGROUND)
  const next = old.filter((f) => f !== ORPHAN && f !== FOREGROUND)
  if (orphan) next.push(ORPHAN)
  if (foreground) next.push(FOREGROUND)
  return next.length === old.length && next.every((f) => old.includes(f)) ? undefined : next
}

// What a reconcile says: requests, events, decisions. Each helper yields one step and gives its answer a type.
import type { KubeObject, ObjectRef } from '../../../api/types/object.ts'
import type { NewEvent } from '../../../client/events.ts'
import { collectionPath, objectPath, type Resource, resource } from './resources.ts'
import type { ApiAnswer, ApiCall, Runtime, Steps } from './types.ts'

/** Ends a sync with an error: the key comes back after its back-off. */
export class SyncError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'SyncError'
  }
}

export const JSON_PATCH = 'application/json-patch+json'
export const MERGE_PATCH = 'application/merge-patch+json'
export const STRATEGIC_PATCH = 'application/strategic-merge-patch+json'

const of = (name: string | Resource): Resource => (typeof name === 'string' ? resource(name) : name)

export const createCall = (r: string | Resource, namespace: string | undefined, body: object): ApiCall => ({
  method: 'POST',
  path: collectionPath(of(r), namespace),
  body,
})
export const updateCall = (r: string | Resource, object: KubeObject, subresource?: string): ApiCall => ({
  method: 'PUT',
  path: objectPath(of(r), object.metadata.namespace, object.metadata.name ?? '', subresource),
  body: object,
})
export const patchCall = (
  r: string | Resource,
  object: KubeObject,
  patch: object,
  options: { type?: string; subresource?: string } = {},
): ApiCall => ({
  method: 'PATCH',
  path: objectPath(of(r), object.metadata.namespace, object.metadata.name ?? '', options.subresource),
  body: patch,
  contentType: options.type ?? STRATEGIC_PATCH,
})
export interface DeleteOptions {
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan'
  readonly gracePeriodSeconds?: number
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}
export const deleteCall = (r: string | Resource, namespace: string | undefined, name: string, options: DeleteOptions = {}): ApiCall => ({
  method: 'DELETE',
  path: objectPath(of(r), namespace, name),
  ...(Object.keys(options).length > 0 ? { body: { apiVersion: 'v1', kind: 'DeleteOptions', ...options } } : {}),
})

export function* call(request: ApiCall): Steps<ApiAnswer> {
  return (yield request) as ApiAnswer
}
/** Side by side; answers in the order of the requests. */
export function* calls(requests: readonly ApiCall[]): Steps<ApiAnswer[]> {
  return requests.length === 0 ? [] : ((yield requests) as ApiAnswer[])
}
export const get = (r: string | Resource, namespace: string | undefined, name: string): Steps<ApiAnswer> =>
  call({ method: 'GET', path: objectPath(of(r), namespace, name) })
export const create = (r: string | Resource, namespace: string | undefined, body: object): Steps<ApiAnswer> =>
  call(createCall(r, namespace, body))
export const update = (r: string | Resource, object: KubeObject): Steps<ApiAnswer> => call(updateCall(r, object))
export const updateStatus = (r: string | Resource, object: KubeObject): Steps<ApiAnswer> => call(updateCall(r, object, 'status'))
export const patch = (
  r: string | Resource,
  object: KubeObject,
  body: object,
  options?: { type?: string; subresource?: string },
): Steps<ApiAnswer> => call(patchCall(r, object, body, options))
export const remove = (r: string | Resource, namespace: string | undefined, name: string, options?: DeleteOptions): Steps<ApiAnswer> =>
  call(deleteCall(r, namespace, name, options))

export function* effect<T>(run: (rt: Runtime) => T): Steps<T> {
  return (yield { effect: run }) as T
}
export const event = (object: NewEvent['object'], type: NewEvent['type'], reason: string, message: string): Steps<void> =>
  effect((rt) => rt.event({ object, type, reason, message }))
/** What was decided and why; what follows is caused by it. */
export const decided = (what: string, facts: Readonly<Record<string, string | number | boolean>>, subject?: ObjectRef): Steps<void> =>
  effect((rt) => rt.decided(what, facts, subject))

/** The answer's object, or the end of the sync. */
export function must(answer: ApiAnswer, context = ''): KubeObject {
  if (!answer.ok) throw new SyncError(context === '' ? answer.message : `${context}: ${answer.message}`)
  return answer.body as KubeObject
}
export const isNotFound = (answer: ApiAnswer): boolean => answer.status === 404
export const isConflict = (answer: ApiAnswer): boolean => answer.status === 409 && answer.reason === 'Conflict'
export const isAlreadyExists = (answer: ApiAnswer): boolean => answer.status === 409 && answer.reason === 'AlreadyExists'
/** apierrors.HasStatusCause(err, v1.NamespaceTerminatingCause). */
export const isNamespaceTerminating = (answer: ApiAnswer): boolean =>
  answer.status === 403 && ((answer.body?.details?.causes ?? []) as { reason?: string }[]).some((c) => c.reason === 'NamespaceTerminating')

export interface SlowStartOptions {
  readonly each?: (answer: ApiAnswer, index: number) => Steps<void>
  /** Which answers count as failures; default: all that are not ok. */
  readonly failed?: (answer: ApiAnswer) => boolean
}

/**
 * slowStartBatch of pkg/controller/replicaset: 1, 2, 4 … at a time, and none after a batch in which one failed.
 * Returns the answers so far, shorter than `requests` if it stopped.
 */
export function* slowStart(requests: readonly ApiCall[], options: SlowStartOptions = {}): Steps<ApiAnswer[]> {
  const { each, failed = (a) => !a.ok } = options
  const answers: ApiAnswer[] = []
  for (let size = 1; answers.length < requests.length; size *= 2) {
    const batch = yield* calls(requests.slice(answers.length, answers.length + size))
    for (const answer of batch) {
      if (each) yield* each(answer, answers.length)
      answers.push(answer)
    }
    if (batch.some(failed)) break
  }
  return answers
}

// System metadata: apiserver/pkg/registry/rest/meta.go, create.go, update.go.
import { deepEqual } from '../../../../lib/compare.ts'
import { badRequest } from '../../../api/status.ts'
import type { ObjectMeta } from '../../../api/types/kubernetes.gen.ts'
import { refuse } from '../refusal.ts'
import { namespaceOf, type ResourceRq, type Rq } from './request.ts'

/** WipeObjectMetaSystemFields: clients may not set these. */
export function wipeSystemFields(meta: ObjectMeta): void {
  delete meta.creationTimestamp
  delete meta.selfLink
  delete meta.uid
  delete meta.deletionTimestamp
  delete meta.deletionGracePeriodSeconds
}

/** EnsureObjectNamespaceMatchesRequestNamespace. */
export function ensureNamespace(rq: ResourceRq, meta: ObjectMeta): void {
  const expected = namespaceOf(rq) ?? ''
  const actual = meta.namespace ?? ''
  if (actual === expected) return
  if (actual === '') meta.namespace = expected
  else if (expected === '')
    delete meta.namespace // cluster-scoped: the client's namespace is dropped
  else refuse(badRequest('the namespace of the provided object does not match the namespace sent on the request'))
}

/** dedupOwnerReferencesAndAddWarning. */
export function dedupOwnerReferences(rq: Rq, meta: ObjectMeta, afterMutation: boolean): void {
  const references = meta.ownerReferences
  if (!references || references.length < 2) return
  const kept: typeof references = []
  const duplicates: string[] = []
  for (const reference of references) {
    if (kept.some((k) => deepEqual(k, reference))) duplicates.push(reference.uid)
    else kept.push(reference)
  }
  if (duplicates.length === 0) return
  meta.ownerReferences = kept
  const what = afterMutation ? 'after mutating admission happens' : ''
  rq.warnings.push(
    afterMutation
      ? `.metadata.ownerReferences contains duplicate entries ${what}; API server dedups owner references in 1.20+, please fix your requests; duplicate UID(s) observed: ${duplicates.join(', ')}`
      : `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${duplicates.join(', ')}`,
  )
}

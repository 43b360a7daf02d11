// Revisions of a StatefulSet (stateful_set_control.go: getStatefulSetRevisions, truncateHistory).
import type { KubeObject } from '../../../api/types/object.ts'
import { podTemplateHash } from '../../../api/hash.ts'
import { byRevision, newRevision, revisionOf, sameData, templatePatch } from '../runtime/history.ts'
import { create, get, isAlreadyExists, isNotFound, must, remove, SyncError, update } from '../runtime/steps.ts'
import type { Steps } from '../runtime/types.ts'
import { revisionNameOf } from './identity.ts'

const HASH_LABEL = 'controller.kubernetes.io/hash'

export interface Revisions {
  readonly current: KubeObject
  readonly update: KubeObject
  readonly collisionCount: number
}

export function* statefulSetRevisions(set: KubeObject, list: readonly KubeObject[]): Steps<Revisions> {
  const revisions = [...list].sort(byRevision)
  const data = templatePatch(set)
  const latest = revisions.at(-1)
  const number = latest ? revisionOf(latest) + 1 : 1
  const equal = revisions.filter((r) => sameData(r, data)).at(-1)
  let collisionCount: number = set.status?.collisionCount ?? 0
  let next: KubeObject
  if (equal && equal === latest) next = equal
  else if (equal) next = must(yield* update('controllerrevisions', { ...equal, revision: number }))
  else {
    for (;;) {
      const wanted = newRevision(set, podTemplateHash(set.spec.template, collisionCount), number, HASH_LABEL)
      const answer = yield* create('controllerrevisions', set.metadata.namespace, wanted)
      if (answer.ok) {
        next = answer.body as KubeObject
        break
      }
      if (!isAlreadyExists(answer)) throw new SyncError(answer.message)
      const existing = must(yield* get('controllerrevisions', set.metadata.namespace, wanted.metadata.name ?? ''))
      if (sameData(existing, data)) {
        next = existing
        break
      }
      collisionCount++
    }
  }
  const current = revisions.find((r) => r.metadata.name === set.status?.currentRevision) ?? next
  return { current, update: next, collisionCount }
}

/** ApplyRevision: the set with the template that the revision keeps. */
export function applyRevision(set: KubeObject, revision: KubeObject): KubeObject {
  const { $patch: _, ...template } = revision.data?.spec?.template ?? {}
  return Object.keys(template).length > 0 ? { ...set, spec: { ...set.spec, template } } : set
}

export function* truncateHistory(
  set: KubeObject,
  pods: readonly KubeObject[],
  list: readonly KubeObject[],
  revisions: Revisions,
): Steps<void> {
  const live = new Set([revisions.current.metadata.name, revisions.update.metadata.name, ...pods.map(revisionNameOf)])
  const history = [...list].filter((r) => !live.has(r.metadata.name)).sort(byRevision)
  for (const revision of history.slice(0, Math.max(0, history.length - (set.spec?.revisionHistoryLimit ?? 10)))) {
    const answer = yield* remove('controllerrevisions', revision.metadata.namespace, revision.metadata.name ?? '')
    if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
  }
}

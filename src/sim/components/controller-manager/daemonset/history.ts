// Revisions of a DaemonSet's template (pkg/controller/daemon/update.go: constructHistory, snapshot, cleanupHistory).
import type { Selector } from '../../../api/labels.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { claim } from '../runtime/claim.ts'
import { podTemplateHash } from '../../../api/hash.ts'
import { byRevision, newRevision, REVISION_HASH_LABEL, revisionOf, sameData, templatePatch } from '../runtime/history.ts'
import { create, get, isAlreadyExists, isNotFound, must, remove, SyncError, update, updateStatus } from '../runtime/steps.ts'
import type { Steps } from '../runtime/types.ts'

export interface History {
  readonly hash: string
  readonly old: readonly KubeObject[]
}

export function* constructHistory(ds: KubeObject, revisions: readonly KubeObject[], selector: Selector): Steps<History> {
  const mine = yield* claim(ds, revisions, { ownerResource: 'daemonsets', resource: 'controllerrevisions', selector })
  const data = templatePatch(ds)
  const current = mine.filter((r) => sameData(r, data)).sort(byRevision)
  const old = mine.filter((r) => !sameData(r, data))
  const number = Math.max(0, ...old.map(revisionOf)) + 1
  let cur = current.at(-1)
  if (!cur) cur = yield* snapshot(ds, number)
  else {
    // Of several equal ones the newest stays; pods of the others get its hash.
    for (const duplicate of current.slice(0, -1)) yield* remove('controllerrevisions', ds.metadata.namespace, duplicate.metadata.name ?? '')
    if (revisionOf(cur) < number) cur = must(yield* update('controllerrevisions', { ...cur, revision: number }))
  }
  return { hash: cur.metadata.labels?.[REVISION_HASH_LABEL] ?? '', old }
}

function* snapshot(ds: KubeObject, number: number): Steps<KubeObject> {
  const hash = podTemplateHash(ds.spec.template, ds.status?.collisionCount)
  const wanted = newRevision(ds, hash, number)
  const answer = yield* create('controllerrevisions', ds.metadata.namespace, wanted)
  if (answer.ok) return answer.body as KubeObject
  if (!isAlreadyExists(answer)) throw new SyncError(answer.message)
  const existing = must(yield* get('controllerrevisions', ds.metadata.namespace, wanted.metadata.name ?? ''))
  if (sameData(existing, templatePatch(ds))) return existing
  const fresh = must(yield* get('daemonsets', ds.metadata.namespace, ds.metadata.name ?? ''))
  if ((fresh.status?.collisionCount ?? 0) === (ds.status?.collisionCount ?? 0)) {
    yield* updateStatus('daemonsets', { ...fresh, status: { ...fresh.status, collisionCount: (fresh.status?.collisionCount ?? 0) + 1 } })
  }
  throw new SyncError(answer.message)
}

export function* cleanupHistory(ds: KubeObject, old: readonly KubeObject[], pods: readonly KubeObject[]): Steps<void> {
  let surplus = old.length - (ds.spec?.revisionHistoryLimit ?? 10)
  if (surplus <= 0) return
  const live = new Set(pods.map((p) => p.metadata.labels?.[REVISION_HASH_LABEL]))
  for (const revision of [...old].sort(byRevision)) {
    if (surplus <= 0) return
    if (live.has(revision.metadata.labels?.[REVISION_HASH_LABEL])) continue
    const answer = yield* remove('controllerrevisions', revision.metadata.namespace, revision.metadata.name ?? '')
    if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
    surplus--
  }
}

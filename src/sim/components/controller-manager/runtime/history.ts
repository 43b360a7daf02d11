// Revisions of a template (pkg/controller/history/controller_history.go), shared by DaemonSets and StatefulSets.
import { deepEqual } from '../../../../lib/compare.ts'
import { copyOwn } from '../../../../lib/own.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { byCreation, ownerReference } from './objects.ts'

export const REVISION_HASH_LABEL = 'controller-revision-hash'
export const revisionOf = (r: KubeObject): number => Number(r.revision ?? 0)
export const byRevision = (a: KubeObject, b: KubeObject): number => revisionOf(a) - revisionOf(b) || byCreation(a, b)

/** What of the object a revision keeps: its template, as a patch that replaces it. */
export const templatePatch = (object: KubeObject): object => ({ spec: { template: { ...object.spec.template, $patch: 'replace' } } })
export const sameData = (revision: KubeObject, patch: object): boolean => deepEqual(revision.data, patch)

export function newRevision(owner: KubeObject, hash: string, revision: number, hashLabel: string = REVISION_HASH_LABEL): KubeObject {
  const own = copyOwn<string>(owner.spec.template.metadata?.labels ?? {})
  own[hashLabel] = hash
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${owner.metadata.name}-${hash}`,
      namespace: owner.metadata.namespace ?? '',
      labels: own,
      ...(owner.metadata.annotations ? { annotations: owner.metadata.annotations } : {}),
      ownerReferences: [ownerReference(owner)],
    },
    data: templatePatch(owner),
    revision,
  }
}

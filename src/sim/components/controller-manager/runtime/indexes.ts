// Indexes over the informers' stores, kept by every event: lookups must not scan 10,000 pods.
import type { KubeObject } from '../../../api/types/object.ts'
import type { InformerEvent } from '../../../client/informer.ts'
import type { Table } from '../../../engine/types.ts'
import type { Context } from '../../../net/context.ts'
import { controllerOf } from './objects.ts'

type Indexer = (object: KubeObject) => readonly string[]

/** Key of pods (replica sets …) without a controller, by namespace. */
export const orphanKey = (namespace: string | undefined): string => `orphan:${namespace ?? ''}`

const byController: Indexer = (o) => [controllerOf(o)?.uid ?? orphanKey(o.metadata.namespace)]
export const claimsOfPod = (pod: KubeObject): string[] => {
  const claims: string[] = []
  for (const volume of pod.spec?.volumes ?? []) {
    if (volume.persistentVolumeClaim) claims.push(`${pod.metadata.namespace}/${volume.persistentVolumeClaim.claimName}`)
    else if (volume.ephemeral) claims.push(`${pod.metadata.namespace}/${pod.metadata.name}-${volume.name}`)
  }
  return claims
}

/** By informer: index name → values of an object. */
export const INDEXERS: Readonly<Record<string, Readonly<Record<string, Indexer>>>> = {
  pods: {
    controller: byController,
    node: (pod) => [pod.spec?.nodeName ?? ''],
    claim: claimsOfPod,
  },
  replicasets: { controller: byController },
  jobs: { controller: byController },
  controllerrevisions: { controller: byController },
  endpointslices: { service: (slice) => [`${slice.metadata.namespace}/${slice.metadata.labels?.['kubernetes.io/service-name'] ?? ''}`] },
  persistentvolumes: {
    claim: (pv) => (pv.spec?.claimRef ? [`${pv.spec.claimRef.namespace}/${pv.spec.claimRef.name}`] : []),
    class: (pv) => [pv.spec?.storageClassName ?? ''],
  },
  persistentvolumeclaims: { volume: (pvc) => (pvc.spec?.volumeName ? [pvc.spec.volumeName] : []) },
  secrets: {
    serviceaccount: (secret) =>
      secret.type === 'kubernetes.io/service-account-token'
        ? [`${secret.metadata.namespace}/${secret.metadata.annotations?.['kubernetes.io/service-account.name'] ?? ''}`]
        : [],
  },
}

const table = (ctx: Context, informer: string, index: string): Table<readonly string[]> => ctx.table(`index/${informer}/${index}`)

export function updateIndexes(ctx: Context, event: InformerEvent): void {
  const indexers = INDEXERS[event.informer]
  if (!indexers) return
  for (const [name, indexer] of Object.entries(indexers)) {
    const before = event.old ? indexer(event.old) : event.type === 'DELETED' ? indexer(event.object) : []
    const after = event.type === 'DELETED' ? [] : indexer(event.object)
    const keys = table(ctx, event.informer, name)
    for (const value of before) {
      if (after.includes(value)) continue
      const left = (keys.get(value) ?? []).filter((k) => k !== event.key)
      if (left.length > 0) keys.put(value, left)
      else keys.delete(value)
    }
    for (const value of after) {
      if (before.includes(value)) continue
      const have = keys.get(value) ?? []
      if (!have.includes(event.key)) keys.put(value, [...have, event.key])
    }
  }
}

export function indexed(ctx: Context, informer: string, index: string, value: string): readonly string[] {
  if (!INDEXERS[informer]?.[index]) throw new Error(`no index ${index} of ${informer}`)
  return table(ctx, informer, index).get(value) ?? []
}

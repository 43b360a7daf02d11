// Plugins' view of the informers' caches, with the volumes and claims that the scheduler assumes while it binds them.
import type { Labels } from '../../api/labels.ts'
import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  ReplicaSet,
  ReplicationController,
  Service,
  StatefulSet,
  StorageClass,
  VolumeAttachment,
} from '../../api/types/kubernetes.gen.ts'
import { type InformerSpec, store } from '../../client/informer.ts'
import type { Context } from '../../net/context.ts'
import type { Listers } from './framework/types.ts'
import { volumeClass } from './plugins/volumebinding/match.ts'

/** Finished pods are no concern of the scheduler: its informer does not see them. */
const LIVING_PODS = `fieldSelector=${encodeURIComponent('status.phase!=Succeeded,status.phase!=Failed')}`

export const INFORMERS: readonly InformerSpec[] = [
  { name: 'nodes', path: '/api/v1/nodes' },
  { name: 'pods', path: '/api/v1/pods', query: LIVING_PODS },
  { name: 'namespaces', path: '/api/v1/namespaces' },
  { name: 'services', path: '/api/v1/services' },
  { name: 'replicationcontrollers', path: '/api/v1/replicationcontrollers' },
  { name: 'replicasets', path: '/apis/apps/v1/replicasets' },
  { name: 'statefulsets', path: '/apis/apps/v1/statefulsets' },
  { name: 'poddisruptionbudgets', path: '/apis/policy/v1/poddisruptionbudgets' },
  { name: 'persistentvolumes', path: '/api/v1/persistentvolumes' },
  { name: 'persistentvolumeclaims', path: '/api/v1/persistentvolumeclaims' },
  { name: 'storageclasses', path: '/apis/storage.k8s.io/v1/storageclasses' },
  { name: 'csinodes', path: '/apis/storage.k8s.io/v1/csinodes' },
  { name: 'csidrivers', path: '/apis/storage.k8s.io/v1/csidrivers' },
  { name: 'csistoragecapacities', path: '/apis/storage.k8s.io/v1/csistoragecapacities' },
  { name: 'volumeattachments', path: '/apis/storage.k8s.io/v1/volumeattachments' },
]

/** Objects as the scheduler expects them to become, by namespace/name or name. */
export const assumedVolumes = (ctx: Context) => ctx.table<PersistentVolume>('assumed/volumes')
export const assumedClaims = (ctx: Context) => ctx.table<PersistentVolumeClaim>('assumed/claims')

export function listersOf(ctx: Context): Listers {
  const get = <T>(informer: string, key: string): T | undefined => store(ctx, informer).get(key) as T | undefined
  const list = <T>(informer: string): T[] => store(ctx, informer).values() as unknown as T[]
  return {
    services: (namespace) =>
      store(ctx, 'services')
        .keysWithPrefix(`${namespace}/`)
        .map((key) => get<Service>('services', key) as Service),
    replicationController: (namespace, name) => get<ReplicationController>('replicationcontrollers', `${namespace}/${name}`),
    replicaSet: (namespace, name) => get<ReplicaSet>('replicasets', `${namespace}/${name}`),
    statefulSet: (namespace, name) => get<StatefulSet>('statefulsets', `${namespace}/${name}`),
    namespaceLabels: (name) => store(ctx, 'namespaces').get(name)?.metadata.labels as Labels | undefined,
    namespaces: () => store(ctx, 'namespaces').keys(),
    budgets: () => list<PodDisruptionBudget>('poddisruptionbudgets'),
    claim: (namespace, name) =>
      assumedClaims(ctx).get(`${namespace}/${name}`) ?? get<PersistentVolumeClaim>('persistentvolumeclaims', `${namespace}/${name}`),
    volume: (name) => assumedVolumes(ctx).get(name) ?? get<PersistentVolume>('persistentvolumes', name),
    volumesOfClass: (className) =>
      list<PersistentVolume>('persistentvolumes')
        .map((v) => assumedVolumes(ctx).get(v.metadata.name as string) ?? v)
        .filter((v) => volumeClass(v) === className),
    storageClass: (name) => get<StorageClass>('storageclasses', name),
    csiNode: (name) => get<CSINode>('csinodes', name),
    csiDriver: (name) => get<CSIDriver>('csidrivers', name),
    csiStorageCapacities: () => list<CSIStorageCapacity>('csistoragecapacities'),
    volumeAttachments: (nodeName) => list<VolumeAttachment>('volumeattachments').filter((a) => a.spec.nodeName === nodeName),
  }
}

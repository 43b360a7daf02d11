// A world for plugins without a cluster: objects in, listers and a snapshot out.
import type { Node, Pod } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { buildNodeInfo, type NodeInfo, withPod } from '../framework/nodeinfo.ts'
import { assumedPodInfo, type PodInfo, podInfo } from '../framework/podinfo.ts'
import {
  addToTree,
  buildSnapshot,
  getNode,
  type ImageState,
  listTree,
  type NodeTree,
  replaceNode,
  type Snapshot,
} from '../framework/snapshot.ts'
import type { Cycle, Listers } from '../framework/types.ts'

export interface World {
  readonly snapshot: Snapshot
  readonly listers: Listers
}

/** Objects as the API server would store them; pods with spec.nodeName are on their nodes. */
export function makeWorld(objects: readonly KubeObject[]): World {
  const byKind = new Map<string, KubeObject[]>()
  for (const object of objects) byKind.set(object.kind, [...(byKind.get(object.kind) ?? []), object])
  const of = <T>(kind: string): T[] => (byKind.get(kind) ?? []) as unknown as T[]
  const get = <T>(kind: string, namespace: string | undefined, name: string): T | undefined =>
    (byKind.get(kind) ?? []).find(
      (o) => o.metadata.name === name && (namespace === undefined || o.metadata.namespace === namespace),
    ) as unknown as T | undefined

  const nodes = of<Node>('Node')
  const podsByNode = new Map<string, PodInfo[]>()
  for (const pod of of<Pod>('Pod')) {
    const name = pod.spec?.nodeName
    if (!name || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue
    podsByNode.set(name, [...(podsByNode.get(name) ?? []), podInfo(pod)])
  }
  let tree: NodeTree = []
  for (const node of nodes) tree = addToTree(tree, node)
  const infos = listTree(tree).map((name) => buildNodeInfo(name, get<Node>('Node', undefined, name), podsByNode.get(name) ?? []))
  const namespaces = new Set([
    'default',
    ...objects.map((o) => o.metadata.namespace ?? '').filter((n) => n !== ''),
    ...of<KubeObject>('Namespace').map((n) => n.metadata.name as string),
  ])
  return {
    snapshot: buildSnapshot(infos, imagesOf(nodes)),
    listers: {
      services: (namespace) => of<KubeObject>('Service').filter((s) => s.metadata.namespace === namespace) as never,
      replicationController: (namespace, name) => get('ReplicationController', namespace, name),
      replicaSet: (namespace, name) => get('ReplicaSet', namespace, name),
      statefulSet: (namespace, name) => get('StatefulSet', namespace, name),
      namespaceLabels: (name) => ({
        'kubernetes.io/metadata.name': name,
        ...get<KubeObject>('Namespace', undefined, name)?.metadata.labels,
      }),
      namespaces: () => [...namespaces],
      budgets: () => of('PodDisruptionBudget'),
      claim: (namespace, name) => get('PersistentVolumeClaim', namespace, name),
      volume: (name) => get('PersistentVolume', undefined, name),
      volumesOfClass: (className) => of<KubeObject>('PersistentVolume').filter((v) => v.spec?.storageClassName === className) as never,
      storageClass: (name) => get('StorageClass', undefined, name),
      csiNode: (name) => get('CSINode', undefined, name),
      csiDriver: (name) => get('CSIDriver', undefined, name),
      csiStorageCapacities: () => of('CSIStorageCapacity'),
      volumeAttachments: () => [],
    },
  }
}

function imagesOf(nodes: readonly Node[]): ReadonlyMap<string, ImageState> {
  const images = new Map<string, ImageState>()
  for (const node of nodes) {
    for (const image of node.status?.images ?? []) {
      for (const name of image.names ?? []) {
        const state = images.get(name)
        images.set(name, { size: state?.size ?? image.sizeBytes ?? 0, nodes: (state?.nodes ?? 0) + 1 })
      }
    }
  }
  return images
}

export const cycleOf = (world: World, pod: Pod): Cycle => ({
  pod: podInfo(pod),
  ...world,
  nominator: { empty: true, forNode: () => NOBODY },
})

/** The world in which the pod is on the node. */
export function place(world: World, pod: PodInfo, node: string): World {
  const info = getNode(world.snapshot, node) as NodeInfo
  return { ...world, snapshot: replaceNode(world.snapshot, withPod(info, assumedPodInfo(pod, node))) }
}

const NOBODY: readonly PodInfo[] = []

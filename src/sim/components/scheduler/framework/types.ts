// Extension points (k8s.io/kube-scheduler/framework/interface.go). Plugins are pure: they read the cycle and return verdicts.
import type { Labels } from '../../../api/labels.ts'
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
} from '../../../api/types/kubernetes.gen.ts'
import type { NodeInfo } from './nodeinfo.ts'
import type { PodInfo } from './podinfo.ts'
import type { Snapshot } from './snapshot.ts'
import type { Status } from './status.ts'

/** The informers' caches, as far as plugins look into them. */
export interface Listers {
  services(namespace: string): readonly Service[]
  replicationController(namespace: string, name: string): ReplicationController | undefined
  replicaSet(namespace: string, name: string): ReplicaSet | undefined
  statefulSet(namespace: string, name: string): StatefulSet | undefined
  namespaceLabels(name: string): Labels | undefined
  namespaces(): readonly string[]
  budgets(): readonly PodDisruptionBudget[]
  /** With what the scheduler assumes about volumes and claims that it is binding. */
  claim(namespace: string, name: string): PersistentVolumeClaim | undefined
  volume(name: string): PersistentVolume | undefined
  volumesOfClass(className: string): readonly PersistentVolume[]
  storageClass(name: string): StorageClass | undefined
  csiNode(name: string): CSINode | undefined
  csiDriver(name: string): CSIDriver | undefined
  csiStorageCapacities(): readonly CSIStorageCapacity[]
  volumeAttachments(nodeName: string): readonly VolumeAttachment[]
}

/** Pods that are to run on a node but are not there yet, because victims must leave first. */
export interface Nominator {
  readonly empty: boolean
  forNode(nodeName: string): readonly PodInfo[]
}

export interface Cycle {
  readonly pod: PodInfo
  readonly snapshot: Snapshot
  readonly listers: Listers
  readonly nominator: Nominator
}

export interface PreFilterResult {
  readonly status?: Status
  /** The only nodes that can fit. */
  readonly nodeNames?: ReadonlySet<string>
  /** Handed to the plugin's filter. */
  readonly data?: unknown
}

/** Why a plugin takes no further part in the cycle. */
export const SKIP = 'skip'
export type Skip = typeof SKIP

/** Methods take what preFilter or preScore returned as `data`; their parameter is declared `never` so that each plugin may name its own type. */
export interface Plugin {
  readonly name: string
  /**
   * Verdict and raw score depend on nothing but the pod's own spec and the node (localKeys says what they may look at):
   * they are worked out once per node and kind of pod. Local filters come before all others.
   */
  readonly local?: true
  preFilter?(cycle: Cycle): PreFilterResult | Skip
  /** Absent data means that preFilter does not exist for the plugin. */
  filter?(data: never, cycle: Cycle, node: NodeInfo): Status | undefined
  /** PreFilterExtensions: `data` as it would be with (sign 1) or without (sign -1) the pod on the node. */
  updateWithPod?(data: never, cycle: Cycle, pod: PodInfo, node: NodeInfo, sign: 1 | -1): unknown
  preScore?(cycle: Cycle, nodes: readonly NodeInfo[]): unknown
  score?(data: never, cycle: Cycle, node: NodeInfo): number
  /** In place. */
  normalize?(data: never, scores: number[], nodes: readonly NodeInfo[]): void
}

/** `preFilter`'s or `preScore`'s result for a plugin that needs none. */
export const NO_DATA = null

// What the kubelet keeps in its tables.
import type { Container, Pod, PodStatus } from '../../api/types/kubernetes.gen.ts'
import type { ObjectReference } from '../../api/types/kubernetes.gen.ts'
import type { RuntimePodStatus } from '../runtime/cri.ts'

/** A pod's state in the runtime as PLEG last saw it. */
export interface CachedStatus extends RuntimePodStatus {
  readonly ips: readonly string[]
}

export type SyncKind = 'create' | 'update' | 'sync' | 'kill'

/** pod_workers.go: podSyncStatus. */
export interface Worker {
  readonly uid: string
  readonly pod: Pod
  readonly state: 'sync' | 'terminating' | 'terminated' | 'finished'
  readonly working: boolean
  readonly pending?: SyncKind
  /** Virtual ms of the end of the last sync; -1 before the first. */
  readonly lastSync: number
  readonly waitsForCache: boolean
  readonly deleted: boolean
  readonly evicted: boolean
  readonly gracePeriodSeconds?: number
  /** Reason and message that the final status must have (active deadline, eviction). */
  readonly override?: { readonly reason: string; readonly message: string }
  readonly terminatingAt?: number
  readonly terminatedAt?: number
  readonly runs: number
  /** Syncs that failed one after the other. */
  readonly failures: number
  readonly cause: number
  readonly background: boolean
}

export interface ManagedPod {
  readonly pod: Pod
  readonly source: 'api' | 'file'
  readonly seenAt: number
}

/** status_manager.go: versionedPodStatus. */
export interface VersionedStatus {
  readonly status: PodStatus
  readonly version: number
  readonly uid: string
  readonly name: string
  readonly namespace: string
  readonly podIsFinished: boolean
}

export type ProbeType = 'startup' | 'liveness' | 'readiness'
export type ProbeOutcome = 'success' | 'failure' | 'unknown'

export interface ProbeWorker {
  readonly uid: string
  readonly container: string
  readonly type: ProbeType
  readonly containerId: string
  readonly onHold: boolean
  readonly last?: ProbeOutcome
  readonly run: number
  readonly busy: boolean
  readonly again: boolean
}

export interface Backoff {
  readonly delayMs: number
  readonly lastUpdate: number
  /** What the pull answered, for the waiting message. */
  readonly error?: string
}

export interface Reason {
  readonly reason: string
  readonly message: string
}

export interface VolumeState {
  readonly uid: string
  readonly name: string
  readonly state: 'pending' | 'mounting' | 'mounted'
  readonly backoffMs: number
  readonly remount: boolean
  /** Why it is not clear what to mount. */
  readonly error?: string
  /** Where containers find it. */
  readonly hostPath?: string
  /** What was written, to leave unchanged files alone. */
  readonly content?: string
}

export type EventObject = ObjectReference

export type ContainerKind = 'container' | 'init' | 'ephemeral'

export interface ContainerSpec {
  readonly container: Container
  readonly kind: ContainerKind
  readonly index: number
}

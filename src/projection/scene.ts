// The picture as data: what the graph, the outline and the exports show. Computed from state and trace alone.
import type { BranchInfo } from '../sim/engine/history.ts'
import type { ObjectRef } from '../sim/api/types/object.ts'
import type { Flow } from '../sim/net/types.ts'

/** Status language: each has a glyph, a border and a colour; never colour alone. */
export type Status = 'ready' | 'progressing' | 'failed' | 'completed' | 'unknown' | 'terminating' | 'stopped'

/** Ids are stable: `host:node-1`, `component:kube-scheduler/control-plane`, `pod:default/web-1`, `you`, `outside`. */
export type ElementId = string

export type SceneElement = HostElement | ComponentElement | PodElement | PersonElement

interface Base {
  readonly id: ElementId
  readonly name: string
  readonly status: Status
  /** One or two short lines under the name: `leader m1 · term 2`, `active 1 · backoff 0`. */
  readonly lines: readonly string[]
  /** Rises when anything about the element changes. */
  readonly parent?: ElementId
}

export interface HostElement extends Base {
  readonly type: 'host'
  readonly role: 'control-plane' | 'worker'
  readonly ip: string
  /** `Ready`, `NotReady`, `Unknown`, `powered off`. */
  readonly statusText: string
  readonly schedulable: boolean
  readonly cpu: { readonly used: number; readonly total: number }
  /** Bytes. */
  readonly memory: { readonly used: number; readonly total: number }
  readonly podCount: number
  readonly podCapacity: number
}

export interface ComponentElement extends Base {
  readonly type: 'component'
  readonly component:
    | 'etcd'
    | 'kube-apiserver'
    | 'kube-scheduler'
    | 'kube-controller-manager'
    | 'kubelet'
    | 'containerd'
    | 'kube-proxy'
    | 'coredns'
    | 'cni'
  /** The component's engine id, the address of messages. */
  readonly process: string
  /** Named small parts with a state: pipeline stages, controllers, bars of the last scores. */
  readonly parts: readonly { readonly name: string; readonly state: 'idle' | 'busy' | 'done' | 'failed'; readonly value?: number }[]
}

export interface PodElement extends Base {
  readonly type: 'pod'
  readonly ref: ObjectRef
  /** kubectl's STATUS column: `Running`, `ContainerCreating`, `CrashLoopBackOff`. */
  readonly statusText: string
  /** Name of the node, undefined while unscheduled. */
  readonly node: string | undefined
  /** `2/2`. */
  readonly ready: string
  readonly restarts: number
  /** Belongs to kube-system or another infrastructure namespace: drawn small. */
  readonly system: boolean
  readonly containers: readonly { readonly name: string; readonly state: string; readonly ready: boolean }[]
}

export interface PersonElement extends Base {
  readonly type: 'person'
  readonly who: 'you' | 'outside'
}

/** A message that travels in the present step (or is still under way). */
export interface Flight {
  readonly message: number
  readonly from: ElementId
  readonly to: ElementId
  readonly flow: Flow
  readonly summary: string
  readonly outcome: 'ok' | 'rejected' | 'lost' | 'under way'
  /** Virtual ms. */
  readonly sentAt: number
  readonly arrivesAt: number
  readonly record: number
}

export interface SceneDelta {
  /** True: forget all earlier elements. */
  readonly reset: boolean
  readonly changed: readonly SceneElement[]
  readonly removed: readonly ElementId[]
}

/** Who did what to what, because of which observed state. */
export interface Caption {
  readonly record: number
  readonly at: number
  readonly actor: string
  readonly actorElement: ElementId
  readonly kind: string
  /** Plain English, one sentence, without markup. */
  readonly title: string
  /** The observed state that made it happen; may be empty. */
  readonly because: string
  readonly subject?: ObjectRef
  readonly concept: { readonly label: string; readonly url: string }
}

export const LANES = ['you', 'apiserver', 'etcd', 'controllers', 'scheduler', 'kubelets', 'traffic'] as const
export type Lane = (typeof LANES)[number]

/** One mark of the timeline: a span of work or a moment. */
export interface TimelineMark {
  readonly record: number
  readonly lane: Lane
  readonly from: number
  readonly to: number
  readonly tone: 'normal' | 'error' | 'fault' | 'command'
  readonly label: string
}

export interface BranchView extends BranchInfo {}

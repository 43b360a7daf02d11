// What a plan may look at: the request, who asks, and the cluster as the cache has it.
import type { HttpRequest } from '../../../api/http.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import type { Served } from '../registry/index.ts'
import type { Companion, RegistryView } from '../registry/strategy.ts'
import type { KubeApiserverConfig, Need, RequestInfo, User } from '../types.ts'

/** Something a stage found out; the server records it in the trace. */
export type Note =
  | { readonly kind: 'apiserver.admission.mutated'; readonly plugin: string; readonly what: string }
  | { readonly kind: 'apiserver.admission.denied'; readonly plugin: string; readonly message: string }
  | { readonly kind: 'apiserver.validation.failed'; readonly errors: readonly string[] }

/** Labels and value of each sample. */
export type Samples = readonly (readonly [labels: string, value: number])[]

export interface Metrics {
  requests(): Samples
  inFlight(kind: 'mutating' | 'readOnly'): number
  watches(): Samples
  objects(): Samples
}

export interface ServerView extends RegistryView {
  /** The object at its newest known state, resourceVersion included. */
  current(served: Served, namespace: string | undefined, name: string): KubeObject | undefined
  /** Pods bound to a node. */
  podsOn(node: string): readonly KubeObject[]
  /** The route of a resource, custom ones included. */
  route(group: string, version: string, resource: string): Served | undefined
  /** The storage version of a resource by `pods` or `deployments.apps`. */
  kind(id: string): Served | undefined
  /** All definitions of kinds, in discovery's order. */
  kinds(): readonly Served[]
  /** The cache's revision. */
  readonly revision: number
}

/** Another object that changes in the same transaction (a quota's usage, a Service's address). */
export type Effect = { readonly resource: string; readonly old: KubeObject; readonly next: KubeObject } | Companion

export interface Rq {
  readonly request: HttpRequest
  readonly info: RequestInfo
  readonly user: User
  readonly config: KubeApiserverConfig
  readonly nowMs: number
  /** nowMs as metav1.Time. */
  readonly now: string
  readonly view: ServerView
  readonly warnings: string[]
  readonly notes: Note[]
  readonly effects: Effect[]
  /** How far an earlier plan of this request has come. */
  readonly phase: string | undefined
  readonly phaseData: unknown
  /** The object that the transaction before stored, with its revision. */
  readonly phaseObject: KubeObject | undefined
  /** The cache is known to be as new as etcd was after the request arrived. */
  readonly fresh: boolean
  readonly plans: number
  /** The server has made its own objects. */
  readonly bootstrapped: boolean
  readonly metrics: Metrics
  random(): number
  /** Whether a lookup of this path was answered within the time that it asked to be remembered for. */
  recently(path: string): boolean
  /** The answer to a need; the first time it stops the plan. */
  need<T>(id: string, need: Need): T
}

/** A request about a resource. */
export interface ResourceRq extends Rq {
  readonly served: Served
}

export const namespaceOf = (rq: ResourceRq): string | undefined => (rq.served.strategy.namespaced ? rq.info.namespace : undefined)

// A controller as data and pure functions. `observe` reads the caches once; `reconcile` decides and yields what it wants done.
// The runtime answers each yield and, because pending work must be data, replays the generator with the stored answers every time:
// reconcile must be deterministic over (observed, answers, env).
import type { KubeObject, ObjectRef } from '../../../api/types/object.ts'
import type { NewEvent } from '../../../client/events.ts'
import type { Expectations } from '../../../client/expectations.ts'
import type { InformerEvent } from '../../../client/informer.ts'
import type { ApiRequest } from '../../../client/request.ts'
import type { Context } from '../../../net/context.ts'
import type { Table } from '../../../engine/types.ts'

/** Sync of one key ended without a network: what the API server said, flattened. */
export interface ApiAnswer {
  readonly ok: boolean
  /** 0: no answer. */
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: objects of every kind, or a Status
  readonly body?: any
  /** Status.reason: NotFound, AlreadyExists, Conflict, Forbidden … */
  readonly reason: string
  readonly message: string
}

export type ApiCall = Pick<ApiRequest, 'method' | 'path' | 'body' | 'contentType'>

/** Done once, in the step in which it is first reached; its result (plain data) is stored and replayed. */
export interface Effect<T = unknown> {
  readonly effect: (rt: Runtime) => T
}

export type Step = ApiCall | readonly ApiCall[] | Effect

// biome-ignore lint/suspicious/noExplicitAny: what comes back depends on what was yielded; the helpers of steps.ts give it its type
export type Steps<T = void> = Generator<Step, T, any>

export interface Outcome {
  readonly requeueAfterMs?: number
  /** The wait does not keep the cluster from being quiet. */
  readonly periodic?: boolean
  /** The key's failure count stays (upstream returns without Forget). */
  readonly keepBackoff?: boolean
}

export interface Env {
  /** Virtual ms at the last answer (the start of the sync before the first). */
  readonly now: number
  /** Uniform in [0, 1). */
  random(): number
  readonly config: KubeControllerManagerConfig
}

/** What handlers of informer events, effects and observe may use. */
export interface Runtime {
  readonly now: number
  readonly config: KubeControllerManagerConfig
  random(): number
  get(informer: string, key: string): KubeObject | undefined
  list(informer: string, namespace?: string): KubeObject[]
  /** Objects by an index of indexes.ts. */
  index(informer: string, index: string, value: string): KubeObject[]
  /** The controller's own memory, gone with the process. */
  memory<T>(name: string): Table<T>
  readonly expectations: Expectations
  expectationsSatisfied(key: string): boolean
  /** Put a key of this controller's queue (or of a sibling queue of the same manager) in line. */
  add(key: string, queue?: string): void
  addAfter(key: string, delayMs: number, options?: { periodic?: boolean; queue?: string }): void
  addRateLimited(key: string, queue?: string): void
  retries(key: string): number
  forget(key: string): void
  event(event: NewEvent): void
  decided(what: string, facts: Readonly<Record<string, string | number | boolean>>, subject?: ObjectRef): void
  /** Periodic work found something to do. */
  foreground(): void
  /** Starts an informer that is not in the list of the enabled controllers (GC, quota: discovered resources). */
  watch(informer: string, path: string): void
  unwatch(informer: string): void
  /** For `expectations`, which keep their state in tables. */
  readonly context: Context
}

export interface Tick {
  readonly everyMs: number
  readonly firstMs?: number
  run(rt: Runtime): void
}

export interface Controller<O = unknown> {
  /** Name of the queue; unique. Equal to `controller` unless a controller has several queues. */
  readonly name: string
  /** Name as in `--controllers`: `deployment-controller`. */
  readonly controller: string
  /** Service account in kube-system; also names the actor in the audit log. */
  readonly serviceAccount: string
  /** Speaks as the manager itself, with this name only in its user agent (rootClientBuilder). */
  readonly asManager?: boolean
  /** source.component of its events; default: the service account. */
  readonly eventSource?: string
  readonly workers: number
  /** Resource that the keys name, for the trace. */
  readonly subject?: string
  /** Client-side rate limit of requests. Default 20/s, burst 30 (`--kube-api-qps`, `--kube-api-burst`). */
  readonly qps?: number
  readonly burst?: number
  readonly informers: readonly string[]
  readonly retry?: { readonly baseMs?: number; readonly maxMs?: number /** Give up after so many. */; readonly max?: number }
  readonly on: Readonly<Record<string, (rt: Runtime, event: InformerEvent) => void>>
  /** For every event of every informer, also those of `watch`. */
  readonly onAny?: (rt: Runtime, event: InformerEvent) => void
  /** Runs once, when all informers have synced. */
  readonly start?: (rt: Runtime) => void
  readonly ticks?: readonly Tick[]
  /** Plain data for reconcile; undefined: nothing to do. */
  observe(key: string, rt: Runtime): O | undefined
  // biome-ignore lint/suspicious/noExplicitAny: see Steps
  reconcile(observed: O, env: Env): Generator<Step, Outcome | void, any>
}

export interface KubeControllerManagerConfig {
  /** API servers, in order of preference. */
  readonly servers: readonly string[]
  /** Which controllers run. */
  readonly profile: 'api' | 'scheduling' | 'cluster'
  readonly leaderElect: boolean
  /** `--cluster-cidr`, `--node-cidr-mask-size`; node-ipam runs when `allocateNodeCIDRs`. */
  readonly allocateNodeCIDRs: boolean
  readonly clusterCIDR: string
  readonly nodeCIDRMaskSize?: number
  /** PEM of the cluster's CA: `kube-root-ca.crt` in every namespace. */
  readonly rootCA: string
}

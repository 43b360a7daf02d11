// The words of the engine. Everything here is plain data: pending work is never a closure.

/** Names one process of the cluster: `kube-scheduler/control-plane`, `kubelet/node-2`, `etcd/control-plane`. */
export type ComponentId = string

/** Pending work: delivered to one component at `at` (virtual ms since the cluster epoch); ties are broken by `seq`. */
export interface Step {
  readonly seq: number
  readonly at: number
  readonly target: ComponentId
  readonly kind: string
  readonly payload: unknown
  /** Sequence number of the trace record that led to this step; 0 = none. */
  readonly cause: number
  /** The step is dropped unless the target still has this incarnation; 0 = any. */
  readonly incarnation: number
  /** Steps that follow each other without virtual time passing; bounded. */
  readonly depth: number
  /** Periodic work (lease renewals, node status, probes, resyncs) and what follows from it. A cluster with only such work pending is quiet. */
  readonly background: boolean
}

/** A process: an instance of a component type on a host. `incarnation` counts its starts. */
export interface Process {
  readonly id: ComponentId
  readonly type: string
  readonly host: string
  readonly config: unknown
  readonly running: boolean
  readonly incarnation: number
  /** The process that started it, if one did; it is told (`process.exited`) when somebody else ends this one. */
  readonly parent?: ComponentId
}

/**
 * A component's own memory: a map from key to immutable record. Every write is journaled, so a step can be undone exactly.
 * Keys iterate in code-unit order, never in insertion order (undo would not restore that).
 */
export interface Table<V> {
  readonly name: string
  readonly size: number
  get(key: string): V | undefined
  has(key: string): boolean
  put(key: string, value: V): void
  delete(key: string): void
  /** All keys, sorted. The array is shared and must not be changed; it stays valid when the table changes. */
  keys(): readonly string[]
  values(): V[]
  entries(): [string, V][]
  /** Keys that start with the prefix, sorted. */
  keysWithPrefix(prefix: string): string[]
  clear(): void
}

/** One change of one table; `undefined` = absent. */
export interface Write {
  readonly table: string
  readonly key: string
  readonly before: unknown
  readonly after: unknown
}

/** Something from outside the cluster: a request of the visitor, a fault. Replaying the same inputs at the same places gives the same run. */
export interface Input {
  readonly at: number
  readonly target: ComponentId
  readonly kind: string
  readonly payload: unknown
}

/** What the engine itself gives to a component while it handles a step. The network and the trace add to it (../net/context.ts). */
export interface StepContext {
  readonly self: ComponentId
  readonly host: string
  readonly config: unknown
  /** Virtual ms since the cluster epoch (EPOCH_MS). May have a fraction. */
  readonly now: number
  /** Own table, made on first use. `durable` tables survive a restart of the process (disk); others are memory. */
  table<V>(name: string): Table<V>
  /** Delivers `kind` to this component after `delayMs`. A timer with the same key replaces the earlier one. */
  setTimer(key: string, delayMs: number, kind: string, payload?: unknown, options?: TimerOptions): void
  cancelTimer(key: string): void
  hasTimer(key: string): boolean
  /** Delivers `kind` to this component at the same instant, after what is already due: a continuation. */
  next(kind: string, payload?: unknown): void
  /** Whether the present step is background work. */
  readonly background: boolean
  /** Periodic work found something to do: what this step sends, schedules and records from here on is no longer background. */
  foreground(): void
  /** Uniform in [0, 1), from this component's own stream; `stream` names a further independent one. */
  random(stream?: string): number
}

export interface TimerOptions {
  /** true marks the timer as background work: it does not keep a cluster from being quiet. Absent: as the present step. false: never background. */
  periodic?: boolean
}

export interface ComponentType<C extends StepContext = StepContext> {
  readonly type: string
  /** Names of tables that survive a restart (what is on disk). All others are cleared when the process stops. */
  readonly durable?: readonly string[]
  /** Runs when the process starts, in a step of its own. */
  start?(ctx: C): void
  /** By kind of step or message. An unknown kind is a crash: components answer for all they are sent. */
  readonly handlers: Readonly<Record<string, (ctx: C, payload: never, delivery: Delivery) => void>>
}

/** How a step reached the component. `call` is set for requests: answer with ctx.reply(call, …). */
export interface Delivery {
  readonly kind: string
  readonly cause: number
  readonly from?: ComponentId
  readonly call?: number
}

/** 2026-01-01T00:00:00Z: virtual time 0. */
export const EPOCH_MS = Date.UTC(2026, 0, 1)

// What a component can do: the complete list of effects there is. It cannot reach another component in any other way (law L3).
import type { ObjectRef } from '../api/types/object.ts'
import type { ComponentId, ComponentType as EngineComponentType, StepContext } from '../engine/types.ts'
import type { TraceData, TraceKind } from '../trace/kinds.ts'
import type { CallOptions, Link, MessageLook } from './types.ts'

export interface Context extends StepContext {
  /** Adds a trace record and returns its number. Its cause is the current cause; later effects of this step are caused by it only if `because` says so. */
  record<K extends TraceKind>(kind: K, data: TraceData[K], subject?: ObjectRef): number
  /** What caused the present step; everything sent, scheduled or recorded carries it on. */
  readonly cause: number
  /** From here on (in this step) effects are caused by this record. */
  because(record: number): void
  /** Goes on with work that waited in a queue or log: its cause and its background flag replace the present step's. */
  resume(work: { readonly cause: number; readonly background: boolean }): void

  /** A request over a connection (TCP-like: ordered, retried by the kernel, refused if nobody listens). Returns the call's number. */
  call(to: ComponentId, kind: string, payload: unknown, options: CallOptions): number
  /** Answers a request and closes the call. Answering a call that is gone does nothing. */
  reply(call: number, payload: unknown, look?: Partial<MessageLook>): void
  /** Sends one chunk of a streamed answer. */
  push(call: number, payload: unknown, look: MessageLook): void
  /** Closes a call from either side; the other side gets `end` (client) or a `net.closed` delivery with {call} (server). */
  hangUp(call: number): void
  /** One-way, may be lost (raft messages, packets). */
  send(to: ComponentId, kind: string, payload: unknown, look: MessageLook): void

  /** Whether a process of that id runs; only for whoever supervises processes (the container runtime, the host). */
  startProcess(process: { id: ComponentId; type: string; host: string; config: unknown }): void
  stopProcess(id: ComponentId, why: string): void
  /** Only for whoever injects faults. */
  setLink(a: string, b: string, change: Partial<Link>): void
  /** Only for whoever injects faults: power. Off ends every process of the machine without a word to the others. */
  setHostUp(host: string, up: boolean): void
}

export type ComponentType = EngineComponentType<Context>

// Hosts, links and messages as data. Latencies are virtual ms.
import type { ComponentId } from '../engine/types.ts'

export interface Host {
  readonly name: string
  readonly ip: string
  /** control-plane and worker are machines of the cluster; visitor (you) and outside (clients) are not. */
  readonly role: 'control-plane' | 'worker' | 'visitor' | 'outside' | 'etcd' | 'load-balancer'
  readonly up: boolean
}

/** Between two hosts; unlisted pairs have DEFAULT_LINK. */
export interface Link {
  readonly cut: boolean
  readonly latencyMs: number
  readonly lossPercent: number
}

export const DEFAULT_LINK: Link = { cut: false, latencyMs: 0.3, lossPercent: 0 }
/** Within one machine. */
export const LOOPBACK_LATENCY_MS = 0.05

/** How the picture draws a message. */
export type Flow = 'read' | 'write' | 'watch' | 'raft' | 'data' | 'control'

export interface MessageLook {
  readonly flow: Flow
  /** A few words: `POST pods`, `201 Created`, `MODIFIED pod web-1`. */
  readonly summary: string
  readonly ok?: boolean
}

/** A message in flight: the payload of a pending step. */
export interface Message extends MessageLook {
  readonly id: number
  readonly from: ComponentId
  readonly to: ComponentId
  readonly form: 'request' | 'response' | 'chunk' | 'end' | 'datagram'
  readonly kind: string
  readonly payload: unknown
  readonly call?: number
  readonly sentAt: number
  /** Incarnation of the receiver that the connection belongs to; 0 = any. */
  readonly toIncarnation: number
}

/** What to do with the answer: data, not a closure. The handler of `kind` gets a CallResult. */
export interface Continuation {
  readonly kind: string
  readonly data?: unknown
}

/** An open request or stream. */
export interface Call {
  readonly id: number
  readonly from: ComponentId
  readonly fromIncarnation: number
  readonly to: ComponentId
  readonly toIncarnation: number
  readonly kind: string
  readonly then: Continuation
  readonly summary: string
  readonly flow: Flow
  readonly stream: boolean
  readonly cause: number
}

export type NetError = 'connection refused' | 'connection reset by peer' | 'i/o timeout' | 'no route to host' | 'EOF'

/** What a continuation's handler receives. A stream gets any number of chunks and then one end (or error). */
export type CallResult<T = unknown, D = unknown> =
  | { readonly form: 'response'; readonly call: number; readonly value: T; readonly data: D }
  | { readonly form: 'chunk'; readonly call: number; readonly value: T; readonly data: D }
  | { readonly form: 'end'; readonly call: number; readonly data: D }
  | { readonly form: 'error'; readonly call: number; readonly error: NetError; readonly data: D }

export interface CallOptions extends MessageLook {
  readonly then: Continuation
  /** The call fails with `i/o timeout` after this long without an answer; for streams: until the first chunk. */
  readonly timeoutMs?: number
  readonly stream?: boolean
}

// The one record of what happened (law L2). Facts only: sentences live in projection/explain.
import type { ComponentId } from '../engine/types.ts'
import type { ObjectRef } from '../api/types/object.ts'
import type { TraceData, TraceKind } from './kinds.ts'

/** story: what a newcomer follows. detail: what a component did inside. wire: every message. */
export type TraceLevel = 'story' | 'detail' | 'wire'

export interface TraceRecord<K extends TraceKind = TraceKind> {
  /** 1, 2, 3 … without gaps; 0 means "nothing" as a cause. */
  readonly seq: number
  /** Virtual ms since the cluster epoch. */
  readonly at: number
  readonly actor: ComponentId
  readonly kind: K
  readonly subject?: ObjectRef
  /** Sequence number of the record that led to this one; 0 = the beginning. */
  readonly cause: number
  readonly level: TraceLevel
  /** Part of periodic work (leases, node status, probes) that changed nothing. */
  readonly background?: true
  readonly data: TraceData[K]
}

/** A record of any kind whose data is narrowed by `kind`. */
export type AnyRecord = { [K in TraceKind]: TraceRecord<K> }[TraceKind]

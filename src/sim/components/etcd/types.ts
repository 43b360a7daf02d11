// The etcd v3 API as messages. A request is a call of kind `etcd.range | etcd.txn | etcd.watch | etcd.compact | etcd.status`;
// the answer is an EtcdAnswer (watch: a stream of WatchChunk, after an EtcdAnswer only if it is refused).
// Values are shared by reference and immutable; keys compare by code unit.

export interface KeyValue<V = unknown> {
  readonly key: string
  readonly value: V
  readonly createRevision: number
  readonly modRevision: number
  /** Writes of this key since it was created; 1 at creation. */
  readonly version: number
  readonly leaseId?: number
}

export interface RangeRequest {
  readonly key: string
  /** Exclusive end; absent = exactly `key`. prefixEnd(key) gives the end of a prefix. */
  readonly rangeEnd?: string
  /** A past revision; 0 or absent = newest. */
  readonly revision?: number
  readonly limit?: number
  /** Answer from the member's own state, without asking the quorum. */
  readonly serializable?: boolean
  readonly countOnly?: boolean
}

export interface RangeResponse<V = unknown> {
  /** The store's revision when it was read. */
  readonly revision: number
  readonly kvs: readonly KeyValue<V>[]
  readonly more: boolean
  readonly count: number
}

export interface Compare {
  readonly key: string
  readonly target: 'mod' | 'create' | 'version'
  readonly op: '=' | '!=' | '<' | '>'
  readonly value: number
}

export type Op =
  | { readonly op: 'put'; readonly key: string; readonly value: unknown; readonly leaseId?: number }
  | { readonly op: 'delete'; readonly key: string; readonly rangeEnd?: string }
  | ({ readonly op: 'range' } & RangeRequest)

export interface TxnRequest {
  readonly compare: readonly Compare[]
  readonly success: readonly Op[]
  readonly failure: readonly Op[]
}

export type OpResponse =
  | { readonly op: 'put'; readonly previous?: KeyValue }
  | { readonly op: 'delete'; readonly deleted: number; readonly previous: readonly KeyValue[] }
  | ({ readonly op: 'range' } & RangeResponse)

export interface TxnResponse {
  readonly succeeded: boolean
  /** Revision after the transaction; rises by exactly one if it wrote anything. */
  readonly revision: number
  readonly responses: readonly OpResponse[]
}

export interface WatchRequest {
  readonly key: string
  readonly rangeEnd?: string
  /** First revision to deliver; 0 or absent = from the next change on. */
  readonly startRevision?: number
  /** Ask for progress chunks while nothing changes. */
  readonly progressNotify?: boolean
}

export interface WatchEvent {
  readonly type: 'PUT' | 'DELETE'
  /** For DELETE: key and modRevision (that of the deletion), value undefined. */
  readonly kv: KeyValue
  readonly previous?: KeyValue
}

export interface WatchChunk {
  readonly revision: number
  /** All events of one or more revisions, complete and in order; empty = created or progress. */
  readonly events: readonly WatchEvent[]
  /** Set when the start revision is compacted; the stream ends after it. */
  readonly compactRevision?: number
}

/** Texts as etcd's rpctypes has them: `etcdserver: request timed out`, `etcdserver: no leader`, `etcdserver: mvcc: required revision has been compacted` … */
export type EtcdAnswer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string }

/** The smallest key after all keys with the prefix. */
export function prefixEnd(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
}

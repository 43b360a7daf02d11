// Raft as etcd runs it: pre-vote, check-quorum, read index. Messages are datagrams between members (kind `raft.message`).
import type { ComponentId } from '../../../engine/types.ts'
import type { TxnRequest } from '../types.ts'

/** etcd's defaults (embed/config.go): heartbeat 100 ms, election 1000 ms; a member waits 1–2 election timeouts. */
export const HEARTBEAT_MS = 100
export const ELECTION_MS = 1000
/** A snapshot is taken after this many applied entries, and this many are kept for slow followers (etcd v3.6 server defaults). */
export const SNAPSHOT_COUNT = 10_000
export const SNAPSHOT_CATCH_UP = 5_000
/** Entries per append message. */
export const MAX_ENTRIES = 512

export interface EtcdConfig {
  /** All members, this one included, the same list everywhere. */
  readonly members: readonly ComponentId[]
  /** Virtual ms that one write-ahead-log fsync takes (SSD about 1, a busy HDD 10 and more). */
  readonly fsyncMs: number
}

export type Proposal =
  | { readonly does: 'nothing' }
  | { readonly does: 'txn'; readonly id: string; readonly txn: TxnRequest; readonly background: boolean }
  | { readonly does: 'compact'; readonly id: string; readonly revision: number }
  | { readonly does: 'lease-grant'; readonly id: string; readonly lease: number; readonly ttlSeconds: number }
  | { readonly does: 'lease-revoke'; readonly id: string; readonly lease: number }

export interface LogEntry {
  readonly index: number
  readonly term: number
  readonly data: Proposal
}

/** What survives a crash: table `hard`, key `state`. */
export interface HardState {
  readonly term: number
  readonly vote: ComponentId | undefined
  readonly commit: number
  /** The log begins behind this entry (the last one covered by the snapshot). */
  readonly snapshotIndex: number
  readonly snapshotTerm: number
  readonly lastIndex: number
}

/** Table `soft`, key `state`: lost in a crash. */
export interface SoftState {
  readonly role: 'follower' | 'pre-candidate' | 'candidate' | 'leader'
  readonly leader: ComponentId | undefined
  readonly votes: Readonly<Record<ComponentId, boolean>>
  /** When this member last heard from a leader or granted a vote, virtual ms. */
  readonly heardAt: number
  readonly electionTimeoutMs: number
  /** The last entry that is on this member's own disk. */
  readonly stableIndex: number
  /** Up to here the log is known to equal the present leader's. A follower may only acknowledge what is both stable and matched. */
  readonly matched: number
}

/** Leader's view of one peer: table `progress`. */
export interface Progress {
  readonly match: number
  readonly next: number
  readonly heardAt: number
}

export type RaftMessage =
  | {
      readonly type: 'vote'
      readonly preVote: boolean
      readonly term: number
      readonly lastIndex: number
      readonly lastTerm: number
      readonly force: boolean
    }
  | { readonly type: 'vote-answer'; readonly preVote: boolean; readonly term: number; readonly granted: boolean }
  | {
      readonly type: 'append'
      readonly term: number
      readonly previousIndex: number
      readonly previousTerm: number
      readonly entries: readonly LogEntry[]
      readonly commit: number
    }
  | { readonly type: 'append-answer'; readonly term: number; readonly ok: boolean; readonly index: number; readonly hint: number }
  | { readonly type: 'heartbeat'; readonly term: number; readonly commit: number; readonly read: number }
  | { readonly type: 'heartbeat-answer'; readonly term: number; readonly read: number }
  | { readonly type: 'snapshot'; readonly term: number; readonly index: number; readonly snapshotTerm: number; readonly state: unknown }
  | { readonly type: 'propose'; readonly data: Proposal }
  | { readonly type: 'read-index'; readonly id: string }
  | { readonly type: 'read-index-answer'; readonly id: string; readonly index: number }

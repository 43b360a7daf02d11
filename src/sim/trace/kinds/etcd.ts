import type { TraceLevel } from '../record.ts'

/** The actor of these records is the member, e.g. `etcd/control-plane`. */
export interface EtcdTrace {
  'raft.role.changed': { role: 'follower' | 'pre-candidate' | 'candidate' | 'leader'; term: number; leader?: string; why: string }
  'raft.vote.requested': { term: number; preVote: boolean; lastIndex: number; lastTerm: number }
  'raft.vote.granted': { term: number; preVote: boolean; to: string }
  'raft.vote.rejected': { term: number; preVote: boolean; to: string; why: string }
  'raft.entry.appended': { index: number; term: number; what: string }
  'raft.entries.rejected': { from: string; previousIndex: number; previousTerm: number }
  'raft.committed': { index: number; term: number; acknowledged: readonly string[] }
  'raft.snapshot.sent': { to: string; index: number }
  'raft.snapshot.installed': { index: number; revision: number }
  'etcd.proposal.dropped': { id: string; error: string }
  'etcd.txn.applied': { revision: number; succeeded: boolean; keys: readonly string[] }
  'etcd.watch.opened': { key: string; startRevision: number }
  'etcd.compacted': { revision: number }
  'etcd.lease.expired': { lease: number; keys: number }
}

export const etcdLevels: Record<keyof EtcdTrace, TraceLevel> = {
  'raft.role.changed': 'story',
  'raft.vote.requested': 'detail',
  'raft.vote.granted': 'detail',
  'raft.vote.rejected': 'detail',
  'raft.entry.appended': 'detail',
  'raft.entries.rejected': 'detail',
  'raft.committed': 'detail',
  'raft.snapshot.sent': 'detail',
  'raft.snapshot.installed': 'detail',
  'etcd.proposal.dropped': 'detail',
  'etcd.txn.applied': 'story',
  'etcd.watch.opened': 'detail',
  'etcd.compacted': 'detail',
  'etcd.lease.expired': 'detail',
}

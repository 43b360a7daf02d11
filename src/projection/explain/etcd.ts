import type { EtcdTrace } from '../../sim/trace/kinds/etcd.ts'
import { joined, plural } from '../names.ts'
import type { SentencesOf } from './index.ts'

const member = (id: string): string => id.replace('etcd/', '')
const short = (key: string): string => key.replace('/registry/', '')

export const etcdSentences: SentencesOf<EtcdTrace> = {
  'raft.role.changed': ({ actor, data }) => ({
    title: `etcd member ${member(actor)} becomes ${data.role} in term ${data.term}`,
    because: data.why.charAt(0).toUpperCase() + data.why.slice(1),
    concept: 'raft',
  }),
  'raft.vote.requested': ({ actor, data }) => ({
    title: `etcd member ${member(actor)} asks for votes${data.preVote ? ' (only asking whether it could win)' : ''} in term ${data.term}`,
    because: `Its log ends at entry ${data.lastIndex} of term ${data.lastTerm}; only a log at least as new as the voter's can win.`,
    concept: 'raft',
  }),
  'raft.vote.granted': ({ actor, data }) => ({
    title: `etcd member ${member(actor)} ${data.preVote ? 'would vote' : 'votes'} for ${member(data.to)} in term ${data.term}`,
    concept: 'raft',
  }),
  'raft.vote.rejected': ({ actor, data }) => ({
    title: `etcd member ${member(actor)} refuses its vote to ${member(data.to)}`,
    because: `Reason: ${data.why}.`,
    concept: 'raft',
  }),
  'raft.entry.appended': ({ actor, data }) => ({
    title: `etcd member ${member(actor)} appends entry ${data.index} to its log: ${short(data.what)}`,
    because: 'An entry counts only once a majority of members has it on disk.',
    concept: 'raft',
  }),
  'raft.entries.rejected': ({ actor, data }) => ({
    title: `etcd member ${member(actor)} refuses entries behind ${data.previousIndex}`,
    because: 'Its log does not have the entry before them; the leader will go further back.',
    concept: 'raft',
  }),
  'raft.committed': ({ actor, data }) => ({
    title: `etcd commits log entry ${data.index}`,
    because:
      data.acknowledged.length === 1
        ? `${member(actor)} is the only member and has it on disk.`
        : `A majority has it on disk: ${joined(data.acknowledged.map(member))}.`,
    concept: 'raft',
  }),
  'raft.snapshot.sent': ({ data }) => ({
    title: `The leader sends a snapshot to ${member(data.to)}`,
    because: 'That member is so far behind that the entries it needs are compacted.',
    concept: 'raft',
  }),
  'raft.snapshot.installed': ({ actor, data }) => ({
    title: `etcd member ${member(actor)} takes over a snapshot: revision ${data.revision}`,
    concept: 'raft',
  }),
  'etcd.proposal.dropped': ({ actor, data }) => ({
    title: `etcd member ${member(actor)} cannot pass on a write`,
    because: `${data.error}: without a leader nothing can be committed.`,
    concept: 'raft',
  }),
  'etcd.txn.applied': ({ data }) => ({
    title: `etcd stores ${joined(data.keys.map(short))} as revision ${data.revision}`,
    because: 'Only the API server talks to etcd. This revision becomes the resourceVersion of the object.',
    concept: 'etcd',
  }),
  'etcd.watch.opened': ({ data }) => ({
    title: `etcd will report every change below ${data.key}${data.startRevision > 0 ? ` from revision ${data.startRevision} on` : ''}`,
    concept: 'etcd',
  }),
  'etcd.compacted': ({ data }) => ({
    title: `etcd forgets the history before revision ${data.revision}`,
    because: 'Current values stay; older versions can no longer be read or watched.',
    concept: 'etcd',
  }),
  'etcd.lease.expired': ({ data }) => ({ title: `An etcd lease runs out: ${plural(data.keys, 'key')} removed`, concept: 'etcd' }),
}

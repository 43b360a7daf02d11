// Leader election, replication and commitment. Rules after etcd-io/raft raft.go; invariants R1–R7 are checked in checkers/raft.ts.
import type { ComponentId } from '../../../engine/types.ts'
import type { Context } from '../../../net/context.ts'
import { append, compactTo, entryAt, hard, setHard, slice, termAt, truncateFrom } from './log.ts'
import {
  ELECTION_MS,
  type EtcdConfig,
  HEARTBEAT_MS,
  type HardState,
  type LogEntry,
  MAX_ENTRIES,
  type Progress,
  type Proposal,
  type RaftMessage,
  SNAPSHOT_CATCH_UP,
  SNAPSHOT_COUNT,
  type SoftState,
} from './types.ts'

/** What the state machine on top must do: the store. */
export interface StateMachine {
  apply(ctx: Context, entry: LogEntry): void
  appliedIndex(ctx: Context): number
  snapshot(ctx: Context): unknown
  install(ctx: Context, state: unknown, index: number): void
  /** A linearizable read may now be answered: everything up to `index` counts. */
  readReady(ctx: Context, id: string, index: number): void
  leaderChanged(ctx: Context, leader: ComponentId | undefined): void
}

const config = (ctx: Context): EtcdConfig => ctx.config as EtcdConfig
const peers = (ctx: Context): ComponentId[] => config(ctx).members.filter((m) => m !== ctx.self)
const quorum = (ctx: Context): number => Math.floor(config(ctx).members.length / 2) + 1

export function soft(ctx: Context): SoftState {
  const state = ctx.table<SoftState>('soft').get('state')
  if (!state) throw new Error('raft used before its start')
  return state
}

function setSoft(ctx: Context, change: Partial<SoftState>): void {
  ctx.table<SoftState>('soft').put('state', { ...soft(ctx), ...change })
}

const progress = (ctx: Context) => ctx.table<Progress>('progress')
const summaries: Record<RaftMessage['type'], string> = {
  vote: 'vote?',
  'vote-answer': 'vote',
  append: 'append entries',
  'append-answer': 'appended',
  heartbeat: 'heartbeat',
  'heartbeat-answer': 'heartbeat ok',
  snapshot: 'snapshot',
  propose: 'propose',
  'read-index': 'read index?',
  'read-index-answer': 'read index',
}

export function createRaft(machine: StateMachine) {
  const send = (ctx: Context, to: ComponentId, message: RaftMessage): void => {
    const ok = 'granted' in message ? message.granted : 'ok' in message ? message.ok : undefined
    ctx.send(to, 'raft.message', message, { flow: 'raft', summary: summaries[message.type], ...(ok === undefined ? {} : { ok }) })
  }

  const start = (ctx: Context): void => {
    const { lastIndex } = hard(ctx)
    ctx.table<SoftState>('soft').put('state', {
      role: 'follower',
      leader: undefined,
      votes: {},
      heardAt: ctx.now,
      electionTimeoutMs: electionTimeout(ctx),
      stableIndex: lastIndex,
      matched: 0,
    })
    applyCommitted(ctx)
    // A single member need not wait for anybody.
    if (config(ctx).members.length === 1) campaign(ctx, false)
    else armElection(ctx)
  }

  const electionTimeout = (ctx: Context): number => ELECTION_MS + Math.floor(ctx.random('election') * ELECTION_MS)

  /** The timer is not moved by every heartbeat; when it fires it looks how long the leader has been silent. */
  const armElection = (ctx: Context): void => {
    const { heardAt, electionTimeoutMs } = soft(ctx)
    ctx.setTimer('election', Math.max(1, heardAt + electionTimeoutMs - ctx.now), 'raft.election', null, { periodic: true })
  }

  const onElectionTimer = (ctx: Context): void => {
    const state = soft(ctx)
    if (state.role === 'leader') return
    if (ctx.now < state.heardAt + state.electionTimeoutMs) {
      armElection(ctx)
      return
    }
    ctx.foreground()
    if (state.leader) machine.leaderChanged(ctx, undefined)
    campaign(ctx, true)
  }

  const become = (ctx: Context, role: SoftState['role'], term: number, leader: ComponentId | undefined, why: string): void => {
    const before = soft(ctx)
    const hardTerm = hard(ctx).term
    if (term !== hardTerm) setHard(ctx, { term, vote: undefined })
    setSoft(ctx, {
      role,
      leader,
      votes: {},
      ...(before.leader === leader && hardTerm === term ? {} : { matched: 0 }),
      ...(role === 'leader' ? {} : { electionTimeoutMs: electionTimeout(ctx) }),
    })
    if (before.role !== role || before.leader !== leader)
      ctx.record('raft.role.changed', { role, term, ...(leader ? { leader } : {}), why })
    if (before.role === 'leader' && role !== 'leader') {
      progress(ctx).clear()
      ctx.table('reads').clear()
      ctx.cancelTimer('heartbeat')
    }
    if (before.leader !== leader) machine.leaderChanged(ctx, leader)
    if (role !== 'leader') armElection(ctx)
  }

  const campaign = (ctx: Context, preVote: boolean): void => {
    const state = hard(ctx)
    const term = state.term + 1
    setSoft(ctx, { heardAt: ctx.now })
    if (preVote) become(ctx, 'pre-candidate', state.term, undefined, 'no heartbeat within the election timeout')
    else {
      become(ctx, 'candidate', term, undefined, 'a quorum would vote for it')
      setHard(ctx, { vote: ctx.self })
    }
    setSoft(ctx, { votes: { [ctx.self]: true }, electionTimeoutMs: electionTimeout(ctx) })
    const { lastIndex } = hard(ctx)
    const lastTerm = termAt(ctx, lastIndex) ?? 0
    ctx.because(ctx.record('raft.vote.requested', { term, preVote, lastIndex, lastTerm }))
    armElection(ctx)
    if (quorum(ctx) === 1) {
      if (preVote) campaign(ctx, false)
      else becomeLeader(ctx)
      return
    }
    for (const peer of peers(ctx)) send(ctx, peer, { type: 'vote', preVote, term, lastIndex, lastTerm, force: false })
  }

  const becomeLeader = (ctx: Context): void => {
    const { term, lastIndex } = hard(ctx)
    become(ctx, 'leader', term, ctx.self, 'a quorum voted for it')
    ctx.cancelTimer('election')
    for (const peer of peers(ctx)) progress(ctx).put(peer, { match: 0, next: lastIndex + 1, heardAt: ctx.now })
    appendOwn(ctx, { does: 'nothing' })
    if (peers(ctx).length > 0) ctx.setTimer('heartbeat', HEARTBEAT_MS, 'raft.heartbeat', null, { periodic: true })
  }

  const appendOwn = (ctx: Context, data: Proposal): void => {
    const { term, lastIndex } = hard(ctx)
    append(ctx, { index: lastIndex + 1, term, data })
    for (const peer of peers(ctx)) replicate(ctx, peer)
    fsync(ctx)
  }

  /** One fsync at a time; what came in meanwhile goes with the next. */
  const fsync = (ctx: Context): void => {
    if (ctx.hasTimer('fsync')) return
    ctx.setTimer('fsync', config(ctx).fsyncMs, 'raft.synced', { through: hard(ctx).lastIndex }, { periodic: false })
  }

  const onSynced = (ctx: Context, { through }: { through: number }): void => {
    const state = soft(ctx)
    const { lastIndex, term } = hard(ctx)
    const stableIndex = Math.min(Math.max(state.stableIndex, through), lastIndex)
    setSoft(ctx, { stableIndex })
    if (state.role === 'leader') commitIfQuorum(ctx)
    else if (state.leader)
      send(ctx, state.leader, { type: 'append-answer', term, ok: true, index: Math.min(stableIndex, state.matched), hint: 0 })
    if (stableIndex < hard(ctx).lastIndex) fsync(ctx)
  }

  const replicate = (ctx: Context, peer: ComponentId): void => {
    const p = progress(ctx).get(peer)
    if (!p) return
    const { term, commit, snapshotIndex } = hard(ctx)
    const previousIndex = p.next - 1
    const previousTerm = termAt(ctx, previousIndex)
    if (previousIndex < snapshotIndex || previousTerm === undefined) {
      const index = machine.appliedIndex(ctx)
      ctx.record('raft.snapshot.sent', { to: peer, index })
      send(ctx, peer, { type: 'snapshot', term, index, snapshotTerm: termAt(ctx, index) ?? term, state: machine.snapshot(ctx) })
      progress(ctx).put(peer, { ...p, next: index + 1 })
      return
    }
    const entries = slice(ctx, p.next, MAX_ENTRIES)
    send(ctx, peer, { type: 'append', term, previousIndex, previousTerm, entries, commit })
    // Optimistic, as in etcd's replicate state: the answer corrects it.
    if (entries.length > 0) progress(ctx).put(peer, { ...p, next: p.next + entries.length })
  }

  const commitIfQuorum = (ctx: Context): void => {
    const { term, commit } = hard(ctx)
    const matches = [...peers(ctx).map((p) => progress(ctx).get(p)?.match ?? 0), soft(ctx).stableIndex].sort((a, b) => b - a)
    const index = matches[quorum(ctx) - 1] as number
    // Only entries of its own term are committed by counting (Raft §5.4.2).
    if (index <= commit || termAt(ctx, index) !== term) return
    const acknowledged = config(ctx).members.filter(
      (m) => (m === ctx.self ? soft(ctx).stableIndex : (progress(ctx).get(m)?.match ?? 0)) >= index,
    )
    setHard(ctx, { commit: index })
    ctx.because(ctx.record('raft.committed', { index, term, acknowledged }))
    applyCommitted(ctx)
    for (const peer of peers(ctx)) replicate(ctx, peer)
    releaseWaitingReads(ctx)
  }

  const applyCommitted = (ctx: Context): void => {
    const { commit } = hard(ctx)
    for (let i = machine.appliedIndex(ctx) + 1; i <= commit; i++) {
      const entry = entryAt(ctx, i)
      if (!entry) break
      machine.apply(ctx, entry)
    }
    const applied = machine.appliedIndex(ctx)
    if (applied - hard(ctx).snapshotIndex > SNAPSHOT_COUNT + SNAPSHOT_CATCH_UP) compactTo(ctx, applied - SNAPSHOT_CATCH_UP)
  }

  const onHeartbeatTimer = (ctx: Context): void => {
    if (soft(ctx).role !== 'leader') return
    const active = peers(ctx).filter((p) => ctx.now - (progress(ctx).get(p)?.heardAt ?? 0) < ELECTION_MS * 2).length + 1
    if (active < quorum(ctx)) {
      ctx.foreground()
      become(ctx, 'follower', hard(ctx).term, undefined, 'it no longer hears from a quorum')
      return
    }
    heartbeat(ctx, 0)
    ctx.setTimer('heartbeat', HEARTBEAT_MS, 'raft.heartbeat', null, { periodic: true })
  }

  const heartbeat = (ctx: Context, read: number): void => {
    const { term, commit } = hard(ctx)
    // Never tell a follower to commit what it may not have.
    for (const peer of peers(ctx))
      send(ctx, peer, { type: 'heartbeat', term, commit: Math.min(commit, progress(ctx).get(peer)?.match ?? 0), read })
  }

  /** Proposes on the leader, or passes the proposal on to it. False when no leader is known. */
  const propose = (ctx: Context, data: Proposal): boolean => {
    const { role, leader } = soft(ctx)
    if (role === 'leader') appendOwn(ctx, data)
    else if (leader) send(ctx, leader, { type: 'propose', data })
    else return false
    return true
  }

  /** Asks for an index behind which a linearizable read may be answered (raft's ReadIndex). False when no leader is known. */
  const readIndex = (ctx: Context, id: string): boolean => {
    const { role, leader } = soft(ctx)
    if (role === 'leader') confirmRead(ctx, id, ctx.self)
    else if (leader) send(ctx, leader, { type: 'read-index', id })
    else return false
    return true
  }

  interface PendingRead {
    id: string
    from: ComponentId
    index: number
    acks: readonly ComponentId[]
  }

  const confirmRead = (ctx: Context, id: string, from: ComponentId): void => {
    const { term, commit } = hard(ctx)
    const reads = ctx.table<PendingRead | number>('reads')
    // Until the leader has committed an entry of its own term it does not know what is committed.
    const known = termAt(ctx, commit) === term
    if (known && quorum(ctx) === 1) {
      machine.readReady(ctx, id, commit)
      return
    }
    const n = ((reads.get('count') as number | undefined) ?? 0) + 1
    reads.put('count', n)
    reads.put(readKey(n), { id, from, index: known ? commit : -1, acks: [ctx.self] })
    if (known) heartbeat(ctx, n)
  }

  const releaseWaitingReads = (ctx: Context): void => {
    const { term, commit } = hard(ctx)
    if (termAt(ctx, commit) !== term) return
    const reads = ctx.table<PendingRead | number>('reads')
    for (const key of reads.keysWithPrefix('r')) {
      const read = reads.get(key) as PendingRead
      if (read.index >= 0) continue
      if (quorum(ctx) === 1) {
        reads.delete(key)
        machine.readReady(ctx, read.id, commit)
      } else {
        reads.put(key, { ...read, index: commit })
        heartbeat(ctx, Number(key.slice(1)))
      }
    }
  }

  const onReadAck = (ctx: Context, n: number, from: ComponentId): void => {
    const reads = ctx.table<PendingRead | number>('reads')
    const read = reads.get(readKey(n)) as PendingRead | undefined
    if (!read || read.acks.includes(from)) return
    const acks = [...read.acks, from]
    if (acks.length < quorum(ctx)) {
      reads.put(readKey(n), { ...read, acks })
      return
    }
    reads.delete(readKey(n))
    if (read.from === ctx.self) machine.readReady(ctx, read.id, read.index)
    else send(ctx, read.from, { type: 'read-index-answer', id: read.id, index: read.index })
  }

  const onMessage = (ctx: Context, message: RaftMessage, from: ComponentId): void => {
    if ('term' in message) {
      const { term } = hard(ctx)
      const state = soft(ctx)
      if (message.term > term) {
        if (message.type === 'vote') {
          // A member that hears from its leader ignores candidates (leases of check-quorum), or a returning one would disturb the cluster.
          const leaderAlive = state.leader !== undefined && (state.role === 'leader' || ctx.now - state.heardAt < ELECTION_MS)
          if (leaderAlive && !message.force) {
            ctx.record('raft.vote.rejected', { term: message.term, preVote: message.preVote, to: from, why: 'it hears from its leader' })
            return
          }
          if (!message.preVote) become(ctx, 'follower', message.term, undefined, 'a candidate has a newer term')
        } else if (message.type === 'vote-answer' && message.preVote && message.granted) {
          // The term of a granted pre-vote is the one asked for, not one that exists.
        } else {
          const leader = message.type === 'append' || message.type === 'heartbeat' || message.type === 'snapshot' ? from : undefined
          become(ctx, 'follower', message.term, leader, 'another member has a newer term')
        }
      } else if (message.term < term) {
        if (message.type === 'append' || message.type === 'heartbeat')
          send(ctx, from, { type: 'append-answer', term, ok: false, index: 0, hint: hard(ctx).lastIndex })
        else if (message.type === 'vote') send(ctx, from, { type: 'vote-answer', preVote: message.preVote, term, granted: false })
        return
      }
    }
    switch (message.type) {
      case 'vote':
        onVote(ctx, message, from)
        break
      case 'vote-answer':
        onVoteAnswer(ctx, message, from)
        break
      case 'append':
        onAppend(ctx, message, from)
        break
      case 'append-answer':
        onAppendAnswer(ctx, message, from)
        break
      case 'heartbeat': {
        followLeader(ctx, from, message.term)
        advanceCommit(ctx, message.commit)
        send(ctx, from, { type: 'heartbeat-answer', term: hard(ctx).term, read: message.read })
        break
      }
      case 'heartbeat-answer': {
        const p = progress(ctx).get(from)
        if (soft(ctx).role !== 'leader' || !p) break
        progress(ctx).put(from, { ...p, heardAt: ctx.now })
        if (message.read > 0) onReadAck(ctx, message.read, from)
        // Appends are datagrams here: an answer with a gap behind it means one was lost.
        if (message.read === 0 && p.match < hard(ctx).lastIndex) {
          progress(ctx).put(from, { ...p, next: p.match + 1, heardAt: ctx.now })
          ctx.foreground()
          replicate(ctx, from)
        }
        break
      }
      case 'snapshot': {
        followLeader(ctx, from, message.term)
        if (message.index > hard(ctx).commit) {
          ctx.table('log').clear()
          setHard(ctx, {
            snapshotIndex: message.index,
            snapshotTerm: message.snapshotTerm,
            commit: message.index,
            lastIndex: message.index,
          })
          setSoft(ctx, { stableIndex: message.index, matched: message.index })
          machine.install(ctx, message.state, message.index)
        }
        send(ctx, from, { type: 'append-answer', term: hard(ctx).term, ok: true, index: hard(ctx).commit, hint: 0 })
        break
      }
      case 'propose':
        if (soft(ctx).role === 'leader') appendOwn(ctx, message.data)
        break
      case 'read-index':
        if (soft(ctx).role === 'leader') confirmRead(ctx, message.id, from)
        break
      case 'read-index-answer':
        machine.readReady(ctx, message.id, message.index)
        break
    }
  }

  const onVote = (ctx: Context, message: Extract<RaftMessage, { type: 'vote' }>, from: ComponentId): void => {
    const state = hard(ctx)
    const { preVote } = message
    const lastTerm = termAt(ctx, state.lastIndex) ?? 0
    const upToDate = message.lastTerm > lastTerm || (message.lastTerm === lastTerm && message.lastIndex >= state.lastIndex)
    const free = preVote ? message.term > state.term : state.vote === undefined || state.vote === from
    const granted = upToDate && free
    if (granted) {
      if (!preVote) {
        setHard(ctx, { vote: from })
        setSoft(ctx, { heardAt: ctx.now })
      }
      ctx.record('raft.vote.granted', { term: message.term, preVote, to: from })
    } else
      ctx.record('raft.vote.rejected', {
        term: message.term,
        preVote,
        to: from,
        why: upToDate ? `it voted for ${state.vote} in this term` : 'its own log is newer',
      })
    send(ctx, from, { type: 'vote-answer', preVote, term: granted ? message.term : hard(ctx).term, granted })
  }

  const onVoteAnswer = (ctx: Context, message: Extract<RaftMessage, { type: 'vote-answer' }>, from: ComponentId): void => {
    const state = soft(ctx)
    if (state.role !== (message.preVote ? 'pre-candidate' : 'candidate')) return
    const votes = { ...state.votes, [from]: message.granted }
    setSoft(ctx, { votes })
    const yes = Object.values(votes).filter(Boolean).length
    const no = Object.keys(votes).length - yes
    if (yes >= quorum(ctx)) {
      if (message.preVote) campaign(ctx, false)
      else becomeLeader(ctx)
    } else if (no >= quorum(ctx)) become(ctx, 'follower', hard(ctx).term, undefined, 'a quorum refused to vote for it')
  }

  const followLeader = (ctx: Context, leader: ComponentId, term: number): void => {
    const state = soft(ctx)
    if (state.role !== 'follower' || state.leader !== leader) become(ctx, 'follower', term, leader, `${leader} leads`)
    setSoft(ctx, { heardAt: ctx.now })
  }

  const onAppend = (ctx: Context, message: Extract<RaftMessage, { type: 'append' }>, from: ComponentId): void => {
    followLeader(ctx, from, message.term)
    const state: HardState = hard(ctx)
    if (message.previousIndex < state.commit) {
      const overlap = state.commit - message.previousIndex
      if (message.entries.length <= overlap) {
        send(ctx, from, { type: 'append-answer', term: state.term, ok: true, index: state.commit, hint: 0 })
        return
      }
    } else if (termAt(ctx, message.previousIndex) !== message.previousTerm) {
      ctx.record('raft.entries.rejected', { from, previousIndex: message.previousIndex, previousTerm: message.previousTerm })
      send(ctx, from, {
        type: 'append-answer',
        term: state.term,
        ok: false,
        index: message.previousIndex,
        hint: Math.min(state.lastIndex, message.previousIndex - 1),
      })
      return
    }
    let added = false
    for (const entry of message.entries) {
      if (entry.index <= hard(ctx).commit) continue
      const have = termAt(ctx, entry.index)
      if (have === entry.term) continue
      if (have !== undefined) {
        truncateFrom(ctx, entry.index)
        setSoft(ctx, { stableIndex: Math.min(soft(ctx).stableIndex, entry.index - 1) })
      }
      append(ctx, entry)
      added = true
    }
    const matched = message.previousIndex + message.entries.length
    setSoft(ctx, { matched: Math.max(soft(ctx).matched, matched) })
    if (added) fsync(ctx)
    else if (soft(ctx).stableIndex >= matched)
      send(ctx, from, { type: 'append-answer', term: hard(ctx).term, ok: true, index: matched, hint: 0 })
    advanceCommit(ctx, Math.min(message.commit, matched))
  }

  const advanceCommit = (ctx: Context, index: number): void => {
    const { commit, lastIndex } = hard(ctx)
    const next = Math.min(index, lastIndex)
    if (next <= commit) return
    ctx.foreground()
    setHard(ctx, { commit: next })
    applyCommitted(ctx)
  }

  const onAppendAnswer = (ctx: Context, message: Extract<RaftMessage, { type: 'append-answer' }>, from: ComponentId): void => {
    const p = progress(ctx).get(from)
    if (soft(ctx).role !== 'leader' || !p) return
    if (message.ok) {
      const match = Math.max(p.match, Math.min(message.index, hard(ctx).lastIndex))
      progress(ctx).put(from, { match, next: Math.max(p.next, match + 1), heardAt: ctx.now })
      commitIfQuorum(ctx)
      if ((progress(ctx).get(from) as Progress).next <= hard(ctx).lastIndex) replicate(ctx, from)
    } else {
      progress(ctx).put(from, { ...p, next: Math.max(p.match + 1, Math.min(message.hint + 1, p.next - 1)), heardAt: ctx.now })
      replicate(ctx, from)
    }
  }

  return { start, onElectionTimer, onHeartbeatTimer, onSynced, onMessage, propose, readIndex }
}

const readKey = (n: number): string => `r${String(n).padStart(8, '0')}`

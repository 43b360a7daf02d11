// Raft's safety, judged from outside: R1–R7 and E3–E4 of the project's invariants. Call `check` after every step; it throws on a breach.
import type { ComponentId, Table } from '../engine/types.ts'
import type { HardState, LogEntry, SoftState } from '../components/etcd/raft/types.ts'
import type { Meta } from '../components/etcd/store/mvcc.ts'
import type { WatchEvent } from '../components/etcd/types.ts'

export interface EtcdView {
  peek<V>(id: ComponentId, table: string): Table<V>
  running(id: ComponentId): boolean
}

interface CommittedEntry {
  term: number
  text: string
}

/** Remembers what was committed; everything else is read anew. */
export function createRaftChecker(members: readonly ComponentId[]) {
  const leaderOfTerm = new Map<number, ComponentId>()
  const committed = new Map<number, CommittedEntry>()
  const checkedTo = new Map<ComponentId, number>()
  const revisionOf = new Map<ComponentId, number>()
  let committedTo = 0
  const quorum = Math.floor(members.length / 2) + 1
  const hardOf = (view: EtcdView, m: ComponentId) => view.peek<HardState>(m, 'hard').get('state')
  const termOf = (view: EtcdView, m: ComponentId, index: number): number | undefined => {
    const hard = hardOf(view, m)
    if (!hard) return undefined
    if (index === hard.snapshotIndex) return hard.snapshotTerm
    return view.peek<LogEntry>(m, 'log').get(String(index).padStart(9, '0'))?.term
  }
  const fail = (rule: string, text: string): never => {
    throw new Error(`${rule}: ${text}`)
  }

  return {
    /** Highest index known to be committed anywhere: shows that a run did something. */
    get committed() {
      return committedTo
    },
    get leaders() {
      return leaderOfTerm.size
    },
    check(view: EtcdView): void {
      for (const m of members) {
        const hard = hardOf(view, m)
        const soft = view.peek<SoftState>(m, 'soft').get('state')
        if (!hard) continue
        if (view.running(m) && soft?.role === 'leader') {
          const known = leaderOfTerm.get(hard.term)
          if (known === undefined) {
            leaderOfTerm.set(hard.term, m)
            // R4: whatever is committed is in every later leader's log.
            for (const [index, entry] of committed) {
              if (index <= hard.snapshotIndex) continue
              if (termOf(view, m, index) !== entry.term) fail('R4', `leader ${m} of term ${hard.term} lacks committed entry ${index}`)
            }
          } else if (known !== m) fail('R1', `${known} and ${m} both lead term ${hard.term}`)
        }
        // R6: nobody commits beyond its own log.
        if (hard.commit > hard.lastIndex) fail('R6', `${m} commits ${hard.commit} beyond its log ${hard.lastIndex}`)
        // R2, R3: committed prefixes agree.
        for (let i = Math.max(checkedTo.get(m) ?? 0, hard.snapshotIndex) + 1; i <= hard.commit; i++) {
          const entry = view.peek<LogEntry>(m, 'log').get(String(i).padStart(9, '0'))
          if (!entry) continue
          const text = JSON.stringify(entry.data)
          const first = committed.get(i)
          if (!first) {
            committed.set(i, { term: entry.term, text })
            committedTo = Math.max(committedTo, i)
            // R5: an entry is committed only when a quorum holds it.
            const holders = members.filter((o) => (hardOf(view, o)?.snapshotIndex ?? 0) >= i || termOf(view, o, i) === entry.term).length
            if (holders < quorum) fail('R5', `entry ${i} is committed on ${holders} of ${members.length} members`)
          } else if (first.term !== entry.term || first.text !== text) fail('R2', `entry ${i} differs on ${m}`)
        }
        checkedTo.set(m, hard.commit)
        // E3: the revision never goes back, and every revision has its events.
        const meta = view.peek<Meta>(m, 'meta').get('meta')
        if (meta) {
          const before = revisionOf.get(m) ?? 1
          if (meta.revision < before) fail('E3', `${m} went from revision ${before} back to ${meta.revision}`)
          for (let r = before + 1; r <= meta.revision && r > meta.compacted; r++) {
            const events = view.peek<readonly WatchEvent[]>(m, 'revisions').get(String(r).padStart(10, '0'))
            if (!events || events.length === 0 || events.some((e) => e.kv.modRevision !== r))
              fail('E3', `${m} has no events of revision ${r}`)
          }
          revisionOf.set(m, meta.revision)
        }
      }
    },
    /** R7 at the moment of a granted vote: the voter's log must not be newer than the candidate's. */
    checkVote(view: EtcdView, voter: ComponentId, candidate: ComponentId): void {
      const [mine, theirs] = [hardOf(view, voter), hardOf(view, candidate)]
      if (!mine || !theirs) return
      const [myTerm, theirTerm] = [termOf(view, voter, mine.lastIndex) ?? 0, termOf(view, candidate, theirs.lastIndex) ?? 0]
      if (myTerm > theirTerm || (myTerm === theirTerm && mine.lastIndex > theirs.lastIndex))
        fail('R7', `${voter} voted for ${candidate}, whose log is older`)
    },
  }
}

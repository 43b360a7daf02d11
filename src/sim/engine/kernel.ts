// The kernel: clock, agenda, tables, random streams, trace, and the journal that makes every step reversible.
import { Agenda } from './agenda.ts'
import { canonical, Digest } from './digest.ts'
import { draw, type RandomState, seedStream } from './random.ts'
import { StateTable } from './table.ts'
import type { ComponentId, Input, Step, Table, Write } from './types.ts'

/** Everything one step or input changed. Present only while the history keeps it. */
export interface Journal {
  readonly writes: Write[]
  readonly pushed: Step[]
  readonly removed: Step[]
  readonly before: Counters
  after: Counters
}

export interface Counters {
  readonly now: number
  readonly nextSeq: number
  /** Trace records so far. */
  readonly records: number
}

export interface Snapshot {
  readonly tables: ReadonlyMap<string, { readonly map: ReadonlyMap<string, unknown>; readonly version: number }>
  readonly agenda: readonly Step[]
  readonly counters: Counters
}

export interface NewStep {
  at: number
  target: ComponentId
  kind: string
  payload: unknown
  cause: number
  incarnation: number
  background: boolean
}

/** More steps than this without time passing is a runaway chain, not a cluster. */
const MAX_DEPTH = 20_000

export class Kernel<R extends { readonly seq: number }> {
  readonly agenda = new Agenda()
  private readonly tables = new Map<string, StateTable<unknown>>()
  private readonly randomTable: Table<RandomState>
  private journal: Journal | undefined
  private readonly onWrite = (write: Write): void => {
    this.journal?.writes.push(write)
  }
  now = 0
  nextSeq = 1
  /** Records of the present branch; those at and after `records` lie in the future of the cursor. */
  trace: R[] = []
  records = 0
  /** The step being handled; its depth and background carry over to what it schedules. */
  private depth = 0
  private readonly seed: number

  constructor(seed: number) {
    this.seed = seed >>> 0
    this.randomTable = this.table('engine/random')
  }

  table<V>(name: string): Table<V> {
    let table = this.tables.get(name)
    if (!table) {
      table = new StateTable(name, this.onWrite)
      this.tables.set(name, table)
    }
    return table as unknown as Table<V>
  }

  tableNames(): string[] {
    return [...this.tables.keys()].sort()
  }

  random(stream: string): number {
    const { state, value } = draw(this.randomTable.get(stream) ?? seedStream(this.seed, stream))
    this.randomTable.put(stream, state)
    return value
  }

  schedule(step: NewStep): number {
    const depth = step.at > this.now ? 0 : this.depth + 1
    if (depth > MAX_DEPTH) throw new Error(`runaway: ${MAX_DEPTH} steps in one instant, last ${step.target} ${step.kind}`)
    const full: Step = { seq: this.nextSeq++, depth, ...step }
    this.agenda.push(full)
    this.journal?.pushed.push(full)
    return full.seq
  }

  unschedule(seq: number): void {
    const step = this.agenda.get(seq)
    if (!step) return
    this.agenda.remove(seq)
    this.journal?.removed.push(step)
  }

  append(record: R): void {
    this.trace[this.records++] = record
  }

  counters(): Counters {
    return { now: this.now, nextSeq: this.nextSeq, records: this.records }
  }

  /** Runs `body` with the journal on; if it throws, everything it did is taken back before the error goes on. */
  journaled(body: () => void): Journal {
    const journal: Journal = { writes: [], pushed: [], removed: [], before: this.counters(), after: this.counters() }
    this.journal = journal
    try {
      body()
    } catch (error) {
      this.journal = undefined
      journal.after = this.counters()
      this.undo(journal)
      throw error
    }
    this.journal = undefined
    this.depth = 0
    journal.after = this.counters()
    return journal
  }

  /** Takes the next step off the agenda. Only inside journaled(). */
  take(step: Step): void {
    this.unschedule(step.seq)
    this.now = step.at
    this.depth = step.depth
  }

  /** The clock as an input found it. Only inside journaled(). */
  setNow(at: Input['at']): void {
    this.now = at
  }

  undo(journal: Journal): void {
    for (let i = journal.writes.length - 1; i >= 0; i--) {
      const write = journal.writes[i] as Write
      this.tables.get(write.table)?.apply(write.key, write.before)
    }
    for (const step of journal.pushed) this.agenda.remove(step.seq)
    for (const step of journal.removed) if (step.seq < journal.before.nextSeq) this.agenda.push(step)
    this.restoreCounters(journal.before)
  }

  redo(journal: Journal): void {
    for (const write of journal.writes) (this.table(write.table) as StateTable<unknown>).apply(write.key, write.after)
    const removed = new Set(journal.removed.map((s) => s.seq))
    for (const step of journal.pushed) if (!removed.has(step.seq)) this.agenda.push(step)
    for (const seq of removed) this.agenda.remove(seq)
    this.restoreCounters(journal.after)
  }

  private restoreCounters(counters: Counters): void {
    this.now = counters.now
    this.nextSeq = counters.nextSeq
    this.records = counters.records
  }

  snapshot(): Snapshot {
    const tables = new Map<string, { map: ReadonlyMap<string, unknown>; version: number }>()
    for (const [name, table] of this.tables) tables.set(name, { map: table.share(), version: table.version })
    return { tables, agenda: this.agenda.list(), counters: this.counters() }
  }

  restore(snapshot: Snapshot): void {
    for (const [name, table] of this.tables) {
      const kept = snapshot.tables.get(name)
      table.adopt(kept ? kept.map : new Map())
    }
    for (const [name, kept] of snapshot.tables) if (!this.tables.has(name)) (this.table(name) as StateTable<unknown>).adopt(kept.map)
    this.agenda.replaceAll(snapshot.agenda)
    this.restoreCounters(snapshot.counters)
  }

  /** Records in all tables: what a keyframe costs to copy. */
  recordCount(): number {
    let n = 0
    for (const table of this.tables.values()) n += table.size
    return n
  }

  /** Digest of the full state: tables, agenda, counters. Slow; for tests and links. */
  stateDigest(): string {
    const digest = new Digest()
    for (const name of this.tableNames()) {
      const table = this.tables.get(name) as StateTable<unknown>
      if (table.size === 0) continue
      digest.add(name)
      for (const [key, value] of table.entries()) {
        digest.add(key)
        digest.add(canonical(value))
      }
    }
    for (const step of this.agenda.list()) digest.add(canonical(step))
    digest.add(canonical(this.counters()))
    return digest.hex()
  }

  /** Digest of the trace up to the cursor. */
  traceDigest(): string {
    const digest = new Digest()
    for (let i = 0; i < this.records; i++) digest.add(canonical(this.trace[i]))
    return digest.hex()
  }
}

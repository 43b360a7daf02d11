// The history of a run: every step and input, so that any moment can be reached again. Near moments by undo and redo of journals,
// far ones from keyframes by running the same steps again. Acting in the past makes a branch; the old future stays.
import type { Journal, Kernel, Snapshot } from './kernel.ts'
import type { Input } from './types.ts'

/** One step or input. The journal may have been dropped; then the entry is run again when it is needed. */
interface Entry {
  readonly input?: Input
  journal: Journal | undefined
  /** Virtual time after it. */
  readonly at: number
  /** Trace records after it. */
  readonly records: number
}

interface Keyframe {
  readonly index: number
  readonly snapshot: Snapshot
}

interface Path<R> {
  readonly id: number
  name: string
  readonly parent: number | undefined
  readonly forkedAt: number
  entries: Entry[]
  keyframes: Keyframe[]
  trace: R[]
  cursor: number
}

export interface BranchInfo {
  id: number
  name: string
  parent: number | undefined
  /** Entry index at which it left its parent. */
  forkedAt: number
  length: number
  current: boolean
}

export interface HistoryOptions {
  /** Entries between keyframes; more when the state is large. */
  keyframeInterval?: number
  /** Entries whose journals are kept; older ones are run again from keyframes. */
  journalLimit?: number
}

export interface HistoryHost<R extends { readonly seq: number }> {
  readonly kernel: Kernel<R>
  /** Executes the next pending step; false when there is none. Only called inside kernel.journaled. */
  deliverNext(): boolean
  deliverInput(input: Input): void
}

export class History<R extends { readonly seq: number }> {
  private path: Path<R>
  private readonly paths: Path<R>[] = []
  private readonly interval: number
  private readonly journalLimit: number
  private journaledFrom = 0

  constructor(
    private readonly host: HistoryHost<R>,
    options: HistoryOptions = {},
  ) {
    this.interval = options.keyframeInterval ?? 2000
    this.journalLimit = options.journalLimit ?? 60_000
    this.path = { id: 1, name: 'main', parent: undefined, forkedAt: 0, entries: [], keyframes: [], trace: host.kernel.trace, cursor: 0 }
    this.paths.push(this.path)
    this.keyframe()
  }

  /** Forgets everything before the present moment, which becomes index 0. */
  rebase(): void {
    if (this.paths.length > 1) throw new Error('a history with branches cannot be rebased')
    this.path.entries = []
    this.path.keyframes = []
    this.path.cursor = 0
    this.journaledFrom = 0
    this.keyframe()
  }

  /** Index of the present moment: entries behind it. */
  get cursor(): number {
    return this.path.cursor
  }

  /** Entries known, the future of the cursor included. */
  get length(): number {
    return this.path.entries.length
  }

  /** Virtual time after `index` entries. */
  timeAt(index: number): number {
    return index === 0 ? (this.path.keyframes[0]?.snapshot.counters.now ?? 0) : (this.path.entries[index - 1]?.at ?? this.host.kernel.now)
  }

  /** Trace records after `index` entries. */
  recordsAt(index: number): number {
    return index === 0
      ? (this.path.keyframes[0]?.snapshot.counters.records ?? 0)
      : (this.path.entries[index - 1]?.records ?? this.host.kernel.records)
  }

  /** Entries after which at least `records` trace records exist: the moment at which that record was made. */
  indexOfRecord(records: number): number {
    let low = 0
    let high = this.path.entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.recordsAt(middle) >= records) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Entries whose virtual time is at most `at`. */
  indexOfTime(at: number): number {
    let low = 0
    let high = this.path.entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.path.entries[middle] as Entry).at <= at) low = middle + 1
      else high = middle
    }
    return low
  }

  inputs(): { index: number; input: Input }[] {
    const out: { index: number; input: Input }[] = []
    this.path.entries.forEach((entry, index) => {
      if (entry.input) out.push({ index, input: entry.input })
    })
    return out
  }

  journalAt(index: number): Journal | undefined {
    return this.path.entries[index]?.journal
  }

  /** One entry forward: the known future if there is one, else the next pending step. False at the end of all work. */
  forward(): boolean {
    const entry = this.path.entries[this.path.cursor]
    if (!entry) return this.execute(undefined)
    if (entry.journal) {
      this.host.kernel.redo(entry.journal)
      this.path.cursor++
    } else this.rerun(entry)
    return true
  }

  backward(): boolean {
    if (this.path.cursor === 0) return false
    const entry = this.path.entries[this.path.cursor - 1] as Entry
    if (entry.journal) {
      this.host.kernel.undo(entry.journal)
      this.path.cursor--
    } else this.seek(this.path.cursor - 1)
    return true
  }

  /** Goes to the moment after `index` entries, running further than known if need be. Returns where it got to. */
  seek(index: number): number {
    const target = Math.max(0, index)
    const reach = this.interval * 3
    if (target < this.path.cursor && (this.path.cursor - target > reach || !this.journaledBetween(target, this.path.cursor)))
      this.restoreBefore(target)
    else if (target > this.path.cursor + reach) {
      const keyframe = this.keyframeBefore(target)
      if (keyframe.index > this.path.cursor) this.restore(keyframe)
    }
    while (this.path.cursor > target) this.backward()
    while (this.path.cursor < target) if (!this.forward()) break
    return this.path.cursor
  }

  /** An input at this moment. In the past it forks: the known future stays on its own branch. */
  input(input: Input): void {
    if (this.path.cursor < this.path.entries.length) this.fork()
    this.execute(input)
  }

  /** Leaves the known future on the present branch and goes on from here on a new one. */
  fork(name?: string): BranchInfo {
    const old = this.path
    const { cursor } = old
    const kernel = this.host.kernel
    const id = this.paths.length + 1
    this.path = {
      id,
      name: name ?? `branch ${id - 1}`,
      parent: old.id,
      forkedAt: cursor,
      entries: old.entries.slice(0, cursor),
      keyframes: old.keyframes.filter((k) => k.index <= cursor),
      trace: kernel.trace.slice(0, kernel.records),
      cursor,
    }
    this.paths.push(this.path)
    kernel.trace = this.path.trace
    return this.branches()[id - 1] as BranchInfo
  }

  /** Looks ahead: runs `body`, which may send inputs and step on, then takes everything back. No branch remains. */
  sandbox<T>(body: () => T): T {
    const real = this.path
    const { kernel } = this.host
    const { cursor } = real
    const { journaledFrom } = this
    const copy: Path<R> = {
      ...real,
      entries: real.entries.slice(0, cursor),
      keyframes: real.keyframes.filter((k) => k.index <= cursor),
      trace: kernel.trace.slice(0, kernel.records),
    }
    this.path = copy
    kernel.trace = copy.trace
    try {
      return body()
    } finally {
      this.seek(cursor)
      this.path = real
      this.journaledFrom = Math.min(journaledFrom, this.journaledFrom)
      kernel.trace = real.trace
    }
  }

  branches(): BranchInfo[] {
    return this.paths.map((p) => ({
      id: p.id,
      name: p.name,
      parent: p.parent,
      forkedAt: p.forkedAt,
      length: p.entries.length,
      current: p === this.path,
    }))
  }

  rename(id: number, name: string): void {
    const path = this.paths[id - 1]
    if (path) path.name = name
  }

  /** Goes to the moment of another branch at which it was left. */
  switchTo(id: number): boolean {
    const other = this.paths[id - 1]
    if (!other || other === this.path) return other === this.path
    const left = this.path.cursor
    let common = 0
    let high = Math.min(this.path.entries.length, other.entries.length)
    while (common < high) {
      const middle = (common + high + 1) >>> 1
      if (this.path.entries[middle - 1] === other.entries[middle - 1]) common = middle
      else high = middle - 1
    }
    if (this.path.cursor > common) this.seek(common)
    const at = this.path.cursor
    this.path.cursor = left
    const target = other.cursor
    other.cursor = at
    this.path = other
    this.host.kernel.trace = other.trace
    this.journaledFrom = 0
    this.seek(target)
    return true
  }

  private execute(input: Input | undefined): boolean {
    const { kernel } = this.host
    let delivered = true
    const journal = kernel.journaled(() => {
      if (input) this.host.deliverInput(input)
      else delivered = this.host.deliverNext()
    })
    if (!delivered) return false
    this.path.entries.push({ ...(input ? { input } : {}), journal, at: kernel.now, records: kernel.records })
    this.path.cursor++
    const last = this.path.keyframes[this.path.keyframes.length - 1] as Keyframe
    const since = this.path.cursor - last.index
    // The size of the state is asked now and then only: counting it costs as much as several steps.
    if (since >= this.interval && since % Math.min(256, this.interval) === 0 && since >= kernel.recordCount() / 8) this.keyframe()
    this.dropOldJournals()
    return true
  }

  private rerun(entry: Entry): void {
    entry.journal = this.host.kernel.journaled(() => {
      if (entry.input) this.host.deliverInput(entry.input)
      else this.host.deliverNext()
    })
    this.path.cursor++
  }

  private keyframe(): void {
    this.path.keyframes.push({ index: this.path.cursor, snapshot: this.host.kernel.snapshot() })
  }

  private keyframeBefore(index: number): Keyframe {
    const { keyframes } = this.path
    for (let i = keyframes.length - 1; i > 0; i--) if ((keyframes[i] as Keyframe).index <= index) return keyframes[i] as Keyframe
    return keyframes[0] as Keyframe
  }

  private restoreBefore(index: number): void {
    this.restore(this.keyframeBefore(index))
  }

  private restore(keyframe: Keyframe): void {
    this.host.kernel.restore(keyframe.snapshot)
    this.path.cursor = keyframe.index
  }

  private journaledBetween(from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (!this.path.entries[i]?.journal) return false
    return true
  }

  /** Journals far behind the cursor go; keyframes and inputs stay, so nothing is lost but time. */
  private dropOldJournals(): void {
    const limit = this.path.cursor - this.journalLimit
    while (this.journaledFrom < limit) {
      const entry = this.path.entries[this.journaledFrom++]
      if (entry) entry.journal = undefined
    }
  }

  /** Drops every journal behind the cursor. For tests of the law that this changes nothing, and before a long idle. */
  dropJournals(): void {
    for (let i = 0; i < this.path.cursor; i++) (this.path.entries[i] as Entry).journal = undefined
  }
}

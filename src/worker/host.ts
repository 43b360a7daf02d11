// Hosts one simulation for a page: answers requests, and after every move sends what changed.
// Runs the same over a Worker's global scope and over a MessageChannel in tests.
import { PROTOCOL_VERSION, type RequestMessage, type RequestName, type Requests, type StepSize, type Update } from '../protocol/messages.ts'
import { explain } from '../projection/explain/index.ts'
import { flightsOf, projectScene } from '../projection/project.ts'
import { inspectElement, inspectObject } from '../projection/inspect/index.ts'
import { outlineText } from '../projection/outline.ts'
import { markOf } from '../projection/timeline.ts'
import { trafficOf } from '../projection/traffic.ts'
import { causesOf, newestRecordOf } from '../projection/why.ts'
import type { SceneElement } from '../projection/scene.ts'
import { SimulationCrash } from '../sim/cluster/simulation.ts'
import type { TraceRecord } from '../sim/trace/record.ts'
import { isMoment } from './moments.ts'
import { openDocument, type OpenDocument } from './document.ts'

export interface HostPort {
  postMessage(message: unknown): void
  onmessage: ((event: MessageEvent) => void) | null
}

/** A step that finds no moment of its size gives up after this much virtual time: nothing is going to happen. */
const PATIENCE_MS = 15 * 60_000
const MAX_STEPS = 400_000

export function createHost(port: HostPort): void {
  let open: OpenDocument | undefined
  let shown = new Map<string, string>()
  let marksFrom = 0
  let shownBranch = 0
  /** The record that the present moment is about. */
  let focus = 0
  let size: StepSize = 'message'

  const opened = (): OpenDocument => {
    if (!open) throw new Error('no cluster is open')
    return open
  }

  const update = (reset: boolean, movedFrom: number, before: number): Update => {
    const { sim, startedAt, world } = opened()
    const { history, kernel } = sim
    const branches = sim.branches()
    const branch = branches.find((b) => b.current)?.id ?? 1
    const view = world()
    const elements = projectScene(view)
    const changed: SceneElement[] = []
    const next = new Map<string, string>()
    for (const element of elements) {
      const print = JSON.stringify(element)
      next.set(element.id, print)
      if (reset || shown.get(element.id) !== print) changed.push(element)
    }
    const removed = reset ? [] : [...shown.keys()].filter((id) => !next.has(id))
    shown = next
    const fresh = reset || branch !== shownBranch
    const from = fresh ? opened().firstRecord : marksFrom
    const marks = []
    for (let i = from; i < kernel.trace.length; i++) {
      const mark = markOf(kernel.trace[i] as TraceRecord, startedAt)
      if (mark) marks.push(mark)
    }
    marksFrom = kernel.trace.length
    shownBranch = branch
    const record = focus > 0 && focus <= kernel.records ? kernel.trace[focus - 1] : undefined
    return {
      cursor: history.cursor,
      length: history.length,
      records: kernel.records,
      recordsKnown: kernel.trace.length,
      now: sim.now - startedAt,
      idleMs: Math.max(0, sim.now - before),
      quiet: sim.isQuiet(),
      scene: { reset, changed, removed },
      flights: flightsOf(view, Math.min(movedFrom, kernel.records), focus),
      caption: record ? explain(record, view) : null,
      timeline: {
        reset: fresh,
        marks,
        end: Math.max(0, (history.length === history.cursor ? sim.now : history.timeAt(history.length)) - startedAt),
      },
      branches: [...branches],
      position: opened().moments.position(size, kernel, (seq) => history.indexOfRecord(seq)),
    }
  }
  const send = (reset: boolean, movedFrom: number, before: number): void =>
    port.postMessage({ type: 'update', update: update(reset, movedFrom, before) })

  /** Forward to the next record that counts as a moment of this size. */
  const stepForward = (): boolean => {
    const { sim } = opened()
    const limit = sim.now + PATIENCE_MS
    for (let i = 0; i < MAX_STEPS; i++) {
      const before = sim.kernel.records
      const next = sim.nextAt()
      if (next === undefined || next > limit || !sim.step()) return false
      for (let r = before; r < sim.kernel.records; r++) {
        const record = sim.kernel.trace[r] as TraceRecord
        if (!isMoment(record, size)) continue
        focus = record.seq
        return true
      }
    }
    return false
  }

  const stepBackward = (): boolean => {
    const { sim, firstRecord } = opened()
    const from = Math.min(focus > 0 ? focus - 1 : sim.kernel.records, sim.kernel.records)
    for (let r = from - 1; r >= firstRecord; r--) {
      const record = sim.kernel.trace[r] as TraceRecord
      if (!isMoment(record, size)) continue
      const entry = sim.history.indexOfRecord(record.seq)
      focus = record.seq
      // Forward steps stop at the first moment of an entry: so do steps back.
      for (let q = r - 1; q >= firstRecord && sim.history.indexOfRecord(q + 1) === entry; q--)
        if (isMoment(sim.kernel.trace[q] as TraceRecord, size)) focus = q + 1
      sim.seek(entry)
      return true
    }
    if (sim.history.cursor === 0) return false
    focus = 0
    sim.seek(0)
    return true
  }

  /** The last story-level record at or before the cursor, for moves that are not steps. */
  const focusHere = (): void => {
    const { sim, firstRecord } = opened()
    focus = 0
    for (let r = sim.kernel.records - 1; r >= firstRecord; r--) {
      const record = sim.kernel.trace[r] as TraceRecord
      if (isMoment(record, 'message') || isMoment(record, 'milestone')) {
        focus = record.seq
        return
      }
    }
  }

  const handlers: { [N in RequestName]: (params: Requests[N]['params']) => Requests[N]['result'] } = {
    open({ document, version }) {
      if (version !== PROTOCOL_VERSION) throw new Error('The page and its simulation are of different versions. Reload the page.')
      const started = performance.now()
      open = openDocument(document)
      focusHere()
      send(true, opened().sim.kernel.records, opened().sim.now)
      return { traceDigest: open.sim.traceDigest(), bootMs: performance.now() - started, missing: [] }
    },
    step(params) {
      size = params.size
      const { sim } = opened()
      const [records, now] = [sim.kernel.records, sim.now]
      let moved = false
      for (let i = 0; i < Math.abs(params.count); i++) if (params.count > 0 ? stepForward() : stepBackward()) moved = true
      send(false, records, now)
      return { moved }
    },
    seek({ index, record, at }) {
      const { sim, startedAt, firstRecord } = opened()
      const target =
        index ??
        (record !== undefined ? sim.history.indexOfRecord(Math.max(record, firstRecord)) : sim.history.indexOfTime((at ?? 0) + startedAt))
      const reached = sim.seek(Math.min(target, sim.history.length))
      if (record !== undefined && record <= sim.kernel.records) focus = record
      else focusHere()
      send(false, sim.kernel.records, sim.now)
      return { index: reached }
    },
    jump({ direction, actor, kind, uid, errors }) {
      const { sim, firstRecord } = opened()
      const [records, now] = [sim.kernel.records, sim.now]
      const wanted = (record: TraceRecord): boolean =>
        !record.background &&
        (actor === undefined || record.actor === actor) &&
        (kind === undefined || record.kind.startsWith(kind)) &&
        (uid === undefined || record.subject?.uid === uid) &&
        (errors
          ? /failed|denied|rejected|lost|unschedulable|backoff/i.test(record.kind)
          : actor !== undefined || kind !== undefined || uid !== undefined || isMoment(record, 'milestone'))
      let found = false
      if (direction < 0) {
        for (let r = Math.min(focus - 1, sim.kernel.records) - 1; r >= firstRecord && !found; r--) {
          const record = sim.kernel.trace[r] as TraceRecord
          if (!wanted(record)) continue
          focus = record.seq
          sim.seek(sim.history.indexOfRecord(record.seq))
          found = true
        }
      } else {
        const limit = sim.now + PATIENCE_MS
        let checked = focus
        for (let i = 0; i < MAX_STEPS && !found; i++) {
          for (let r = Math.max(checked, firstRecord); r < sim.kernel.records && !found; r++) {
            const record = sim.kernel.trace[r] as TraceRecord
            if (!wanted(record)) continue
            focus = record.seq
            found = true
          }
          checked = sim.kernel.records
          const next = sim.nextAt()
          if (found || next === undefined || next > limit || !sim.step()) break
        }
      }
      send(false, records, now)
      return { found }
    },
    runUntil({ until }) {
      const { sim, startedAt } = opened()
      const [records, now] = [sim.kernel.records, sim.now]
      const reached =
        until === 'quiet'
          ? sim.runUntil({ kind: 'quiet' }, MAX_STEPS)
          : (sim.runToTime('forMs' in until ? sim.now + until.forMs : until.at + startedAt, MAX_STEPS), true)
      focusHere()
      send(false, records, now)
      return { reached }
    },
    command({ command }) {
      const { sim } = opened()
      const [records, now] = [sim.kernel.records, sim.now]
      const result = opened().command(command)
      focus = records + 1
      focusHere()
      send(false, records, now)
      return result
    },
    diff: ({ yaml }) => opened().diff(yaml),
    check: ({ yaml }) => opened().check(yaml),
    inspect({ element, ref }) {
      const world = opened().world()
      return element !== undefined ? inspectElement(world, element) : ref ? inspectObject(world, ref) : null
    },
    why({ record, ref }) {
      const world = opened().world()
      const start = record ?? (ref ? newestRecordOf(world, ref) : focus)
      return { chain: causesOf(world, start).map((r) => explain(r, world)) }
    },
    explain({ record }) {
      const found = opened().sim.kernel.trace[record - 1]
      return found ? explain(found, opened().world()) : null
    },
    list: ({ resource, namespace }) => opened().list(resource, namespace),
    resources: () => opened().resources(),
    search: ({ text }) => opened().search(text),
    traffic: () => ({ requests: trafficOf(opened().world(), opened().firstRecord) }),
    branch({ switchTo, rename }) {
      const { sim } = opened()
      if (rename) sim.history.rename(rename.id, rename.name)
      if (switchTo !== undefined && sim.history.switchTo(switchTo)) {
        focusHere()
        send(false, sim.kernel.records, sim.now)
      }
      return { branches: sim.branches() }
    },
    digest: () => ({ trace: opened().sim.traceDigest(), state: opened().sim.stateDigest(), index: opened().sim.history.cursor }),
    document: () => opened().document(),
    outline: () => ({ text: outlineText(projectScene(opened().world())) }),
    trace({ from, to, level }) {
      const { sim } = opened()
      const levels = level === 'wire' ? ['story', 'detail', 'wire'] : level === 'detail' ? ['story', 'detail'] : ['story']
      return {
        lines: sim.kernel.trace
          .slice(Math.max(0, from - 1), to)
          .filter((r) => levels.includes(r.level))
          .map((r) => JSON.stringify(r)),
      }
    },
  }

  port.onmessage = (event: MessageEvent) => {
    const message = event.data as RequestMessage
    try {
      const result = (handlers[message.name] as (params: unknown) => unknown)(message.params)
      port.postMessage({ type: 'answer', id: message.id, ok: true, result })
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error)
      port.postMessage({
        type: 'answer',
        id: message.id,
        ok: false,
        error: text,
        ...(error instanceof SimulationCrash ? { report: error.report } : {}),
      })
    }
  }
}

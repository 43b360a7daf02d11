// The page's state without React: what the worker last said (scene, caption, timeline), how the visitor looks at it (selection, speed, panels),
// and the commands that move it. Document state lives in the worker; this holds only its mirror.
import { createStore, type StoreApi } from 'zustand/vanilla'
import type { CommandResult, DocumentState, StepSize, Update, VisitorCommand } from '../protocol/messages.ts'
import { PROTOCOL_VERSION } from '../protocol/messages.ts'
import type { BranchView, Caption, Flight, SceneElement, TimelineMark } from '../projection/scene.ts'
import type { ObjectRef } from '../sim/api/types/object.ts'
import { createWorkerClient, type Port, type WorkerClient } from './worker-client.ts'

export type Selection =
  | { readonly type: 'element'; readonly id: string }
  | { readonly type: 'object'; readonly ref: ObjectRef }
  | { readonly type: 'record'; readonly record: number }
  | null

export interface SessionState {
  /** 'opening' until the first cluster is up; 'failed' shows `error`. */
  readonly phase: 'opening' | 'ready' | 'failed'
  readonly error: { readonly message: string; readonly report?: string } | null
  readonly document: DocumentState
  readonly elements: ReadonlyMap<string, SceneElement>
  /** Rises with every change of `elements`. */
  readonly sceneVersion: number
  readonly flights: readonly Flight[]
  readonly caption: Caption | null
  readonly marks: readonly TimelineMark[]
  readonly timelineEnd: number
  readonly cursor: number
  readonly length: number
  readonly records: number
  readonly recordsKnown: number
  readonly position: { readonly index: number; readonly of: number }
  readonly now: number
  readonly idleMs: number
  readonly quiet: boolean
  readonly branches: readonly BranchView[]
  /** Rises with every move of the cursor: what is derived per step is computed once per value. */
  readonly step: number
  readonly selection: Selection
  readonly playing: boolean
  /** Story hops per readable beat; 1 = the default pace. */
  readonly speed: number
  readonly stepSize: StepSize
  /** Elements that take part in this step: the actor and the ends of every message. */
  readonly active: ReadonlySet<string>
  /** A request is on its way to the worker. */
  readonly busy: boolean
  readonly lastCommand: { readonly command: VisitorCommand; readonly result: CommandResult } | null
}

export interface Session {
  readonly store: StoreApi<SessionState>
  readonly client: WorkerClient
  open(document: DocumentState): Promise<void>
  step(count: 1 | -1, size?: StepSize): Promise<boolean>
  seek(to: { index?: number; record?: number; at?: number }): Promise<void>
  first(): Promise<void>
  last(): Promise<void>
  play(): void
  pause(): void
  setSpeed(speed: number): void
  setStepSize(size: StepSize): void
  runUntilQuiet(): Promise<void>
  /** Lets virtual time pass, whatever happens in it. */
  letPass(ms: number): Promise<void>
  jump(direction: 1 | -1, filter?: { actor?: string; kind?: string; uid?: string; errors?: boolean }): Promise<boolean>
  /** Sends what the visitor does. `thenPlay`: watch what follows, unless the visitor has moved on by then. */
  command(command: VisitorCommand, options?: { readonly thenPlay?: boolean }): Promise<CommandResult>
  select(selection: Selection): void
  switchBranch(id: number): Promise<void>
  renameBranch(id: number, name: string): Promise<void>
}

export const SPEEDS = [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16] as const
/** Readable time of one hop at speed 1, wall ms. */
export const BEAT_MS = 1400

export function createSession(port: Port, initial: DocumentState): Session {
  const store = createStore<SessionState>(() => ({
    phase: 'opening',
    error: null,
    document: initial,
    elements: new Map(),
    sceneVersion: 0,
    flights: [],
    caption: null,
    marks: [],
    timelineEnd: 0,
    cursor: 0,
    length: 0,
    records: 0,
    recordsKnown: 0,
    position: { index: 0, of: 0 },
    now: 0,
    idleMs: 0,
    quiet: true,
    branches: [],
    step: 0,
    selection: null,
    playing: false,
    speed: 1,
    stepSize: 'message',
    active: new Set(),
    busy: false,
    lastCommand: null,
  }))
  const { getState: get, setState: set } = store
  const client = createWorkerClient(port, (update) => set((state) => applyUpdate(state, update)))

  let underWay = 0
  /** Rises with everything the visitor asks for: a late answer must not start what they no longer want. */
  let turn = 0
  const guarded = async <T>(body: () => Promise<T>, fallback: T): Promise<T> => {
    underWay++
    set({ busy: true })
    try {
      return await body()
    } catch (error) {
      const { message, report } = error as Error & { report?: string }
      set({
        error: { message, ...(report ? { report } : {}) },
        playing: false,
        ...(get().phase === 'opening' ? { phase: 'failed' as const } : {}),
      })
      return fallback
    } finally {
      if (--underWay === 0) set({ busy: false })
    }
  }

  let beat: ReturnType<typeof setTimeout> | undefined
  const playOn = async (): Promise<void> => {
    const { playing, speed, stepSize } = get()
    if (!playing) return
    const started = Date.now()
    const moved = await guarded(() => client.request('step', { size: stepSize, count: 1 }), { moved: false })
    if (!moved.moved) {
      set({ playing: false })
      return
    }
    beat = setTimeout(() => void playOn(), Math.max(0, BEAT_MS / speed - (Date.now() - started)))
  }

  const session: Session = {
    store,
    client,
    async open(document) {
      turn++
      set({ phase: 'opening', error: null, playing: false, selection: null, lastCommand: null, document })
      await guarded(async () => {
        await client.request('open', { document, version: PROTOCOL_VERSION })
        set({ phase: 'ready' })
      }, undefined)
    },
    async step(count, size) {
      session.pause()
      return (await guarded(() => client.request('step', { size: size ?? get().stepSize, count }), { moved: false })).moved
    },
    async seek(to) {
      session.pause()
      await guarded(() => client.request('seek', to), { index: 0 })
    },
    first: () => session.seek({ index: 0 }),
    last: () => session.seek({ index: get().length }),
    play() {
      if (get().playing) return
      turn++
      set({ playing: true })
      void playOn()
    },
    pause() {
      turn++
      clearTimeout(beat)
      if (get().playing) set({ playing: false })
    },
    setSpeed: (speed) => set({ speed: Math.min(16, Math.max(1 / 16, speed)) }),
    setStepSize(stepSize) {
      set({ stepSize })
      // A step of no steps: the worker counts positions by the new size.
      if (get().phase === 'ready') void guarded(() => client.request('step', { size: stepSize, count: 0 }), { moved: false })
    },
    async runUntilQuiet() {
      session.pause()
      await guarded(() => client.request('runUntil', { until: 'quiet' }), { reached: false })
    },
    async letPass(ms) {
      session.pause()
      await guarded(() => client.request('runUntil', { until: { forMs: ms } }), { reached: false })
    },
    async jump(direction, filter = {}) {
      session.pause()
      return (await guarded(() => client.request('jump', { direction, ...filter }), { found: false })).found
    },
    async command(command, { thenPlay = false } = {}) {
      session.pause()
      const mine = turn
      const result = await guarded(() => client.request('command', { command }), { ok: false, lines: [] } as CommandResult)
      set({ lastCommand: { command, result } })
      if (thenPlay && result.ok && mine === turn) session.play()
      return result
    },
    select: (selection) => set({ selection }),
    async switchBranch(id) {
      session.pause()
      await guarded(() => client.request('branch', { switchTo: id }), { branches: [] })
    },
    async renameBranch(id, name) {
      const { branches } = await guarded(() => client.request('branch', { rename: { id, name } }), { branches: get().branches })
      set({ branches })
    },
  }
  return session
}

export function applyUpdate(state: SessionState, update: Update): Partial<SessionState> {
  const { scene } = update
  const changed = scene.reset || scene.changed.length > 0 || scene.removed.length > 0
  let elements = state.elements
  if (changed) {
    const next = new Map(scene.reset ? [] : state.elements)
    for (const element of scene.changed) next.set(element.id, element)
    for (const id of scene.removed) next.delete(id)
    elements = next
  }
  const active = new Set<string>(update.flights.flatMap((f) => [f.from, f.to]))
  if (update.caption) active.add(update.caption.actorElement)
  return {
    elements,
    active,
    sceneVersion: changed ? state.sceneVersion + 1 : state.sceneVersion,
    flights: update.flights,
    caption: update.caption,
    marks: update.timeline.reset
      ? update.timeline.marks
      : update.timeline.marks.length > 0
        ? [...state.marks, ...update.timeline.marks]
        : state.marks,
    timelineEnd: update.timeline.end,
    cursor: update.cursor,
    length: update.length,
    records: update.records,
    recordsKnown: update.recordsKnown,
    position: update.position,
    now: update.now,
    idleMs: update.idleMs,
    quiet: update.quiet,
    branches: update.branches,
    step: state.step + 1,
  }
}

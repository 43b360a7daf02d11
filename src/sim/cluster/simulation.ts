// Joins kernel, history and network into one running simulation. Knows no component by name.
import { canonical } from '../engine/digest.ts'
import { type BranchInfo, History, type HistoryOptions } from '../engine/history.ts'
import { Kernel } from '../engine/kernel.ts'
import type { ComponentId, Delivery, Input, Process, Step, StepContext, Table, TimerOptions } from '../engine/types.ts'
import type { ObjectRef } from '../api/types/object.ts'
import type { ComponentType, Context } from '../net/context.ts'
import { Network } from '../net/network.ts'
import type { CallOptions, MessageLook } from '../net/types.ts'
import { TRACE_LEVELS, type TraceData, type TraceKind } from '../trace/kinds.ts'
import type { TraceRecord } from '../trace/record.ts'

export interface SimulationOptions extends HistoryOptions {
  seed: number
  types: readonly ComponentType[]
  /** One line that names the scenario; part of every crash report. */
  scenario?: string
}

/** A broken invariant or a runaway chain. The message is one line that reproduces it. */
export class SimulationCrash extends Error {
  constructor(
    message: string,
    readonly report: string,
  ) {
    super(message)
    this.name = 'SimulationCrash'
  }
}

export type Until =
  | { kind: 'quiet' }
  | { kind: 'time'; at: number }
  | { kind: 'trace'; matches: (record: TraceRecord) => boolean }
  | { kind: 'predicate'; holds: () => boolean }

interface Current {
  process: Process
  cause: number
  background: boolean
}

export class Simulation {
  readonly kernel: Kernel<TraceRecord>
  readonly history: History<TraceRecord>
  readonly network: Network
  private readonly types: ReadonlyMap<string, ComponentType>
  private readonly processes: Table<Process>
  private readonly timers: Table<number>
  private readonly contexts = new Map<ComponentId, Context>()
  private current: Current | undefined
  private readonly options: SimulationOptions

  constructor(options: SimulationOptions) {
    this.options = options
    this.kernel = new Kernel<TraceRecord>(options.seed)
    this.types = new Map(options.types.map((t) => [t.type, t]))
    this.processes = this.kernel.table('engine/processes')
    this.timers = this.kernel.table('engine/timers')
    const { kernel } = this
    this.network = new Network({
      table: (name) => kernel.table(name),
      now: () => kernel.now,
      seed: options.seed,
      process: (id) => this.processes.get(id),
      schedule: (delayMs, kind, payload, cause) => {
        const background = kind === 'net.call.deadline' || kind === 'net.call.silent' || (this.current?.background ?? false)
        kernel.schedule({ at: kernel.now + delayMs, target: 'net', kind, payload, cause, incarnation: 0, background })
      },
      dispatch: (to, delivery) => this.dispatch(to, delivery),
      record: (actor, kind, data, cause) => this.record(actor, kind, data, cause),
    })
    this.history = new History<TraceRecord>(
      { kernel, deliverNext: () => this.deliverNext(), deliverInput: (input) => this.deliverInput(input) },
      options,
    )
  }

  get now(): number {
    return this.kernel.now
  }

  /** Trace records up to the present moment. */
  records(): readonly TraceRecord[] {
    return this.kernel.trace.length === this.kernel.records ? this.kernel.trace : this.kernel.trace.slice(0, this.kernel.records)
  }

  process(id: ComponentId): Process | undefined {
    return this.processes.get(id)
  }

  processList(): Process[] {
    return this.processes.values()
  }

  /** A component's table, for looking from outside (inspector, checkers). Never write to it. */
  peek<V>(id: ComponentId, name: string): Table<V> {
    return this.kernel.table(`${id}/${name}`)
  }

  /** Something from outside, now. In the past this starts a new branch. */
  input(input: Omit<Input, 'at'>): void {
    this.guard(() => this.history.input({ at: this.kernel.now, ...input }))
  }

  /** One step; false when nothing is pending. */
  step(): boolean {
    return this.guard(() => this.history.forward())
  }

  back(): boolean {
    return this.guard(() => this.history.backward())
  }

  seek(index: number): number {
    return this.guard(() => this.history.seek(index))
  }

  /** Runs all steps up to and including virtual time `at`. */
  runToTime(at: number, maxSteps = Number.POSITIVE_INFINITY): number {
    let steps = 0
    while (steps < maxSteps) {
      const next = this.nextAt()
      if (next === undefined || next > at || !this.step()) break
      steps++
    }
    return steps
  }

  /** Runs until the condition holds (checked after every step) or `maxSteps`; false if it never did. */
  runUntil(until: Until, maxSteps = 2_000_000): boolean {
    for (let i = 0; i < maxSteps; i++) {
      if (until.kind === 'quiet' && this.isQuiet()) return true
      if (until.kind === 'predicate' && until.holds()) return true
      if (until.kind === 'time') {
        const next = this.nextAt()
        if (next === undefined || next > until.at) return true
      }
      const before = this.kernel.records
      if (!this.step()) return until.kind === 'quiet'
      if (until.kind === 'trace')
        for (let r = before; r < this.kernel.records; r++) if (until.matches(this.kernel.trace[r] as TraceRecord)) return true
    }
    return false
  }

  /** Only periodic work is pending: leases, node status, probes, resyncs. */
  isQuiet(): boolean {
    return this.kernel.agenda.foreground === 0
  }

  /** Virtual time of the next step (known future included). */
  nextAt(): number | undefined {
    const { history } = this
    if (history.cursor < history.length) return history.timeAt(history.cursor + 1)
    return this.kernel.agenda.peek()?.at
  }

  /** What would happen: `body` may send inputs and step; afterwards everything is as before. */
  sandbox<T>(body: () => T): T {
    return this.guard(() => this.history.sandbox(body))
  }

  branches(): BranchInfo[] {
    return this.history.branches()
  }

  stateDigest(): string {
    return this.kernel.stateDigest()
  }

  traceDigest(): string {
    return this.kernel.traceDigest()
  }

  private deliverNext(): boolean {
    const step = this.kernel.agenda.peek()
    if (!step) return false
    this.kernel.take(step)
    if (step.target === 'net') {
      this.withCurrent(NETWORK, step.cause, step.background, () => this.network.handle(step.kind, step.payload, step.cause))
      return true
    }
    const process = this.processes.get(step.target)
    if (!process?.running || (step.incarnation !== 0 && step.incarnation !== process.incarnation)) return true
    this.clearTimer(step)
    this.handle(process, step.kind, step.payload, { kind: step.kind, cause: step.cause }, step.background)
    return true
  }

  private deliverInput(input: Input): void {
    this.kernel.setNow(input.at)
    const summary = (input.payload as { summary?: unknown } | null)?.summary
    const cause = this.record('you', 'visitor.input', { what: input.kind, summary: typeof summary === 'string' ? summary : input.kind }, 0)
    const process = this.processes.get(input.target)
    if (!process) throw new Error(`input for unknown component ${input.target}`)
    this.kernel.schedule({
      at: input.at,
      target: input.target,
      kind: input.kind,
      payload: input.payload,
      cause,
      incarnation: 0,
      background: false,
    })
  }

  private handle(process: Process, kind: string, payload: unknown, delivery: Delivery, background: boolean): void {
    const type = this.types.get(process.type)
    if (!type) throw new Error(`unknown component type ${process.type}`)
    this.withCurrent(process, delivery.cause, background, () => {
      const context = this.contextOf(process.id)
      if (kind === 'engine.start') type.start?.(context)
      else {
        const handler = Object.hasOwn(type.handlers, kind) ? type.handlers[kind] : undefined
        if (!handler) {
          if (kind === 'net.closed') return
          throw new Error(`${process.type} has no handler for ${kind}`)
        }
        handler(context, payload as never, delivery)
      }
    })
  }

  private dispatch(to: ComponentId, d: { kind: string; payload: unknown; from?: ComponentId; call?: number; cause: number }): void {
    const process = this.processes.get(to)
    if (!process?.running) return
    const delivery: Delivery = {
      kind: d.kind,
      cause: d.cause,
      ...(d.from === undefined ? {} : { from: d.from }),
      ...(d.call === undefined ? {} : { call: d.call }),
    }
    this.handle(process, d.kind, d.payload, delivery, this.current?.background ?? false)
  }

  private withCurrent(process: Process, cause: number, background: boolean, body: () => void): void {
    const outer = this.current
    this.current = { process, cause, background }
    try {
      body()
    } finally {
      this.current = outer
    }
  }

  private record<K extends TraceKind>(actor: ComponentId, kind: K, data: TraceData[K], cause: number, subject?: ObjectRef): number {
    const seq = this.kernel.records + 1
    this.kernel.append({
      seq,
      at: this.kernel.now,
      actor,
      kind,
      ...(subject ? { subject } : {}),
      cause,
      level: TRACE_LEVELS[kind],
      ...(this.current?.background ? { background: true as const } : {}),
      data,
    })
    return seq
  }

  private startProcess(p: { id: ComponentId; type: string; host: string; config: unknown }, cause: number): void {
    const before = this.processes.get(p.id)
    if (before?.running) return
    const incarnation = (before?.incarnation ?? 0) + 1
    const parent = this.current?.process.id
    this.processes.put(p.id, {
      id: p.id,
      type: p.type,
      host: p.host,
      config: p.config,
      running: true,
      incarnation,
      ...(parent === undefined ? {} : { parent }),
    })
    const record = this.record(p.id, 'process.started', { process: p.id, type: p.type, host: p.host, incarnation }, cause)
    this.kernel.schedule({
      at: this.kernel.now,
      target: p.id,
      kind: 'engine.start',
      payload: undefined,
      cause: record,
      incarnation,
      background: false,
    })
  }

  private stopProcess(id: ComponentId, why: string, cause: number): void {
    const process = this.processes.get(id)
    if (!process?.running) return
    this.processes.put(id, { ...process, running: false })
    const record = this.record(id, 'process.stopped', { process: id, type: process.type, host: process.host, why }, cause)
    const durable = new Set((this.types.get(process.type)?.durable ?? []).map((name) => `${id}/${name}`))
    for (const name of this.kernel.tableNames()) if (name.startsWith(`${id}/`) && !durable.has(name)) this.kernel.table(name).clear()
    for (const key of this.timers.keysWithPrefix(`${id} `)) {
      this.kernel.unschedule(this.timers.get(key) as number)
      this.timers.delete(key)
    }
    this.network.processStopped(id, record)
    const parent = process.parent === undefined ? undefined : this.processes.get(process.parent)
    const told =
      parent?.running &&
      parent.id !== this.current?.process.id &&
      Object.hasOwn(this.types.get(parent.type)?.handlers ?? {}, 'process.exited')
    if (told)
      this.kernel.schedule({
        at: this.kernel.now,
        target: parent.id,
        kind: 'process.exited',
        payload: { id, code: 137 },
        cause: record,
        incarnation: parent.incarnation,
        background: false,
      })
  }

  /** The cluster is as its builder wants it: here the visitor's history begins. What happened before cannot be reached again. */
  baseline(): void {
    this.history.rebase()
  }

  /** For whoever builds a cluster, before baseline(). */
  boot(p: { id: ComponentId; type: string; host: string; config: unknown }): void {
    this.startProcess(p, 0)
  }

  private clearTimer(step: Step): void {
    const key = (step as { timer?: string }).timer
    if (key !== undefined) this.timers.delete(key)
  }

  private contextOf(id: ComponentId): Context {
    let context = this.contexts.get(id)
    if (!context) {
      context = this.makeContext(id)
      this.contexts.set(id, context)
    }
    return context
  }

  private makeContext(id: ComponentId): Context {
    const sim = this
    const { kernel } = this
    const current = (): Current => {
      if (sim.current?.process.id !== id) throw new Error(`${id} acted outside its own step`)
      return sim.current
    }
    const schedule = (delayMs: number, kind: string, payload: unknown, background: boolean, timer?: string): number => {
      const { process, cause } = current()
      return kernel.schedule({
        at: kernel.now + Math.max(0, delayMs),
        target: id,
        kind,
        payload,
        cause,
        incarnation: process.incarnation,
        background,
        ...(timer ? { timer } : {}),
      } as never)
    }
    const timerKey = (key: string): string => `${id} ${key}`
    // Tables live as long as the kernel; looking one up by its full name for every use is what most of a step would cost.
    const tables = new Map<string, Table<unknown>>()
    const base: StepContext = {
      self: id,
      get host() {
        return current().process.host
      },
      get config() {
        return current().process.config
      },
      get now() {
        return kernel.now
      },
      table: <V>(name: string) => {
        let table = tables.get(name)
        if (!table) {
          table = kernel.table(`${id}/${name}`)
          tables.set(name, table)
        }
        return table as Table<V>
      },
      setTimer(key: string, delayMs: number, kind: string, payload: unknown = null, options: TimerOptions = {}) {
        const full = timerKey(key)
        const old = sim.timers.get(full)
        if (old !== undefined) kernel.unschedule(old)
        sim.timers.put(full, schedule(delayMs, kind, payload, options.periodic ?? current().background, full))
      },
      cancelTimer(key) {
        const old = sim.timers.get(timerKey(key))
        if (old === undefined) return
        kernel.unschedule(old)
        sim.timers.delete(timerKey(key))
      },
      hasTimer: (key) => sim.timers.has(timerKey(key)),
      next: (kind, payload = null) => void schedule(0, kind, payload, current().background),
      get background() {
        return current().background
      },
      foreground() {
        current().background = false
      },
      random: (stream) => kernel.random(stream ? `${id}/${stream}` : id),
    }
    // The getters must survive, hence defineProperties instead of a spread.
    const context = Object.defineProperties({}, Object.getOwnPropertyDescriptors(base)) as Context
    const net: Pick<
      Context,
      | 'record'
      | 'because'
      | 'resume'
      | 'call'
      | 'reply'
      | 'push'
      | 'hangUp'
      | 'send'
      | 'startProcess'
      | 'stopProcess'
      | 'setLink'
      | 'setHostUp'
    > = {
      record: <K extends TraceKind>(kind: K, data: TraceData[K], subject?: ObjectRef) =>
        sim.record(id, kind, data, current().cause, subject),
      because(record) {
        current().cause = record
      },
      resume(work) {
        current().cause = work.cause
        current().background = work.background
      },
      call: (to: ComponentId, kind: string, payload: unknown, options: CallOptions) =>
        sim.network.open(id, to, kind, payload, options, current().cause),
      reply: (call, payload, look = {}) => sim.network.answer(id, call, 'response', payload, look, current().cause),
      push: (call: number, payload: unknown, look: MessageLook) => sim.network.answer(id, call, 'chunk', payload, look, current().cause),
      hangUp: (call) => sim.network.hangUp(id, call, current().cause),
      send: (to, kind, payload, look) => sim.network.datagram(id, to, kind, payload, look, current().cause),
      startProcess: (p) => sim.startProcess(p, current().cause),
      setLink: (a, b, change) => sim.network.setLink(a, b, change, current().cause),
      setHostUp: (host, up) => {
        // The network first: a machine without power says nothing to anybody.
        if (!up) sim.network.setHostUp(host, false, current().cause)
        if (!up) for (const p of sim.processList()) if (p.host === host) sim.stopProcess(p.id, 'power off', current().cause)
        if (up) sim.network.setHostUp(host, true, current().cause)
      },
      stopProcess: (target, why) => sim.stopProcess(target, why, current().cause),
    }
    Object.defineProperty(context, 'cause', { get: () => current().cause, enumerable: true })
    return Object.assign(context, net)
  }

  private guard<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      if (error instanceof SimulationCrash) throw error
      const message = error instanceof Error ? error.message : String(error)
      const report = canonical({
        crash: message,
        at: this.kernel.now,
        step: this.history.cursor,
        seed: this.options.seed,
        scenario: this.options.scenario ?? '',
        inputs: this.history.inputs(),
      })
      throw Object.assign(new SimulationCrash(message, report), { cause: error })
    }
  }
}

const NETWORK: Process = { id: 'net', type: 'net', host: '', config: null, running: true, incarnation: 1 }

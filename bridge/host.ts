// Hosts one simulation: carries requests to its door, moves its clock, hands on what its open streams bring.
// Everything that moves the simulation goes through one queue, so that a long advance and a request never interleave.
import type { HttpRequest, HttpResponse, StreamChunk } from '../src/sim/api/http.ts'
import { chunkKey, DOOR, type DoorRequest, type StreamState } from '../src/sim/cluster/door.ts'
import type { Simulation } from '../src/sim/cluster/simulation.ts'
import { buildCluster } from './cluster.ts'
import type { ClockKind, ClusterChoice } from './options.ts'

export interface StreamListener {
  head(status: number, headers: HttpResponse['headers']): void
  chunk(chunk: Exclude<StreamChunk, { head: unknown }>): void
  /** The request failed before it streamed. */
  refused(response: HttpResponse): void
  end(): void
}

export interface OpenedStream {
  /** Everything that was due at once has been handed to the listener. */
  readonly opened: Promise<void>
  close(): void
}

export interface SimulationHost {
  readonly sim: () => Simulation
  readonly choice: () => ClusterChoice
  request(request: HttpRequest): Promise<HttpResponse>
  open(request: HttpRequest, listener: StreamListener): OpenedStream
  /** Virtual ms since the epoch afterwards. */
  advance(ms: number): Promise<number>
  reset(choice: ClusterChoice): Promise<void>
  /** Runs `look` when nothing else moves. */
  look<T>(look: (sim: Simulation) => T): Promise<T>
  stop(): void
}

interface Open {
  id: string
  readonly listener: StreamListener
  taken: number
  headed: boolean
}

/** A request that is not answered after this much virtual time never will be. */
const ANSWER_LIMIT_MS = 65_000
/** A stream's head is waited for this long; later it comes as the clock moves. */
const HEAD_LIMIT_MS = 200
/** Between a watch's head and its first events: the jitter of one message. */
const FIRST_EVENTS_MS = 1
/** Wall ms of stepping before others get a turn. */
const SLICE_MS = 40
const PUMP_MS = 50
/** Entries of history kept; the bridge never goes back further than to the beginning of a fresh cluster. */
const HISTORY_LIMIT = 150_000
/** Trace records kept. */
const TRACE_LIMIT = 400_000
/** Fresh clusters kept for resets that alternate. */
const KEPT_CLUSTERS = 4
const choiceKey = (c: ClusterChoice): string => `${c.profile} ${c.nodes} ${c.seed} ${c.proxyMode}`
const SPEED: Readonly<Record<ClockKind, number>> = { manual: 0, real: 1, x20: 20 }

export function createSimulationHost(first: ClusterChoice, clock: ClockKind, log: (line: string) => void): SimulationHost {
  let choice = first
  let sim = buildCluster(choice)
  /** Nothing was forgotten since the cluster was built: a reset to the same cluster is a step back. */
  let whole = true
  let traceFrom = 0
  let queue: Promise<unknown> = Promise.resolve()
  let stopped = false
  let nextId = 1
  let origin = { wall: performance.now(), virtual: sim.now }
  const streams = new Set<Open>()
  const fresh = new Map<string, Simulation>()

  const inTurn = <T>(work: () => T | Promise<T>): Promise<T> => {
    const turn = queue.then(work)
    queue = turn.catch(() => {})
    return turn
  }

  /** One step. A step that throws is taken off the agenda, as a server survives a panicking handler. */
  const step = (): boolean => {
    try {
      return sim.step()
    } catch (error) {
      const head = sim.kernel.agenda.peek()
      log(
        `a step failed: ${head?.target ?? ''} ${head?.kind ?? ''}: ${error instanceof Error ? `${error.message}\n${String((error.cause as Error | undefined)?.stack ?? error.stack)}` : String(error)}`,
      )
      if (!head) return false
      sim.kernel.unschedule(head.seq)
      whole = false
      return true
    }
  }

  const server = (): string =>
    sim.processList().find((p) => p.type === 'kube-apiserver' && p.running)?.id ??
    sim.processList().find((p) => p.type === 'kube-apiserver')?.id ??
    ''

  const send = (request: HttpRequest, stream: boolean): string => {
    const id = `bridge/${nextId++}`
    const payload: DoorRequest = { id, server: server(), request, stream, summary: `${request.method} ${request.path.split('?')[0]}` }
    sim.input({ target: DOOR, kind: 'door.request', payload })
    return id
  }

  /** Hands on what has come for the open streams. */
  const flush = (): void => {
    for (const open of [...streams]) flushOne(open)
  }
  const flushOne = (open: Open): void => {
    const state = sim.peek<StreamState>(DOOR, 'streams').get(open.id)
    if (!state) return
    const table = sim.peek<Exclude<StreamChunk, { head: unknown }> | { refused: object | string }>(DOOR, `stream/${open.id}`)
    if (!open.headed && state.status !== 0) {
      const first = table.get(chunkKey(0))
      open.headed = true
      if (first && 'refused' in first) {
        open.listener.refused({ status: state.status, headers: state.headers, body: first.refused })
        close(open)
        return
      }
      open.listener.head(state.status, state.headers)
    }
    const from = open.taken
    while (open.taken < state.events) {
      const chunk = table.get(chunkKey(open.taken++))
      if (chunk && !('refused' in chunk)) open.listener.chunk(chunk)
    }
    if (state.ended) {
      if (open.headed) open.listener.end()
      else open.listener.refused({ status: 0, headers: {}, body: 'the server went away' })
      close(open)
    } else if (open.taken > from) sim.input({ target: DOOR, kind: 'door.drained', payload: { id: open.id, from, to: open.taken } })
  }
  const close = (open: Open): void => {
    if (!streams.delete(open) || open.id === '') return
    sim.input({ target: DOOR, kind: 'door.close', payload: open.id })
  }

  const settleWithin = (ms: number): void => {
    const until = sim.now + ms
    while ((sim.nextAt() ?? Number.POSITIVE_INFINITY) <= until) if (!step()) return
  }

  const carryTo = async (until: number): Promise<void> => {
    if (until > sim.now) sim.input({ target: DOOR, kind: 'door.wait', payload: until - sim.now })
    let since = performance.now()
    while (!stopped) {
      const next = sim.nextAt()
      if (next === undefined || next > until || !step()) break
      if (performance.now() - since > SLICE_MS) {
        flush()
        await new Promise((resolve) => setImmediate(resolve))
        since = performance.now()
      }
    }
    flush()
    forget()
  }

  const forget = (): void => {
    if (sim.history.length > HISTORY_LIMIT) {
      sim.baseline()
      whole = false
    }
    const { trace, records } = sim.kernel
    if (records - traceFrom < TRACE_LIMIT * 1.25) return
    const keepFrom = records - TRACE_LIMIT
    for (let i = traceFrom; i < keepFrom; i++) trace[i] = undefined as never
    traceFrom = keepFrom
  }

  const target = (): number => origin.virtual + (performance.now() - origin.wall) * SPEED[clock]
  /** With a moving clock virtual time follows wall time; if the machine cannot keep up, the cluster runs slower. */
  const keepUp = async (): Promise<void> => {
    if (clock === 'manual') return
    const behind = target() - sim.now
    if (behind > 5000 * SPEED[clock]) origin = { wall: performance.now(), virtual: sim.now }
    else if (behind > 0) await carryTo(target())
  }
  let pumping = false
  const pump =
    clock === 'manual'
      ? undefined
      : setInterval(() => {
          if (pumping) return
          pumping = true
          void inTurn(keepUp).finally(() => {
            pumping = false
          })
        }, PUMP_MS)

  return {
    sim: () => sim,
    choice: () => choice,
    request: (request) =>
      inTurn(async () => {
        await keepUp()
        const answers = sim.peek<HttpResponse>(DOOR, 'answers')
        const id = send(request, false)
        const limit = sim.now + ANSWER_LIMIT_MS
        while (!answers.has(id)) {
          const next = sim.nextAt()
          if (next === undefined || next > limit || !step()) break
        }
        const answer = answers.get(id)
        if (answer) sim.input({ target: DOOR, kind: 'door.taken', payload: id })
        settleWithin(0)
        flush()
        forget()
        return answer ?? { status: 0, headers: {}, body: 'no answer' }
      }),
    open(request, listener) {
      const open: Open = { id: '', listener, taken: 0, headed: false }
      streams.add(open)
      const opened = inTurn(async () => {
        if (!streams.has(open)) return
        await keepUp()
        if (!streams.has(open)) return
        open.id = send(request, true)
        const limit = sim.now + HEAD_LIMIT_MS
        const table = sim.peek<StreamState>(DOOR, 'streams')
        for (;;) {
          const state = table.get(open.id)
          const next = sim.nextAt()
          if ((state?.status ?? 0) !== 0 || state?.ended || next === undefined || next > limit || !step()) break
        }
        // What is already there follows its head at once.
        settleWithin(FIRST_EVENTS_MS)
        flush()
      })
      opened.catch((error: unknown) => log(String(error)))
      return {
        opened,
        close() {
          if (!streams.has(open)) return
          if (open.id === '') streams.delete(open)
          else void inTurn(() => close(open))
        },
      }
    },
    advance: (ms) =>
      inTurn(async () => {
        await keepUp()
        const before = sim.now
        await carryTo(before + ms)
        origin = { ...origin, virtual: origin.virtual + ms }
        return Math.round(sim.now * 1000) / 1000
      }),
    reset: (next) =>
      inTurn(() => {
        for (const open of [...streams]) {
          streams.delete(open)
          open.listener.end()
        }
        if (whole) {
          sim.seek(0)
          sim.baseline()
          sim.kernel.trace.length = sim.kernel.records
          fresh.set(choiceKey(choice), sim)
        }
        const key = choiceKey(next)
        sim = fresh.get(key) ?? buildCluster(next)
        fresh.delete(key)
        for (const old of [...fresh.keys()].slice(0, -KEPT_CLUSTERS)) fresh.delete(old)
        choice = next
        whole = true
        traceFrom = 0
        nextId = 1
        origin = { wall: performance.now(), virtual: sim.now }
      }),
    look: (look) => inTurn(() => look(sim)),
    stop() {
      stopped = true
      if (pump) clearInterval(pump)
      for (const open of [...streams]) {
        streams.delete(open)
        open.listener.end()
      }
    },
  }
}

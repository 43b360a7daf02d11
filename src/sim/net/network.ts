// The simulated network: every message is a pending step; connections keep order, are refused when nobody listens,
// and carry on after a short cut, as TCP does. The only way from one component to another.
import { hash32, mix32 } from '../engine/random.ts'
import type { ComponentId, Process, Table } from '../engine/types.ts'
import type { TraceData, TraceKind } from '../trace/kinds.ts'
import {
  type Call,
  type CallOptions,
  type CallResult,
  DEFAULT_LINK,
  type Host,
  type Link,
  LOOPBACK_LATENCY_MS,
  type Message,
  type MessageLook,
  type NetError,
} from './types.ts'

/** A segment that finds the link lossy is sent again after this (Linux's minimum retransmission timeout). */
const RETRANSMIT_MS = 200
/** How long a silent peer goes unnoticed on an idle connection: HTTP/2 ping after 30 s, given up 15 s later (client-go's defaults). */
export const DEAD_PEER_MS = 45_000

/** What the network needs of the simulation that carries it. */
export interface Carrier {
  table<V>(name: string): Table<V>
  now(): number
  seed: number
  process(id: ComponentId): Process | undefined
  /** Schedules a delivery to the network itself. */
  schedule(delayMs: number, kind: string, payload: unknown, cause: number): void
  /** Runs a component's handler within the present step. */
  dispatch(to: ComponentId, delivery: { kind: string; payload: unknown; from?: ComponentId; call?: number; cause: number }): void
  record<K extends TraceKind>(actor: ComponentId, kind: K, data: TraceData[K], cause: number): number
}

export class Network {
  private readonly hosts: Table<Host>
  private readonly links: Table<Link>
  private readonly calls: Table<Call>
  /** Per direction between two processes: arrival of the last message, so that a connection keeps its order. */
  private readonly lastArrival: Table<number>
  /** Messages that wait for a cut link or a silent host, in order, by call. */
  private readonly held: Table<Message>
  private readonly counters: Table<number>

  constructor(private readonly carrier: Carrier) {
    this.hosts = carrier.table('net/hosts')
    this.links = carrier.table('net/links')
    this.calls = carrier.table('net/calls')
    this.lastArrival = carrier.table('net/last-arrival')
    this.held = carrier.table('net/held')
    this.counters = carrier.table('net/counters')
  }

  addHost(host: Host): void {
    this.hosts.put(host.name, host)
  }

  host(name: string): Host | undefined {
    return this.hosts.get(name)
  }

  hostList(): Host[] {
    return this.hosts.values()
  }

  link(a: string, b: string): Link {
    return this.links.get(pairKey(a, b)) ?? DEFAULT_LINK
  }

  setLink(a: string, b: string, change: Partial<Link>, cause: number): void {
    const next = { ...this.link(a, b), ...change }
    this.links.put(pairKey(a, b), next)
    this.carrier.record('net', 'net.link.changed', { a, b, cut: next.cut, latencyMs: next.latencyMs, lossPercent: next.lossPercent }, cause)
    if (next.cut) this.watchSilentCalls((call) => pairKey(this.hostOf(call.from), this.hostOf(call.to)) === pairKey(a, b), cause)
    else this.release(cause)
  }

  setHostUp(name: string, up: boolean, cause: number): void {
    const host = this.hosts.get(name)
    if (!host || host.up === up) return
    this.hosts.put(name, { ...host, up })
    this.carrier.record('net', 'net.host.changed', { host: name, up }, cause)
    if (up) this.release(cause)
    else this.watchSilentCalls((call) => this.hostOf(call.from) === name || this.hostOf(call.to) === name, cause)
  }

  open(from: ComponentId, to: ComponentId, kind: string, payload: unknown, options: CallOptions, cause: number): number {
    const id = this.count('call')
    this.calls.put(callKey(id), {
      id,
      from,
      fromIncarnation: this.carrier.process(from)?.incarnation ?? 0,
      to,
      toIncarnation: this.carrier.process(to)?.incarnation ?? 0,
      kind,
      then: options.then,
      summary: options.summary,
      flow: options.flow,
      stream: options.stream ?? false,
      cause,
    })
    if (options.timeoutMs !== undefined) this.carrier.schedule(options.timeoutMs, 'net.call.deadline', { call: id }, cause)
    this.transmit({ from, to, form: 'request', kind, payload, call: id, flow: options.flow, summary: options.summary }, cause)
    return id
  }

  answer(
    server: ComponentId,
    id: number,
    form: 'response' | 'chunk' | 'end',
    payload: unknown,
    look: Partial<MessageLook>,
    cause: number,
  ): void {
    const call = this.calls.get(callKey(id))
    if (!call || call.to !== server) return
    const { flow = call.flow, summary = call.summary, ok } = look
    this.transmit(
      { from: server, to: call.from, form, kind: call.then.kind, payload, call: id, flow, summary, ...(ok === undefined ? {} : { ok }) },
      cause,
    )
  }

  /** Either side gives the call up. The client's side is over at once; the server learns by a message. */
  hangUp(by: ComponentId, id: number, cause: number): void {
    const call = this.calls.get(callKey(id))
    if (!call) return
    if (by === call.to) {
      this.answer(by, id, 'end', undefined, { flow: 'control', summary: `close ${call.summary}` }, cause)
      return
    }
    this.forget(call)
    this.transmit(
      {
        from: call.from,
        to: call.to,
        form: 'end',
        kind: 'net.closed',
        payload: { call: id },
        flow: 'control',
        summary: `close ${call.summary}`,
      },
      cause,
    )
  }

  datagram(from: ComponentId, to: ComponentId, kind: string, payload: unknown, look: MessageLook, cause: number): void {
    this.transmit({ from, to, form: 'datagram', kind, payload, ...look }, cause)
  }

  /** A process ended: its open connections are reset (if its machine still runs; otherwise silence). */
  processStopped(id: ComponentId, cause: number): void {
    for (const call of this.calls.values()) {
      if (call.from === id) {
        this.forget(call)
        const server = this.carrier.process(call.to)
        if (server?.running)
          this.transmit(
            {
              from: id,
              to: call.to,
              form: 'end',
              kind: 'net.closed',
              payload: { call: call.id },
              flow: 'control',
              summary: `close ${call.summary}`,
            },
            cause,
          )
      } else if (call.to === id && this.hosts.get(this.hostOf(id))?.up)
        this.failLater(call, 'connection reset by peer', this.latency(call.to, call.from, call.id), cause)
    }
  }

  /** Handles the network's own steps. */
  handle(kind: string, payload: unknown, cause: number): void {
    if (kind === 'net.arrive') this.arrive(payload as Message, cause)
    else if (kind === 'net.call.deadline') {
      const call = this.calls.get(callKey((payload as { call: number }).call))
      if (call && !(call.stream && this.answered(call))) this.fail(call, 'i/o timeout', cause)
    } else if (kind === 'net.call.fail') {
      const { call: id, error } = payload as { call: number; error: NetError }
      const call = this.calls.get(callKey(id))
      if (call) this.fail(call, error, cause)
    } else if (kind === 'net.call.silent') {
      const call = this.calls.get(callKey((payload as { call: number }).call))
      if (!call) return
      if (this.reachable(call.from, call.to)) this.release(cause)
      else {
        this.fail(call, 'i/o timeout', cause)
        if (this.carrier.process(call.to)?.running)
          this.carrier.dispatch(call.to, { kind: 'net.closed', payload: { call: call.id }, from: call.from, cause })
      }
    } else throw new Error(`network: unknown step ${kind}`)
  }

  private transmit(part: Omit<Message, 'id' | 'sentAt' | 'toIncarnation'>, cause: number): void {
    const id = this.count('message')
    const now = this.carrier.now()
    const direction = `${part.from}>${part.to}`
    let arrivesAt = now + this.latency(part.from, part.to, id)
    if (part.form !== 'datagram') {
      arrivesAt = Math.max(arrivesAt, this.lastArrival.get(direction) ?? 0)
      this.lastArrival.put(direction, arrivesAt)
    }
    const call = part.call === undefined ? undefined : this.calls.get(callKey(part.call))
    const toIncarnation = part.form === 'datagram' || !call ? 0 : part.to === call.to ? call.toIncarnation : call.fromIncarnation
    const message: Message = { id, sentAt: now, toIncarnation, ...part }
    const record = this.carrier.record(
      part.from,
      'net.message.sent',
      {
        message: id,
        from: part.from,
        to: part.to,
        form: part.form,
        kind: part.kind,
        summary: part.summary,
        arrivesAt,
        ...(part.call === undefined ? {} : { call: part.call }),
        flow: part.flow,
        ...(part.ok === undefined ? {} : { ok: part.ok }),
      },
      cause,
    )
    this.carrier.schedule(arrivesAt - now, 'net.arrive', message, record)
  }

  private arrive(message: Message, cause: number): void {
    const lost = (why: TraceData['net.message.lost']['why']): void => {
      this.carrier.record(
        'net',
        'net.message.lost',
        { message: message.id, from: message.from, to: message.to, why, summary: message.summary },
        cause,
      )
    }
    if (!this.reachable(message.from, message.to)) {
      lost(this.link(this.hostOf(message.from), this.hostOf(message.to)).cut ? 'link cut' : 'host down')
      if (message.form === 'datagram' || message.call === undefined) return
      const call = this.calls.get(callKey(message.call))
      if (!call) return
      this.held.put(`${callKey(message.call)}/${callKey(message.id)}`, message)
      this.carrier.schedule(DEAD_PEER_MS, 'net.call.silent', { call: call.id }, cause)
      return
    }
    const target = this.carrier.process(message.to)
    const call = message.call === undefined ? undefined : this.calls.get(callKey(message.call))
    if (message.call !== undefined && !call) return // the client gave up
    if (!target?.running || (message.toIncarnation !== 0 && message.toIncarnation !== target.incarnation && message.form !== 'request')) {
      if (message.form === 'request' && call)
        this.failLater(call, 'connection refused', this.latency(message.to, message.from, message.id), cause)
      else lost('process not running')
      return
    }
    if (message.form === 'request' && call) {
      if (call.toIncarnation !== target.incarnation) this.calls.put(callKey(call.id), { ...call, toIncarnation: target.incarnation })
      this.carrier.dispatch(message.to, { kind: message.kind, payload: message.payload, from: message.from, call: call.id, cause })
    } else if (call && (message.form === 'response' || message.form === 'chunk' || message.form === 'end')) {
      if (message.form !== 'chunk') this.forget(call)
      else if (!this.answered(call)) this.counters.put(answeredKey(call.id), 1)
      const result =
        message.form === 'end'
          ? { form: 'end' as const, call: call.id, data: call.then.data }
          : { form: message.form, call: call.id, value: message.payload, data: call.then.data }
      this.carrier.dispatch(message.to, { kind: call.then.kind, payload: result, from: message.from, cause })
    } else this.carrier.dispatch(message.to, { kind: message.kind, payload: message.payload, from: message.from, cause })
  }

  private fail(call: Call, error: NetError, cause: number): void {
    this.forget(call)
    const client = this.carrier.process(call.from)
    const record = this.carrier.record(
      call.from,
      'net.call.failed',
      { call: call.id, from: call.from, to: call.to, error, summary: call.summary },
      cause,
    )
    if (!client?.running || client.incarnation !== call.fromIncarnation) return
    const result: CallResult = { form: 'error', call: call.id, error, data: call.then.data }
    this.carrier.dispatch(call.from, { kind: call.then.kind, payload: result, from: call.to, cause: record })
  }

  private failLater(call: Call, error: NetError, delayMs: number, cause: number): void {
    this.carrier.schedule(delayMs, 'net.call.fail', { call: call.id, error }, cause)
  }

  private forget(call: Call): void {
    this.calls.delete(callKey(call.id))
    this.counters.delete(answeredKey(call.id))
    for (const key of this.held.size === 0 ? [] : this.held.keysWithPrefix(`${callKey(call.id)}/`)) this.held.delete(key)
  }

  private answered(call: Call): boolean {
    return this.counters.has(answeredKey(call.id))
  }

  private watchSilentCalls(affects: (call: Call) => boolean, cause: number): void {
    for (const call of this.calls.values())
      if (affects(call)) this.carrier.schedule(DEAD_PEER_MS, 'net.call.silent', { call: call.id }, cause)
  }

  /** The way is free again: what the kernels kept is sent once more, each connection in its order. */
  private release(cause: number): void {
    for (const [key, message] of this.held.entries()) {
      if (!this.reachable(message.from, message.to)) continue
      this.held.delete(key)
      this.carrier.schedule(RETRANSMIT_MS, 'net.arrive', message, cause)
    }
  }

  private reachable(from: ComponentId, to: ComponentId): boolean {
    const a = this.hostOf(from)
    const b = this.hostOf(to)
    return (this.hosts.get(a)?.up ?? false) && (this.hosts.get(b)?.up ?? false) && (a === b || !this.link(a, b).cut)
  }

  /** A process that was never started has the address of its machine all the same: connecting to it is refused there, not lost. */
  private hostOf(id: ComponentId): string {
    return this.carrier.process(id)?.host ?? id.slice(id.indexOf('/') + 1)
  }

  /** Jitter is a hash of the message's number, so that it needs no state: up to ±25 %. */
  private latency(from: ComponentId, to: ComponentId, id: number): number {
    const a = this.hostOf(from)
    const b = this.hostOf(to)
    if (a === b) return LOOPBACK_LATENCY_MS
    const link = this.link(a, b)
    const roll = mix32(this.carrier.seed ^ hash32(from), id) / 4294967296
    const base = link.latencyMs * (0.75 + roll / 2)
    const lossy = link.lossPercent > 0 && (mix32(id, this.carrier.seed) % 10_000) / 100 < link.lossPercent
    return Math.round((base + (lossy ? RETRANSMIT_MS : 0)) * 1000) / 1000
  }

  private count(name: string): number {
    const n = (this.counters.get(name) ?? 0) + 1
    this.counters.put(name, n)
    return n
  }
}

const pairKey = (a: string, b: string): string => (a < b ? `${a}|${b}` : `${b}|${a}`)
const callKey = (id: number): string => String(id).padStart(10, '0')
const answeredKey = (id: number): string => `answered/${id}`

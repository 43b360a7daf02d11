// The visitor's requests with everything their packets met: every hop and the rule that matched, read from the trace.
import type { TraceRecord } from '../sim/trace/record.ts'
import { explain } from './explain/index.ts'
import { elementOf } from './names.ts'
import type { World } from './world.ts'

export interface TrafficHop {
  readonly record: number
  /** Virtual ms since the request was sent. */
  readonly after: number
  readonly kind: 'sent' | 'rule' | 'routed' | 'delivered' | 'dropped' | 'name' | 'answered' | 'failed'
  /** Machine, pod or person at which it happened. */
  readonly at: string
  readonly title: string
  /** The rule, the route or the reason. */
  readonly detail: string
}

export interface TrafficRequest {
  readonly record: number
  readonly summary: string
  readonly outcome: 'under way' | 'answered' | 'failed'
  readonly result: string
  readonly body: string
  readonly hops: readonly TrafficHop[]
}

const HOPS: Readonly<Record<string, TrafficHop['kind']>> = {
  'packet.sent': 'sent',
  'packet.rule.matched': 'rule',
  'packet.routed': 'routed',
  'packet.delivered': 'delivered',
  'packet.dropped': 'dropped',
  'dns.query.answered': 'name',
  'request.answered': 'answered',
  'request.failed': 'failed',
}

/** Requests shown, newest first. */
const SHOWN = 8

export function trafficOf(world: World, from: number): TrafficRequest[] {
  const asked: TraceRecord[] = []
  const hops = new Map<number, TraceRecord[]>()
  /** Record → the request that it goes back to. */
  const root = new Map<number, number>()
  for (let i = from; i < world.records.length; i++) {
    const record = world.records[i] as TraceRecord
    if (record.kind === 'visitor.input') {
      if ((record.data as { what: string }).what !== 'client.request') continue
      asked.push(record)
      root.set(record.seq, record.seq)
      hops.set(record.seq, [])
      continue
    }
    const request = root.get(record.cause)
    if (request === undefined) continue
    root.set(record.seq, request)
    if (Object.hasOwn(HOPS, record.kind)) hops.get(request)?.push(record)
  }
  return asked
    .slice(-SHOWN)
    .reverse()
    .map((request) => toRequest(world, request, hops.get(request.seq) ?? []))
}

function toRequest(world: World, request: TraceRecord, records: readonly TraceRecord[]): TrafficRequest {
  const end = records.find((r) => r.kind === 'request.answered' || r.kind === 'request.failed')
  const {
    status = 0,
    body = '',
    error = '',
    by = '',
  } = (end?.data ?? {}) as { status?: number; body?: string; error?: string; by?: string }
  return {
    record: request.seq,
    summary: (request.data as { summary: string }).summary,
    outcome: !end ? 'under way' : end.kind === 'request.answered' ? 'answered' : 'failed',
    result: !end ? '' : end.kind === 'request.answered' ? (status === 0 ? `connected to ${by}` : `HTTP ${status} from ${by}`) : error,
    body,
    hops: records.map((record) => {
      const { title, because } = explain(record, world)
      return {
        record: record.seq,
        after: record.at - request.at,
        kind: HOPS[record.kind] as TrafficHop['kind'],
        at: placeOf(record),
        title,
        detail: because,
      }
    }),
  }
}

function placeOf(record: TraceRecord): string {
  const data = record.data as { node?: string; from?: string; at?: string; pod?: string; by?: string }
  return data.node ?? data.at ?? data.pod ?? data.from ?? data.by ?? elementOf(record.actor)
}

import type { TraceLevel } from '../record.ts'

/** Messages between processes. `message` numbers them; `summary` names the content in a few words (`POST pods`, `watch MODIFIED pods/web-1`). */
export interface NetTrace {
  'net.message.sent': {
    message: number
    from: string
    to: string
    /** request and response of a call, chunk of a stream, end of a stream, datagram (raft, packets). */
    form: 'request' | 'response' | 'chunk' | 'end' | 'datagram'
    kind: string
    summary: string
    arrivesAt: number
    call?: number
    /** What the picture shows of it: how it looks and how it ended. */
    flow: 'read' | 'write' | 'watch' | 'raft' | 'data' | 'control'
    ok?: boolean
  }
  'net.message.lost': {
    message: number
    from: string
    to: string
    why: 'link cut' | 'host down' | 'packet loss' | 'process not running'
    summary: string
  }
  'net.call.failed': { call: number; from: string; to: string; error: string; summary: string }
  'net.link.changed': { a: string; b: string; cut: boolean; latencyMs: number; lossPercent: number }
  'net.host.changed': { host: string; up: boolean }
}

export const netLevels: Record<keyof NetTrace, TraceLevel> = {
  'net.message.sent': 'wire',
  'net.message.lost': 'detail',
  'net.call.failed': 'detail',
  'net.link.changed': 'story',
  'net.host.changed': 'story',
}

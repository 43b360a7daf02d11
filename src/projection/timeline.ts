// Trace record → mark of a lane. Background work (leases, quiet probes) leaves no mark.
import type { TraceRecord } from '../sim/trace/record.ts'
import { elementOf } from './names.ts'
import type { Lane, TimelineMark } from './scene.ts'

/** A node that a filter rejects is no trouble as long as another one fits. */
const BAD = /failed|denied|(?<!filter\.)rejected|lost|unschedulable|backoff|dropped|stopped/i

export function laneOf(record: TraceRecord): Lane {
  const { kind, actor } = record
  if (kind === 'visitor.input') return 'you'
  if (kind.startsWith('packet.') || kind.startsWith('request.') || kind.startsWith('dns.')) return 'traffic'
  const [type = ''] = actor.split('/')
  switch (type) {
    case 'you':
    case 'kubectl':
    case 'kubeadm':
    case 'door':
    case 'fault-injector':
      return 'you'
    case 'kube-apiserver':
      return 'apiserver'
    case 'etcd':
      return 'etcd'
    case 'kube-controller-manager':
      return 'controllers'
    case 'kube-scheduler':
      return 'scheduler'
    case 'client':
    case 'coredns':
      return 'traffic'
    default:
      return 'kubelets'
  }
}

/** Times are virtual ms since the visitor's history began. */
export function markOf(record: TraceRecord, startedAt: number): TimelineMark | undefined {
  if (record.background || record.subject?.kind === 'Event') return undefined
  const isMessage = record.kind === 'net.message.sent'
  if (record.level !== 'story' && !isMessage && !BAD.test(record.kind)) return undefined
  const from = record.at - startedAt
  const data = record.data as { arrivesAt?: number; summary?: string; what?: string; durationMs?: number }
  if (isMessage && (record.data as { flow: string }).flow === 'raft') return undefined
  const to = data.arrivesAt !== undefined ? data.arrivesAt - startedAt : data.durationMs !== undefined ? from + data.durationMs : from
  const fault = record.kind === 'net.link.changed' || record.kind === 'net.host.changed' || record.kind === 'process.stopped'
  return {
    record: record.seq,
    lane: laneOf(record),
    from,
    to,
    tone: record.kind === 'visitor.input' ? 'command' : fault ? 'fault' : BAD.test(record.kind) ? 'error' : 'normal',
    label: data.summary ?? data.what ?? `${elementOf(record.actor).replace('component:', '')}: ${record.kind}`,
  }
}

// The walk up the causes: from a record back to what the visitor did.
import type { ObjectRef } from '../sim/api/types/object.ts'
import type { TraceRecord } from '../sim/trace/record.ts'
import type { World } from './world.ts'

/** A chain longer than this is cut at its newest links. */
const MAX_LINKS = 200

/** Newest first. Links that only carry (the delivery of a message that the one before explains) are left out unless they begin or end the chain. */
export function causesOf(world: World, from: number): TraceRecord[] {
  const chain: TraceRecord[] = []
  let next = from
  const seen = new Set<number>()
  while (next > 0 && chain.length < MAX_LINKS && !seen.has(next)) {
    const record = world.records[next - 1]
    if (!record) break
    seen.add(next)
    chain.push(record)
    next = record.cause
  }
  return chain.filter((record, i) => i === 0 || i === chain.length - 1 || worthTelling(record))
}

function worthTelling(record: TraceRecord): boolean {
  if (record.level === 'story') return true
  switch (record.kind) {
    case 'net.message.sent': {
      const { flow, form } = record.data as { flow: string; form: string }
      return flow === 'watch' ? form === 'chunk' : flow === 'write' && form === 'request'
    }
    case 'controller.queue.added':
    case 'scheduler.cycle.started':
    case 'scheduler.bind.requested':
    case 'controller.reconcile.started':
    case 'kubelet.pod.actions':
    case 'probe.result':
      return true
    default:
      return false
  }
}

/** The newest record about an object, 0 if there is none. */
export function newestRecordOf(world: World, ref: ObjectRef): number {
  for (let i = world.records.length - 1; i >= 0; i--) {
    const { subject } = world.records[i] as TraceRecord
    if (subject && subject.kind === ref.kind && subject.name === ref.name && subject.namespace === ref.namespace) return i + 1
  }
  return 0
}

// Which records a step stops at. Background work (leases, probes that changed nothing) never counts.
import type { StepSize } from '../protocol/messages.ts'
import type { Kernel } from '../sim/engine/kernel.ts'
import type { TraceRecord } from '../sim/trace/record.ts'

/** One pass of a controller, a scheduling attempt, a sync of a kubelet: where a component finished thinking. */
const RECONCILES = /^(controller\.reconcile\.finished|scheduler\.(pod\.assumed|pod\.unschedulable|scored)|kubelet\.pod\.sync|kubelet\.sync|proxy\.rules)/

export function isMoment(record: TraceRecord, size: StepSize): boolean {
  if (record.background) return false
  // Events tell what happened; that it was told is no milestone of its own.
  if (size !== 'message' && record.subject?.kind === 'Event') return false
  switch (size) {
    case 'message':
      return record.kind === 'net.message.sent' || record.level === 'story'
    case 'reconcile':
      return record.kind !== 'etcd.txn.applied' && (record.level === 'story' || RECONCILES.test(record.kind))
    case 'milestone':
      return record.level === 'story' && record.kind !== 'etcd.txn.applied'
  }
}

/** Counts moments for the "N of M" read-out; keeps what it counted while the trace only grows. */
export function createMoments(firstRecord: number) {
  const seqs: Record<StepSize, number[]> = { message: [], reconcile: [], milestone: [] }
  let counted = firstRecord
  let trace: readonly TraceRecord[] | undefined

  return {
    position(size: StepSize, kernel: Kernel<TraceRecord>): { index: number; of: number } {
      if (trace !== kernel.trace || counted > kernel.trace.length) {
        trace = kernel.trace
        counted = firstRecord
        for (const list of Object.values(seqs)) list.length = 0
      }
      for (; counted < kernel.trace.length; counted++) {
        const record = kernel.trace[counted] as TraceRecord
        for (const s of ['message', 'reconcile', 'milestone'] as const) if (isMoment(record, s)) seqs[s].push(record.seq)
      }
      const list = seqs[size]
      let low = 0
      let high = list.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((list[middle] as number) <= kernel.records) low = middle + 1
        else high = middle
      }
      return { index: low, of: list.length }
    },
  }
}

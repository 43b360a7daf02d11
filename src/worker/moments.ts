// Which records a step stops at. Background work (leases, probes that changed nothing) never counts.
import type { StepSize } from '../protocol/messages.ts'
import type { Kernel } from '../sim/engine/kernel.ts'
import type { TraceRecord } from '../sim/trace/record.ts'

/** One pass of a controller, a scheduling attempt, a sync of a kubelet: where a component finished thinking. */
const RECONCILES =
  /^(controller\.reconcile\.finished|scheduler\.(pod\.assumed|pod\.unschedulable|scored)|kubelet\.pod\.sync|kubelet\.sync|proxy\.rules)/

const STEP_SIZES = ['message', 'reconcile', 'milestone'] as const

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

/** What leaves or happens in one entry of the history is one moment, told by its first record. Counts moments for the "N of M" read-out; keeps what it counted while the trace only grows. */
export function createMoments(firstRecord: number) {
  const seqs: Record<StepSize, number[]> = { message: [], reconcile: [], milestone: [] }
  let counted = firstRecord
  let trace: readonly TraceRecord[] | undefined
  const last: Record<StepSize, number> = { message: -1, reconcile: -1, milestone: -1 }

  return {
    position(size: StepSize, kernel: Kernel<TraceRecord>, entryOf: (seq: number) => number): { index: number; of: number } {
      if (trace !== kernel.trace || counted > kernel.trace.length) {
        trace = kernel.trace
        counted = firstRecord
        for (const s of STEP_SIZES) {
          seqs[s].length = 0
          last[s] = -1
        }
      }
      for (; counted < kernel.trace.length; counted++) {
        const record = kernel.trace[counted] as TraceRecord
        for (const s of STEP_SIZES) {
          if (!isMoment(record, s)) continue
          const entry = entryOf(record.seq)
          if (entry !== last[s]) seqs[s].push(record.seq)
          last[s] = entry
        }
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

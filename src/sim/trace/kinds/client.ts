import type { TraceLevel } from '../record.ts'

/** What every client of the API server does beside its work: run for a lease, merge events. */
export interface ClientTrace {
  'client.lease.acquired': { lease: string; identity: string; transitions: number }
  'client.lease.lost': { lease: string; identity: string; renewDeadlineMs: number }
  'client.leader.observed': { lease: string; holder: string; self: boolean }
  'client.event.dropped': { reason: string; message: string; why: string }
}

export const clientLevels: Record<keyof ClientTrace, TraceLevel> = {
  'client.lease.acquired': 'story',
  'client.lease.lost': 'story',
  'client.leader.observed': 'detail',
  'client.event.dropped': 'detail',
}

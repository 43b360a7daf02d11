import type { TraceLevel } from '../record.ts'

/** What came from outside the cluster: the roots of all causes. */
export interface VisitorTrace {
  /** `what` is the input's kind, `summary` what the visitor did in a few words. */
  'visitor.input': { what: string; summary: string }
}

export const visitorLevels: Record<keyof VisitorTrace, TraceLevel> = { 'visitor.input': 'story' }

import type { TraceLevel } from '../record.ts'

export interface HostTrace {
  'process.started': { process: string; type: string; host: string; incarnation: number }
  'process.stopped': { process: string; type: string; host: string; why: string }
}

export const hostLevels: Record<keyof HostTrace, TraceLevel> = { 'process.started': 'story', 'process.stopped': 'story' }

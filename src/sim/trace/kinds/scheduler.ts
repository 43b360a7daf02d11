import type { TraceLevel } from '../record.ts'

export interface SchedulerTrace {}

export const schedulerLevels: Record<keyof SchedulerTrace, TraceLevel> = {}

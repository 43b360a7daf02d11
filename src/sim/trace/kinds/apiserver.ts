import type { TraceLevel } from '../record.ts'

export interface ApiserverTrace {}

export const apiserverLevels: Record<keyof ApiserverTrace, TraceLevel> = {}

import type { TraceLevel } from '../record.ts'

export interface ClientTrace {}

export const clientLevels: Record<keyof ClientTrace, TraceLevel> = {}

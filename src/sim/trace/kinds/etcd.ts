import type { TraceLevel } from '../record.ts'

export interface EtcdTrace {}

export const etcdLevels: Record<keyof EtcdTrace, TraceLevel> = {}

import type { TraceLevel } from '../record.ts'

export interface KubeletTrace {}

export const kubeletLevels: Record<keyof KubeletTrace, TraceLevel> = {}

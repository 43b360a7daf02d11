import type { TraceLevel } from '../record.ts'

export interface ProxyTrace {}

export const proxyLevels: Record<keyof ProxyTrace, TraceLevel> = {}

import type { TraceLevel } from '../record.ts'

export interface DnsTrace {}

export const dnsLevels: Record<keyof DnsTrace, TraceLevel> = {}

import type { TraceLevel } from '../record.ts'

export interface ControllerTrace {}

export const controllerLevels: Record<keyof ControllerTrace, TraceLevel> = {}

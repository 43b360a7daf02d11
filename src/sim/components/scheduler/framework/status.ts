// Results of plugins (pkg/scheduler/framework: Code, Status). `undefined` stands for success.

export type Code = 'Error' | 'Unschedulable' | 'UnschedulableAndUnresolvable' | 'Skip'

export interface Status {
  readonly code: Code
  readonly reasons: readonly string[]
  /** The plugin that said so; set by the runtime. */
  readonly plugin: string
}

export const unschedulable = (plugin: string, ...reasons: string[]): Status => ({ code: 'Unschedulable', reasons, plugin })
/** Evicting pods from the node would not help. */
export const unresolvable = (plugin: string, ...reasons: string[]): Status => ({ code: 'UnschedulableAndUnresolvable', reasons, plugin })
export const errorStatus = (plugin: string, message: string): Status => ({ code: 'Error', reasons: [message], plugin })

export const isRejected = (status: Status): boolean => status.code === 'Unschedulable' || status.code === 'UnschedulableAndUnresolvable'

/** Status.Message(). */
export const statusMessage = (status: Status | undefined): string => status?.reasons.join(', ') ?? ''

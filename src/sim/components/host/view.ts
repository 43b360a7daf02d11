// What a root shell on a machine can see: its processes, its disk, its kernel's tables. A look from outside; nothing changes by it.
import type { ComponentId, Process, Table } from '../../engine/types.ts'
import type { TraceRecord } from '../../trace/record.ts'

export interface MachineView {
  readonly name: string
  readonly ip: string
  readonly now: number
  peek<V>(component: ComponentId, table: string): Pick<Table<V>, 'get' | 'keys' | 'values' | 'entries' | 'keysWithPrefix'>
  process(id: ComponentId): Process | undefined
  /** Processes of this machine. */
  processes(): readonly Process[]
  /** Trace records of one process, oldest first. */
  records(actor: ComponentId): readonly TraceRecord[]
}

export interface CommandOutput {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

/** A command that does something: the caller makes it happen. */
export interface CommandEffect {
  readonly effect: 'start' | 'stop' | 'restart'
  readonly process: ComponentId
}

export const print = (stdout: string): CommandOutput => ({ exit: 0, stdout, stderr: '' })
export const complain = (exit: number, stderr: string): CommandOutput => ({ exit, stdout: '', stderr })

/** Go's text/tabwriter with padding by spaces: every cell but the last of a line is padded to its column. */
export function columns(rows: readonly (readonly string[])[], minimum: number, padding: number): string {
  const widths: number[] = []
  for (const row of rows)
    row.slice(0, -1).forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length + padding, minimum)
    })
  return rows.map((row) => `${row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] as number))).join('')}\n`).join('')
}

/** docker/go-units HumanDuration. */
export function humanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 1) return 'Less than a second'
  if (seconds === 1) return '1 second'
  if (seconds < 60) return `${seconds} seconds`
  const minutes = Math.floor(seconds / 60)
  if (minutes === 1) return 'About a minute'
  if (minutes < 60) return `${minutes} minutes`
  const hours = Math.round(minutes / 60)
  if (hours === 1) return 'About an hour'
  if (hours < 48) return `${hours} hours`
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`
  return `${Math.floor(hours / 24 / 7)} weeks`
}

// The machine view of a running simulation.
import type { ComponentId, Process, Table } from '../../engine/types.ts'
import type { TraceRecord } from '../../trace/record.ts'
import type { KubeletConfig } from '../kubelet/config.ts'
import type { MachineView } from './view.ts'

/** What is needed of a simulation (src/sim/cluster/simulation.ts). */
interface Looked {
  readonly now: number
  peek<V>(component: ComponentId, table: string): Table<V>
  process(id: ComponentId): Process | undefined
  processList(): readonly Process[]
  records(): readonly TraceRecord[]
}

/** undefined: there is no such machine. */
export function machineView(sim: Looked, name: string): MachineView | undefined {
  const processes = sim.processList().filter((p) => p.host === name)
  if (processes.length === 0) return undefined
  const config = sim.process(`kubelet/${name}`)?.config as KubeletConfig | undefined
  return {
    name,
    ip: config?.nodeIP ?? '',
    now: sim.now,
    peek: (component, table) => sim.peek(component, table),
    process: (id) => sim.process(id),
    processes: () => processes,
    records: (actor) => sim.records().filter((r) => r.actor === actor),
  }
}

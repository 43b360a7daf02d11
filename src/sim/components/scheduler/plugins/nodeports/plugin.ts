import type { HostPort } from '../../framework/podinfo.ts'
import { unschedulable } from '../../framework/status.ts'
import { type Plugin, SKIP } from '../../framework/types.ts'

const NAME = 'NodePorts'
const REJECTED = unschedulable(NAME, "node(s) didn't have free ports for the requested pod ports")

export const nodePorts: Plugin = {
  name: NAME,
  local: true,
  preFilter: ({ pod }) => (pod.hostPorts.length === 0 ? SKIP : { data: pod.hostPorts }),
  filter(wanted: readonly HostPort[], _, node) {
    for (const used of node.usedPorts) for (const want of wanted) if (portsConflict(used, want)) return REJECTED
    return undefined
  },
}

/** HostPortInfo.CheckConflict: the wildcard address meets every address. */
export function portsConflict(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0')
}

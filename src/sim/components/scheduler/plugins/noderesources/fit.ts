import type { NodeInfo } from '../../framework/nodeinfo.ts'
import { MAX_NODE_SCORE } from '../../framework/names.ts'
import type { Resource } from '../../framework/resources.ts'
import { type Status, unresolvable, unschedulable } from '../../framework/status.ts'
import { type Cycle, NO_DATA, type Plugin } from '../../framework/types.ts'

const NAME = 'NodeResourcesFit'

// The everyday verdicts exist once; a hot loop makes no garbage.
const CPU = unschedulable(NAME, 'Insufficient cpu')
const CPU_NEVER = unresolvable(NAME, 'Insufficient cpu')
const MEMORY = unschedulable(NAME, 'Insufficient memory')
const MEMORY_NEVER = unresolvable(NAME, 'Insufficient memory')
const PODS = unschedulable(NAME, 'Too many pods')

export const nodeResourcesFit: Plugin = {
  name: NAME,
  local: true,
  preFilter: ({ pod }) => ({ data: pod.requests }),
  filter: (request: Resource, _, node) => fits(request, node),
  preScore: () => NO_DATA,
  score: (_, { pod }: Cycle, node) => leastAllocated(pod.nonZeroMilliCPU, pod.nonZeroMemory, node),
}

/** fitsRequest: every resource that is lacking is reported; one that exceeds what the node has at all cannot be helped by evictions. */
export function fits(request: Resource, node: NodeInfo): Status | undefined {
  const { allocatable } = node.facts
  const { requested } = node
  const tooMany = node.pods.length + 1 > allocatable.allowedPodNumber
  const noCPU = request.milliCPU > 0 && request.milliCPU > allocatable.milliCPU - requested.milliCPU
  const noMemory = request.memory > 0 && request.memory > allocatable.memory - requested.memory
  const noStorage = request.ephemeralStorage > 0 && request.ephemeralStorage > allocatable.ephemeralStorage - requested.ephemeralStorage
  if (request.scalar.size === 0 && !noStorage) {
    if (!tooMany && !noCPU && !noMemory) return undefined
    if (!tooMany && !noMemory) return request.milliCPU > allocatable.milliCPU ? CPU_NEVER : CPU
    if (!tooMany && !noCPU) return request.memory > allocatable.memory ? MEMORY_NEVER : MEMORY
    if (!noCPU && !noMemory) return PODS
  }
  const reasons: string[] = []
  let never = false
  const lacking = (reason: string, want: number, have: number): void => {
    reasons.push(reason)
    if (want > have) never = true
  }
  if (tooMany) reasons.push('Too many pods')
  if (noCPU) lacking('Insufficient cpu', request.milliCPU, allocatable.milliCPU)
  if (noMemory) lacking('Insufficient memory', request.memory, allocatable.memory)
  if (noStorage) lacking('Insufficient ephemeral-storage', request.ephemeralStorage, allocatable.ephemeralStorage)
  for (const [name, want] of request.scalar) {
    if (want === 0) continue
    const have = allocatable.scalar.get(name) ?? 0
    if (want > have - (requested.scalar.get(name) ?? 0)) lacking(`Insufficient ${name}`, want, have)
  }
  if (reasons.length === 0) return undefined
  return never ? unresolvable(NAME, ...reasons) : unschedulable(NAME, ...reasons)
}

/** leastResourceScorer over CPU and memory, weight 1 each. */
export function leastAllocated(milliCPU: number, memory: number, node: NodeInfo): number {
  const { allocatable } = node.facts
  let sum = 0
  let weights = 0
  if (allocatable.milliCPU > 0) {
    sum += leastRequested(node.nonZeroMilliCPU + milliCPU, allocatable.milliCPU)
    weights++
  }
  if (allocatable.memory > 0) {
    sum += leastRequested(node.nonZeroMemory + memory, allocatable.memory)
    weights++
  }
  return weights === 0 ? 0 : Math.floor(sum / weights)
}

const leastRequested = (requested: number, capacity: number): number =>
  requested > capacity ? 0 : Math.floor(((capacity - requested) * MAX_NODE_SCORE) / capacity)

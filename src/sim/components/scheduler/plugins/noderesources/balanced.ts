import { MAX_NODE_SCORE } from '../../framework/names.ts'
import type { Resource } from '../../framework/resources.ts'
import { type Plugin, SKIP } from '../../framework/types.ts'

const NAME = 'NodeResourcesBalancedAllocation'

/** Prefers nodes whose CPU and memory are used to a like degree. Counts real requests; pods that request neither are not scored. */
export const nodeResourcesBalancedAllocation: Plugin = {
  name: NAME,
  local: true,
  preScore: ({ pod }) => (pod.requests.milliCPU === 0 && pod.requests.memory === 0 ? SKIP : pod.requests),
  score(request: Resource, _, node) {
    const { allocatable } = node.facts
    // With one resource, or none, there is nothing to balance.
    if (allocatable.milliCPU === 0 || allocatable.memory === 0) return MAX_NODE_SCORE
    const cpu = Math.min(1, (node.requested.milliCPU + request.milliCPU) / allocatable.milliCPU)
    const memory = Math.min(1, (node.requested.memory + request.memory) / allocatable.memory)
    const deviation = Math.abs((cpu - memory) / 2)
    return Math.trunc((1 - deviation) * MAX_NODE_SCORE)
  },
}

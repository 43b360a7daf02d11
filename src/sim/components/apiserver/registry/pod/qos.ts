// The QoS class of a pod (pkg/apis/core/helper/qos/qos.go).
import type { PodSpec } from '../../../../api/types/kubernetes.gen.ts'
import { addQuantities, compareQuantities, parseQuantity, type Quantity } from '../../../../api/quantity.ts'
import { at } from './maps.ts'
import type { ResourceList } from './quantities.ts'

export type QOSClass = 'BestEffort' | 'Burstable' | 'Guaranteed'

type Amounts = Map<string, Quantity>

/** Adds the positive amounts of CPU and memory to `into`; says whether both were there. */
function addCompute(into: Amounts, list: ResourceList | undefined): boolean {
  let found = 0
  for (const name of ['cpu', 'memory']) {
    const text = at(list, name)
    if (text === undefined) continue
    const amount = parseQuantity(text)
    if (amount.value <= 0n) continue
    found++
    const before = into.get(name)
    into.set(name, before ? addQuantities(before, amount) : amount)
  }
  return found === 2
}

/** ComputePodQOS: pod-level resources, where given, count instead of the containers'. */
export function computePodQOS(spec: PodSpec): QOSClass {
  const requests: Amounts = new Map()
  const limits: Amounts = new Map()
  let guaranteed = true
  if (spec.resources) {
    addCompute(requests, spec.resources.requests)
    const list = spec.resources.limits
    if (list && Object.keys(list).length > 0 && !addCompute(limits, list)) guaranteed = false
  } else {
    for (const c of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
      addCompute(requests, c.resources?.requests)
      if (!addCompute(limits, c.resources?.limits)) guaranteed = false
    }
  }
  if (requests.size === 0 && limits.size === 0) return 'BestEffort'
  const equal = [...requests].every(([name, amount]) => {
    const limit = limits.get(name)
    return limit !== undefined && compareQuantities(limit, amount) === 0
  })
  return guaranteed && equal && requests.size === limits.size ? 'Guaranteed' : 'Burstable'
}

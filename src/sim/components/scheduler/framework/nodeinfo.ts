// A node with its pods and sums (pkg/scheduler/framework/types.go NodeInfo). Immutable: adding a pod gives a new record.
import type { Labels } from '../../../api/labels.ts'
import type { Node, Taint } from '../../../api/types/kubernetes.gen.ts'
import type { HostPort, PodInfo } from './podinfo.ts'
import { addResource, parseResource, type Resource, ZERO_RESOURCE } from './resources.ts'

/** What the plugins read of the Node object, parsed once per object. */
export interface NodeFacts {
  readonly allocatable: Resource
  readonly labels: Labels | undefined
  readonly unschedulable: boolean
  /** Taints that keep pods away. */
  readonly hardTaints: readonly Taint[]
  readonly softTaints: readonly Taint[]
  readonly images: ReadonlySet<string>
}

export interface NodeInfo {
  readonly name: string
  /** Absent while only pods of the node are known. */
  readonly node: Node | undefined
  readonly facts: NodeFacts
  readonly pods: readonly PodInfo[]
  readonly podsWithAffinity: readonly PodInfo[]
  readonly podsWithRequiredAntiAffinity: readonly PodInfo[]
  readonly requested: Resource
  readonly nonZeroMilliCPU: number
  readonly nonZeroMemory: number
  readonly usedPorts: readonly HostPort[]
  /** What was worked out about this very record; never part of what it says. */
  memo: Map<object, unknown> | undefined
}

const NONE: readonly never[] = []
const NO_FACTS: NodeFacts = {
  allocatable: ZERO_RESOURCE,
  labels: undefined,
  unschedulable: false,
  hardTaints: NONE,
  softTaints: NONE,
  images: new Set(),
}

const factsOf = new WeakMap<Node, NodeFacts>()

export function nodeFacts(node: Node): NodeFacts {
  let facts = factsOf.get(node)
  if (!facts) {
    const taints = node.spec?.taints ?? []
    const images = new Set<string>()
    for (const image of node.status?.images ?? []) for (const name of image.names ?? []) images.add(name)
    facts = {
      allocatable: parseResource(node.status?.allocatable),
      labels: node.metadata.labels,
      unschedulable: node.spec?.unschedulable ?? false,
      hardTaints: taints.some(isHard) ? taints.filter(isHard) : NONE,
      softTaints: taints.some(isSoft) ? taints.filter(isSoft) : NONE,
      images,
    }
    factsOf.set(node, facts)
  }
  return facts
}

const isHard = (taint: Taint): boolean => taint.effect === 'NoSchedule' || taint.effect === 'NoExecute'
const isSoft = (taint: Taint): boolean => taint.effect === 'PreferNoSchedule'

export const emptyNodeInfo = (name: string): NodeInfo => ({
  name,
  node: undefined,
  facts: NO_FACTS,
  pods: NONE,
  podsWithAffinity: NONE,
  podsWithRequiredAntiAffinity: NONE,
  requested: ZERO_RESOURCE,
  nonZeroMilliCPU: 0,
  nonZeroMemory: 0,
  usedPorts: NONE,
  memo: undefined,
})

export const withNode = (info: NodeInfo, node: Node | undefined): NodeInfo => ({
  name: info.name,
  node,
  facts: node ? nodeFacts(node) : NO_FACTS,
  pods: info.pods,
  podsWithAffinity: info.podsWithAffinity,
  podsWithRequiredAntiAffinity: info.podsWithRequiredAntiAffinity,
  requested: info.requested,
  nonZeroMilliCPU: info.nonZeroMilliCPU,
  nonZeroMemory: info.nonZeroMemory,
  usedPorts: info.usedPorts,
  memo: undefined,
})

export const withPod = (info: NodeInfo, pod: PodInfo): NodeInfo => ({
  name: info.name,
  node: info.node,
  facts: info.facts,
  pods: append(info.pods, pod),
  podsWithAffinity: pod.hasAffinity ? append(info.podsWithAffinity, pod) : info.podsWithAffinity,
  podsWithRequiredAntiAffinity:
    pod.requiredAntiAffinity.length > 0 ? append(info.podsWithRequiredAntiAffinity, pod) : info.podsWithRequiredAntiAffinity,
  requested: addResource(info.requested, pod.requests, 1),
  nonZeroMilliCPU: info.nonZeroMilliCPU + pod.nonZeroMilliCPU,
  nonZeroMemory: info.nonZeroMemory + pod.nonZeroMemory,
  usedPorts: pod.hostPorts.length > 0 ? [...info.usedPorts, ...pod.hostPorts] : info.usedPorts,
  memo: undefined,
})

/** Without the pod of that uid; the same record if it is not there. */
export function withoutPod(info: NodeInfo, uid: string): NodeInfo {
  const pod = info.pods.find((p) => p.uid === uid)
  if (!pod) return info
  const pods = info.pods.filter((p) => p !== pod)
  return {
    name: info.name,
    node: info.node,
    facts: info.facts,
    pods,
    podsWithAffinity: pod.hasAffinity ? info.podsWithAffinity.filter((p) => p !== pod) : info.podsWithAffinity,
    podsWithRequiredAntiAffinity:
      pod.requiredAntiAffinity.length > 0 ? info.podsWithRequiredAntiAffinity.filter((p) => p !== pod) : info.podsWithRequiredAntiAffinity,
    requested: addResource(info.requested, pod.requests, -1),
    nonZeroMilliCPU: info.nonZeroMilliCPU - pod.nonZeroMilliCPU,
    nonZeroMemory: info.nonZeroMemory - pod.nonZeroMemory,
    usedPorts: pod.hostPorts.length > 0 ? pods.flatMap((p) => p.hostPorts) : info.usedPorts,
    memo: undefined,
  }
}

function append<T>(list: readonly T[], item: T): readonly T[] {
  const out = list.slice()
  out.push(item)
  return out
}

/** A node with all its pods at once. */
export function buildNodeInfo(name: string, node: Node | undefined, pods: readonly PodInfo[]): NodeInfo {
  let requested = ZERO_RESOURCE
  let nonZeroMilliCPU = 0
  let nonZeroMemory = 0
  for (const pod of pods) {
    requested = addResource(requested, pod.requests, 1)
    nonZeroMilliCPU += pod.nonZeroMilliCPU
    nonZeroMemory += pod.nonZeroMemory
  }
  const affine = pods.filter((p) => p.hasAffinity)
  return {
    name,
    node,
    facts: node ? nodeFacts(node) : NO_FACTS,
    pods,
    podsWithAffinity: affine.length > 0 ? affine : NONE,
    podsWithRequiredAntiAffinity: affine.length > 0 ? affine.filter((p) => p.requiredAntiAffinity.length > 0) : NONE,
    requested,
    nonZeroMilliCPU,
    nonZeroMemory,
    usedPorts: pods.some((p) => p.hostPorts.length > 0) ? pods.flatMap((p) => p.hostPorts) : NONE,
    memo: undefined,
  }
}

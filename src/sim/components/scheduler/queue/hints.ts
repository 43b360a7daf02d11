// Queueing hints: which event may help a pod that a plugin rejected (each plugin's EventsToRegister and its hint functions).
// A hint says true if the pod is worth another attempt. Hints see the event's objects, nothing else.
import type {
  CSINode,
  CSIStorageCapacity,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
} from '../../../api/types/kubernetes.gen.ts'
import { compareStrings, deepEqual } from '../../../../lib/compare.ts'
import { getOwn } from '../../../../lib/own.ts'
import { type AffinityTerm, matchesAllTerms, requiredNodeAffinity, requiredNodeAffinityMatches } from '../framework/affinity.ts'
import { hasUntoleratedTaint } from '../framework/helpers.ts'
import { LABEL_REGION, LABEL_REGION_BETA, LABEL_ZONE, LABEL_ZONE_BETA } from '../framework/names.ts'
import { emptyNodeInfo, nodeFacts, withNode } from '../framework/nodeinfo.ts'
import { podInfo } from '../framework/podinfo.ts'
import { portsConflict } from '../plugins/nodeports/plugin.ts'
import { fits } from '../plugins/noderesources/fit.ts'
import { type Constraint, parseConstraints } from '../plugins/podtopologyspread/constraints.ts'
import { volumeLimit } from '../plugins/volumebinding/binder.ts'
import type { ClusterEvent, EventAction, EventResource } from './events.ts'

type Hint<T> = (pod: Pod, old: T | undefined, now: T | undefined) => boolean

interface Registration {
  readonly plugin: string
  readonly resource: EventResource
  readonly actions: readonly EventAction[]
  readonly hint: Hint<never>
}

const register = <T>(
  plugin: string,
  resource: EventResource,
  actions: readonly EventAction[],
  hint: Hint<T> = () => true,
): Registration => ({ plugin, resource, actions, hint: hint as Hint<never> })

const isItself = (pod: Pod, other: Pod | undefined): boolean => other?.metadata.uid === pod.metadata.uid

// ---- Nodes ----
const nodeFits: Hint<Node> = (pod, old, now) => {
  if (!now) return false
  const request = podInfo(pod).requests
  if (fits(request, withNode(emptyNodeInfo(''), now))) return false
  if (!old) return true
  const before = nodeFacts(old).allocatable
  const after = nodeFacts(now).allocatable
  if (after.allowedPodNumber > before.allowedPodNumber) return true
  if (request.milliCPU > 0 && after.milliCPU > before.milliCPU) return true
  if (request.memory > 0 && after.memory > before.memory) return true
  if (request.ephemeralStorage > 0 && after.ephemeralStorage > before.ephemeralStorage) return true
  return [...request.scalar].some(([name, want]) => want > 0 && (after.scalar.get(name) ?? 0) > (before.scalar.get(name) ?? 0))
}

const taintGone: Hint<Node> = (pod, old, now) => {
  const tolerations = podInfo(pod).tolerations
  const untolerated = (node: Node): boolean => hasUntoleratedTaint(nodeFacts(node).hardTaints, tolerations)
  return now !== undefined && !untolerated(now) && (!old || untolerated(old))
}

const selectorMet: Hint<Node> = (pod, old, now) => {
  const affinity = requiredNodeAffinity(pod)
  return now !== undefined && requiredNodeAffinityMatches(affinity, now) && (!old || !requiredNodeAffinityMatches(affinity, old))
}

const hardConstraints = (pod: Pod): Constraint[] => parseConstraints(pod, 'DoNotSchedule')

const spreadNode: Hint<Node> = (pod, old, now) => {
  const constraints = hardConstraints(pod)
  const matches = (node: Node | undefined): boolean =>
    node !== undefined && constraints.every((c) => getOwn(node.metadata.labels, c.topologyKey) !== undefined)
  if (!old || !now) return matches(now ?? old)
  if (matches(old) !== matches(now)) return true
  const moved = constraints.some((c) => getOwn(old.metadata.labels, c.topologyKey) !== getOwn(now.metadata.labels, c.topologyKey))
  return matches(now) && (moved || !deepEqual(old.spec?.taints ?? [], now.spec?.taints ?? []))
}

/** Only the pod's own terms are looked at: a pod that others keep away waits for something else. */
const affinityNode: Hint<Node> = (pod, old, now) => {
  const { requiredAffinity, requiredAntiAffinity } = podInfo(pod)
  const label = (node: Node | undefined, term: AffinityTerm): string | undefined => getOwn(node?.metadata.labels, term.topologyKey)
  if (requiredAffinity.some((t) => label(now, t) !== undefined && label(now, t) !== label(old, t))) return true
  // A node without the label takes everyone, so a new one always gives hope.
  return requiredAntiAffinity.some((t) => !old || (label(old, t) !== undefined && label(now, t) !== label(old, t)))
}

// ---- Pods ----
const hadPlace = (pod: Pod | undefined): boolean => Boolean(pod?.spec?.nodeName || pod?.status?.nominatedNodeName)

const roomMade: Hint<Pod> = (pod, old, now) => {
  if (!now) return hadPlace(old)
  if (isItself(pod, now)) return true
  if (!now.spec?.nodeName || !old) return false
  const wanted = podInfo(pod).requests
  const before = podInfo(old).requests
  const after = podInfo(now).requests
  if (wanted.milliCPU > 0 && after.milliCPU < before.milliCPU) return true
  if (wanted.memory > 0 && after.memory < before.memory) return true
  if (wanted.ephemeralStorage > 0 && after.ephemeralStorage < before.ephemeralStorage) return true
  return [...wanted.scalar].some(([name, want]) => want > 0 && (after.scalar.get(name) ?? 0) < (before.scalar.get(name) ?? 0))
}

const portFreed: Hint<Pod> = (pod, old) => {
  if (!old || !hadPlace(old)) return false
  const wanted = podInfo(pod).hostPorts
  return podInfo(old).hostPorts.some((used) => wanted.some((want) => portsConflict(used, want)))
}

const volumeFreed: Hint<Pod> = (pod, old) => {
  if (old?.metadata.namespace !== pod.metadata.namespace || !old) return false
  const used = podInfo(old)
  const disks = (p: Pod): boolean => (p.spec?.volumes ?? []).some((v) => v.gcePersistentDisk || v.awsElasticBlockStore || v.rbd || v.iscsi)
  return podInfo(pod).namedClaims.some((claim) => used.namedClaims.includes(claim)) || (disks(pod) && disks(old))
}

const volumesDetached: Hint<Pod> = (_, old) => old !== undefined && hadPlace(old) && podInfo(old).claims.length > 0

const spreadPod: Hint<Pod> = (pod, old, now) => {
  const involved = (p: Pod): boolean => isItself(pod, p) || (Boolean(p.spec?.nodeName) && p.metadata.namespace === pod.metadata.namespace)
  if ((now && !involved(now)) || (old && !involved(old))) return false
  const constraints = hardConstraints(pod)
  const matches = (p: Pod, c: Constraint): boolean => c.selector.matches(p.metadata.labels)
  if (!old || !now) return constraints.some((c) => matches((now ?? old) as Pod, c))
  if (isItself(pod, now) && constraints.some((c) => c.honorsTaints) && !deepEqual(old.spec?.tolerations ?? [], now.spec?.tolerations ?? []))
    return true
  return constraints.some((c) => matches(old, c) !== matches(now, c))
}

/** Of a pod that is gone, only what the waiting pod avoided counts, not what avoided the waiting pod. */
const affinityPod: Hint<Pod> = (pod, old, now) => {
  if ((now && !now.spec?.nodeName) || (old && !old.spec?.nodeName)) return false
  const { requiredAffinity, requiredAntiAffinity } = podInfo(pod)
  const meets = (terms: readonly AffinityTerm[], p: Pod): boolean => matchesAllTerms(terms, podInfo(p), undefined)
  if (old && now)
    return (
      (!meets(requiredAffinity, old) && meets(requiredAffinity, now)) ||
      (meets(requiredAntiAffinity, old) && !meets(requiredAntiAffinity, now))
    )
  return now ? meets(requiredAffinity, now) : meets(requiredAntiAffinity, old as Pod)
}

// ---- Volumes ----
const ownClaim: Hint<PersistentVolumeClaim> = (pod, _, now) =>
  now !== undefined && podInfo(pod).claims.includes(`${now.metadata.namespace}/${now.metadata.name}`)
const classChanged: Hint<StorageClass> = (_, old, now) => !old || !deepEqual(old.allowedTopologies ?? [], now?.allowedTopologies ?? [])
const capacityGrew: Hint<CSIStorageCapacity> = (_, old, now) => {
  if (!now) return false
  if (!old) return true
  const after = volumeLimit(now)
  const before = volumeLimit(old)
  return after !== undefined && (before === undefined || after > before)
}
const limitsGrew: Hint<CSINode> = (_, old, now) => {
  if (!old) return true
  const before = new Map(old.spec.drivers.map((d) => [d.name, d.allocatable?.count ?? 0]))
  return (now?.spec.drivers ?? []).some((d) => (d.allocatable?.count ?? 0) > (before.get(d.name) ?? 0))
}
const ZONE_LABELS = [LABEL_ZONE_BETA, LABEL_ZONE, LABEL_REGION_BETA, LABEL_REGION]
const volumeTopologyChanged: Hint<PersistentVolume> = (_, old, now) =>
  !old || ZONE_LABELS.some((key) => getOwn(old.metadata.labels, key) !== getOwn(now?.metadata.labels, key))

const REGISTRATIONS: readonly Registration[] = [
  register<Pod>('SchedulingGates', 'UnscheduledPod', ['UpdatePodSchedulingGatesEliminated'], (pod, _, now) => isItself(pod, now)),
  register<Node>('NodeUnschedulable', 'Node', ['Add', 'UpdateNodeTaint'], (_, __, now) => now?.spec?.unschedulable !== true),
  register<Pod>('NodeUnschedulable', 'UnscheduledPod', ['UpdatePodToleration'], (pod, _, now) => isItself(pod, now)),
  register<Node>('NodeName', 'Node', ['Add']),
  register<Node>('TaintToleration', 'Node', ['Add', 'UpdateNodeTaint'], taintGone),
  register<Pod>('TaintToleration', 'UnscheduledPod', ['UpdatePodToleration'], (pod, _, now) => isItself(pod, now)),
  register<Node>('NodeAffinity', 'Node', ['Add', 'UpdateNodeLabel'], selectorMet),
  register<Pod>('NodePorts', 'AssignedPod', ['Delete'], portFreed),
  register<Node>('NodePorts', 'Node', ['Add']),
  register<Pod>('NodeResourcesFit', 'AssignedPod', ['Delete', 'UpdatePodScaleDown'], roomMade),
  register<Pod>('NodeResourcesFit', 'UnscheduledPod', ['UpdatePodScaleDown'], (pod, _, now) => isItself(pod, now)),
  register<Node>('NodeResourcesFit', 'Node', ['Add', 'UpdateNodeAllocatable'], nodeFits),
  register<Pod>('VolumeRestrictions', 'AssignedPod', ['Delete'], volumeFreed),
  register<Node>('VolumeRestrictions', 'Node', ['Add']),
  register<PersistentVolumeClaim>('VolumeRestrictions', 'PersistentVolumeClaim', ['Add'], ownClaim),
  register<CSINode>('NodeVolumeLimits', 'CSINode', ['Add', 'Update'], limitsGrew),
  register<Pod>('NodeVolumeLimits', 'AssignedPod', ['Delete'], volumesDetached),
  register<PersistentVolumeClaim>('NodeVolumeLimits', 'PersistentVolumeClaim', ['Add'], ownClaim),
  register('NodeVolumeLimits', 'VolumeAttachment', ['Delete'], (pod) => podInfo(pod).namedClaims.length > 0),
  register<StorageClass>('VolumeBinding', 'StorageClass', ['Add', 'Update'], classChanged),
  register<PersistentVolumeClaim>('VolumeBinding', 'PersistentVolumeClaim', ['Add', 'Update'], ownClaim),
  register('VolumeBinding', 'PersistentVolume', ['Add', 'Update']),
  register<Node>('VolumeBinding', 'Node', ['Add', 'UpdateNodeLabel']),
  register<CSINode>('VolumeBinding', 'CSINode', ['Add'], (_, old) => !old),
  register<CSIStorageCapacity>('VolumeBinding', 'CSIStorageCapacity', ['Add', 'Update'], capacityGrew),
  register<StorageClass>('VolumeZone', 'StorageClass', ['Add'], (_, __, now) => now?.volumeBindingMode === 'WaitForFirstConsumer'),
  register<Node>('VolumeZone', 'Node', ['Add', 'UpdateNodeLabel']),
  register<PersistentVolumeClaim>('VolumeZone', 'PersistentVolumeClaim', ['Add', 'Update'], ownClaim),
  register<PersistentVolume>('VolumeZone', 'PersistentVolume', ['Add', 'Update'], volumeTopologyChanged),
  register<Pod>('PodTopologySpread', 'AssignedPod', ['Add', 'Delete', 'UpdatePodLabel'], spreadPod),
  register<Pod>('PodTopologySpread', 'UnscheduledPod', ['UpdatePodLabel', 'UpdatePodToleration'], spreadPod),
  register<Node>('PodTopologySpread', 'Node', ['Add', 'Delete', 'UpdateNodeLabel', 'UpdateNodeTaint'], spreadNode),
  register<Pod>('InterPodAffinity', 'AssignedPod', ['Add', 'Delete', 'UpdatePodLabel'], affinityPod),
  register<Node>('InterPodAffinity', 'Node', ['Add', 'UpdateNodeLabel'], affinityNode),
  // A pod that waits for its own evictions is woken by what rejected it, never by this plugin.
  register<Pod>('DefaultPreemption', 'AssignedPod', ['Delete'], () => false),
]

const byEvent = new Map<string, readonly Registration[]>()
for (const r of [...REGISTRATIONS].sort((a, b) => compareStrings(a.resource, b.resource))) {
  for (const action of r.actions) {
    const key = `${r.resource}/${action}`
    byEvent.set(key, [...(byEvent.get(key) ?? []), r])
  }
}

/** Some plugin registered the event. */
export const isEventOfInterest = (event: ClusterEvent): boolean =>
  event.resource === '*' || byEvent.has(`${event.resource}/${event.action}`)

/** The plugin registered the event. */
export const isRegistered = (plugin: string, event: ClusterEvent): boolean =>
  event.resource === '*' || (byEvent.get(`${event.resource}/${event.action}`) ?? []).some((r) => r.plugin === plugin)

/** isPodWorthRequeuing: one of the plugins that rejected the pod sees hope; without any such plugin every event is reason enough. */
export function isWorthRequeuing(
  pod: Pod,
  rejectedBy: readonly string[],
  event: ClusterEvent,
  old: object | undefined,
  now: object | undefined,
): boolean {
  if (rejectedBy.length === 0 || event.resource === '*') return true
  for (const r of byEvent.get(`${event.resource}/${event.action}`) ?? [])
    if (rejectedBy.includes(r.plugin) && r.hint(pod, old as never, now as never)) return true
  return false
}

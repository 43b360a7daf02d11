// What happens in the cluster, as the queue sees it (pkg/scheduler/framework/events.go).
import type { Node, Pod } from '../../../api/types/kubernetes.gen.ts'
import { deepEqual } from '../../../../lib/compare.ts'
import { podRequests } from '../framework/resources.ts'

export type EventResource =
  | 'AssignedPod'
  | 'UnscheduledPod'
  | 'Node'
  | 'PersistentVolume'
  | 'PersistentVolumeClaim'
  | 'StorageClass'
  | 'CSINode'
  | 'CSIDriver'
  | 'CSIStorageCapacity'
  | 'VolumeAttachment'
  | '*'

export type EventAction =
  | 'Add'
  | 'Delete'
  /** An update that none of the special ones names. */
  | 'Update'
  | 'UpdateNodeAllocatable'
  | 'UpdateNodeLabel'
  | 'UpdateNodeTaint'
  | 'UpdateNodeCondition'
  | 'UpdateNodeAnnotation'
  | 'UpdatePodLabel'
  | 'UpdatePodScaleDown'
  | 'UpdatePodToleration'
  | 'UpdatePodSchedulingGatesEliminated'
  | '*'

export interface ClusterEvent {
  readonly resource: EventResource
  readonly action: EventAction
  /** Name where resource and action do not say it: UnschedulableTimeout, ForceActivate. */
  readonly label?: string
}

export const eventLabel = (event: ClusterEvent): string => event.label ?? `${event.resource}${event.action}`

export const UNSCHEDULABLE_TIMEOUT: ClusterEvent = { resource: '*', action: '*', label: 'UnschedulableTimeout' }
export const FORCE_ACTIVATE: ClusterEvent = { resource: '*', action: '*', label: 'ForceActivate' }

/** PodSchedulingPropertiesChange: which of a pod's properties that matter to scheduling an update changed. */
export function podChanges(newPod: Pod, oldPod: Pod): ClusterEvent[] {
  const resource: EventResource = newPod.spec?.nodeName ? 'AssignedPod' : 'UnscheduledPod'
  const events: ClusterEvent[] = []
  if (!deepEqual(newPod.metadata.labels ?? {}, oldPod.metadata.labels ?? {})) events.push({ resource, action: 'UpdatePodLabel' })
  if (scaledDown(newPod, oldPod)) events.push({ resource, action: 'UpdatePodScaleDown' })
  if ((newPod.spec?.schedulingGates ?? []).length === 0 && (oldPod.spec?.schedulingGates ?? []).length > 0)
    events.push({ resource, action: 'UpdatePodSchedulingGatesEliminated' })
  if ((newPod.spec?.tolerations ?? []).length !== (oldPod.spec?.tolerations ?? []).length)
    events.push({ resource, action: 'UpdatePodToleration' })
  return events.length > 0 ? events : [{ resource, action: 'Update' }]
}

function scaledDown(newPod: Pod, oldPod: Pod): boolean {
  if (newPod.spec?.containers === oldPod.spec?.containers && newPod.status?.containerStatuses === oldPod.status?.containerStatuses)
    return false
  const after = podRequests(newPod, false)
  const before = podRequests(oldPod, false)
  if (after.milliCPU < before.milliCPU || after.memory < before.memory || after.ephemeralStorage < before.ephemeralStorage) return true
  for (const [name, amount] of before.scalar) if ((after.scalar.get(name) ?? 0) < amount) return true
  return false
}

/** NodeSchedulingPropertiesChange. */
export function nodeChanges(newNode: Node, oldNode: Node): ClusterEvent[] {
  const events: ClusterEvent[] = []
  const add = (action: EventAction): void => void events.push({ resource: 'Node', action })
  if (oldNode.spec?.unschedulable && !newNode.spec?.unschedulable) add('UpdateNodeTaint')
  if (!deepEqual(newNode.status?.allocatable ?? {}, oldNode.status?.allocatable ?? {})) add('UpdateNodeAllocatable')
  if (!deepEqual(newNode.metadata.labels ?? {}, oldNode.metadata.labels ?? {})) add('UpdateNodeLabel')
  if (!deepEqual(newNode.spec?.taints ?? [], oldNode.spec?.taints ?? [])) add('UpdateNodeTaint')
  const conditions = (node: Node): Map<string, string> => new Map((node.status?.conditions ?? []).map((c) => [c.type, c.status]))
  const before = conditions(oldNode)
  const after = conditions(newNode)
  if (before.size !== after.size || [...after].some(([type, status]) => before.get(type) !== status)) add('UpdateNodeCondition')
  if (!deepEqual(newNode.metadata.annotations ?? {}, oldNode.metadata.annotations ?? {})) add('UpdateNodeAnnotation')
  return events
}

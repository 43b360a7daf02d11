// What a pod's volumes mean for a node (pkg/scheduler/framework/plugins/volumebinding/binder.go).
import { quantityValue } from '../../../../api/quantity.ts'
import type {
  CSIStorageCapacity,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../../../api/types/kubernetes.gen.ts'
import { getOwn } from '../../../../../lib/own.ts'
import { compareStrings } from '../../../../../lib/compare.ts'
import { toSelector } from '../../framework/affinity.ts'
import type { PodInfo } from '../../framework/podinfo.ts'
import type { Listers } from '../../framework/types.ts'
import {
  ANN_SELECTED_NODE,
  claimClass,
  findMatchingVolume,
  isFullyBound,
  NO_PROVISIONER,
  requestedStorage,
  volumeFitsNode,
} from './match.ts'

export const NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
export const BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind"
export const NOT_ENOUGH_SPACE = 'node(s) did not have enough free storage'
export const VOLUME_NOT_EXIST = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)'

export interface PodVolumeClaims {
  readonly bound: readonly PersistentVolumeClaim[]
  /** Waiting for the first consumer: this pod. */
  readonly delayed: readonly PersistentVolumeClaim[]
  /** Somebody else must bind them first. */
  readonly immediate: readonly PersistentVolumeClaim[]
}

export interface PodVolumes {
  readonly bindings: readonly { readonly volume: PersistentVolume; readonly claim: PersistentVolumeClaim }[]
  readonly provisions: readonly PersistentVolumeClaim[]
}

export function podVolumeClaims(pod: PodInfo, listers: Listers): PodVolumeClaims {
  const out = { bound: [] as PersistentVolumeClaim[], delayed: [] as PersistentVolumeClaim[], immediate: [] as PersistentVolumeClaim[] }
  for (const key of pod.claims) {
    const claim = listers.claim(pod.namespace, key.slice(pod.namespace.length + 1))
    if (!claim) continue
    if (isFullyBound(claim)) out.bound.push(claim)
    else if (isDelayed(claim, listers) && !claim.spec?.volumeName) out.delayed.push(claim)
    else out.immediate.push(claim)
  }
  return out
}

const isDelayed = (claim: PersistentVolumeClaim, listers: Listers): boolean => {
  const className = claimClass(claim)
  return className !== '' && listers.storageClass(className)?.volumeBindingMode === 'WaitForFirstConsumer'
}

/** FindPodVolumes: what is to be bound and provisioned if the pod goes to the node, or why it cannot. */
export function findPodVolumes(claims: PodVolumeClaims, listers: Listers, node: Node): { volumes: PodVolumes; reasons: readonly string[] } {
  const bindings: { volume: PersistentVolume; claim: PersistentVolumeClaim }[] = []
  let provisions: readonly PersistentVolumeClaim[] = []
  const answer = (...reasons: string[]): { volumes: PodVolumes; reasons: readonly string[] } => ({
    volumes: { bindings, provisions },
    reasons,
  })

  const reasons: string[] = []
  for (const claim of claims.bound) {
    const volume = listers.volume(claim.spec?.volumeName as string)
    if (volume && volumeFitsNode(volume, node)) continue
    reasons.push(volume ? NODE_CONFLICT : VOLUME_NOT_EXIST)
    break
  }
  if (claims.delayed.length === 0) return answer(...reasons)

  const toMatch: PersistentVolumeClaim[] = []
  const toProvision: PersistentVolumeClaim[] = []
  for (const claim of claims.delayed) {
    const selected = claim.metadata.annotations?.[ANN_SELECTED_NODE]
    if (selected === undefined) toMatch.push(claim)
    else if (selected === node.metadata.name) toProvision.push(claim)
    else return answer(...reasons, BIND_CONFLICT)
  }
  const excluded = new Set<string>()
  for (const claim of [...toMatch].sort(
    (a, b) => requestedStorage(a) - requestedStorage(b) || compareStrings(a.metadata.name ?? '', b.metadata.name ?? ''),
  )) {
    const volume = findMatchingVolume(claim, listers.volumesOfClass(claimClass(claim)), node, excluded)
    if (!volume) {
      toProvision.push(claim)
      continue
    }
    excluded.add(volume.metadata.name as string)
    bindings.push({ volume, claim })
  }
  for (const claim of toProvision) {
    const verdict = canProvision(claim, listers, node)
    if (verdict !== undefined) return answer(...reasons, verdict)
  }
  provisions = toProvision
  return answer(...reasons)
}

/** checkVolumeProvisions for one claim: a reason, or undefined if it can be provisioned for the node. */
function canProvision(claim: PersistentVolumeClaim, listers: Listers, node: Node): string | undefined {
  const storageClass = listers.storageClass(claimClass(claim))
  if (!storageClass || storageClass.provisioner === '' || storageClass.provisioner === NO_PROVISIONER) return BIND_CONFLICT
  if (!matchesTopologies(storageClass, node)) return BIND_CONFLICT
  return hasEnoughCapacity(claim, storageClass, listers, node) ? undefined : NOT_ENOUGH_SPACE
}

/** MatchTopologySelectorTerms: no terms match every node, an empty term none. */
function matchesTopologies(storageClass: StorageClass, node: Node): boolean {
  const terms = storageClass.allowedTopologies ?? []
  if (terms.length === 0) return true
  return terms.some((term) => {
    const expressions = term.matchLabelExpressions ?? []
    return expressions.length > 0 && expressions.every((e) => e.values.includes(getOwn(node.metadata.labels, e.key) ?? '\0'))
  })
}

function hasEnoughCapacity(claim: PersistentVolumeClaim, storageClass: StorageClass, listers: Listers, node: Node): boolean {
  if (claim.spec?.resources?.requests?.storage === undefined) return true
  if (!listers.csiDriver(storageClass.provisioner)?.spec.storageCapacity) return true
  const size = requestedStorage(claim)
  return listers.csiStorageCapacities().some((capacity) => {
    if (capacity.storageClassName !== storageClass.metadata.name) return false
    const limit = volumeLimit(capacity)
    return (
      limit !== undefined &&
      limit >= size &&
      capacity.nodeTopology !== undefined &&
      toSelector(capacity.nodeTopology).matches(node.metadata.labels)
    )
  })
}

export function volumeLimit(capacity: CSIStorageCapacity): number | undefined {
  const limit = capacity.maximumVolumeSize ?? capacity.capacity
  return limit === undefined ? undefined : quantityValue(limit)
}

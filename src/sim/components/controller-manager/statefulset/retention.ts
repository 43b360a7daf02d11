// Whether claims go with their pod or set (StatefulSetAutoDeletePVC): they do by owning references, through the garbage collector.
import type { OwnerReference } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { ownerReference } from '../runtime/objects.ts'
import { inRange } from './identity.ts'

const policyOf = (set: KubeObject): { whenDeleted: string; whenScaled: string } => ({
  whenDeleted: 'Retain',
  whenScaled: 'Retain',
  ...set.spec?.persistentVolumeClaimRetentionPolicy,
})

const owns = (owner: KubeObject, claim: KubeObject): boolean =>
  claim.metadata.ownerReferences?.some((r) => r.uid === owner.metadata.uid) === true

/** Which of the two should own the claim. */
function wanted(set: KubeObject, pod: KubeObject): { set: boolean; pod: boolean } {
  const { whenDeleted, whenScaled } = policyOf(set)
  const away = !inRange(set, pod)
  const byPod = whenScaled === 'Delete' && away
  return { set: whenDeleted === 'Delete' && !byPod, pod: byPod }
}

export const claimMatches = (set: KubeObject, pod: KubeObject, claim: KubeObject): boolean => {
  const want = wanted(set, pod)
  return owns(set, claim) === want.set && owns(pod, claim) === want.pod
}

/** The claim with the owners that the policy asks for. Other controllers keep theirs. */
export function withOwners(set: KubeObject, pod: KubeObject, claim: KubeObject): KubeObject {
  const want = wanted(set, pod)
  const others = (claim.metadata.ownerReferences ?? []).filter((r) => r.uid !== set.metadata.uid && r.uid !== pod.metadata.uid)
  const refs: OwnerReference[] = [...others]
  if (want.set) refs.push(ownerReference(set))
  if (want.pod) refs.push(ownerReference({ ...pod, apiVersion: 'v1', kind: 'Pod' }))
  return { ...claim, metadata: { ...claim.metadata, ownerReferences: refs } }
}

/** isClaimOwnerUpToDate's counterpart for a claim that belongs to an earlier pod of the same name. */
export const isStale = (claim: KubeObject, podNameOf: string, podUid: string | undefined): boolean =>
  claim.metadata.ownerReferences?.some((r) => r.kind === 'Pod' && r.name === podNameOf && r.uid !== podUid) === true

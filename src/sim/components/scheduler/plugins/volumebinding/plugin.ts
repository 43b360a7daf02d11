import type { Node, PersistentVolumeClaim, Pod } from '../../../../api/types/kubernetes.gen.ts'
import { volumeClaimName } from '../../framework/podinfo.ts'
import { unresolvable } from '../../framework/status.ts'
import { type Cycle, type Listers, type Plugin, SKIP } from '../../framework/types.ts'
import { claimNotFound } from '../volumerestrictions/plugin.ts'
import { findPodVolumes, type PodVolumeClaims, podVolumeClaims } from './binder.ts'

const NAME = 'VolumeBinding'

export const volumeBinding: Plugin = {
  name: NAME,
  preFilter({ pod, listers }) {
    if (pod.claims.length === 0) return SKIP
    const wrong = claimProblem(pod.pod, listers)
    if (wrong !== undefined) return { status: unresolvable(NAME, wrong) }
    const claims = podVolumeClaims(pod, listers)
    if (claims.immediate.length > 0) return { status: unresolvable(NAME, 'pod has unbound immediate PersistentVolumeClaims') }
    return { data: claims }
  },
  filter(claims: PodVolumeClaims, { listers }: Cycle, node) {
    const { reasons } = findPodVolumes(claims, listers, node.node as Node)
    return reasons.length === 0 ? undefined : unresolvable(NAME, ...reasons)
  },
}

/** podHasPVCs: the first claim that cannot be used. */
function claimProblem(pod: Pod, listers: Listers): string | undefined {
  for (const volume of pod.spec?.volumes ?? []) {
    const name = volumeClaimName(pod, volume)
    if (name === undefined) continue
    const claim = listers.claim(pod.metadata.namespace ?? '', name)
    if (!claim)
      return volume.ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
        : claimNotFound(name)
    if (claim.status?.phase === 'Lost')
      return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec?.volumeName ?? ''}"`
    if (claim.metadata.deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`
    if (volume.ephemeral && !isForPod(claim, pod))
      return `PVC ${pod.metadata.namespace}/${name} was not created for pod ${pod.metadata.namespace}/${pod.metadata.name} (pod is not owner)`
  }
  return undefined
}

const isForPod = (claim: PersistentVolumeClaim, pod: Pod): boolean =>
  (claim.metadata.ownerReferences ?? []).some((o) => o.controller && o.uid === pod.metadata.uid)

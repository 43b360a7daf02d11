// CSI volume limits of a node (pkg/scheduler/framework/plugins/nodevolumelimits/csi.go).
import { volumeClaimName } from '../../framework/podinfo.ts'
import { unresolvable, unschedulable } from '../../framework/status.ts'
import type { Pod } from '../../../../api/types/kubernetes.gen.ts'
import { type Cycle, type Listers, NO_DATA, type Plugin, SKIP } from '../../framework/types.ts'
import { claimNotFound } from '../volumerestrictions/plugin.ts'

const NAME = 'NodeVolumeLimits'
const FULL = unschedulable(NAME, 'node(s) exceed max volume count')

export const nodeVolumeLimits: Plugin = {
  name: NAME,
  preFilter: ({ pod }) => (pod.claims.length === 0 ? SKIP : { data: NO_DATA }),
  filter(_, cycle: Cycle, node) {
    const wanted = new Map<string, string>()
    const missing = attachable(cycle.listers, cycle.pod.pod, wanted, true)
    if (missing !== undefined) return unresolvable(NAME, claimNotFound(missing))
    if (wanted.size === 0) return undefined
    const limits = new Map<string, number>()
    for (const driver of cycle.listers.csiNode(node.name)?.spec.drivers ?? [])
      if (driver.allocatable?.count !== undefined) limits.set(driver.name, driver.allocatable.count)
    if (limits.size === 0) return undefined
    const attached = new Map<string, string>()
    for (const pod of node.pods) if (pod.claims.length > 0) attachable(cycle.listers, pod.pod, attached, false)
    for (const attachment of cycle.listers.volumeAttachments(node.name)) {
      const volume = attachment.spec.source.persistentVolumeName
      const csi = volume === undefined ? undefined : cycle.listers.volume(volume)?.spec?.csi
      if (csi) attached.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver)
    }
    const count = (driver: string): number => [...attached.values()].filter((d) => d === driver).length
    const extra = new Map<string, number>()
    for (const [handle, driver] of wanted) if (!attached.has(handle)) extra.set(driver, (extra.get(driver) ?? 0) + 1)
    for (const [driver, more] of extra) {
      const limit = limits.get(driver)
      if (limit !== undefined && count(driver) + more > limit) return FULL
    }
    return undefined
  },
}

/** Adds the pod's CSI volumes to `into`: unique handle → driver. Returns the name of a claim that does not exist, if the pod is new. */
function attachable(listers: Listers, pod: Pod, into: Map<string, string>, isNew: boolean): string | undefined {
  const namespace = pod.metadata.namespace ?? ''
  for (const volume of pod.spec?.volumes ?? []) {
    const name = volumeClaimName(pod, volume)
    if (name === undefined) continue
    const claim = listers.claim(namespace, name)
    if (!claim) {
      if (isNew) return name
      continue
    }
    const bound = claim.spec?.volumeName ? listers.volume(claim.spec.volumeName) : undefined
    if (bound) {
      const csi = bound.spec?.csi
      if (csi) into.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver)
      continue
    }
    // Still to be provisioned: it will count against its class's driver.
    const driver = listers.storageClass(claim.spec?.storageClassName ?? '')?.provisioner
    if (driver) into.set(`${driver}/ ${namespace}/${name}`, driver)
  }
  return undefined
}

import { getOwn } from '../../../../../lib/own.ts'
import { LABEL_REGION, LABEL_REGION_BETA, LABEL_ZONE, LABEL_ZONE_BETA } from '../../framework/names.ts'
import { unresolvable } from '../../framework/status.ts'
import { type Plugin, SKIP } from '../../framework/types.ts'
import { claimNotFound } from '../volumerestrictions/plugin.ts'

const NAME = 'VolumeZone'
const REJECTED = unresolvable(NAME, 'node(s) had no available volume zone')
const TOPOLOGY_LABELS = [LABEL_ZONE_BETA, LABEL_ZONE, LABEL_REGION_BETA, LABEL_REGION]
const GA: Readonly<Record<string, string>> = { [LABEL_ZONE_BETA]: LABEL_ZONE, [LABEL_REGION_BETA]: LABEL_REGION }

interface VolumeTopology {
  readonly key: string
  readonly values: ReadonlySet<string>
}

export const volumeZone: Plugin = {
  name: NAME,
  preFilter({ pod, listers }) {
    const topologies: VolumeTopology[] = []
    for (const key of pod.namedClaims) {
      const name = key.slice(pod.namespace.length + 1)
      const claim = listers.claim(pod.namespace, name)
      if (!claim) return { status: unresolvable(NAME, claimNotFound(name)) }
      const volumeName = claim.spec?.volumeName
      if (!volumeName) {
        const className = claim.spec?.storageClassName
        if (!className) return { status: unresolvable(NAME, 'PersistentVolumeClaim had no pv name and storageClass name') }
        const storageClass = listers.storageClass(className)
        if (!storageClass) return { status: unresolvable(NAME, `storageclass.storage.k8s.io "${className}" not found`) }
        if (storageClass.volumeBindingMode === 'WaitForFirstConsumer') continue
        return { status: unresolvable(NAME, 'PersistentVolume had no name') }
      }
      const volume = listers.volume(volumeName)
      if (!volume) return { status: unresolvable(NAME, `persistentvolume "${volumeName}" not found`) }
      for (const label of TOPOLOGY_LABELS) {
        const value = getOwn(volume.metadata.labels, label)
        if (value !== undefined) topologies.push({ key: label, values: new Set(value.split('__')) })
      }
    }
    return topologies.length === 0 ? SKIP : { data: topologies }
  },
  filter(topologies: readonly VolumeTopology[], _, node) {
    const { labels } = node.facts
    // A node without any of these labels belongs to a cluster of one zone.
    if (TOPOLOGY_LABELS.every((label) => getOwn(labels, label) === undefined)) return undefined
    for (const { key, values } of topologies) {
      const value = getOwn(labels, key) ?? getOwn(labels, GA[key] ?? key)
      if (value === undefined || !values.has(value)) return REJECTED
    }
    return undefined
  },
}

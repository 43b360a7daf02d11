import type { PersistentVolumeClaim, Volume } from '../../../../api/types/kubernetes.gen.ts'
import type { PodInfo } from '../../framework/podinfo.ts'
import { forEachNode } from '../../framework/snapshot.ts'
import { unresolvable, unschedulable } from '../../framework/status.ts'
import { type Cycle, type Plugin, SKIP } from '../../framework/types.ts'

const NAME = 'VolumeRestrictions'
const IN_USE = unschedulable(
  NAME,
  'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
)
const DISK_CONFLICT = unschedulable(NAME, 'node(s) had no available disk')

interface Data {
  /** ReadWriteOncePod claims of the pod, and how many pods use them already. */
  readonly exclusive: ReadonlySet<string>
  readonly users: number
  readonly disks: readonly Volume[]
}

export const volumeRestrictions: Plugin = {
  name: NAME,
  preFilter(cycle) {
    const { pod } = cycle
    const disks = (pod.pod.spec?.volumes ?? []).filter((v) => v.gcePersistentDisk || v.awsElasticBlockStore || v.rbd || v.iscsi)
    const exclusive = new Set<string>()
    for (const key of pod.namedClaims) {
      const name = key.slice(pod.namespace.length + 1)
      const claim = cycle.listers.claim(pod.namespace, name)
      if (!claim) return { status: unresolvable(NAME, claimNotFound(name)) }
      if (isExclusive(claim)) exclusive.add(key)
    }
    if (disks.length === 0 && exclusive.size === 0) return SKIP
    return { data: { exclusive, users: exclusive.size === 0 ? 0 : countUsers(cycle, exclusive), disks } satisfies Data }
  },
  updateWithPod: (data: Data, _, pod, __, sign): Data => ({ ...data, users: data.users + sign * uses(pod, data.exclusive) }),
  filter(data: Data, _, node) {
    for (const disk of data.disks)
      for (const other of node.pods)
        for (const volume of other.pod.spec?.volumes ?? []) if (disksConflict(disk, volume)) return DISK_CONFLICT
    return data.users > 0 ? IN_USE : undefined
  },
}

export const claimNotFound = (name: string): string => `persistentvolumeclaim "${name}" not found`

const isExclusive = (claim: PersistentVolumeClaim): boolean => (claim.spec?.accessModes ?? []).includes('ReadWriteOncePod')

function uses(pod: PodInfo, claims: ReadonlySet<string>): number {
  let count = 0
  for (const claim of new Set(pod.namedClaims)) if (claims.has(claim)) count++
  return count
}

/** Upstream counts claims in use, however many pods use one. */
function countUsers({ snapshot }: Cycle, claims: ReadonlySet<string>): number {
  const used = new Set<string>()
  forEachNode(snapshot, (node) => {
    for (const pod of node.pods) for (const claim of pod.namedClaims) if (claims.has(claim)) used.add(claim)
  })
  return used.size
}

/** isVolumeConflict: disks that only one node, or only one writer, may mount. */
function disksConflict(a: Volume, b: Volume): boolean {
  if (a.gcePersistentDisk && b.gcePersistentDisk) {
    return a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName && !(a.gcePersistentDisk.readOnly && b.gcePersistentDisk.readOnly)
  }
  if (a.awsElasticBlockStore && b.awsElasticBlockStore) return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID
  if (a.iscsi && b.iscsi) return a.iscsi.iqn === b.iscsi.iqn && !(a.iscsi.readOnly && b.iscsi.readOnly)
  if (a.rbd && b.rbd) {
    const monitors = new Set(a.rbd.monitors)
    const shared = b.rbd.monitors.some((m) => monitors.has(m))
    return shared && (a.rbd.pool ?? 'rbd') === (b.rbd.pool ?? 'rbd') && a.rbd.image === b.rbd.image && !(a.rbd.readOnly && b.rbd.readOnly)
  }
  return false
}

// Finding a volume for a claim (component-helpers/storage/volume: pv_helpers.go, helpers.go).
import { quantityValue } from '../../../../api/quantity.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim } from '../../../../api/types/kubernetes.gen.ts'
import { nodeTermMatches, parseNodeTerm, toSelector } from '../../framework/affinity.ts'

export const ANN_BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
export const ANN_BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
export const ANN_SELECTED_NODE = 'volume.kubernetes.io/selected-node'
/** Provisioner of classes whose volumes are made by hand. */
export const NO_PROVISIONER = 'kubernetes.io/no-provisioner'
const ANN_CLASS_BETA = 'volume.beta.kubernetes.io/storage-class'

/** GetPersistentVolumeClaimClass. */
export const claimClass = (claim: PersistentVolumeClaim): string =>
  claim.metadata.annotations?.[ANN_CLASS_BETA] ?? claim.spec?.storageClassName ?? ''

export const volumeClass = (volume: PersistentVolume): string =>
  volume.metadata.annotations?.[ANN_CLASS_BETA] ?? volume.spec?.storageClassName ?? ''

export const isFullyBound = (claim: PersistentVolumeClaim): boolean =>
  (claim.spec?.volumeName ?? '') !== '' && claim.metadata.annotations?.[ANN_BIND_COMPLETED] !== undefined

/** CheckNodeAffinity of a volume. */
export function volumeFitsNode(volume: PersistentVolume, node: Node): boolean {
  const terms = volume.spec?.nodeAffinity?.required?.nodeSelectorTerms
  if (!terms) return true
  return terms.some((t) => {
    const term = parseNodeTerm(t)
    return term !== undefined && nodeTermMatches(term, node)
  })
}

/** IsVolumeBoundToClaim: the reference names the claim; without a uid any claim of that name will do. */
export function isVolumeBoundToClaim(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
  const ref = volume.spec?.claimRef
  if (!ref || ref.name !== claim.metadata.name || ref.namespace !== claim.metadata.namespace) return false
  return !ref.uid || ref.uid === claim.metadata.uid
}

export const requestedStorage = (claim: PersistentVolumeClaim): number => quantityValue(claim.spec?.resources?.requests?.storage)

/** FindMatchingVolume: the smallest that is large enough and fits class, modes, selector and node; a volume reserved for the claim wins. */
export function findMatchingVolume(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  node: Node,
  excluded: ReadonlySet<string>,
): PersistentVolume | undefined {
  const requested = requestedStorage(claim)
  const className = claimClass(claim)
  const selector = claim.spec?.selector ? toSelector(claim.spec.selector) : undefined
  const modes = claim.spec?.accessModes ?? []
  let best: PersistentVolume | undefined
  let bestSize = 0
  for (const volume of volumes) {
    if (excluded.has(volume.metadata.name as string)) continue
    if (volume.spec?.claimRef && !isVolumeBoundToClaim(volume, claim)) continue
    const size = quantityValue(volume.spec?.capacity?.storage)
    if (size < requested) continue
    if ((claim.spec?.volumeMode ?? 'Filesystem') !== (volume.spec?.volumeMode ?? 'Filesystem')) continue
    if ((claim.spec?.volumeAttributesClassName ?? '') !== (volume.spec?.volumeAttributesClassName ?? '')) continue
    if (volume.metadata.deletionTimestamp) continue
    const fitsNode = volumeFitsNode(volume, node)
    if (isVolumeBoundToClaim(volume, claim)) return fitsNode ? volume : undefined
    if (volume.status?.phase !== 'Available') continue
    if (selector && !selector.matches(volume.metadata.labels)) continue
    if (volumeClass(volume) !== className || !fitsNode) continue
    const offered = volume.spec?.accessModes ?? []
    if (!modes.every((mode) => offered.includes(mode))) continue
    if (!best || size < bestSize) {
      best = volume
      bestSize = size
    }
  }
  return best
}

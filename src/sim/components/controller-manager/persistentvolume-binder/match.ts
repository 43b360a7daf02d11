// Which volume suits a claim (component-helpers/storage/volume/pv_helpers.go FindMatchingVolume, pkg/controller/volume/persistentvolume/index.go).
import { compareQuantities } from '../../../api/quantity.ts'
import { labelSelectorAsSelector } from '../../../api/labels.ts'
import type { KubeObject } from '../../../api/types/object.ts'

export const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller'
export const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed'
export const DYNAMICALLY_PROVISIONED = 'pv.kubernetes.io/provisioned-by'
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'
export const STORAGE_PROVISIONER = 'volume.kubernetes.io/storage-provisioner'
export const BETA_STORAGE_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner'
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

export const hasAnnotation = (o: KubeObject, annotation: string): boolean => o.metadata.annotations?.[annotation] !== undefined
/** GetPersistentVolumeClass, GetPersistentVolumeClaimClass. */
export const classOf = (o: KubeObject): string => o.metadata.annotations?.[CLASS_ANNOTATION] ?? o.spec?.storageClassName ?? ''
export const hasClass = (claim: KubeObject): boolean =>
  hasAnnotation(claim, CLASS_ANNOTATION) || (claim.spec?.storageClassName !== undefined && claim.spec.storageClassName !== null)

export const isBoundTo = (volume: KubeObject, claim: KubeObject): boolean => {
  const ref = volume.spec?.claimRef
  if (!ref || ref.name !== claim.metadata.name || ref.namespace !== claim.metadata.namespace) return false
  return !ref.uid || ref.uid === claim.metadata.uid
}

const mode = (o: KubeObject): string => o.spec?.volumeMode ?? 'Filesystem'
export const modesDiffer = (volume: KubeObject, claim: KubeObject): boolean => mode(volume) !== mode(claim)
const capacity = (volume: KubeObject): string => volume.spec?.capacity?.storage ?? '0'
const requested = (claim: KubeObject): string => claim.spec?.resources?.requests?.storage ?? '0'
const isLargeEnough = (volume: KubeObject, claim: KubeObject): boolean => compareQuantities(capacity(volume), requested(claim)) >= 0
const hasModes = (volume: KubeObject, claim: KubeObject): boolean =>
  ((claim.spec?.accessModes ?? []) as string[]).every((m) => ((volume.spec?.accessModes ?? []) as string[]).includes(m))

/** The smallest that is large enough; one reserved for the claim wins. `delayed`: only reserved ones count, the scheduler chooses. */
export function findMatch(claim: KubeObject, volumes: readonly KubeObject[], delayed: boolean): KubeObject | undefined {
  const selector = claim.spec?.selector ? labelSelectorAsSelector(claim.spec.selector) : undefined
  let best: KubeObject | undefined
  for (const volume of volumes) {
    if (volume.spec?.claimRef && !isBoundTo(volume, claim)) continue
    if (!hasModes(volume, claim) || !isLargeEnough(volume, claim) || modesDiffer(volume, claim) || volume.metadata.deletionTimestamp)
      continue
    if (isBoundTo(volume, claim)) return volume
    if (delayed || volume.status?.phase !== 'Available') continue
    if (selector && !selector.matches(volume.metadata.labels ?? {})) continue
    if (classOf(volume) !== classOf(claim)) continue
    if ((volume.spec?.volumeAttributesClassName ?? '') !== (claim.spec?.volumeAttributesClassName ?? '')) continue
    if (!best || compareQuantities(capacity(best), capacity(volume)) > 0) best = volume
  }
  return best
}

/** checkVolumeSatisfyClaim: why a volume asked for by name does not do. */
export function misfit(volume: KubeObject, claim: KubeObject): string | undefined {
  if (!isLargeEnough(volume, claim)) return 'requested PV is too small'
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match'
  if ((volume.spec?.volumeAttributesClassName ?? '') !== (claim.spec?.volumeAttributesClassName ?? ''))
    return 'VolumeAttributesClassName does not match'
  if (modesDiffer(volume, claim)) return 'incompatible volumeMode'
  if (!hasModes(volume, claim)) return 'incompatible accessMode'
  return undefined
}

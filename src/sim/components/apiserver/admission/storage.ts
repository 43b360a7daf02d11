// DefaultStorageClass, StorageObjectInUseProtection, PersistentVolumeClaimResize: plugin/pkg/admission/storage.
import { compareQuantities } from '../../../api/quantity.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { deny, isKind } from './helpers.ts'
import type { AdmissionPlugin } from './types.ts'

const CLASSES = 'storageclasses.storage.k8s.io'
const IS_DEFAULT = 'storageclass.kubernetes.io/is-default-class'
const IS_DEFAULT_BETA = 'storageclass.beta.kubernetes.io/is-default-class'
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class'

const isDefault = (c: KubeObject): boolean =>
  c.metadata.annotations?.[IS_DEFAULT] === 'true' || c.metadata.annotations?.[IS_DEFAULT_BETA] === 'true'

/** The newest one; of equally old ones the first by name. */
const newestFirst = (a: KubeObject, b: KubeObject): number => {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  if (x !== y) return x > y ? -1 : 1
  return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1
}

export const defaultStorageClass: AdmissionPlugin = {
  name: 'DefaultStorageClass',
  handles: (a) => isKind(a, '', 'persistentvolumeclaims') && a.subresource === '' && a.operation === 'CREATE',
  admit(a) {
    const claim = a.object as KubeObject
    if (claim.spec.storageClassName !== undefined || Object.hasOwn(claim.metadata.annotations ?? {}, CLASS_ANNOTATION)) return undefined
    const found = a.rq.view.list(CLASSES).filter(isDefault).sort(newestFirst)[0]
    if (!found) return undefined
    claim.spec.storageClassName = found.metadata.name
    return `storageClassName ${found.metadata.name}`
  },
}

const FINALIZERS: Readonly<Record<string, string>> = {
  persistentvolumes: 'kubernetes.io/pv-protection',
  persistentvolumeclaims: 'kubernetes.io/pvc-protection',
}

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  handles: (a) => a.group === '' && Object.hasOwn(FINALIZERS, a.resource) && a.subresource === '' && a.operation === 'CREATE',
  admit(a) {
    const { metadata } = a.object as KubeObject
    const finalizer = FINALIZERS[a.resource] as string
    if (metadata.finalizers?.includes(finalizer)) return undefined
    metadata.finalizers = [...(metadata.finalizers ?? []), finalizer]
    return `finalizer ${finalizer}`
  },
}

export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  handles: (a) => isKind(a, '', 'persistentvolumeclaims') && a.subresource === '' && a.operation === 'UPDATE',
  validate(a) {
    const [claim, old] = [a.object as KubeObject, a.old as KubeObject]
    const [next, before] = [claim.spec?.resources?.requests?.storage, old.spec?.resources?.requests?.storage]
    if (compareQuantities(next ?? '0', before ?? '0') <= 0) return
    if (old.status?.phase !== 'Bound') deny(a, 'Only bound persistent volume claims can be expanded')
    const className = claim.metadata.annotations?.[CLASS_ANNOTATION] ?? claim.spec.storageClassName
    const allowed = className && a.rq.view.get(CLASSES, undefined, className)?.allowVolumeExpansion === true
    if (!allowed)
      deny(a, 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize')
  },
}

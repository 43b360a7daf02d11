// v1 Namespace with its status and finalize doors (pkg/registry/core/namespace).
import { invalid, type FieldError } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { age, clusterMeta, invalidEach, isQualifiedName, keep, kubeFinalizerName, metaUpdate, nameIsDNSLabel } from './rules.ts'
import { put } from '../pod/maps.ts'
import type { KindStrategy } from '../strategy.ts'
import { namespaceColumns } from './columns.ts'

const nameLabel = 'kubernetes.io/metadata.name'
const kubernetesFinalizer = 'kubernetes'

export const validateFinalizerName = (value: string, field: string): FieldError[] => [
  ...invalidEach(field, value, isQualifiedName(value)),
  ...kubeFinalizerName(value, field),
]

function validate(o: KubeObject): FieldError[] {
  const errors = clusterMeta(o, nameIsDNSLabel)
  for (const finalizer of o.spec?.finalizers ?? []) errors.push(...validateFinalizerName(finalizer, 'spec.finalizers'))
  return errors
}

/** The name is also a label, whatever a client says. */
function labelWithName(o: KubeObject): void {
  if (!o.metadata.name) return
  o.metadata.labels ??= {}
  put(o.metadata.labels as { [key: string]: string }, nameLabel, o.metadata.name)
}

function validatePhase(o: KubeObject): FieldError[] {
  const phase = o.status?.phase ?? ''
  if (!o.metadata.deletionTimestamp) {
    return phase === 'Active' ? [] : [invalid('status.Phase', phase, "may only be 'Active' if `deletionTimestamp` is empty")]
  }
  return phase === 'Terminating' ? [] : [invalid('status.Phase', phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")]
}

export const namespace: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  resource: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  categories: [],
  namespaced: false,
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  allowUnconditionalUpdate: true,
  deleteReturnsObject: true,
  defaults(o) {
    o.spec ??= {}
    o.status ??= {}
    o.status.phase ||= 'Active'
    labelWithName(o)
  },
  prepareForCreate(o) {
    o.status = { phase: 'Active' }
    const finalizers: string[] = o.spec.finalizers ?? []
    o.spec.finalizers = finalizers.includes(kubernetesFinalizer) ? finalizers : [...finalizers, kubernetesFinalizer]
  },
  validate,
  canonicalize: labelWithName,
  prepareForUpdate(o, old) {
    if (old.spec?.finalizers === undefined) delete o.spec.finalizers
    else o.spec.finalizers = old.spec.finalizers
    keep(o, old, 'status')
  },
  validateUpdate: (o, old) => [...validate(o), ...metaUpdate(o, old)],
  // storage.go Delete: the first request only starts the termination; as long as spec.finalizers is not empty nothing more happens.
  beginDelete(o, now) {
    if (!o.metadata.deletionTimestamp) {
      return { store: { ...o, metadata: { ...o.metadata, deletionTimestamp: now }, status: { ...o.status, phase: 'Terminating' } } }
    }
    return (o.spec?.finalizers ?? []).length > 0 ? { answer: { code: 200, object: o } } : undefined
  },
  endsDeletion: (o, old) =>
    (o.spec?.finalizers ?? []).length === 0 &&
    old.metadata.deletionTimestamp !== undefined &&
    (old.metadata.deletionGracePeriodSeconds ?? 0) === 0,
  subresources: {
    finalize: {
      does: 'update',
      prepareForUpdate: (o, old) => keep(o, old, 'status'),
      validateUpdate: (o, old) => [
        ...metaUpdate(o, old),
        ...(o.spec?.finalizers ?? []).flatMap((f: string, i: number) => validateFinalizerName(f, `spec.finalizers[${i}]`)),
      ],
    },
    status: {
      does: 'update',
      prepareForUpdate: (o, old) => keep(o, old, 'spec'),
      validateUpdate: (o, old) => [...metaUpdate(o, old), ...validatePhase(o)],
    },
  },
  selectableFields: (o) => ({ 'status.phase': o.status?.phase ?? '', name: o.metadata.name ?? '' }),
  columns: namespaceColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', o.status?.phase ?? '', age(o, nowMs)],
}

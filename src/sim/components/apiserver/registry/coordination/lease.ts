// coordination.k8s.io/v1 Lease (pkg/registry/coordination/lease, pkg/apis/coordination/validation).
import { type FieldError, invalid } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { leaseColumns } from '../core/columns.ts'
import { age, nameIsDNSSubdomain, nonNegative, validateObjectMeta, validateObjectMetaUpdate } from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'

function validateSpec(o: KubeObject): FieldError[] {
  const duration: number | undefined = o.spec?.leaseDurationSeconds
  return [
    ...(duration !== undefined && duration <= 0 ? [invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0')] : []),
    ...nonNegative('spec.leaseTransitions', o.spec?.leaseTransitions),
  ]
}

/** Coordinated leader election is an alpha gate: its fields are dropped unless the stored Lease already has them. */
function dropCoordinated(o: KubeObject, old?: KubeObject): void {
  if (old?.spec?.strategy === undefined) delete o.spec.strategy
  if (old?.spec?.preferredHolder === undefined) delete o.spec.preferredHolder
}

export const lease: KindStrategy = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  resource: 'leases',
  singular: 'lease',
  shortNames: [],
  categories: [],
  namespaced: true,
  allowCreateOnUpdate: true,
  defaults(o) {
    o.spec ??= {}
  },
  prepareForCreate: (o) => dropCoordinated(o),
  validate: (o) => [...validateObjectMeta(o.metadata, true, nameIsDNSSubdomain, 'metadata'), ...validateSpec(o)],
  prepareForUpdate: dropCoordinated,
  validateUpdate: (o, old) => [...validateObjectMetaUpdate(o.metadata, old.metadata, 'metadata'), ...validateSpec(o)],
  columns: leaseColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', o.spec?.holderIdentity ?? '', age(o, nowMs)],
}

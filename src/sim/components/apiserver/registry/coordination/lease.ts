// coordination.k8s.io/v1 Lease (pkg/registry/coordination/lease, pkg/apis/coordination/validation).
import { type FieldError, forbidden, invalid, notSupported } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { leaseColumns } from '../core/columns.ts'
import {
  age,
  invalidEach,
  isQualifiedName,
  nameIsDNSSubdomain,
  nonNegative,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'

/** Only of Leases that had one when the gate was on. */
function validateStrategy(strategy: string | undefined): FieldError[] {
  if (strategy === undefined) return []
  const field = 'spec.strategy.strategy'
  return strategy.includes('/')
    ? invalidEach(field, strategy, isQualifiedName(strategy))
    : strategy === 'OldestEmulationVersion'
      ? []
      : [notSupported(field, strategy, ['OldestEmulationVersion'])]
}

function validateSpec(o: KubeObject): FieldError[] {
  const duration: number | undefined = o.spec?.leaseDurationSeconds
  return [
    ...(duration !== undefined && duration <= 0 ? [invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0')] : []),
    ...nonNegative('spec.leaseTransitions', o.spec?.leaseTransitions),
    ...validateStrategy(o.spec?.strategy),
    ...(o.spec?.preferredHolder && !o.spec.strategy
      ? [forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined')]
      : []),
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

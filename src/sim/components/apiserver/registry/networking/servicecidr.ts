// networking.k8s.io/v1 ServiceCIDR (pkg/registry/networking/servicecidr).
import type { FieldError } from '../../../../api/field.ts'
import { invalid, required } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { isValidCIDR, parseCIDR } from '../../../../api/validation/ip.ts'
import { nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { ageColumn, column, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import { ensureSpec } from '../apps/common.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../apps/objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'

const field = 'spec.cidrs'

function validateCIDRs(cidrs: readonly string[]): FieldError[] {
  if (cidrs.length === 0) return [required(field, 'at least one CIDR required')]
  if (cidrs.length > 2) {
    return [{ ...invalid(field, cidrs, 'may only hold up to 2 values'), badValueText: `{"CIDRs":${JSON.stringify(cidrs)}}` }]
  }
  const errors = cidrs.flatMap((cidr, i) => isValidCIDR(`${field}[${i}]`, cidr))
  const [first, second] = cidrs.map((c) => parseCIDR(c)?.family)
  if (first !== undefined && first === second) {
    errors.push(invalid(field, cidrs, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'))
  }
  return errors
}

/** Blocks never change; a second family may be added. */
function validateUpdate(draft: KubeObject, old: KubeObject): FieldError[] {
  const immutable = 'field is immutable'
  const before: readonly string[] = old.spec.cidrs ?? []
  const cidrs: readonly string[] = draft.spec.cidrs ?? []
  const errors = validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata')
  if (before.length === cidrs.length) {
    for (const [i, cidr] of before.entries()) if (cidr !== cidrs[i]) errors.push(invalid(`${field}[${i}]`, cidrs[i], immutable))
  } else if (before.length === 1 && cidrs.length === 2) {
    if (cidrs[0] !== before[0]) errors.push(invalid(`${field}[0]`, cidrs[0], immutable))
    errors.push(...validateCIDRs(cidrs))
  } else errors.push(invalid(field, draft.spec.cidrs ?? null, immutable))
  return errors
}

export const serviceCIDR: KindStrategy = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  resource: 'servicecidrs',
  singular: 'servicecidr',
  shortNames: [],
  categories: [],
  namespaced: false,
  allowUnconditionalUpdate: true,
  defaults: ensureSpec,
  validate: (draft) => [
    ...validateObjectMeta(draft.metadata, false, nameIsDNSSubdomain, 'metadata'),
    ...validateCIDRs(draft.spec.cidrs ?? []),
  ],
  validateUpdate,
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(draft, old) {
        draft.spec = old.spec
        // ResetObjectMetaForStatus
        for (const name of ['deletionTimestamp', 'generation', 'labels', 'annotations', 'finalizers', 'ownerReferences'] as const) {
          delete draft.metadata[name]
          if (old.metadata[name] !== undefined) Object.assign(draft.metadata, { [name]: old.metadata[name] })
        }
      },
      validateUpdate: (draft, old) => validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    },
  },
  columns: [
    nameColumn,
    column(
      'CIDRs',
      'string',
      'CIDRs defines the IP blocks in CIDR notation (e.g. "192.168.0.0/24" or "2001:db8::/64") from which to assign service cluster IPs. Max of two CIDRs is allowed, one of each IP family. This field is immutable.',
    ),
    ageColumn,
  ],
  row: ({ metadata, spec }, nowMs) => [
    metadata.name ?? '',
    (spec?.cidrs ?? []).join(','),
    translateTimestampSince(metadata.creationTimestamp, nowMs),
  ],
}

// resource.k8s.io/v1 ResourceClaim and ResourceClaimTemplate (pkg/registry/resource).
import type { FieldError } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { resourceClaimColumns, resourceClaimTemplateColumns } from '../core/columns.ts'
import { printMeta } from '../apps/gotemplate.ts'
import { age, immutable, keep, metaUpdate, namespacedMeta } from '../core/rules.ts'
import { validateTemplateMeta } from '../pod/claim.ts'
import { resetMeta } from '../pod/doors.ts'
import type { KindStrategy, RegistryView } from '../strategy.ts'
import { adminRequest, claimDefaults, claimSpecText, dropDisabledOfClaim, validateClaimSpec } from './claimspec.ts'
import { prepareClaimStatus, validateClaimStatus } from './claimstatus.ts'
import { adminAccess } from './rules.ts'

const group = {
  group: 'resource.k8s.io',
  version: 'v1',
  shortNames: [],
  categories: [],
  namespaced: true,
  deleteReturnsObject: true,
  allowUnconditionalUpdate: true,
} as const

const validateClaim = (o: KubeObject): FieldError[] => [...namespacedMeta(o), ...validateClaimSpec(o.spec, 'spec')]
const withAdmin = (o: KubeObject, asked: string | undefined, view: RegistryView): FieldError[] =>
  adminAccess(asked, o.metadata.namespace ?? '', view)

const state = (o: KubeObject): string => {
  const deleted = o.metadata.deletionTimestamp !== undefined
  if (!o.status?.allocation) return deleted ? 'deleted' : 'pending'
  return [...(deleted ? ['deleted'] : []), 'allocated', ...(o.status.reservedFor?.length ? ['reserved'] : [])].join(',')
}

export const resourceClaim: KindStrategy = {
  ...group,
  kind: 'ResourceClaim',
  resource: 'resourceclaims',
  singular: 'resourceclaim',
  defaults(o) {
    o.spec ??= {}
    o.spec.devices ??= {}
    o.status ??= {}
    claimDefaults(o.spec)
  },
  prepareForCreate(o) {
    o.status = {}
    dropDisabledOfClaim(o.spec)
  },
  validate: (o, view) => [...withAdmin(o, adminRequest(o.spec), view), ...validateClaim(o)],
  prepareForUpdate(o, old) {
    keep(o, old, 'status')
    dropDisabledOfClaim(o.spec)
  },
  validateUpdate: (o, old) => [...namespacedMeta(o), ...metaUpdate(o, old), ...immutable('spec', o.spec, old.spec, claimSpecText(o.spec))],
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(o, old) {
        keep(o, old, 'spec')
        resetMeta(o.metadata, old.metadata)
        prepareClaimStatus(o, old)
      },
      validateUpdate: validateClaimStatus,
    },
  },
  resetFields: (door) => (door === 'status' ? [['metadata'], ['spec']] : [['status']]),
  columns: resourceClaimColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', state(o), age(o, nowMs)],
}

const validateTemplate = (o: KubeObject): FieldError[] => [
  ...namespacedMeta(o),
  ...validateTemplateMeta(o.spec?.metadata ?? {}, 'spec.metadata'),
  ...validateClaimSpec(o.spec?.spec, 'spec.spec'),
]

const templateSpecText = (spec: KubeObject['spec']): string =>
  `{${[...printMeta(spec?.metadata), `"Spec":${claimSpecText(spec?.spec)}`].join(',')}}`

export const resourceClaimTemplate: KindStrategy = {
  ...group,
  kind: 'ResourceClaimTemplate',
  resource: 'resourceclaimtemplates',
  singular: 'resourceclaimtemplate',
  defaults(o) {
    o.spec ??= {}
    o.spec.metadata ??= {}
    o.spec.spec ??= {}
    o.spec.spec.devices ??= {}
    claimDefaults(o.spec.spec)
  },
  prepareForCreate: (o) => dropDisabledOfClaim(o.spec?.spec),
  validate: (o, view) => [...withAdmin(o, adminRequest(o.spec?.spec), view), ...validateTemplate(o)],
  prepareForUpdate: (o) => dropDisabledOfClaim(o.spec?.spec),
  validateUpdate: (o, old) => [
    ...validateTemplate(o),
    ...metaUpdate(o, old),
    ...immutable('spec', o.spec, old.spec, templateSpecText(o.spec)),
  ],
  columns: resourceClaimTemplateColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', age(o, nowMs)],
}

// networking.k8s.io/v1 IPAddress (pkg/registry/networking/ipaddress).
import type { FieldError } from '../../../../api/field.ts'
import { invalid, required } from '../../../../api/field.ts'
import type { ParentReference } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { isValidIP } from '../../../../api/validation/ip.ts'
import { isDNS1123Subdomain, validatePathSegmentName } from '../../../../api/validation/names.ts'
import { column, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import { immutable } from '../apps/common.ts'
import { printGoType } from '../apps/gotemplate.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../apps/objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { pathSegment } from './reference.ts'

/** The name is the address in canonical form. */
const validateName = (name: string): string[] => isValidIP('', name).map((e) => e.detail)

function validateParent(ref: ParentReference | undefined): FieldError[] {
  const field = 'spec.parentRef'
  if (ref === undefined) return [required(field)]
  const errors: FieldError[] = []
  if (ref.group) errors.push(...isDNS1123Subdomain(ref.group).map((m) => invalid(`${field}.group`, ref.group, m)))
  errors.push(...pathSegment(`${field}.resource`, ref.resource), ...pathSegment(`${field}.name`, ref.name))
  if (ref.namespace)
    errors.push(...validatePathSegmentName(ref.namespace, false).map((m) => invalid(`${field}.namespace`, ref.namespace, m)))
  return errors
}

const validate = (draft: KubeObject): FieldError[] => [
  ...validateObjectMeta(draft.metadata, false, validateName, 'metadata'),
  ...validateParent(draft.spec.parentRef),
]

function parentCell(ref: ParentReference | undefined): string {
  if (ref === undefined) return '<none>'
  const resource = `${ref.resource ?? ''}${ref.group ? `.${ref.group}` : ''}`.toLowerCase()
  return [resource, ...(ref.namespace ? [ref.namespace] : []), ref.name ?? ''].join('/')
}

export const ipAddress: KindStrategy = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  resource: 'ipaddresses',
  singular: 'ipaddress',
  shortNames: ['ip'],
  categories: [],
  namespaced: false,
  allowUnconditionalUpdate: true,
  defaults(draft: KubeObject): void {
    draft.metadata ??= {}
    draft.spec ??= {}
  },
  validate,
  validateUpdate: (draft, old) => [
    ...validate(draft),
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...immutable('spec.parentRef', draft.spec.parentRef, old.spec.parentRef).map((e) => ({
      ...e,
      badValueText: printGoType(draft.spec.parentRef, '*ParentReference'),
    })),
  ],
  selectableFields: ({ spec }) => ({
    'spec.parentRef.group': spec?.parentRef?.group ?? '',
    'spec.parentRef.resource': spec?.parentRef?.resource ?? '',
    'spec.parentRef.namespace': spec?.parentRef?.namespace ?? '',
    'spec.parentRef.name': spec?.parentRef?.name ?? '',
  }),
  // Upstream defines two columns and fills three cells.
  columns: [
    nameColumn,
    column(
      'ParentRef',
      'string',
      'ParentRef references the resource that an IPAddress is attached to. An IPAddress must reference a parent object.',
    ),
  ],
  row: ({ metadata, spec }, nowMs) => [
    metadata.name ?? '',
    parentCell(spec?.parentRef),
    translateTimestampSince(metadata.creationTimestamp, nowMs),
  ],
}

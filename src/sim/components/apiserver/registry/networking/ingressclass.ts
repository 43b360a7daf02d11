// networking.k8s.io/v1 IngressClass (pkg/registry/networking/ingressclass).
import type { FieldError } from '../../../../api/field.ts'
import { forbidden, invalid, notSupported, required, tooLong } from '../../../../api/field.ts'
import type { IngressClassParametersReference, IngressClassSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { nameIsDNSSubdomain, validateNamespaceName } from '../../../../api/validation/names.ts'
import { isDomainPrefixedPath } from '../../../../api/validation/paths.ts'
import { ageColumn, column, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import { immutable, semanticEqual } from '../apps/common.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../apps/objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { validateTypedLocalReference } from './reference.ts'

const maxControllerLength = 250
const scopes = ['Cluster', 'Namespace']

function validateParameters(parameters: IngressClassParametersReference | undefined, field: string): FieldError[] {
  if (parameters === undefined) return []
  const errors = validateTypedLocalReference(parameters, field)
  const { scope, namespace } = parameters
  if (scope === undefined) return [...errors, required(`${field}.scope`)]
  if (!scopes.includes(scope)) return [...errors, notSupported(`${field}.scope`, scope, scopes)]
  if (scope === 'Namespace') {
    if (namespace === undefined) errors.push(required(`${field}.namespace`, "`parameters.scope` is set to 'Namespace'"))
    else errors.push(...validateNamespaceName(namespace, false).map((m) => invalid(`${field}.namespace`, namespace, m)))
  } else if (namespace !== undefined) errors.push(forbidden(`${field}.namespace`, "`parameters.scope` is set to 'Cluster'"))
  return errors
}

function validate(draft: KubeObject): FieldError[] {
  const spec = draft.spec as IngressClassSpec
  const controller = spec.controller ?? ''
  const errors = validateObjectMeta(draft.metadata, false, nameIsDNSSubdomain, 'metadata')
  if (controller.length > maxControllerLength) errors.push(tooLong('spec.controller', maxControllerLength))
  errors.push(...isDomainPrefixedPath('spec.controller', controller))
  errors.push(...validateParameters(spec.parameters, 'spec.parameters'))
  return errors
}

function parametersCell(parameters: IngressClassParametersReference | undefined): string {
  if (parameters === undefined) return '<none>'
  return `${parameters.kind ?? ''}${parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`}/${parameters.name ?? ''}`
}

export const ingressClass: KindStrategy = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  resource: 'ingressclasses',
  singular: 'ingressclass',
  shortNames: [],
  categories: [],
  namespaced: false,
  allowUnconditionalUpdate: true,
  defaults(draft: KubeObject): void {
    draft.metadata ??= {}
    draft.spec ??= {}
    const parameters = draft.spec.parameters
    if (parameters !== undefined) parameters.scope ??= 'Cluster'
  },
  prepareForCreate(draft) {
    draft.metadata.generation = 1
  },
  validate,
  prepareForUpdate(draft, old) {
    if (!semanticEqual(draft.spec, old.spec)) draft.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validateUpdate: (draft, old) => [
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...immutable('spec.controller', draft.spec.controller ?? '', old.spec.controller ?? ''),
    ...validate(draft),
  ],
  columns: [
    nameColumn,
    column('Controller', 'string', 'Controller that is responsible for handling this class'),
    column('Parameters', 'string', 'A reference to a resource with additional parameters'),
    ageColumn,
  ],
  row: ({ metadata, spec }, nowMs) => [
    metadata.name ?? '',
    spec.controller ?? '',
    parametersCell(spec.parameters),
    translateTimestampSince(metadata.creationTimestamp, nowMs),
  ],
}

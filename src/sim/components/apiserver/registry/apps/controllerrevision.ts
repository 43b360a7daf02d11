// apps/v1 ControllerRevision (pkg/registry/apps/controllerrevision).
import type { FieldError } from '../../../../api/field.ts'
import { invalid, required } from '../../../../api/field.ts'
import { goJson } from '../../../../api/go-text.ts'
import type { OwnerReference } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from './objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { ageColumn, column, nameColumn, translateTimestampSince } from './columns.ts'
import { nonNegative, semanticEqual } from './common.ts'

const validateCommon = (draft: KubeObject): FieldError[] => [
  ...validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata'),
  ...nonNegative('revision', draft.revision),
]

function validateData(data: unknown): FieldError[] {
  if (data === undefined || data === null) return [required('data', 'data is mandatory')]
  return typeof data === 'object' && !Array.isArray(data) ? [] : [required('data', 'data must be a valid JSON object')]
}

/** `statefulset.apps/web` of the controlling owner. */
function controllerCell(owners: readonly OwnerReference[] | undefined): string {
  const owner = owners?.find((o) => o.controller === true)
  if (owner === undefined) return '<none>'
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
  return `${`${owner.kind}${group}`.toLowerCase()}/${owner.name}`
}

export const controllerRevision: KindStrategy = {
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  resource: 'controllerrevisions',
  singular: 'controllerrevision',
  shortNames: [],
  categories: [],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaults(draft: KubeObject): void {
    draft.metadata ??= {}
    draft.revision ??= 0
  },
  validate: (draft) => [...validateCommon(draft), ...validateData(draft.data)],
  validateUpdate: (draft, old) => [
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...validateCommon(draft),
    ...(semanticEqual(draft.data, old.data)
      ? []
      : [{ ...invalid('data', draft.data, 'field is immutable'), badValueText: goJson(draft.data, false) }]),
  ],
  columns: [
    nameColumn,
    column('Controller', 'string', 'Controller of the object'),
    column('Revision', 'string', 'revision indicates the revision of the state represented by Data.'),
    ageColumn,
  ],
  row: (object, nowMs) => [
    object.metadata.name ?? '',
    controllerCell(object.metadata.ownerReferences),
    object.revision ?? 0,
    translateTimestampSince(object.metadata.creationTimestamp, nowMs),
  ],
}

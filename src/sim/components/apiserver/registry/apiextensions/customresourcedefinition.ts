// CustomResourceDefinition: apiextensions-apiserver pkg/registry/customresourcedefinition, pkg/apis/apiextensions/v1/defaults.go.
import { goQuote } from '../../../../api/go-text.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { defaultColumns, defaultRow, keep, semanticEqual } from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'
import { isKnownFormat } from '../../../../api/cel/formats.ts'
import { CLEANUP_FINALIZER, type CrdCondition, statusOf, withCondition } from './names.ts'
import { readSchema, schemaHas } from './schema.ts'
import { internalSpec, type Spec } from './spec.ts'
import { validateDefinition, validateDefinitionStatusUpdate, validateDefinitionUpdate } from './validation.ts'

interface Draft {
  spec?: {
    names?: { singular?: string; kind?: string; listKind?: string; plural?: string }
    conversion?: { strategy?: string; webhook?: { clientConfig?: { service?: { port?: number } } } }
    versions?: { name?: string; storage?: boolean; schema?: { openAPIV3Schema?: object } }[]
  }
  status?: { storedVersions?: string[]; conditions?: unknown[] | null; acceptedNames?: { kind?: string; plural?: string } }
}

function defaults(object: KubeObject): void {
  const draft = object as unknown as Draft
  draft.spec ??= {}
  const { spec } = draft
  spec.names ??= {}
  const { names } = spec
  names.plural ??= ''
  names.kind ??= ''
  if (!names.singular && names.kind) names.singular = names.kind.toLowerCase()
  if (!names.listKind && names.kind) names.listKind = `${names.kind}List`
  spec.conversion ??= { strategy: 'None' }
  const service = spec.conversion.webhook?.clientConfig?.service
  if (service) service.port ??= 443
  for (const v of spec.versions ?? []) {
    v.name ??= ''
    if (v.schema?.openAPIV3Schema) v.schema = { ...v.schema, openAPIV3Schema: readSchema(v.schema.openAPIV3Schema) }
  }
  draft.status ??= {}
  draft.status.acceptedNames ??= {}
  draft.status.acceptedNames.kind ??= ''
  draft.status.acceptedNames.plural ??= ''
  draft.status.conditions ??= null
  if (!draft.status.storedVersions?.length) storeVersions(draft)
}

/** The storage version is always among the stored ones. */
function storeVersions(draft: Draft): void {
  const storage = draft.spec?.versions?.find((v) => v.storage)?.name
  if (storage === undefined || !draft.status) return
  const stored = draft.status.storedVersions ?? []
  if (!stored.includes(storage)) draft.status = { ...draft.status, storedVersions: [...stored, storage] }
}

/** Formats that no version of the API knows, per schema that is stored (shared ones count once). */
function unrecognizedFormats(spec: Spec): string[] {
  const found: string[] = []
  for (const schema of [spec.validation?.openAPIV3Schema, ...spec.versions.map((v) => v.schema?.openAPIV3Schema)]) {
    schemaHas(schema, (s) => {
      if (s.format && s.type === 'string' && !isKnownFormat(s.format)) found.push(s.format)
      return false
    })
  }
  return found
}

const TERMINATING: CrdCondition = {
  type: 'Terminating',
  status: 'True',
  reason: 'InstanceDeletionPending',
  message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
}

const formatWarning = (format: string): string => `unrecognized format ${goQuote(format)}`

export const customResourceDefinition: KindStrategy = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  resource: 'customresourcedefinitions',
  singular: 'customresourcedefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  deleteReturnsObject: true,
  defaults,
  prepareForCreate(draft) {
    draft.metadata.generation = 1
    draft.status = { acceptedNames: { kind: '', plural: '' }, conditions: null }
    storeVersions(draft as unknown as Draft)
  },
  validate: validateDefinition,
  createWarnings: (draft) => unrecognizedFormats(internalSpec(draft.spec)).map(formatWarning),
  prepareForUpdate(draft, old) {
    keep(draft, old, 'status')
    if (!semanticEqual(draft.spec, old.spec)) draft.metadata.generation = (old.metadata.generation ?? 0) + 1
    storeVersions(draft as unknown as Draft)
  },
  validateUpdate: validateDefinitionUpdate,
  warnings(draft, old) {
    const before = new Set(unrecognizedFormats(internalSpec(old.spec)))
    return unrecognizedFormats(internalSpec(draft.spec))
      .filter((f) => !before.has(f))
      .map(formatWarning)
  },
  beginDelete(object, now) {
    if (object.metadata.deletionTimestamp) return undefined
    const finalizers = object.metadata.finalizers ?? []
    const conditions = withCondition(statusOf(object).conditions, TERMINATING, now)
    return {
      store: {
        ...object,
        metadata: {
          ...object.metadata,
          deletionTimestamp: now,
          finalizers: finalizers.includes(CLEANUP_FINALIZER) ? finalizers : [...finalizers, CLEANUP_FINALIZER],
        },
        status: { ...(object.status as object), conditions },
      },
    }
  },
  subresources: {
    status: {
      does: 'update',
      // upstream resets the metadata to its own new values: this door writes them
      prepareForUpdate: (draft, old) => keep(draft, old, 'spec'),
      validateUpdate: validateDefinitionStatusUpdate,
    },
  },
  columns: defaultColumns,
  row: defaultRow,
}

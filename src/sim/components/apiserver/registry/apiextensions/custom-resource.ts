// Kinds from definitions: apiextensions-apiserver pkg/registry/customresource.
import { deepEqual } from '../../../../../lib/compare.ts'
import { getOwn, isRecord } from '../../../../../lib/own.ts'
import { ok, type Result } from '../../../../../lib/result.ts'
import { decodeTree, type FieldValidation } from '../../../../api/decode.ts'
import { type FieldError, invalid } from '../../../../api/field.ts'
import { goQuote, goValue } from '../../../../api/go-text.ts'
import { schemaFor } from '../../../../api/schema/index.ts'
import { parseRFC3339, translateTimestampSince } from '../../../../api/time.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { isQualifiedName, nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../../../../api/validation/objectmeta.ts'
import { defaultColumns } from '../core/rules.ts'
import type { Column, KindStrategy, RegistryView, Subresource } from '../strategy.ts'
import type { Correlated } from './correlate.ts'
import { childByKey } from './correlate.ts'
import { coerce, validateEmbedded } from './embedded.ts'
import { findJsonPath, type JsonPath, parseJsonPath, printValue } from './jsonpath.ts'
import { validateLists } from './listtype.ts'
import { CLEANUP_FINALIZER, conditionOf, statusOf } from './names.ts'
import { applyDefaults, prune, pruneNulls } from './pruning.ts'
import { objectRules } from './rules.ts'
import { type JSONSchemaProps, propertyOf } from './schema.ts'
import type { Spec, Version } from './spec.ts'
import { validateValue } from './validator.ts'
import { compareVersions } from './version-order.ts'

export { CLEANUP_FINALIZER }

/** One version of a definition, ready for use. */
interface CustomVersion {
  name: string
  apiVersion: string
  schema?: JSONSchemaProps
  prunes: boolean
  hasStatus: boolean
  scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }
  deprecation?: string
  rules: ReturnType<typeof objectRules>
  columns: readonly Column[]
  cells: readonly ({ type: string; path: JsonPath } | undefined)[]
  selectable: readonly { name: string; path?: JsonPath }[]
}

const AGE_DESCRIPTION = defaultColumns[1]?.description ?? ''
const NAME_COLUMN = defaultColumns[0] as Column

const specOf = (crd: KubeObject): Spec => crd.spec as Spec

/** Names the newest served version that is not deprecated and newer than this one. */
function defaultDeprecation(spec: Spec, version: string): string {
  const better = spec.versions.filter((v) => v.served && !v.deprecated && compareVersions(version, v.name) < 0).map((v) => v.name)
  const [best] = better.sort((a, b) => compareVersions(b, a))
  return `${spec.group}/${version} ${spec.names.kind} is deprecated${best === undefined ? '' : `; use ${spec.group}/${best} ${spec.names.kind}`}`
}

function readVersion(crd: KubeObject, version: Version): CustomVersion {
  const spec = specOf(crd)
  const schema = version.schema?.openAPIV3Schema
  const given = version.additionalPrinterColumns?.length
    ? version.additionalPrinterColumns
    : [{ name: 'Age', type: 'date', description: AGE_DESCRIPTION, jsonPath: '.metadata.creationTimestamp' }]
  const columns: Column[] = [NAME_COLUMN]
  const cells: { type: string; path: JsonPath }[] = []
  for (const c of given) {
    const path = parseJsonPath(c.jsonPath)
    if (!path.value) break
    const { format, priority } = c as { format?: string; priority?: number }
    columns.push({
      name: c.name,
      type: c.type as Column['type'],
      ...(format ? { format } : {}),
      description: c.description || `Custom resource definition column (in JSONPath format): ${c.jsonPath}`,
      priority: priority ?? 0,
    })
    cells.push({ type: c.type, path: path.value })
  }
  return {
    name: version.name,
    apiVersion: `${spec.group}/${version.name}`,
    ...(schema ? { schema } : {}),
    prunes: spec.preserveUnknownFields !== true,
    hasStatus: version.subresources?.status !== undefined,
    ...(version.subresources?.scale ? { scale: version.subresources.scale } : {}),
    ...(version.deprecated ? { deprecation: version.deprecationWarning ?? defaultDeprecation(spec, version.name) } : {}),
    rules: objectRules(schema),
    columns,
    cells,
    selectable: (version.selectableFields ?? []).map(({ jsonPath }) => {
      const path = parseJsonPath(jsonPath)
      return { name: jsonPath.replace(/^\./, ''), ...(path.value ? { path: path.value } : {}) }
    }),
  }
}

const versionsRead = new WeakMap<object, CustomVersion>()
function customVersion(crd: KubeObject, name: string): CustomVersion | undefined {
  const version = specOf(crd).versions.find((v) => v.name === name)
  if (!version) return undefined
  let read = versionsRead.get(version)
  if (!read) {
    read = readVersion(crd, version)
    versionsRead.set(version, read)
  }
  return read
}

/** Prunes, coerces and defaults in place; returns the paths of unknown fields. `metadata` is already what ObjectMeta knows. */
function shape(v: CustomVersion, object: KubeObject): { unknown: string[]; error?: FieldError } {
  const { metadata } = object
  const unknown: string[] = []
  if (v.prunes) {
    unknown.push(...prune(object, v.schema, true))
    pruneNulls(object, v.schema)
  }
  const below: string[] = []
  const error = coerce('', object, v.schema, false, { dropInvalid: false, unknown: below })
  if (error) return { unknown, error }
  unknown.push(...below.sort())
  applyDefaults(object, v.schema)
  object.metadata = metadata
  return { unknown }
}

export interface DecodedCustom {
  object: KubeObject
  /** Complaints about unknown and duplicate fields, as Go writes them. */
  strictErrors: readonly string[]
}

/** A body that names this group and version as an object of the definition; the error is Go's. Bodies of other kinds are not pruned: validation refuses them. */
export function decodeCustom(
  crd: KubeObject,
  version: string,
  kind: string,
  tree: unknown,
  fieldValidation: FieldValidation = 'Warn',
): Result<DecodedCustom> {
  const v = customVersion(crd, version)
  const metaSchema = schemaFor('', 'v1', 'ConfigMap')?.fields?.().get('metadata')?.schema
  if (!v || !metaSchema) throw new Error(`no version ${version} in ${crd.metadata.name}`)
  const whole = decodeTree(tree, { type: 'any', goType: 'interface {}' }, fieldValidation)
  if (whole.error !== undefined) return whole
  const object = { ...(whole.value.value as object) } as KubeObject
  const metadata = decodeTree(
    isRecord(object) ? (object as unknown as Record<string, unknown>).metadata : undefined,
    metaSchema,
    fieldValidation,
  )
  if (metadata.error !== undefined) return metadata
  object.metadata = (metadata.value.value ?? {}) as KubeObject['metadata']
  const strictErrors = [
    ...whole.value.strictErrors,
    ...metadata.value.strictErrors.map((e) => e.replace(/^(unknown field|duplicate field) "/, '$1 "metadata.')),
  ]
  if (kind === kindOf(crd)) {
    const { unknown, error } = shape(v, object)
    if (error) return { error: `${error.field}: Invalid value: ${goValue(error.badValue)}: ${error.detail}` }
    if (fieldValidation !== 'Ignore') strictErrors.push(...unknown.map((path) => `unknown field "${path}"`))
  }
  return ok({ object, strictErrors: fieldValidation === 'Ignore' ? [] : strictErrors })
}

const kindOf = (crd: KubeObject): string => statusOf(crd).acceptedNames?.kind || specOf(crd).names.kind

const goTypeOf = (value: unknown): string => {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

/** unstructured.NestedInt64 and NestedString: undefined if absent, a complaint if of another type. */
function nested(object: unknown, path: string, type: 'int64' | 'string'): { value?: unknown; problem?: string } {
  const fields = path.replace(/^\./, '').split('.')
  let at = object
  const wrong = (n: number, expected: string): { problem: string } => ({
    problem: `.${fields.slice(0, n).join('.')} accessor error: ${goValue(at)} is of the type ${goTypeOf(at)}, expected ${expected}`,
  })
  for (const [i, field] of fields.entries()) {
    if (at === null || at === undefined) return {}
    if (!isRecord(at)) return wrong(i + 1, 'map[string]interface{}')
    if (!Object.hasOwn(at, field)) return {}
    at = getOwn(at, field)
  }
  return goTypeOf(at) === type ? { value: at } : wrong(fields.length, type)
}

const MAX_INT32 = 2147483647

function scaleErrors(v: CustomVersion, object: KubeObject, ofSpec: boolean): FieldError[] {
  if (!v.scale) return []
  const replicas = (path: string): FieldError[] => {
    const { value, problem } = nested(object, path, 'int64')
    if (problem) return [invalid(path, 0, problem)]
    const n = (value ?? 0) as number
    if (n < 0) return [invalid(path, n, 'should be a non-negative integer')]
    return n > MAX_INT32 ? [invalid(path, n, `should be less than or equal to ${MAX_INT32}`)] : []
  }
  const errors = [...(ofSpec ? replicas(v.scale.specReplicasPath) : []), ...replicas(v.scale.statusReplicasPath)]
  const { labelSelectorPath: selector } = v.scale
  if (selector !== undefined) {
    const { problem } = nested(object, selector, 'string')
    if (problem) errors.push(invalid(selector, '', problem))
  }
  return errors
}

const BLOCKING = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])

function withRules(
  v: CustomVersion,
  errors: FieldError[],
  object: KubeObject,
  old: KubeObject | undefined,
  warn?: (text: string) => void,
): FieldError[] {
  if (!v.rules) return errors
  if (errors.some((e) => BLOCKING.has(e.type))) {
    return [
      ...errors,
      invalid(
        '<nil>',
        null,
        'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
      ),
    ]
  }
  return [...errors, ...v.rules.validate(object, old, warn)]
}

const standardFinalizers = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

function finalizerWarnings(object: KubeObject, old?: KubeObject): string[] {
  const before = new Set(old?.metadata.finalizers ?? [])
  const added = [...new Set(object.metadata.finalizers ?? [])].filter((f) => !before.has(f)).sort()
  return added.flatMap((f) => {
    const say = (text: string): string => `metadata.finalizers: ${goQuote(f)}: ${text}`
    const warnings = isQualifiedName(f).map(say)
    if (f.includes('/') || standardFinalizers.has(f)) return warnings
    const path = f.includes('.')
      ? 'prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers'
      : 'prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers'
    return [...warnings, say(path)]
  })
}

function cell(type: string, path: JsonPath, object: KubeObject, nowMs: number): string | number | boolean | null {
  const found = findJsonPath(path, object)
  if (!found || found.length === 0) return null
  const value = found[0]
  if (type === 'string') return printValue(value)
  if (type === 'integer') return typeof value === 'number' ? Math.trunc(value) : null
  if (type === 'number') return typeof value === 'number' ? value : null
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  if (type !== 'date' || typeof value !== 'string') return null
  if (value === '' || value === 'null') return translateTimestampSince(undefined, nowMs)
  return parseRFC3339(value).error === undefined ? translateTimestampSince(value, nowMs) : '<invalid>'
}

const nonMetadata = ({ metadata: _, ...rest }: KubeObject): unknown => rest

/** Whether objects of the definition can be asked for. */
export const isServed = (crd: KubeObject): boolean => conditionOf(crd, 'Established')?.status === 'True'

/** The storage version of a definition, with its other served versions beside it. */
export function customStrategy(crd: KubeObject): KindStrategy | undefined {
  const storage = specOf(crd).versions.find((v) => v.storage)
  return storage && customResourceStrategy(crd, storage.name)
}

/**
 * `version` is the one that objects are stored in. Requests for another served version are checked by that version's schema
 * (RegistryView.requestVersion); without a conversion webhook, which is not simulated, versions differ in their apiVersion only.
 */
export function customResourceStrategy(crd: KubeObject, version: string): KindStrategy {
  const spec = specOf(crd)
  const own = customVersion(crd, version)
  if (!own) throw new Error(`no version ${version} in ${crd.metadata.name}`)
  const names = { ...spec.names, ...(statusOf(crd).acceptedNames?.kind ? statusOf(crd).acceptedNames : {}) }
  const namespaced = spec.scope === 'Namespaced'
  const others = spec.versions.filter((v) => v.name !== version && v.served).flatMap((v) => customVersion(crd, v.name) ?? [])
  const asked = (view: RegistryView): CustomVersion => others.find((v) => v.apiVersion === view.requestVersion) ?? own
  const seenAs = (v: CustomVersion, object: KubeObject): KubeObject =>
    v === own || object.apiVersion !== own.apiVersion ? object : { ...object, apiVersion: v.apiVersion }

  const typeErrors = (v: CustomVersion, object: KubeObject): FieldError[] => [
    ...(object.kind === names.kind ? [] : [invalid('kind', object.kind ?? '', `must be ${names.kind}`)]),
    ...(object.apiVersion === v.apiVersion ? [] : [invalid('apiVersion', object.apiVersion ?? '', `must be ${v.apiVersion}`)]),
  ]
  const correlated = (v: CustomVersion, object: KubeObject, old: KubeObject): Correlated | undefined =>
    v.schema && { value: object, old, schema: v.schema }
  const newListErrors = (v: CustomVersion, object: KubeObject, old: KubeObject): FieldError[] =>
    validateLists('', v.schema, old).length > 0 ? [] : validateLists('', v.schema, object)

  const subresources: Record<string, Subresource> = {}
  if (own.hasStatus) {
    subresources.status = {
      does: 'update',
      prepareForUpdate(draft, old) {
        const { status } = draft
        const { managedFields } = draft.metadata
        const hasStatus = Object.hasOwn(draft, 'status')
        for (const k of Object.keys(draft)) if (k !== 'metadata') delete (draft as unknown as Record<string, unknown>)[k]
        Object.assign(draft, {
          ...old,
          metadata: { ...old.metadata, ...(draft.metadata.resourceVersion ? { resourceVersion: draft.metadata.resourceVersion } : {}) },
        })
        if (managedFields) draft.metadata.managedFields = managedFields
        else delete draft.metadata.managedFields
        if (hasStatus) draft.status = status
        else delete draft.status
      },
      validateUpdate(draft, old, view) {
        const v = asked(view)
        const [object, before] = [seenAs(v, draft), seenAs(v, old)]
        const types = typeErrors(v, object)
        if (types.length > 0) return types
        const errors = validateObjectMetaUpdate(object.metadata, before.metadata)
        const schema = propertyOf(v.schema, 'status')
        if (schema && Object.hasOwn(object, 'status')) {
          errors.push(
            ...validateValue('status', object.status, schema, { asDefinition: true }, childByKey(correlated(v, object, before), 'status')),
          )
        }
        errors.push(...scaleErrors(v, object, false), ...newListErrors(v, object, before))
        return withRules(v, errors, object, before)
      },
    }
  }
  if (own.scale) {
    const { labelSelectorPath: selector } = own.scale
    subresources.scale = {
      does: 'scale',
      specReplicasPath: own.scale.specReplicasPath,
      statusReplicasPath: own.scale.statusReplicasPath,
      selector: (object) => ((selector && nested(object, selector, 'string').value) || '') as string,
    }
  }
  return {
    group: spec.group,
    version,
    kind: names.kind,
    resource: names.plural || spec.names.plural,
    singular: names.singular ?? '',
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced,
    verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'],
    alsoServedAs: others.map((v) => ({
      group: spec.group,
      version: v.name,
      toServed: (object) => ({ ...object, apiVersion: v.apiVersion }),
      fromServed: (object) => ({ ...object, apiVersion: own.apiVersion }),
      defaults: (draft) => {
        shape(v, draft)
      },
    })),
    defaults(draft) {
      if (draft.kind === names.kind) shape(own, draft)
    },
    prepareForCreate(draft) {
      if (own.hasStatus) delete draft.status
      draft.metadata.generation = 1
    },
    validate(draft, view) {
      const v = asked(view)
      const object = seenAs(v, draft)
      const types = typeErrors(v, object)
      if (types.length > 0) return types
      const errors = [
        ...validateObjectMeta(object.metadata, namespaced, nameIsDNSSubdomain),
        ...(v.schema ? validateValue(undefined, object, v.schema, { asDefinition: true }) : []),
        ...scaleErrors(v, object, true),
        ...validateEmbedded('', object, v.schema, false),
        ...validateLists('', v.schema, object),
      ]
      return withRules(v, errors, object, undefined)
    },
    createWarnings: (draft) => finalizerWarnings(draft),
    prepareForUpdate(draft, old) {
      if (own.hasStatus) {
        if (Object.hasOwn(old, 'status')) draft.status = old.status
        else delete draft.status
      }
      if (!deepEqual(nonMetadata(draft), nonMetadata(old))) draft.metadata.generation = (old.metadata.generation ?? 0) + 1
    },
    validateUpdate(draft, old, view) {
      const v = asked(view)
      const [object, before] = [seenAs(v, draft), seenAs(v, old)]
      const types = typeErrors(v, object)
      if (types.length > 0) return types
      const errors = [
        ...validateObjectMetaUpdate(object.metadata, before.metadata),
        ...(v.schema ? validateValue(undefined, object, v.schema, { asDefinition: true }, correlated(v, object, before)) : []),
        ...scaleErrors(v, object, true),
        ...validateEmbedded('', object, v.schema, false),
        ...newListErrors(v, object, before),
      ]
      return withRules(v, errors, object, before)
    },
    warnings: (draft, old) => finalizerWarnings(draft, old),
    ...(Object.keys(subresources).length > 0 ? { subresources } : {}),
    ...(own.selectable.length > 0
      ? {
          selectableFields(object) {
            const found: Record<string, string> = {}
            for (const { name, path } of own.selectable) {
              const value = path && findJsonPath(path, object)?.[0]
              found[name] = value === undefined || value === null ? '' : printValue(value)
            }
            return found
          },
        }
      : {}),
    columns: own.columns,
    row: (object, nowMs) => [object.metadata.name ?? '', ...own.cells.map((c) => (c ? cell(c.type, c.path, object, nowMs) : null))],
  }
}

/** The warning that requests for a deprecated version get, if it is one. */
export const deprecationWarning = (crd: KubeObject, version: string): string | undefined => customVersion(crd, version)?.deprecation

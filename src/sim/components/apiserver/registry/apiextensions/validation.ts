// Definitions of custom resources: apiextensions-apiserver pkg/apis/apiextensions/validation/validation.go.
import { deepEqual } from '../../../../../lib/compare.ts'
import { cloneJson, getOwn } from '../../../../../lib/own.ts'
import { duplicate, type FieldError, forbidden, invalid, notSupported, required, tooMany } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { isDNS1035Label, isDNS1123Subdomain, nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { validateImmutableField, validateObjectMeta, validateObjectMetaUpdate } from '../../../../api/validation/objectmeta.ts'
import { byteLength, semanticEqual } from '../core/rules.ts'
import { approvalState } from './approval.ts'
import { validFieldPath } from './fieldpath.ts'
import { OPENAPI_TYPES, type SchemaOptions, validateMapListKeysMapSet, validateOpenAPISchema } from './openapi-schema.ts'
import { prune } from './pruning.ts'
import { type CrdRules, crdRules } from './rules.ts'
import {
  child,
  hasDefault,
  isIntOrString,
  itemSchema,
  type JSONSchemaProps,
  key,
  listType,
  mapType,
  notConvertible,
  schemaHas,
  schemaText,
  setFields,
} from './schema.ts'
import { validateDefaults } from './schema-defaults.ts'
import {
  type CustomResourceColumnDefinition,
  type CustomResourceConversion,
  type CustomResourceDefinitionNames,
  type CustomResourceSubresources,
  internalSpec,
  type SelectableField,
  type Spec,
  type Version,
  versionsText,
} from './spec.ts'
import { isNonStructural, validateStructural } from './structural.ts'
import { validateCABundle, validateWebhookService, validateWebhookURL } from './webhook.ts'

interface Options extends SchemaOptions {
  requireRecognizedConversionReviewVersion: boolean
  requireImmutableNames: boolean
  requireOpenAPISchema: boolean
  requireStructuralSchema: boolean
  requirePrunedDefaults: boolean
  allowInvalidCABundle: boolean
  /** Versions ('' for all of them) that had too many selectable fields before, and the same. */
  allowTooManySelectableFields: ReadonlySet<string>
  rules: CrdRules
}

const MAX_SELECTABLE_FIELDS = 8
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const AT_ROOT = [
  'Description',
  'Type',
  'Format',
  'Title',
  'Maximum',
  'ExclusiveMaximum',
  'Minimum',
  'ExclusiveMinimum',
  'MaxLength',
  'MinLength',
  'Pattern',
  'MaxItems',
  'MinItems',
  'UniqueItems',
  'MultipleOf',
  'Required',
  'Items',
  'Properties',
  'ExternalDocs',
  'Example',
  'XPreserveUnknownFields',
  'XValidations',
]

const schemaOf = (v: { schema?: Version['schema'] }): JSONSchemaProps | undefined => v.schema?.openAPIV3Schema
const schemasOf = (spec: Spec): JSONSchemaProps[] =>
  [spec.validation?.openAPIV3Schema, ...spec.versions.map(schemaOf)].filter((s) => s !== undefined)
const someSchema = (spec: Spec, pred: (s: JSONSchemaProps) => boolean): boolean => schemasOf(spec).some((s) => schemaHas(s, pred))

export const isConditionTrue = (crd: KubeObject, type: string): boolean =>
  ((crd.status as { conditions?: { type: string; status: string }[] } | undefined)?.conditions ?? []).find((c) => c.type === type)
    ?.status === 'True'

export function validateDefinition(crd: KubeObject): FieldError[] {
  const spec = internalSpec(crd.spec)
  const name = (value: string, prefix: boolean): string[] => [
    ...nameIsDNSSubdomain(value, prefix),
    ...(value === `${spec.names.plural}.${spec.group}` ? [] : ['must be spec.names.plural+"."+spec.group']),
  ]
  const options: Options = {
    requireRecognizedConversionReviewVersion: true,
    requireImmutableNames: false,
    requireOpenAPISchema: true,
    requireValidPropertyType: true,
    requireStructuralSchema: true,
    requirePrunedDefaults: true,
    requireAtomicSetType: true,
    requireMapListKeysMapSetValidation: true,
    allowInvalidCABundle: true,
    allowTooManySelectableFields: new Set(),
    rules: crdRules(),
  }
  return [...validateObjectMeta(crd.metadata, false, name), ...validateSpec(spec, options), ...validateRest(crd, spec)]
}

export function validateDefinitionUpdate(crd: KubeObject, oldCrd: KubeObject): FieldError[] {
  const spec = internalSpec(crd.spec)
  const old = internalSpec(oldCrd.spec)
  const reviewVersions = old.conversion?.webhook?.conversionReviewVersions ?? []
  const caBundle = old.conversion?.webhook?.clientConfig?.caBundle
  const options: Options = {
    requireRecognizedConversionReviewVersion: reviewVersions.length === 0 || reviewVersions.some(isAcceptedReviewVersion),
    requireImmutableNames: isConditionTrue(oldCrd, 'Established'),
    requireOpenAPISchema: old.validation?.openAPIV3Schema !== undefined || old.versions.every((v) => schemaOf(v) !== undefined),
    requireValidPropertyType: !someSchema(old, (s) => !!s.type && !OPENAPI_TYPES.includes(s.type)),
    requireStructuralSchema: !schemasOf(old).some(isNonStructural),
    requirePrunedDefaults: !schemasOf(old).some(hasUnprunedDefaults),
    requireAtomicSetType: !someSchema(old, hasNonAtomicSet),
    requireMapListKeysMapSetValidation: !someSchema(old, (s) => validateMapListKeysMapSet(s, '').length > 0),
    allowInvalidCABundle: !isConditionTrue(oldCrd, 'Established') || (!!caBundle && validateCABundle('caBundle', caBundle).length > 0),
    allowTooManySelectableFields: tooManyBefore(spec, old),
    rules: crdRules(),
  }
  const errors = [...validateObjectMetaUpdate(crd.metadata, oldCrd.metadata), ...validateSpec(spec, options)]
  if (options.requireImmutableNames)
    errors.push(
      ...validateImmutableField(spec.scope, old.scope, 'spec.scope'),
      ...validateImmutableField(spec.names.kind, old.names.kind, 'spec.names.kind'),
    )
  errors.push(
    ...validateImmutableField(spec.group, old.group, 'spec.group'),
    ...validateImmutableField(spec.names.plural, old.names.plural, 'spec.names.plural'),
  )
  return [...errors, ...validateRest(crd, spec, oldCrd)]
}

export const validateDefinitionStatusUpdate = (crd: KubeObject, old: KubeObject): FieldError[] => [
  ...validateObjectMetaUpdate(crd.metadata, old.metadata),
  ...validateAcceptedNames(crd),
]

const validateAcceptedNames = (crd: KubeObject): FieldError[] =>
  validateNames((crd.status as { acceptedNames?: CustomResourceDefinitionNames } | undefined)?.acceptedNames, 'status.acceptedNames')

function validateRest(crd: KubeObject, spec: Spec, old?: KubeObject): FieldError[] {
  return [
    ...validateAcceptedNames(crd),
    ...validateStoredVersions((crd.status as { storedVersions?: string[] } | undefined)?.storedVersions ?? [], spec.versions),
    ...validateApproval(crd, old),
    ...(spec.preserveUnknownFields && !(old && internalSpec(old.spec).preserveUnknownFields)
      ? [
          invalid(
            'spec.preserveUnknownFields',
            true,
            'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
          ),
        ]
      : []),
  ]
}

function validateStoredVersions(stored: readonly string[], versions: readonly Version[]): FieldError[] {
  const path = 'status.storedVersions'
  if (stored.length === 0) return [invalid(path, null, 'must have at least one stored version')]
  const missing = new Map(stored.map((v, i) => [v, i]))
  const errors: FieldError[] = []
  for (const v of versions) {
    if (v.storage && !missing.has(v.name)) errors.push(invalid(path, stored, `must have the storage version ${v.name}`))
    missing.delete(v.name)
  }
  for (const [v, i] of missing) {
    errors.push(
      invalid(
        key(path, String(i)),
        v,
        `missing from spec.versions; ${v} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${v} and removes ${v} from status.storedVersions`,
      ),
    )
  }
  return errors
}

function validateApproval(crd: KubeObject, old: KubeObject | undefined): FieldError[] {
  const state = approvalState(crd)
  if (!state || (old && approvalState({ ...crd, metadata: old.metadata })?.state === state.state)) return []
  const field = 'metadata.annotations[api-approved.kubernetes.io]'
  if (state.state === 'invalid') return [invalid(field, getOwn(crd.metadata.annotations, 'api-approved.kubernetes.io') ?? '', state.reason)]
  return state.state === 'missing' ? [required(field, state.reason)] : []
}

function hasNonAtomicSet(s: JSONSchemaProps): boolean {
  const items = itemSchema(s)
  if (listType(s) !== 'set' || !items) return false
  return items.type === 'array' ? (listType(items) ?? 'atomic') !== 'atomic' : items.type === 'object' && mapType(items) !== 'atomic'
}

const hasUnprunedDefaults = (schema: JSONSchemaProps): boolean =>
  !isNonStructural(schema) &&
  schemaHas(schema, (s) => {
    if (!hasDefault(s)) return false
    const pruned = cloneJson(s.default)
    prune(pruned, s, s['x-kubernetes-embedded-resource'] === true)
    return !deepEqual(pruned, s.default)
  })

function tooManyBefore(spec: Spec, old: Spec): Set<string> {
  const allowed = new Set<string>()
  const same = (now: readonly SelectableField[] | undefined, before: readonly SelectableField[] | undefined): boolean =>
    (before?.length ?? 0) > MAX_SELECTABLE_FIELDS && semanticEqual(now, before)
  if (same(spec.selectableFields, old.selectableFields)) allowed.add('')
  for (const v of spec.versions)
    if (same(v.selectableFields, old.versions.find((o) => o.name === v.name)?.selectableFields)) allowed.add(v.name)
  return allowed
}

const hasExtensions = (s: JSONSchemaProps): boolean =>
  s['x-kubernetes-embedded-resource'] === true ||
  s['x-kubernetes-preserve-unknown-fields'] !== undefined ||
  isIntOrString(s) ||
  (s['x-kubernetes-list-map-keys']?.length ?? 0) > 0 ||
  listType(s) !== undefined ||
  (s['x-kubernetes-validations']?.length ?? 0) > 0

const hasStatus = (s: CustomResourceSubresources | undefined): boolean => s?.status !== undefined
const allSame = (versions: readonly Version[], pick: (v: Version) => unknown): boolean =>
  versions.length > 0 && versions.every((v) => pick(v) !== undefined && semanticEqual(pick(v), pick(versions[0] as Version)))

function validateSpec(spec: Spec, given: Options): FieldError[] {
  const options = { ...given }
  const errors: FieldError[] = []
  const { versions } = spec
  if (spec.group === '') errors.push(required('spec.group'))
  else {
    const problems = isDNS1123Subdomain(spec.group)
    if (problems.length > 0) errors.push(invalid('spec.group', spec.group, problems.join(',')))
    else if (!spec.group.includes('.')) errors.push(invalid('spec.group', spec.group, 'should be a domain with at least one dot'))
  }
  errors.push(...oneOf('spec.scope', spec.scope, ['Cluster', 'Namespaced']))
  const top = spec.validation?.openAPIV3Schema
  if (!spec.preserveUnknownFields) options.requireStructuralSchema = true
  for (const [i, v] of versions.entries()) {
    if (top || schemaOf(v)) continue
    const path = `spec.versions[${i}].schema.openAPIV3Schema`
    if (options.requireOpenAPISchema) errors.push(required(path))
    else if (!spec.preserveUnknownFields && v.served) errors.push(required(path, 'because otherwise all fields are pruned'))
  }
  if (someSchema(spec, hasDefault)) {
    options.requireStructuralSchema = true
    if (spec.preserveUnknownFields)
      errors.push(invalid('spec.preserveUnknownFields', true, 'must be false in order to use defaults in the schema'))
  }
  if (someSchema(spec, hasExtensions)) options.requireStructuralSchema = true
  const perVersion = (pick: (v: Version) => unknown): boolean => versions.some((v) => pick(v) !== undefined)
  for (const [i, v] of versions.entries()) {
    const problems = isDNS1035Label(v.name ?? '')
    if (problems.length > 0) errors.push(invalid(`spec.versions[${i}].name`, v.name ?? '', problems.join(',')))
    const subresources = perVersion((x) => x.subresources) ? v.subresources : spec.subresources
    errors.push(...validateVersion(v, `spec.versions[${i}]`, hasStatus(subresources), options))
  }
  const bad = (detail: string): void => {
    errors.push({ ...invalid('spec.versions', null, detail), badValueText: versionsText(versions) })
  }
  if (allSame(versions, (v) => v.schema))
    bad('per-version schemas may not all be set to identical values (top-level validation should be used instead)')
  if (allSame(versions, (v) => v.subresources))
    bad('per-version subresources may not all be set to identical values (top-level subresources should be used instead)')
  if (allSame(versions, (v) => v.additionalPrinterColumns))
    bad(
      'per-version additionalPrinterColumns may not all be set to identical values (top-level additionalPrinterColumns should be used instead)',
    )
  if (new Set(versions.map((v) => v.name)).size !== versions.length) bad('must contain unique version names')
  if (versions.filter((v) => v.storage).length !== 1) bad('must have exactly one version marked as storage version')
  if (spec.version !== '') {
    const problems = isDNS1035Label(spec.version)
    if (problems.length > 0) errors.push(invalid('spec.version', spec.version, problems.join(',')))
  }
  for (const name of ['plural', 'singular', 'kind', 'listKind'] as const) if (!spec.names[name]) errors.push(required(`spec.names.${name}`))
  errors.push(...validateNames(spec.names, 'spec.names'))
  const anyStatus = hasStatus(spec.subresources) || versions.some((v) => hasStatus(v.subresources))
  errors.push(...validateSchema(top, spec.validation !== undefined, anyStatus, options, 'spec.validation'))
  errors.push(...validateSubresources(spec.subresources, 'spec.subresources'))
  errors.push(...(spec.additionalPrinterColumns ?? []).flatMap((c, i) => validateColumn(c, `spec.additionalPrinterColumns[${i}]`)))
  if (spec.selectableFields?.length) {
    if (!spec.validation) errors.push(invalid('spec.selectableFields', '', 'may only be set when validations.schema is included'))
    else {
      const problem = notConvertible(top)
      if (problem) errors.push(invalid('spec.schema.openAPIV3Schema', '', problem))
      errors.push(
        ...validateSelectableFields(
          spec.selectableFields,
          problem ? {} : (top ?? {}),
          'spec.selectableFields',
          options.allowTooManySelectableFields.has(''),
        ),
      )
    }
  }
  if (spec.conversion && spec.conversion.strategy !== 'None' && spec.preserveUnknownFields) {
    errors.push(invalid('spec.conversion.strategy', spec.conversion.strategy ?? '', 'must be None if spec.preserveUnknownFields is true'))
  }
  return [...errors, ...validateConversion(spec.conversion, options)]
}

const oneOf = (path: string, value: string, accepted: readonly string[]): FieldError[] =>
  value === '' ? [required(path)] : accepted.includes(value) ? [] : [notSupported(path, value, accepted)]

function validateVersion(v: Version, path: string, statusEnabled: boolean, options: Options): FieldError[] {
  const errors = deprecationProblems(v).map((problem) => invalid(child(path, 'deprecationWarning'), v.deprecationWarning, problem))
  errors.push(...validateSchema(schemaOf(v), v.schema !== undefined, statusEnabled, options, child(path, 'schema')))
  errors.push(...validateSubresources(v.subresources, child(path, 'subresources')))
  errors.push(
    ...(v.additionalPrinterColumns ?? []).flatMap((c, i) => validateColumn(c, key(child(path, 'additionalPrinterColumns'), String(i)))),
  )
  if (!v.selectableFields?.length) return errors
  const fields = child(path, 'selectableFields')
  const schema = schemaOf(v)
  if (!schema) return [...errors, invalid(fields, '', 'may only be set when `version.schema.openAPIV3Schema` is not included')]
  const problem = notConvertible(schema)
  if (problem) errors.push(invalid(child(path, 'schema.openAPIV3Schema'), '', problem))
  return [
    ...errors,
    ...validateSelectableFields(v.selectableFields, problem ? {} : schema, fields, options.allowTooManySelectableFields.has(v.name)),
  ]
}

function deprecationProblems({ deprecated, deprecationWarning: text }: Version): string[] {
  if (text === undefined) return []
  if (!deprecated) return ['can only be set for deprecated versions']
  const problems: string[] = []
  if (byteLength(text) > 256) problems.push('must be <= 256 characters long')
  if (text === '') problems.push('must not be an empty string')
  let at = 0
  for (const c of text) {
    if (c !== ' ' && /^[\p{C}\p{Z}]$/u.test(c)) {
      problems.push(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`)
      break
    }
    at += byteLength(c)
  }
  return problems
}

function validateSchema(
  schema: JSONSchemaProps | undefined,
  isSet: boolean,
  statusEnabled: boolean,
  options: Options,
  path: string,
): FieldError[] {
  if (!isSet || !schema) return []
  const errors: FieldError[] = []
  const at = child(path, 'openAPIV3Schema')
  if (statusEnabled) {
    for (const name of setFields(schema)) {
      if (name === 'Type' && schema.type !== 'object') {
        errors.push(
          invalid(
            child(at, 'type'),
            schema.type ?? '',
            'only "object" is allowed as the type at the root of the schema if the status subresource is enabled',
          ),
        )
        break
      }
      if (!AT_ROOT.includes(name)) {
        errors.push({
          ...invalid(
            at,
            null,
            `only [${AT_ROOT.join(' ')}] fields are allowed at the root of the schema if the status subresource is enabled`,
          ),
          badValueText: schemaText(schema),
        })
        break
      }
    }
  }
  if (schema.nullable) errors.push(forbidden(child(at, 'nullable'), 'nullable cannot be true at the root'))
  const { rules } = options
  let cel: ReturnType<CrdRules['root']> | undefined
  const problem = options.requireStructuralSchema ? notConvertible(schema) : undefined
  if (options.requireStructuralSchema && problem === undefined) {
    const structural = validateStructural(at, schema)
    const defaults = structural.length > 0 ? [] : validateDefaults(at, schema, options.requirePrunedDefaults, rules.ofDefault)
    errors.push(...structural, ...defaults)
    if (structural.length + defaults.length === 0) cel = rules.root(schema)
  }
  const found = validateOpenAPISchema(schema, at, { insideResourceMeta: false }, true, options, rules.compiler, cel)
  errors.push(...found.schema, ...found.rules)
  if (errors.length === 0 && problem !== undefined) errors.push(invalid(at, '', problem))
  return cel === undefined ? errors : [...errors, ...rules.totalCost(cel, at)]
}

export function validateNames(names: Partial<CustomResourceDefinitionNames> | undefined, path: string): FieldError[] {
  if (!names) return []
  const errors: FieldError[] = []
  const label = (field: string, value: string | undefined, mixed = false): void => {
    const problems = value ? isDNS1035Label(mixed ? value.toLowerCase() : value) : []
    if (problems.length > 0)
      errors.push(
        invalid(child(path, field), value, `${mixed ? 'may have mixed case, but should otherwise match: ' : ''}${problems.join(',')}`),
      )
  }
  const each = (field: string, list: readonly string[] | undefined): void => {
    for (const [i, value] of (list ?? []).entries()) {
      const problems = isDNS1035Label(value)
      if (problems.length > 0) errors.push(invalid(key(child(path, field), String(i)), value, problems.join(',')))
    }
  }
  label('plural', names.plural)
  label('singular', names.singular)
  label('kind', names.kind, true)
  label('listKind', names.listKind, true)
  each('shortNames', names.shortNames)
  if (names.kind && names.kind === names.listKind)
    errors.push(invalid(child(path, 'listKind'), names.listKind, 'kind and listKind may not be the same'))
  each('categories', names.categories)
  return errors
}

const simpleJSONPath = (path: string, value: string): FieldError[] =>
  value.startsWith('.') ? [] : [invalid(path, value, 'must be a simple json path starting with .')]

function validateColumn(c: CustomResourceColumnDefinition, path: string): FieldError[] {
  const errors: FieldError[] = []
  const types = `must be one of ${COLUMN_TYPES.join(',')}`
  if (!c.name) errors.push(required(child(path, 'name')))
  if (!c.type) errors.push(required(child(path, 'type'), types))
  else if (!COLUMN_TYPES.includes(c.type)) errors.push(invalid(child(path, 'type'), c.type, types))
  if (c.format && !COLUMN_FORMATS.includes(c.format))
    errors.push(invalid(child(path, 'format'), c.format, `must be one of ${COLUMN_FORMATS.join(',')}`))
  return [...errors, ...(c.jsonPath ? simpleJSONPath(child(path, 'JSONPath'), c.jsonPath) : [required(child(path, 'JSONPath'))])]
}

function validateSelectableFields(
  fields: readonly SelectableField[],
  schema: JSONSchemaProps,
  path: string,
  allowTooMany: boolean,
): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [i, { jsonPath = '' }] of fields.entries()) {
    const at = child(key(path, String(i)), 'jsonPath')
    if (jsonPath === '') {
      errors.push(required(at))
      continue
    }
    const { value: found, error } = validFieldPath(jsonPath, schema, false)
    if (!found) {
      errors.push(invalid(at, jsonPath, `is an invalid path: ${error}`))
      continue
    }
    if (found.root === 'metadata') errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'))
    if (!['string', 'boolean', 'integer'].includes(found.schema.type ?? '')) {
      errors.push(
        invalid(
          at,
          jsonPath,
          'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
        ),
      )
    }
    if (seen.has(found.path)) errors.push(duplicate(at, jsonPath))
    seen.add(found.path)
  }
  if (seen.size > MAX_SELECTABLE_FIELDS && !allowTooMany) errors.push(tooMany(path, seen.size, MAX_SELECTABLE_FIELDS))
  return errors
}

function validateSubresources(s: CustomResourceSubresources | undefined, path: string): FieldError[] {
  const scale = s?.scale
  if (!scale) return []
  const replicas = (name: 'specReplicasPath' | 'statusReplicasPath', prefix: string): FieldError[] => {
    const at = child(path, `scale.${name}`)
    const value = scale[name]
    if (!value) return [required(at)]
    const errors = simpleJSONPath(at, value)
    return errors.length > 0 || value.startsWith(`.${prefix}.`) ? errors : [invalid(at, value, `should be a json path under .${prefix}`)]
  }
  const errors = [...replicas('specReplicasPath', 'spec'), ...replicas('statusReplicasPath', 'status')]
  const { labelSelectorPath: selector } = scale
  if (selector) {
    const at = child(path, 'scale.labelSelectorPath')
    const problems = simpleJSONPath(at, selector)
    errors.push(...problems)
    if (problems.length === 0 && !selector.startsWith('.spec.') && !selector.startsWith('.status.'))
      errors.push(invalid(at, selector, 'should be a json path under either .spec or .status'))
  }
  return errors
}

const ACCEPTED_REVIEW_VERSIONS = ['v1', 'v1beta1']
const isAcceptedReviewVersion = (v: string): boolean => ACCEPTED_REVIEW_VERSIONS.includes(v)

function validateConversion(conversion: CustomResourceConversion | undefined, options: Options): FieldError[] {
  if (!conversion) return []
  const path = 'spec.conversion'
  const errors = oneOf(child(path, 'strategy'), conversion.strategy ?? '', ['None', 'Webhook'])
  const config = child(path, 'webhookClientConfig')
  const cc = conversion.webhook?.clientConfig
  const reviewVersions = conversion.webhook?.conversionReviewVersions ?? []
  if (conversion.strategy !== 'Webhook') {
    if (cc) errors.push(forbidden(config, 'should not be set when strategy is not set to Webhook'))
    if (reviewVersions.length > 0)
      errors.push(forbidden(child(path, 'conversionReviewVersions'), 'should not be set when strategy is not set to Webhook'))
    return errors
  }
  if (!cc) errors.push(required(config, 'required when strategy is set to Webhook'))
  else {
    if ((cc.url === undefined) === (cc.service === undefined)) errors.push(required(config, 'exactly one of url or service is required'))
    else if (cc.url !== undefined) errors.push(...validateWebhookURL(child(config, 'url'), cc.url))
    // upstream hands over name and namespace in the other order than the check takes them
    else if (cc.service)
      errors.push(
        ...validateWebhookService(
          child(config, 'service'),
          cc.service.name ?? '',
          cc.service.namespace ?? '',
          cc.service.path,
          cc.service.port ?? 443,
        ),
      )
    if (cc.caBundle && !options.allowInvalidCABundle) errors.push(...validateCABundle(child(config, 'caBundle'), cc.caBundle))
  }
  const at = child(path, 'conversionReviewVersions')
  if (reviewVersions.length === 0) return [...errors, required(at)]
  const seen = new Set<string>()
  for (const [i, v] of reviewVersions.entries()) {
    if (seen.has(v)) errors.push(invalid(key(at, String(i)), v, 'duplicate version'))
    else errors.push(...isDNS1035Label(v).map((m) => invalid(key(at, String(i)), v, m)))
    seen.add(v)
  }
  if (options.requireRecognizedConversionReviewVersion && !reviewVersions.some(isAcceptedReviewVersion)) {
    errors.push(invalid(at, reviewVersions, `must include at least one of ${ACCEPTED_REVIEW_VERSIONS.join(', ')}`))
  }
  return errors
}

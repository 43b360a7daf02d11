// ValidatingAdmissionPolicy: pkg/registry/admissionregistration/validatingadmissionpolicy, pkg/apis/admissionregistration/validation.
import { duplicate, type FieldError, invalid, required, tooMany } from '../../../../api/field.ts'
import type { Condition } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateConditions } from '../../../../api/validation/conditions.ts'
import { isDNS1035Label, isDNS1123Subdomain, isQualifiedName, nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { validateObjectMeta } from '../../../../api/validation/objectmeta.ts'
import { parseJsonPath } from '../apiextensions/jsonpath.ts'
import { validatingAdmissionPolicyColumns } from '../core/columns.ts'
import { age, byteLength, keep, semanticEqual } from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'
import { compileExpression, compileVariables, type Scope } from './expressions.ts'
import { defaultMatchResources, FAILURE_POLICIES, type MatchResources, oneOf, validateMatchResources } from './match.ts'

export interface MatchCondition {
  name?: string
  expression?: string
}

export interface Validation {
  expression?: string
  message?: string
  messageExpression?: string
  reason?: string
}

export interface PolicySpec {
  failurePolicy?: string
  paramKind?: { apiVersion?: string; kind?: string }
  matchConstraints?: MatchResources
  matchConditions?: MatchCondition[]
  variables?: { name?: string; expression?: string }[]
  validations?: Validation[]
  auditAnnotations?: { key?: string; valueExpression?: string }[]
}

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const MAX_ANNOTATIONS = 20
const MAX_ANNOTATION_EXPRESSION_BYTES = 5 * 1024
const CEL_RESERVED = new Set([
  'true',
  'false',
  'null',
  'in',
  'as',
  'break',
  'const',
  'continue',
  'else',
  'for',
  'function',
  'if',
  'import',
  'let',
  'loop',
  'package',
  'namespace',
  'return',
  'var',
  'void',
  'while',
])
const hasNewlines = (text: string): boolean => /[\n\r]/.test(text)
const isIdentifier = (name: string): boolean => /^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name) && !CEL_RESERVED.has(name)

/** Also of webhooks. */
export function validateMatchConditions(list: readonly MatchCondition[], params: boolean, path: string): FieldError[] {
  const errors: FieldError[] = list.length > 64 ? [tooMany(path, list.length, 64)] : []
  const seen = new Set<string>()
  for (const [i, { name = '', expression = '' }] of list.entries()) {
    const at = `${path}[${i}]`
    const source = expression.trim()
    if (source === '') errors.push(required(`${at}.expression`))
    else {
      const { error } = compileExpression(source, { params, authorizer: true }, ['bool'])
      if (error !== undefined) errors.push(invalid(`${at}.expression`, source, error))
    }
    if (name === '') errors.push(required(`${at}.name`))
    else {
      errors.push(...isQualifiedName(name).map((m) => invalid(`${at}.name`, name, m)))
      if (seen.has(name)) errors.push(duplicate(`${at}.name`, name))
      seen.add(name)
    }
  }
  return errors
}

function validateParamKind(kind: { apiVersion?: string; kind?: string }, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { apiVersion = '', kind: name = '' } = kind
  const parts = apiVersion === '/' ? ['', ''] : apiVersion.split('/')
  if (apiVersion === '') errors.push(required(`${path}.apiVersion`))
  else if (parts.length > 2) errors.push(invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  else {
    const [group, version] = parts.length === 2 ? (parts as [string, string]) : ['', parts[0] as string]
    const groupProblems = group === '' ? [] : isDNS1123Subdomain(group)
    if (groupProblems.length > 0) errors.push(invalid(`${path}.apiVersion`, group, groupProblems.join(',')))
    const versionProblems = version === '' ? [] : isDNS1035Label(version)
    if (version === '') errors.push(invalid(`${path}.apiVersion`, apiVersion, 'version must be specified'))
    else if (versionProblems.length > 0) errors.push(invalid(`${path}.apiVersion`, version, versionProblems.join(',')))
  }
  const problems = isDNS1035Label(name.toLowerCase())
  if (name === '') errors.push(required(`${path}.kind`))
  else if (problems.length > 0)
    errors.push(invalid(`${path}.kind`, name, `may have mixed case, but should otherwise match: ${problems.join(',')}`))
  return errors
}

function validateValidation(v: Validation, scope: Scope, path: string): FieldError[] {
  const errors: FieldError[] = []
  const { expression = '', message = '', messageExpression = '' } = v
  const compile = (field: 'expression' | 'messageExpression', source: string, s: Scope, type: 'bool' | 'string'): void => {
    const { error } = compileExpression(source, s, [type])
    if (error !== undefined) errors.push(invalid(`${path}.${field}`, source, error))
  }
  if (expression.trim() === '') errors.push(required(`${path}.expression`, 'expression is not specified'))
  else compile('expression', expression, scope, 'bool')
  if (messageExpression !== '' && messageExpression.trim() === '')
    errors.push(invalid(`${path}.messageExpression`, messageExpression, 'must be non-empty if specified'))
  else if (messageExpression !== '') compile('messageExpression', messageExpression, { ...scope, authorizer: false }, 'string')
  if (message !== '' && message.trim() === '') errors.push(invalid(`${path}.message`, message, 'must be non-empty if specified'))
  else if (hasNewlines(message.trim())) errors.push(invalid(`${path}.message`, message, 'must not contain line breaks'))
  if (v.reason !== undefined) errors.push(...oneOf(`${path}.reason`, v.reason, REASONS))
  return errors
}

function validateAuditAnnotation(a: { key?: string; valueExpression?: string }, name: string, scope: Scope, path: string): FieldError[] {
  const { key = '', valueExpression = '' } = a
  const source = valueExpression.trim()
  const errors =
    name === ''
      ? [invalid(`${path}.key`, key, 'requires metadata.name be non-empty')]
      : isQualifiedName(`${name}/${key}`).map((m) => invalid(`${path}.key`, `${name}/${key}`, m))
  if (source === '') return [...errors, required(`${path}.valueExpression`, 'valueExpression is not specified')]
  if (byteLength(source) > MAX_ANNOTATION_EXPRESSION_BYTES)
    return [...errors, required(`${path}.valueExpression`, `must not exceed ${MAX_ANNOTATION_EXPRESSION_BYTES} bytes in length`)]
  const { error } = compileExpression(source, scope, ['string', 'null'])
  return error === undefined ? errors : [...errors, invalid(`${path}.valueExpression`, valueExpression, error)]
}

function validateSpec(o: KubeObject, ignoreMatchConditions: boolean): FieldError[] {
  const spec = (o.spec ?? {}) as PolicySpec
  const errors = oneOf('spec.failurePolicy', spec.failurePolicy, FAILURE_POLICIES)
  const params = spec.paramKind !== undefined
  if (spec.paramKind) errors.push(...validateParamKind(spec.paramKind, 'spec.paramKind'))
  if (!spec.matchConstraints) errors.push(required('spec.matchConstraints'))
  else {
    errors.push(...validateMatchResources(spec.matchConstraints, 'spec.matchConstraints'))
    if (!spec.matchConstraints.resourceRules?.length) errors.push(required('spec.matchConstraints.resourceRules'))
  }
  if (!ignoreMatchConditions) errors.push(...validateMatchConditions(spec.matchConditions ?? [], params, 'spec.matchConditions'))
  const variables = spec.variables ?? []
  const { compiled, types } = compileVariables(variables, params)
  for (const [i, { name = '', expression = '' }] of variables.entries()) {
    const at = `spec.variables[${i}]`
    if (name.trim() === '') errors.push(required(`${at}.name`, 'name is not specified'))
    else if (!isIdentifier(name)) errors.push(invalid(`${at}.name`, name, 'must be a valid CEL identifier'))
    const error = compiled[i]?.error
    if (expression.trim() === '') errors.push(required(`${at}.expression`, 'expression is not specified'))
    else if (error !== undefined) errors.push(invalid(`${at}.expression`, expression, error))
  }
  const scope: Scope = { params, authorizer: true, ...(variables.length > 0 ? { variables: types } : {}) }
  const { validations = [], auditAnnotations = [] } = spec
  if (validations.length + auditAnnotations.length === 0) {
    const detail = 'validations or auditAnnotations must contain at least one item'
    return [...errors, required('spec.validations', detail), required('spec.auditAnnotations', detail)]
  }
  errors.push(...validations.flatMap((v, i) => validateValidation(v, scope, `spec.validations[${i}]`)))
  if (auditAnnotations.length > MAX_ANNOTATIONS) {
    const text = `[${auditAnnotations.map((a) => `{"Key":${JSON.stringify(a.key ?? '')},"ValueExpression":${JSON.stringify(a.valueExpression ?? '')}}`).join(',')}]`
    errors.push({
      ...invalid('spec.auditAnnotations', null, `must not have more than ${MAX_ANNOTATIONS} auditAnnotations`),
      badValueText: text,
    })
  }
  const keys = new Set<string>()
  for (const [i, a] of auditAnnotations.entries()) {
    errors.push(...validateAuditAnnotation(a, o.metadata.name ?? '', scope, `spec.auditAnnotations[${i}]`))
    if (keys.has(a.key ?? '')) errors.push(duplicate(`spec.auditAnnotations[${i}].key`, a.key ?? ''))
    keys.add(a.key ?? '')
  }
  return errors
}

const validate = (o: KubeObject, ignoreMatchConditions: boolean): FieldError[] => [
  ...validateObjectMeta(o.metadata, false, nameIsDNSSubdomain),
  ...validateSpec(o, ignoreMatchConditions),
]

function validateStatus(o: KubeObject): FieldError[] {
  const status = (o.status ?? {}) as {
    typeChecking?: { expressionWarnings?: { fieldRef?: string; warning?: string }[] }
    conditions?: Condition[]
  }
  const warnings = (status.typeChecking?.expressionWarnings ?? []).flatMap(({ fieldRef = '', warning }, i) => {
    const at = `status.typeChecking.expressionWarnings[${i}]`
    const errors = warning ? [] : [required(`${at}.warning`)]
    const ref = fieldRef.trim()
    if (ref === '') return [...errors, required(`${at}.fieldRef`)]
    const { error } = parseJsonPath(ref)
    return error === undefined ? errors : [...errors, invalid(`${at}.fieldRef`, ref, `invalid JSONPath: ${error}`)]
  })
  return [...warnings, ...validateConditions(status.conditions, 'status.conditions')]
}

const RESET = ['deletionTimestamp', 'generation', 'labels', 'annotations', 'finalizers', 'ownerReferences'] as const

export const validatingAdmissionPolicy: KindStrategy = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  resource: 'validatingadmissionpolicies',
  singular: 'validatingadmissionpolicy',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  defaults(o) {
    o.spec ??= {}
    o.status ??= {}
    const spec = o.spec as PolicySpec
    spec.failurePolicy ??= 'Fail'
    defaultMatchResources(spec.matchConstraints)
  },
  prepareForCreate(o) {
    o.status = {}
    o.metadata.generation = 1
  },
  validate: (o) => validate(o, false),
  prepareForUpdate(o, old) {
    keep(o, old, 'status')
    if (!semanticEqual(o.spec, old.spec)) o.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validateUpdate(o, old) {
    const [spec, before] = [o.spec as PolicySpec, old.spec as PolicySpec]
    return validate(o, semanticEqual(spec.paramKind, before.paramKind) && semanticEqual(spec.matchConditions, before.matchConditions))
  },
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(o, old) {
        keep(o, old, 'spec')
        const [meta, before] = [o.metadata, old.metadata] as unknown as [Record<string, unknown>, Record<string, unknown>]
        for (const name of RESET) {
          if (before[name] === undefined) delete meta[name]
          else meta[name] = before[name]
        }
      },
      validateUpdate: validateStatus,
    },
  },
  columns: validatingAdmissionPolicyColumns,
  row(o, nowMs) {
    const { validations = [], paramKind } = (o.spec ?? {}) as PolicySpec
    return [o.metadata.name ?? '', validations.length, paramKind ? `${paramKind.apiVersion}/${paramKind.kind}` : '<unset>', age(o, nowMs)]
  },
}

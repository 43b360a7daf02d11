// ValidatingAdmissionPolicyBinding: pkg/registry/admissionregistration/validatingadmissionpolicybinding.
import { sortedKeys } from '../../../../../lib/compare.ts'
import { getOwn } from '../../../../../lib/own.ts'
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import type { LabelSelector } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateLabelSelector } from '../../../../api/validation/labels.ts'
import { nameIsDNSSubdomain, validatePathSegmentName } from '../../../../api/validation/names.ts'
import { validateObjectMeta } from '../../../../api/validation/objectmeta.ts'
import { validatingAdmissionPolicyBindingColumns } from '../core/columns.ts'
import { age, semanticEqual } from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'
import { defaultMatchResources, type MatchResources, validateMatchResources } from './match.ts'

export interface ParamRef {
  name?: string
  namespace?: string
  selector?: LabelSelector
  parameterNotFoundAction?: string
}

export interface BindingSpec {
  policyName?: string
  paramRef?: ParamRef
  matchResources?: MatchResources
  validationActions?: string[]
}

const ACTIONS = ['Audit', 'Deny', 'Warn']

function validateParamRef(ref: ParamRef | undefined, path: string): FieldError[] {
  if (!ref) return []
  const { name = '', selector, parameterNotFoundAction: action } = ref
  const errors: FieldError[] = []
  const exclusive = 'name and selector are mutually exclusive'
  if (name !== '') {
    errors.push(...validatePathSegmentName(name, false).map((m) => invalid(`${path}.name`, name, m)))
    if (selector) errors.push(forbidden(`${path}.name`, exclusive))
  }
  if (selector) {
    errors.push(...validateLabelSelector(selector, `${path}.selector`))
    if (name !== '') errors.push(forbidden(`${path}.selector`, exclusive))
  }
  if (name === '' && !selector) errors.push(required(path, 'one of name or selector must be specified'))
  if (!action) errors.push(required(`${path}.parameterNotFoundAction`))
  else if (action !== 'Deny' && action !== 'Allow') errors.push(notSupported(`${path}.parameterNotFoundAction`, action, ['Deny', 'Allow']))
  return errors
}

function validateActions(list: readonly string[], path: string): FieldError[] {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [i, action] of list.entries()) {
    if (!ACTIONS.includes(action)) errors.push(notSupported(`${path}[${i}]`, action, ACTIONS))
    if (seen.has(action)) errors.push(duplicate(`${path}[${i}]`, action))
    seen.add(action)
  }
  if (seen.has('Deny') && seen.has('Warn')) {
    errors.push(
      invalid(
        path,
        list,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    )
  }
  if (seen.size === 0) errors.push(required(path, 'at least one validation action is required'))
  return errors
}

function validate(o: KubeObject): FieldError[] {
  const spec = (o.spec ?? {}) as BindingSpec
  const name = spec.policyName ?? ''
  return [
    ...validateObjectMeta(o.metadata, false, nameIsDNSSubdomain),
    ...(name === '' ? [required('spec.policyName')] : nameIsDNSSubdomain(name, false).map((m) => invalid('spec.policyName', name, m))),
    ...validateParamRef(spec.paramRef, 'spec.paramRef'),
    ...validateMatchResources(spec.matchResources, 'spec.matchResources'),
    ...validateActions(spec.validationActions ?? [], 'spec.validationActions'),
  ]
}

/** A selector as the generated Go prints it. */
function selectorText(s: LabelSelector): string {
  const labels = sortedKeys(s.matchLabels).map((k) => `${k}: ${getOwn(s.matchLabels, k)},`)
  const expressions = (s.matchExpressions ?? []).map(
    (e) => `LabelSelectorRequirement{Key:${e.key},Operator:${e.operator},Values:[${(e.values ?? []).join(' ')}],},`,
  )
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}

function paramText(ref: ParamRef | undefined): string {
  if (!ref) return '<unset>'
  if (ref.name) return `${ref.namespace || '*'}/${ref.name}`
  return ref.selector ? selectorText(ref.selector) : '<unset>'
}

export const validatingAdmissionPolicyBinding: KindStrategy = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  resource: 'validatingadmissionpolicybindings',
  singular: 'validatingadmissionpolicybinding',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  defaults(o) {
    o.spec ??= {}
    defaultMatchResources((o.spec as BindingSpec).matchResources)
  },
  prepareForCreate(o) {
    o.metadata.generation = 1
  },
  validate,
  prepareForUpdate(o, old) {
    if (!semanticEqual(o.spec, old.spec)) o.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validateUpdate: validate,
  columns: validatingAdmissionPolicyBindingColumns,
  row(o, nowMs) {
    const spec = (o.spec ?? {}) as BindingSpec
    return [o.metadata.name ?? '', spec.policyName ?? '', paramText(spec.paramRef), age(o, nowMs)]
  },
}

// ValidatingWebhookConfiguration and MutatingWebhookConfiguration: pkg/registry/admissionregistration/*webhookconfiguration.
import { duplicate, type FieldError, invalid, notSupported, required } from '../../../../api/field.ts'
import type { LabelSelector, RuleWithOperations } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateLabelSelector } from '../../../../api/validation/labels.ts'
import { isDNS1035Label, nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { validateObjectMeta } from '../../../../api/validation/objectmeta.ts'
import { isFullyQualifiedName } from '../../../../api/validation/paths.ts'
import { validateWebhookService, validateWebhookURL } from '../apiextensions/webhook.ts'
import { mutatingWebhookColumns, validatingWebhookColumns } from '../core/columns.ts'
import { age, semanticEqual } from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'
import { FAILURE_POLICIES, MATCH_POLICIES, validateRuleWithOperations } from './match.ts'
import { type MatchCondition, validateMatchConditions } from './validatingadmissionpolicy.ts'

interface Webhook {
  name?: string
  clientConfig?: { url?: string; service?: { name?: string; namespace?: string; path?: string; port?: number } }
  rules?: RuleWithOperations[]
  failurePolicy?: string
  matchPolicy?: string
  namespaceSelector?: LabelSelector
  objectSelector?: LabelSelector
  sideEffects?: string
  timeoutSeconds?: number
  admissionReviewVersions?: string[]
  reinvocationPolicy?: string
  matchConditions?: MatchCondition[]
}

interface Options {
  ignoreMatchConditions: boolean
  requireNoSideEffects: boolean
  requireRecognizedReviewVersion: boolean
  requireUniqueNames: boolean
  allowInvalidSelectors: boolean
}

const SIDE_EFFECTS = ['None', 'NoneOnDryRun', 'Some', 'Unknown']
const NO_SIDE_EFFECTS = ['None', 'NoneOnDryRun']
const REVIEW_VERSIONS = ['v1', 'v1beta1']

const hooksOf = (o: KubeObject): Webhook[] => ((o as unknown as { webhooks?: Webhook[] }).webhooks ?? []) as Webhook[]

function validateReviewVersions(versions: readonly string[], requireRecognized: boolean, path: string): FieldError[] {
  if (versions.length === 0) return [required(path, `must specify one of ${REVIEW_VERSIONS.join(', ')}`)]
  const errors: FieldError[] = []
  const seen = new Set<string>()
  for (const [i, v] of versions.entries()) {
    if (seen.has(v)) errors.push(invalid(`${path}[${i}]`, v, 'duplicate version'))
    else errors.push(...isDNS1035Label(v).map((m) => invalid(`${path}[${i}]`, v, m)))
    seen.add(v)
  }
  if (requireRecognized && !versions.some((v) => REVIEW_VERSIONS.includes(v)))
    errors.push(invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`))
  return errors
}

function validateHook(hook: Webhook, mutating: boolean, options: Options, path: string): FieldError[] {
  const errors = isFullyQualifiedName(`${path}.name`, hook.name ?? '')
  const known = (field: 'failurePolicy' | 'matchPolicy' | 'reinvocationPolicy', accepted: readonly string[]): void => {
    const value = hook[field]
    if (value !== undefined && !accepted.includes(value)) errors.push(notSupported(`${path}.${field}`, value, accepted))
  }
  errors.push(...(hook.rules ?? []).flatMap((r, i) => validateRuleWithOperations(r, `${path}.rules[${i}]`)))
  known('failurePolicy', FAILURE_POLICIES)
  known('matchPolicy', MATCH_POLICIES)
  const sideEffects = options.requireNoSideEffects ? NO_SIDE_EFFECTS : SIDE_EFFECTS
  if (hook.sideEffects === undefined) errors.push(required(`${path}.sideEffects`, `must specify one of ${sideEffects.join(', ')}`))
  else if (!sideEffects.includes(hook.sideEffects)) errors.push(notSupported(`${path}.sideEffects`, hook.sideEffects, sideEffects))
  const { timeoutSeconds: timeout } = hook
  if (timeout !== undefined && (timeout > 30 || timeout < 1))
    errors.push(invalid(`${path}.timeoutSeconds`, timeout, 'the timeout value must be between 1 and 30 seconds'))
  const selectors = { allowInvalidLabelValueInSelector: options.allowInvalidSelectors }
  if (hook.namespaceSelector) errors.push(...validateLabelSelector(hook.namespaceSelector, `${path}.namespaceSelector`, selectors))
  if (hook.objectSelector) errors.push(...validateLabelSelector(hook.objectSelector, `${path}.objectSelector`, selectors))
  if (mutating) known('reinvocationPolicy', ['IfNeeded', 'Never'])
  const { url, service } = hook.clientConfig ?? {}
  const config = `${path}.clientConfig`
  if ((url === undefined) === (service === undefined)) errors.push(required(config, 'exactly one of url or service is required'))
  else if (url !== undefined) errors.push(...validateWebhookURL(`${config}.url`, url))
  // upstream hands over name and namespace in the other order than the check takes them
  else if (service)
    errors.push(
      ...validateWebhookService(`${config}.service`, service.name ?? '', service.namespace ?? '', service.path, service.port ?? 0),
    )
  if (!options.ignoreMatchConditions) errors.push(...validateMatchConditions(hook.matchConditions ?? [], false, `${path}.matchConditions`))
  return errors
}

function validate(o: KubeObject, mutating: boolean, options: Options): FieldError[] {
  const errors = validateObjectMeta(o.metadata, false, nameIsDNSSubdomain)
  const names = new Set<string>()
  for (const [i, hook] of hooksOf(o).entries()) {
    const path = `webhooks[${i}]`
    errors.push(...validateHook(hook, mutating, options, path))
    errors.push(
      ...validateReviewVersions(
        hook.admissionReviewVersions ?? [],
        options.requireRecognizedReviewVersion,
        `${path}.admissionReviewVersions`,
      ),
    )
    if (!options.requireUniqueNames || !hook.name) continue
    if (names.has(hook.name)) errors.push(duplicate(`${path}.name`, hook.name))
    names.add(hook.name)
  }
  return errors
}

const STRICT: Options = {
  ignoreMatchConditions: false,
  requireNoSideEffects: true,
  requireRecognizedReviewVersion: true,
  requireUniqueNames: true,
  allowInvalidSelectors: false,
}

/** What was wrong before may stay wrong. */
function optionsOfUpdate(o: KubeObject, old: KubeObject): Options {
  const [now, before] = [hooksOf(o), hooksOf(old)]
  return {
    ignoreMatchConditions:
      now.length === before.length && now.every((h, i) => semanticEqual(h.matchConditions, before[i]?.matchConditions)),
    requireNoSideEffects: before.every((h) => h.sideEffects !== undefined && NO_SIDE_EFFECTS.includes(h.sideEffects)),
    requireRecognizedReviewVersion: before.every(
      (h) => (h.admissionReviewVersions ?? []).length === 0 || h.admissionReviewVersions?.some((v) => REVIEW_VERSIONS.includes(v)),
    ),
    requireUniqueNames: new Set(before.map((h) => h.name ?? '')).size === before.length,
    allowInvalidSelectors: before.some((h) =>
      [h.namespaceSelector, h.objectSelector].some((s) => s && validateLabelSelector(s, '').length > 0),
    ),
  }
}

function defaults(o: KubeObject, mutating: boolean): void {
  for (const hook of hooksOf(o)) {
    hook.clientConfig ??= {}
    if (hook.clientConfig.service) hook.clientConfig.service.port ??= 443
    hook.failurePolicy ??= 'Fail'
    hook.matchPolicy ??= 'Equivalent'
    hook.namespaceSelector ??= {}
    hook.objectSelector ??= {}
    hook.timeoutSeconds ??= 10
    if (mutating) hook.reinvocationPolicy ??= 'Never'
    for (const rule of hook.rules ?? []) rule.scope ??= '*'
  }
}

const configuration = (mutating: boolean): KindStrategy => {
  const kind = mutating ? 'MutatingWebhookConfiguration' : 'ValidatingWebhookConfiguration'
  return {
    group: 'admissionregistration.k8s.io',
    version: 'v1',
    kind,
    resource: `${kind.toLowerCase()}s`,
    singular: kind.toLowerCase(),
    shortNames: [],
    categories: ['api-extensions'],
    namespaced: false,
    defaults: (o) => defaults(o, mutating),
    prepareForCreate(o) {
      o.metadata.generation = 1
    },
    validate: (o) => validate(o, mutating, STRICT),
    prepareForUpdate(o, old) {
      if (!semanticEqual(hooksOf(o), hooksOf(old))) o.metadata.generation = (old.metadata.generation ?? 0) + 1
    },
    validateUpdate: (o, old) => validate(o, mutating, optionsOfUpdate(o, old)),
    columns: mutating ? mutatingWebhookColumns : validatingWebhookColumns,
    row: (o, nowMs) => [o.metadata.name ?? '', hooksOf(o).length, age(o, nowMs)],
  }
}

export const validatingWebhookConfiguration = configuration(false)
export const mutatingWebhookConfiguration = configuration(true)

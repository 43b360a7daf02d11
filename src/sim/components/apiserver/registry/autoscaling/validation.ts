// pkg/apis/autoscaling/validation/validation.go
import type { FieldError } from '../../../../api/field.ts'
import { forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import { quantitySign } from '../../../../api/quantity.ts'
import type {
  CrossVersionObjectReference,
  HPAScalingRules,
  HorizontalPodAutoscalerSpec,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from '../../../../api/types/kubernetes.gen.ts'
import { isDNS1123Label, isQualifiedName, validatePathSegmentName } from '../../../../api/validation/names.ts'
import { isExtendedResourceName, isNativeResource, isStandardContainerResourceName, isStandardResourceName } from '../pod/quantities.ts'

interface ApiVersionRule {
  allowEmptyGroup: boolean
  allowInvalid: boolean
}

const each = (field: string, value: string, messages: readonly string[]): FieldError[] => messages.map((m) => invalid(field, value, m))

const pathSegment = (field: string, value: string | undefined, detail = ''): FieldError[] =>
  value ? each(field, value, validatePathSegmentName(value, false)) : [required(field, detail)]

/** ValidateAPIVersion. */
function apiVersionProblem(apiVersion: string, rule: ApiVersionRule): string | undefined {
  if (rule.allowInvalid) return undefined
  const slashes = apiVersion.split('/').length - 1
  if (slashes > 1) return `unexpected GroupVersion string: ${apiVersion}`
  const group = slashes === 1 ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return rule.allowEmptyGroup || group !== '' ? undefined : 'apiVersion must specify API group'
}

function validateReference(ref: Partial<CrossVersionObjectReference>, field: string, rule: ApiVersionRule): FieldError[] {
  const errors = [...pathSegment(`${field}.kind`, ref.kind), ...pathSegment(`${field}.name`, ref.name)]
  const problem = apiVersionProblem(ref.apiVersion ?? '', rule)
  if (problem !== undefined) errors.push(invalid(`${field}.apiVersion`, ref.apiVersion ?? '', problem))
  return errors
}

const validateIdentifier = (id: MetricIdentifier | undefined, field: string): FieldError[] =>
  pathSegment(`${field}.name`, id?.name, 'must specify a metric name')

function validateTarget(target: Partial<MetricTarget>, field: string): FieldError[] {
  const errors: FieldError[] = []
  const type = target.type ?? ''
  if (type === '') errors.push(required(`${field}.type`, 'must specify a metric target type'))
  if (!['Utilization', 'Value', 'AverageValue'].includes(type)) {
    errors.push(invalid(`${field}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  }
  for (const name of ['value', 'averageValue'] as const) {
    const quantity = target[name]
    if (quantity !== undefined && quantitySign(String(quantity)) !== 1)
      errors.push(invalid(`${field}.${name}`, String(quantity), 'must be positive'))
  }
  if (target.averageUtilization !== undefined && target.averageUtilization < 1) {
    errors.push(invalid(`${field}.averageUtilization`, target.averageUtilization, 'must be greater than 0'))
  }
  return errors
}

/** ValidateContainerResourceName of core validation. */
function validateContainerResourceName(name: string, field: string): FieldError[] {
  const errors = each(field, name, isQualifiedName(name))
  if (errors.length === 0 && !name.includes('/') && !isStandardResourceName(name)) {
    errors.push(invalid(field, name, 'must be a standard resource type or fully qualified'))
  }
  if (!name.includes('/')) {
    if (!isStandardContainerResourceName(name)) errors.push(invalid(field, name, 'must be a standard resource for containers'))
  } else if (!isNativeResource(name) && !isExtendedResourceName(name)) {
    errors.push(invalid(field, name, "doesn't follow extended resource name standard"))
  }
  return errors
}

function validateUtilization(target: Partial<MetricTarget>, field: string): FieldError[] {
  const { averageUtilization, averageValue } = target
  if (averageUtilization === undefined && averageValue === undefined) {
    return [required(`${field}.averageUtilization`, 'must set either a target raw value or a target utilization')]
  }
  if (averageUtilization === undefined || averageValue === undefined) return []
  return [forbidden(`${field}.averageValue`, 'may not set both a target raw value and a target utilization')]
}

function validateObject(source: NonNullable<MetricSpec['object']>, field: string, rule: ApiVersionRule): FieldError[] {
  const target = source.target ?? {}
  const errors = [
    ...validateReference(source.describedObject ?? {}, `${field}.describedObject`, rule),
    ...validateIdentifier(source.metric, `${field}.metric`),
    ...validateTarget(target, `${field}.target`),
  ]
  if (target.value === undefined && target.averageValue === undefined) {
    errors.push(required(`${field}.target.averageValue`, 'must set either a target value or averageValue'))
  }
  return errors
}

function validateExternal(source: NonNullable<MetricSpec['external']>, field: string): FieldError[] {
  const target = source.target ?? {}
  const errors = [...validateIdentifier(source.metric, `${field}.metric`), ...validateTarget(target, `${field}.target`)]
  if (target.value === undefined && target.averageValue === undefined) {
    errors.push(required(`${field}.target.averageValue`, 'must set either a target value for metric or a per-pod target'))
  }
  if (target.value !== undefined && target.averageValue !== undefined) {
    errors.push(forbidden(`${field}.target.value`, 'may not set both a target value for metric and a per-pod target'))
  }
  return errors
}

function validatePods(source: NonNullable<MetricSpec['pods']>, field: string): FieldError[] {
  const target = source.target ?? {}
  const errors = [...validateIdentifier(source.metric, `${field}.metric`), ...validateTarget(target, `${field}.target`)]
  if (target.averageValue === undefined)
    errors.push(required(`${field}.target.averageValue`, 'must specify a positive target averageValue'))
  return errors
}

function validateResource(source: NonNullable<MetricSpec['resource']>, field: string): FieldError[] {
  const errors = source.name ? [] : [required(`${field}.name`, 'must specify a resource name')]
  return [
    ...errors,
    ...validateTarget(source.target ?? {}, `${field}.target`),
    ...validateUtilization(source.target ?? {}, `${field}.target`),
  ]
}

function validateContainerResource(source: NonNullable<MetricSpec['containerResource']>, field: string): FieldError[] {
  const errors = source.name
    ? validateContainerResourceName(source.name, `${field}.name`)
    : [required(`${field}.name`, 'must specify a resource name')]
  if (!source.container) errors.push(required(`${field}.container`, 'must specify a container'))
  else errors.push(...each(`${field}.container`, source.container, isDNS1123Label(source.container)))
  return [
    ...errors,
    ...validateTarget(source.target ?? {}, `${field}.target`),
    ...validateUtilization(source.target ?? {}, `${field}.target`),
  ]
}

const metricTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']

/** Source fields in the order in which upstream looks: only the first that is given is checked inside. */
const sourceFields = ['object', 'external', 'pods', 'resource', 'containerResource'] as const

const fieldOfType = new Map<string, (typeof sourceFields)[number]>([
  ['Object', 'object'],
  ['Pods', 'pods'],
  ['Resource', 'resource'],
  ['External', 'external'],
  ['ContainerResource', 'containerResource'],
])

function validateMetric(metric: MetricSpec, field: string, rule: ApiVersionRule): FieldError[] {
  const type = metric.type ?? ''
  const errors: FieldError[] = []
  if (type === '') errors.push(required(`${field}.type`, 'must specify a metric source type'))
  if (!metricTypes.includes(type)) errors.push(notSupported(`${field}.type`, type, metricTypes))
  const present = sourceFields.filter((name) => metric[name] !== undefined)
  const first = present[0]
  if (first === 'object' && metric.object) errors.push(...validateObject(metric.object, `${field}.object`, rule))
  if (first === 'external' && metric.external) errors.push(...validateExternal(metric.external, `${field}.external`))
  if (first === 'pods' && metric.pods) errors.push(...validatePods(metric.pods, `${field}.pods`))
  if (first === 'resource' && metric.resource) errors.push(...validateResource(metric.resource, `${field}.resource`))
  if (first === 'containerResource' && metric.containerResource) {
    errors.push(...validateContainerResource(metric.containerResource, `${field}.containerResource`))
  }
  const expected = fieldOfType.get(type)
  if (expected === undefined) errors.push(notSupported(`${field}.type`, type, metricTypes))
  else if (metric[expected] === undefined)
    errors.push(required(`${field}.${expected}`, 'must populate information for the given metric source'))
  if (present.length !== 1) {
    for (const name of present)
      if (name !== expected) errors.push(forbidden(`${field}.${name}`, 'must populate the given metric source only'))
  }
  return errors
}

const maxPeriodSeconds = 1800
const maxStabilizationWindowSeconds = 3600

function validateRules(rules: HPAScalingRules | undefined, field: string): FieldError[] {
  if (rules === undefined) return []
  const errors: FieldError[] = []
  const window = rules.stabilizationWindowSeconds
  if (window !== undefined && window < 0)
    errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'))
  if (window !== undefined && window > maxStabilizationWindowSeconds) {
    errors.push(invalid(`${field}.stabilizationWindowSeconds`, window, `must be less than or equal to ${maxStabilizationWindowSeconds}`))
  }
  const select = ['Disabled', 'Max', 'Min']
  if (rules.selectPolicy !== undefined && !select.includes(rules.selectPolicy)) {
    errors.push(notSupported(`${field}.selectPolicy`, rules.selectPolicy, select))
  }
  const policies = rules.policies ?? []
  if (policies.length === 0) errors.push(required(`${field}.policies`, 'must specify at least one Policy'))
  for (const [i, policy] of policies.entries()) {
    const path = `${field}.policies[${i}]`
    const { type = '', value = 0, periodSeconds = 0 } = policy
    if (type !== 'Pods' && type !== 'Percent') errors.push(notSupported(`${path}.type`, type, ['Percent', 'Pods']))
    if (value <= 0) errors.push(invalid(`${path}.value`, value, 'must be greater than zero'))
    if (periodSeconds <= 0) errors.push(invalid(`${path}.periodSeconds`, periodSeconds, 'must be greater than zero'))
    if (periodSeconds > maxPeriodSeconds)
      errors.push(invalid(`${path}.periodSeconds`, periodSeconds, `must be less than or equal to ${maxPeriodSeconds}`))
  }
  const tolerance = rules.tolerance
  if (tolerance !== undefined && quantitySign(String(tolerance)) < 0) {
    errors.push(invalid(`${field}.tolerance`, String(tolerance), 'must be greater than or equal to 0'))
  }
  return errors
}

/** The rules for the references depend on what is already stored (validationOptionsForHorizontalPodAutoscaler). */
function referenceRules(spec: HorizontalPodAutoscalerSpec, old: HorizontalPodAutoscalerSpec | undefined) {
  const target: ApiVersionRule = { allowEmptyGroup: false, allowInvalid: false }
  const objects: ApiVersionRule = { allowEmptyGroup: true, allowInvalid: false }
  const before = old?.scaleTargetRef
  if (before !== undefined && before.apiVersion === spec.scaleTargetRef.apiVersion && before.kind === spec.scaleTargetRef.kind)
    target.allowInvalid = true
  else if (spec.scaleTargetRef.kind === 'ReplicationController') target.allowEmptyGroup = true
  for (const metric of old?.metrics ?? []) {
    if (metric.type === 'Object' && apiVersionProblem(metric.object?.describedObject.apiVersion ?? '', objects) !== undefined)
      objects.allowInvalid = true
  }
  return { target, objects }
}

export function validateAutoscalerSpec(spec: HorizontalPodAutoscalerSpec, old: HorizontalPodAutoscalerSpec | undefined): FieldError[] {
  const { minReplicas: min, maxReplicas: max } = spec
  const lowest = old?.minReplicas === 0 ? 0 : 1
  const errors: FieldError[] = []
  if (min !== undefined && min < lowest) errors.push(invalid('spec.minReplicas', min, `must be greater than or equal to ${lowest}`))
  if (max < 1) errors.push(invalid('spec.maxReplicas', max, 'must be greater than 0'))
  if (min !== undefined && max < min) errors.push(invalid('spec.maxReplicas', max, 'must be greater than or equal to `minReplicas`'))
  const rules = referenceRules(spec, old)
  errors.push(...validateReference(spec.scaleTargetRef, 'spec.scaleTargetRef', rules.target))
  const metrics = spec.metrics ?? []
  for (const [i, metric] of metrics.entries()) errors.push(...validateMetric(metric, `spec.metrics[${i}]`, rules.objects))
  if (min === 0 && !metrics.some((m) => m.type === 'Object' || m.type === 'External')) {
    errors.push(forbidden('spec.metrics', 'must specify at least one Object or External metric to support scaling to zero replicas'))
  }
  errors.push(...validateRules(spec.behavior?.scaleUp, 'spec.behavior.scaleUp'))
  errors.push(...validateRules(spec.behavior?.scaleDown, 'spec.behavior.scaleDown'))
  return errors
}

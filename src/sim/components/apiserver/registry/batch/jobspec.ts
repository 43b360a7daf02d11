// validateJobSpec of pkg/apis/batch/validation/validation.go: what a Job and a CronJob's template have in common.
import type { FieldError } from '../../../../api/field.ts'
import { duplicate, invalid, notSupported, required, tooLong, tooMany } from '../../../../api/field.ts'
import type { JobSpec, PodFailurePolicyRule, PodTemplateSpec, SuccessPolicyRule } from '../../../../api/types/kubernetes.gen.ts'
import { isQualifiedName } from '../../../../api/validation/names.ts'
import { isDomainPrefixedPath } from '../../../../api/validation/paths.ts'
import { ensureTemplate, nonNegative, podTemplateOptions, podTemplateWarnings, validatePodTemplateSpec } from '../apps/common.ts'
import { printGoType } from '../apps/gotemplate.ts'
import { defaultPodTemplate } from '../pod/template.ts'
import { omitValue } from './omit.ts'
import { parseIndexes } from './indexes.ts'

const limits = {
  parallelismForIndexed: 100_000,
  failedIndexesForIndexed: 100_000,
  completionsSoft: 100_000,
  parallelismForHighCompletions: 10_000,
  failedIndexesForHighCompletions: 10_000,
  failurePolicyRules: 20,
  exitCodes: 255,
  podConditions: 20,
  managedByLength: 63,
  succeededIndexesLength: 64 * 1024,
  successPolicyRules: 20,
}

const goList = (values: readonly string[]): string => `[${values.map((v) => JSON.stringify(v)).join(' ')}]`
const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const operators = ['In', 'NotIn']
const statuses = ['False', 'True', 'Unknown']

/** Defaults of nested parts; SetDefaults_Job itself is for Jobs only. */
export function defaultJobSpecParts(spec: JobSpec): void {
  defaultPodTemplate(ensureTemplate(spec))
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const pattern of rule.onPodConditions ?? []) (pattern as { status?: string }).status ||= 'True'
  }
}

function validateExitCodes(
  rule: NonNullable<PodFailurePolicyRule['onExitCodes']>,
  field: string,
  containers: readonly string[],
): FieldError[] {
  const errors: FieldError[] = []
  if (!rule.operator) errors.push(required(`${field}.operator`, `valid values: ${goList(operators)}`))
  else if (!operators.includes(rule.operator)) errors.push(notSupported(`${field}.operator`, rule.operator, operators))
  if (rule.containerName !== undefined && !containers.includes(rule.containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template'
    errors.push(invalid(`${field}.containerName`, rule.containerName, detail))
  }
  const values = rule.values ?? []
  if (values.length === 0) errors.push(invalid(`${field}.values`, rule.values ?? null, 'at least one value is required'))
  else if (values.length > limits.exitCodes) errors.push(tooMany(`${field}.values`, values.length, limits.exitCodes))
  const seen = new Set<number>()
  for (const [i, value] of values.entries()) {
    if (rule.operator === 'In' && value === 0) errors.push(invalid(`${field}.values[${i}]`, value, 'must not be 0 for the In operator'))
    if (seen.has(value)) errors.push(duplicate(`${field}.values[${i}]`, value))
    seen.add(value)
  }
  if (values.some((v, i) => i > 0 && (values[i - 1] ?? 0) > v)) errors.push(invalid(`${field}.values`, values, 'must be ordered'))
  return errors
}

function validateFailurePolicyRule(rule: PodFailurePolicyRule, field: string, spec: JobSpec, containers: readonly string[]): FieldError[] {
  const errors: FieldError[] = []
  const { action, onExitCodes, onPodConditions = [] } = rule
  if (!action) errors.push(required(`${field}.action`, `valid values: ${goList(actions)}`))
  else if (action === 'FailIndex') {
    if (spec.backoffLimitPerIndex === undefined)
      errors.push(invalid(`${field}.action`, action, 'requires the backoffLimitPerIndex to be set'))
  } else if (!actions.includes(action)) errors.push(notSupported(`${field}.action`, action, actions))
  if (onExitCodes !== undefined) errors.push(...validateExitCodes(onExitCodes, `${field}.onExitCodes`, containers))
  if (onPodConditions.length > limits.podConditions)
    errors.push(tooMany(`${field}.onPodConditions`, onPodConditions.length, limits.podConditions))
  for (const [i, pattern] of onPodConditions.entries()) {
    const path = `${field}.onPodConditions[${i}]`
    errors.push(...isQualifiedName(pattern.type ?? '').map((m) => invalid(`${path}.type`, pattern.type ?? '', m)))
    if (!pattern.status) errors.push(required(`${path}.status`, `valid values: ${goList(statuses)}`))
    else if (!statuses.includes(pattern.status)) errors.push(notSupported(`${path}.status`, pattern.status, statuses))
  }
  if (onExitCodes !== undefined && onPodConditions.length > 0) {
    errors.push(omitValue(invalid(field, undefined, 'specifying both OnExitCodes and OnPodConditions is not supported')))
  }
  if (onExitCodes === undefined && onPodConditions.length === 0) {
    errors.push(omitValue(invalid(field, undefined, 'specifying one of OnExitCodes and OnPodConditions is required')))
  }
  return errors
}

function validateSuccessPolicyRule(rule: SuccessPolicyRule, field: string, completions: number): FieldError[] {
  const errors: FieldError[] = []
  const { succeededCount: count, succeededIndexes: indexes } = rule
  if (count === undefined && indexes === undefined) {
    errors.push(required(field, 'at least one of succeededCount or succeededIndexes must be specified'))
  }
  let total = 0
  if (indexes !== undefined) {
    if (indexes.length > limits.succeededIndexesLength) errors.push(tooLong(`${field}.succeededIndexes`, limits.succeededIndexesLength))
    const parsed = parseIndexes(indexes, completions)
    if (parsed.error !== undefined)
      errors.push(invalid(`${field}.succeededIndexes`, indexes, `error parsing succeededIndexes: ${parsed.error}`))
    total = parsed.value ?? 0
  }
  if (count !== undefined) {
    const path = `${field}.succeededCount`
    errors.push(...nonNegative(path, count))
    if (count > completions) {
      errors.push(invalid(path, count, `must be less than or equal to ${completions} (the number of specified completions)`))
    }
    if (indexes !== undefined && count > total) {
      errors.push(
        invalid(path, count, `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`),
      )
    }
  }
  return errors
}

function validateSuccessPolicy(spec: JobSpec, field: string): FieldError[] {
  const policy = spec.successPolicy
  if (policy === undefined) return []
  if (spec.completionMode !== 'Indexed') {
    return [{ ...invalid(field, policy, 'requires indexed completion mode'), badValueText: printGoType(policy, 'SuccessPolicy') }]
  }
  const rules = policy.rules ?? []
  const errors: FieldError[] = []
  if (rules.length === 0)
    errors.push(required(`${field}.rules`, 'at least one rules must be specified when the successPolicy is specified'))
  if (rules.length > limits.successPolicyRules) errors.push(tooMany(`${field}.rules`, rules.length, limits.successPolicyRules))
  for (const [i, rule] of rules.entries()) errors.push(...validateSuccessPolicyRule(rule, `${field}.rules[${i}]`, spec.completions ?? 0))
  return errors
}

function validateIndexed(spec: JobSpec, field: string): FieldError[] {
  const { completions, parallelism, maxFailedIndexes, backoffLimitPerIndex } = spec
  const errors: FieldError[] = []
  const atMost = (name: string, value: number | undefined, limit: number, when: string): void => {
    if (value !== undefined && value > limit)
      errors.push(invalid(`${field}.${name}`, value, `must be less than or equal to ${limit}${when}`))
  }
  if (completions === undefined) errors.push(required(`${field}.completions`, 'when completion mode is Indexed'))
  atMost('parallelism', parallelism, limits.parallelismForIndexed, ' when completion mode is Indexed')
  if (completions !== undefined && maxFailedIndexes !== undefined && maxFailedIndexes > completions) {
    errors.push(invalid(`${field}.maxFailedIndexes`, maxFailedIndexes, 'must be less than or equal to completions'))
  }
  atMost('maxFailedIndexes', maxFailedIndexes, limits.failedIndexesForIndexed, '')
  if (completions !== undefined && completions > limits.completionsSoft && backoffLimitPerIndex !== undefined) {
    if (maxFailedIndexes === undefined) {
      errors.push(required(`${field}.maxFailedIndexes`, `must be specified when completions is above ${limits.completionsSoft}`))
    }
    const when = ` when completions are above ${limits.completionsSoft} and used with backoff limit per index`
    atMost('parallelism', parallelism, limits.parallelismForHighCompletions, when)
    atMost('maxFailedIndexes', maxFailedIndexes, limits.failedIndexesForHighCompletions, when)
  }
  return errors
}

function validateReplacementPolicy(spec: JobSpec, field: string): FieldError[] {
  const policy = spec.podReplacementPolicy
  if (policy === undefined) return []
  const supported = spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed']
  return supported.includes(policy) ? [] : [notSupported(field, policy, supported)]
}

function validateRestartPolicy(spec: JobSpec, field: string): FieldError[] {
  const policy = spec.template.spec?.restartPolicy ?? ''
  if (policy === '' || policy === 'Always') return [required(field, 'valid values: "OnFailure", "Never"')]
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(field, policy, ['OnFailure', 'Never'])]
  if (spec.podFailurePolicy === undefined || policy === 'Never') return []
  return [invalid(field, policy, 'only "Never" is supported when podFailurePolicy is specified')]
}

export function validateJobSpecCommon(spec: JobSpec, field: string, oldTemplate: PodTemplateSpec | undefined): FieldError[] {
  const errors = [
    ...nonNegative(`${field}.parallelism`, spec.parallelism),
    ...nonNegative(`${field}.completions`, spec.completions),
    ...nonNegative(`${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds),
    ...nonNegative(`${field}.backoffLimit`, spec.backoffLimit),
    ...nonNegative(`${field}.ttlSecondsAfterFinished`, spec.ttlSecondsAfterFinished),
    ...nonNegative(`${field}.backoffLimitPerIndex`, spec.backoffLimitPerIndex),
    ...nonNegative(`${field}.maxFailedIndexes`, spec.maxFailedIndexes),
  ]
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) {
    errors.push(required(`${field}.backoffLimitPerIndex`, 'when maxFailedIndexes is specified'))
  }
  if (spec.managedBy !== undefined) {
    errors.push(...isDomainPrefixedPath(`${field}.managedBy`, spec.managedBy))
    if (spec.managedBy.length > limits.managedByLength) errors.push(tooLong(`${field}.managedBy`, limits.managedByLength))
  }
  const mode = spec.completionMode
  if (mode !== undefined && mode !== 'NonIndexed' && mode !== 'Indexed') {
    errors.push(notSupported(`${field}.completionMode`, mode, ['NonIndexed', 'Indexed']))
  }
  if (mode === 'Indexed') errors.push(...validateIndexed(spec, field))
  if (mode === undefined || mode === 'NonIndexed') {
    for (const name of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) {
      if (spec[name] !== undefined) errors.push(invalid(`${field}.${name}`, spec[name], 'requires indexed completion mode'))
    }
  }
  if (spec.podFailurePolicy !== undefined) {
    const rules = spec.podFailurePolicy.rules ?? []
    const path = `${field}.podFailurePolicy.rules`
    if (rules.length > limits.failurePolicyRules) errors.push(tooMany(path, rules.length, limits.failurePolicyRules))
    const names = [...(spec.template.spec?.containers ?? []), ...(spec.template.spec?.initContainers ?? [])].map((c) => c.name)
    for (const [i, rule] of rules.entries()) errors.push(...validateFailurePolicyRule(rule, `${path}[${i}]`, spec, names))
  }
  errors.push(...validateSuccessPolicy(spec, `${field}.successPolicy`))
  errors.push(...validateReplacementPolicy(spec, `${field}.podReplacementPolicy`))
  errors.push(...validatePodTemplateSpec(spec.template, `${field}.template`, podTemplateOptions(oldTemplate)))
  errors.push(...validateRestartPolicy(spec, `${field}.template.spec.restartPolicy`))
  return errors
}

/** pkg/api/job/warnings.go */
export function jobSpecWarnings(spec: JobSpec, field: string): string[] {
  const warnings: string[] = []
  if (spec.completionMode === 'Indexed' && (spec.completions ?? 0) > 100_000 && (spec.parallelism ?? 0) > 10_000) {
    warnings.push(
      `${field}: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail`,
    )
  }
  return [...warnings, ...podTemplateWarnings(spec.template, `${field}.template`)]
}

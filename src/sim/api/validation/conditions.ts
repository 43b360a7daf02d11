// metav1.Condition: pkg/apis/meta/v1/validation/validation.go.
import { type FieldError, duplicate, invalid, notSupported, required, tooLong } from '../field.ts'
import { byteLength } from '../go-text.ts'
import type { Condition } from '../types/kubernetes.gen.ts'
import { validateLabelName } from './labels.ts'
import { regexError } from './names.ts'

const REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'
const reasonPattern = new RegExp(`^${REASON}$`)

export const isValidConditionReason = (value: string): string[] =>
  reasonPattern.test(value)
    ? []
    : [
        regexError(
          "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
          REASON,
          'my_name',
          'MY_NAME',
          'MyName',
          'ReasonA,ReasonB',
          'ReasonA:ReasonB',
        ),
      ]

export const validateCondition = (condition: Condition, field: string): FieldError[] => {
  const errors = validateLabelName(condition.type ?? '', `${field}.type`)
  if (!['True', 'False', 'Unknown'].includes(condition.status))
    errors.push(notSupported(`${field}.status`, condition.status ?? '', ['False', 'True', 'Unknown']))
  if ((condition.observedGeneration ?? 0) < 0)
    errors.push(invalid(`${field}.observedGeneration`, condition.observedGeneration, 'must be greater than or equal to zero'))
  if (!condition.lastTransitionTime) errors.push(required(`${field}.lastTransitionTime`))
  if (!condition.reason) errors.push(required(`${field}.reason`))
  else {
    for (const message of isValidConditionReason(condition.reason)) errors.push(invalid(`${field}.reason`, condition.reason, message))
    if (byteLength(condition.reason) > 1024) errors.push(tooLong(`${field}.reason`, 1024))
  }
  if (byteLength(condition.message ?? '') > 32 * 1024) errors.push(tooLong(`${field}.message`, 32 * 1024))
  return errors
}

export const validateConditions = (conditions: readonly Condition[] | undefined, field: string): FieldError[] => {
  const seen = new Set<string>()
  return (conditions ?? []).flatMap((condition, i) => {
    const type = condition.type ?? ''
    const errors = seen.has(type) ? [duplicate(`${field}[${i}].type`, type)] : []
    seen.add(type)
    return [...errors, ...validateCondition(condition, `${field}[${i}]`)]
  })
}

// Values that are a count or a percentage (pkg/apis/apps/validation/validation.go).
import type { FieldError } from '../../../../api/field.ts'
import { invalid } from '../../../../api/field.ts'
import { nonNegative } from './common.ts'

export type IntOrPercent = number | string

const percentFormat = /^[0-9]+%$/
const percentMessage =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"

export function validatePositiveIntOrPercent(value: IntOrPercent, field: string): FieldError[] {
  if (typeof value === 'number') return nonNegative(field, value)
  return percentFormat.test(value) ? [] : [invalid(field, value, percentMessage)]
}

const percentOf = (value: IntOrPercent): number | undefined =>
  typeof value === 'string' && percentFormat.test(value) ? Number(value.slice(0, -1)) : undefined

/** The number or the percentage; a string that is neither counts as Go's Atoi: 0. */
export const intOrPercentValue = (value: IntOrPercent): number =>
  percentOf(value) ?? (typeof value === 'number' ? value : /^[+-]?[0-9]+$/.test(value) ? Number(value) : 0)

export const isNotMoreThan100Percent = (value: IntOrPercent, field: string): FieldError[] =>
  (percentOf(value) ?? 0) > 100 ? [invalid(field, value, 'must not be greater than 100%')] : []

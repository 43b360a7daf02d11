// IntOrString: pkg/util/intstr/intstr.go.
import { fail, ok, type Result } from '../../lib/result.ts'

export type IntOrString = number | string

const PERCENT = /^[+-]?[0-9]+$/

const percentOf = (text: string): Result<number> => {
  if (!text.endsWith('%')) return fail('invalid type: string is not a percentage')
  const digits = text.slice(0, -1)
  if (!PERCENT.test(digits)) return fail(`invalid value "${text}": strconv.Atoi: parsing ${JSON.stringify(digits)}: invalid syntax`)
  return ok(Number(digits))
}

/** GetScaledValueFromIntOrPercent: a number as it is, a percentage of `total` rounded up or down. */
export const getScaledValueFromIntOrPercent = (value: IntOrString | undefined | null, total: number, roundUp: boolean): Result<number> => {
  if (value === undefined || value === null) return fail('nil value for IntOrString')
  if (typeof value === 'number') return ok(value)
  const percent = percentOf(value)
  if (percent.value === undefined) return fail(`invalid value for IntOrString: ${percent.error}`)
  const scaled = (percent.value * total) / 100
  return ok(roundUp ? Math.ceil(scaled) : Math.floor(scaled))
}

/** The scaled value, 0 for what is neither a number nor a percentage. */
export const scaledIntOrPercent = (value: IntOrString | undefined | null, total: number, roundUp: boolean): number =>
  getScaledValueFromIntOrPercent(value, total, roundUp).value ?? 0

/** IntValue(): strings are read as numbers, and count 0 if they are none. */
export const intValue = (value: IntOrString | undefined | null): number => {
  if (typeof value === 'number') return value
  return value !== undefined && value !== null && PERCENT.test(value) ? Number(value) : 0
}

export const intOrStringText = (value: IntOrString): string => String(value)

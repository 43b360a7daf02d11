// Tolerations (pkg/apis/core/validation/validation.go: ValidateTolerations).
import { type FieldError, invalid, notSupported } from '../../../../api/field.ts'
import type { Toleration } from '../../../../api/types/kubernetes.gen.ts'
import type { PodValidationOptions } from './options.ts'
import { isValidLabelValue, quote, validateLabelName } from './rules.ts'

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** content.IsDecimalInteger and strconv.ParseInt. */
function validateInteger(value: string, path: string): FieldError[] {
  const errs: FieldError[] = []
  if (value === '') errs.push(invalid(path, value, 'must be non-empty'))
  else if (!/^(0|-?[1-9][0-9]*)$/.test(value)) errs.push(invalid(path, value, 'must be a valid decimal integer in canonical form'))
  if (!/^[+-]?[0-9]+$/.test(value)) errs.push(invalid(path, value, `strconv.ParseInt: parsing ${quote(value)}: invalid syntax`))
  else if (BigInt.asIntN(64, BigInt(value)) !== BigInt(value)) {
    errs.push(invalid(path, value, `strconv.ParseInt: parsing ${quote(value)}: value out of range`))
  }
  return errs
}

function validateValue(t: Toleration, path: string, opts: PodValidationOptions): FieldError[] {
  const operator = (t.operator as string | undefined) ?? ''
  const value = t.value ?? ''
  switch (operator) {
    case 'Equal':
    case '': {
      const wrong = isValidLabelValue(value)
      return wrong.length > 0 ? [invalid(`${path}.operator`, value, wrong.join(';'))] : []
    }
    case 'Exists':
      return value ? [invalid(`${path}.operator`, value, "value must be empty when `operator` is 'Exists'")] : []
    case 'Lt':
    case 'Gt':
      if (!opts.allowTaintTolerationComparisonOperators)
        return [notSupported(`${path}.operator`, operator, ['Equal', 'Exists', 'Lt', 'Gt'])]
      return validateInteger(value, `${path}.value`)
  }
  return [notSupported(`${path}.operator`, operator, ['Equal', 'Exists'])]
}

export const validateTolerations = (
  tolerations: readonly Toleration[] | undefined,
  path: string,
  opts: PodValidationOptions,
): FieldError[] =>
  (tolerations ?? []).flatMap((t, i) => {
    const at = `${path}[${i}]`
    const operator = (t.operator as string | undefined) ?? ''
    const effect = (t.effect as string | undefined) ?? ''
    const errs = t.key ? validateLabelName(t.key, `${at}.key`) : []
    if (!t.key && operator !== 'Exists') {
      errs.push(
        invalid(`${at}.operator`, operator, 'operator must be Exists when `key` is empty, which means "match all values and all keys"'),
      )
    }
    if (typeof t.tolerationSeconds === 'number' && effect !== 'NoExecute') {
      errs.push(invalid(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    }
    errs.push(...validateValue(t, at, opts))
    if (effect && !effects.includes(effect)) errs.push(notSupported(`${at}.effect`, effect, effects))
    return errs
  })

// Labels and label selectors in objects: pkg/apis/meta/v1/validation/validation.go.
import { sortedKeys } from '../../../lib/compare.ts'
import { getOwn } from '../../../lib/own.ts'
import { type FieldError, forbidden, invalid, required } from '../field.ts'
import type { LabelSelector, LabelSelectorRequirement } from '../types/kubernetes.gen.ts'
import { isQualifiedName, isValidLabelValue } from './names.ts'

export interface LabelSelectorValidationOptions {
  allowInvalidLabelValueInSelector?: boolean
  allowUnknownOperatorInRequirement?: boolean
}

export const validateLabelName = (name: string, field: string): FieldError[] => isQualifiedName(name).map((m) => invalid(field, name, m))

export const validateLabels = (labels: Readonly<Record<string, string>> | undefined, field: string): FieldError[] =>
  sortedKeys(labels).flatMap((key) => {
    const value = getOwn(labels, key) as string
    return [...validateLabelName(key, field), ...isValidLabelValue(value).map((m) => invalid(field, value, m))]
  })

export const labelSelectorHasInvalidLabelValue = (selector: LabelSelector | undefined): boolean =>
  (selector?.matchExpressions ?? []).some((e) => (e.values ?? []).some((v) => isValidLabelValue(v).length > 0))

export const validateLabelSelectorRequirement = (
  r: LabelSelectorRequirement,
  field: string,
  options: LabelSelectorValidationOptions = {},
): FieldError[] => {
  const errors: FieldError[] = []
  const values = r.values ?? []
  if (r.operator === 'In' || r.operator === 'NotIn') {
    if (values.length === 0) errors.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  } else if (r.operator === 'Exists' || r.operator === 'DoesNotExist') {
    if (values.length > 0) errors.push(forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
  } else if (!options.allowUnknownOperatorInRequirement) {
    errors.push(invalid(`${field}.operator`, r.operator ?? '', 'not a valid selector operator'))
  }
  errors.push(...validateLabelName(r.key ?? '', `${field}.key`))
  if (!options.allowInvalidLabelValueInSelector) {
    values.forEach((value, i) => {
      errors.push(...isValidLabelValue(value).map((m) => invalid(`${field}.values[${i}]`, value, m)))
    })
  }
  return errors
}

export const validateLabelSelector = (
  selector: LabelSelector | undefined,
  field: string,
  options: LabelSelectorValidationOptions = {},
): FieldError[] =>
  selector === undefined || selector === null
    ? []
    : [
        ...validateLabels(selector.matchLabels, `${field}.matchLabels`),
        ...(selector.matchExpressions ?? []).flatMap((e, i) =>
          validateLabelSelectorRequirement(e, `${field}.matchExpressions[${i}]`, options),
        ),
      ]

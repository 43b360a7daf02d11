// References to another object by group, kind and name (validateIngressTypedLocalObjectReference).
import type { FieldError } from '../../../../api/field.ts'
import { invalid, required } from '../../../../api/field.ts'
import { isDNS1123Subdomain, validatePathSegmentName } from '../../../../api/validation/names.ts'

export const pathSegment = (field: string, value: string | undefined): FieldError[] =>
  value ? validatePathSegmentName(value, false).map((m) => invalid(field, value, m)) : [required(field)]

export function validateTypedLocalReference(ref: { apiGroup?: string; kind?: string; name?: string }, field: string): FieldError[] {
  const group = ref.apiGroup === undefined ? [] : isDNS1123Subdomain(ref.apiGroup).map((m) => invalid(`${field}.apiGroup`, ref.apiGroup, m))
  return [...group, ...pathSegment(`${field}.kind`, ref.kind), ...pathSegment(`${field}.name`, ref.name)]
}

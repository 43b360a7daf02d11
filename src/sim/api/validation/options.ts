// Query and body options of requests: pkg/apis/meta/v1/validation/validation.go.
import { type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../field.ts'
import { byteLength } from '../go-text.ts'
import type { DeleteOptions } from '../types/kubernetes.gen.ts'

const UNPRINTABLE = /[\p{C}\p{Z}]/u

/** At most 128 bytes, printable characters only (a space counts as printable). */
export const validateFieldManager = (manager: string, field: string): FieldError[] => {
  const errors: FieldError[] = []
  if (byteLength(manager) > 128) errors.push(tooLong(field, 128))
  let position = 0
  for (const character of manager) {
    if (character !== ' ' && UNPRINTABLE.test(character)) {
      const code = (character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0')
      errors.push(invalid(field, manager, `invalid character U+${code} (at position ${position})`))
    }
    position += byteLength(character)
  }
  return errors
}

export const validateDryRun = (dryRun: readonly string[] | undefined, field = 'dryRun'): FieldError[] =>
  (dryRun ?? []).every((v) => v === 'All') ? [] : [notSupported(field, dryRun, ['All'])]

const FIELD_VALIDATION = ['', 'Ignore', 'Strict', 'Warn']

export const validateFieldValidation = (value: string | undefined, field = 'fieldValidation'): FieldError[] =>
  FIELD_VALIDATION.includes(value ?? '') ? [] : [notSupported(field, value, FIELD_VALIDATION)]

export interface WriteOptions {
  fieldManager?: string
  dryRun?: readonly string[]
  fieldValidation?: string
  force?: boolean
}

/** ValidateCreateOptions and ValidateUpdateOptions. */
export const validateWriteOptions = (options: WriteOptions): FieldError[] => [
  ...validateFieldManager(options.fieldManager ?? '', 'fieldManager'),
  ...validateDryRun(options.dryRun),
  ...validateFieldValidation(options.fieldValidation),
]

export const validatePatchOptions = (options: WriteOptions, apply: boolean): FieldError[] => {
  const errors: FieldError[] = []
  if (apply) {
    if (!options.fieldManager) errors.push(required('fieldManager', 'is required for apply patch'))
  } else if (options.force !== undefined) errors.push(forbidden('force', 'may not be specified for non-apply patch'))
  return [...errors, ...validateWriteOptions(options)]
}

const PROPAGATION = ['Foreground', 'Background', 'Orphan']

export const validateDeleteOptions = (options: DeleteOptions): FieldError[] => {
  const errors: FieldError[] = []
  const policy = options.propagationPolicy
  if (options.orphanDependents !== undefined && policy !== undefined) {
    errors.push(invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'))
  }
  if (policy !== undefined && !PROPAGATION.includes(policy)) errors.push(notSupported('propagationPolicy', policy, [...PROPAGATION, 'nil']))
  errors.push(...validateDryRun(options.dryRun))
  if (options.ignoreStoreReadErrorWithClusterBreakingPotential) {
    const field = 'ignoreStoreReadErrorWithClusterBreakingPotential'
    if (policy !== undefined) errors.push(invalid(field, true, 'cannot be set together with .propagationPolicy'))
    if (options.orphanDependents !== undefined) errors.push(invalid(field, true, 'cannot be set together with .orphanDependents'))
    if (options.gracePeriodSeconds !== undefined) errors.push(invalid(field, true, 'cannot be set together with .gracePeriodSeconds'))
    if (options.preconditions !== undefined) errors.push(invalid(field, true, 'cannot be set together with .preconditions'))
  }
  return errors
}

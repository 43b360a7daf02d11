// Field errors: one wrong field of one object, as k8s.io/apimachinery/pkg/util/validation/field reports it.

export type FieldErrorType =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid'

export interface FieldError {
  type: FieldErrorType
  /** Go-style path from the object's root: `spec.containers[0].ports[1].name`, `metadata.labels`, `data[key]`. */
  field: string
  /** What the message quotes after the type; absent for the types that quote nothing (Required, Forbidden …). */
  badValue?: unknown
  detail: string
  /** How Go would print the value where plain JSON is wrong (structs, pointers, typed nils); wins over badValue in the text. */
  badValueText?: string
}

export const required = (field: string, detail = ''): FieldError => ({ type: 'FieldValueRequired', field, detail })
export const invalid = (field: string, badValue: unknown, detail: string): FieldError => ({
  type: 'FieldValueInvalid',
  field,
  badValue,
  detail,
})
export const duplicate = (field: string, badValue: unknown): FieldError => ({ type: 'FieldValueDuplicate', field, badValue, detail: '' })
export const notFound = (field: string, badValue: unknown): FieldError => ({ type: 'FieldValueNotFound', field, badValue, detail: '' })
export const forbidden = (field: string, detail: string): FieldError => ({ type: 'FieldValueForbidden', field, detail })
export const typeInvalid = (field: string, badValue: unknown, detail: string): FieldError => ({
  type: 'FieldValueTypeInvalid',
  field,
  badValue,
  detail,
})
export const internalError = (field: string, detail: string): FieldError => ({ type: 'InternalError', field, detail })
export const tooMany = (field: string, actual: number, max: number): FieldError => ({
  type: 'FieldValueTooMany',
  field,
  badValue: actual,
  detail: `must have at most ${max} items`,
})
/** `max` in characters; -1 leaves the limit out of the text. The value itself is never quoted. */
export const tooLong = (field: string, max: number): FieldError => ({
  type: 'FieldValueTooLong',
  field,
  detail: max >= 0 ? `may not be more than ${max} bytes` : 'value is too long',
})
/** Upstream lists the supported values in the order given, each quoted. */
export const notSupported = (field: string, badValue: unknown, supported: readonly string[]): FieldError => ({
  type: 'FieldValueNotSupported',
  field,
  badValue,
  detail: supported.length > 0 ? `supported values: ${supported.map((s) => JSON.stringify(s)).join(', ')}` : '',
})

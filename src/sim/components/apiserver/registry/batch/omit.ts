// Errors about a whole object that quote no value (field.OmitValueType): the detail takes the value's place.
import type { FieldError } from '../../../../api/field.ts'

export const omitValue = (error: FieldError): FieldError => ({ ...error, badValueText: error.detail, detail: '' })

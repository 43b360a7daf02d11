// Texts of field errors: pkg/util/validation/field/errors.go, pkg/util/errors/errors.go.
import type { FieldError, FieldErrorType } from './field.ts'
import { goJson, goQuote } from './go-text.ts'

export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

const TYPE_TEXT: Readonly<Record<FieldErrorType, string>> = {
  FieldValueNotFound: 'Not found',
  FieldValueRequired: 'Required value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  InternalError: 'Internal error',
  FieldValueTypeInvalid: 'Invalid value',
}

const QUOTES_NOTHING: ReadonlySet<FieldErrorType> = new Set<FieldErrorType>([
  'FieldValueRequired',
  'FieldValueForbidden',
  'FieldValueTooLong',
  'InternalError',
])

/** How a bad value is quoted: strings as %q, numbers and booleans bare, everything else as JSON; nothing is `null`. */
export const badValueText = (value: unknown): string => (typeof value === 'string' ? goQuote(value) : goJson(value))

/** Error.ErrorBody: the message without the field. */
export const fieldErrorBody = (error: FieldError): string => {
  let text = TYPE_TEXT[error.type]
  if (!QUOTES_NOTHING.has(error.type)) text += `: ${error.badValueText ?? badValueText(error.badValue)}`
  return error.detail === '' ? text : `${text}: ${error.detail}`
}

export const fieldErrorText = (error: FieldError): string => `${error.field}: ${fieldErrorBody(error)}`

/** utilerrors.NewAggregate(…).Error() of texts: each once, in brackets if there are several. */
export const aggregateTexts = (texts: readonly string[]): string => {
  const distinct = [...new Set(texts)]
  return distinct.length === 1 ? (distinct[0] as string) : `[${distinct.join(', ')}]`
}

/** ErrorList.ToAggregate().Error(): equal errors are said once. Not for an empty list. */
export const aggregateText = (errors: readonly FieldError[]): string => aggregateTexts(errors.map(fieldErrorText))

/** The causes of a Status repeat every error, also equal ones. */
export const statusCause = (error: FieldError): StatusCause => ({ reason: error.type, message: fieldErrorBody(error), field: error.field })

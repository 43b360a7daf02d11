// How Go prints structs of upstream's internal types in messages: JSON with the fields' Go names, in declaration order, nothing left out.
import { goJson } from '../../../../api/go-text.ts'

export type Print = (value: unknown) => string
/** A Go name, the JSON name, and how to print the field where plain JSON is wrong. */
export type GoField = readonly [goName: string, jsonName: string, print?: Print]

/** A pointer to a struct: nil is null. */
export const goStruct =
  (...fields: readonly GoField[]): Print =>
  (value) => {
    if (value === undefined || value === null) return 'null'
    const object = value as { [key: string]: unknown }
    return `{${fields.map(([goName, jsonName, print = goJson]) => `"${goName}":${print(Object.hasOwn(object, jsonName) ? object[jsonName] : undefined)}`).join(',')}}`
  }

/** A struct that is a value: never nil. */
export const goValueStruct =
  (...fields: readonly GoField[]): Print =>
  (value) =>
    goStruct(...fields)(value ?? {})

/** A slice; an empty one is nil after decoding. */
export const goSlice =
  (print: Print): Print =>
  (value) =>
    Array.isArray(value) && value.length > 0 ? `[${value.map(print).join(',')}]` : 'null'

export const goString: Print = (value) => goJson(value ?? '')
export const goInt: Print = (value) => goJson(value ?? 0)
export const goBool: Print = (value) => goJson(value ?? false)
export { goJson }

/** The value, or why there is none. `error` is present exactly when `value` is not. */
export type Result<T, E = string> = { readonly value: T; readonly error?: undefined } | { readonly value?: undefined; readonly error: E }

export const ok = <T>(value: T): { readonly value: T; readonly error?: undefined } => ({ value })
export const fail = <E>(error: E): { readonly value?: undefined; readonly error: E } => ({ error })

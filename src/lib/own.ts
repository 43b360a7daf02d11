// Own properties of plain objects whose keys come from outside: `__proto__` and `constructor` are data like any other key.

export const hasOwn = (object: object, key: string): boolean => Object.hasOwn(object, key)

export const getOwn = <T>(object: Readonly<Record<string, T>> | undefined | null, key: string): T | undefined =>
  object !== undefined && object !== null && Object.hasOwn(object, key) ? object[key] : undefined

/** Sets an own, enumerable property, also where plain assignment would reach a setter of the prototype. */
export const setOwn = <T>(object: Record<string, T>, key: string, value: NoInfer<T>): void => {
  if (key === '__proto__') Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
  else object[key] = value
}

export const deleteOwn = (object: Record<string, unknown>, key: string): void => {
  if (Object.hasOwn(object, key)) delete object[key]
}

/** A shallow copy that keeps every own key as data. */
export const copyOwn = <T>(object: Readonly<Record<string, T>>): Record<string, T> => {
  const copy: Record<string, T> = {}
  for (const key of Object.keys(object)) setOwn(copy, key, object[key] as T)
  return copy
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A deep copy of JSON data. */
export const cloneJson = <T>(value: T): T => {
  if (Array.isArray(value)) return value.map(cloneJson) as T
  if (!isRecord(value)) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) setOwn(copy, key, cloneJson(value[key]))
  return copy as T
}

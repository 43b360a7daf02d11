// Total orders and structural equality that are the same on every machine.

/** Orders as Go and etcd order strings: by UTF-8 bytes, which is by code point. */
export const compareStrings = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    const xs = x >= 0xd800 && x <= 0xdfff
    const ys = y >= 0xd800 && y <= 0xdfff
    // Surrogates stand for code points above every other UTF-16 unit.
    if (xs !== ys) return xs ? 1 : -1
    return x < y ? -1 : 1
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1
}

export const sortStrings = (strings: Iterable<string>): string[] => [...strings].sort(compareStrings)

export const sortedKeys = (object: Readonly<Record<string, unknown>> | undefined | null): string[] =>
  object === undefined || object === null ? [] : Object.keys(object).sort(compareStrings)

/** Equality of JSON data; the order of keys does not matter, and `undefined` members count as absent. */
export const deepEqual = (a: unknown, b: unknown): boolean => {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Number.isNaN(a) && Number.isNaN(b)
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!deepEqual(a[i], b[i])) return false
    return true
  }
  const x = a as Record<string, unknown>
  const y = b as Record<string, unknown>
  let count = 0
  for (const key of Object.keys(x)) {
    const value = x[key]
    if (value === undefined) continue
    count++
    if (!Object.hasOwn(y, key) || !deepEqual(value, y[key])) return false
  }
  for (const key of Object.keys(y)) if (y[key] !== undefined) count--
  return count === 0
}

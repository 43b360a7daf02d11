// JSON text that depends on the data only, not on the order in which keys were written.
import { sortedKeys } from './compare.ts'

/** Compact JSON with sorted keys; `undefined` members are left out. */
export const stableStringify = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(stableStringify).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const object = value as Record<string, unknown>
    const parts: string[] = []
    for (const key of sortedKeys(object))
      if (object[key] !== undefined) parts.push(`${JSON.stringify(key)}:${stableStringify(object[key])}`)
    return `{${parts.join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}

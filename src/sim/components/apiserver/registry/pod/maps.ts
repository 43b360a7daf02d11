// Maps with untrusted keys: short names for src/lib's.
export { byteLength } from '../../../../api/go-text.ts'
export { getOwn as at, setOwn as put } from '../../../../../lib/own.ts'

import { sortStrings } from '../../../../../lib/compare.ts'

/** Own keys, sorted: where Go iterates a map in random order, we iterate in this one. */
export const keysOf = (map: object | null | undefined): string[] => (map ? sortStrings(Object.keys(map)) : [])

export const has = (map: object | null | undefined, key: string): boolean => !!map && Object.hasOwn(map, key)

// Identifiers. A draw has 32 bits, so four make a UUID.
import { hash32, mix32 } from '../../engine/random.ts'

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')

/** Version 4, variant 1. */
const format = (a: number, b: number, c: number, d: number): string => {
  const [w, x, y, z] = [hex(a), hex((b & 0xffff0fff) | 0x4000), hex((c & 0x3fffffff) | 0x80000000), hex(d)]
  return `${w}-${x.slice(0, 4)}-${x.slice(4)}-${y.slice(0, 4)}-${y.slice(4)}${z}`
}

const word = (random: () => number): number => Math.floor(random() * 4294967296)

export const newUid = (random: () => number): string => format(word(random), word(random), word(random), word(random))

/** Looks random, depends on nothing but a server and its call: for audit ids, which need not be secret. */
export function auditIDOf(server: string, call: number): string {
  const h = hash32(server)
  return format(mix32(h, call), mix32(call, h), mix32(h ^ 0x5bd1e995, call), mix32(call, h ^ 0x5bd1e995))
}

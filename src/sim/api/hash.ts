// Hashes that end up in names and labels: pkg/util/hash, pkg/util/rand, pkg/controller/controller_utils.go ComputeHash.
import { utf8Encode } from '../../lib/base64.ts'
import { stableStringify } from '../../lib/stringify.ts'
import { safeEncodeString } from './names.ts'

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193

/** FNV-1 (multiply, then xor), 32 bits. */
export const fnv32 = (text: string): number => {
  let hash = FNV_OFFSET
  for (const byte of utf8Encode(text)) hash = (Math.imul(hash, FNV_PRIME) ^ byte) >>> 0
  return hash
}

/** FNV-1a (xor, then multiply), 32 bits. */
export const fnv32a = (text: string): number => {
  let hash = FNV_OFFSET
  for (const byte of utf8Encode(text)) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0
  return hash
}

const collisionBytes = (count: number): string => {
  // PutUint32 little endian into eight bytes, the rest zero.
  let bytes = ''
  for (let i = 0; i < 4; i++) bytes += String.fromCharCode((count >>> (8 * i)) & 255)
  return `${bytes}\0\0\0\0`
}

const fnv32aBytes = (seed: number, latin1: string): number => {
  let hash = seed
  for (let i = 0; i < latin1.length; i++) hash = Math.imul(hash ^ latin1.charCodeAt(i), FNV_PRIME) >>> 0
  return hash
}

/**
 * ComputeHash: equal templates have equal hashes whatever the order of their keys; a collision count changes the hash.
 * Upstream hashes a dump of Go memory, which nobody can repeat outside Go: the value differs, its form does not.
 */
export const podTemplateHash = (template: unknown, collisionCount?: number): string => {
  let hash = fnv32a(stableStringify(template))
  if (collisionCount !== undefined) hash = fnv32aBytes(hash, collisionBytes(collisionCount))
  return safeEncodeString(String(hash))
}

// A signature that nobody inside the simulation can make without going through signToken. It is not cryptography: it stands for RS256.
import { hash32, mix32 } from '../../../engine/random.ts'

/** `length` bytes that depend on every character of the text. */
export function keyedHash(text: string, length: number): number[] {
  const bytes: number[] = []
  const [a, b] = [hash32(text), hash32(text, 0x9e3779b9)]
  for (let i = 0; bytes.length < length; i++) {
    const word = mix32(a ^ i, b + i)
    bytes.push(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24)
  }
  return bytes.slice(0, length)
}

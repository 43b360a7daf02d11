// Named random streams. A stream's state is one record of a table, so undo rewinds randomness too.
// Generator: sfc32 (Chris Doty-Humphrey, public domain), 128 bits of state.

export type RandomState = readonly [number, number, number, number]

/** 32-bit FNV-1a of a string, continued from `hash`. */
export function hash32(text: string, hash = 0x811c9dc5): number {
  let h = hash
  for (let i = 0; i < text.length; i++) {
    h ^= text.charCodeAt(i)
    h = Math.imul(h, 0x01000193)
  }
  return h >>> 0
}

/** A well-mixed 32-bit value from two: for jitter that needs no state (message id, seed). */
export function mix32(a: number, b: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(b ^ 0xc2b2ae35, 0x27d4eb2f)
  h ^= h >>> 15
  h = Math.imul(h, 0x2c1b3c6d)
  h ^= h >>> 12
  h = Math.imul(h, 0x297a2d39)
  h ^= h >>> 15
  return h >>> 0
}

export function seedStream(seed: number, name: string): RandomState {
  const h = hash32(name)
  let state: RandomState = [mix32(seed, h), mix32(h, seed), mix32(seed ^ 0x5bd1e995, h), 1]
  for (let i = 0; i < 12; i++) state = draw(state).state
  return state
}

export function draw([a, b, c, d]: RandomState): { state: RandomState; value: number } {
  const t = (((a + b) | 0) + d) | 0
  const state: RandomState = [b ^ (b >>> 9), (c + (c << 3)) | 0, (((c << 21) | (c >>> 11)) + t) | 0, (d + 1) | 0]
  return { state, value: (t >>> 0) / 4294967296 }
}

// SHA-256 (FIPS 180-4) and RFC 4648 base 32, for names that are hashes of other names.
import { utf8Encode } from './base64.ts'

/** Fractional bits of the roots of the first primes: square roots for the start value, cube roots for the round constants. */
const fraction = (root: number): number => ((root - Math.floor(root)) * 4294967296) | 0

function constants(): { start: readonly number[]; rounds: readonly number[] } {
  const start: number[] = []
  const rounds: number[] = []
  for (let n = 2; rounds.length < 64; n++) {
    let prime = true
    for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false
    if (!prime) continue
    if (start.length < 8) start.push(fraction(Math.sqrt(n)))
    rounds.push(cubeRootBits(n))
  }
  return { start, rounds }
}

/** First 32 fractional bits of the cube root of n, exact: floor(∛n · 2³²) mod 2³² in integers (Math.cbrt may differ between engines). */
function cubeRootBits(n: number): number {
  const target = BigInt(n) << 96n
  let low = 0n
  let high = 1n << 36n
  while (low < high) {
    const middle = (low + high + 1n) >> 1n
    if (middle * middle * middle <= target) low = middle
    else high = middle - 1n
  }
  return Number(BigInt.asIntN(32, low))
}

const { start: START, rounds: K } = constants()
const rotate = (x: number, n: number): number => (x >>> n) | (x << (32 - n))

export function sha256(text: string): Uint8Array {
  const bytes = utf8Encode(text)
  const length = Math.ceil((bytes.length + 9) / 64) * 64
  const padded = new Uint8Array(length)
  padded.set(bytes)
  padded[bytes.length] = 0x80
  const view = new DataView(padded.buffer)
  view.setUint32(length - 8, Math.floor(bytes.length / 0x20000000))
  view.setUint32(length - 4, bytes.length << 3)
  const h = Int32Array.from(START)
  const w = new Int32Array(64)
  for (let offset = 0; offset < length; offset += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(offset + i * 4)
    for (let i = 16; i < 64; i++) {
      const a = w[i - 15] as number
      const b = w[i - 2] as number
      w[i] =
        (w[i - 16] as number) +
        (rotate(a, 7) ^ rotate(a, 18) ^ (a >>> 3)) +
        (w[i - 7] as number) +
        (rotate(b, 17) ^ rotate(b, 19) ^ (b >>> 10))
    }
    let [a, b, c, d, e, f, g, last] = h as unknown as [number, number, number, number, number, number, number, number]
    for (let i = 0; i < 64; i++) {
      const t1 = (last + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + (K[i] as number) + (w[i] as number)) | 0
      const t2 = ((rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0
      last = g
      g = f
      f = e
      e = (d + t1) | 0
      d = c
      c = b
      b = a
      a = (t1 + t2) | 0
    }
    for (const [i, x] of [a, b, c, d, e, f, g, last].entries()) h[i] = (h[i] as number) + x
  }
  const out = new Uint8Array(32)
  const outView = new DataView(out.buffer)
  for (let i = 0; i < 8; i++) outView.setInt32(i * 4, h[i] as number)
  return out
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Without padding. */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let buffer = 0
  let bits = 0
  for (const byte of bytes) {
    buffer = ((buffer << 8) | byte) & 0xfff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += BASE32[(buffer >>> bits) & 31]
    }
  }
  if (bits > 0) text += BASE32[(buffer << (5 - bits)) & 31]
  return text
}

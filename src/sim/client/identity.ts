// Random names, from the component's own random stream.
import type { Context } from '../net/context.ts'

/** apimachinery/pkg/util/rand: no vowels and no characters that are easily confused. */
const ALPHANUMS = 'bcdfghjklmnpqrstvwxz2456789'

export function randomSuffix(ctx: Context, length: number, stream = 'names'): string {
  let text = ''
  for (let i = 0; i < length; i++) text += ALPHANUMS[Math.floor(ctx.random(stream) * ALPHANUMS.length)]
  return text
}

/** A version 4 UUID. */
export function randomUuid(ctx: Context, stream = 'uuid'): string {
  let hex = ''
  for (let i = 0; i < 32; i++) {
    const digit = Math.floor(ctx.random(stream) * 16)
    hex += (i === 12 ? 4 : i === 16 ? 8 + (digit & 3) : digit).toString(16)
  }
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

// Names and keys that upstream draws as random UUIDs; drawn here from the request's own stream.
import type { RegistryView } from '../strategy.ts'

export function randomUUID(view: RegistryView): string {
  let hex = ''
  for (let i = 0; i < 32; i++) {
    const nibble = Math.floor(view.random() * 16)
    hex += (i === 12 ? 4 : i === 16 ? 8 + (nibble & 3) : nibble).toString(16)
  }
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

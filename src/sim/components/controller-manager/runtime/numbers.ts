// Numbers as Go's API types write them.
import type { IntOrString } from './types.ts'

/** intstr.GetScaledValueFromIntOrPercent. */
export function scaledValue(value: IntOrString | undefined, total: number, roundUp: boolean): number {
  if (typeof value === 'number') return value
  const percent = /^(\d+)%$/.exec(value ?? '')?.[1]
  if (percent === undefined) return 0
  const scaled = (Number(percent) * total) / 100
  return roundUp ? Math.ceil(scaled) : Math.floor(scaled)
}

/** Integer fields with omitempty: a zero is not written. */
export function nonZero<T extends Readonly<Record<string, number | undefined>>>(fields: T): Partial<Record<keyof T, number>> {
  const out: Partial<Record<keyof T, number>> = {}
  for (const [name, value] of Object.entries(fields)) if (value) out[name as keyof T] = value
  return out
}

// Numbers as Go's API types write them.
/** Integer fields with omitempty: a zero is not written. */
export function nonZero<T extends Readonly<Record<string, number | undefined>>>(fields: T): Partial<Record<keyof T, number>> {
  const out: Partial<Record<keyof T, number>> = {}
  for (const [name, value] of Object.entries(fields)) if (value) out[name as keyof T] = value
  return out
}

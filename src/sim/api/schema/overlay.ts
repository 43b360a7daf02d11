// Where the published schema says something else than the declarations it is generated from.

const FIELDS: Readonly<Record<string, string>> = {}

/** Replaces the generated declaration of a field. */
export const fieldOverlay = (definition: string, field: string): string | undefined => {
  const key = `${definition} ${field}`
  return Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined
}

/** `atomic` for structs that are replaced as a whole although their declaration does not say so. */
export const structOverlay = (_definition: string): string | undefined => undefined

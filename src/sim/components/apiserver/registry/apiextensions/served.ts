// What a definition adds to the registry.
import type { KubeObject } from '../../../../api/types/object.ts'
import { makeServed, type Served } from '../index.ts'
import { customStrategy, decodeCustom, deprecationWarning, isServed } from './custom-resource.ts'
import { conditionOf } from './names.ts'
import { customObjectSchema } from './object-schema.ts'
import type { Version } from './spec.ts'

const deprecationOf = (crd: KubeObject, version: string): { deprecation?: string } => {
  const deprecation = deprecationWarning(crd, version)
  return deprecation === undefined ? {} : { deprecation }
}

/** The versions of an established definition: the storage version first, though it may not be served itself. */
export function servedBy(crd: KubeObject): readonly Served[] {
  const strategy = isServed(crd) ? customStrategy(crd) : undefined
  if (!strategy) return []
  return makeServed(strategy, true).map((served) => ({
    ...served,
    ...(conditionOf(crd, 'Terminating')?.status === 'True' ? { terminating: true } : {}),
    ...deprecationOf(crd, served.version),
    schema: customObjectSchema(crd, served.version),
    decode: (kind, tree, fieldValidation) => decodeCustom(crd, served.version, kind, tree, fieldValidation),
  }))
}

/** Whether requests may ask for that version. */
export const servesVersion = (crd: KubeObject, version: string): boolean =>
  ((crd.spec as { versions?: readonly Version[] } | undefined)?.versions ?? []).some((v) => v.name === version && v.served)

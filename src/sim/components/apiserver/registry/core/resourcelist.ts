// Lists of quantities: their names, and SetDefaults_ResourceList, which rounds what is finer than a thousandth up.
import { type FieldError, invalid } from '../../../../api/field.ts'
import { at, keysOf, put } from '../pod/maps.ts'
import { isStandardResourceName, roundUpToMilli } from '../pod/quantities.ts'
import { validateResourceQuantityValue } from '../pod/resources.ts'
import { invalidEach, isQualifiedName } from './rules.ts'

export type ResourceList = { [key: string]: string }

export function roundUpResourceList(list: ResourceList | undefined | null): void {
  if (!list) return
  for (const key of keysOf(list)) put(list, key, roundUpToMilli(at(list, key) ?? '0'))
}

/** validateResourceName. */
export function validateResourceName(name: string, field: string): FieldError[] {
  const errors = invalidEach(field, name, isQualifiedName(name))
  if (errors.length > 0 || name.includes('/') || isStandardResourceName(name)) return errors
  return [invalid(field, name, 'must be a standard resource type or fully qualified')]
}

export { validateResourceQuantityValue }

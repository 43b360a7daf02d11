// Uniqueness in set and map lists: apiextensions-apiserver pkg/apiserver/schema/listtype/validation.go.
import { getOwn, isRecord } from '../../../../../lib/own.ts'
import { stableStringify } from '../../../../../lib/stringify.ts'
import { duplicate, type FieldError, invalid } from '../../../../api/field.ts'
import { child, itemSchema, type JSONSchemaProps, key, listType, propertyOf, valueSchema } from './schema.ts'

/** ValidateListSetsAndMaps. */
export function validateLists(path: string, s: JSONSchemaProps | undefined, value: unknown): FieldError[] {
  if (!s) return []
  if (Array.isArray(value)) return validateList(path, s, value)
  if (!isRecord(value)) return []
  const keys = Object.keys(value).sort()
  const values = valueSchema(s)
  return [
    ...(values ? keys.flatMap((k) => validateLists(key(path, k), values, getOwn(value, k))) : []),
    ...keys.flatMap((k) => validateLists(child(path, k), propertyOf(s, k), getOwn(value, k))),
  ]
}

function validateList(path: string, s: JSONSchemaProps, list: readonly unknown[]): FieldError[] {
  const errors: FieldError[] = []
  const at = (i: number): string => key(path, String(i))
  if (listType(s) === 'set') errors.push(...repeated(list).map((i) => duplicate(at(i), list[i])))
  else if (listType(s) === 'map') {
    const stranger = list.findIndex((x) => x !== null && !isRecord(x))
    if (stranger >= 0) errors.push(invalid(at(stranger), list[stranger], 'must be an object for an array of list-type map'))
    else {
      const names = s['x-kubernetes-list-map-keys'] ?? []
      const keys = list.map((x) =>
        Object.fromEntries(
          names.filter((n) => isRecord(x) && Object.hasOwn(x, n)).map((n) => [n, getOwn(x as Record<string, unknown>, n)]),
        ),
      )
      errors.push(...repeated(keys).map((i) => duplicate(at(i), keys[i])))
    }
  }
  const items = itemSchema(s)
  if (items) for (const [i, item] of list.entries()) errors.push(...validateLists(at(i), items, item))
  return errors
}

/** Indices at which a value appears for the second time. */
function repeated(list: readonly unknown[]): number[] {
  const times = new Map<string, number>()
  const found: number[] = []
  for (const [i, x] of list.entries()) {
    const text = stableStringify(x)
    const seen = times.get(text) ?? 0
    times.set(text, seen + 1)
    if (seen === 1) found.push(i)
  }
  return found
}

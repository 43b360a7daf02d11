// apiequality.Semantic.DeepEqual on JSON: empty lists and maps equal absent ones, quantities are compared by amount.
import { compareQuantities, tryParseQuantity } from '../../../../api/quantity.ts'

/** Keys whose values are maps (not structs), so that `{}` equals absence. */
const mapKeys = new Set([
  'nodeSelector',
  'overhead',
  'limits',
  'requests',
  'matchLabels',
  'labels',
  'annotations',
  'options',
  'volumeAttributes',
  'allocatedResources',
])
const quantityMaps = new Set(['overhead', 'limits', 'requests', 'allocatedResources'])
const quantities = new Set(['sizeLimit', 'divisor'])

const isObject = (v: unknown): v is { [key: string]: unknown } => typeof v === 'object' && v !== null && !Array.isArray(v)

const isNothing = (v: unknown, key: string): boolean =>
  v === undefined || v === null || (Array.isArray(v) && v.length === 0) || (isObject(v) && mapKeys.has(key) && Object.keys(v).length === 0)

const sameAmount = (a: unknown, b: unknown): boolean =>
  typeof a === 'string' && typeof b === 'string' && tryParseQuantity(a).value !== undefined && tryParseQuantity(b).value !== undefined
    ? compareQuantities(a, b) === 0
    : a === b

/** `key` is the field that holds the two values. */
export function semanticEqual(a: unknown, b: unknown, key = ''): boolean {
  if (isNothing(a, key) || isNothing(b, key)) return isNothing(a, key) && isNothing(b, key)
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((v, i) => semanticEqual(v, b[i], key))
  if (isObject(a) && isObject(b)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)])
    const isMap = mapKeys.has(key)
    for (const k of keys) {
      const x = Object.hasOwn(a, k) ? a[k] : undefined
      const y = Object.hasOwn(b, k) ? b[k] : undefined
      if (quantityMaps.has(key) ? !sameAmount(x, y) : isMap ? x !== y : !semanticEqual(x, y, k)) return false
    }
    return true
  }
  return quantities.has(key) ? sameAmount(a, b) : a === b
}

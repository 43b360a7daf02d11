// Types and which of them fit where: cel-go checker/types.go, checker/format.go.

export type Type =
  | { readonly kind: 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null' | 'dyn' | 'error' | 'duration' | 'timestamp' }
  | { readonly kind: 'list'; readonly item: Type }
  | { readonly kind: 'map'; readonly key: Type; readonly value: Type }
  /** A struct; without fields it is opaque to selections, as Kubernetes' own types are. */
  | { readonly kind: 'object'; readonly name: string; readonly fields: Readonly<Record<string, Type>> }
  | { readonly kind: 'opaque'; readonly name: string; readonly params: readonly Type[] }
  | { readonly kind: 'type'; readonly of?: Type }
  | { readonly kind: 'param'; readonly name: string }

type Simple = Extract<
  Type,
  { kind: 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null' | 'dyn' | 'error' | 'duration' | 'timestamp' }
>['kind']
const simple = (kind: Simple): Type => ({ kind })

export const BOOL = simple('bool')
export const INT = simple('int')
export const UINT = simple('uint')
export const DOUBLE = simple('double')
export const STRING = simple('string')
export const BYTES = simple('bytes')
export const NULL = simple('null')
export const DYN = simple('dyn')
export const ERROR = simple('error')
export const DURATION = simple('duration')
export const TIMESTAMP = simple('timestamp')
export const listOf = (item: Type): Type => ({ kind: 'list', item })
export const mapOf = (key: Type, value: Type): Type => ({ kind: 'map', key, value })
export const optionalOf = (of: Type): Type => ({ kind: 'opaque', name: 'optional_type', params: [of] })
export const objectOf = (name: string, fields: Readonly<Record<string, Type>> = {}): Type => ({ kind: 'object', name, fields })
export const typeOf = (of?: Type): Type => (of ? { kind: 'type', of } : { kind: 'type' })

export const isDyn = (t: Type): boolean => t.kind === 'dyn'
export const isDynOrError = (t: Type): boolean => t.kind === 'dyn' || t.kind === 'error'
export const unwrapOptional = (t: Type): Type | undefined => (t.kind === 'opaque' && t.name === 'optional_type' ? t.params[0] : undefined)

export const paramsOf = (t: Type): readonly Type[] => {
  switch (t.kind) {
    case 'list':
      return [t.item]
    case 'map':
      return [t.key, t.value]
    case 'opaque':
      return t.params
    case 'type':
      return t.of ? [t.of] : []
    default:
      return []
  }
}

/** FormatCELType. */
export function typeText(t: Type): string {
  switch (t.kind) {
    case 'error':
      return '!error!'
    case 'param':
    case 'object':
      return t.name
    case 'opaque':
      return t.params.length === 0 ? t.name : `${t.name}(${t.params.map(typeText).join(', ')})`
    case 'list':
    case 'map':
      return `${t.kind}(${paramsOf(t).map(typeText).join(', ')})`
    case 'type':
      return t.of ? `type(${typeText(t.of)})` : 'type'
    default:
      return t.kind
  }
}

export function sameType(a: Type, b: Type): boolean {
  if (a.kind !== b.kind) return false
  if ((a.kind === 'object' || a.kind === 'opaque' || a.kind === 'param') && a.name !== (b as typeof a).name) return false
  const [p, q] = [paramsOf(a), paramsOf(b)]
  return p.length === q.length && p.every((x, i) => sameType(x, q[i] as Type))
}

/** What type parameters stand for; a new one for every successful step. */
export type Mapping = ReadonlyMap<string, Type>

export function substitute(m: Mapping, t: Type, paramsToDyn: boolean): Type {
  if (t.kind === 'param') {
    const found = m.get(t.name)
    return found ? substitute(m, found, paramsToDyn) : paramsToDyn ? DYN : t
  }
  switch (t.kind) {
    case 'list':
      return listOf(substitute(m, t.item, paramsToDyn))
    case 'map':
      return mapOf(substitute(m, t.key, paramsToDyn), substitute(m, t.value, paramsToDyn))
    case 'opaque':
      return t.params.length === 0 ? t : { ...t, params: t.params.map((p) => substitute(m, p, paramsToDyn)) }
    case 'type':
      return t.of ? typeOf(substitute(m, t.of, paramsToDyn)) : t
    default:
      return t
  }
}

const isLessSpecific = (a: Type, b: Type): boolean => {
  if (isDyn(a) || a.kind === 'param') return true
  if (isDyn(b) || b.kind === 'param' || a.kind !== b.kind) return false
  if (a.kind === 'type') return true
  if (a.kind !== 'list' && a.kind !== 'map' && a.kind !== 'opaque') return sameType(a, b)
  if (a.kind === 'opaque' && a.name !== (b as typeof a).name) return false
  const [p, q] = [paramsOf(a), paramsOf(b)]
  return p.length === q.length && p.every((x, i) => isLessSpecific(x, q[i] as Type))
}

export const mostGeneral = (a: Type, b: Type): Type => (isLessSpecific(a, b) ? a : b)

const isNullable = (t: Type): boolean =>
  t.kind === 'opaque' || t.kind === 'object' || t.kind === 'duration' || t.kind === 'timestamp' || t.kind === 'null'

/** Whether `param` does not appear in a type that is to stand for it. */
function notWithin(m: Map<string, Type>, param: Type, within: Type): boolean {
  if (sameType(param, within)) return false
  if (within.kind === 'param') {
    const found = m.get(within.name)
    return found ? notWithin(m, param, found) : true
  }
  return paramsOf(within).every((p) => notWithin(m, param, p))
}

function fits(m: Map<string, Type>, t: Type, param: Extract<Type, { kind: 'param' }>): { valid: boolean; known: boolean } {
  if (sameType(t, param)) return { valid: true, known: true }
  const found = m.get(param.name)
  if (found) {
    if (sameType(t, found)) return { valid: true, known: true }
    if (!assign(m, t, found)) return { valid: false, known: true }
    const general = mostGeneral(t, found)
    if (notWithin(m, param, general)) m.set(param.name, general)
    return { valid: true, known: true }
  }
  if (!notWithin(m, param, t)) return { valid: false, known: false }
  m.set(param.name, t)
  return { valid: true, known: false }
}

function assign(m: Map<string, Type>, a: Type, b: Type): boolean {
  if (b.kind === 'param') {
    const { valid, known } = fits(m, a, b)
    if (valid) return true
    if (known) return false
  }
  if (a.kind === 'param') return fits(m, b, a).valid
  if (isDynOrError(a) || isDynOrError(b)) return true
  if (a.kind === 'null') return isNullable(b)
  if (b.kind === 'null') return isNullable(a)
  if (a.kind === 'type') return b.kind === 'type'
  if (a.kind !== b.kind) return false
  if (a.kind === 'object') return a.name === (b as typeof a).name
  if (a.kind === 'opaque' && a.name !== (b as typeof a).name) return false
  const [p, q] = [paramsOf(a), paramsOf(b)]
  return p.length === q.length && p.every((x, i) => assign(m, x, q[i] as Type))
}

/** The mapping with which all of `given` fit `wanted`, or undefined. */
export function assignable(m: Mapping, given: readonly Type[], wanted: readonly Type[]): Mapping | undefined {
  const copy = new Map(m)
  return given.length === wanted.length && given.every((t, i) => assign(copy, t, wanted[i] as Type)) ? copy : undefined
}

// Values with a schema: validation, field sets, comparison, merge and removal (structured-merge-diff/v6/typed).
// A value that is absent is `undefined`; null is a value.
import { deepEqual, sortedKeys } from '../../../lib/compare.ts'
import { getOwn, isRecord, setOwn } from '../../../lib/own.ts'
import { goValue } from '../go-text.ts'
import { type Field, fieldOf, type ObjectSchema } from '../schema/index.ts'
import {
  emptySet,
  type FieldPath,
  type FieldSet,
  fieldElement,
  hasPath,
  insertPath,
  isEmptySet,
  keyElement,
  type PathElement,
  pathText,
  valueElement,
  withPrefix,
} from './fieldset.ts'

type Atom = 'map' | 'list' | 'scalar'

const DEDUCED: ObjectSchema = { type: 'any', goType: 'interface {}' }

const atomOf = (schema: ObjectSchema, value: unknown): Atom => {
  switch (schema.type) {
    case 'object':
    case 'map':
      return 'map'
    case 'array':
      return 'list'
    case 'any':
    case 'fieldsV1':
      // Without a declaration the value says what it is; maps can be shared, lists cannot.
      return Array.isArray(value) ? 'list' : isRecord(value) ? 'map' : value === null || value === undefined ? 'map' : 'scalar'
    default:
      return 'scalar'
  }
}

const isAtomic = (schema: ObjectSchema, atom: Atom): boolean => {
  if (atom === 'list') return schema.type !== 'array' || schema.listType === undefined || schema.listType === 'atomic'
  return schema.atomic === true
}

const isDeduced = (schema: ObjectSchema): boolean => schema.type === 'any' || schema.type === 'fieldsV1'

/** Schema of a member; undefined if the schema does not know it. */
const memberSchema = (schema: ObjectSchema, name: string): ObjectSchema | undefined => {
  if (schema.type === 'object') {
    const field = fieldOf(schema, name)
    if (field) return field.schema
    return schema.preserveUnknownFields || !schema.fields ? (schema.items ?? DEDUCED) : undefined
  }
  return isDeduced(schema) ? DEDUCED : (schema.items ?? DEDUCED)
}

const itemSchema = (schema: ObjectSchema): ObjectSchema => schema.items ?? DEDUCED

export class TypedError extends Error {}

/** The published schema gives fields that Go always writes their zero value as default. */
const keyDefault = (field: Field | undefined): unknown => {
  if (!field || field.schema.default !== undefined) return field?.schema.default
  if (!field.always || field.pointer) return undefined
  return field.schema.type === 'string'
    ? ''
    : field.schema.type === 'bool'
      ? false
      : ['int32', 'int64', 'double'].includes(field.schema.type)
        ? 0
        : undefined
}

/** The path element of an item of a set or keyed list. */
const itemElement = (schema: ObjectSchema, item: unknown): PathElement => {
  const keys = schema.listMapKeys ?? []
  if (schema.listType === 'map') {
    if (item === null || item === undefined) throw new TypedError('associative list with keys may not have a null element')
    if (!isRecord(item)) throw new TypedError('associative list with keys may not have non-map elements')
    const found: [string, unknown][] = []
    for (const key of keys) {
      const value = getOwn(item, key)
      const fallback = value === undefined ? keyDefault(fieldOf(itemSchema(schema), key)) : undefined
      if (value !== undefined) found.push([key, value])
      else if (fallback !== undefined) found.push([key, fallback])
    }
    if (found.length === 0 && keys.length > 0) {
      throw new TypedError(
        `associative list with keys has an element that omits all key fields [${keys.map((k) => JSON.stringify(k)).join(' ')}] (and doesn't have default values for any key fields)`,
      )
    }
    return keyElement(found)
  }
  if (isRecord(item)) throw new TypedError("associative list without keys has an element that's a map type")
  if (Array.isArray(item)) throw new TypedError('not supported: associative list with lists as elements')
  if (item === null || item === undefined) throw new TypedError("associative list without keys has an element that's an explicit null")
  return valueElement(item)
}

interface Problem {
  path: string
  message: string
}

const problemsText = (problems: readonly Problem[]): string => {
  const texts = problems.map((p) => (p.path === '' ? p.message : `${p.path}: ${p.message}`))
  return texts.length === 1 ? (texts[0] as string) : ['errors:', ...texts.map((t) => `  ${t}`)].join('\n')
}

const goTypeName = (value: unknown): string => {
  if (Array.isArray(value)) return '[]interface {}'
  if (isRecord(value)) return 'map[string]interface {}'
  return typeof value === 'number' ? (Number.isInteger(value) ? 'int64' : 'float64') : typeof value === 'boolean' ? 'bool' : 'string'
}

/** %#v of the value's wrapper. */
const goSyntax = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value)
  if (value === null) return 'interface {}(nil)'
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`
  if (isRecord(value))
    return `map[string]interface {}{${sortedKeys(value)
      .map((k) => `${JSON.stringify(k)}:${goSyntax(value[k])}`)
      .join(', ')}}`
  return String(value)
}

const checkScalar = (schema: ObjectSchema, value: unknown): string | undefined => {
  if (value === undefined || value === null) return undefined
  switch (schema.type) {
    case 'int32':
    case 'int64':
    case 'double':
      return typeof value === 'number' ? undefined : `expected numeric (int or float), got ${goTypeName(value)}`
    case 'string':
    case 'bytes':
      return typeof value === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
    case 'bool':
      return typeof value === 'boolean' ? undefined : `expected boolean, got &{${goValue(value)}}`
    default:
      return typeof value === 'object' ? `expected any scalar, got &{${goValue(value)}}` : undefined
  }
}

const validate = (value: unknown, schema: ObjectSchema, path: FieldPath, allowDuplicates: boolean, problems: Problem[]): void => {
  const fail = (message: string): void => {
    problems.push({ path: pathText(path), message })
  }
  const atom = atomOf(schema, value)
  if (atom === 'scalar') {
    const message = checkScalar(schema, value)
    if (message) fail(message)
  } else if (atom === 'list') {
    if (value === null || value === undefined) return
    if (!Array.isArray(value)) return fail(`expected list, got &{${goValue(value)}}`)
    const seen = new Set<string>()
    const associative = !isAtomic(schema, atom)
    value.forEach((item, i) => {
      let element: PathElement = { id: `i:${i}`, index: i }
      if (associative) {
        try {
          element = itemElement(schema, item)
        } catch (error) {
          if (error instanceof TypedError) return fail(`element ${i}: ${error.message}`)
          throw error
        }
        if (seen.has(element.id) && !allowDuplicates) fail(`duplicate entries for key ${pathText([element])}`)
        seen.add(element.id)
      }
      validate(item, itemSchema(schema), [...path, element], allowDuplicates, problems)
    })
  } else {
    if (value === null || value === undefined) return
    if (!isRecord(value)) return fail(`expected map, got &{${goValue(value)}}`)
    for (const key of sortedKeys(value)) {
      if (value[key] === undefined) continue
      const at = [...path, fieldElement(key)]
      const below = memberSchema(schema, key)
      if (!below) {
        problems.push({ path: pathText(at), message: 'field not declared in schema' })
        return
      }
      validate(value[key], below, at, allowDuplicates, problems)
    }
  }
}

/** Text of what is wrong with a value; undefined if nothing is. */
export const validateTyped = (value: unknown, schema: ObjectSchema, allowDuplicates = false): string | undefined => {
  const problems: Problem[] = []
  validate(value, schema, [], allowDuplicates, problems)
  return problems.length > 0 ? problemsText(problems) : undefined
}

const tryElement = (schema: ObjectSchema, item: unknown): PathElement | undefined => {
  try {
    return itemElement(schema, item)
  } catch (error) {
    if (error instanceof TypedError) return undefined
    throw error
  }
}

const collect = (value: unknown, schema: ObjectSchema, path: FieldPath, set: FieldSet): void => {
  const atom = atomOf(schema, value)
  if (atom === 'scalar' || isAtomic(schema, atom)) return insertPath(set, path)
  if (atom === 'list') {
    if (!Array.isArray(value)) return
    const elements = value.map((item) => tryElement(schema, item))
    const counts = new Map<string, number>()
    for (const element of elements) if (element) counts.set(element.id, (counts.get(element.id) ?? 0) + 1)
    elements.forEach((element, i) => {
      if (!element) return
      const at = [...path, element]
      // Duplicates are owned as a whole.
      if (counts.get(element.id) === 1) collect(value[i], itemSchema(schema), at, set)
      insertPath(set, at)
    })
    return
  }
  if (!isRecord(value)) return
  for (const key of sortedKeys(value)) {
    const member = value[key]
    if (member === undefined) continue
    const at = [...path, fieldElement(key)]
    collect(member, memberSchema(schema, key) ?? DEDUCED, at, set)
    const declared = schema.type === 'object' && fieldOf(schema, key) !== undefined
    if (!declared || member === null || (isRecord(member) && Object.keys(member).length === 0)) insertPath(set, at)
  }
}

/** Every leaf field and item of a value. */
export const toFieldSet = (value: unknown, schema: ObjectSchema): FieldSet => {
  const set = emptySet()
  collect(value, schema, [], set)
  return set
}

export interface Comparison {
  readonly removed: FieldSet
  readonly modified: FieldSet
  readonly added: FieldSet
}

const groupItems = (schema: ObjectSchema, list: readonly unknown[]): Map<string, { element: PathElement; items: unknown[] }> => {
  const groups = new Map<string, { element: PathElement; items: unknown[] }>()
  for (const item of list) {
    const element = tryElement(schema, item)
    if (!element) continue
    const group = groups.get(element.id)
    if (group) group.items.push(item)
    else groups.set(element.id, { element, items: [item] })
  }
  return groups
}

const compareAt = (left: unknown, right: unknown, schema: ObjectSchema, path: FieldPath, result: Comparison): void => {
  const leaf = (): void => {
    if (left === undefined) insertPath(result.added, path)
    else if (right === undefined) insertPath(result.removed, path)
    else if (!deepEqual(left, right)) insertPath(result.modified, path)
  }
  const leftAtom = atomOf(schema, left)
  const rightAtom = atomOf(schema, right)
  const atoms: Atom[] =
    right === undefined ? [leftAtom] : left === undefined || leftAtom === rightAtom ? [rightAtom] : [leftAtom, rightAtom]
  let inLeaf = false
  for (const atom of atoms) {
    if (atom === 'scalar') {
      leaf()
      inLeaf = true
    } else if (atom === 'list') {
      const l = Array.isArray(left) ? left : undefined
      const r = Array.isArray(right) ? right : undefined
      if (isAtomic(schema, atom) || ((l?.length ?? 0) === 0 && (r?.length ?? 0) === 0)) {
        leaf()
        inLeaf = true
      } else compareLists(l ?? [], r ?? [], schema, path, result)
    } else {
      const l = isRecord(left) ? left : undefined
      const r = isRecord(right) ? right : undefined
      if (isAtomic(schema, atom) || (Object.keys(l ?? {}).length === 0 && Object.keys(r ?? {}).length === 0)) {
        leaf()
        inLeaf = true
      } else {
        for (const key of new Set([...sortedKeys(l), ...sortedKeys(r)])) {
          const [a, b] = [getOwn(l, key), getOwn(r, key)]
          if (a !== undefined || b !== undefined)
            compareAt(a, b, memberSchema(schema, key) ?? DEDUCED, [...path, fieldElement(key)], result)
        }
      }
    }
  }
  if (inLeaf) return
  if (left === undefined) insertPath(result.added, path)
  else if (right === undefined) insertPath(result.removed, path)
}

const compareLists = (
  left: readonly unknown[],
  right: readonly unknown[],
  schema: ObjectSchema,
  path: FieldPath,
  result: Comparison,
): void => {
  const l = groupItems(schema, left)
  const r = groupItems(schema, right)
  for (const id of new Set([...l.keys(), ...r.keys()])) {
    const olds = l.get(id)?.items ?? []
    const nexts = r.get(id)?.items ?? []
    const at = [...path, (l.get(id) ?? r.get(id))?.element as PathElement]
    if (olds.length <= 1 && nexts.length <= 1) compareAt(olds[0], nexts[0], itemSchema(schema), at, result)
    else if (olds.length >= 2 && nexts.length >= 2) {
      if (!deepEqual(olds, nexts)) insertPath(result.modified, at)
    } else if (olds.length >= 2) {
      if (nexts.length > 0) compareAt(undefined, nexts[0], itemSchema(schema), at, result)
      insertPath(result.removed, at)
    } else {
      if (olds.length > 0) compareAt(olds[0], undefined, itemSchema(schema), at, result)
      insertPath(result.added, at)
    }
  }
}

/** What differs from left to right. */
export const compareTyped = (left: unknown, right: unknown, schema: ObjectSchema): Comparison => {
  const result: Comparison = { removed: emptySet(), modified: emptySet(), added: emptySet() }
  compareAt(left, right, schema, [], result)
  return result
}

/** Merge of a partial object into a whole one; the right side wins. Throws TypedError for duplicate items of the right side. */
export const mergeTyped = (left: unknown, right: unknown, schema: ObjectSchema, path: FieldPath = []): unknown => {
  const keepRight = right !== undefined ? right : left
  const leftAtom = atomOf(schema, left)
  const rightAtom = atomOf(schema, right)
  const atom = right === undefined ? leftAtom : rightAtom
  if (atom === 'scalar' || isAtomic(schema, atom)) return keepRight
  if (left !== undefined && right !== undefined && leftAtom !== rightAtom) return keepRight
  if (atom === 'list') {
    const l = Array.isArray(left) ? left : []
    const r = Array.isArray(right) ? right : []
    return l.length === 0 && r.length === 0 ? keepRight : mergeLists(l, r, schema, path)
  }
  const l = isRecord(left) ? left : {}
  const r = isRecord(right) ? right : {}
  if (Object.keys(l).length === 0 && Object.keys(r).length === 0) return keepRight
  const out: Record<string, unknown> = {}
  for (const key of new Set([...Object.keys(l), ...Object.keys(r)])) {
    const [a, b] = [getOwn(l, key), getOwn(r, key)]
    if (a === undefined && b === undefined) continue
    const merged = mergeTyped(a, b, memberSchema(schema, key) ?? DEDUCED, [...path, fieldElement(key)])
    if (merged !== undefined) setOwn(out, key, merged)
  }
  return Object.keys(out).length > 0 ? out : undefined
}

const mergeLists = (left: readonly unknown[], right: readonly unknown[], schema: ObjectSchema, path: FieldPath): unknown => {
  const index = (list: readonly unknown[], allowDuplicates: boolean): { elements: PathElement[]; observed: Map<string, unknown> } => {
    const observed = new Map<string, unknown>()
    const elements: PathElement[] = []
    list.forEach((item, i) => {
      let element: PathElement
      try {
        element = itemElement(schema, item)
      } catch (error) {
        if (error instanceof TypedError) throw new TypedError(`${pathText(path)}: element ${i}: ${error.message}`)
        throw error
      }
      const found = observed.has(element.id)
      if (found && !allowDuplicates) throw new TypedError(`${pathText(path)}: duplicate entries for key ${pathText([element])}`)
      // Duplicated items are not merged with what is applied.
      observed.set(element.id, found ? null : item)
      elements.push(element)
    })
    return { elements, observed }
  }
  const r = index(right, false)
  const l = index(left, true)
  const out: unknown[] = []
  const merge = (element: PathElement, a: unknown, b: unknown): void => {
    const merged = mergeTyped(a, b, itemSchema(schema), [...path, element])
    if (merged !== undefined) out.push(merged)
  }
  const shared = r.elements.filter((e) => l.observed.has(e.id))
  let next = shared.shift()
  const mergedRight = new Set<string>()
  let i = 0
  let j = 0
  while (i < l.elements.length || j < r.elements.length) {
    const le = l.elements[i]
    const re = r.elements[j]
    if (le && re) {
      if (le.id === re.id) {
        mergedRight.add(le.id)
        merge(le, l.observed.get(le.id), r.observed.get(le.id))
        i++
        j++
        next = shared.shift()
        continue
      }
      if (r.observed.has(le.id) && next !== undefined && next.id !== le.id) {
        // Shared, but not the one that comes next in the applied order.
        i++
        continue
      }
    }
    if (le) {
      if (!r.observed.has(le.id)) {
        merge(le, left[i], undefined)
        i++
        continue
      }
      if (mergedRight.has(le.id)) i++
    }
    if (re) {
      mergedRight.add(re.id)
      merge(re, l.observed.get(re.id), r.observed.get(re.id))
      j++
      if (next?.id === re.id) next = shared.shift()
    }
  }
  return out.length > 0 ? out : undefined
}

/** The value without the members of a set. An emptied map or list becomes null. */
export const removeItems = (value: unknown, schema: ObjectSchema, set: FieldSet): unknown => {
  const atom = atomOf(schema, value)
  if (atom === 'scalar') return value
  if (atom === 'list') {
    if (!Array.isArray(value) || value.length === 0 || isAtomic(schema, atom)) return null
    const kept: unknown[] = []
    for (const item of value) {
      const element = tryElement(schema, item)
      if (element && hasPath(set, [element])) continue
      const below = element && withPrefix(set, element)
      kept.push(below && !isEmptySet(below) ? removeItems(item, itemSchema(schema), below) : item)
    }
    return kept.length > 0 ? kept : null
  }
  if (!isRecord(value) || Object.keys(value).length === 0 || isAtomic(schema, atom)) return null
  const kept: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const member = value[key]
    if (member === undefined) continue
    const element = fieldElement(key)
    if (hasPath(set, [element])) continue
    const below = withPrefix(set, element)
    setOwn(kept, key, below && !isEmptySet(below) ? removeItems(member, memberSchema(schema, key) ?? DEDUCED, below) : member)
  }
  return Object.keys(kept).length > 0 ? kept : null
}

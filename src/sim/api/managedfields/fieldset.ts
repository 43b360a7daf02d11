// Sets of fields and their FieldsV1 form: sigs.k8s.io/structured-merge-diff/v6/fieldpath.
import { compareStrings, sortedKeys } from '../../../lib/compare.ts'
import { isRecord, setOwn } from '../../../lib/own.ts'
import { goJson } from '../go-text.ts'
import { fieldOf, type ObjectSchema } from '../schema/index.ts'

/** One step of a path: a field, a list item by its keys, a set's value, an index. `id` is its FieldsV1 form. */
export interface PathElement {
  readonly id: string
  readonly field?: string
  readonly key?: readonly (readonly [name: string, value: unknown])[]
  readonly value?: unknown
  readonly index?: number
}

export type FieldPath = readonly PathElement[]

/** A tree: `members` belong to the set, `children` have members below them. Treated as immutable once built. */
export interface FieldSet {
  readonly members: Map<string, PathElement>
  readonly children: Map<string, { readonly element: PathElement; readonly set: FieldSet }>
}

export const fieldElement = (name: string): PathElement => ({ id: `f:${name}`, field: name })
export const valueElement = (value: unknown): PathElement => ({ id: `v:${goJson(value)}`, value })
export const keyElement = (fields: readonly (readonly [string, unknown])[]): PathElement => {
  const key = [...fields].sort((a, b) => compareStrings(a[0], b[0]))
  return { id: `k:{${key.map(([name, value]) => `${goJson(name)}:${goJson(value)}`).join(',')}}`, key }
}

const RANK: Readonly<Record<string, number>> = { f: 0, k: 1, v: 2, i: 3 }
const TYPE_RANK: Readonly<Record<string, number>> = { number: 0, string: 1, boolean: 2 }

const compareValues = (a: unknown, b: unknown): number => {
  const [x, y] = [TYPE_RANK[typeof a] ?? 3, TYPE_RANK[typeof b] ?? 3]
  if (x !== y) return x - y
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  return compareStrings(goJson(a), goJson(b))
}

export const compareElements = (a: PathElement, b: PathElement): number => {
  const rank = (RANK[a.id.charAt(0)] ?? 9) - (RANK[b.id.charAt(0)] ?? 9)
  if (rank !== 0) return rank
  if (a.field !== undefined && b.field !== undefined) return compareStrings(a.field, b.field)
  if (a.key && b.key) {
    for (let i = 0; i < a.key.length && i < b.key.length; i++) {
      const [x, y] = [a.key[i] as readonly [string, unknown], b.key[i] as readonly [string, unknown]]
      const order = compareStrings(x[0], y[0]) || compareValues(x[1], y[1])
      if (order !== 0) return order
    }
    return a.key.length - b.key.length
  }
  if (a.index !== undefined && b.index !== undefined) return a.index - b.index
  return compareValues(a.value, b.value)
}

const valueText = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : goJson(value))

/** `.spec.containers[name="app"].image` */
export const pathText = (path: FieldPath): string =>
  path
    .map((e) => {
      if (e.field !== undefined) return `.${e.field}`
      if (e.key) return `[${e.key.map(([name, value]) => `${name}=${valueText(value)}`).join(',')}]`
      return e.index !== undefined ? `[${e.index}]` : `[=${valueText(e.value)}]`
    })
    .join('')

export const emptySet = (): FieldSet => ({ members: new Map(), children: new Map() })

/** Adds a path to a set under construction. The path of the whole object is never a member. */
export const insertPath = (set: FieldSet, path: FieldPath): void => {
  let at = set
  for (let i = 0; i < path.length; i++) {
    const element = path[i] as PathElement
    if (i === path.length - 1) {
      at.members.set(element.id, element)
      return
    }
    let child = at.children.get(element.id)
    if (!child) {
      child = { element, set: emptySet() }
      at.children.set(element.id, child)
    }
    at = child.set
  }
}

/** A set of plain field paths: `[['status'], ['metadata', 'labels']]`. */
export const fieldSetOf = (paths: readonly (readonly string[])[]): FieldSet => {
  const set = emptySet()
  for (const path of paths) insertPath(set, path.map(fieldElement))
  return set
}

export const isEmptySet = (set: FieldSet): boolean => {
  if (set.members.size > 0) return false
  for (const child of set.children.values()) if (!isEmptySet(child.set)) return false
  return true
}

export const hasPath = (set: FieldSet, path: FieldPath): boolean => {
  let at = set
  for (let i = 0; i < path.length; i++) {
    const element = path[i] as PathElement
    if (i === path.length - 1) return at.members.has(element.id)
    const child = at.children.get(element.id)
    if (!child) return false
    at = child.set
  }
  return false
}

/** What is below an element; undefined if nothing is. */
export const withPrefix = (set: FieldSet, element: PathElement): FieldSet | undefined => set.children.get(element.id)?.set

export const unionSets = (a: FieldSet, b: FieldSet): FieldSet => {
  const children: FieldSet['children'] = new Map(a.children)
  for (const [id, child] of b.children) {
    const mine = children.get(id)
    children.set(id, mine ? { element: mine.element, set: unionSets(mine.set, child.set) } : child)
  }
  return { members: new Map([...a.members, ...b.members]), children }
}

export const intersectSets = (a: FieldSet, b: FieldSet): FieldSet => {
  const children: FieldSet['children'] = new Map()
  for (const [id, child] of a.children) {
    const other = b.children.get(id)
    if (!other) continue
    const set = intersectSets(child.set, other.set)
    if (!isEmptySet(set)) children.set(id, { element: child.element, set })
  }
  return { members: new Map([...a.members].filter(([id]) => b.members.has(id))), children }
}

/** A parent minus its child stays; a child minus its parent stays too (see recursiveDifference). */
export const differenceSets = (a: FieldSet, b: FieldSet): FieldSet => {
  const children: FieldSet['children'] = new Map()
  for (const [id, child] of a.children) {
    const other = b.children.get(id)
    const set = other ? differenceSets(child.set, other.set) : child.set
    if (!isEmptySet(set)) children.set(id, { element: child.element, set })
  }
  return { members: new Map([...a.members].filter(([id]) => !b.members.has(id))), children }
}

/** Removes members of `b` together with everything below them. */
export const recursiveDifference = (a: FieldSet, b: FieldSet): FieldSet => {
  const children: FieldSet['children'] = new Map()
  for (const [id, child] of a.children) {
    if (b.members.has(id)) continue
    const other = b.children.get(id)
    const set = other ? recursiveDifference(child.set, other.set) : child.set
    if (!isEmptySet(set)) children.set(id, { element: child.element, set })
  }
  return { members: new Map([...a.members].filter(([id]) => !b.members.has(id))), children }
}

/** Fields of structs become members when something below them is; keys of maps do not. */
export const ensureNamedFields = (set: FieldSet, schema: ObjectSchema | undefined): FieldSet => {
  const members = new Map(set.members)
  const children: FieldSet['children'] = new Map()
  for (const [id, child] of set.children) {
    const { element } = child
    const declared = element.field === undefined ? undefined : fieldOf(schema, element.field)
    if (declared) members.set(id, element)
    const below =
      element.field !== undefined
        ? (declared?.schema ?? (schema?.type === 'map' ? schema.items : undefined))
        : element.key
          ? schema?.items
          : undefined
    children.set(id, { element, set: ensureNamedFields(child.set, below) })
  }
  return { members, children }
}

const sortElements = (elements: Iterable<PathElement>): PathElement[] => [...elements].sort(compareElements)

/** Every member, parents before what is below them, in upstream's order. */
export const pathsOf = (set: FieldSet, prefix: FieldPath = []): FieldPath[] => [
  ...sortElements(set.members.values()).map((element) => [...prefix, element]),
  ...sortElements([...set.children.values()].map((c) => c.element)).flatMap((element) =>
    pathsOf((set.children.get(element.id) as { set: FieldSet }).set, [...prefix, element]),
  ),
]

/** The FieldsV1 form: `{"f:spec":{"f:replicas":{}}}`, with `.` for a member that also has members below it. */
export const toFieldsV1 = (set: FieldSet, includeSelf = false): Record<string, unknown> => {
  const out: Record<string, unknown> = {}
  if (includeSelf && (set.members.size > 0 || set.children.size > 0)) out['.'] = {}
  const elements = new Map(set.members)
  for (const [id, child] of set.children) elements.set(id, child.element)
  for (const element of sortElements(elements.values())) {
    const child = set.children.get(element.id)
    setOwn(out, element.id, child ? toFieldsV1(child.set, set.members.has(element.id)) : {})
  }
  return out
}

const parseElement = (id: string): PathElement | undefined => {
  const rest = id.slice(2)
  try {
    switch (id.slice(0, 2)) {
      case 'f:':
        return fieldElement(rest)
      case 'v:':
        return valueElement(JSON.parse(rest))
      case 'k:': {
        const key: unknown = JSON.parse(rest)
        return isRecord(key) ? keyElement(Object.entries(key)) : undefined
      }
      case 'i:':
        return /^-?\d+$/.test(rest) ? { id, index: Number(rest) } : undefined
      default:
        return undefined
    }
  } catch {
    return undefined
  }
}

/** Reads FieldsV1. Elements of a form that is not known are dropped, as upstream does. */
export const fromFieldsV1 = (fields: unknown): FieldSet => {
  const set = emptySet()
  if (!isRecord(fields)) return set
  for (const id of sortedKeys(fields)) {
    if (id === '.') continue
    const element = parseElement(id)
    if (!element) continue
    const below = fields[id]
    const names = isRecord(below) ? Object.keys(below) : []
    if (names.length === 0 || names.includes('.')) set.members.set(element.id, element)
    if (names.some((n) => n !== '.')) set.children.set(element.id, { element, set: fromFieldsV1(below) })
  }
  return set
}

// Schemas of the built-in kinds, read on demand from the generated data.
import { getOwn } from '../../../lib/own.ts'
import data from './kubernetes.gen.json' with { type: 'json' }
import type { Field, ObjectSchema, SchemaType } from './types.ts'

export type { Field, ObjectSchema, SchemaType } from './types.ts'

const kinds: Readonly<Record<string, string>> = data.kinds
const types: Readonly<Record<string, Readonly<Record<string, string>>>> = data.types as Readonly<
  Record<string, Readonly<Record<string, string>>>
>

const GO_NAME: Readonly<Record<string, string>> = {
  double: 'float64',
  bytes: '[]uint8',
  quantity: 'resource.Quantity',
  intOrString: 'intstr.IntOrString',
  time: 'v1.Time',
  microTime: 'v1.MicroTime',
  duration: 'v1.Duration',
  any: 'runtime.RawExtension',
  fieldsV1: 'v1.FieldsV1',
}

// Memo of pure functions over constant data.
const definitions = new Map<string, ObjectSchema>()
const scalars = new Map<string, ObjectSchema>()

const schemaOf = (text: string): ObjectSchema => {
  if (text.startsWith('[]')) {
    const items = schemaOf(text.slice(2))
    return { type: 'array', goType: `[]${items.goType}`, items }
  }
  if (text.startsWith('{}')) {
    const items = schemaOf(text.slice(2))
    return { type: 'map', goType: `map[string]${items.goType}`, items }
  }
  if (text.includes('.')) return definitionSchema(text)
  let scalar = scalars.get(text)
  if (!scalar) {
    scalar = { type: text as SchemaType, goType: GO_NAME[text] ?? text }
    scalars.set(text, scalar)
  }
  return scalar
}

/** Names a type, and the type of its items where the name says it. */
const withGoType = (schema: ObjectSchema, goType: string): ObjectSchema => {
  const item = goType.startsWith('[]') ? goType.slice(2) : goType.startsWith('map[') ? goType.slice(goType.indexOf(']') + 1) : undefined
  return schema.items && item !== undefined ? { ...schema, goType, items: withGoType(schema.items, item) } : { ...schema, goType }
}

const parseField = (name: string, text: string): Field => {
  const [type = 'any', ...words] = text.split(' ')
  let schema = schemaOf(type)
  let field: { -readonly [K in keyof Field]: Field[K] } = { name, schema, required: false, pointer: false, always: false, omitZero: false }
  const change = (more: Partial<ObjectSchema>): void => {
    schema = { ...schema, ...more }
  }
  for (const word of words) {
    const colon = word.indexOf(':')
    const [what, value] = colon < 0 ? [word, ''] : [word.slice(0, colon), word.slice(colon + 1)]
    if (what === 'required') field.required = true
    else if (what === 'pointer') field.pointer = true
    else if (what === 'always') field.always = true
    else if (what === 'omitzero') field.omitZero = true
    else if (what === 'map') change({ listType: 'map', listMapKeys: value.split(',') })
    else if (what === 'set') change({ listType: 'set' })
    else if (what === 'atomic') change(schema.type === 'array' ? { listType: 'atomic' } : { atomic: true })
    else if (what === 'granular') change({ atomic: false })
    else if (what === 'default') change({ default: JSON.parse(value) })
    else if (what === 'in') field.embedded = value
    else if (what === 'go') schema = withGoType(schema, value)
    else if (what === 'enum')
      change(
        schema.type === 'array' ? { items: { ...(schema.items as ObjectSchema), enum: value.split('|') } } : { enum: value.split('|') },
      )
    else if (what === 'patch') {
      const [strategies = '', mergeKey] = value.split(':')
      field = { ...field, patchStrategy: strategies.split(','), ...(mergeKey ? { patchMergeKey: mergeKey } : {}) }
    }
  }
  return { ...field, schema }
}

/** The fields of a kind that every kind has, beside those of its struct. */
const TYPE_META: readonly (readonly [string, Field])[] = ['apiVersion', 'kind'].map((name) => [name, parseField(name, 'string')] as const)

const kindDefinitions = new Set(Object.values(kinds))

/** Schema of a definition by its short name: `core.v1.PodSpec`, `meta.v1.ObjectMeta`. */
export const definitionSchema = (definition: string): ObjectSchema => {
  const known = definitions.get(definition)
  if (known) return known
  const source = getOwn(types, definition)
  const dot = definition.indexOf('.')
  const goType = definition.slice(dot + 1)
  let memo: ReadonlyMap<string, Field> | undefined
  const fields = (): ReadonlyMap<string, Field> => {
    if (memo) return memo
    const made = new Map<string, Field>(kindDefinitions.has(definition) ? TYPE_META : [])
    for (const name of Object.keys(source ?? {})) {
      if (name === '') continue
      made.set(name, parseField(name, source?.[name] as string))
    }
    memo = made
    return made
  }
  const atomic = source?.[''] === 'atomic'
  const schema: ObjectSchema = { type: 'object', goType, definition, fields, ...(atomic ? { atomic } : {}) }
  definitions.set(definition, schema)
  return schema
}

/** Schema of a built-in kind. Options and Status are known in every group, as upstream registers them. */
export const schemaFor = (group: string, version: string, kind: string): ObjectSchema | undefined => {
  const definition =
    getOwn(kinds, `${group}/${version}/${kind}`) ?? (version === 'v1' && group === 'meta.k8s.io' ? getOwn(kinds, `/v1/${kind}`) : undefined)
  return definition === undefined ? undefined : definitionSchema(definition)
}

export interface GroupVersionKind {
  group: string
  version: string
  kind: string
}

export const knownKinds = (): readonly GroupVersionKind[] =>
  Object.keys(kinds).map((key) => {
    const [group = '', version = '', kind = ''] = key.split('/')
    return { group, version, kind }
  })

/** All definitions that the generated data has, by short name. */
export const knownDefinitions = (): readonly string[] => Object.keys(types)

/** A field of an object schema; undefined for other types and unknown names. */
export const fieldOf = (schema: ObjectSchema | undefined, name: string): Field | undefined => schema?.fields?.().get(name)

/** The schema one step down: a field, a map's value, a list's item. */
export const childSchema = (schema: ObjectSchema | undefined, name: string | number): ObjectSchema | undefined => {
  if (!schema) return undefined
  if (schema.type === 'object') return typeof name === 'string' ? fieldOf(schema, name)?.schema : undefined
  return schema.items
}

/** Walks `spec.containers.0.name` or `['spec', 'containers', 'name']`: indices of lists may be left out, as kubectl explain does. */
export const lookupPath = (schema: ObjectSchema | undefined, path: string | readonly (string | number)[]): ObjectSchema | undefined => {
  let at = schema
  for (const part of typeof path === 'string' ? path.split('.').filter((p) => p !== '') : path) {
    while (at?.type === 'array' && !(typeof part === 'number' || /^\d+$/.test(part))) at = at.items
    at = childSchema(at, part)
  }
  return at
}

/** `map` with its keys, `set` or `atomic`; lists without a declaration are atomic. */
export const listTypeOf = (schema: ObjectSchema | undefined): { type: 'atomic' | 'set' | 'map'; keys: readonly string[] } => ({
  type: schema?.listType ?? 'atomic',
  keys: schema?.listMapKeys ?? [],
})

// Structural schemas as the API library describes shapes: whose fields are whose, which lists are keyed.
import { type Field, type ObjectSchema, schemaFor } from '../../../../api/schema/index.ts'
import { getOwn } from '../../../../../lib/own.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import {
  isEmbedded,
  itemSchema,
  type JSONSchemaProps,
  listType,
  mapType,
  preservesUnknown,
  propertyNames,
  propertyOf,
  valueSchema,
} from './schema.ts'

const ANY: ObjectSchema = { type: 'any', goType: 'interface {}' }

const field = (name: string, schema: ObjectSchema, required = false): Field => ({
  name,
  schema,
  required,
  pointer: true,
  always: false,
  omitZero: false,
})

const metaFields = (): Field[] => {
  const builtIn = schemaFor('', 'v1', 'ConfigMap')?.fields?.()
  return ['apiVersion', 'kind', 'metadata'].flatMap((name) => builtIn?.get(name) ?? [])
}

function shapeOf(s: JSONSchemaProps | undefined): ObjectSchema {
  if (!s) return ANY
  const common = {
    goType: 'interface {}',
    ...(s.nullable ? { nullable: true } : {}),
    ...(s.default === undefined ? {} : { default: s.default }),
  }
  if (s.type === 'array') {
    const type = listType(s)
    const keys = s['x-kubernetes-list-map-keys']
    return {
      ...common,
      type: 'array',
      items: shapeOf(itemSchema(s)),
      ...(type === 'map' || type === 'set' ? { listType: type } : { listType: 'atomic' }),
      ...(keys ? { listMapKeys: keys } : {}),
    }
  }
  if (s.type !== 'object') return { ...common, type: 'any' }
  const atomic = mapType(s) === 'atomic' ? { atomic: true } : {}
  const values = valueSchema(s)
  if (values) return { ...common, ...atomic, type: 'map', items: shapeOf(values) }
  return { ...common, ...atomic, ...objectShape(s, isEmbedded(s)) }
}

function objectShape(
  s: JSONSchemaProps,
  withMeta: boolean,
): Pick<ObjectSchema, 'type' | 'fields' | 'preserveUnknownFields' | 'embeddedResource'> {
  const names = propertyNames(s)
  if (names.length === 0 && !withMeta)
    return { type: 'object', ...(preservesUnknown(s) ? { preserveUnknownFields: true } : { fields: () => new Map() }) }
  let memo: ReadonlyMap<string, Field> | undefined
  const fields = (): ReadonlyMap<string, Field> => {
    memo ??= new Map([
      ...names.map((n) => [n, field(n, shapeOf(propertyOf(s, n)), s.required?.includes(n))] as const),
      ...(withMeta ? metaFields().map((f) => [f.name, f] as const) : []),
    ])
    return memo
  }
  return {
    type: 'object',
    fields,
    ...(preservesUnknown(s) ? { preserveUnknownFields: true } : {}),
    ...(withMeta ? { embeddedResource: true } : {}),
  }
}

/** Shape of the objects of one version. */
export function customObjectSchema(crd: KubeObject, version: string): ObjectSchema {
  const spec = crd.spec as { preserveUnknownFields?: boolean; versions: { name: string; schema?: { openAPIV3Schema?: JSONSchemaProps } }[] }
  const schema =
    getOwn(spec.versions.find((v) => v.name === version) as unknown as Record<string, { openAPIV3Schema?: JSONSchemaProps }>, 'schema')
      ?.openAPIV3Schema ?? {}
  const shape = objectShape(schema, true)
  return {
    goType: 'interface {}',
    ...shape,
    ...(spec.preserveUnknownFields || preservesUnknown(schema) ? { preserveUnknownFields: true } : {}),
  }
}

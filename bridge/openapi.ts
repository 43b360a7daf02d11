// OpenAPI documents as clients of the wire expect them: with texts, which the simulation leaves to whoever needs them, and version 2 in protobuf
// (gnostic openapiv2), the only form in which kubectl asks for it.
import { getOwn, isRecord } from '../src/lib/own.ts'
import { descriptions } from '../src/sim/api/schema/descriptions.ts'
import { openapiName } from '../src/sim/api/schema/openapi.ts'

type Json = Record<string, unknown>

/** The data comes from comments in which some characters were escaped. */
const plain = (text: string): string => text.replace(/\\([*/"\\])/g, '$1')
const texts = new Map(Object.entries(descriptions).map(([definition, of]) => [openapiName(definition), of]))
const CONVENTIONS = 'https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md'
/** Every kind has these two. */
const TYPE_META: Readonly<Record<string, string>> = {
  apiVersion: `APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: ${CONVENTIONS}#resources`,
  kind: `Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: ${CONVENTIONS}#types-kinds`,
}
const V2_PROTOBUF = /application\/com\.github\.proto-openapi\.spec\.v2[@.]v1\.0\+protobuf/
export const V2_PROTOBUF_TYPE = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'

export const isOpenAPI = (path: string): boolean => path.startsWith('/openapi/')
export const asksForProtobufV2 = (path: string, accept: string | undefined): boolean =>
  path.split('?')[0] === '/openapi/v2' && V2_PROTOBUF.test(accept ?? '') && !/^application\/json/.test(accept ?? '')

/** The document with the texts of its definitions. */
export function withTexts(document: Json): Json {
  const components = document.components as Json | undefined
  if (components?.schemas) return { ...document, components: { ...components, schemas: described(components.schemas as Json) } }
  if (document.definitions) return { ...document, definitions: described(document.definitions as Json) }
  return document
}

function described(schemas: Json): Json {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const of = texts.get(name)
      if (!of || !isRecord(schema)) return [name, schema]
      const properties = schema.properties as Json | undefined
      const textOf = (key: string): string | undefined =>
        getOwn(of, key) ?? (Object.hasOwn(schema, 'x-kubernetes-group-version-kind') ? getOwn(TYPE_META, key) : undefined)
      const withText = ([key, value]: [string, unknown]): [string, unknown] => {
        const text = textOf(key)
        return [key, text ? { description: plain(text), ...(value as Json) } : value]
      }
      return [
        name,
        {
          ...(of[''] ? { description: plain(of['']) } : {}),
          ...schema,
          ...(properties ? { properties: Object.fromEntries(Object.entries(properties).map(withText)) } : {}),
        },
      ]
    }),
  )
}

function varint(n: number): Buffer {
  const bytes: number[] = []
  let rest = n
  while (rest > 127) {
    bytes.push((rest % 128) | 0x80)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}
const field = (number: number, ...content: readonly Buffer[]): Buffer => {
  const length = content.reduce((n, c) => n + c.length, 0)
  return Buffer.concat([varint(number * 8 + 2), varint(length), ...content])
}
const text = (number: number, value: unknown): Buffer =>
  typeof value === 'string' && value !== '' ? field(number, Buffer.from(value)) : Buffer.alloc(0)
const nothing = Buffer.alloc(0)
/** Any: YAML text, and JSON is YAML. */
const any = (value: unknown): Buffer => text(2, JSON.stringify(value))

function schemaBytes(schema: Json): Buffer {
  const { properties, items, additionalProperties, required, type } = schema
  return Buffer.concat([
    text(1, schema.$ref),
    text(2, schema.format),
    text(4, schema.description),
    schema.default === undefined ? nothing : field(5, any(schema.default)),
    ...(Array.isArray(required) ? required.map((name) => text(19, name)) : []),
    ...(Array.isArray(schema.enum) ? schema.enum.map((value) => field(20, any(value))) : []),
    isRecord(additionalProperties) ? field(21, field(1, schemaBytes(additionalProperties))) : nothing,
    typeof type === 'string' ? field(22, text(1, type)) : nothing,
    isRecord(items) ? field(23, field(1, schemaBytes(items))) : nothing,
    isRecord(properties) ? field(25, ...namedSchemas(properties)) : nothing,
    ...Object.entries(schema)
      .filter(([key]) => key.startsWith('x-'))
      .map(([key, value]) => field(31, text(1, key), field(2, any(value)))),
  ])
}

const namedSchemas = (schemas: Json): Buffer[] =>
  Object.entries(schemas).map(([name, schema]) => field(1, text(1, name), field(2, schemaBytes(schema as Json))))

/** Info and definitions; the paths are left out: no client of this form reads them. */
export function openapiV2Protobuf(document: Json): Buffer {
  const info = document.info as { title: string; version: string }
  return Buffer.concat([
    text(1, '2.0'),
    field(2, text(1, info.title), text(2, info.version)),
    field(8),
    field(9, ...namedSchemas(document.definitions as Json)),
  ])
}

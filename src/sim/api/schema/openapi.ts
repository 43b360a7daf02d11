// OpenAPI documents of the built-in kinds, as clients ask for them: `/openapi/v3/apis/apps/v1` and `/openapi/v2`.
// Paths carry what kubectl looks for: the kind behind a resource and the query parameters of writes.
import { sortedKeys } from '../../../lib/compare.ts'
import { getOwn } from '../../../lib/own.ts'
import { definitionSchema, type Field, type GroupVersionKind, knownKinds, type ObjectSchema, schemaFor } from './index.ts'

/** Texts by definition and field; '' is the definition's own. The generated descriptions.gen.json has this form. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>

export interface ServedResource extends GroupVersionKind {
  /** Plural: `pods`. */
  readonly resource: string
  readonly namespaced: boolean
  readonly subresources?: readonly string[]
}

type Json = Record<string, unknown>

const PREFIX: Readonly<Record<string, string>> = {
  meta: 'io.k8s.apimachinery.pkg.apis.meta',
  apiextensions: 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions',
  apiregistration: 'io.k8s.kube-aggregator.pkg.apis.apiregistration',
}

/** `core.v1.Pod` → `io.k8s.api.core.v1.Pod` */
export const openapiName = (definition: string): string => {
  const [group = '', ...rest] = definition.split('.')
  return [getOwn(PREFIX, group) ?? `io.k8s.api.${group}`, ...rest].join('.')
}

const SHARED = {
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  time: 'io.k8s.apimachinery.pkg.apis.meta.v1.Time',
  microTime: 'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime',
  duration: 'io.k8s.apimachinery.pkg.apis.meta.v1.Duration',
  fieldsV1: 'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1',
  any: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
} as const

const sharedBody = (type: keyof typeof SHARED, v3: boolean): Json => {
  switch (type) {
    case 'quantity':
      return v3 ? { oneOf: [{ type: 'string' }, { type: 'number' }] } : { type: 'string' }
    case 'intOrString':
      return v3
        ? { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] }
        : { type: 'string', format: 'int-or-string' }
    case 'time':
    case 'microTime':
      return { type: 'string', format: 'date-time' }
    case 'duration':
      return { type: 'string' }
    default:
      return { type: 'object' }
  }
}

const SCALAR: Readonly<Record<string, Json>> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
}

interface Writer {
  readonly v3: boolean
  readonly descriptions: Descriptions
  readonly definitions: Map<string, Json>
}

const refTo = (name: string, writer: Writer): string => `#/${writer.v3 ? 'components/schemas' : 'definitions'}/${name}`

/** The type of a value; `withDefault` for Go structs and scalars that are never absent inside lists and maps. */
const typeOf = (schema: ObjectSchema, writer: Writer): { body: Json; ref?: string } => {
  if (schema.type === 'array') return { body: { type: 'array', items: itemOf(schema.items as ObjectSchema, writer) } }
  if (schema.type === 'map') return { body: { type: 'object', additionalProperties: itemOf(schema.items as ObjectSchema, writer) } }
  const scalar = getOwn(SCALAR, schema.type)
  if (scalar) return { body: schema.enum ? { ...scalar, enum: schema.enum } : scalar }
  const shared = getOwn(SHARED as Readonly<Record<string, string>>, schema.type)
  if (shared) {
    if (!writer.definitions.has(shared)) writer.definitions.set(shared, sharedBody(schema.type as keyof typeof SHARED, writer.v3))
    return { body: {}, ref: shared }
  }
  if (schema.definition) {
    define(schema.definition, writer)
    return { body: {}, ref: openapiName(schema.definition) }
  }
  return { body: { type: 'object' } }
}

const itemOf = (schema: ObjectSchema, writer: Writer): Json => {
  const { body, ref } = typeOf(schema, writer)
  if (ref === undefined)
    return writer.v3 && (schema.type === 'string' || schema.type === 'int32' || schema.type === 'int64')
      ? { ...body, default: schema.type === 'string' ? '' : 0 }
      : body
  if (!writer.v3) return { $ref: refTo(ref, writer) }
  return schema.type === 'object' ? { allOf: [{ $ref: refTo(ref, writer) }], default: {} } : { $ref: refTo(ref, writer) }
}

const fieldBody = (field: Field, text: string | undefined, writer: Writer): Json => {
  const { schema } = field
  const { body, ref } = typeOf(schema, writer)
  const out: Json = {}
  if (ref !== undefined) {
    if (writer.v3) out.allOf = [{ $ref: refTo(ref, writer) }]
    else out.$ref = refTo(ref, writer)
  } else Object.assign(out, body)
  if (text) out.description = text
  if (schema.default !== undefined) out.default = schema.default
  else if (writer.v3 && ref !== undefined && schema.type === 'object' && !field.pointer) out.default = {}
  else if (writer.v3 && field.always && field.required && schema.type === 'string') out.default = ''
  if (schema.type === 'array' && schema.listType) {
    if (schema.listMapKeys) out['x-kubernetes-list-map-keys'] = schema.listMapKeys
    out['x-kubernetes-list-type'] = schema.listType
  }
  if (schema.type === 'map' && schema.atomic) out['x-kubernetes-map-type'] = 'atomic'
  if (field.patchMergeKey) out['x-kubernetes-patch-merge-key'] = field.patchMergeKey
  if (field.patchStrategy) out['x-kubernetes-patch-strategy'] = field.patchStrategy.join(',')
  return out
}

const kindsOf = (definition: string): readonly GroupVersionKind[] =>
  knownKinds().filter((k) => schemaFor(k.group, k.version, k.kind)?.definition === definition)

const define = (definition: string, writer: Writer): void => {
  const name = openapiName(definition)
  if (writer.definitions.has(name)) return
  const out: Json = {}
  // Registered before its fields, which may refer back to it.
  writer.definitions.set(name, out)
  const schema = definitionSchema(definition)
  const texts = getOwn(writer.descriptions, definition)
  const description = getOwn(texts, '')
  if (description) out.description = description
  out.type = 'object'
  const fields = schema.fields?.() ?? new Map<string, Field>()
  const required = [...fields.values()].filter((f) => f.required).map((f) => f.name)
  if (required.length > 0) out.required = required.sort()
  const properties: Json = {}
  for (const key of [...fields.keys()].sort()) properties[key] = fieldBody(fields.get(key) as Field, getOwn(texts, key), writer)
  if (fields.size > 0) out.properties = properties
  if (schema.atomic) out['x-kubernetes-map-type'] = 'atomic'
  const kinds = kindsOf(definition)
  if (kinds.length > 0) out['x-kubernetes-group-version-kind'] = kinds.map((k) => ({ group: k.group, kind: k.kind, version: k.version }))
}

const parameter = (name: string, v3: boolean, type = 'string'): Json =>
  v3 ? { name, in: 'query', schema: { type, uniqueItems: true } } : { name, in: 'query', type, uniqueItems: true }

const VERBS: Readonly<Record<string, string>> = { get: 'get', post: 'post', put: 'put', patch: 'patch', delete: 'delete' }

const operation = (resource: ServedResource, verb: string, action: string, v3: boolean): Json => {
  const write = verb !== 'get'
  const names = write ? ['dryRun', ...(verb === 'delete' ? [] : ['fieldManager', 'fieldValidation'])] : []
  return {
    ...(names.length > 0
      ? { parameters: [...names.map((n) => parameter(n, v3)), ...(verb === 'patch' ? [parameter('force', v3, 'boolean')] : [])] }
      : {}),
    responses: { 200: { description: 'OK' } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': { group: resource.group, kind: resource.kind, version: resource.version },
  }
}

const pathsFor = (resources: readonly ServedResource[], v3: boolean): Json => {
  const paths: Json = {}
  for (const resource of resources) {
    const base = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
    const collection = `${base}/${resource.namespaced ? 'namespaces/{namespace}/' : ''}${resource.resource}`
    paths[collection] = {
      get: operation(resource, 'get', 'list', v3),
      post: operation(resource, 'post', 'post', v3),
      delete: operation(resource, 'delete', 'deletecollection', v3),
    }
    const item = (): Json =>
      Object.fromEntries(
        Object.keys(VERBS)
          .filter((v) => v !== 'post')
          .map((v) => [v, operation(resource, v, v, v3)]),
      )
    paths[`${collection}/{name}`] = item()
    for (const sub of resource.subresources ?? [])
      paths[`${collection}/{name}/${sub}`] = {
        get: operation(resource, 'get', 'get', v3),
        put: operation(resource, 'put', 'put', v3),
        patch: operation(resource, 'patch', 'patch', v3),
      }
    if (resource.namespaced) paths[`${base}/${resource.resource}`] = { get: operation(resource, 'get', 'list', v3) }
  }
  return Object.fromEntries(sortedKeys(paths).map((k) => [k, paths[k]]))
}

const definitionsFor = (resources: readonly ServedResource[], writer: Writer): Json => {
  for (const { group, version, kind } of resources) {
    for (const name of [kind, `${kind}List`]) {
      const definition = schemaFor(group, version, name)?.definition
      if (definition) define(definition, writer)
    }
  }
  for (const name of ['meta.v1.DeleteOptions', 'meta.v1.Status']) define(name, writer)
  return Object.fromEntries([...writer.definitions.keys()].sort().map((k) => [k, writer.definitions.get(k)]))
}

const INFO = { title: 'Kubernetes', version: 'v1.35.4' }

/** The document of one group-version. `resources` are those of that group-version. */
export const openapiV3 = (resources: readonly ServedResource[], descriptions: Descriptions = {}, extraSchemas: Json = {}): Json => {
  const writer: Writer = { v3: true, descriptions, definitions: new Map() }
  return {
    openapi: '3.0.0',
    info: INFO,
    paths: pathsFor(resources, true),
    components: { schemas: { ...definitionsFor(resources, writer), ...extraSchemas } },
  }
}

/** The document of everything. */
export const openapiV2 = (resources: readonly ServedResource[], descriptions: Descriptions = {}, extraDefinitions: Json = {}): Json => {
  const writer: Writer = { v3: false, descriptions, definitions: new Map() }
  return {
    swagger: '2.0',
    info: INFO,
    paths: pathsFor(resources, false),
    definitions: { ...definitionsFor(resources, writer), ...extraDefinitions },
  }
}

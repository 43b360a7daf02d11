// Writes src/ui/editor/kubernetes.schema.gen.json: the JSON Schema with which the editor completes and explains manifests,
// from the same data that the API server decodes with.
//   node scripts/run-ts.mjs scripts/generate-editor-schema.ts
import { writeFileSync } from 'node:fs'
import { descriptions } from '../src/sim/api/schema/descriptions.ts'
import { definitionSchema, knownKinds, type ObjectSchema, schemaFor } from '../src/sim/api/schema/index.ts'

/** Kinds that people write; lists and reviews are left out. */
const KINDS = new Set(
  'Namespace Node Pod Service Endpoints ConfigMap Secret ServiceAccount PersistentVolume PersistentVolumeClaim ReplicationController LimitRange ResourceQuota Deployment ReplicaSet DaemonSet StatefulSet Job CronJob HorizontalPodAutoscaler PodDisruptionBudget Ingress IngressClass NetworkPolicy EndpointSlice Lease PriorityClass StorageClass Role ClusterRole RoleBinding ClusterRoleBinding RuntimeClass ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding CustomResourceDefinition CertificateSigningRequest'.split(
    ' ',
  ),
)

const definitions: Record<string, unknown> = {}

function reference(definition: string): { $ref: string } {
  if (!Object.hasOwn(definitions, definition)) {
    definitions[definition] = {}
    definitions[definition] = objectSchema(definitionSchema(definition), definition)
  }
  return { $ref: `#/definitions/${definition}` }
}

function objectSchema(schema: ObjectSchema, definition: string): object {
  const properties: Record<string, unknown> = {}
  const required: string[] = []
  const texts = descriptions[definition] ?? {}
  for (const [name, field] of schema.fields?.() ?? []) {
    const type = typeSchema(field.schema)
    const description = texts[name]
    properties[name] = description ? ('$ref' in type ? { allOf: [type], description } : { ...type, description }) : type
    if (field.required && name !== 'status') required.push(name)
  }
  const title = definition.split('.').pop() ?? definition
  return {
    title,
    type: 'object',
    ...(texts[''] ? { description: texts[''] } : {}),
    properties,
    ...(required.length > 0 ? { required } : {}),
    additionalProperties: false,
  }
}

function typeSchema(schema: ObjectSchema): object {
  switch (schema.type) {
    case 'object':
      return schema.definition ? reference(schema.definition) : { type: 'object' }
    case 'map':
      return { type: 'object', additionalProperties: schema.items ? typeSchema(schema.items) : true }
    case 'array':
      return { type: 'array', items: schema.items ? typeSchema(schema.items) : {} }
    case 'string':
    case 'bytes':
    case 'duration':
      return schema.enum ? { type: 'string', enum: schema.enum } : { type: 'string' }
    case 'time':
    case 'microTime':
      return { type: 'string', format: 'date-time' }
    case 'bool':
      return { type: 'boolean' }
    case 'int32':
    case 'int64':
      return { type: 'integer' }
    case 'double':
      return { type: 'number' }
    case 'quantity':
    case 'intOrString':
      return { type: ['string', 'number'] }
    case 'fieldsV1':
      return { type: 'object' }
    case 'any':
      return {}
  }
}

const oneOf: object[] = []
for (const { group, version, kind } of knownKinds()) {
  if (!KINDS.has(kind)) continue
  const schema = schemaFor(group, version, kind)
  if (!schema?.definition) continue
  const base = objectSchema(schema, schema.definition) as { properties: Record<string, object>; required?: string[] }
  const apiVersion = group ? `${group}/${version}` : version
  definitions[schema.definition] = {
    ...base,
    title: kind,
    properties: {
      ...base.properties,
      apiVersion: { ...base.properties.apiVersion, type: 'string', enum: [apiVersion] },
      kind: { ...base.properties.kind, type: 'string', enum: [kind] },
    },
    required: ['apiVersion', 'kind', ...(base.required ?? [])],
    'x-kubernetes-group-version-kind': [{ group, version, kind }],
  }
  oneOf.push({ $ref: `#/definitions/${schema.definition}` })
}
const file = 'src/ui/editor/kubernetes.schema.gen.json'
writeFileSync(file, `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', oneOf, definitions })}\n`)
console.log(`${oneOf.length} kinds, ${Object.keys(definitions).length} definitions`)

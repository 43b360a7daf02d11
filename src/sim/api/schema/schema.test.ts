import { expect, test } from 'vitest'
import { descriptions } from './descriptions.ts'
import { definitionSchema, fieldOf, knownDefinitions, knownKinds, listTypeOf, lookupPath, schemaFor } from './index.ts'
import { openapiV2, openapiV3 } from './openapi.ts'

test('every definition can be walked, and every kind is found', () => {
  for (const definition of knownDefinitions())
    for (const field of definitionSchema(definition).fields?.().values() ?? []) expect(field.schema.goType).not.toBe('')
  for (const { group, version, kind } of knownKinds()) expect(schemaFor(group, version, kind)?.fields?.().has('kind')).toBe(true)
  expect(schemaFor('', 'v1', 'Gadget')).toBeUndefined()
  expect(schemaFor('', 'v1', 'constructor')).toBeUndefined()
})

test('paths lead to fields, with or without indices', () => {
  const pod = schemaFor('', 'v1', 'Pod')
  expect(lookupPath(pod, 'spec.containers.image')?.type).toBe('string')
  expect(lookupPath(pod, ['spec', 'containers', 0, 'ports', 0, 'containerPort'])?.type).toBe('int32')
  expect(lookupPath(pod, 'metadata.labels.app')?.type).toBe('string')
  expect(lookupPath(pod, 'spec.nothing')).toBeUndefined()
})

test('lists know their keys and patch strategies', () => {
  const container = definitionSchema('core.v1.Container')
  expect(listTypeOf(fieldOf(container, 'ports')?.schema)).toEqual({ type: 'map', keys: ['containerPort', 'protocol'] })
  expect(fieldOf(container, 'ports')?.patchMergeKey).toBe('containerPort')
  expect(listTypeOf(fieldOf(container, 'args')?.schema).type).toBe('atomic')
  expect(fieldOf(definitionSchema('core.v1.PodSpec'), 'volumes')?.patchStrategy).toEqual(['merge', 'retainKeys'])
  expect(definitionSchema('meta.v1.LabelSelector').atomic).toBe(true)
})

test('OpenAPI documents name kinds, merge keys and paths', () => {
  const resources = [
    { group: 'apps', version: 'v1', kind: 'Deployment', resource: 'deployments', namespaced: true, subresources: ['status', 'scale'] },
  ]
  // biome-ignore lint/suspicious/noExplicitAny: a document is free-form JSON.
  const v3 = openapiV3(resources, descriptions) as any
  const deployment = v3.components.schemas['io.k8s.api.apps.v1.Deployment']
  expect(deployment['x-kubernetes-group-version-kind']).toEqual([{ group: 'apps', kind: 'Deployment', version: 'v1' }])
  expect(deployment.description).not.toBe('')
  expect(v3.components.schemas['io.k8s.api.core.v1.PodSpec'].properties.containers).toMatchObject({
    type: 'array',
    'x-kubernetes-list-map-keys': ['name'],
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-patch-merge-key': 'name',
    'x-kubernetes-patch-strategy': 'merge',
  })
  expect(
    v3.paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}'].patch.parameters.map((p: { name: string }) => p.name),
  ).toContain('fieldValidation')
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  const v2 = openapiV2(resources) as any
  const refs = JSON.stringify(v2).match(/#\/definitions\/[^"]+/g) ?? []
  for (const ref of refs) expect(v2.definitions).toHaveProperty([ref.slice('#/definitions/'.length)])
})

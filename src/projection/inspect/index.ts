// What the inspector shows of an element or object.
import type { ObjectRef } from '../../sim/api/types/object.ts'
import type { InspectorView } from '../inspect.ts'
import type { SceneElement } from '../scene.ts'
import type { World } from '../world.ts'
import { projectScene } from '../project.ts'
import { componentView } from './components.ts'
import { hostView, personView } from './hosts.ts'
import { objectView } from './objects.ts'

export function inspectElement(world: World, id: string): InspectorView | null {
  const element = projectScene(world).find((e) => e.id === id)
  return element ? viewOf(world, element) : null
}

function viewOf(world: World, element: SceneElement): InspectorView | null {
  switch (element.type) {
    case 'person':
      return personView(world, element)
    case 'host':
      return hostView(world, element)
    case 'component':
      return componentView(world, element)
    case 'pod':
      return inspectObject(world, element.ref)
  }
}

export function inspectObject(world: World, ref: ObjectRef): InspectorView | null {
  const resource = resourceOf(world, ref)
  const object = resource ? world.get(resource, ref.namespace, ref.name) : undefined
  return object ? objectView(world, object) : null
}

/** Registry id of a kind: `deployments.apps`. */
export function resourceOf(world: World, ref: Pick<ObjectRef, 'apiVersion' | 'kind'>): string | undefined {
  return world.resourceOf(ref.apiVersion, ref.kind)
}

// Resources that exist: the built-in ones and those of CustomResourceDefinitions, as the informer of definitions has them.
import type { KubeObject } from '../../../api/types/object.ts'
import { RESOURCES, type Resource } from './resources.ts'
import type { Runtime } from './types.ts'

interface DefinitionVersion {
  readonly name: string
  readonly served?: boolean
}

/** The preferred served version of a custom resource: stable before beta before alpha, the highest first. */
function preferredVersion(versions: readonly DefinitionVersion[]): string | undefined {
  const rank = (name: string): readonly [number, number, number] => {
    const m = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(name)
    return m ? [m[2] === undefined ? 3 : m[2] === 'beta' ? 2 : 1, Number(m[1]), Number(m[3] ?? 0)] : [0, 0, 0]
  }
  const served = versions.filter((v) => v.served !== false).map((v) => v.name)
  return served.sort((a, b) => {
    const [x, y] = [rank(a), rank(b)]
    return y[0] - x[0] || y[1] - x[1] || y[2] - x[2] || (a < b ? -1 : 1)
  })[0]
}

const established = (crd: KubeObject): boolean =>
  ((crd.status?.conditions ?? []) as { type: string; status: string }[]).some((c) => c.type === 'Established' && c.status === 'True')

export function customResource(crd: KubeObject): Resource | undefined {
  const version = preferredVersion(crd.spec?.versions ?? [])
  if (!version || !established(crd)) return undefined
  const { plural, kind } = crd.spec.names
  return { name: `${plural}.${crd.spec.group}`, group: crd.spec.group, version, plural, kind, namespaced: crd.spec.scope === 'Namespaced' }
}

export const customResources = (rt: Runtime): Resource[] => rt.list('customresourcedefinitions').flatMap((crd) => customResource(crd) ?? [])

export const discovered = (rt: Runtime): Resource[] => [...RESOURCES, ...customResources(rt)]

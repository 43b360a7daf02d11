// All kinds the API server serves, and how paths lead to them. Custom kinds come from their definitions in the cache.
import type { Result } from '../../../../lib/result.ts'
import type { DecodedObject, FieldValidation } from '../../../api/decode.ts'
import { groupResource } from '../../../api/meta.ts'
import type { ObjectSchema } from '../../../api/schema/index.ts'
import { storageFolder } from '../storage-keys.ts'
import type { KindStrategy, ServedVersion } from './strategy.ts'
import { otherKinds } from './others.ts'
import { podStrategy } from './pod/strategy.ts'
import { workloadKinds } from './workloads.ts'

/** One group-version of one kind. `served` is set when it is not the storage version. */
export interface Served {
  readonly strategy: KindStrategy
  readonly group: string
  readonly version: string
  readonly served?: ServedVersion
  /** Cache table and registry id: `pods`, `deployments.apps`. */
  readonly id: string
  readonly folder: string
  /** From a CustomResourceDefinition. */
  readonly custom?: boolean
  /** Of a custom kind; built-in ones are found by group, version and kind. */
  readonly schema?: ObjectSchema
  /** The warning that every request for a deprecated version of a custom kind gets. */
  readonly deprecation?: string
  /** The definition is being deleted: nothing is created any more. */
  readonly terminating?: boolean
  /** Of a custom kind: a body (a tree from api/decode.ts) that says it is of `kind` in this version. Wrong types are left to validation. */
  readonly decode?: (kind: string, tree: unknown, fieldValidation: FieldValidation | undefined) => Result<DecodedObject>
}

export interface Registry {
  /** By `group/version/resource`. */
  readonly routes: ReadonlyMap<string, Served>
  /** By `pods`, `deployments.apps`: storage version. */
  readonly byId: ReadonlyMap<string, Served>
  /** By folder under /registry/. */
  readonly byFolder: ReadonlyMap<string, Served>
  /** Groups with their versions, in discovery's order. */
  readonly groups: ReadonlyMap<string, readonly string[]>
}

const routeKey = (group: string, version: string, resource: string): string => `${group}/${version}/${resource}`

export function makeServed(strategy: KindStrategy, custom = false): Served[] {
  const id = groupResource(strategy.group, strategy.resource)
  const folder = storageFolder(strategy.group, strategy.resource, custom)
  const own: Served = { strategy, group: strategy.group, version: strategy.version, id, folder, ...(custom ? { custom: true } : {}) }
  return [own, ...(strategy.alsoServedAs ?? []).map((served) => ({ ...own, group: served.group, version: served.version, served }))]
}

export function makeRegistry(kinds: readonly KindStrategy[]): Registry {
  const routes = new Map<string, Served>()
  const byId = new Map<string, Served>()
  const byFolder = new Map<string, Served>()
  const groups = new Map<string, string[]>()
  for (const kind of kinds) {
    const all = makeServed(kind)
    const own = all[0] as Served
    byId.set(own.id, own)
    byFolder.set(own.folder, own)
    for (const served of all) {
      routes.set(routeKey(served.group, served.version, kind.resource), served)
      const versions = groups.get(served.group) ?? []
      if (!versions.includes(served.version)) versions.push(served.version)
      groups.set(served.group, versions)
    }
  }
  return { routes, byId, byFolder, groups }
}

export const builtIn: Registry = makeRegistry([podStrategy, ...otherKinds, ...workloadKinds])

export const findRoute = (registry: Registry, group: string, version: string, resource: string): Served | undefined =>
  registry.routes.get(routeKey(group, version, resource))

// The cluster as one plan sees it: the cache, corrected by what etcd said about single keys since.
import { builtIn, findRoute, type Served } from '../registry/index.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { EPOCH_MS } from '../../../engine/types.ts'
import type { Context } from '../../../net/context.ts'
import type { KeyValue } from '../../etcd/types.ts'
import type { ServerView } from '../rest/request.ts'
import { keyFor } from '../rest/store.ts'
import { cacheKey } from '../storage-keys.ts'
import type { User } from '../types.ts'
import { cacheState, cacheTable, podKeysOn, withRevision } from './cache.ts'
import { customRoute, customKind, customKinds } from './custom.ts'

export interface ViewOptions {
  readonly user: User
  readonly known: Readonly<Record<string, KeyValue | null>>
  readonly dryRun: boolean
  readonly requestVersion: string
}

export const routeOf = (ctx: Context, group: string, version: string, resource: string): Served | undefined =>
  findRoute(builtIn, group, version, resource) ?? customRoute(ctx, group, version, resource)

export function makeView(ctx: Context, options: ViewOptions): ServerView {
  const { known } = options
  const corrected = Object.keys(known).length > 0
  const lookup = (served: Served, namespace: string | undefined, name: string): KubeObject | undefined => {
    if (corrected) {
      const key = keyFor(served, namespace, name)
      if (Object.hasOwn(known, key)) {
        const kv = known[key]
        return kv ? withRevision(kv.value as KubeObject, kv.modRevision) : undefined
      }
    }
    return cacheTable(ctx, served.id).get(cacheKey(namespace, name))
  }
  const kind = (id: string): Served | undefined => builtIn.byId.get(id) ?? customKind(ctx, id)
  return {
    nowMs: EPOCH_MS + ctx.now,
    user: options.user,
    dryRun: options.dryRun,
    requestVersion: options.requestVersion,
    revision: cacheState(ctx).revision,
    random: () => ctx.random(),
    current: lookup,
    get(resource, namespace, name) {
      const served = kind(resource)
      return served ? lookup(served, served.strategy.namespaced ? namespace : undefined, name) : undefined
    },
    list(resource, namespace) {
      const table = cacheTable(ctx, resource)
      if (!namespace) return table.values()
      return table.keysWithPrefix(`${namespace}/`).map((k) => table.get(k) as KubeObject)
    },
    podsOn: (node) => podKeysOn(ctx, node).map((k) => cacheTable(ctx, 'pods').get(k) as KubeObject),
    route: (group, version, resource) => routeOf(ctx, group, version, resource),
    kind,
    kinds: () => [...builtIn.routes.values(), ...customKinds(ctx)],
  }
}

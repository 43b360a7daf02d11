// Kinds that CustomResourceDefinitions in the cache define.
import type { KubeObject } from '../../../api/types/object.ts'
import type { Context } from '../../../net/context.ts'
import { servedBy, servesVersion } from '../registry/apiextensions/served.ts'
import type { Served } from '../registry/index.ts'
import { cacheTable } from './cache.ts'

const CRDS = 'customresourcedefinitions.apiextensions.k8s.io'
const made = new WeakMap<KubeObject, readonly Served[]>()

function kindsOf(crd: KubeObject): readonly Served[] {
  let kinds = made.get(crd)
  if (!kinds) {
    kinds = servedBy(crd)
    made.set(crd, kinds)
  }
  return kinds
}

const definition = (ctx: Context, group: string, resource: string): KubeObject | undefined =>
  group.includes('.') ? cacheTable(ctx, CRDS).get(`${resource}.${group}`) : undefined

export function customRoute(ctx: Context, group: string, version: string, resource: string): Served | undefined {
  const crd = definition(ctx, group, resource)
  return crd && servesVersion(crd, version) ? kindsOf(crd).find((s) => s.version === version) : undefined
}

/** By `widgets.example.com`: storage version. */
export function customKind(ctx: Context, id: string): Served | undefined {
  const dot = id.indexOf('.')
  const crd = dot < 0 ? undefined : definition(ctx, id.slice(dot + 1), id.slice(0, dot))
  return crd && kindsOf(crd).find((s) => s.served === undefined)
}

export const customKinds = (ctx: Context): Served[] =>
  cacheTable(ctx, CRDS)
    .values()
    .flatMap((crd) => kindsOf(crd).filter((s) => servesVersion(crd, s.version)))

/** Whether a group belongs to some definition. */
export const customGroup = (ctx: Context, group: string): boolean =>
  cacheTable(ctx, CRDS)
    .values()
    .some((crd) => crd.spec?.group === group && kindsOf(crd).length > 0)

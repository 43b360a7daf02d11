// Discovery documents: which groups, versions and resources there are (apiserver/pkg/endpoints/discovery, kube-aggregator).
import { groupVersion } from '../../../api/meta.ts'
import type { Served } from '../registry/index.ts'
import type { Subresource } from '../registry/strategy.ts'
import { VIRTUAL } from '../virtual/router.ts'
import { versionHash } from './version-hash.ts'

export interface Resource {
  readonly name: string
  readonly singularName: string
  readonly namespaced: boolean
  readonly group?: string
  readonly version?: string
  readonly kind: string
  readonly verbs: readonly string[]
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly storageVersionHash?: string
}

const ALL = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const CUSTOM = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

/** GroupPriorityMinimum of the built-in APIServices (pkg/controlplane/apiserver/aggregator.go), highest first. */
const PRIORITY: Readonly<Record<string, number>> = {
  '': 18000,
  'apiregistration.k8s.io': 18000,
  apps: 17800,
  'events.k8s.io': 17750,
  'authentication.k8s.io': 17700,
  'authorization.k8s.io': 17600,
  autoscaling: 17500,
  batch: 17400,
  'certificates.k8s.io': 17300,
  'networking.k8s.io': 17200,
  policy: 17100,
  'rbac.authorization.k8s.io': 17000,
  'storage.k8s.io': 16800,
  'apiextensions.k8s.io': 16700,
  'admissionregistration.k8s.io': 16700,
  'scheduling.k8s.io': 16600,
  'coordination.k8s.io': 16500,
  'node.k8s.io': 16300,
  'discovery.k8s.io': 16200,
  'flowcontrol.apiserver.k8s.io': 16100,
  'internal.apiserver.k8s.io': 16000,
  'resource.k8s.io': 15900,
  'storagemigration.k8s.io': 16800,
}
const CUSTOM_PRIORITY = 1000

/** apimachinery/pkg/version: v2 before v1 before v1beta1 before v1alpha1, others by name. */
export function compareVersions(a: string, b: string): number {
  const parse = (v: string): [number, number, number] | undefined => {
    const m = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(v)
    return m ? [m[2] === undefined ? 2 : m[2] === 'beta' ? 1 : 0, Number(m[1]), Number(m[3] ?? 0)] : undefined
  }
  const [x, y] = [parse(a), parse(b)]
  if (x && y) return y[0] - x[0] || y[1] - x[1] || y[2] - x[2]
  if (x || y) return x ? -1 : 1
  return a < b ? -1 : a > b ? 1 : 0
}

export interface GroupVersions {
  readonly group: string
  /** Preferred first. */
  readonly versions: readonly string[]
}

export function groupsOf(kinds: readonly Served[]): GroupVersions[] {
  const groups = new Map<string, Set<string>>()
  const add = (group: string, version: string): void => {
    const versions = groups.get(group) ?? new Set()
    versions.add(version)
    groups.set(group, versions)
  }
  for (const served of kinds) add(served.group, served.version)
  for (const v of VIRTUAL) add(v.group, v.version)
  const priority = (group: string): number => (Object.hasOwn(PRIORITY, group) ? (PRIORITY[group] as number) : CUSTOM_PRIORITY)
  return [...groups]
    .map(([group, versions]) => ({ group, versions: [...versions].sort(compareVersions) }))
    .sort((a, b) => priority(b.group) - priority(a.group) || (a.group < b.group ? -1 : 1))
}

/** The resources of one group-version with their subresources, by name. */
export function resourcesOf(kinds: readonly Served[], group: string, version: string): Resource[] {
  const out: Resource[] = []
  for (const v of VIRTUAL) {
    if (v.group === group && v.version === version)
      out.push({ name: v.resource, singularName: v.singular, namespaced: v.namespaced, kind: v.kind, verbs: ['create'] })
  }
  for (const served of kinds) {
    if (served.group !== group || served.version !== version) continue
    const { strategy } = served
    const { resource, namespaced, kind } = strategy
    out.push({
      name: resource,
      singularName: strategy.singular,
      namespaced,
      kind,
      verbs: strategy.verbs ?? (served.custom ? CUSTOM : ALL),
      ...(strategy.shortNames.length > 0 ? { shortNames: strategy.shortNames } : {}),
      ...(strategy.categories.length > 0 ? { categories: strategy.categories } : {}),
      storageVersionHash: versionHash(strategy.group, strategy.version, kind),
    })
    for (const [name, sub] of Object.entries(strategy.subresources ?? {}))
      out.push({ name: `${resource}/${name}`, singularName: '', namespaced, ...describe(served, name, sub) })
  }
  return out.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function describe(served: Served, name: string, sub: Subresource): Pick<Resource, 'kind' | 'verbs' | 'group' | 'version'> {
  if (sub.does === 'scale') return { group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get', 'patch', 'update'] }
  if (sub.does === 'update') return { kind: served.strategy.kind, verbs: name === 'finalize' ? ['update'] : ['get', 'patch', 'update'] }
  const own = sub.group === served.group && sub.version === served.version
  return { ...(own ? {} : { group: sub.group, version: sub.version }), kind: sub.kind, verbs: sub.verbs }
}

export const resourceList = (kinds: readonly Served[], group: string, version: string): object => ({
  kind: 'APIResourceList',
  // The core group's own document has no version, for reasons of history.
  ...(group === '' ? {} : { apiVersion: 'v1' }),
  groupVersion: groupVersion(group, version),
  resources: resourcesOf(kinds, group, version),
})

export function apiGroup({ group, versions }: GroupVersions): object {
  const list = versions.map((version) => ({ groupVersion: groupVersion(group, version), version }))
  return { name: group, versions: list, preferredVersion: list[0] }
}

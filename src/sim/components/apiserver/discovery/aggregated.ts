// Aggregated discovery: everything in two documents (apidiscovery.k8s.io/v2).
import type { Served } from '../registry/index.ts'
import { type GroupVersions, groupsOf, type Resource, resourcesOf } from './resources.ts'

export const AGGREGATED_KIND = 'APIGroupDiscoveryList'

/** The version asked for, if the client accepts the aggregated form. */
export function aggregatedVersion(accept: string | undefined): 'v2' | 'v2beta1' | undefined {
  for (const clause of (accept ?? '').split(',')) {
    if (!/^\s*application\/json\b/.test(clause)) continue
    const asked = /as=APIGroupDiscoveryList/.test(clause) && /g=apidiscovery\.k8s\.io/.test(clause)
    if (!asked) {
      if (!/as=/.test(clause)) return undefined
      continue
    }
    if (/v=v2beta1/.test(clause)) return 'v2beta1'
    if (/v=v2\b/.test(clause)) return 'v2'
  }
  return undefined
}

function discovered(list: readonly Resource[], group: string, version: string): object[] {
  const out: { resource: string; subresources?: object[] }[] = []
  for (const r of list) {
    const [name = '', sub] = r.name.split('/')
    const responseKind = { group: r.group ?? group, version: r.version ?? version, kind: r.kind }
    if (sub === undefined) {
      out.push({
        resource: name,
        responseKind,
        scope: r.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: r.singularName,
        verbs: r.verbs,
        ...(r.shortNames ? { shortNames: r.shortNames } : {}),
        ...(r.categories ? { categories: r.categories } : {}),
      } as (typeof out)[number])
      continue
    }
    const parent = out.find((o) => o.resource === name)
    if (parent) parent.subresources = [...(parent.subresources ?? []), { subresource: sub, responseKind, verbs: r.verbs }]
  }
  return out
}

export function aggregated(kinds: readonly Served[], version: string, wants: (g: GroupVersions) => boolean): object {
  const items = groupsOf(kinds)
    .filter(wants)
    .map(({ group, versions }) => ({
      metadata: group === '' ? {} : { name: group },
      versions: versions.map((v) => ({ version: v, resources: discovered(resourcesOf(kinds, group, v), group, v), freshness: 'Current' })),
    }))
  return { kind: AGGREGATED_KIND, apiVersion: `apidiscovery.k8s.io/${version}`, metadata: {}, items }
}

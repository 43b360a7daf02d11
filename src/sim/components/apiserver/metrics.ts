// Counting requests, for /metrics.
import type { Context } from '../../net/context.ts'
import type { Metrics } from './rest/request.ts'
import type { InFlight, RequestInfo, Watcher } from './types.ts'

const VERBS: Readonly<Record<string, string>> = {
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
}

const labelsOf = (info: RequestInfo, code: number): string => {
  const scope = !info.isResource ? '' : info.namespace === '' ? 'cluster' : info.name === '' ? 'namespace' : 'resource'
  return `{code="${code}",component="apiserver",dry_run="",group="${info.group}",resource="${info.resource}",scope="${scope}",subresource="${info.subresource}",verb="${VERBS[info.verb] ?? info.verb.toUpperCase()}",version="${info.version}"}`
}

export function count(ctx: Context, info: RequestInfo, code: number): void {
  if (!info.isResource) return
  const table = ctx.table<number>('requests')
  const key = labelsOf(info, code)
  table.put(key, (table.get(key) ?? 0) + 1)
}

const MUTATING = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

export const metricsOf = (ctx: Context): Metrics => ({
  requests: () => ctx.table<number>('requests').entries(),
  inFlight: (kind) =>
    ctx
      .table<InFlight>('in-flight')
      .values()
      .filter((i) => MUTATING.has(i.info.verb) === (kind === 'mutating')).length,
  watches: () => {
    const by = new Map<string, number>()
    for (const w of ctx.table<Watcher>('watchers').values()) {
      const key = `{component="apiserver",group="${w.group}",resource="${w.cache.split('.')[0]}",scope="${w.namespace === '' ? 'cluster' : 'namespace'}",subresource="",verb="WATCH",version="${w.version}"}`
      by.set(key, (by.get(key) ?? 0) + 1)
    }
    return [...by].sort(([a], [b]) => (a < b ? -1 : 1))
  },
  objects: () =>
    ctx
      .table<number>('object-counts')
      .entries()
      .map(([id, n]) => [`{resource="${id}"}`, n] as const),
})

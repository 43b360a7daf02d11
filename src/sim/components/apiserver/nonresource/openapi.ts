// GET /openapi/v2, /openapi/v3 and /openapi/v3/apis/GROUP/VERSION. Texts are left out: they are a megabyte, and clients work without them.
import { groupVersion } from '../../../api/meta.ts'
import { openapiV2, openapiV3, type ServedResource } from '../../../api/schema/openapi.ts'
import { schemaFor } from '../../../api/schema/index.ts'
import { versionHash } from '../discovery/version-hash.ts'
import type { Served } from '../registry/index.ts'
import type { Rq } from '../rest/request.ts'
import type { Plan } from '../types.ts'

const json = (raw: object, etag?: string): Plan => ({
  do: 'answer',
  answer: { code: 200, raw, ...(etag ? { headers: { etag: `"${etag}"` } } : {}) },
})

const path = (group: string, version: string): string => (group === '' ? `api/${version}` : `apis/${group}/${version}`)

function served(kinds: readonly Served[]): ServedResource[] {
  return kinds
    .filter((s) => !s.custom && schemaFor(s.group, s.version, s.strategy.kind))
    .map(({ group, version, strategy }) => ({
      group,
      version,
      kind: strategy.kind,
      resource: strategy.resource,
      namespaced: strategy.namespaced,
      subresources: Object.keys(strategy.subresources ?? {}),
    }))
}

const etagOf = (kinds: readonly Served[], gv: string): string =>
  versionHash(
    gv,
    '',
    kinds
      .filter((s) => groupVersion(s.group, s.version) === gv)
      .map((s) => s.strategy.kind)
      .join(),
  )

/** undefined = no such document. */
export function planOpenAPI(rq: Rq, bare: string): Plan | undefined {
  const kinds = rq.view.kinds()
  if (bare === '/openapi/v2') return json(openapiV2(served(kinds)))
  if (bare === '/openapi/v3') {
    const paths: Record<string, object> = {}
    for (const { group, version } of kinds) {
      const p = path(group, version)
      paths[p] ??= { serverRelativeURL: `/openapi/v3/${p}?hash=${encodeURIComponent(etagOf(kinds, groupVersion(group, version)))}` }
    }
    return json({ paths })
  }
  const of = kinds.filter((s) => `/openapi/v3/${path(s.group, s.version)}` === bare)
  const first = of[0]
  if (!first) return undefined
  return json(openapiV3(served(of)), etagOf(kinds, groupVersion(first.group, first.version)))
}

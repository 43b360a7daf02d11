// Paths outside the resources: health, version, discovery, OpenAPI, metrics.
import { groupVersion } from '../../../api/meta.ts'
import { genericServerResponse } from '../../../api/status.ts'
import { aggregated, AGGREGATED_KIND, aggregatedVersion } from '../discovery/aggregated.ts'
import { apiGroup, groupsOf, resourceList } from '../discovery/resources.ts'
import { negotiate, notAcceptable } from '../encode/negotiate.ts'
import { refuse } from '../refusal.ts'
import type { Rq } from '../rest/request.ts'
import type { Plan } from '../types.ts'
import { planHealth } from './health.ts'
import { planMetrics } from './metrics.ts'
import { planOpenAPI } from './openapi.ts'
import { VERSION } from './version.ts'

export const notFoundText: Plan = {
  do: 'answer',
  answer: {
    code: 404,
    text: '404 page not found\n',
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' },
  },
}

const json = (raw: object, headers?: Readonly<Record<string, string>>): Plan => ({
  do: 'answer',
  answer: { code: 200, raw, ...(headers ? { headers } : {}) },
})

export function planNonResource(rq: Rq): Plan {
  const { path } = rq.info
  if (path.startsWith('//')) return notFoundText
  const bare = path.length > 1 ? path.replace(/\/$/, '') : path
  const health = planHealth(rq)
  if (health) return health
  if (bare === '/metrics') return planMetrics(rq)
  if (bare.startsWith('/openapi/')) return planOpenAPI(rq, bare) ?? notFoundText
  const document = discovery(rq, bare)
  if (document === undefined) return notFoundText
  if (rq.request.method !== 'GET') return refuse(genericServerResponse(405))
  return document
}

function discovery(rq: Rq, path: string): Plan | undefined {
  if (path === '/') return json({ paths: rootPaths(rq) })
  if (path === '/version') return json(VERSION)
  const kinds = rq.view.kinds()
  const version = aggregatedVersion(rq.request.headers.accept)
  if (path === '/api') {
    if (version)
      return json(
        aggregated(kinds, version, (g) => g.group === ''),
        aggregatedType(version),
      )
    return acceptable(rq, {
      kind: 'APIVersions',
      versions: ['v1'],
      serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: `${rq.config.advertiseAddress}:6443` }],
    })
  }
  if (path === '/apis') {
    if (version)
      return json(
        aggregated(kinds, version, (g) => g.group !== ''),
        aggregatedType(version),
      )
    return acceptable(rq, {
      kind: 'APIGroupList',
      apiVersion: 'v1',
      groups: groupsOf(kinds)
        .filter((g) => g.group !== '')
        .map(apiGroup),
    })
  }
  const parts = path.split('/').slice(1)
  if (parts[0] === 'api' && parts.length === 2)
    return parts[1] === 'v1' ? acceptable(rq, resourceList(kinds, '', 'v1')) : refuse(genericServerResponse(404))
  if (parts[0] !== 'apis') return undefined
  const found = groupsOf(kinds).find((g) => g.group === parts[1] && g.group !== '')
  if (!found) return undefined
  if (parts.length === 2) return acceptable(rq, { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup(found) })
  if (!found.versions.includes(parts[2] ?? '')) return refuse(genericServerResponse(404))
  return acceptable(rq, resourceList(kinds, found.group, parts[2] as string))
}

const aggregatedType = (version: string): Record<string, string> => ({
  'content-type': `application/json;g=apidiscovery.k8s.io;v=${version};as=${AGGREGATED_KIND}`,
  vary: 'Accept',
})

function acceptable(rq: Rq, raw: object): Plan {
  return negotiate(rq.request.headers.accept, { pretty: false }) ? json(raw) : refuse(notAcceptable())
}

function rootPaths(rq: Rq): string[] {
  const groups = groupsOf(rq.view.kinds())
  const paths = [
    '/.well-known/openid-configuration',
    '/api',
    '/api/v1',
    '/apis',
    '/apis/',
    '/healthz',
    '/livez',
    '/metrics',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/',
    '/openid/v1/jwks',
    '/readyz',
    '/version',
  ]
  for (const { group, versions } of groups)
    if (group !== '') paths.push(`/apis/${group}`, ...versions.map((v) => `/apis/${groupVersion(group, v)}`))
  return paths.sort()
}

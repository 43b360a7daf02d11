// /healthz, /livez, /readyz: apiserver/pkg/server/healthz. Every check can be asked for by name.
import { queryValues } from '../request-info.ts'
import type { Rq } from '../rest/request.ts'
import type { Plan } from '../types.ts'

const HOOKS = [
  'start-apiserver-admission-initializer',
  'generic-apiserver-start-informers',
  'priority-and-fairness-config-consumer',
  'priority-and-fairness-filter',
  'storage-object-count-tracker-hook',
  'start-apiextensions-informers',
  'start-apiextensions-controllers',
  'crd-informer-synced',
  'start-system-namespaces-controller',
  'start-cluster-authentication-info-controller',
  'start-kube-apiserver-identity-lease-controller',
  'start-kube-apiserver-identity-lease-garbage-collector',
  'start-legacy-token-tracking-controller',
  'start-service-ip-repair-controllers',
  'rbac/bootstrap-roles',
  'scheduling/bootstrap-system-priority-classes',
  'priority-and-fairness-config-producer',
  'bootstrap-controller',
  'start-kubernetes-service-cidr-controller',
  'aggregator-reload-proxy-client-cert',
  'start-kube-aggregator-informers',
  'apiservice-status-local-available-controller',
  'apiservice-status-remote-available-controller',
  'apiservice-registration-controller',
  'apiservice-discovery-controller',
  'kube-apiserver-autoregistration',
  'autoregister-completion',
  'apiservice-openapi-controller',
  'apiservice-openapiv3-controller',
].map((name) => `poststarthook/${name}`)

const CHECKS: Readonly<Record<string, readonly string[]>> = {
  healthz: ['ping', 'log', 'etcd', ...HOOKS],
  livez: ['ping', 'log', 'etcd', ...HOOKS],
  readyz: ['ping', 'log', 'etcd', 'etcd-readiness', 'informer-sync', ...HOOKS, 'shutdown'],
}

const plain = (code: number, body: string): Plan => ({
  do: 'answer',
  answer: { code, text: body, headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' } },
})

/** undefined = no such check. etcd is asked for real: without a quorum the checks fail. */
export function planHealth(rq: Rq): Plan | undefined {
  const [, root = '', ...rest] = rq.info.path.split('/')
  const checks = CHECKS[root]
  if (!checks) return undefined
  const one = rest.join('/')
  if (one !== '' && !checks.includes(one)) return undefined
  const wanted = one === '' ? checks : [one]
  const excluded = new Set(queryValues(rq.info.query, 'exclude'))
  const failed = new Set<string>()
  const asksEtcd = wanted.some((c) => c === 'etcd' || c === 'etcd-readiness')
  if (asksEtcd && !etcdAnswers(rq)) for (const c of ['etcd', 'etcd-readiness']) failed.add(c)
  if (!rq.bootstrapped) failed.add('poststarthook/rbac/bootstrap-roles')
  const lines = wanted.map((c) =>
    excluded.has(c) ? `[+]${c} excluded: ok` : failed.has(c) ? `[-]${c} failed: reason withheld` : `[+]${c} ok`,
  )
  const broken = wanted.some((c) => failed.has(c) && !excluded.has(c))
  if (broken) return plain(500, `${lines.join('\n')}\n${root} check failed\n`)
  if (one !== '' || !rq.info.query.some(([k]) => k === 'verbose')) return plain(200, 'ok')
  return plain(200, `${lines.join('\n')}\n${root} check passed\n`)
}

function etcdAnswers(rq: Rq): boolean {
  return rq.need<{ ok: boolean }>('health/etcd', { kind: 'ping' }).ok
}

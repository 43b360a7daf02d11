// Which API servers the `kubernetes` Service leads to: pkg/controlplane/reconcilers/lease.go. Every server renews a key of its own; the
// addresses behind the Service are those whose key is young enough.
import { HTTP_REQUEST, type HttpRequest, type HttpResponse } from '../../../api/http.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import type { ComponentType, Context } from '../../../net/context.ts'
import type { CallResult } from '../../../net/types.ts'
import { type EtcdAnswer, prefixEnd, type RangeResponse } from '../../etcd/types.ts'
import { cacheTable } from '../cache/cache.ts'
import { callEtcd } from '../etcd-client.ts'
import { LOOPBACK, LOOPBACK_AGENT } from '../needs.ts'
import type { KubeApiserverConfig } from '../types.ts'
import { bootstrapped } from './bootstrap.ts'

/** DefaultEndpointReconcilerInterval, DefaultEndpointReconcilerTTL. */
const INTERVAL_MS = 10_000
const TTL_MS = 15_000
/** How soon it is looked at again while the first objects are being made. */
const STARTING_MS = 1000
const PREFIX = '/registry/masterleases/'

interface MasterLease {
  readonly ip: string
  readonly renewedAt: number
}

export function startEndpoints(ctx: Context): void {
  ctx.setTimer('endpoints', bootstrapped(ctx) ? 0 : STARTING_MS, 'apiserver.endpoints', null, { periodic: true })
}

function renew(ctx: Context): void {
  if (!bootstrapped(ctx)) return startEndpoints(ctx)
  ctx.setTimer('endpoints', INTERVAL_MS, 'apiserver.endpoints', null, { periodic: true })
  const ip = (ctx.config as KubeApiserverConfig).advertiseAddress
  const value: MasterLease = { ip, renewedAt: ctx.now }
  callEtcd(
    ctx,
    'etcd.txn',
    { compare: [], success: [{ op: 'put', key: `${PREFIX}${ip}`, value }], failure: [] },
    { kind: 'apiserver.endpoints.renewed' },
    `renew masterleases/${ip}`,
  )
}

function onRenewed(ctx: Context, result: CallResult<EtcdAnswer<unknown>>): void {
  if (result.form !== 'response' || !result.value.ok) return
  callEtcd(ctx, 'etcd.range', { key: PREFIX, rangeEnd: prefixEnd(PREFIX) }, { kind: 'apiserver.endpoints.leases' }, 'range masterleases/')
}

function onLeases(ctx: Context, result: CallResult<EtcdAnswer<RangeResponse<MasterLease>>>): void {
  if (result.form !== 'response' || !result.value.ok) return
  const ips = result.value.value.kvs.filter(({ value }) => value.renewedAt > ctx.now - TTL_MS).map(({ value }) => value.ip)
  reconcile(ctx, ips.sort())
}

function reconcile(ctx: Context, ips: readonly string[]): void {
  const addresses = ips.map((ip) => ({ ip }))
  const endpoints = ips.map((ip) => ({ addresses: [ip], conditions: { ready: true } }))
  const old = cacheTable(ctx, 'endpoints').get('default/kubernetes')
  if (old && !same(old.subsets?.[0]?.addresses, addresses))
    put(ctx, '/api/v1/namespaces/default/endpoints/kubernetes', {
      ...old,
      subsets: [{ ...old.subsets?.[0], ports: [{ name: 'https', port: 6443, protocol: 'TCP' }], addresses }],
    })
  const slice = cacheTable(ctx, 'endpointslices.discovery.k8s.io').get('default/kubernetes')
  if (slice && !same(slice.endpoints, endpoints))
    put(ctx, '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes', { ...slice, endpoints })
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

/** A conflict is settled at the next round. */
function put(ctx: Context, path: string, body: KubeObject): void {
  ctx.foreground()
  const request: HttpRequest = {
    method: 'PUT',
    path,
    headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': LOOPBACK_AGENT },
    body,
    certificate: LOOPBACK,
    sourceIP: '127.0.0.1',
  }
  ctx.call(ctx.self, HTTP_REQUEST, request, {
    then: { kind: 'apiserver.endpoints.put' },
    flow: 'write',
    summary: `PUT ${body.kind} kubernetes`,
  })
}

export const endpointHandlers: ComponentType['handlers'] = {
  'apiserver.endpoints': renew as never,
  'apiserver.endpoints.renewed': onRenewed as never,
  'apiserver.endpoints.leases': onLeases as never,
  'apiserver.endpoints.put': ((_: Context, __: CallResult<HttpResponse>) => {}) as never,
}

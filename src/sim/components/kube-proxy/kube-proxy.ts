// kube-proxy: watches Services and EndpointSlices, and writes the rules of its node's kernel. It carries no traffic itself.
import type { EndpointSlice, Service } from '../../api/types/kubernetes.gen.ts'
import { deepEqual } from '../../../lib/compare.ts'
import { createInformers, store } from '../../client/informer.ts'
import type { ClientConfig } from '../../client/request.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import { iptablesRules } from './iptables/rules.ts'
import { iptablesSave } from './iptables/save.ts'
import type { RuleSet } from './kernel/netfilter.ts'
import { type Listening, PACKET_LOOK, SOCKET_REQUEST, type SocketReply } from './kernel/packet.ts'
import { nftList } from './nftables/list.ts'
import { nftablesRules } from './nftables/rules.ts'
import { type ProxyInput, type ServicePortInfo, servicePorts } from './services.ts'

export interface KubeProxyConfig {
  readonly client: ClientConfig
  readonly node: string
  readonly nodeIP: string
  readonly mode: 'iptables' | 'nftables'
  /** Of all pods; detect-local-mode ClusterCIDR. '' = not known: nothing is masqueraded for cluster IPs. */
  readonly clusterCIDR: string
}

/** What kube-proxy gives to its node's kernel (kind `netfilter.replace`). */
export interface RulesWritten {
  readonly mode: 'iptables' | 'nftables'
  /** The dump of this mode: of table nat and filter, or of table kube-proxy. */
  readonly text: string
  readonly nat: string
  readonly filter: string
  readonly rules: RuleSet
}

/** iptables.minSyncPeriod, nftables.minSyncPeriod */
const MIN_SYNC_MS = 1000
/** proxyutil.FullSyncPeriod */
const FULL_SYNC_MS = 3_600_000
const SELECTOR = `labelSelector=${encodeURIComponent('!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name')}`
/** The kube-proxy process serves its own health here. */
const HEALTHZ_PORT = 10256
const CHANGES_SHOWN = 12

const config = (ctx: Context): KubeProxyConfig => ctx.config as KubeProxyConfig
const NAMES: Readonly<Record<string, string>> = {
  services: 'Service',
  endpointslices: 'EndpointSlice',
  nodes: 'Node',
  servicecidrs: 'ServiceCIDR',
}

const informers = createInformers({
  client: (ctx) => config(ctx).client,
  onEvent: (ctx, { informer, key, type, object, old }) => {
    if (informer === 'nodes' && type === 'MODIFIED' && deepEqual(object.metadata.labels, old?.metadata.labels)) return
    ctx.table<string>('pending').put(`${NAMES[informer]} ${key}`, type)
    requestSync(ctx)
  },
  onSynced: (ctx) => requestSync(ctx),
})

/** At once when the last sync was long ago, else as soon as the minimum period has passed; requests in between are one. */
function requestSync(ctx: Context): void {
  if (!initialized(ctx) || ctx.hasTimer('sync')) return
  const last = ctx.table<number>('state').get('synced-at')
  ctx.setTimer('sync', last === undefined ? 0 : Math.max(0, last + MIN_SYNC_MS - ctx.now), 'sync')
}

/** Rules are not written before everything was heard once: half a picture would cut connections. */
const initialized = (ctx: Context): boolean =>
  ['services', 'endpointslices', 'nodes', 'servicecidrs'].every((name) => informers.hasSynced(ctx, name))

function inputOf(ctx: Context): ProxyInput {
  const { node, nodeIP, clusterCIDR } = config(ctx)
  return {
    node,
    nodeIP,
    clusterCIDR,
    nodeLabels: store(ctx, 'nodes').get(node)?.metadata.labels ?? {},
    serviceCIDRs: store(ctx, 'servicecidrs')
      .values()
      .flatMap((c) => ((c.spec?.cidrs ?? []) as string[]).filter((cidr) => !cidr.includes(':'))),
    services: store(ctx, 'services').values() as unknown as Service[],
    endpointSlices: store(ctx, 'endpointslices').values() as unknown as EndpointSlice[],
  }
}

export function writeRules(input: ProxyInput, mode: KubeProxyConfig['mode']): RulesWritten {
  if (mode === 'nftables') {
    const rules = nftablesRules(input)
    return { mode, rules, text: nftList(rules), nat: '', filter: '' }
  }
  const rules = iptablesRules(input)
  const nat = iptablesSave(rules, 'nat')
  const filter = iptablesSave(rules, 'filter')
  return { mode, rules, text: filter + nat, nat, filter }
}

function sync(ctx: Context): void {
  ctx.table<number>('state').put('synced-at', ctx.now)
  ctx.setTimer('full-sync', FULL_SYNC_MS, 'sync', null, { periodic: true })
  const pending = ctx.table<string>('pending')
  const changed = [...pending.keys()]
  pending.clear()
  const { node, mode } = config(ctx)
  const input = inputOf(ctx)
  const written = writeRules(input, mode)
  const table = ctx.table<unknown>('rules')
  if (table.get('text') === written.text) return
  ctx.foreground()
  for (const key of ['mode', 'text', 'nat', 'filter', 'rules'] as const) table.put(key, written[key])
  const ports = servicePorts(input)
  ctx.because(
    ctx.record('proxy.rules.synced', {
      node,
      mode,
      services: new Set(ports.map((p) => `${p.namespace}/${p.name}`)).size,
      endpoints: ports.reduce((n, p) => n + p.endpoints.reachable.length, 0),
      rules: written.rules.chains.reduce((n, c) => n + c.rules.length, 0) + written.rules.maps.reduce((n, m) => n + m.elements.length, 0),
      changed: changed.length > CHANGES_SHOWN ? [...changed.slice(0, CHANGES_SHOWN), `${changed.length - CHANGES_SHOWN} more`] : changed,
    }),
  )
  ctx.send(`kernel/${node}`, 'netfilter.replace', written, { flow: 'control', summary: `write ${mode} rules` })
  syncHealthChecks(ctx, ports)
}

/** One listener per health check node port of a Service with externalTrafficPolicy Local (pkg/proxy/healthcheck/service_health.go). */
function syncHealthChecks(ctx: Context, ports: readonly ServicePortInfo[]): void {
  const table = ctx.table<{ namespace: string; name: string; localEndpoints: number }>('health-checks')
  const before = new Set(table.keys())
  table.clear()
  for (const p of ports) {
    if (p.healthCheckNodePort === 0) continue
    const key = String(p.healthCheckNodePort)
    const ready = p.endpoints.local.filter((e) => e.ready).map((e) => e.ip)
    const known = table.get(key)
    table.put(key, { namespace: p.namespace, name: p.name, localEndpoints: Math.max(known?.localEndpoints ?? 0, new Set(ready).size) })
    if (!before.has(key)) listen(ctx, p.healthCheckNodePort)
  }
}

function listen(ctx: Context, port: number): void {
  const { node } = config(ctx)
  const socket: Listening = { ip: '', port, protocol: 'tcp', name: `kube-proxy/${node}`, container: 'kube-proxy' }
  ctx.send(`kernel/${node}`, 'socket.listen', socket, { flow: 'control', summary: `listen :${port}` })
}

/** The body's shape is upstream's. */
function healthAnswer(ctx: Context, port: number): SocketReply {
  if (port === HEALTHZ_PORT) return { status: 200, body: '' }
  const check = ctx.table<{ namespace: string; name: string; localEndpoints: number }>('health-checks').get(String(port))
  if (!check) return { status: 404, body: '' }
  const { namespace, name, localEndpoints } = check
  const body = `${JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy: true }, null, '\t')}\n`
  return { status: localEndpoints > 0 ? 200 : 503, body }
}

export const kubeProxyType: ComponentType = {
  type: 'kube-proxy',
  start(ctx) {
    const { node } = config(ctx)
    informers.start(ctx, { name: 'nodes', path: '/api/v1/nodes', query: `fieldSelector=${encodeURIComponent(`metadata.name=${node}`)}` })
    informers.start(ctx, { name: 'services', path: '/api/v1/services', query: SELECTOR })
    informers.start(ctx, { name: 'endpointslices', path: '/apis/discovery.k8s.io/v1/endpointslices', query: SELECTOR })
    informers.start(ctx, { name: 'servicecidrs', path: '/apis/networking.k8s.io/v1/servicecidrs' })
  },
  handlers: {
    ...informers.handlers,
    sync: (ctx) => sync(ctx),
    [SOCKET_REQUEST]: (ctx: Context, { port }: { port: number }, delivery) => {
      const answer = healthAnswer(ctx, port)
      if (delivery.call !== undefined)
        ctx.reply(delivery.call, answer, { ...PACKET_LOOK, summary: String(answer.status), ok: answer.status < 400 })
    },
  },
}

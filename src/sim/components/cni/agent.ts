// kindnetd: the CNI agent of a node. Once the node has its part of the pod network, it writes the CNI configuration, and keeps routes to
// the pod networks of the other nodes (sigs.k8s.io/kind, images/kindnetd).
import type { KubeObject } from '../../api/types/object.ts'
import { createInformers, store } from '../../client/informer.ts'
import type { ClientConfig } from '../../client/request.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'

export interface CniAgentConfig {
  readonly client: ClientConfig
  /** The whole pod network. */
  readonly podCIDR: string
  /** Added by the container runtime. */
  readonly node: string
}

const RETRY_MS = 1000

const config = (ctx: Context): CniAgentConfig => ctx.config as CniAgentConfig

interface Route {
  readonly podCIDR: string
  readonly via: string
  readonly node: string
}

const informers = createInformers({
  client: (ctx) => config(ctx).client,
  onEvent: (ctx, event) => onNode(ctx, event.object, event.type === 'DELETED'),
})

function onNode(ctx: Context, node: KubeObject, gone: boolean): void {
  const name = node.metadata.name as string
  const podCIDR = node.spec?.podCIDR as string | undefined
  if (name === config(ctx).node) {
    install(ctx)
    return
  }
  const routes = ctx.table<Route>('routes')
  const address = ((node.status?.addresses ?? []) as { type: string; address: string }[]).find((a) => a.type === 'InternalIP')?.address
  const before = routes.get(name)
  const same = before?.podCIDR === podCIDR && before?.via === address
  if (gone || !podCIDR || !address) routes.delete(name)
  else if (!same) routes.put(name, { podCIDR, via: address, node: name })
  if (routes.get(name) === before) return
  ctx.send(
    `kernel/${config(ctx).node}`,
    'route.replace',
    { routes: routes.values() },
    { flow: 'control', summary: `set routes to ${routes.size} nodes` },
  )
}

function install(ctx: Context): void {
  const { node } = config(ctx)
  const podCIDR = store(ctx, 'nodes').get(node)?.spec?.podCIDR as string | undefined
  if (!podCIDR || ctx.table<string>('installed').get('podCIDR') === podCIDR) return
  ctx.table<string>('installed').put('podCIDR', podCIDR)
  ctx.call(
    `containerd/${node}`,
    'cni.install',
    { podCIDR },
    { then: { kind: 'cni.installed' }, flow: 'control', summary: `write /etc/cni/net.d (${podCIDR})` },
  )
}

export const agentType: ComponentType = {
  type: 'kindnetd',
  start(ctx) {
    informers.start(ctx, { name: 'nodes', path: '/api/v1/nodes' })
  },
  handlers: {
    ...informers.handlers,
    'cni.installed': (ctx, result: CallResult) => {
      if (result.form === 'response') return
      ctx.table('installed').delete('podCIDR')
      ctx.setTimer('install', RETRY_MS, 'cni.retry', null, { periodic: true })
    },
    'cni.retry': (ctx) => install(ctx),
  },
}

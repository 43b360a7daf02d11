// The network part of a machine's kernel: packet filter, routes, sockets. It runs as long as the machine has power, whatever its processes do.
import type { Delivery } from '../../engine/types.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import { NETWORK_REQUEST, type NetworkCall } from '../runtime/network.ts'
import { onAnswer, onDnsTimeout, onTimeout, open } from './kernel/connection.ts'
import { enter, onAnswered, onConnected, onForwarded } from './kernel/forward.ts'
import { type Listening, PACKET, type Packet } from './kernel/packet.ts'
import { netfilter, type Route, routes, sockets } from './kernel/state.ts'
import type { RulesWritten } from './kube-proxy.ts'

export type { KernelConfig } from './kernel/state.ts'

export const kernelType: ComponentType = {
  type: 'kernel',
  start(ctx) {
    ctx.table<number>('boot').put('at', ctx.now)
  },
  handlers: {
    /** From the container runtime, which must know whether the machine was started anew. */
    'kernel.boot': (ctx: Context, _: unknown, delivery: Delivery) => {
      if (delivery.call !== undefined) ctx.reply(delivery.call, { at: ctx.table<number>('boot').get('at') ?? 0 })
    },
    /** From kube-proxy on this machine. */
    'netfilter.replace': (ctx: Context, written: RulesWritten) => {
      for (const key of ['mode', 'text', 'nat', 'filter', 'rules'] as const) netfilter(ctx).put(key, written[key])
    },
    /** From the CNI agent on this machine: all routes to other machines' pods. */
    'route.replace': (ctx: Context, { routes: wanted }: { routes: readonly Route[] }) => {
      routes(ctx).clear()
      for (const route of wanted) routes(ctx).put(route.podCIDR, route)
    },
    /** From a process of this machine that serves without being a container's program. */
    'socket.listen': (ctx: Context, socket: Listening, delivery: Delivery) => {
      if (delivery.from !== undefined)
        sockets(ctx).put(`${socket.protocol}/${socket.ip}/${socket.port}`, { ...socket, process: delivery.from })
    },
    /** A program in a container opens a connection. */
    [NETWORK_REQUEST]: (ctx: Context, request: NetworkCall, delivery: Delivery) => {
      if (delivery.call !== undefined) open(ctx, request, delivery.call)
    },
    /** From another machine, or from outside. */
    [PACKET]: (ctx: Context, packet: Packet, delivery: Delivery) => {
      if (delivery.call !== undefined) enter(ctx, 'prerouting', packet, { call: delivery.call })
    },
    'kernel.connected': onConnected as never,
    'kernel.answered': onAnswered as never,
    'kernel.forwarded': onForwarded as never,
    'connection.answered': onAnswer as never,
    'connection.timeout': (ctx: Context, id: number) => onTimeout(ctx, id),
    'dns.timeout': (ctx: Context, id: number) => onDnsTimeout(ctx, id),
  },
}

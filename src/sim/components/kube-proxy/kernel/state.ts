// What a machine's kernel holds. All of it is memory: it is gone when the machine loses power, and stays when kube-proxy stops.
import type { ComponentId, Table } from '../../../engine/types.ts'
import type { Context } from '../../../net/context.ts'
import type { NetworkCall } from '../../runtime/network.ts'
import { contains, ipToNumber } from './address.ts'
import type { RuleSet } from './netfilter.ts'
import type { Listening } from './packet.ts'

export interface KernelConfig {
  readonly node: string
  readonly nodeIP: string
  /** Of all pods of the cluster. */
  readonly podCIDR: string
  /** Address → name of the machines on the same wire. */
  readonly nodes: Readonly<Record<string, string>>
}

/** A route to another machine's pods, as its CNI agent set it. */
export interface Route {
  readonly podCIDR: string
  readonly via: string
  readonly node: string
}

export interface Socket extends Listening {
  readonly process: ComponentId
}

/** A connection that a program of this machine is opening. */
export interface Connection {
  readonly id: number
  /** The call to answer. */
  readonly call: number
  readonly request: NetworkCall
  readonly startedAt: number
  /** Names that are still to be tried. */
  readonly names: readonly string[]
  readonly attempt: number
  /** Number of the packet that is under way; answers to others come too late. */
  readonly packet: number
  readonly address?: string
  readonly hops: readonly string[]
}

export const config = (ctx: Context): KernelConfig => ctx.config as KernelConfig
/** Keys mode, text, nat, filter, rules: what kube-proxy wrote last. */
export const netfilter = (ctx: Context): Table<unknown> => ctx.table('rules')
export const ruleSet = (ctx: Context): RuleSet | undefined => netfilter(ctx).get('rules') as RuleSet | undefined
export const routes = (ctx: Context): Table<Route> => ctx.table('routes')
export const sockets = (ctx: Context): Table<Socket> => ctx.table('sockets')
export const connections = (ctx: Context): Table<Connection> => ctx.table('connections')
/** Clients that rules with affinity remember: `list source` → when. */
export const recent = (ctx: Context): Table<number> => ctx.table('recent')

export function count(ctx: Context, name: string): number {
  const counters = ctx.table<number>('counters')
  const n = (counters.get(name) ?? 0) + 1
  counters.put(name, n)
  return n
}

/** Unique in the cluster: the machine's address and a number. */
export const newPacket = (ctx: Context): number => (ipToNumber(config(ctx).nodeIP) % 65536) * 1_000_000 + 1_000_000 + count(ctx, 'packets')

export const isLocal = (ctx: Context, ip: string): boolean => ip === config(ctx).nodeIP || contains('127.0.0.0/8', ip)

export const machineAt = (ctx: Context, ip: string): string | undefined => {
  const { nodes } = config(ctx)
  return Object.hasOwn(nodes, ip) ? nodes[ip] : undefined
}

export const routeTo = (ctx: Context, ip: string): Route | undefined =>
  routes(ctx)
    .values()
    .find((r) => contains(r.podCIDR, ip))

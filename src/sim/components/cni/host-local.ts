// CNI's host-local address management: addresses of the node's range in turn, the first free one after the last given.
import type { Context } from '../../net/context.ts'

interface Range {
  readonly podCIDR: string
  readonly last: string
}

const toNumber = (ip: string): number => ip.split('.').reduce((n, part) => n * 256 + Number(part), 0)
const toText = (n: number): string => [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join('.')

/** The range's network, its gateway (first address) and its last usable address. */
function bounds(podCIDR: string): { first: number; last: number } {
  const [ip = '0.0.0.0', bits = '24'] = podCIDR.split('/')
  const size = 2 ** (32 - Number(bits))
  const base = Math.floor(toNumber(ip) / size) * size
  return { first: base + 2, last: base + size - 2 }
}

export function podRange(ctx: Context): string | undefined {
  return ctx.table<Range>('cni').get('range')?.podCIDR
}

export function setPodRange(ctx: Context, podCIDR: string): void {
  const before = ctx.table<Range>('cni').get('range')
  if (before?.podCIDR !== podCIDR) ctx.table<Range>('cni').put('range', { podCIDR, last: '' })
}

/** CNI ADD: an address for a sandbox; undefined if all are taken. */
export function allocate(ctx: Context, sandbox: string): string | undefined {
  const table = ctx.table<Range>('cni')
  const range = table.get('range')
  if (!range) return undefined
  const leases = ctx.table<string>('cni-leases')
  const { first, last } = bounds(range.podCIDR)
  const size = last - first + 1
  const start = range.last === '' ? first : toNumber(range.last) + 1
  for (let i = 0; i < size; i++) {
    const ip = toText(first + ((start - first + i) % size))
    if (leases.has(ip)) continue
    leases.put(ip, sandbox)
    table.put('range', { ...range, last: ip })
    return ip
  }
  return undefined
}

/** CNI DEL. */
export function release(ctx: Context, sandbox: string): void {
  const leases = ctx.table<string>('cni-leases')
  for (const [ip, owner] of leases.entries()) if (owner === sandbox) leases.delete(ip)
}

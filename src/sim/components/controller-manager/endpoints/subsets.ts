// RepackSubsets of pkg/api/v1/endpoints/util.go: addresses that offer the same ports stand together.
import { compareStrings } from '../../../../lib/compare.ts'
import { stableStringify } from '../../../../lib/stringify.ts'
import type { EndpointAddress, EndpointPort, EndpointSubset } from '../../../api/types/kubernetes.gen.ts'

export interface Offer {
  readonly address: EndpointAddress
  readonly ready: boolean
  readonly port?: EndpointPort
}

const ipKey = (ip: string): string =>
  ip.includes(':')
    ? `6${ip}`
    : `4${ip
        .split('.')
        .map((n) => n.padStart(3, '0'))
        .join('.')}`
const addressOrder = (a: EndpointAddress, b: EndpointAddress): number =>
  compareStrings(ipKey(a.ip), ipKey(b.ip)) || compareStrings(a.targetRef?.uid ?? '', b.targetRef?.uid ?? '')
const portOrder = (a: EndpointPort, b: EndpointPort): number =>
  compareStrings(a.name ?? '', b.name ?? '') || a.port - b.port || compareStrings(a.protocol ?? '', b.protocol ?? '')

export function repack(offers: readonly Offer[]): EndpointSubset[] {
  const ports = new Map<string, EndpointPort | undefined>()
  const byPort = new Map<string, Map<string, Offer>>()
  for (const offer of offers) {
    const port = offer.port ? stableStringify(offer.port) : ''
    ports.set(port, offer.port)
    const addresses = byPort.get(port) ?? new Map<string, Offer>()
    byPort.set(port, addresses)
    const key = `${offer.address.ip}|${offer.address.targetRef?.uid ?? ''}`
    // Not ready for one port is not ready.
    if (addresses.get(key)?.ready !== false) addresses.set(key, offer)
  }
  const groups = new Map<string, { ports: EndpointPort[]; offers: Offer[] }>()
  for (const [port, addresses] of byPort) {
    const key = [...addresses]
      .map(([k, o]) => `${k}|${o.ready}`)
      .sort()
      .join(' ')
    const group = groups.get(key) ?? { ports: [], offers: [...addresses.values()] }
    const p = ports.get(port)
    if (p) group.ports.push(p)
    groups.set(key, group)
  }
  return [...groups.values()]
    .map((g): EndpointSubset => {
      const ready = g.offers
        .filter((o) => o.ready)
        .map((o) => o.address)
        .sort(addressOrder)
      const not = g.offers
        .filter((o) => !o.ready)
        .map((o) => o.address)
        .sort(addressOrder)
      return {
        ...(ready.length > 0 ? { addresses: ready } : {}),
        ...(not.length > 0 ? { notReadyAddresses: not } : {}),
        ...(g.ports.length > 0 ? { ports: g.ports.sort(portOrder) } : {}),
      }
    })
    .sort(
      (a, b) =>
        compareStrings(stableStringify(a.ports ?? []), stableStringify(b.ports ?? [])) ||
        compareStrings(stableStringify(a), stableStringify(b)),
    )
}

/** An Endpoints object holds no more; ready ones stay before those that are not. */
export const MAX_ADDRESSES = 1000

export function truncate(subsets: readonly EndpointSubset[]): { subsets: EndpointSubset[]; truncated: boolean } {
  const count = (list: readonly unknown[] | undefined): number => list?.length ?? 0
  const ready = subsets.reduce((n, s) => n + count(s.addresses), 0)
  const not = subsets.reduce((n, s) => n + count(s.notReadyAddresses), 0)
  if (ready + not <= MAX_ADDRESSES) return { subsets: [...subsets], truncated: false }
  let readyLeft = MAX_ADDRESSES
  let notLeft = Math.max(0, MAX_ADDRESSES - ready)
  const cut = subsets.map((s): EndpointSubset => {
    const addresses = (s.addresses ?? []).slice(0, readyLeft)
    const notReadyAddresses = (s.notReadyAddresses ?? []).slice(0, notLeft)
    readyLeft -= addresses.length
    notLeft -= notReadyAddresses.length
    return {
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
      ...(s.ports ? { ports: s.ports } : {}),
    }
  })
  return { subsets: cut.filter((s) => s.addresses || s.notReadyAddresses), truncated: true }
}

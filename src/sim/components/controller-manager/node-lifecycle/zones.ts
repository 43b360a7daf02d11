// Zones and how fast their nodes may be tainted (handleDisruption, setLimiterInZone): the more of a zone is down, the less is believed.
import type { KubeObject } from '../../../api/types/object.ts'
import type { Table } from '../../../engine/types.ts'
import type { Runtime } from '../runtime/types.ts'
import { LARGE_CLUSTER_THRESHOLD, NODE_EVICTION_RATE, SECONDARY_NODE_EVICTION_RATE, UNHEALTHY_ZONE_THRESHOLD } from './constants.ts'

export type ZoneState = 'Initial' | 'Normal' | 'FullDisruption' | 'PartialDisruption'

export interface Zone {
  readonly state: ZoneState
  /** Token bucket with a burst of one. */
  readonly qps: number
  readonly tokens: number
  readonly at: number
  /** Nodes that wait for their NoExecute taint, in order. */
  readonly waiting: readonly string[]
  /** Nodes that were queued; they are not queued again until they were reachable. */
  readonly known: readonly string[]
}

export const zones = (rt: Runtime): Table<Zone> => rt.memory('zones')
const NEW_ZONE = (now: number): Zone => ({ state: 'Initial', qps: NODE_EVICTION_RATE, tokens: 1, at: now, waiting: [], known: [] })
export const zoneOf = (rt: Runtime, key: string): Zone => zones(rt).get(key) ?? NEW_ZONE(rt.now)

/** nodetopology.GetZoneKey. */
export function zoneKey(node: KubeObject): string {
  const labels = node.metadata.labels ?? {}
  const zone = labels['topology.kubernetes.io/zone'] ?? labels['failure-domain.beta.kubernetes.io/zone'] ?? ''
  const region = labels['topology.kubernetes.io/region'] ?? labels['failure-domain.beta.kubernetes.io/region'] ?? ''
  return zone === '' && region === '' ? '' : `${region}:\u0000:${zone}`
}

export function stateOf(ready: readonly boolean[]): ZoneState {
  const down = ready.filter((r) => !r).length
  if (down > 0 && down === ready.length) return 'FullDisruption'
  return down > 2 && down / ready.length >= UNHEALTHY_ZONE_THRESHOLD ? 'PartialDisruption' : 'Normal'
}

export const rateFor = (state: ZoneState, size: number): number =>
  state !== 'PartialDisruption' ? NODE_EVICTION_RATE : size > LARGE_CLUSTER_THRESHOLD ? SECONDARY_NODE_EVICTION_RATE : 0

/** SwapLimiter: a new bucket, full unless nothing may pass. */
export const withRate = (zone: Zone, qps: number, now: number): Zone =>
  zone.qps === qps ? zone : { ...zone, qps, tokens: qps === 0 ? 0 : Math.min(1, zone.tokens), at: now }

/** Takes a token; otherwise ms until there is one (Infinity: never at this rate). */
export function takeToken(zone: Zone, now: number): { zone: Zone; waitMs: number } {
  const tokens = Math.min(1, zone.tokens + ((now - zone.at) * zone.qps) / 1000)
  if (tokens >= 1) return { zone: { ...zone, tokens: tokens - 1, at: now }, waitMs: 0 }
  return { zone: { ...zone, tokens, at: now }, waitMs: zone.qps === 0 ? Number.POSITIVE_INFINITY : ((1 - tokens) * 1000) / zone.qps }
}

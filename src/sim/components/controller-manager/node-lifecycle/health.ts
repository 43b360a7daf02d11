// tryUpdateNodeHealth: what the monitor remembers of a node and what it concludes.
import type { NodeCondition } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime } from '../../../client/time.ts'
import { condition, createdAt } from '../runtime/objects.ts'
import {
  NEVER_POSTED,
  NODE_MONITOR_GRACE_PERIOD_MS,
  NODE_STARTUP_GRACE_PERIOD_MS,
  STOPPED_POSTING,
  WATCHED_CONDITIONS,
} from './constants.ts'

export interface NodeHealth {
  /** When the monitor last noticed a sign of life. */
  readonly probeAt: number
  readonly ready?: NodeCondition
  readonly renewTime?: string
}

const readyOf = (node: KubeObject): NodeCondition | undefined => condition(node.status?.conditions as NodeCondition[] | undefined, 'Ready')

export interface Examination {
  readonly health: NodeHealth
  readonly observed: NodeCondition
  readonly current: NodeCondition | undefined
  /** The node with conditions set to Unknown, to be written. */
  readonly silent?: KubeObject
}

export function examine(node: KubeObject, known: NodeHealth | undefined, renewTime: string | undefined, now: number): Examination {
  const current = readyOf(node)
  const created = node.metadata.creationTimestamp ?? apiTime(now)
  const observed: NodeCondition = current ?? { type: 'Ready', status: 'Unknown', lastHeartbeatTime: created, lastTransitionTime: created }
  const grace = current ? NODE_MONITOR_GRACE_PERIOD_MS : NODE_STARTUP_GRACE_PERIOD_MS
  let health: NodeHealth
  if (!known) health = { probeAt: current ? now : createdAt(node), ...(current ? { ready: current } : {}) }
  else if (Boolean(known.ready) !== Boolean(current)) health = { ...fresh(current, now), ...lease(known) }
  else if (known.ready && current && known.ready.lastHeartbeatTime !== current.lastHeartbeatTime)
    health = { ...fresh(current, now), ...lease(known) }
  else health = known
  if (renewTime !== undefined && (health.renewTime === undefined || health.renewTime < renewTime))
    health = { ...health, renewTime, probeAt: now }
  if (now <= health.probeAt + grace) return { health, observed, current }

  const conditions = [...((node.status?.conditions ?? []) as NodeCondition[])]
  for (const type of WATCHED_CONDITIONS) {
    const i = conditions.findIndex((c) => c.type === type)
    const old = conditions[i]
    if (!old) conditions.push({ type, status: 'Unknown', ...NEVER_POSTED, lastHeartbeatTime: created, lastTransitionTime: apiTime(now) })
    else if (old.status !== 'Unknown') conditions[i] = { ...old, status: 'Unknown', ...STOPPED_POSTING, lastTransitionTime: apiTime(now) }
  }
  const ready = condition(conditions, 'Ready') as NodeCondition
  if (current && current.status === ready.status && current.reason === ready.reason) return { health, observed, current }
  return { health: { ...health, ready }, observed, current: ready, silent: { ...node, status: { ...node.status, conditions } } }
}

const fresh = (ready: NodeCondition | undefined, now: number): NodeHealth => ({ probeAt: now, ...(ready ? { ready } : {}) })
const lease = (known: NodeHealth): Pick<NodeHealth, 'renewTime'> => (known.renewTime === undefined ? {} : { renewTime: known.renewTime })

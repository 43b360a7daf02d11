// pkg/controller/nodelifecycle: marks silent nodes, taints what is not healthy, and tells the pods of a lost node.
import { deepEqual } from '../../../../lib/compare.ts'
import type { NodeCondition, Taint } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime } from '../../../client/time.ts'
import { condition, podCondition, refOf } from '../runtime/objects.ts'
import { call, decided, effect, event, get, isNotFound, patch, SyncError, updateCall, updateStatus } from '../runtime/steps.ts'
import { hasTaint, sameTaint, swapTaints, taintsOf } from '../runtime/taints.ts'
import type { Controller, Env, Outcome, Runtime, Steps } from '../runtime/types.ts'
import {
  CONDITION_TAINTS,
  EXCLUDE_DISRUPTION_LABEL,
  NODE_EVICTION_PERIOD_MS,
  NODE_MONITOR_PERIOD_MS,
  NOT_READY,
  SECONDARY_LABELS,
  UNREACHABLE,
  UNSCHEDULABLE,
} from './constants.ts'
import { examine, type Examination, type NodeHealth } from './health.ts'
import { rateFor, stateOf, takeToken, withRate, zoneKey, zoneOf, zones, type ZoneState } from './zones.ts'

const NAME = 'node-lifecycle-controller'
const MONITOR = `${NAME}/monitor`
const EVICT = `${NAME}/evict`
const PODS = `${NAME}/pods`
const shared = {
  controller: NAME,
  serviceAccount: 'node-controller',
  eventSource: 'node-controller',
  informers: ['nodes', 'pods', 'leases'],
  on: {},
} as const

const nodeRef = (node: KubeObject) => ({ apiVersion: 'v1', kind: 'Node', name: node.metadata.name ?? '', uid: node.metadata.uid ?? '' })

/** Turns conditions and cordoning into NoSchedule taints, and keeps the old names of labels (doNoScheduleTaintingPass, reconcileNodeLabels). */
export const nodeLifecycleController: Controller<KubeObject> = {
  ...shared,
  name: NAME,
  workers: 8,
  subject: 'nodes',
  on: { nodes: (rt, { type, key }) => type !== 'DELETED' && rt.add(key) },
  observe: (key, rt) => rt.get('nodes', key),
  *reconcile(node, env): Steps<Outcome | void> {
    const wanted: Taint[] = []
    for (const c of (node.status?.conditions ?? []) as NodeCondition[]) {
      const key = CONDITION_TAINTS[c.type]?.[c.status]
      if (key) wanted.push({ key, effect: 'NoSchedule' })
    }
    if (node.spec?.unschedulable) wanted.push({ key: UNSCHEDULABLE, effect: 'NoSchedule' })
    const ours = new Set([UNSCHEDULABLE, ...Object.values(CONDITION_TAINTS).flatMap((m) => Object.values(m))])
    const have = taintsOf(node).filter((t) => t.effect === 'NoSchedule' && ours.has(t.key))
    const add = wanted.filter((w) => !have.some((h) => sameTaint(h, w)))
    const remove = have.filter((h) => !wanted.some((w) => sameTaint(h, w)))
    if (add.length + remove.length > 0) {
      yield* decided('taint by condition', { add: add.map((t) => t.key).join(' '), remove: remove.map((t) => t.key).join(' ') })
      yield* swapTaints(node, add, remove, env)
    }
    const labels: Record<string, string> = {}
    for (const [primary, secondary] of SECONDARY_LABELS) {
      const value = node.metadata.labels?.[primary]
      if (value !== undefined && node.metadata.labels?.[secondary] !== value) labels[secondary] = value
    }
    if (Object.keys(labels).length === 0) return
    const fresh = yield* get('nodes', undefined, node.metadata.name ?? '')
    if (!fresh.ok) throw new SyncError(fresh.message)
    const answer = yield* patch('nodes', node, { metadata: { labels } })
    if (!answer.ok) throw new SyncError(answer.message)
  },
}

interface Monitored {
  readonly nodes: readonly KubeObject[]
  readonly health: Readonly<Record<string, NodeHealth>>
  readonly renewTimes: Readonly<Record<string, string>>
  readonly added: readonly KubeObject[]
  readonly gone: readonly KubeObject[]
}

/** monitorNodeHealth, every five seconds. */
export const nodeMonitor: Controller<Monitored> = {
  ...shared,
  name: MONITOR,
  workers: 1,
  start: (rt) => rt.add('nodes'),
  ticks: [{ everyMs: NODE_MONITOR_PERIOD_MS, run: (rt) => rt.add('nodes') }],
  observe(_key, rt) {
    const nodes = rt.list('nodes')
    const known = rt.memory<KubeObject>('known')
    const memory = rt.memory<NodeHealth>('health')
    const health: Record<string, NodeHealth> = {}
    const renewTimes: Record<string, string> = {}
    for (const node of nodes) {
      const name = node.metadata.name as string
      const old = memory.get(name)
      if (old) health[name] = old
      const renewTime: string | undefined = rt.get('leases', `kube-node-lease/${name}`)?.spec?.renewTime
      if (renewTime) renewTimes[name] = renewTime
    }
    const added = nodes.filter((n) => !known.has(n.metadata.name as string))
    const gone = known.values().filter((n) => !rt.get('nodes', n.metadata.name as string))
    return { nodes, health, renewTimes, added, gone }
  },
  *reconcile({ nodes, health, renewTimes, added, gone }, env): Steps<Outcome | void> {
    for (const node of added) {
      const name = node.metadata.name as string
      yield* effect((rt) => {
        rt.memory<KubeObject>('known').put(name, node)
        rt.event({
          object: nodeRef(node),
          type: 'Normal',
          reason: 'RegisteredNode',
          message: `Node ${name} event: Registered Node ${name} in Controller`,
        })
      })
      yield* markReachable(node, env)
    }
    for (const node of gone) {
      const name = node.metadata.name as string
      yield* effect((rt) => {
        rt.memory('known').delete(name)
        rt.memory('health').delete(name)
        forget(rt, node)
        rt.event({
          object: nodeRef(node),
          type: 'Normal',
          reason: 'RemovingNode',
          message: `Node ${name} event: Removing Node ${name} from Controller`,
        })
      })
    }
    const byZone = new Map<string, boolean[]>()
    for (const node of nodes) {
      const name = node.metadata.name as string
      const seen = yield* check(node, health[name], renewTimes[name], env)
      if (!seen) continue
      if (node.metadata.labels?.[EXCLUDE_DISRUPTION_LABEL] === undefined)
        byZone.set(zoneKey(node), [...(byZone.get(zoneKey(node)) ?? []), seen.current?.status === 'True'])
      if (!seen.current) continue
      yield* taintByReadiness(node, seen.current, env)
      if (seen.current.status !== 'True' && seen.observed.status === 'True') {
        yield* event(nodeRef(node), 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
        const pods = yield* effect((rt) => rt.index('pods', 'node', name))
        yield* markPodsNotReady(pods, env)
      }
    }
    yield* handleDisruption(nodes, byZone, env)
  },
}

/** Remembers signs of life; writes Unknown conditions when there were none for too long. */
function* check(node: KubeObject, known: NodeHealth | undefined, renewTime: string | undefined, env: Env): Steps<Examination | undefined> {
  let object = node
  const name = node.metadata.name as string
  for (let i = 0; i < 5; i++) {
    const seen = examine(object, known, renewTime, env.now)
    if (!seen.silent) {
      if (!deepEqual(seen.health, known)) yield* effect((rt) => rt.memory<NodeHealth>('health').put(name, seen.health))
      return seen
    }
    yield* decided('the node is silent', { node: name, lastSignMs: seen.health.probeAt, ready: seen.observed.status }, refOf(node))
    const answer = yield* updateStatus('nodes', seen.silent)
    if (answer.ok) {
      yield* effect((rt) => rt.memory<NodeHealth>('health').put(name, seen.health))
      return seen
    }
    const fresh = yield* get('nodes', undefined, name)
    if (!fresh.ok) return undefined
    object = fresh.body as KubeObject
  }
  return undefined
}

/** processTaintBaseEviction. */
function* taintByReadiness(node: KubeObject, ready: NodeCondition, env: Env): Steps<void> {
  if (ready.status === 'True') {
    yield* markReachable(node, env)
    return
  }
  const [add, remove] = ready.status === 'False' ? [NOT_READY, UNREACHABLE] : [UNREACHABLE, NOT_READY]
  if (hasTaint(node, remove)) {
    yield* swapTaints(node, [add], [remove], env)
    return
  }
  yield* effect((rt) => {
    const key = zoneKey(node)
    const name = node.metadata.name as string
    let zone = zoneOf(rt, key)
    if (!hasTaint(node, add) && !zone.waiting.includes(name)) zone = { ...zone, known: zone.known.filter((n) => n !== name) }
    if (zone.known.includes(name)) return
    zones(rt).put(key, { ...zone, known: [...zone.known, name], waiting: [...zone.waiting, name] })
    rt.addAfter(key, NODE_EVICTION_PERIOD_MS, { queue: EVICT, periodic: false })
  })
}

const forget = (rt: Runtime, node: KubeObject): void => {
  const key = zoneKey(node)
  const name = node.metadata.name as string
  const zone = zones(rt).get(key)
  if (zone?.known.includes(name))
    zones(rt).put(key, { ...zone, known: zone.known.filter((n) => n !== name), waiting: zone.waiting.filter((n) => n !== name) })
}

function* markReachable(node: KubeObject, env: Env): Steps<void> {
  for (const taint of [UNREACHABLE, NOT_READY]) if (hasTaint(node, taint)) yield* swapTaints(node, [], [taint], env)
  yield* effect((rt) => forget(rt, node))
}

/** MarkPodsNotReady: a silent kubelet cannot say so itself. */
function* markPodsNotReady(pods: readonly KubeObject[], env: Env): Steps<void> {
  for (const pod of pods) {
    if (podCondition(pod, 'Ready')?.status !== 'True') continue
    const conditions = (pod.status.conditions as { type: string }[]).map((c) =>
      c.type === 'Ready' ? { ...c, status: 'False', lastTransitionTime: apiTime(env.now) } : c,
    )
    const answer = yield* call(updateCall('pods', { ...pod, status: { ...pod.status, conditions } }, 'status'))
    if (answer.ok) yield* event(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
    else if (!isNotFound(answer)) yield* effect((rt) => rt.addRateLimited(`${pod.metadata.namespace}/${pod.metadata.name}`, PODS))
  }
}

function* handleDisruption(nodes: readonly KubeObject[], byZone: ReadonlyMap<string, readonly boolean[]>, env: Env): Steps<void> {
  const states = new Map<string, ZoneState>([...byZone].map(([key, ready]) => [key, stateOf(ready)]))
  const before = yield* effect((rt) => Object.fromEntries([...byZone.keys()].map((key) => [key, zoneOf(rt, key).state])))
  const allDown = [...states.values()].every((s) => s === 'FullDisruption')
  const allWereDown = Object.values(before).every((s) => s === 'FullDisruption')
  if (allDown && allWereDown) return
  const changed = [...states].filter(([key, state]) => before[key] !== state)
  if (changed.length > 0)
    yield* decided(
      'zones changed',
      Object.fromEntries(changed.map(([key, state]) => [key === '' ? 'all' : key.replace('\u0000', ''), state])),
    )
  if (allDown) {
    // Nobody answers: the fault is more likely here. Nothing is evicted.
    for (const node of nodes) yield* markReachable(node, env)
    yield* effect((rt) => {
      for (const key of states.keys()) zones(rt).put(key, { ...withRate(zoneOf(rt, key), 0, rt.now), state: 'FullDisruption' })
    })
    return
  }
  yield* effect((rt) => {
    if (allWereDown) {
      const health = rt.memory<NodeHealth>('health')
      for (const [name, h] of health.entries()) health.put(name, { ...h, probeAt: rt.now })
    }
    for (const [key, state] of states) {
      const zone = zoneOf(rt, key)
      if (zone.state === state) continue
      zones(rt).put(key, { ...withRate(zone, rateFor(state, byZone.get(key)?.length ?? 0), rt.now), state })
      if (zone.waiting.length > 0) rt.add(key, EVICT)
    }
  })
}

/** doNoExecuteTaintingPass: nodes of a zone get their NoExecute taint one by one, at the zone's rate. */
export const nodeEvictor: Controller<string> = {
  ...shared,
  name: EVICT,
  workers: 1,
  observe: (key) => key,
  *reconcile(key, env): Steps<Outcome | void> {
    for (;;) {
      const turn = yield* effect((rt) => {
        const zone = zoneOf(rt, key)
        const name = zone.waiting[0]
        if (name === undefined) return null
        const taken = takeToken(zone, rt.now)
        zones(rt).put(key, taken.zone)
        const node = rt.get('nodes', name)
        return { name, waitMs: Number.isFinite(taken.waitMs) ? taken.waitMs : -1, ...(node ? { node } : {}) }
      })
      if (!turn || turn.waitMs < 0) return
      if (turn.waitMs > 0) return { requeueAfterMs: turn.waitMs }
      const ready = condition(turn.node?.status?.conditions as NodeCondition[] | undefined, 'Ready')
      if (turn.node && ready && ready.status !== 'True') {
        const [add, remove] = ready.status === 'False' ? [NOT_READY, UNREACHABLE] : [UNREACHABLE, NOT_READY]
        yield* decided('evict from the node', { node: turn.name, taint: add.key }, refOf(turn.node))
        yield* swapTaints(turn.node, [add], [remove], env)
      }
      yield* effect((rt) => {
        const zone = zoneOf(rt, key)
        zones(rt).put(key, { ...zone, waiting: zone.waiting.filter((n) => n !== turn.name) })
      })
    }
  },
}

/** A pod that comes to a node that is not ready is not ready either (processPod). */
export const nodePods: Controller<{ pod: KubeObject; node: KubeObject }> = {
  ...shared,
  name: PODS,
  workers: 4,
  subject: 'pods',
  on: {
    pods(rt, { type, key, object, old }) {
      if (type !== 'DELETED' && object.spec?.nodeName && object.spec.nodeName !== old?.spec?.nodeName) rt.add(key)
    },
  },
  observe(key, rt) {
    const pod = rt.get('pods', key)
    const node = rt.get('nodes', pod?.spec?.nodeName ?? '')
    return pod && node && rt.memory<NodeHealth>('health').has(node.metadata.name as string) ? { pod, node } : undefined
  },
  *reconcile({ pod, node }, env): Steps<Outcome | void> {
    const ready = condition(node.status?.conditions as NodeCondition[] | undefined, 'Ready')
    if (ready && ready.status !== 'True') yield* markPodsNotReady([pod], env)
  },
}

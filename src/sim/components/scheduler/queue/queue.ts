// The scheduling queue (pkg/scheduler/backend/queue): active pods by priority and age, pods in back-off, and pods that wait for an event
// that may help them. All of it is tables; a pod is in exactly one of the three while it is queued.
import type { Pod } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import type { Context } from '../../../net/context.ts'
import { gateReason } from '../plugins/schedulinggates/plugin.ts'
import { micros, sortKey } from '../plugins/queuesort/plugin.ts'
import { store } from '../../../client/informer.ts'
import { type ClusterEvent, eventLabel, podChanges, UNSCHEDULABLE_TIMEOUT } from './events.ts'
import { isEventOfInterest, isRegistered, isWorthRequeuing } from './hints.ts'

export const INITIAL_BACKOFF_MS = 1_000
export const MAX_BACKOFF_MS = 10_000
/** Back-off ends at whole seconds, and is looked at once a second. */
const BACKOFF_WINDOW_MS = 1_000
export const MAX_IN_UNSCHEDULABLE_MS = 300_000
const LEFTOVER_PERIOD_MS = 30_000
/** After so many errors in a row the retries of a pod no longer keep the cluster from being quiet. */
const FOREGROUND_ERRORS = 3

export type QueueName = 'active' | 'backoff' | 'unschedulable'

export interface QueuedPod {
  /** namespace/name. */
  readonly key: string
  readonly uid: string
  readonly priority: number
  /** When it came into the queue, or failed last. Virtual ms. */
  readonly timestamp: number
  readonly attempts: number
  readonly unschedulableCount: number
  readonly consecutiveErrors: number
  readonly unschedulablePlugins: readonly string[]
  /** The PreEnqueue plugin that holds it back. */
  readonly gatedBy: string
  readonly queue: QueueName
  /** Its key in the table of its queue. */
  readonly at: string
  /** The trace record that brought it here. */
  readonly cause: number
}

const pods = (ctx: Context) => ctx.table<QueuedPod>('queue/pods')
const order = (ctx: Context, queue: QueueName) => ctx.table<string>(`queue/${queue}`)
/** Pods whose victims are being evicted at this moment; uid → the last victim's key, '' while others go first. */
export const preempting = (ctx: Context) => ctx.table<string>('preempting')

export const getQueued = (ctx: Context, key: string): QueuedPod | undefined => pods(ctx).get(key)
export const queuedPod = (ctx: Context, key: string): Pod | undefined => store(ctx, 'pods').get(key) as Pod | undefined

/** Why the pod may not be queued: the plugin, and what it says. */
function preEnqueue(ctx: Context, pod: Pod): { plugin: string; reason: string } | undefined {
  const gates = gateReason(pod)
  if (gates !== undefined) return { plugin: 'SchedulingGates', reason: gates }
  const lastVictim = preempting(ctx).get(pod.metadata.uid ?? '')
  if (lastVictim === undefined) return undefined
  if (lastVictim !== '') {
    const victim = queuedPod(ctx, lastVictim)
    if (!victim || victim.metadata.deletionTimestamp) return undefined
  }
  return { plugin: 'DefaultPreemption', reason: 'waiting for the preemption for this pod to be finished' }
}

function place(ctx: Context, entry: QueuedPod, queue: QueueName, event: string, gate?: string): void {
  const before = pods(ctx).get(entry.key)
  if (before) order(ctx, before.queue).delete(before.at)
  const counters = ctx.table<number>('queue/counters')
  const n = (counters.get('order') ?? 0) + 1
  counters.put('order', n)
  const expiry = backoffExpiry(entry)
  const at =
    queue === 'active'
      ? sortKey(entry.priority, entry.timestamp, n)
      : queue === 'backoff'
        ? `${micros(expiry)}/${sortKey(entry.priority, entry.timestamp, n)}`
        : entry.key
  order(ctx, queue).put(at, entry.key)
  const cause = ctx.record(
    'scheduler.queue.added',
    {
      pod: entry.key,
      queue,
      event,
      ...(gate === undefined ? {} : { gate }),
      ...(queue === 'backoff' ? { backoffMs: Math.max(0, expiry - ctx.now) } : {}),
    },
    podRef(ctx, entry.key),
  )
  pods(ctx).put(entry.key, { ...entry, queue, at, cause })
}

const podRef = (ctx: Context, key: string) => {
  const pod = queuedPod(ctx, key)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    namespace: pod?.metadata.namespace ?? '',
    name: pod?.metadata.name ?? key,
    ...(pod?.metadata.uid ? { uid: pod.metadata.uid } : {}),
  }
}

/** calculateBackoffDuration: doubling from one second, at most ten; errors in a row count alone. */
export function backoffDuration(entry: QueuedPod): number {
  const count = entry.consecutiveErrors > 0 ? entry.consecutiveErrors : entry.unschedulableCount
  if (count === 0) return 0
  return count > 10 ? MAX_BACKOFF_MS : Math.min(INITIAL_BACKOFF_MS * 2 ** (count - 1), MAX_BACKOFF_MS)
}

const window = (ms: number): number => Math.floor(ms / BACKOFF_WINDOW_MS) * BACKOFF_WINDOW_MS
const backoffExpiry = (entry: QueuedPod): number => {
  const duration = backoffDuration(entry)
  return duration === 0 ? 0 : window(entry.timestamp + duration)
}
const isBackingOff = (ctx: Context, entry: QueuedPod): boolean => backoffExpiry(entry) > window(ctx.now)

/** moveToActiveQ, moveToBackoffQ: a gated pod goes to the others that wait. Answers where it is now. */
function enqueue(ctx: Context, entry: QueuedPod, queue: 'active' | 'backoff', event: string): QueueName {
  const pod = queuedPod(ctx, entry.key)
  const gate = pod && preEnqueue(ctx, pod)
  if (gate) {
    const plugins = entry.unschedulablePlugins.includes(gate.plugin)
      ? entry.unschedulablePlugins
      : [...entry.unschedulablePlugins, gate.plugin]
    const gated = { ...entry, gatedBy: gate.plugin, unschedulablePlugins: plugins }
    const before = pods(ctx).get(entry.key)
    if (before?.queue === 'unschedulable' && before.gatedBy === gate.plugin)
      pods(ctx).put(entry.key, { ...gated, queue: 'unschedulable', at: before.at })
    else place(ctx, gated, 'unschedulable', event, gate.reason)
    return 'unschedulable'
  }
  place(ctx, { ...entry, gatedBy: '' }, queue, event)
  if (queue === 'backoff') scheduleFlush(ctx)
  return queue
}

/** requeuePodWithQueueingStrategy(queueAfterBackoff). */
const requeue = (ctx: Context, entry: QueuedPod, event: string): QueueName =>
  enqueue(ctx, entry, isBackingOff(ctx, entry) ? 'backoff' : 'active', event)

/** A new pod. */
export function addPod(ctx: Context, pod: Pod, event = 'UnscheduledPodAdd'): void {
  const key = keyOf(pod)
  if (pods(ctx).has(key)) return
  const entry: QueuedPod = {
    key,
    uid: pod.metadata.uid ?? '',
    priority: pod.spec?.priority ?? 0,
    timestamp: ctx.now,
    attempts: 0,
    unschedulableCount: 0,
    consecutiveErrors: 0,
    unschedulablePlugins: [],
    gatedBy: '',
    queue: 'active',
    at: '',
    cause: ctx.cause,
  }
  enqueue(ctx, entry, 'active', event)
}

/** A queued pod changed. One that waits may be helped by the change. */
export function updatePod(ctx: Context, old: Pod, pod: Pod): void {
  const entry = pods(ctx).get(keyOf(pod))
  if (!entry) {
    addPod(ctx, pod, 'UnscheduledPodUpdate')
    return
  }
  if (entry.queue !== 'unschedulable') return
  for (const event of podChanges(pod, old)) {
    if (!isWorthRequeuing(pod, entry.unschedulablePlugins, event, old, pod)) continue
    if (requeue(ctx, entry, eventLabel(event)) !== 'unschedulable') return
  }
}

export function deletePod(ctx: Context, key: string): void {
  const entry = pods(ctx).get(key)
  if (!entry) return
  order(ctx, entry.queue).delete(entry.at)
  pods(ctx).delete(key)
}

/** The next pod to schedule. With nothing active, a rejected pod may leave its back-off early (SchedulerPopFromBackoffQ); one that met an error may not. */
export function pop(ctx: Context): QueuedPod | undefined {
  const active = order(ctx, 'active')
  const first = active.keys()[0]
  let key = first === undefined ? undefined : active.get(first)
  if (key === undefined) {
    for (const at of order(ctx, 'backoff').keys()) {
      const candidate = order(ctx, 'backoff').get(at) as string
      if ((pods(ctx).get(candidate)?.consecutiveErrors ?? 0) > 0) continue
      key = candidate
      break
    }
  }
  const entry = key === undefined ? undefined : pods(ctx).get(key)
  if (!entry) return undefined
  deletePod(ctx, entry.key)
  return { ...entry, attempts: entry.attempts + 1 }
}

/** Something can be popped now. */
export function hasNext(ctx: Context): boolean {
  if (order(ctx, 'active').size > 0) return true
  return order(ctx, 'backoff')
    .values()
    .some((key) => (pods(ctx).get(key)?.consecutiveErrors ?? 0) === 0)
}

/** AddUnschedulableIfNotPresent: a pod comes back from a failed attempt. Without a rejecting plugin it was an error, and it is retried after back-off. */
export function addUnschedulable(ctx: Context, entry: QueuedPod, rejectedBy: readonly string[]): void {
  if (pods(ctx).has(entry.key)) return
  const failed = rejectedBy.length === 0
  const back: QueuedPod = {
    ...entry,
    timestamp: ctx.now,
    unschedulablePlugins: rejectedBy,
    unschedulableCount: entry.unschedulableCount + (failed ? 0 : 1),
    consecutiveErrors: failed ? entry.consecutiveErrors + 1 : 0,
  }
  if (failed) requeue(ctx, back, 'ScheduleAttemptFailure')
  else place(ctx, back, 'unschedulable', 'ScheduleAttemptFailure')
}

/** MoveAllToActiveOrBackoffQueue: pods that wait, and that the event may help, are queued again. */
export function moveAll(ctx: Context, event: ClusterEvent, old?: object, now?: object, only?: (pod: Pod) => boolean): void {
  const waiting = order(ctx, 'unschedulable')
  if (waiting.size === 0 || !isEventOfInterest(event)) return
  for (const key of waiting.keys()) {
    const entry = pods(ctx).get(key)
    const pod = queuedPod(ctx, key)
    if (!entry || !pod || (only && !only(pod))) continue
    if (entry.gatedBy !== '' && !isRegistered(entry.gatedBy, event)) continue
    if (isWorthRequeuing(pod, entry.unschedulablePlugins, event, old, now)) requeue(ctx, entry, eventLabel(event))
  }
}

/** Back to the active queue whatever the hints say. */
export function activate(ctx: Context, key: string): void {
  const entry = pods(ctx).get(key)
  if (entry && entry.queue !== 'active') enqueue(ctx, entry, 'active', 'ForceActivate')
}

function scheduleFlush(ctx: Context): void {
  if (ctx.hasTimer('queue/backoff')) return
  const errors = order(ctx, 'backoff')
    .values()
    .map((key) => pods(ctx).get(key)?.consecutiveErrors ?? 0)
  const periodic = !errors.some((n) => n > 0 && n <= FOREGROUND_ERRORS)
  ctx.setTimer('queue/backoff', window(ctx.now) + BACKOFF_WINDOW_MS - ctx.now, 'queue.flush-backoff', null, { periodic })
}

/** flushBackoffQCompleted. */
export function flushBackoff(ctx: Context): void {
  // The array of keys stays as it is while the table changes.
  for (const at of order(ctx, 'backoff').keys()) {
    const key = order(ctx, 'backoff').get(at)
    const entry = key === undefined ? undefined : pods(ctx).get(key)
    if (!entry) continue
    if (isBackingOff(ctx, entry)) break
    ctx.foreground()
    place(ctx, entry, 'active', 'BackoffComplete')
  }
  if (order(ctx, 'backoff').size > 0) scheduleFlush(ctx)
}

export const startLeftoverFlush = (ctx: Context): void =>
  ctx.setTimer('queue/leftover', LEFTOVER_PERIOD_MS, 'queue.flush-leftover', null, { periodic: true })

/** flushUnschedulablePodsLeftover: nobody waits longer than five minutes for an event. */
export function flushLeftover(ctx: Context): void {
  for (const key of order(ctx, 'unschedulable').keys()) {
    const entry = pods(ctx).get(key)
    if (!entry || ctx.now - entry.timestamp <= MAX_IN_UNSCHEDULABLE_MS || entry.gatedBy !== '') continue
    ctx.foreground()
    requeue(ctx, entry, UNSCHEDULABLE_TIMEOUT.label as string)
  }
  startLeftoverFlush(ctx)
}

export const keyOf = (object: Pod | KubeObject): string => `${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`

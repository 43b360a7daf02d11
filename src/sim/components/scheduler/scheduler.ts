// kube-scheduler: informers feed a cache and a queue; one scheduling cycle at a time takes a pod, decides, assumes; binding follows on its own.
import type { Node, Pod } from '../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { createEventRecorder } from '../../client/events.ts'
import { createInformers, type InformerEvent } from '../../client/informer.ts'
import { createLeaderElection } from '../../client/leader-election.ts'
import { EPOCH_MS } from '../../engine/types.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import { attempt } from './attempt.ts'
import { type Binding, createBindings, refOf } from './binding.ts'
import { addNode, assumePod, currentSnapshot, forgetPod, isAssumed, removeNode, removePod, setPod, uidOf, updateNode } from './cache.ts'
import { DEFAULT_CYCLE_MS, type KubeSchedulerConfig } from './config.ts'
import { createEvictions } from './eviction.ts'
import { type AttemptRecord, EXPLAINED_NODES, rejections, scoreRows } from './explain.ts'
import type { Diagnosis } from './framework/fiterror.ts'
import { type PodInfo, podInfo } from './framework/podinfo.ts'
import { DEFAULT_SCHEDULER_NAME } from './framework/profile.ts'
import { getNode } from './framework/snapshot.ts'
import type { Cycle, Listers } from './framework/types.ts'
import { INFORMERS, listersOf } from './listers.ts'
import { nominate, nominatorOf, unnominate, updateNomination } from './nominator.ts'
import { findPodVolumes, podVolumeClaims } from './plugins/volumebinding/binder.ts'
import { type ClusterEvent, type EventResource, nodeChanges, podChanges } from './queue/events.ts'
import {
  addPod as queuePod,
  addUnschedulable,
  deletePod as unqueuePod,
  flushBackoff,
  flushLeftover,
  hasNext,
  keyOf,
  moveAll,
  pop,
  type QueuedPod,
  queuedPod,
  startLeftoverFlush,
  updatePod as updateQueuedPod,
} from './queue/queue.ts'
import { patchPodStatus, statusPatch } from './status-patch.ts'
import { refreshAssumption, releaseVolumes, reserveVolumes, type VolumeWork } from './volumes.ts'

/** event notes are cut at this length (pkg/apis/core/validation NoteLengthLimit). */
const NOTE_LENGTH_LIMIT = 1024
const NO_VOLUMES: VolumeWork = { writes: [], bindings: [], provisions: [] }
const POD_DELETED: ClusterEvent = { resource: 'AssignedPod', action: 'Delete' }

const config = (ctx: Context): KubeSchedulerConfig => ctx.config as KubeSchedulerConfig
const client = (ctx: Context) => config(ctx).client
const flags = (ctx: Context) => ctx.table<boolean>('flags')
const cursor = (ctx: Context) => ctx.table<number>('cursor')
/** The last finished attempt of each pod, by namespace/name. */
const attempts = (ctx: Context) => ctx.table<AttemptRecord>('attempts')

const RESOURCES: Readonly<Record<string, EventResource>> = {
  persistentvolumes: 'PersistentVolume',
  persistentvolumeclaims: 'PersistentVolumeClaim',
  storageclasses: 'StorageClass',
  csinodes: 'CSINode',
  csidrivers: 'CSIDriver',
  csistoragecapacities: 'CSIStorageCapacity',
  volumeattachments: 'VolumeAttachment',
}

// ---- Events of the cluster ----
const isAssigned = (pod: Pod): boolean => Boolean(pod.spec?.nodeName)
const isOurs = (pod: Pod): boolean => (pod.spec?.schedulerName ?? DEFAULT_SCHEDULER_NAME) === DEFAULT_SCHEDULER_NAME
const isFinished = (pod: Pod): boolean => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

function podAdded(ctx: Context, pod: Pod): void {
  if (isAssigned(pod)) {
    setPod(ctx, pod)
    moveAll(ctx, { resource: 'AssignedPod', action: 'Add' }, undefined, pod)
  } else if (isOurs(pod)) {
    updateNomination(ctx, undefined, pod)
    queuePod(ctx, pod)
  }
}

function podUpdated(ctx: Context, old: Pod, pod: Pod): void {
  if (isAssigned(old)) {
    setPod(ctx, pod)
    for (const event of podChanges(pod, old)) moveAll(ctx, event, old, pod)
    return
  }
  if (isAssigned(pod)) {
    podAdded(ctx, pod)
    if (isOurs(pod)) {
      unnominate(ctx, pod)
      unqueuePod(ctx, keyOf(pod))
    }
    return
  }
  if (!isOurs(pod)) return
  if (isAssumed(ctx, pod)) {
    if (pod.metadata.deletionTimestamp && !old.metadata.deletionTimestamp) assumedPodDeleted(ctx, pod)
    return
  }
  updateNomination(ctx, old, pod)
  updateQueuedPod(ctx, old, pod)
  const nominated = old.status?.nominatedNodeName
  if (nominated && nominated !== pod.status?.nominatedNodeName) moveAll(ctx, POD_DELETED, old, undefined, atMost(old))
}

function podDeleted(ctx: Context, pod: Pod): void {
  attempts(ctx).delete(keyOf(pod))
  if (isAssigned(pod)) {
    removePod(ctx, pod)
    moveAll(ctx, POD_DELETED, pod)
    return
  }
  if (!isOurs(pod)) return
  unnominate(ctx, pod)
  unqueuePod(ctx, keyOf(pod))
  if (isAssumed(ctx, pod)) assumedPodDeleted(ctx, pod)
  else if (pod.status?.nominatedNodeName) moveAll(ctx, POD_DELETED, pod, undefined, atMost(pod))
}

const atMost =
  (pod: Pod) =>
  (other: Pod): boolean =>
    podInfo(other).priority <= podInfo(pod).priority

/** Its room is free again, although the binding is still under way and will fail. */
function assumedPodDeleted(ctx: Context, pod: Pod): void {
  const assumed = forgetPod(ctx, uidOf(pod))
  if (assumed) moveAll(ctx, POD_DELETED, assumed)
}

function nodeEvent(ctx: Context, { type, object, old }: InformerEvent): void {
  const node = object as unknown as Node
  if (type === 'DELETED') {
    moveAll(ctx, { resource: 'Node', action: 'Delete' }, node)
    removeNode(ctx, node)
  } else if (old) {
    updateNode(ctx, old as unknown as Node, node)
    for (const event of nodeChanges(node, old as unknown as Node)) moveAll(ctx, event, old, node)
  } else {
    addNode(ctx, node)
    moveAll(ctx, { resource: 'Node', action: 'Add' }, undefined, node)
  }
}

function podEvent(ctx: Context, { type, object, old }: InformerEvent): void {
  const pod = object as unknown as Pod
  const before = old as unknown as Pod | undefined
  const gone = type === 'DELETED' || isFinished(pod)
  if (before && (gone || before.metadata.uid !== pod.metadata.uid)) podDeleted(ctx, before)
  else if (type === 'DELETED') podDeleted(ctx, pod)
  if (gone) return
  if (before && before.metadata.uid === pod.metadata.uid) podUpdated(ctx, before, pod)
  else podAdded(ctx, pod)
}

function onEvent(ctx: Context, event: InformerEvent): void {
  if (event.informer === 'pods') podEvent(ctx, event)
  else if (event.informer === 'nodes') nodeEvent(ctx, event)
  else {
    const resource = RESOURCES[event.informer]
    if (event.informer === 'persistentvolumes')
      refreshAssumption(ctx, 'volumes', event.key, event.type === 'DELETED' ? undefined : event.object)
    if (event.informer === 'persistentvolumeclaims')
      refreshAssumption(ctx, 'claims', event.key, event.type === 'DELETED' ? undefined : event.object)
    const action = event.type === 'ADDED' ? 'Add' : event.type === 'DELETED' ? 'Delete' : 'Update'
    if (resource)
      moveAll(
        ctx,
        { resource, action },
        event.type === 'DELETED' ? event.object : event.old,
        event.type === 'DELETED' ? undefined : event.object,
      )
  }
  wake(ctx)
}

// ---- The cycle ----
/** Takes up work if there is any and none is under way. */
function wake(ctx: Context): void {
  if (!flags(ctx).get('running') || !informers.synced(ctx) || ctx.hasTimer('cycle') || !hasNext(ctx)) return
  ctx.setTimer('cycle', config(ctx).cycleMs ?? DEFAULT_CYCLE_MS, 'scheduler.cycle', null, { periodic: false })
}

function run(ctx: Context): void {
  flags(ctx).put('running', true)
  startLeftoverFlush(ctx)
  wake(ctx)
}

function onCycle(ctx: Context): void {
  const entry = pop(ctx)
  if (!entry) return
  ctx.resume({ cause: entry.cause, background: false })
  const pod = queuedPod(ctx, entry.key)
  if (pod && pod.metadata.uid === entry.uid && !isAssigned(pod)) scheduleOne(ctx, entry, pod)
  wake(ctx)
}

function scheduleOne(ctx: Context, entry: QueuedPod, pod: Pod): void {
  if (pod.metadata.deletionTimestamp) {
    announce(
      ctx,
      pod,
      'Warning',
      'FailedScheduling',
      'Scheduling',
      `skip schedule deleting pod: ${pod.metadata.namespace}/${pod.metadata.name}`,
    )
    return
  }
  if (isAssumed(ctx, pod)) return
  const info = podInfo(pod)
  const snapshot = currentSnapshot(ctx)
  const cycle: Cycle = { pod: info, snapshot, listers: listersOf(ctx), nominator: nominatorOf(ctx) }
  ctx.because(ctx.record('scheduler.cycle.started', { pod: entry.key, attempt: entry.attempts, nodes: snapshot.size }, refOf(pod)))
  const { result, message, preemption } = attempt(cycle, {
    percentageOfNodesToScore: config(ctx).percentageOfNodesToScore ?? 0,
    nextStartNodeIndex: cursor(ctx).get('next-start') ?? 0,
    random: () => ctx.random(),
    now: EPOCH_MS + ctx.now,
  })
  if (result.outcome === 'no nodes') {
    fail(ctx, entry, pod, { message, rejectedBy: [], reason: 'Unschedulable', nominate: '' })
    return
  }
  cursor(ctx).put('next-start', result.nextStartNodeIndex)
  recordRejections(ctx, info, result.diagnosis, result.outcome === 'found' ? result.feasible.length : 0)
  const common = { pod: entry.key, uid: entry.uid, attempts: entry.attempts, nodes: snapshot.size, ...rejections(result.diagnosis) }

  if (result.outcome === 'unschedulable') {
    attempts(ctx).put(entry.key, {
      ...common,
      outcome: 'unschedulable',
      feasible: 0,
      evaluated: result.diagnosis.nodes.length,
      scored: [],
      message,
    })
    if (preemption?.chosen) {
      const { chosen, candidates } = preemption
      const victims = chosen.victims.map((v) => v.key)
      ctx.because(
        ctx.record(
          'scheduler.preemption.chosen',
          { pod: entry.key, node: chosen.node, victims, budgetViolations: chosen.budgetViolations, candidates: candidates.length },
          refOf(pod),
        ),
      )
      evictions.start(ctx, info, chosen, cycle.nominator)
    }
    fail(ctx, entry, pod, {
      message,
      rejectedBy: [...result.diagnosis.unschedulablePlugins],
      reason: 'Unschedulable',
      nominate: preemption?.nominate,
    })
    return
  }

  const names = result.feasible
  const rows = scoreRows(names, result.scores)
  const top = result.scores ? result.scores.totals.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY) : 0
  const best = result.scores ? names.filter((_, i) => result.scores?.totals[i] === top) : names
  if (result.scores) {
    const table = rows.map((row) => ({
      node: row.node,
      total: row.total,
      scores: Object.fromEntries(row.plugins.filter((p) => p.score !== 0).map((p) => [p.plugin, p.score])),
    }))
    ctx.record(
      'scheduler.scored',
      { pod: entry.key, nodes: table, best: best.slice(0, EXPLAINED_NODES), omitted: names.length - rows.length },
      refOf(pod),
    )
  }
  const evaluated = names.length + result.diagnosis.nodes.length
  attempts(ctx).put(entry.key, {
    ...common,
    outcome: 'bound',
    node: result.node,
    feasible: names.length,
    evaluated,
    scored: rows,
    message: '',
  })

  const assumed = assumePod(ctx, info, result.node)
  unnominate(ctx, pod)
  ctx.because(
    ctx.record(
      'scheduler.pod.assumed',
      { pod: entry.key, node: result.node, feasible: names.length, evaluated, ties: best.length },
      refOf(pod),
    ),
  )
  const volumes = reserve(ctx, cycle, result.node)
  bindings.start(ctx, { entry, pod: assumed.pod, node: result.node, volumes })
}

function reserve(ctx: Context, { pod, listers, snapshot }: Cycle & { pod: PodInfo; listers: Listers }, nodeName: string): VolumeWork {
  if (pod.claims.length === 0) return NO_VOLUMES
  const node = getNode(snapshot, nodeName)?.node
  const claims = podVolumeClaims(pod, listers)
  if (!node || claims.delayed.length === 0) return NO_VOLUMES
  return reserveVolumes(ctx, findPodVolumes(claims, listers, node).volumes, nodeName)
}

function recordRejections(ctx: Context, pod: PodInfo, diagnosis: Diagnosis, feasible: number): void {
  const ref = refOf(pod.pod)
  if (diagnosis.preFilterMessage !== undefined) {
    ctx.record(
      'scheduler.prefilter.rejected',
      { pod: pod.key, plugin: diagnosis.absent?.plugin ?? '', reasons: diagnosis.absent?.reasons ?? [] },
      ref,
    )
    return
  }
  const { rejected, reasons } = rejections(diagnosis)
  if (diagnosis.nodes.length <= EXPLAINED_NODES)
    for (const r of rejected) ctx.record('scheduler.filter.rejected', { pod: pod.key, ...r }, ref)
  else ctx.record('scheduler.filter.summary', { pod: pod.key, feasible, rejected: reasons.slice(0, EXPLAINED_NODES) }, ref)
}

// ---- Outcomes ----
interface Failure {
  readonly message: string
  /** Plugins; none means an error, not a rejection. */
  readonly rejectedBy: readonly string[]
  readonly reason: 'Unschedulable' | 'SchedulerError'
  /** undefined: leave the nomination as it is. */
  readonly nominate: string | undefined
}

/** handleSchedulingFailure: back to the queue, an event, and the pod's condition. */
function fail(ctx: Context, entry: QueuedPod, pod: Pod, failure: Failure): void {
  const current = queuedPod(ctx, entry.key)
  ctx.because(
    ctx.record('scheduler.pod.unschedulable', { pod: entry.key, message: failure.message, plugins: failure.rejectedBy }, refOf(pod)),
  )
  if (current && current.metadata.uid === entry.uid && !isAssigned(current)) {
    addUnschedulable(ctx, entry, failure.rejectedBy)
    if (failure.nominate !== undefined) nominate(ctx, current, failure.nominate)
    else updateNomination(ctx, undefined, current)
  }
  announce(ctx, pod, 'Warning', 'FailedScheduling', 'Scheduling', failure.message)
  const condition = { type: 'PodScheduled', status: 'False', reason: failure.reason, message: failure.message } as const
  const patch = statusPatch(pod, ctx.now, condition, failure.nominate)
  if (patch) patchPodStatus(ctx, client(ctx), pod, patch, { kind: 'scheduler.patched' })
}

function announce(
  ctx: Context,
  pod: Pod,
  type: 'Normal' | 'Warning',
  reason: string,
  action: string,
  message: string,
  related?: Pod,
): void {
  const note = message.length <= NOTE_LENGTH_LIMIT ? message : `${message.slice(0, NOTE_LENGTH_LIMIT - 4)} ...`
  recorder.recordSeriesEvent(
    ctx,
    { component: DEFAULT_SCHEDULER_NAME, host: ctx.host },
    {
      object: asObject(pod),
      type,
      reason,
      action,
      message: note,
      ...(related ? { related: asObject(related) } : {}),
    },
  )
}

/** Informers' objects may lack the type that a list leaves out. */
const asObject = (pod: Pod): KubeObject => ({ ...pod, apiVersion: 'v1', kind: 'Pod' }) as unknown as KubeObject

/** handleBindingCycleError. */
function bindingFailed(ctx: Context, binding: Binding, error: string): void {
  ctx.because(ctx.record('scheduler.bind.failed', { pod: binding.entry.key, node: binding.node, error }, refOf(binding.pod)))
  releaseVolumes(ctx, binding.volumes)
  const forgotten = forgetPod(ctx, uidOf(binding.pod))
  if (forgotten) moveAll(ctx, POD_DELETED, forgotten)
  const pod = queuedPod(ctx, binding.entry.key)
  const unbound = pod?.metadata.uid === binding.entry.uid ? pod : binding.pod
  fail(ctx, binding.entry, unbound, { message: error, rejectedBy: [], reason: 'SchedulerError', nominate: '' })
  wake(ctx)
}

const recorder = createEventRecorder({ client })
const informers = createInformers({ client, onEvent, onSynced: wake })
const bindings = createBindings({
  client,
  bound(ctx, binding) {
    const { namespace, name } = binding.pod.metadata
    announce(ctx, binding.pod, 'Normal', 'Scheduled', 'Binding', `Successfully assigned ${namespace}/${name} to ${binding.node}`)
  },
  failed: bindingFailed,
})
const evictions = createEvictions({
  client,
  preempted: (ctx, victim, preemptor, node) =>
    announce(ctx, victim, 'Normal', 'Preempted', 'Preempting', `Preempted by pod ${preemptor.metadata.uid} on node ${node}`, preemptor),
  wake,
})
const election = createLeaderElection({
  client,
  lease: () => ({ namespace: 'kube-system', name: 'kube-scheduler' }),
  onStartedLeading: run,
  onStoppedLeading: (ctx) => ctx.stopProcess(ctx.self, 'leaderelection lost'),
  onEvent: (ctx, { object, type, reason, message }) =>
    recorder.recordSeriesEvent(
      ctx,
      { component: DEFAULT_SCHEDULER_NAME, host: ctx.host },
      { object, type, reason, message, action: reason },
    ),
})

export const kubeSchedulerType: ComponentType = {
  type: 'kube-scheduler',
  start(ctx) {
    for (const spec of INFORMERS) informers.start(ctx, spec)
    if (config(ctx).leaderElect) election.start(ctx)
    else run(ctx)
  },
  handlers: {
    ...informers.handlers,
    ...recorder.handlers,
    ...bindings.handlers,
    ...evictions.handlers,
    ...election.handlers,
    'scheduler.cycle': onCycle,
    'scheduler.patched': () => {},
    'queue.flush-backoff': (ctx: Context) => {
      flushBackoff(ctx)
      wake(ctx)
    },
    'queue.flush-leftover': (ctx: Context) => {
      flushLeftover(ctx)
      wake(ctx)
    },
  },
}

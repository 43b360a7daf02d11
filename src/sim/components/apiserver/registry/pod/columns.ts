// The table of pods (pkg/printers/internalversion/printers.go: printPod).
import type { Container, ContainerStatus, PodSpec, PodStatus } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { parseTime, translateTimestampSince } from '../../../../api/time.ts'
import { ageColumn, column, nameColumn } from '../apps/columns.ts'
import type { Column } from '../strategy.ts'
import { isRestartableInitContainer } from './visit.ts'

export const podColumns: readonly Column[] = [
  nameColumn,
  column('Ready', 'string', 'The aggregate readiness state of this pod for accepting traffic.'),
  column('Status', 'string', 'The aggregate status of the containers in this pod.'),
  column(
    'Restarts',
    'string',
    'The number of times the containers in this pod have been restarted and when the last container in this pod has restarted.',
  ),
  ageColumn,
  column('IP', 'string', 'podIP address allocated to the pod. Routable at least within the cluster. Empty if not yet allocated.', 1),
  column(
    'Node',
    'string',
    'NodeName indicates in which node this pod is scheduled. If empty, this pod is a candidate for scheduling by the scheduler defined in schedulerName. Once this field is set, the kubelet for this node becomes responsible for the lifecycle of this pod. This field should not be used to express a desire for the pod to be scheduled on a specific node. https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename',
    1,
  ),
  column(
    'Nominated Node',
    'string',
    'nominatedNodeName is set only when this pod preempts other pods on the node, but it cannot be scheduled right away as preemption victims receive their graceful termination periods. This field does not guarantee that the pod will be scheduled on this node. Scheduler may decide to place the pod elsewhere if other nodes become available sooner. Scheduler may also decide to give the resources on this node to a higher priority pod that is created after preemption. As a result, this field may be different than PodSpec.nodeName when the pod is scheduled.',
    1,
  ),
  column(
    'Readiness Gates',
    'string',
    'If specified, all readiness gates will be evaluated for pod readiness. A pod is ready when all its containers are ready AND all conditions specified in the readiness gates have status equal to "True" More info: https://git.k8s.io/enhancements/keps/sig-network/580-pod-readiness-gates',
    1,
  ),
]

/** Restarts and when the last one was. */
interface Restarts {
  count: number
  lastMs: number
}

function addRestarts(to: Restarts, status: ContainerStatus): void {
  to.count += status.restartCount ?? 0
  const finished = parseTime(status.lastState?.terminated?.finishedAt)
  if (finished !== undefined && finished > to.lastMs) to.lastMs = finished
}

interface Summary {
  reason: string
  ready: number
  restarts: Restarts
}

/** How far the init containers are; undefined reason: they are done. */
function initSummary(spec: PodSpec, status: PodStatus): { reason?: string; ready: number; restarts: Restarts; sidecarRestarts: Restarts } {
  const containers = new Map((spec.initContainers ?? []).map((c): [string, Container] => [c.name, c]))
  const restarts: Restarts = { count: 0, lastMs: 0 }
  const sidecarRestarts: Restarts = { count: 0, lastMs: 0 }
  let ready = 0
  for (const [i, s] of (status.initContainerStatuses ?? []).entries()) {
    const sidecar = isRestartableInitContainer(containers.get(s.name))
    addRestarts(restarts, s)
    if (sidecar) addRestarts(sidecarRestarts, s)
    const { terminated, waiting } = s.state ?? {}
    if (terminated && (terminated.exitCode ?? 0) === 0) continue
    if (sidecar && s.started) {
      if (s.ready) ready++
      continue
    }
    const result = { ready, restarts, sidecarRestarts }
    if (terminated) {
      const why = terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode ?? 0}`)
      return { ...result, reason: `Init:${why}` }
    }
    if (waiting?.reason && waiting.reason !== 'PodInitializing') return { ...result, reason: `Init:${waiting.reason}` }
    return { ...result, reason: `Init:${i}/${(spec.initContainers ?? []).length}` }
  }
  return { ready, restarts, sidecarRestarts }
}

const conditionTrue = (status: PodStatus, type: string): boolean =>
  (status.conditions ?? []).some((c) => c.type === type && c.status === 'True')

/** The last container that has something to say decides. */
function containerSummary(status: PodStatus, start: Summary): Summary {
  let { reason, ready } = start
  const { restarts } = start
  let running = false
  let errorReason = ''
  for (const s of (status.containerStatuses ?? []).toReversed()) {
    addRestarts(restarts, s)
    const { waiting, terminated } = s.state ?? {}
    if (waiting?.reason) reason = waiting.reason
    else if (terminated) {
      reason = terminated.reason || (terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode ?? 0}`)
      if ((terminated.exitCode ?? 0) !== 0) errorReason = reason
    } else if (s.ready && s.state?.running) {
      running = true
      ready++
    }
  }
  if (reason === 'Completed') {
    if (running && conditionTrue(status, 'Ready')) reason = 'Running'
    else if (errorReason !== '') reason = errorReason
    else if (running) reason = 'NotReady'
  }
  return { reason, ready, restarts }
}

function summary(spec: PodSpec, status: PodStatus): Summary {
  const gated = (status.conditions ?? []).some((c) => c.type === 'PodScheduled' && c.reason === 'SchedulingGated')
  const reason = gated ? 'SchedulingGated' : status.reason || status.phase || ''
  const init = initSummary(spec, status)
  const initialized = (status.conditions ?? []).find((c) => c.type === 'Initialized')?.status === 'True'
  if (init.reason !== undefined && !initialized) return { reason: init.reason, ready: init.ready, restarts: init.restarts }
  return containerSummary(status, { reason: init.reason ?? reason, ready: init.ready, restarts: init.sidecarRestarts })
}

function readinessGates(spec: PodSpec, status: PodStatus): string {
  const gates = spec.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const open = gates.filter((g) => (status.conditions ?? []).find((c) => c.type === g.conditionType)?.status === 'True')
  return `${open.length}/${gates.length}`
}

export function podRow(pod: KubeObject, nowMs: number): string[] {
  const spec = pod['spec'] as PodSpec
  const status = (pod['status'] as PodStatus | undefined) ?? {}
  const { reason, ready, restarts } = summary(spec, status)
  const total = (spec.containers ?? []).length + (spec.initContainers ?? []).filter(isRestartableInitContainer).length
  const deleted = pod.metadata.deletionTimestamp !== undefined
  const terminal = status.phase === 'Failed' || status.phase === 'Succeeded'
  const shown = deleted && status.reason === 'NodeLost' ? 'Unknown' : deleted && !terminal ? 'Terminating' : reason
  const last =
    restarts.count > 0 && restarts.lastMs > 0 ? ` (${translateTimestampSince(new Date(restarts.lastMs).toISOString(), nowMs)} ago)` : ''
  return [
    pod.metadata.name ?? '',
    `${ready}/${total}`,
    shown,
    `${restarts.count}${last}`,
    translateTimestampSince(pod.metadata.creationTimestamp, nowMs),
    status.podIPs?.[0]?.ip || status.podIP || '<none>',
    spec.nodeName || '<none>',
    status.nominatedNodeName || '<none>',
    readinessGates(spec, status),
  ]
}

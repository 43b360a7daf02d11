// A pod's API status from what the runtime says (pkg/kubelet/kubelet_pods.go, pkg/kubelet/status/generate.go).
import type { Container, ContainerState, ContainerStatus, Pod, PodCondition, PodSpec, PodStatus } from '../../api/types/kubernetes.gen.ts'
import { apiTime } from '../../client/time.ts'
import type { RuntimeContainerStatus } from '../runtime/cri.ts'
import {
  findCondition,
  findStatus,
  hasAnyRegularContainerStarted,
  isHostNetwork,
  isRestartableInit,
  isStatic,
  isTerminalPhase,
  ownedByKubelet,
  qosClass,
  sandboxChanged,
  shouldContainerBeRestarted,
  specOf,
} from './pod-util.ts'
import type { CachedStatus, Reason } from './types.ts'

export interface StatusInputs {
  /** From the status manager if it has one, else the API's. */
  readonly old: PodStatus
  readonly hostIP: string
  reason(container: string): Reason | undefined
  /** Fills in `started` and `ready` (prober_manager.go UpdatePodStatus). */
  probe(pod: Pod, status: PodStatus): PodStatus
  readonly override?: { readonly reason: string; readonly message: string }
}

const STATUS_UNKNOWN = 'ContainerStatusUnknown'
const EXIT_UNKNOWN = 137

export function generateAPIPodStatus(pod: Pod, podStatus: CachedStatus, isTerminal: boolean, inputs: StatusInputs): PodStatus {
  const { old } = inputs
  let s = convertStatus(pod, podStatus, old, inputs)
  const all = [...(s.containerStatuses ?? []), ...(s.initContainerStatuses ?? [])]
  let phase = getPhase(pod, all, isTerminal)
  if (!isTerminalPhase(phase)) {
    if (isTerminalPhase(old.phase)) phase = old.phase as string
    else if (isTerminalPhase(pod.status?.phase)) phase = pod.status?.phase as string
  }
  let reason: string | undefined
  let message: string | undefined
  if (phase === old.phase) {
    reason = old.reason || pod.status?.reason
    message = old.message || pod.status?.message
  }
  if (inputs.override) {
    phase = 'Failed'
    reason = inputs.override.reason
    message = inputs.override.message
  }
  if (isTerminalPhase(pod.status?.phase) && phase !== pod.status?.phase) phase = pod.status?.phase as string
  s = { ...s, phase: phase as NonNullable<PodStatus['phase']>, ...(reason ? { reason } : {}), ...(message ? { message } : {}) }
  s = inputs.probe(pod, s)

  const generation = pod.metadata.generation
  const conditions: PodCondition[] = (pod.status?.conditions ?? []).filter((c) => !ownedByKubelet(c.type))
  const disruption = findCondition(old, 'DisruptionTarget')
  if (disruption) {
    const at = conditions.findIndex((c) => c.type === 'DisruptionTarget')
    if (at >= 0) conditions[at] = disruption
    else conditions.push(disruption)
  }
  const add = (c: PodCondition): void => {
    conditions.push({ ...c, ...(generation === undefined ? {} : { observedGeneration: generation }) })
  }
  const statuses = [...(s.initContainerStatuses ?? []), ...(s.containerStatuses ?? [])]
  const spec = specOf(pod)
  add({ type: 'PodReadyToStartContainers', status: sandboxChanged(pod, podStatus).changed ? 'False' : 'True' })
  add(initializedCondition(spec, statuses, phase))
  const containersReady = containersReadyCondition(spec, statuses, phase)
  add(readyCondition(spec, containersReady, conditions))
  add(containersReady)
  add({ type: 'PodScheduled', status: 'True' })
  const podIPs = podStatus.ips.length > 0 ? [...podStatus.ips] : isHostNetwork(pod) ? [inputs.hostIP] : []
  return {
    ...s,
    conditions,
    hostIP: inputs.hostIP,
    hostIPs: [{ ip: inputs.hostIP }],
    ...(podIPs.length > 0 ? { podIP: podIPs[0] as string, podIPs: podIPs.map((ip) => ({ ip })) } : {}),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  }
}

function convertStatus(pod: Pod, podStatus: CachedStatus, old: PodStatus, inputs: StatusInputs): PodStatus {
  const spec = specOf(pod)
  const hasInit = (spec.initContainers ?? []).length > 0
  const init = convertStatuses(pod, podStatus, old.initContainerStatuses, spec.initContainers ?? [], hasInit, true, inputs)
  const ephemeral = convertStatuses(
    pod,
    podStatus,
    old.ephemeralContainerStatuses,
    (spec.ephemeralContainers ?? []) as readonly Container[],
    hasInit,
    false,
    inputs,
  )
  return {
    qosClass: qosClass(pod),
    containerStatuses: convertStatuses(pod, podStatus, old.containerStatuses, spec.containers, hasInit, false, inputs),
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
  }
}

/** metav1.Time of 0 is 1970 for the runtime: a container that never started. */
const runtimeTime = (ms: number): string => (ms === 0 ? '1970-01-01T00:00:00Z' : apiTime(ms))

function stateOf(c: RuntimeContainerStatus, old: ContainerStatus | undefined): { state: ContainerState; restarts?: number } {
  const containerID = `containerd://${c.id}`
  switch (c.state) {
    case 'CONTAINER_RUNNING':
      return { state: { running: { startedAt: runtimeTime(c.startedAt) } } }
    case 'CONTAINER_EXITED':
      return {
        state: {
          terminated: {
            exitCode: c.exitCode,
            ...(c.reason ? { reason: c.reason } : {}),
            ...(c.message ? { message: c.message } : {}),
            startedAt: runtimeTime(c.startedAt),
            finishedAt: runtimeTime(c.finishedAt),
            containerID,
          },
        },
      }
    case 'CONTAINER_UNKNOWN':
      if (old?.state?.running) {
        return {
          state: {
            terminated: {
              reason: STATUS_UNKNOWN,
              message: 'The container could not be located when the pod was terminated',
              exitCode: EXIT_UNKNOWN,
            } as never,
          },
          restarts: old.restartCount + 1,
        }
      }
      return { state: { waiting: {} } }
    default:
      return { state: { waiting: {} } }
  }
}

function convertStatuses(
  pod: Pod,
  podStatus: CachedStatus,
  previous: readonly ContainerStatus[] | undefined,
  containers: readonly Container[],
  hasInit: boolean,
  isInit: boolean,
  inputs: StatusInputs,
): ContainerStatus[] {
  const olds = new Map((previous ?? []).map((s) => [s.name, s]))
  const statuses = new Map<string, ContainerStatus>()
  const waitingReason = hasInit ? 'PodInitializing' : 'ContainerCreating'
  for (const container of containers) {
    const old = olds.get(container.name)
    const mounts = (container.volumeMounts ?? []).map((m) => ({
      name: m.name,
      mountPath: m.mountPath,
      ...(m.readOnly ? { readOnly: true, recursiveReadOnly: 'Disabled' } : {}),
    }))
    statuses.set(
      container.name,
      old?.state?.terminated
        ? old
        : {
            name: container.name,
            image: container.image ?? '',
            imageID: '',
            state: { waiting: { reason: waitingReason } },
            lastState: old?.lastState ?? {},
            ready: false,
            restartCount: old?.restartCount ?? 0,
            ...(mounts.length > 0 ? { volumeMounts: mounts } : {}),
          },
    )
  }
  // A container that ran and is no longer there must not look as if it had never been started.
  for (const container of containers) {
    if (findStatus(podStatus, container.name)) continue
    const old = olds.get(container.name)
    if (!old || old.state?.terminated || !old.state?.running) continue
    const status = statuses.get(container.name) as ContainerStatus
    if (status.state?.waiting?.reason !== waitingReason || status.lastState?.terminated) continue
    statuses.set(container.name, {
      ...status,
      lastState: {
        terminated: {
          reason: STATUS_UNKNOWN,
          message: 'The container could not be located when the pod was deleted.  The container used to be Running',
          exitCode: EXIT_UNKNOWN,
          startedAt: null,
          finishedAt: null,
        } as never,
      },
      restartCount: status.restartCount + (pod.metadata.deletionTimestamp ? 0 : 1),
    })
  }
  const seen = new Map<string, number>()
  for (const c of podStatus.containers) {
    const before = statuses.get(c.name)
    const n = seen.get(c.name) ?? 0
    if (!before || n >= 2) continue
    const old = olds.get(c.name)
    const { state, restarts } = stateOf(c, old)
    if (n === 0) {
      const spec = containers.find((x) => x.name === c.name) as Container
      const mounts = old?.volumeMounts ?? before.volumeMounts
      statuses.set(c.name, {
        name: c.name,
        state,
        lastState: {},
        ready: false,
        restartCount: restarts ?? c.attempt,
        image: c.image,
        imageID: c.imageRef,
        containerID: `containerd://${c.id}`,
        ...resourcesOf(spec),
        ...(mounts ? { volumeMounts: mounts } : {}),
        user: { linux: { uid: c.user.uid, gid: c.user.gid, supplementalGroups: [...c.user.supplementalGroups] } },
      })
    } else statuses.set(c.name, { ...before, lastState: state })
    seen.set(c.name, n + 1)
  }
  for (const container of containers) {
    const latest = findStatus(podStatus, container.name)
    if (isInit && latest?.state === 'CONTAINER_EXITED' && latest.exitCode === 0 && !isRestartableInit(container)) continue
    if (!shouldContainerBeRestarted(container, pod, podStatus)) continue
    const reason = inputs.reason(container.name)
    if (!reason) continue
    const status = statuses.get(container.name) as ContainerStatus
    statuses.set(container.name, {
      ...status,
      ...(status.state?.terminated ? { lastState: status.state } : {}),
      state: { waiting: { reason: reason.reason, ...(reason.message ? { message: reason.message } : {}) } },
    })
  }
  const list = containers.map((c) => statuses.get(c.name) as ContainerStatus)
  return isInit ? list : list.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** What the container was given: limits and requests of its spec, as far as the kubelet manages them. */
function resourcesOf(container: Container): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  const requests = container.resources?.requests
  const limits = container.resources?.limits
  const managed = (list: Record<string, string> | undefined): Record<string, string> | undefined => {
    if (!list) return undefined
    const kept = Object.entries(list).filter(([name]) => name === 'cpu' || name === 'memory' || name === 'ephemeral-storage')
    return kept.length > 0 ? Object.fromEntries(kept) : undefined
  }
  const [r, l] = [managed(requests), managed(limits)]
  return {
    resources: { ...(l ? { limits: l } : {}), ...(r ? { requests: r } : {}) },
    ...(requests && Object.keys(requests).length > 0 ? { allocatedResources: requests } : {}),
  }
}

export function getPhase(pod: Pod, statuses: readonly ContainerStatus[], isTerminal: boolean): string {
  const spec = specOf(pod)
  const find = (name: string): ContainerStatus | undefined => statuses.find((s) => s.name === name)
  let pendingInitialization = 0
  let failedInitialization = 0
  let waiting = 0
  let running = 0
  let stopped = 0
  let succeeded = 0
  let unknown = 0
  for (const container of spec.initContainers ?? []) {
    const s = find(container.name)
    if (!s) {
      pendingInitialization++
      continue
    }
    const { state } = s
    if (isRestartableInit(container)) {
      if (state?.running) {
        if (!s.started) pendingInitialization++
      } else if (state?.terminated) continue
      else if (state?.waiting) {
        if (!s.lastState?.terminated) {
          pendingInitialization++
          waiting++
        }
      } else {
        pendingInitialization++
        unknown++
      }
      continue
    }
    if (state?.running) pendingInitialization++
    else if (state?.terminated) {
      if (state.terminated.exitCode !== 0) failedInitialization++
    } else if (state?.waiting) {
      if (s.lastState?.terminated) {
        if (s.lastState.terminated.exitCode !== 0) failedInitialization++
      } else pendingInitialization++
    } else pendingInitialization++
  }
  for (const container of spec.containers) {
    const s = find(container.name)
    if (!s) unknown++
    else if (s.state?.running) running++
    else if (s.state?.terminated) {
      stopped++
      if (s.state.terminated.exitCode === 0) succeeded++
    } else if (s.state?.waiting) {
      if (s.lastState?.terminated) stopped++
      else waiting++
    } else unknown++
  }
  const policy = spec.restartPolicy ?? 'Always'
  if (failedInitialization > 0 && policy === 'Never') return 'Failed'
  if ((pendingInitialization > 0 && !hasAnyRegularContainerStarted(spec, statuses)) || waiting > 0) return 'Pending'
  if (running > 0 && unknown === 0) return 'Running'
  if (running === 0 && stopped > 0 && unknown === 0) {
    if (isTerminal && !isStatic(pod)) return stopped === succeeded ? 'Succeeded' : 'Failed'
    if (restartsAny(pod, statuses)) return 'Running'
    if (policy === 'Always') return 'Running'
    if (stopped === succeeded) return 'Succeeded'
    return policy === 'Never' ? 'Failed' : 'Running'
  }
  return 'Pending'
}

/** Container-level restart policies and rules may restart a container of a pod that would be over. */
function restartsAny(pod: Pod, statuses: readonly ContainerStatus[]): boolean {
  return specOf(pod).containers.some((c) => {
    if (c.restartPolicy === undefined) return false
    const s = statuses.find((x) => x.name === c.name)
    const code = s?.state?.terminated?.exitCode ?? s?.lastState?.terminated?.exitCode
    return code !== undefined && s?.state?.waiting !== undefined
  })
}

const list = (names: readonly string[]): string => `[${names.join(' ')}]`

export function containersReadyCondition(spec: PodSpec, statuses: readonly ContainerStatus[], phase: string): PodCondition {
  const unknown: string[] = []
  const unready: string[] = []
  for (const c of [...(spec.initContainers ?? []).filter(isRestartableInit), ...spec.containers]) {
    const s = statuses.find((x) => x.name === c.name)
    if (!s) unknown.push(c.name)
    else if (!s.ready) unready.push(c.name)
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { type: 'ContainersReady', status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { type: 'ContainersReady', status: 'False', reason: 'PodFailed' }
  const messages = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(unready.length > 0 ? [`containers with unready status: ${list(unready)}`] : []),
  ]
  if (messages.length > 0) return { type: 'ContainersReady', status: 'False', reason: 'ContainersNotReady', message: messages.join(', ') }
  return { type: 'ContainersReady', status: 'True' }
}

export function readyCondition(spec: PodSpec, containersReady: PodCondition, conditions: readonly PodCondition[]): PodCondition {
  if (containersReady.status !== 'True') return { ...containersReady, type: 'Ready' }
  const messages = (spec.readinessGates ?? []).flatMap((gate) => {
    const c = conditions.find((x) => x.type === gate.conditionType)
    if (!c) return [`corresponding condition of pod readiness gate "${gate.conditionType}" does not exist.`]
    return c.status === 'True' ? [] : [`the status of pod readiness gate "${gate.conditionType}" is not "True", but ${c.status}`]
  })
  if (messages.length > 0) return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') }
  return { type: 'Ready', status: 'True' }
}

function initializedCondition(spec: PodSpec, statuses: readonly ContainerStatus[], phase: string): PodCondition {
  const unknown: string[] = []
  const incomplete: string[] = []
  for (const c of spec.initContainers ?? []) {
    const s = statuses.find((x) => x.name === c.name)
    if (!s) unknown.push(c.name)
    else if (isRestartableInit(c) ? !s.started : !s.ready) incomplete.push(c.name)
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { type: 'Initialized', status: 'True', reason: 'PodCompleted' }
  if (hasAnyRegularContainerStarted(spec, statuses)) return { type: 'Initialized', status: 'True' }
  const messages = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(incomplete.length > 0 ? [`containers with incomplete status: ${list(incomplete)}`] : []),
  ]
  if (messages.length > 0) return { type: 'Initialized', status: 'False', reason: 'ContainersNotInitialized', message: messages.join(', ') }
  return { type: 'Initialized', status: 'True' }
}

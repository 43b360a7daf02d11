// What has to be done to a pod's containers (pkg/kubelet/kuberuntime/kuberuntime_manager.go computePodActions). Pure.
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import type { RuntimeContainerStatus } from '../runtime/cri.ts'
import {
  findStatus,
  hashContainer,
  hasAnyRegularContainerCreated,
  isRestartableInit,
  sandboxChanged,
  shouldContainerBeRestarted,
  shouldRestart,
  specOf,
} from './pod-util.ts'
import type { CachedStatus, ProbeOutcome, ProbeType } from './types.ts'

export interface KillInfo {
  readonly id: string
  readonly name: string
  readonly message: string
  readonly reason: '' | 'LivenessProbe' | 'StartupProbe'
}

export interface PodActions {
  readonly killPod: boolean
  readonly createSandbox: boolean
  readonly sandboxId: string
  readonly attempt: number
  readonly initToStart: readonly number[]
  readonly ephemeralToStart: readonly number[]
  readonly toStart: readonly number[]
  readonly toKill: readonly KillInfo[]
}

export type ProbeResults = (type: ProbeType, containerId: string) => ProbeOutcome | undefined

interface Draft {
  killPod: boolean
  createSandbox: boolean
  sandboxId: string
  attempt: number
  initToStart: number[]
  ephemeralToStart: number[]
  toStart: number[]
  toKill: KillInfo[]
}

const restartsOnFailure = (pod: Pod): boolean => (specOf(pod).restartPolicy ?? 'Always') !== 'Never'

export function computePodActions(pod: Pod, podStatus: CachedStatus, probes: ProbeResults): PodActions {
  const spec = specOf(pod)
  const change = sandboxChanged(pod, podStatus)
  const draft: Draft = {
    killPod: change.changed,
    createSandbox: change.changed,
    sandboxId: change.id,
    attempt: change.attempt,
    initToStart: [],
    ephemeralToStart: [],
    toStart: [],
    toKill: [],
  }
  if (change.changed) {
    if (!restartsOnFailure(pod) && change.attempt !== 0 && podStatus.containers.length !== 0) {
      draft.createSandbox = false
      return draft
    }
    const wanted = spec.containers.flatMap((c, i) =>
      spec.restartPolicy === 'OnFailure' && succeeded(findStatus(podStatus, c.name)) ? [] : [i],
    )
    if (wanted.length === 0 && hasAnyRegularContainerCreated(pod, podStatus)) {
      draft.createSandbox = false
      return draft
    }
    if ((spec.initContainers ?? []).length > 0) draft.initToStart = [0]
    else draft.toStart = wanted
    return draft
  }
  for (const [i, c] of (spec.ephemeralContainers ?? []).entries()) if (!findStatus(podStatus, c.name)) draft.ephemeralToStart.push(i)
  const initialised = computeInitActions(pod, podStatus, probes, draft)
  if (draft.killPod || !initialised) return draft
  let keep = 0
  for (const [i, container] of spec.containers.entries()) {
    const status = findStatus(podStatus, container.name)
    if (!status || status.state !== 'CONTAINER_RUNNING') {
      if (shouldContainerBeRestarted(container, pod, podStatus)) {
        draft.toStart.push(i)
        if (status?.state === 'CONTAINER_UNKNOWN')
          draft.toKill.push({
            id: status.id,
            name: container.name,
            message: `Container is in "unknown" state, try killing it before restart`,
            reason: '',
          })
      }
      continue
    }
    let message: string
    let reason: KillInfo['reason'] = ''
    // A probe's failure restarts by the container's own policy, as an exit with an error would.
    let restart = container.restartPolicy === undefined ? restartsOnFailure(pod) : shouldRestart(container, pod, 137)
    if (hashContainer(container) !== status.hash) {
      message = `Container ${container.name} definition changed`
      restart = true
    } else if (probes('liveness', status.id) === 'failure') {
      message = `Container ${container.name} failed liveness probe`
      reason = 'LivenessProbe'
    } else if (probes('startup', status.id) === 'failure') {
      message = `Container ${container.name} failed startup probe`
      reason = 'StartupProbe'
    } else {
      keep++
      continue
    }
    if (restart) {
      message = `${message}, will be restarted`
      draft.toStart.push(i)
    }
    draft.toKill.push({ id: status.id, name: container.name, message, reason })
  }
  if (keep === 0 && draft.toStart.length === 0) {
    draft.killPod = true
    // A pod that is over is not kept alive by its sidecars.
    draft.initToStart = []
  }
  return draft
}

const succeeded = (status: RuntimeContainerStatus | undefined): boolean => status?.state === 'CONTAINER_EXITED' && status.exitCode === 0

/** True once all init containers are done (sidecars: started). */
function computeInitActions(pod: Pod, podStatus: CachedStatus, probes: ProbeResults, draft: Draft): boolean {
  const init = specOf(pod).initContainers ?? []
  if (init.length === 0) return true
  const before = hasAnyRegularContainerCreated(pod, podStatus)
  let initialised = before
  let stopped = false
  for (let i = init.length - 1; i >= 0; i--) {
    const container = init[i] as NonNullable<(typeof init)[number]>
    const status = findStatus(podStatus, container.name)
    const sidecar = isRestartableInit(container)
    if (!status) {
      if (before && sidecar) draft.initToStart.push(i)
      continue
    }
    if (before && !sidecar) continue
    if (status.state === 'CONTAINER_CREATED') draft.initToStart.push(i)
    else if (status.state === 'CONTAINER_RUNNING') {
      if (sidecar)
        runningSidecar(container, status, i, before, draft, probes, init.length, () => {
          initialised = true
        })
    } else if (status.state === 'CONTAINER_EXITED') {
      if (sidecar) draft.initToStart.push(i)
      else if (status.exitCode !== 0) {
        if (!shouldRestart(container, pod, status.exitCode) && !(container.restartPolicy === undefined && restartsOnFailure(pod))) {
          draft.killPod = true
          draft.initToStart = []
          return false
        }
        draft.initToStart.push(i)
      } else if (i === init.length - 1) initialised = true
      else draft.initToStart.push(i + 1)
    } else {
      draft.toKill.push({
        id: status.id,
        name: container.name,
        message: `Init container is in "unknown" state, try killing it before restart`,
        reason: '',
      })
      draft.initToStart.push(i)
    }
    if (!before) {
      stopped = true
      break
    }
  }
  if (!before && !stopped) draft.initToStart.push(0)
  return initialised
}

function runningSidecar(
  container: { name: string; startupProbe?: unknown; livenessProbe?: unknown; image?: string },
  status: RuntimeContainerStatus,
  i: number,
  before: boolean,
  draft: Draft,
  probes: ProbeResults,
  count: number,
  done: () => void,
): void {
  const restart = (message: string, reason: KillInfo['reason']): void => {
    draft.toKill.push({ id: status.id, name: container.name, message, reason })
    draft.initToStart.push(i)
  }
  if (container.startupProbe) {
    const startup = probes('startup', status.id)
    if (startup === undefined) return
    if (startup !== 'success') {
      if (startup === 'failure') restart(`Init container ${container.name} failed startup probe`, 'StartupProbe')
      return
    }
  }
  if (i === count - 1) done()
  else if (!before) draft.initToStart.push(i + 1)
  if (hashContainer(container as never) !== status.hash) {
    restart(`Init container ${container.name} definition changed`, '')
    return
  }
  if (container.livenessProbe && probes('liveness', status.id) === 'failure')
    restart(`Init container ${container.name} failed liveness probe`, 'LivenessProbe')
}

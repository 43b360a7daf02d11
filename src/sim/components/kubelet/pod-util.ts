// Questions about pods that many parts ask (pkg/api/v1/pod, pkg/apis/core/v1/helper/qos, pkg/kubelet/container/helpers.go).
import type { Container, ContainerStatus, ObjectReference, Pod, PodCondition, PodSpec, PodStatus } from '../../api/types/kubernetes.gen.ts'
import { compareQuantities, quantitySign } from '../../api/quantity.ts'
import type { RuntimeContainerStatus, RuntimePodStatus } from '../runtime/cri.ts'
import { hex64 } from '../runtime/images/registry.ts'
import type { ContainerKind, ContainerSpec } from './types.ts'

export const specOf = (pod: Pod): PodSpec => pod.spec as PodSpec
export const uidOf = (pod: Pod): string => pod.metadata.uid as string
export const nameOf = (pod: Pod): string => pod.metadata.name as string
export const namespaceOf = (pod: Pod): string => pod.metadata.namespace as string
export const podKey = (pod: Pod): string => `${namespaceOf(pod)}/${nameOf(pod)}`

/** `name_namespace(uid)`. */
export const formatPod = (pod: Pod): string => `${nameOf(pod)}_${namespaceOf(pod)}(${uidOf(pod)})`

export const isStatic = (pod: Pod): boolean => {
  const source = pod.metadata.annotations?.['kubernetes.io/config.source']
  return source !== undefined && source !== 'api'
}
export const isMirror = (pod: Pod): boolean => pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined

export const isHostNetwork = (pod: Pod): boolean => specOf(pod).hostNetwork === true

export const isRestartableInit = (container: Container): boolean => container.restartPolicy === 'Always'

export const isTerminalPhase = (phase: string | undefined): boolean => phase === 'Failed' || phase === 'Succeeded'

export function containerSpecs(pod: Pod): ContainerSpec[] {
  const list = (containers: readonly Container[] | undefined, kind: ContainerKind): ContainerSpec[] =>
    (containers ?? []).map((container, index) => ({ container, kind, index }))
  const { initContainers, containers, ephemeralContainers } = specOf(pod)
  return [
    ...list(initContainers, 'init'),
    ...list(containers, 'container'),
    ...list(ephemeralContainers as readonly Container[] | undefined, 'ephemeral'),
  ]
}

export const findSpec = (pod: Pod, name: string): ContainerSpec | undefined => containerSpecs(pod).find((s) => s.container.name === name)

const FIELD: Readonly<Record<ContainerKind, string>> = { container: 'containers', init: 'initContainers', ephemeral: 'ephemeralContainers' }

export function podReference(pod: Pod): ObjectReference {
  const { namespace, name, uid, resourceVersion } = pod.metadata
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    ...(namespace ? { namespace } : {}),
    ...(name ? { name } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
  }
}

export function containerReference(pod: Pod, spec: ContainerSpec): ObjectReference {
  return { ...podReference(pod), fieldPath: `spec.${FIELD[spec.kind]}{${spec.container.name}}` }
}

/** Only name and image decide whether a running container must be replaced (helpers.go HashContainer). */
export const hashContainer = (container: Container): string => hex64(JSON.stringify([container.name, container.image ?? ''])).slice(0, 16)

/** The newest container of that name. */
export function findStatus(status: RuntimePodStatus | undefined, name: string): RuntimeContainerStatus | undefined {
  return status?.containers.find((c) => c.name === name)
}

export function shouldRestart(container: Container, pod: Pod, exitCode: number): boolean {
  if (container.restartPolicy !== undefined) {
    for (const rule of container.restartPolicyRules ?? []) {
      const codes = rule.exitCodes
      if (!codes) continue
      const listed = (codes.values ?? []).includes(exitCode)
      if (codes.operator === 'In' ? listed : !listed) return rule.action === 'Restart' || rule.action === 'RestartAllContainers'
    }
    return container.restartPolicy === 'Always' || (container.restartPolicy === 'OnFailure' && exitCode !== 0)
  }
  const { restartPolicy = 'Always' } = specOf(pod)
  return restartPolicy === 'Always' || (restartPolicy === 'OnFailure' && exitCode !== 0)
}

/** helpers.go ShouldContainerBeRestarted. */
export function shouldContainerBeRestarted(container: Container, pod: Pod, podStatus: RuntimePodStatus | undefined): boolean {
  if (pod.metadata.deletionTimestamp) return false
  const status = findStatus(podStatus, container.name)
  if (!status) return true
  if (status.state === 'CONTAINER_RUNNING') return false
  if (status.state === 'CONTAINER_UNKNOWN' || status.state === 'CONTAINER_CREATED') return true
  return shouldRestart(container, pod, status.exitCode)
}

export function hasAnyRegularContainerStarted(spec: PodSpec, statuses: readonly ContainerStatus[] | undefined): boolean {
  return (statuses ?? []).some(
    (s) => spec.containers.some((c) => c.name === s.name) && (s.state?.running !== undefined || s.state?.terminated !== undefined),
  )
}

export function hasAnyRegularContainerCreated(pod: Pod, podStatus: RuntimePodStatus | undefined): boolean {
  return specOf(pod).containers.some((c) => {
    const status = findStatus(podStatus, c.name)
    return status !== undefined && status.state !== 'CONTAINER_UNKNOWN'
  })
}

export interface SandboxChange {
  readonly changed: boolean
  readonly attempt: number
  readonly id: string
}

/** kuberuntime/util: PodSandboxChanged. */
export function sandboxChanged(pod: Pod, podStatus: RuntimePodStatus | undefined): SandboxChange {
  const sandboxes = podStatus?.sandboxes ?? []
  const latest = sandboxes[0]
  if (!latest) return { changed: true, attempt: 0, id: '' }
  const ready = sandboxes.filter((s) => s.state === 'SANDBOX_READY').length
  if (ready > 1 || latest.state !== 'SANDBOX_READY') return { changed: true, attempt: latest.attempt + 1, id: latest.id }
  if (latest.hostNetwork !== isHostNetwork(pod)) return { changed: true, attempt: latest.attempt + 1, id: '' }
  if (!isHostNetwork(pod) && latest.ip === '') return { changed: true, attempt: latest.attempt + 1, id: latest.id }
  return { changed: false, attempt: latest.attempt, id: latest.id }
}

export function qosClass(pod: Pod): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  if (pod.status?.qosClass) return pod.status.qosClass as 'Guaranteed'
  const all = [...specOf(pod).containers, ...(specOf(pod).initContainers ?? [])]
  const positive = (list: Record<string, string> | undefined, name: string): string | undefined =>
    list?.[name] !== undefined && quantitySign(list[name]) > 0 ? list[name] : undefined
  let any = false
  let guaranteed = true
  for (const c of all) {
    for (const name of ['cpu', 'memory']) {
      const request = positive(c.resources?.requests, name)
      const limit = positive(c.resources?.limits, name)
      if (request !== undefined || limit !== undefined) any = true
      if (limit === undefined || (request !== undefined && compareQuantities(request, limit) !== 0)) guaranteed = false
    }
  }
  return !any ? 'BestEffort' : guaranteed ? 'Guaranteed' : 'Burstable'
}

export const findCondition = (status: PodStatus | undefined, type: string): PodCondition | undefined =>
  status?.conditions?.find((c) => c.type === type)

/** types/pod_status.go: conditions that the kubelet alone writes. */
const OWNED = new Set([
  'PodScheduled',
  'Ready',
  'Initialized',
  'ContainersReady',
  'PodReadyToStartContainers',
  'PodResizeInProgress',
  'PodResizePending',
  'AllContainersRestarting',
])
export const ownedByKubelet = (type: string): boolean => OWNED.has(type)
export const sharedByKubelet = (type: string): boolean => type === 'DisruptionTarget'

export function jitter(ms: number, factor: number, random: number): number {
  return ms * (1 + factor * random)
}

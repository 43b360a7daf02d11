// A pod as the plugins need it: parsed once per object (pkg/scheduler/framework/types.go PodInfo).
import type { Labels } from '../../../api/labels.ts'
import type { Pod, Toleration } from '../../../api/types/kubernetes.gen.ts'
import { type AffinityTerm, preferredTerms, requiredTerms } from './affinity.ts'
import { podRequests, type Resource } from './resources.ts'

export interface HostPort {
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

export interface PodInfo {
  readonly pod: Pod
  /** namespace/name. */
  readonly key: string
  readonly uid: string
  readonly namespace: string
  readonly name: string
  readonly labels: Labels | undefined
  readonly priority: number
  readonly terminating: boolean
  readonly requests: Resource
  /** Requests in which missing ones are replaced by 100m and 200 MiB per container. */
  readonly nonZeroMilliCPU: number
  readonly nonZeroMemory: number
  readonly tolerations: readonly Toleration[]
  readonly hostPorts: readonly HostPort[]
  /** namespace/claim of every claim that its volumes use, and of those that they name (not of generic ephemeral volumes). */
  readonly claims: readonly string[]
  readonly namedClaims: readonly string[]
  readonly requiredAffinity: readonly AffinityTerm[]
  readonly requiredAntiAffinity: readonly AffinityTerm[]
  readonly preferredAffinity: readonly AffinityTerm[]
  readonly preferredAntiAffinity: readonly AffinityTerm[]
  readonly hasAffinity: boolean
  /** See localKeys. */
  keys: LocalKeys | undefined
}

const infos = new WeakMap<Pod, PodInfo>()
const NO_TOLERATIONS: readonly Toleration[] = []
const NO_PORTS: readonly HostPort[] = []
const NO_CLAIMS: readonly string[] = []

export function podInfo(pod: Pod): PodInfo {
  let info = infos.get(pod)
  if (!info) {
    info = parse(pod)
    infos.set(pod, info)
  }
  return info
}

/** The same pod on a node: nothing that was parsed changes. */
export function assumedPodInfo(info: PodInfo, nodeName: string): PodInfo {
  const pod: Pod = { ...info.pod, spec: { ...(info.pod.spec as NonNullable<Pod['spec']>), nodeName } }
  const assumed: PodInfo = { ...info, pod, keys: undefined }
  infos.set(pod, assumed)
  return assumed
}

function parse(pod: Pod): PodInfo {
  const { metadata, spec } = pod
  const namespace = metadata.namespace ?? ''
  const name = metadata.name ?? ''
  const requests = podRequests(pod, false)
  const nonZero = podRequests(pod, true)
  const affinity = spec?.affinity
  return {
    pod,
    key: `${namespace}/${name}`,
    uid: metadata.uid ?? `${namespace}/${name}`,
    namespace,
    name,
    labels: metadata.labels,
    priority: spec?.priority ?? 0,
    terminating: metadata.deletionTimestamp !== undefined,
    requests,
    nonZeroMilliCPU: nonZero.milliCPU,
    nonZeroMemory: nonZero.memory,
    tolerations: spec?.tolerations ?? NO_TOLERATIONS,
    hostPorts: hostPorts(pod),
    claims: claims(pod, true),
    namedClaims: claims(pod, false),
    requiredAffinity: requiredTerms(pod, affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAntiAffinity: requiredTerms(pod, affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferredTerms(pod, affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferredTerms(pod, affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    hasAffinity: (affinity?.podAffinity ?? affinity?.podAntiAffinity ?? undefined) !== undefined,
    keys: undefined,
  }
}

/** Host ports of app containers and sidecars; pkg/scheduler/util GetHostPorts. */
function hostPorts(pod: Pod): readonly HostPort[] {
  let out: HostPort[] | undefined
  const from = (containers: NonNullable<Pod['spec']>['containers'], sidecarsOnly: boolean): void => {
    for (const container of containers) {
      if (sidecarsOnly && container.restartPolicy !== 'Always') continue
      for (const port of container.ports ?? []) {
        if (!port.hostPort || port.hostPort <= 0) continue
        out ??= []
        out.push({ ip: port.hostIP || '0.0.0.0', protocol: port.protocol || 'TCP', port: port.hostPort })
      }
    }
  }
  from(pod.spec?.initContainers ?? [], true)
  from(pod.spec?.containers ?? [], false)
  return out ?? NO_PORTS
}

/** The claim a volume uses, by its own name or (generic ephemeral volumes) by that of pod and volume. */
export function volumeClaimName(pod: Pod, volume: NonNullable<NonNullable<Pod['spec']>['volumes']>[number]): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName
  if (volume.ephemeral) return `${pod.metadata.name}-${volume.name}`
  return undefined
}

function claims(pod: Pod, ephemeral: boolean): readonly string[] {
  let out: string[] | undefined
  for (const volume of pod.spec?.volumes ?? []) {
    const claim = volumeClaimName(pod, volume)
    if (claim === undefined || (volume.ephemeral && !ephemeral)) continue
    out ??= []
    out.push(`${pod.metadata.namespace ?? ''}/${claim}`)
  }
  return out ?? NO_CLAIMS
}

/** Keys under which results are shared between pods of one kind: equal for equal signatures, and compared by identity. */
export interface LocalKeys {
  readonly filter: object
  /** By plugin. */
  readonly scores: Map<string, object>
  /** Victims on a node, by the preemptor's priority. */
  readonly victims: Map<number, object>
}

const KINDS_LIMIT = 1024
const kinds = new Map<string, LocalKeys>()

/** Pods with the same keys fare alike on a node, as far as local plugins go. */
export function localKeys(info: PodInfo): LocalKeys {
  if (info.keys) return info.keys
  const signature = localSignature(info)
  let keys = kinds.get(signature)
  if (!keys) {
    if (kinds.size >= KINDS_LIMIT) kinds.clear()
    keys = { filter: {}, scores: new Map(), victims: new Map() }
    kinds.set(signature, keys)
  }
  info.keys = keys
  return keys
}

export function keyIn<K>(keys: Map<K, object>, key: K): object {
  let found = keys.get(key)
  if (!found) {
    found = {}
    keys.set(key, found)
  }
  return found
}

/** Everything that local plugins look at. */
function localSignature({ requests, pod, nonZeroMilliCPU, nonZeroMemory, hostPorts }: PodInfo): string {
  const spec = pod.spec
  return JSON.stringify([
    requests.milliCPU,
    requests.memory,
    requests.ephemeralStorage,
    requests.scalar.size === 0 ? 0 : [...requests.scalar],
    nonZeroMilliCPU,
    nonZeroMemory,
    spec?.tolerations ?? 0,
    spec?.nodeSelector ?? 0,
    spec?.affinity?.nodeAffinity ?? 0,
    hostPorts,
    spec?.nodeName ?? 0,
  ])
}

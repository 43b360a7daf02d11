// Values of the downward API: fields of the pod and resources of its containers (pkg/fieldpath, pkg/api/v1/resource/helpers.go).
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import { quantityMilliValue, quantityValue } from '../../api/quantity.ts'
import { findSpec, specOf } from './pod-util.ts'

export interface PodAddresses {
  readonly podIPs: readonly string[]
  readonly hostIP: string
  readonly node: string
  /** When the kubelet first saw the pod: RFC 3339 with nanoseconds. */
  readonly seen?: string
}

/** The kubelet marks every pod with where it came from (pkg/kubelet/config). */
function annotationsOf(pod: Pod, addresses: PodAddresses): Record<string, string> {
  return {
    'kubernetes.io/config.source': 'api',
    ...(addresses.seen === undefined ? {} : { 'kubernetes.io/config.seen': addresses.seen }),
    ...pod.metadata.annotations,
  }
}

const goString = (text: string): string => JSON.stringify(text)

/** `key="value"` lines, sorted, as a volume file has them. */
function mapText(map: Record<string, string> | undefined): string {
  return Object.entries(map ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([k, v]) => `${k}=${goString(v)}`)
    .join('\n')
}

export function fieldValue(pod: Pod, path: string, addresses: PodAddresses): string {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(path)
  if (subscript) {
    const map = subscript[1] === 'labels' ? pod.metadata.labels : annotationsOf(pod, addresses)
    return map && Object.hasOwn(map, subscript[2] as string) ? (map[subscript[2] as string] as string) : ''
  }
  switch (path) {
    case 'metadata.name':
      return pod.metadata.name ?? ''
    case 'metadata.namespace':
      return pod.metadata.namespace ?? ''
    case 'metadata.uid':
      return pod.metadata.uid ?? ''
    case 'metadata.labels':
      return mapText(pod.metadata.labels)
    case 'metadata.annotations':
      return mapText(annotationsOf(pod, addresses))
    case 'spec.nodeName':
      return specOf(pod).nodeName ?? ''
    case 'spec.serviceAccountName':
      return specOf(pod).serviceAccountName ?? ''
    case 'status.hostIP':
    case 'status.hostIPs':
      return addresses.hostIP
    case 'status.podIP':
      return addresses.podIPs[0] ?? ''
    case 'status.podIPs':
      return addresses.podIPs.join(',')
    default:
      return ''
  }
}

export type Allocatable = Readonly<Record<string, string>>

/** Limits that are not set count as what the node can give. */
export function resourceValue(
  pod: Pod,
  containerName: string,
  resource: string,
  divisor: string | undefined,
  allocatable: Allocatable,
): string {
  const container = findSpec(pod, containerName)?.container
  const [list, ...rest] = resource.split('.')
  const name = rest.join('.')
  const own = (list === 'limits' ? container?.resources?.limits : container?.resources?.requests)?.[name]
  const value = own ?? (list === 'limits' ? allocatable[name] : undefined) ?? '0'
  const unit = divisor === undefined || divisor === '0' ? '1' : divisor
  if (name === 'cpu') return String(Math.ceil(quantityMilliValue(value) / quantityMilliValue(unit)))
  return String(Math.ceil(quantityValue(value) / quantityValue(unit)))
}

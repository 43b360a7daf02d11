// The IPAddress objects of a Service: pkg/registry/core/service/ipallocator/ipallocator.go createIPAddress, Release. They are written in the
// Service's own transaction, so no address is given out twice.
import type { KubeObject } from '../../../../api/types/object.ts'
import { formatTime } from '../../../../api/time.ts'
import { formatIP, parseIP } from '../../../../api/validation/ip.ts'
import { newUid } from '../../uuid.ts'
import type { Companion, RegistryView } from '../strategy.ts'

const RESOURCE = 'ipaddresses.networking.k8s.io'

function addressesOf(service: KubeObject | undefined): string[] {
  const ips = (service?.spec.clusterIPs ?? []) as string[]
  return ips.flatMap((text) => {
    const ip = parseIP(text)
    return ip === undefined ? [] : [formatIP(ip.family, ip.value)]
  })
}

function ipAddress(address: string, { metadata }: KubeObject, view: RegistryView): KubeObject {
  const now = formatTime(view.nowMs)
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name: address,
      uid: newUid(() => view.random()),
      creationTimestamp: now,
      labels: {
        'ipaddress.kubernetes.io/ip-family': address.includes(':') ? 'IPv6' : 'IPv4',
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
      managedFields: [
        {
          manager: 'kube-apiserver',
          operation: 'Update',
          apiVersion: 'networking.k8s.io/v1',
          time: now,
          fieldsType: 'FieldsV1',
          fieldsV1: {
            'f:metadata': {
              'f:labels': { '.': {}, 'f:ipaddress.kubernetes.io/ip-family': {}, 'f:ipaddress.kubernetes.io/managed-by': {} },
            },
            'f:spec': { 'f:parentRef': { '.': {}, 'f:name': {}, 'f:namespace': {}, 'f:resource': {} } },
          },
        },
      ],
    },
    spec: { parentRef: { resource: 'services', namespace: metadata.namespace ?? '', name: metadata.name ?? '' } },
  }
}

/** What the change of a Service from `old` to `next` does to IPAddresses. */
export function addressCompanions(next: KubeObject, old: KubeObject | undefined, view: RegistryView): Companion[] {
  const before = addressesOf(old)
  const after = addressesOf(next)
  return [
    ...after.filter((a) => !before.includes(a)).map((a): Companion => ({ resource: RESOURCE, create: ipAddress(a, next, view) })),
    ...before.filter((a) => !after.includes(a)).map((name): Companion => ({ resource: RESOURCE, remove: { namespace: '', name } })),
  ]
}

export const releasedAddresses = (service: KubeObject): { resource: string; namespace: string; name: string }[] =>
  addressesOf(service).map((name) => ({ resource: RESOURCE, namespace: '', name }))

// Services and EndpointSlices as DNS looks them up.
import type { EndpointSlice, Service } from '../../api/types/kubernetes.gen.ts'
import type { DnsData } from './answer.ts'

const SERVICE_NAME = 'kubernetes.io/service-name'

export function dnsData(services: readonly Service[], slices: readonly EndpointSlice[], namespaces: Iterable<string>): DnsData {
  const names = new Set(namespaces)
  const byName = group(services, (s) => [`${s.metadata.namespace}/${s.metadata.name}`])
  const byClusterIP = group(services, (s) =>
    s.spec?.type === 'ExternalName' ? [] : [...new Set([...(s.spec?.clusterIPs ?? []), s.spec?.clusterIP ?? ''])],
  )
  const byService = group(slices, (s) => {
    const labels = s.metadata.labels ?? {}
    return Object.hasOwn(labels, SERVICE_NAME) ? [`${s.metadata.namespace}/${labels[SERVICE_NAME]}`] : []
  })
  const byAddress = group(slices, (s) => [...new Set((s.endpoints ?? []).flatMap((e) => e.addresses))])
  return {
    services: (namespace, name) => byName.get(`${namespace}/${name}`) ?? [],
    slices: (namespace, service) => byService.get(`${namespace}/${service}`) ?? [],
    servicesByIP: (ip) => byClusterIP.get(ip) ?? [],
    slicesByIP: (ip) => (byAddress.get(ip) ?? []).filter((s) => Object.hasOwn(s.metadata.labels ?? {}, SERVICE_NAME)),
    hasNamespace: (name) => names.has(name),
  }
}

function group<T>(items: readonly T[], keys: (item: T) => readonly string[]): ReadonlyMap<string, readonly T[]> {
  const out = new Map<string, T[]>()
  for (const item of items)
    for (const key of keys(item)) {
      const list = out.get(key)
      if (list) list.push(item)
      else out.set(key, [item])
    }
  return out
}

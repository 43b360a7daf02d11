// /etc/hosts and /etc/resolv.conf of a pod (pkg/kubelet/kubelet_pods.go, pkg/kubelet/network/dns).
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import { isHostNetwork, namespaceOf, specOf } from './pod-util.ts'

const HEADER = '# Kubernetes-managed hosts file.\n'
const HOST_HEADER = '# Kubernetes-managed hosts file (host network).\n'

export function hostsFile(pod: Pod, ips: readonly string[], hostname: string, domain: string): string {
  const aliases = specOf(pod).hostAliases ?? []
  const extra =
    aliases.length === 0
      ? ''
      : `\n# Entries added by HostAliases.\n${aliases.map((a) => `${[a.ip, ...(a.hostnames ?? [])].join('\t')}\n`).join('')}`
  if (isHostNetwork(pod)) return `${HOST_HEADER}127.0.0.1\tlocalhost\n${extra}`
  const base = `${HEADER}127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::0\tip6-localnet\nfe00::0\tip6-mcastprefix\nfe00::1\tip6-allnodes\nfe00::2\tip6-allrouters\n`
  const own = ips.map((ip) => (domain === '' ? `${ip}\t${hostname}\n` : `${ip}\t${hostname}.${domain}\t${hostname}\n`)).join('')
  return base + own + extra
}

export interface PodDns {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly string[]
}

/** The node's own resolver, for pods that do not use the cluster's. */
const HOST_DNS: PodDns = { servers: ['172.18.0.1'], searches: [], options: [] }

export function podDns(pod: Pod, clusterDNS: readonly string[], clusterDomain: string): PodDns {
  const spec = specOf(pod)
  const policy = spec.dnsPolicy ?? 'ClusterFirst'
  let dns: PodDns
  if (policy === 'None') dns = { servers: [], searches: [], options: [] }
  else if (policy === 'Default' || (policy === 'ClusterFirst' && isHostNetwork(pod)) || clusterDNS.length === 0) dns = HOST_DNS
  else
    dns = {
      servers: clusterDNS,
      searches: [`${namespaceOf(pod)}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain, ...HOST_DNS.searches],
      options: ['ndots:5'],
    }
  const own = spec.dnsConfig
  if (!own) return dns
  const options = new Map(dns.options.map((o): [string, string] => [o.split(':')[0] as string, o]))
  for (const o of own.options ?? []) options.set(o.name ?? '', o.value === undefined ? (o.name ?? '') : `${o.name}:${o.value}`)
  const unique = (list: readonly string[]): string[] => [...new Set(list)]
  return {
    servers: unique([...dns.servers, ...(own.nameservers ?? [])]),
    searches: unique([...dns.searches, ...(own.searches ?? [])]),
    options: [...options.values()],
  }
}

export function resolvConf(pod: Pod, clusterDNS: readonly string[], clusterDomain: string): string {
  const dns = podDns(pod, clusterDNS, clusterDomain)
  return [
    ...(dns.searches.length > 0 ? [`search ${dns.searches.join(' ')}\n`] : []),
    ...dns.servers.map((s) => `nameserver ${s}\n`),
    ...(dns.options.length > 0 ? [`options ${dns.options.join(' ')}\n`] : []),
  ].join('')
}

// The `kubernetes` Service with its endpoints: pkg/controlplane/controller/kubernetesservice, reconcilers/lease.go.
import type { KubeObject } from '../../../api/types/object.ts'
import type { KubeApiserverConfig } from '../types.ts'

/** The first address of the service range. */
export function firstServiceIP(cidr: string): string {
  const [address = '10.96.0.0'] = cidr.split('/')
  const parts = address.split('.').map(Number)
  parts[3] = (parts[3] ?? 0) + 1
  return parts.join('.')
}

export function kubernetesService(config: KubeApiserverConfig): KubeObject[] {
  const labels = { component: 'apiserver', provider: 'kubernetes' }
  const ip = config.advertiseAddress
  return [
    // pkg/controlplane/controller/defaultservicecidr
    { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'kubernetes' }, spec: { cidrs: [config.serviceCIDR] } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'kubernetes', namespace: 'default', labels },
      spec: {
        clusterIP: firstServiceIP(config.serviceCIDR),
        type: 'ClusterIP',
        sessionAffinity: 'None',
        ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: 6443 }],
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'kubernetes', namespace: 'default', labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip }], ports: [{ name: 'https', port: 6443, protocol: 'TCP' }] }],
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [ip], conditions: { ready: true } }],
      ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
    },
  ]
}

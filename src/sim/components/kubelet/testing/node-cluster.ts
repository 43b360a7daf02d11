// A cluster of one control plane and some workers without kube-proxy, DNS or network: what the kubelet's own cases need.
import { createApiCluster } from '../../../cluster/door.ts'
import type { Simulation } from '../../../cluster/simulation.ts'
import type { ComponentType } from '../../../net/context.ts'
import { containerdType, defaultContainerdConfig } from '../../runtime/containerd.ts'
import type { KubeletConfig } from '../config.ts'
import { kubeletType } from '../kubelet.ts'

const SERVER = 'kube-apiserver/control-plane'

export const nodeIP = (i: number): string => `172.18.0.${10 + i}`

export function kubeletConfig(node: string, ip: string): KubeletConfig {
  return {
    node,
    nodeIP: ip,
    client: { servers: [SERVER], user: `system:node:${node}`, groups: ['system:nodes'], userAgent: 'kubelet/v1.35.4 (linux/amd64) kubernetes/orrery', sourceIP: ip },
    runtime: `containerd/${node}`,
    capacity: { cpu: '4', memory: '8Gi', ephemeralStorage: '100Gi', pods: 110 },
    labels: {},
    taints: [],
    clusterDNS: ['10.96.0.10'],
    clusterDomain: 'cluster.local',
    passPodCIDR: true,
    manifests: [],
  }
}

export interface NodeClusterOptions {
  readonly seed?: number
  readonly nodes?: number
  readonly images?: readonly string[]
  readonly types?: readonly ComponentType[]
  readonly processes?: readonly { id: string; type: string; host: string; config: unknown }[]
}

export function createNodeCluster(options: NodeClusterOptions = {}): Simulation {
  const count = options.nodes ?? 3
  const names = Array.from({ length: count }, (_, i) => `node-${i + 1}`)
  const sim = createApiCluster({ profile: 'api', seed: options.seed ?? 1, types: [kubeletType, containerdType, ...(options.types ?? [])], processes: options.processes ?? [] })
  names.forEach((name, i) => {
    sim.network.addHost({ name, ip: nodeIP(i + 1), role: 'worker', up: true })
    sim.boot({ id: `containerd/${name}`, type: 'containerd', host: name, config: { ...defaultContainerdConfig(name, nodeIP(i + 1)), images: options.images ?? [] } })
    sim.boot({ id: `kubelet/${name}`, type: 'kubelet', host: name, config: kubeletConfig(name, nodeIP(i + 1)) })
  })
  return sim
}

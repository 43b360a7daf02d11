// Builds a cluster and lets it come up, to the moment at which the visitor takes over. The only importer of components.
import { type KubeApiserverConfig, kubeApiserverType } from '../components/apiserver/apiserver.ts'
import { storageFolder } from '../components/apiserver/storage-keys.ts'
import { clientType } from '../components/client/client.ts'
import { kubeControllerManagerType, type KubeControllerManagerConfig } from '../components/controller-manager/manager.ts'
import { corednsType } from '../components/dns/coredns.ts'
import { etcdType } from '../components/etcd/etcd.ts'
import type { EtcdConfig, SoftState } from '../components/etcd/raft/types.ts'
import type { Meta } from '../components/etcd/store/mvcc.ts'
import type { KeyValue } from '../components/etcd/types.ts'
import { kernelType } from '../components/kube-proxy/kernel.ts'
import { kubeProxyType } from '../components/kube-proxy/kube-proxy.ts'
import { kubeadmType } from '../components/kubeadm/kubeadm.ts'
import { CNI_IMAGE, cniObjects, initObjects, staticPods } from '../components/kubeadm/manifests.ts'
import { kubectlType } from '../components/kubectl/kubectl.ts'
import type { KubeletConfig } from '../components/kubelet/config.ts'
import { kubeletType } from '../components/kubelet/kubelet.ts'
import { containerdType } from '../components/runtime/containerd.ts'
import type { ContainerdConfig } from '../components/runtime/state.ts'
import { schedulerClient } from '../components/scheduler/config.ts'
import { kubeSchedulerType } from '../components/scheduler/scheduler.ts'
import type { KubeObject } from '../api/types/object.ts'
import type { ClientConfig } from '../client/request.ts'
import type { ComponentId } from '../engine/types.ts'
import type { HistoryOptions } from '../engine/history.ts'
import { agentType } from '../components/cni/agent.ts'
import { DOOR, doorType, STATIC_TOKENS } from './door.ts'
import { faultInjectorType, type FaultInjectorConfig } from './fault-injector.ts'
import { Simulation } from './simulation.ts'
import { checkSpec, CLASSROOM, type ClusterSpec } from './spec.ts'

/** api, scheduling and cluster are the set-ups of the recordings; default is the cluster of the page. */
export type Profile = 'api' | 'scheduling' | 'cluster' | 'default'

export interface ClusterOptions extends HistoryOptions {
  readonly profile: Profile
  readonly seed: number
  readonly spec?: ClusterSpec
  /** The page needs no door; tests, the command line and the bridge do. */
  readonly door?: boolean
}

export interface Cluster {
  readonly sim: Simulation
  readonly spec: ClusterSpec
  readonly profile: Profile
  /** Virtual ms at which the visitor took over. */
  readonly startedAt: number
  /** Objects as committed, by registry id (`pods`, `deployments.apps`): from the member whose store is furthest. */
  stored(resource: string, namespace?: string): KubeObject[]
}

const TYPES = [
  etcdType,
  kubeApiserverType,
  kubeSchedulerType,
  kubeControllerManagerType,
  kubeletType,
  containerdType,
  kubeProxyType,
  kernelType,
  corednsType,
  agentType,
  clientType,
  kubeadmType,
  kubectlType,
  faultInjectorType,
  doorType,
]

const ROOT_CA =
  '-----BEGIN CERTIFICATE-----\nT3JyZXJ5IGRvZXMgbm90IGVuY3J5cHQ6IG1lc3NhZ2VzIG9mIHRoZSBzaW11bGF0aW9uIG5lZWQgbm8gc2VjcmV0cy4=\n-----END CERTIFICATE-----\n'
const DNS_IP = '10.96.0.10'
/** A registry nearby: 50 MB/s after 120 ms. */
const REGISTRY = { roundTripMs: 120, bytesPerSecond: 50e6 } as const
const CONTROL_PLANE_IMAGES = [
  'registry.k8s.io/kube-apiserver:v1.35.4',
  'registry.k8s.io/kube-controller-manager:v1.35.4',
  'registry.k8s.io/kube-scheduler:v1.35.4',
  'registry.k8s.io/etcd:3.6.6-0',
]
const NODE_IMAGES = [
  'registry.k8s.io/kube-proxy:v1.35.4',
  'registry.k8s.io/coredns/coredns:v1.13.1',
  'registry.k8s.io/pause:3.10.1',
  CNI_IMAGE,
]
/** Virtual ms that a cluster is left alone after everything is ready. */
const SETTLE_MS = 30_000
/** Virtual ms that a cluster may take to come up. */
const BOOT_LIMIT_MS = 10 * 60_000

interface Machine {
  readonly name: string
  readonly ip: string
  readonly role: 'control-plane' | 'worker'
}

export function machinesOf(spec: ClusterSpec): { controlPlanes: Machine[]; workers: Machine[] } {
  const controlPlanes = Array.from(
    { length: spec.controlPlanes },
    (_, i): Machine => ({
      name: spec.controlPlanes === 1 ? 'control-plane' : `control-plane-${i + 1}`,
      ip: `172.18.0.${2 + i}`,
      role: 'control-plane',
    }),
  )
  const workers = Array.from(
    { length: spec.workers },
    (_, i): Machine => ({ name: `node-${i + 1}`, ip: `172.18.0.${11 + i}`, role: 'worker' }),
  )
  return { controlPlanes, workers }
}

/** @throws RangeError for a spec that cannot be built; Error when the cluster does not come up. */
export function createCluster(options: ClusterOptions): Cluster {
  const { profile } = options
  const spec = checkSpec({ ...CLASSROOM, ...options.spec, ...(profile === 'default' ? {} : { controlPlanes: 1 as const }) })
  const sim = new Simulation({ ...options, types: TYPES, scenario: JSON.stringify({ profile, spec }) })
  const { controlPlanes, workers } = machinesOf(spec)
  const servers = controlPlanes.map((m) => `kube-apiserver/${m.name}`)
  const plan = makePlan(profile, spec, controlPlanes, workers, servers)

  for (const m of [...controlPlanes, ...workers]) sim.network.addHost({ name: m.name, ip: m.ip, role: m.role, up: true })
  sim.network.addHost({ name: 'you', ip: '172.18.0.1', role: 'visitor', up: true })
  sim.network.addHost({ name: 'outside', ip: '203.0.113.7', role: 'outside', up: true })
  const admin: ClientConfig = {
    servers,
    user: 'kubernetes-admin',
    groups: ['kubeadm:cluster-admins', 'system:masters'],
    userAgent: 'kubectl/v1.35.2 (linux/amd64) kubernetes/orrery',
    sourceIP: '172.18.0.1',
  }
  sim.boot({ id: 'kubectl', type: 'kubectl', host: 'you', config: { client: admin } })
  sim.boot({
    id: 'client',
    type: 'client',
    host: 'outside',
    config: {
      nodes: Object.fromEntries([...controlPlanes, ...workers].map((m) => [m.ip, m.name])),
      client: { ...admin, sourceIP: '203.0.113.7' },
    },
  })
  const hand: FaultInjectorConfig = {
    client: admin,
    boot: Object.fromEntries([...new Set(plan.boot.map((p) => p.host))].map((host) => [host, plan.boot.filter((p) => p.host === host)])),
    staticPods:
      profile === 'default'
        ? controlPlanes.flatMap((m) =>
            ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map((name) => `${name}/${m.name}`),
          )
        : [],
    processes: Object.fromEntries([...plan.boot, ...plan.contained].map(({ id, ...p }) => [id, p])),
  }
  sim.boot({ id: 'fault-injector', type: 'fault-injector', host: 'you', config: hand })
  if (options.door || profile !== 'default') sim.boot({ id: DOOR, type: 'door', host: 'you', config: null })
  for (const p of plan.boot) sim.boot(p)
  const cluster: Cluster = { sim, spec, profile, startedAt: 0, stored: (resource, namespace) => stored(sim, resource, namespace) }
  if (profile === 'default') {
    const node = controlPlanes[0] as Machine
    const init = { node, endpoint: node.ip, podCIDR: spec.podCIDR, serviceCIDR: spec.serviceCIDR, proxyMode: spec.proxyMode }
    sim.boot({
      id: `kubeadm/${node.name}`,
      type: 'kubeadm',
      host: node.name,
      config: {
        client: { ...admin, userAgent: 'kubeadm/v1.35.4' },
        objects: [...initObjects(init), ...cniObjects(spec.podCIDR)],
        controlPlaneNodes: controlPlanes.map((m) => m.name),
      },
    })
  }
  bringUp(cluster, plan.expectNodes)
  sim.baseline()
  return { ...cluster, startedAt: sim.now }
}

interface Start {
  readonly id: ComponentId
  readonly type: string
  readonly host: string
  readonly config: unknown
}

interface BootPlan {
  /** What runs as a process of the machine itself (systemd). */
  readonly boot: readonly Start[]
  /** What containers run; listed so that it can be started by name after it was stopped. */
  readonly contained: readonly Start[]
  readonly expectNodes: number
}

function makePlan(
  profile: Profile,
  spec: ClusterSpec,
  controlPlanes: readonly Machine[],
  workers: readonly Machine[],
  servers: readonly ComponentId[],
): BootPlan {
  const etcd: EtcdConfig = { members: controlPlanes.map((m) => `etcd/${m.name}`), fsyncMs: spec.etcdFsyncMs }
  const apiserver = (m: Machine): KubeApiserverConfig => ({
    etcd: [`etcd/${m.name}`, ...etcd.members.filter((e) => e !== `etcd/${m.name}`)],
    advertiseAddress: m.ip,
    serviceCIDR: spec.serviceCIDR,
    nodePortRange: '30000-32767',
    tokens: profile === 'default' ? {} : STATIC_TOKENS,
    enabledAdmission: ['NodeRestriction'],
    ...(profile === 'scheduling' ? { disabledAdmission: ['TaintNodesByCondition'] } : {}),
  })
  const manager = (m: Machine): KubeControllerManagerConfig => ({
    servers: nearest(m, servers),
    profile: profile === 'default' ? 'cluster' : profile,
    leaderElect: profile === 'default',
    allocateNodeCIDRs: profile === 'cluster' || profile === 'default',
    clusterCIDR: spec.podCIDR,
    rootCA: ROOT_CA,
  })
  const scheduler = (m: Machine) => ({ client: schedulerClient(nearest(m, servers)), leaderElect: profile === 'default' })
  const control = (m: Machine): Start[] => [
    { id: `etcd/${m.name}`, type: 'etcd', host: m.name, config: etcd },
    { id: `kube-apiserver/${m.name}`, type: 'kube-apiserver', host: m.name, config: apiserver(m) },
    { id: `kube-controller-manager/${m.name}`, type: 'kube-controller-manager', host: m.name, config: manager(m) },
    ...(profile === 'api' ? [] : [{ id: `kube-scheduler/${m.name}`, type: 'kube-scheduler', host: m.name, config: scheduler(m) }]),
  ]
  const proxy = (m: Machine) => ({
    // kubeadm binds the service account to system:node-proxier; without kubeadm only the user of the bootstrap policy may read Services.
    client: {
      servers,
      ...(profile === 'default'
        ? {
            user: 'system:serviceaccount:kube-system:kube-proxy',
            groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:node-proxier'],
          }
        : { user: 'system:kube-proxy', groups: [] }),
      userAgent: 'kube-proxy/v1.35.4',
      sourceIP: m.ip,
    } satisfies ClientConfig,
    node: m.name,
    nodeIP: m.ip,
    mode: spec.proxyMode,
    clusterCIDR: spec.podCIDR,
  })
  const kernel = (m: Machine): Start => ({
    id: `kernel/${m.name}`,
    type: 'kernel',
    host: m.name,
    config: {
      node: m.name,
      nodeIP: m.ip,
      podCIDR: spec.podCIDR,
      nodes: Object.fromEntries([...controlPlanes, ...workers].map((o) => [o.ip, o.name])),
    },
  })
  const node = (m: Machine): Start[] => {
    const recorded = profile === 'cluster'
    const init = {
      node: m,
      endpoint: (controlPlanes[0] as Machine).ip,
      podCIDR: spec.podCIDR,
      serviceCIDR: spec.serviceCIDR,
      proxyMode: spec.proxyMode,
    }
    const containerd: ContainerdConfig = {
      node: m.name,
      nodeIP: m.ip,
      kubelet: `kubelet/${m.name}`,
      registry: recorded ? { pullMs: 300 } : REGISTRY,
      images: recorded ? [] : m.role === 'control-plane' ? [...CONTROL_PLANE_IMAGES, ...NODE_IMAGES] : NODE_IMAGES,
      cni: recorded ? 'runtime-config' : 'agent',
      processes: recorded
        ? {}
        : {
            etcd,
            'kube-apiserver': apiserver(m),
            'kube-controller-manager': manager(m),
            'kube-scheduler': scheduler(m),
            'kube-proxy': proxy(m),
            coredns: {
              client: {
                servers,
                user: 'system:serviceaccount:kube-system:coredns',
                groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
                userAgent: 'coredns/1.13.1',
                sourceIP: m.ip,
              },
            },
            kindnetd: {
              client: {
                servers,
                user: 'system:serviceaccount:kube-system:kindnet',
                groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
                userAgent: 'kindnetd',
                sourceIP: m.ip,
              },
              podCIDR: spec.podCIDR,
            },
          },
      network: `kernel/${m.name}`,
    }
    const kubelet: KubeletConfig = {
      node: m.name,
      nodeIP: m.ip,
      client: {
        servers: nearest(m, servers),
        user: `system:node:${m.name}`,
        groups: ['system:nodes'],
        userAgent: 'kubelet/v1.35.4 (linux/amd64) kubernetes/orrery',
        sourceIP: m.ip,
      },
      runtime: `containerd/${m.name}`,
      capacity: { cpu: spec.workerCpu, memory: spec.workerMemory, ephemeralStorage: '100Gi', pods: 110 },
      labels: {},
      taints: [],
      clusterDNS: [DNS_IP],
      clusterDomain: 'cluster.local',
      passPodCIDR: recorded,
      manifests: !recorded && m.role === 'control-plane' ? staticPods(init, controlPlanes) : [],
    }
    return [
      kernel(m),
      { id: `containerd/${m.name}`, type: 'containerd', host: m.name, config: containerd },
      { id: `kubelet/${m.name}`, type: 'kubelet', host: m.name, config: kubelet },
    ]
  }
  const first = controlPlanes[0] as Machine
  if (profile === 'api' || profile === 'scheduling') return { boot: control(first), contained: [], expectNodes: 0 }
  if (profile === 'cluster')
    return {
      boot: [
        ...control(first),
        ...workers.flatMap((m) => [...node(m), { id: `kube-proxy/${m.name}`, type: 'kube-proxy', host: m.name, config: proxy(m) }]),
      ],
      contained: [],
      expectNodes: workers.length,
    }
  const all = [...controlPlanes, ...workers]
  return {
    boot: all.flatMap(node),
    contained: [
      ...controlPlanes.flatMap(control),
      ...all.map((m) => ({ id: `kube-proxy/${m.name}`, type: 'kube-proxy', host: m.name, config: proxy(m) })),
    ],
    expectNodes: all.length,
  }
}

/** A control-plane machine's own server first; for others the order given stands for the load balancer in front. */
function nearest(m: Machine, servers: readonly ComponentId[]): ComponentId[] {
  const own = `kube-apiserver/${m.name}`
  return servers.includes(own) ? [own, ...servers.filter((s) => s !== own)] : [...servers]
}

function bringUp(cluster: Cluster, expectNodes: number): void {
  const { sim, profile } = cluster
  const limit = sim.now + BOOT_LIMIT_MS
  const server = sim.processList().find((p) => p.type === 'kube-apiserver')?.id ?? ''
  const bootstrapped = (): boolean =>
    sim
      .processList()
      .some((p) => p.type === 'kube-apiserver' && sim.peek<{ done?: boolean }>(p.id, 'bootstrap').get('progress')?.done === true)
  // Looking at all objects after every step would be slow: the cluster is asked every virtual 250 ms.
  for (let at = sim.now; at < limit; at += 250) {
    sim.runToTime(at)
    if (!bootstrapped() || !isUp(cluster, expectNodes)) continue
    if (profile === 'default' && sim.processList().some((p) => p.type === 'kubeadm' && p.running)) continue
    // What was held up while the API server was not there yet (events of static pods, retries) comes in late.
    sim.runToTime(sim.now + SETTLE_MS)
    sim.runUntil({ kind: 'quiet' }, 200_000)
    return
  }
  const nodes = cluster.stored('nodes').map((n) => `${n.metadata.name}:${ready(n) ? 'Ready' : 'NotReady'}`)
  const waiting = cluster
    .stored('pods')
    .filter((p) => !ready(p))
    .map((p) => `${p.metadata.name}:${p.status?.phase}`)
  throw new Error(
    `the cluster did not come up within ${BOOT_LIMIT_MS / 60_000} virtual minutes; API server ${server} ${bootstrapped() ? 'is' : 'is not'} up; nodes ${nodes.join(' ')}; waiting for ${waiting.join(' ')}`,
  )
}

function isUp(cluster: Cluster, expectNodes: number): boolean {
  const nodes = cluster.stored('nodes')
  if (nodes.length < expectNodes || !nodes.every(ready)) return false
  if (!cluster.stored('serviceaccounts', 'default').some((s) => s.metadata.name === 'default')) return false
  if (cluster.profile !== 'default') return true
  const system = cluster.stored('pods', 'kube-system')
  const deployment = cluster.stored('deployments.apps', 'kube-system').find((d) => d.metadata.name === 'coredns')
  const daemons = cluster.stored('daemonsets.apps', 'kube-system')
  return (
    (deployment?.status?.availableReplicas ?? 0) >= 2 &&
    daemons.length >= 2 &&
    daemons.every((d) => (d.status?.numberReady ?? 0) >= expectNodes) &&
    system.every(ready)
  )
}

const ready = (object: KubeObject): boolean =>
  ((object.status?.conditions ?? []) as { type: string; status: string }[]).some((c) => c.type === 'Ready' && c.status === 'True')

/** The member whose store is furthest, dead or alive. */
export function furthestMember(sim: Simulation): ComponentId | undefined {
  let best: { id: ComponentId; revision: number; leads: boolean } | undefined
  for (const p of sim.processList()) {
    if (p.type !== 'etcd') continue
    const revision = sim.peek<Meta>(p.id, 'meta').get('meta')?.revision ?? 0
    const leads = sim.peek<SoftState>(p.id, 'soft').get('state')?.role === 'leader'
    if (!best || revision > best.revision || (revision === best.revision && leads && !best.leads)) best = { id: p.id, revision, leads }
  }
  return best?.id
}

export function stored(sim: Simulation, resource: string, namespace?: string): KubeObject[] {
  const member = furthestMember(sim)
  if (!member) return []
  const [plural = resource, ...group] = resource.split('.')
  const folder = storageFolder(group.join('.'), plural, false)
  const kv = sim.peek<KeyValue<KubeObject>>(member, 'kv')
  return kv
    .keysWithPrefix(`/registry/${folder}/${namespace === undefined ? '' : `${namespace}/`}`)
    .map((key) => (kv.get(key) as KeyValue<KubeObject>).value)
}

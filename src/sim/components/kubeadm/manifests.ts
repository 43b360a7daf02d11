// What `kubeadm init` v1.35.4 writes and creates, as recorded from its dry run, rendered for a control-plane node's name and address;
// and the CNI add-on that an administrator applies next.
import type { KubeObject } from '../../api/types/object.ts'
import recorded from './init.gen.json' with { type: 'json' }

export interface ControlPlaneNode {
  readonly name: string
  readonly ip: string
}

interface Recorded {
  readonly staticPods: readonly KubeObject[]
  readonly objects: readonly KubeObject[]
}

const RECORDED_NAME = 'control-plane'
const RECORDED_IP = '172.18.0.2'
const RECORDED_POD_CIDR = '10.244.0.0/16'
const RECORDED_SERVICE_CIDR = '10.96.0.0/12'

export interface InitOptions {
  readonly node: ControlPlaneNode
  /** Address that nodes use: the node's own, or the load balancer's. */
  readonly endpoint: string
  readonly podCIDR: string
  readonly serviceCIDR: string
  readonly proxyMode: string
}

/** Manifests of /etc/kubernetes/manifests on one control-plane node. `etcdMembers` lists all members of a stacked cluster. */
export function staticPods(options: InitOptions, etcdMembers: readonly ControlPlaneNode[]): KubeObject[] {
  const pods = render<readonly KubeObject[]>((recorded as unknown as Recorded).staticPods, options)
  const initial = etcdMembers.map((m) => `${m.name}=https://${m.ip}:2380`).join(',')
  return pods.map((pod) =>
    pod.metadata.name === 'etcd' && etcdMembers.length > 1
      ? render(pod, options, (text) => text.replace(/--initial-cluster=[^"]*/, `--initial-cluster=${initial}`))
      : pod,
  )
}

/** What init creates through the API, in its order. */
export function initObjects(options: InitOptions): KubeObject[] {
  return render<KubeObject[]>((recorded as unknown as Recorded).objects, options, (text) =>
    options.proxyMode === 'iptables' ? text : text.replace('mode: \\"\\"', `mode: \\"${options.proxyMode}\\"`),
  )
}

function render<T>(value: unknown, options: InitOptions, further: (text: string) => string = (t) => t): T {
  const text = JSON.stringify(value)
    .replaceAll(`https://${RECORDED_IP}:6443`, `https://${options.endpoint}:6443`)
    .replaceAll(RECORDED_IP, options.node.ip)
    .replaceAll(`--name=${RECORDED_NAME}`, `--name=${options.node.name}`)
    .replaceAll(`--initial-cluster=${RECORDED_NAME}=`, `--initial-cluster=${options.node.name}=`)
    .replaceAll(RECORDED_POD_CIDR, options.podCIDR)
    .replaceAll(RECORDED_SERVICE_CIDR, options.serviceCIDR)
  return JSON.parse(further(text)) as T
}

/** Labels and taints of phase mark-control-plane. */
export const CONTROL_PLANE_LABELS: Readonly<Record<string, string>> = {
  'node-role.kubernetes.io/control-plane': '',
  'node.kubernetes.io/exclude-from-external-load-balancers': '',
}
export const CONTROL_PLANE_TAINT = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' } as const

export const CNI_IMAGE = 'docker.io/kindest/kindnetd:v20251212-v0.29.0-alpha-105-g20ccfc88'

/** A CNI add-on in the manner of kindnet: bridge and host-local addresses on each node, routes between nodes. */
export function cniObjects(podCIDR: string): KubeObject[] {
  const metadata = { name: 'kindnet', namespace: 'kube-system' }
  const labels = { app: 'kindnet', 'k8s-app': 'kindnet', tier: 'node' }
  return [
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'kindnet' },
      rules: [
        { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch', 'patch'] },
        { apiGroups: [''], resources: ['configmaps'], verbs: ['get'] },
        { apiGroups: [''], resources: ['pods', 'namespaces'], verbs: ['list', 'watch'] },
        { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['list', 'watch'] },
      ],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'kindnet' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'kindnet' },
      subjects: [{ kind: 'ServiceAccount', name: 'kindnet', namespace: 'kube-system' }],
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { ...metadata, labels },
      spec: {
        selector: { matchLabels: { app: 'kindnet' } },
        template: {
          metadata: { labels },
          spec: {
            hostNetwork: true,
            nodeSelector: { 'kubernetes.io/os': 'linux' },
            tolerations: [{ operator: 'Exists' }],
            serviceAccountName: 'kindnet',
            containers: [
              {
                name: 'kindnet-cni',
                image: CNI_IMAGE,
                env: [
                  { name: 'HOST_IP', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
                  { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
                  { name: 'POD_SUBNET', value: podCIDR },
                ],
                volumeMounts: [
                  { name: 'cni-cfg', mountPath: '/etc/cni/net.d' },
                  { name: 'xtables-lock', mountPath: '/run/xtables.lock', readOnly: false },
                  { name: 'lib-modules', mountPath: '/lib/modules', readOnly: true },
                ],
                resources: { requests: { cpu: '100m', memory: '50Mi' }, limits: { cpu: '100m', memory: '50Mi' } },
                securityContext: { privileged: false, capabilities: { add: ['NET_RAW', 'NET_ADMIN'] } },
              },
            ],
            volumes: [
              { name: 'cni-cfg', hostPath: { path: '/etc/cni/net.d' } },
              { name: 'xtables-lock', hostPath: { path: '/run/xtables.lock', type: 'FileOrCreate' } },
              { name: 'lib-modules', hostPath: { path: '/lib/modules' } },
            ],
          },
        },
      },
    },
  ]
}

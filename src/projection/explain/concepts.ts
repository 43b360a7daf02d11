// Upstream's pages about what a step shows.
export interface Concept {
  readonly label: string
  readonly url: string
}

const docs = (label: string, path: string): Concept => ({ label, url: `https://kubernetes.io/docs/${path}` })

export const CONCEPTS = {
  components: docs('Kubernetes components', 'concepts/overview/components/'),
  communication: docs('Control plane and node communication', 'concepts/architecture/control-plane-node-communication/'),
  api: docs('The Kubernetes API', 'concepts/overview/kubernetes-api/'),
  watch: docs('Watching for changes', 'reference/using-api/api-concepts/#efficient-detection-of-changes'),
  authn: docs('Authentication', 'reference/access-authn-authz/authentication/'),
  authz: docs('Authorization', 'reference/access-authn-authz/authorization/'),
  rbac: docs('RBAC', 'reference/access-authn-authz/rbac/'),
  admission: docs('Admission control', 'reference/access-authn-authz/admission-controllers/'),
  validation: docs('Objects and their specs', 'concepts/overview/working-with-objects/'),
  fairness: docs('Priority and fairness', 'concepts/cluster-administration/flow-control/'),
  etcd: docs('etcd in Kubernetes', 'tasks/administer-cluster/configure-upgrade-etcd/'),
  raft: { label: 'Raft', url: 'https://raft.github.io/' },
  controllers: docs('Controllers', 'concepts/architecture/controller/'),
  deployment: docs('Deployments', 'concepts/workloads/controllers/deployment/'),
  leases: docs('Leases', 'concepts/architecture/leases/'),
  gc: docs('Garbage collection', 'concepts/architecture/garbage-collection/'),
  scheduler: docs('kube-scheduler', 'concepts/scheduling-eviction/kube-scheduler/'),
  framework: docs('Scheduling framework', 'concepts/scheduling-eviction/scheduling-framework/'),
  preemption: docs('Priority and preemption', 'concepts/scheduling-eviction/pod-priority-preemption/'),
  pods: docs('Pods', 'concepts/workloads/pods/'),
  lifecycle: docs('Pod lifecycle', 'concepts/workloads/pods/pod-lifecycle/'),
  probes: docs('Probes', 'concepts/configuration/liveness-readiness-startup-probes/'),
  images: docs('Images', 'concepts/containers/images/'),
  runtime: docs('Container runtime interface', 'concepts/containers/cri/'),
  cni: docs('Network plugins', 'concepts/extend-kubernetes/compute-storage-net/network-plugins/'),
  nodes: docs('Nodes', 'concepts/architecture/nodes/'),
  volumes: docs('Volumes', 'concepts/storage/volumes/'),
  hooks: docs('Lifecycle hooks', 'concepts/containers/container-lifecycle-hooks/'),
  services: docs('Services', 'concepts/services-networking/service/'),
  proxies: docs('Virtual IPs and proxies', 'reference/networking/virtual-ips/'),
  slices: docs('EndpointSlices', 'concepts/services-networking/endpoint-slices/'),
  dns: docs('DNS for Services and Pods', 'concepts/services-networking/dns-pod-service/'),
  networking: docs('Cluster networking', 'concepts/cluster-administration/networking/'),
} as const satisfies Record<string, Concept>

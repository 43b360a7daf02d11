// What the controllers watch: one shared informer per resource. GC and quota add what discovery finds beside these.
export interface Resource {
  /** Name of the informer: the plural, with its group where two groups share it. */
  readonly name: string
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
}

const table = (
  group: string,
  version: string,
  rows: readonly (readonly [plural: string, kind: string, namespaced: boolean])[],
): Resource[] => rows.map(([plural, kind, namespaced]) => ({ name: plural, group, version, plural, kind, namespaced }))

export const RESOURCES: readonly Resource[] = [
  ...table('', 'v1', [
    ['namespaces', 'Namespace', false],
    ['nodes', 'Node', false],
    ['persistentvolumes', 'PersistentVolume', false],
    ['configmaps', 'ConfigMap', true],
    ['endpoints', 'Endpoints', true],
    ['limitranges', 'LimitRange', true],
    ['persistentvolumeclaims', 'PersistentVolumeClaim', true],
    ['pods', 'Pod', true],
    ['podtemplates', 'PodTemplate', true],
    ['replicationcontrollers', 'ReplicationController', true],
    ['resourcequotas', 'ResourceQuota', true],
    ['secrets', 'Secret', true],
    ['serviceaccounts', 'ServiceAccount', true],
    ['services', 'Service', true],
  ]),
  { name: 'events', group: '', version: 'v1', plural: 'events', kind: 'Event', namespaced: true },
  { name: 'events.events.k8s.io', group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true },
  ...table('apps', 'v1', [
    ['controllerrevisions', 'ControllerRevision', true],
    ['daemonsets', 'DaemonSet', true],
    ['deployments', 'Deployment', true],
    ['replicasets', 'ReplicaSet', true],
    ['statefulsets', 'StatefulSet', true],
  ]),
  ...table('batch', 'v1', [
    ['cronjobs', 'CronJob', true],
    ['jobs', 'Job', true],
  ]),
  ...table('autoscaling', 'v2', [['horizontalpodautoscalers', 'HorizontalPodAutoscaler', true]]),
  ...table('policy', 'v1', [['poddisruptionbudgets', 'PodDisruptionBudget', true]]),
  ...table('discovery.k8s.io', 'v1', [['endpointslices', 'EndpointSlice', true]]),
  ...table('coordination.k8s.io', 'v1', [['leases', 'Lease', true]]),
  ...table('networking.k8s.io', 'v1', [
    ['ingresses', 'Ingress', true],
    ['networkpolicies', 'NetworkPolicy', true],
    ['ingressclasses', 'IngressClass', false],
    ['servicecidrs', 'ServiceCIDR', false],
    ['ipaddresses', 'IPAddress', false],
  ]),
  ...table('rbac.authorization.k8s.io', 'v1', [
    ['clusterroles', 'ClusterRole', false],
    ['clusterrolebindings', 'ClusterRoleBinding', false],
    ['roles', 'Role', true],
    ['rolebindings', 'RoleBinding', true],
  ]),
  ...table('storage.k8s.io', 'v1', [
    ['storageclasses', 'StorageClass', false],
    ['csinodes', 'CSINode', false],
    ['csidrivers', 'CSIDriver', false],
    ['volumeattachments', 'VolumeAttachment', false],
    ['csistoragecapacities', 'CSIStorageCapacity', true],
    ['volumeattributesclasses', 'VolumeAttributesClass', false],
  ]),
  ...table('scheduling.k8s.io', 'v1', [['priorityclasses', 'PriorityClass', false]]),
  ...table('node.k8s.io', 'v1', [['runtimeclasses', 'RuntimeClass', false]]),
  ...table('certificates.k8s.io', 'v1', [['certificatesigningrequests', 'CertificateSigningRequest', false]]),
  ...table('admissionregistration.k8s.io', 'v1', [
    ['validatingadmissionpolicies', 'ValidatingAdmissionPolicy', false],
    ['validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding', false],
    ['validatingwebhookconfigurations', 'ValidatingWebhookConfiguration', false],
    ['mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', false],
  ]),
  ...table('apiextensions.k8s.io', 'v1', [['customresourcedefinitions', 'CustomResourceDefinition', false]]),
  ...table('apiregistration.k8s.io', 'v1', [['apiservices', 'APIService', false]]),
  ...table('resource.k8s.io', 'v1', [
    ['resourceclaims', 'ResourceClaim', true],
    ['resourceclaimtemplates', 'ResourceClaimTemplate', true],
    ['deviceclasses', 'DeviceClass', false],
    ['resourceslices', 'ResourceSlice', false],
  ]),
  ...table('flowcontrol.apiserver.k8s.io', 'v1', [
    ['flowschemas', 'FlowSchema', false],
    ['prioritylevelconfigurations', 'PriorityLevelConfiguration', false],
  ]),
]

const byName = new Map(RESOURCES.map((r) => [r.name, r]))
const byKind = new Map(RESOURCES.map((r) => [`${r.group}/${r.kind}`, r]))

export function resource(name: string): Resource {
  const found = byName.get(name)
  if (!found) throw new Error(`unknown resource ${name}`)
  return found
}

export const resourceOfKind = (apiVersion: string, kind: string): Resource | undefined =>
  byKind.get(`${apiVersion.includes('/') ? apiVersion.split('/')[0] : ''}/${kind}`)

export const apiVersionOf = (r: Pick<Resource, 'group' | 'version'>): string => (r.group === '' ? r.version : `${r.group}/${r.version}`)

/** `/api/v1`, `/apis/apps/v1`. */
export const rootPath = (r: Pick<Resource, 'group' | 'version'>): string =>
  r.group === '' ? `/api/${r.version}` : `/apis/${r.group}/${r.version}`

export function collectionPath(r: Resource, namespace?: string): string {
  return r.namespaced && namespace ? `${rootPath(r)}/namespaces/${namespace}/${r.plural}` : `${rootPath(r)}/${r.plural}`
}

export function objectPath(r: Resource, namespace: string | undefined, name: string, subresource?: string): string {
  return `${collectionPath(r, namespace)}/${encodeURIComponent(name)}${subresource ? `/${subresource}` : ''}`
}

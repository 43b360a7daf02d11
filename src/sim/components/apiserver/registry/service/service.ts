// core/v1 Service (pkg/registry/core/service, SetDefaults_Service).
import { formatLabels } from '../../../../api/labels.ts'
import type { LoadBalancerStatus, ServicePort, ServiceSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { warningsForCIDR, warningsForIP } from '../../../../api/validation/ip.ts'
import { ageColumn, column, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import type { KindStrategy } from '../strategy.ts'
import { addressCompanions, releasedAddresses } from './addresses.ts'
import { allocateOnCreate, allocateOnUpdate, allocationView } from './allocate.ts'
import { dropTypeDependentFields, externallyAccessible } from './semantics.ts'
import { validateServiceCreate, validateServiceStatusUpdate, validateServiceUpdate } from './validation.ts'

function defaults(draft: KubeObject): void {
  draft.metadata ??= {}
  draft.spec ??= {}
  draft.status ??= {}
  draft.status.loadBalancer ??= {}
  const spec = draft.spec as ServiceSpec
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: 10800 } }
  }
  spec.type ||= 'ClusterIP'
  for (const port of spec.ports ?? []) {
    port.protocol ||= 'TCP'
    // Both 0 and "" count as unset.
    port.targetPort ||= port.port ?? 0
  }
  if (externallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster'
  if (['NodePort', 'LoadBalancer', 'ClusterIP'].includes(spec.type)) spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'LoadBalancer') {
    spec.allocateLoadBalancerNodePorts ??= true
    for (const ingress of draft.status.loadBalancer.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP'
  }
}

/** pkg/api/service/warnings.go */
function warnings(draft: KubeObject): string[] {
  const spec = draft.spec as ServiceSpec
  const out: string[] = []
  if (Object.hasOwn(draft.metadata.annotations ?? {}, 'service.kubernetes.io/topology-aware-hints')) {
    out.push('annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead')
  }
  if (spec.clusterIP && spec.clusterIP !== 'None') {
    for (const [i, ip] of (spec.clusterIPs ?? []).entries()) out.push(...warningsForIP(`spec.clusterIPs[${i}]`, ip))
  }
  if (spec.type === 'ClusterIP' && spec.clusterIP === 'None') {
    if (spec.loadBalancerIP) out.push('spec.loadBalancerIP is ignored for headless services')
    if ((spec.externalIPs?.length ?? 0) > 0) out.push('spec.externalIPs is ignored for headless services')
    if (spec.sessionAffinity !== 'None') out.push('spec.SessionAffinity is ignored for headless services')
  }
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) out.push(...warningsForIP(`spec.externalIPs[${i}]`, ip))
  if (spec.loadBalancerIP) out.push(...warningsForIP('spec.loadBalancerIP', spec.loadBalancerIP))
  for (const [i, cidr] of (spec.loadBalancerSourceRanges ?? []).entries()) {
    out.push(...warningsForCIDR(`spec.loadBalancerSourceRanges[${i}]`, cidr))
  }
  if (spec.type === 'ExternalName' && (spec.externalIPs?.length ?? 0) > 0)
    out.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  if (spec.type !== 'ExternalName' && spec.externalName) out.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  if (spec.trafficDistribution === 'PreferClose') {
    out.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  }
  return out
}

const uniqueSorted = (values: readonly string[]): string[] => [...new Set(values)].sort()

const addresses = (status: LoadBalancerStatus | undefined): string[] =>
  uniqueSorted((status?.ingress ?? []).map((i) => i.ip || i.hostname || '').filter((a) => a !== ''))

function externalIP({ spec, status }: KubeObject): string {
  const ips = (spec as ServiceSpec).externalIPs ?? []
  if (spec.type === 'ClusterIP' || spec.type === 'NodePort') return ips.length > 0 ? ips.join(',') : '<none>'
  if (spec.type === 'LoadBalancer') return [...addresses(status?.loadBalancer), ...ips].join(',') || '<pending>'
  return spec.type === 'ExternalName' ? (spec.externalName ?? '') : '<unknown>'
}

const portText = (port: ServicePort): string => `${port.port ?? 0}${(port.nodePort ?? 0) > 0 ? `:${port.nodePort}` : ''}/${port.protocol}`

export const service: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'Service',
  resource: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: true,
  deleteReturnsObject: true,
  defaults,
  beginCreate: (draft, view) => allocateOnCreate(draft, allocationView(view)),
  beginUpdate: (draft, old, view) => allocateOnUpdate(draft, old, allocationView(view)),
  companions: addressCompanions,
  afterDelete: (object) => [
    { resource: 'endpoints', namespace: object.metadata.namespace ?? '', name: object.metadata.name ?? '' },
    ...releasedAddresses(object),
  ],
  prepareForCreate(draft) {
    draft.status = { loadBalancer: {} }
  },
  validate: validateServiceCreate,
  createWarnings: warnings,
  prepareForUpdate(draft, old) {
    dropTypeDependentFields(draft.spec, old.spec)
    draft.status = draft.spec.type === 'LoadBalancer' ? old.status : { ...old.status, loadBalancer: {} }
  },
  validateUpdate: validateServiceUpdate,
  warnings,
  canonicalize(draft) {
    // Defaulted for every type, but shown for none without endpoints of its own.
    if (draft.spec.type === 'ExternalName') delete draft.spec.internalTrafficPolicy
  },
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(draft, old) {
        draft.spec = old.spec
      },
      validateUpdate: validateServiceStatusUpdate,
      warnings: (draft) =>
        (draft.status?.loadBalancer?.ingress ?? []).flatMap((ingress: { ip?: string }, i: number) =>
          ingress.ip ? warningsForIP(`status.loadBalancer.ingress[${i}]`, ingress.ip) : [],
        ),
    },
    proxy: {
      does: 'handler',
      kind: 'ServiceProxyOptions',
      group: '',
      version: 'v1',
      verbs: ['create', 'delete', 'get', 'patch', 'update'],
    },
  },
  selectableFields: ({ spec }) => ({ 'spec.clusterIP': spec?.clusterIP ?? '', 'spec.type': spec?.type ?? '' }),
  columns: [
    nameColumn,
    column(
      'Type',
      'string',
      'type determines how the Service is exposed. Defaults to ClusterIP. Valid options are ExternalName, ClusterIP, NodePort, and LoadBalancer. "ClusterIP" allocates a cluster-internal IP address for load-balancing to endpoints. Endpoints are determined by the selector or if that is not specified, by manual construction of an Endpoints object or EndpointSlice objects. If clusterIP is "None", no virtual IP is allocated and the endpoints are published as a set of endpoints rather than a virtual IP. "NodePort" builds on ClusterIP and allocates a port on every node which routes to the same endpoints as the clusterIP. "LoadBalancer" builds on NodePort and creates an external load-balancer (if supported in the current cloud) which routes to the same endpoints as the clusterIP. "ExternalName" aliases this service to the specified externalName. Several other fields do not apply to ExternalName services. More info: https://kubernetes.io/docs/concepts/services-networking/service/#publishing-services-service-types',
    ),
    column(
      'Cluster-IP',
      'string',
      'clusterIP is the IP address of the service and is usually assigned randomly. If an address is specified manually, is in-range (as per system configuration), and is not in use, it will be allocated to the service; otherwise creation of the service will fail. This field may not be changed through updates unless the type field is also being changed to ExternalName (which requires this field to be blank) or the type field is being changed from ExternalName (in which case this field may optionally be specified, as describe above).  Valid values are "None", empty string (""), or a valid IP address. Setting this to "None" makes a "headless service" (no virtual IP), which is useful when direct endpoint connections are preferred and proxying is not required.  Only applies to types ClusterIP, NodePort, and LoadBalancer. If this field is specified when creating a Service of type ExternalName, creation will fail. This field will be wiped when updating a Service to type ExternalName. More info: https://kubernetes.io/docs/concepts/services-networking/service/#virtual-ips-and-service-proxies',
    ),
    column(
      'External-IP',
      'string',
      'externalIPs is a list of IP addresses for which nodes in the cluster will also accept traffic for this service.  These IPs are not managed by Kubernetes.  The user is responsible for ensuring that traffic arrives at a node with this IP.  A common example is external load-balancers that are not part of the Kubernetes system.',
    ),
    column(
      'Port(s)',
      'string',
      'The list of ports that are exposed by this service. More info: https://kubernetes.io/docs/concepts/services-networking/service/#virtual-ips-and-service-proxies',
    ),
    ageColumn,
    column(
      'Selector',
      'string',
      'Route service traffic to pods with label keys and values matching this selector. If empty or not present, the service is assumed to have an external process managing its endpoints, which Kubernetes will not modify. Only applies to types ClusterIP, NodePort, and LoadBalancer. Ignored if type is ExternalName. More info: https://kubernetes.io/docs/concepts/services-networking/service/',
      1,
    ),
  ],
  row: (object, nowMs) => {
    const spec = object.spec as ServiceSpec
    return [
      object.metadata.name ?? '',
      spec.type ?? '',
      spec.clusterIPs?.[0] ?? '<none>',
      externalIP(object),
      (spec.ports ?? []).map(portText).join(',') || '<none>',
      translateTimestampSince(object.metadata.creationTimestamp, nowMs),
      formatLabels(spec.selector ?? {}),
    ]
  },
}

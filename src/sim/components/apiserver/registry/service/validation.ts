// ValidateServiceCreate, ValidateServiceUpdate and ValidateServiceStatusUpdate of pkg/apis/core/validation/validation.go.
import type { FieldError } from '../../../../api/field.ts'
import { duplicate, forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import type { LoadBalancerStatus, ServicePort, ServiceSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { isValidCIDRForLegacyField, isValidIPForLegacyField, parseIP } from '../../../../api/validation/ip.ts'
import { validateLabels } from '../../../../api/validation/labels.ts'
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidPortName,
  isValidPortNum,
  nameIsDNS1035Label,
} from '../../../../api/validation/names.ts'
import { printGoType } from '../apps/gotemplate.ts'
import { validateClusterIPsRelatedFields, validateUpgradeDowngradeClusterIPs, validateUpgradeDowngradeIPFamilies } from './clusterips.ts'
import { validateEndpointIP } from './ip.ts'
import { externallyAccessible, isHeadless, needsHealthCheck } from './semantics.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../apps/objectmeta.ts'

const all = (field: string, value: unknown, messages: readonly string[]): FieldError[] => messages.map((m) => invalid(field, value, m))

export const supportedPortProtocols = ['SCTP', 'TCP', 'UDP']
const serviceTypes = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const topologyHints = 'service.kubernetes.io/topology-aware-hints'
const topologyMode = 'service.kubernetes.io/topology-mode'
const sourceRanges = 'service.beta.kubernetes.io/load-balancer-source-ranges'
const maxAffinitySeconds = 86400

function validatePort(port: ServicePort, requireName: boolean, names: Set<string>, field: string): FieldError[] {
  const errors: FieldError[] = []
  if (!port.name) {
    if (requireName) errors.push(required(`${field}.name`))
  } else {
    errors.push(...all(`${field}.name`, port.name, isDNS1123Label(port.name)))
    if (names.has(port.name)) errors.push(duplicate(`${field}.name`, port.name))
    names.add(port.name)
  }
  errors.push(...all(`${field}.port`, port.port ?? 0, isValidPortNum(port.port ?? 0)))
  if (!port.protocol) errors.push(required(`${field}.protocol`))
  else if (!supportedPortProtocols.includes(port.protocol))
    errors.push(notSupported(`${field}.protocol`, port.protocol, supportedPortProtocols))
  const target = port.targetPort ?? 0
  errors.push(...all(`${field}.targetPort`, target, typeof target === 'number' ? isValidPortNum(target) : isValidPortName(target)))
  if (port.appProtocol !== undefined) errors.push(...all(`${field}.appProtocol`, port.appProtocol, isQualifiedName(port.appProtocol)))
  return errors
}

function validateType(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') {
    return isHeadless(spec) ? [invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`)] : []
  }
  if (spec.type !== 'ExternalName') return []
  const errors: FieldError[] = []
  const unset = 'may not be set for ExternalName services'
  if ((spec.clusterIPs?.length ?? 0) > 0) errors.push(forbidden('spec.clusterIPs', unset))
  if ((spec.ipFamilies?.length ?? 0) > 0) errors.push(forbidden('spec.ipFamilies', unset))
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden('spec.ipFamilyPolicy', unset))
  const cname = (spec.externalName ?? '').replace(/\.$/, '')
  errors.push(...(cname ? all('spec.externalName', cname, isDNS1123Subdomain(cname)) : [required('spec.externalName')]))
  return errors
}

function validateSessionAffinity(spec: ServiceSpec): FieldError[] {
  const supported = ['ClientIP', 'None']
  const field = 'spec.sessionAffinityConfig'
  if (!spec.sessionAffinity) return [required('spec.sessionAffinity')]
  if (spec.sessionAffinity === 'None') {
    return spec.sessionAffinityConfig === undefined ? [] : [forbidden(field, 'must not be set when session affinity is None')]
  }
  if (spec.sessionAffinity !== 'ClientIP') return [notSupported('spec.sessionAffinity', spec.sessionAffinity, supported)]
  const when = 'when session affinity type is ClientIP'
  if (spec.sessionAffinityConfig === undefined) return [required(field, when)]
  if (spec.sessionAffinityConfig.clientIP === undefined) return [required(`${field}.clientIP`, when)]
  const timeout = spec.sessionAffinityConfig.clientIP.timeoutSeconds
  if (timeout === undefined) return [required(`${field}.clientIP.timeoutSeconds`, when)]
  if (timeout > 0 && timeout <= maxAffinitySeconds) return []
  return [invalid(`${field}.clientIP.timeoutSeconds`, timeout, `must be greater than 0 and less than ${maxAffinitySeconds}`)]
}

function validateDuplicatePorts(ports: readonly ServicePort[]): FieldError[] {
  const errors: FieldError[] = []
  const nodePorts = new Set<string>()
  for (const [i, port] of ports.entries()) {
    if (!port.nodePort) continue
    const key = `${port.protocol} ${port.nodePort}`
    if (nodePorts.has(key)) errors.push(duplicate(`spec.ports[${i}].nodePort`, port.nodePort))
    nodePorts.add(key)
  }
  const seen = new Set<string>()
  for (const [i, port] of ports.entries()) {
    const key = `${port.protocol} ${port.port}`
    if (seen.has(key)) {
      const shown = { protocol: port.protocol, port: port.port }
      errors.push({ ...duplicate(`spec.ports[${i}]`, shown), badValueText: printGoType(shown, 'ServicePort') })
    }
    seen.add(key)
  }
  return errors
}

function validateSourceRanges(draft: KubeObject, old: KubeObject | undefined): FieldError[] {
  const spec = draft.spec as ServiceSpec
  const errors: FieldError[] = []
  const onlyLoadBalancer = "may only be used when `type` is 'LoadBalancer'"
  const ranges = spec.loadBalancerSourceRanges ?? []
  const annotation = draft.metadata.annotations?.[sourceRanges]
  if (ranges.length > 0) {
    const field = 'spec.LoadBalancerSourceRanges'
    if (spec.type !== 'LoadBalancer') errors.push(forbidden(field, onlyLoadBalancer))
    const existing = ((old?.spec as ServiceSpec | undefined)?.loadBalancerSourceRanges ?? []).map((r) => r.trim())
    for (const [i, range] of ranges.entries()) errors.push(...isValidCIDRForLegacyField(`${field}[${i}]`, range.trim(), existing))
  } else if (annotation !== undefined) {
    const field = `metadata.annotations[${sourceRanges}]`
    if (spec.type !== 'LoadBalancer') errors.push(forbidden(field, onlyLoadBalancer))
    if (old?.metadata.annotations?.[sourceRanges] !== annotation && annotation.trim() !== '') {
      for (const range of annotation.trim().split(',')) errors.push(...isValidCIDRForLegacyField(field, range.trim()))
    }
  }
  return errors
}

function validateLoadBalancerClass(spec: ServiceSpec, old: ServiceSpec | undefined): FieldError[] {
  const errors: FieldError[] = []
  const value = spec.loadBalancerClass
  if (old?.type === 'LoadBalancer' && spec.type === 'LoadBalancer' && old.loadBalancerClass !== value) {
    errors.push(invalid('spec.loadBalancerClass', value ?? null, 'may not change once set'))
  }
  if (value === undefined) return errors
  if (spec.type === 'LoadBalancer') errors.push(...all('spec.loadBalancerClass', value, isQualifiedName(value)))
  else errors.push(forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"))
  return errors
}

function validateTrafficPolicies(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = []
  const policies = ['Cluster', 'Local']
  const external = spec.externalTrafficPolicy
  if (!externallyAccessible(spec)) {
    if (external) errors.push(invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'))
  } else if (!external) errors.push(required('spec.externalTrafficPolicy'))
  else if (!policies.includes(external)) errors.push(notSupported('spec.externalTrafficPolicy', external, policies))

  const health = spec.healthCheckNodePort ?? 0
  if (!needsHealthCheck(spec)) {
    if (health !== 0) {
      const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
      errors.push(invalid('spec.healthCheckNodePort', health, detail))
    }
  } else if (health === 0) errors.push(required('spec.healthCheckNodePort'))
  else errors.push(...all('spec.healthCheckNodePort', health, isValidPortNum(health)))

  const internal = spec.internalTrafficPolicy
  if (internal === undefined) {
    if (['NodePort', 'LoadBalancer', 'ClusterIP'].includes(spec.type ?? '')) errors.push(required('spec.internalTrafficPolicy'))
  } else if (!policies.includes(internal)) errors.push(notSupported('spec.internalTrafficPolicy', internal, policies))

  const distribution = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
  if (spec.trafficDistribution !== undefined && !distribution.includes(spec.trafficDistribution)) {
    errors.push(notSupported('spec.trafficDistribution', spec.trafficDistribution, distribution))
  }
  return errors
}

function validateService(draft: KubeObject, old: KubeObject | undefined): FieldError[] {
  const errors: FieldError[] = []
  const annotations = draft.metadata.annotations ?? {}
  const hints = Object.hasOwn(annotations, topologyHints) ? annotations[topologyHints] : undefined
  const mode = Object.hasOwn(annotations, topologyMode) ? annotations[topologyMode] : undefined
  if (hints !== undefined && mode !== undefined && hints !== mode) {
    errors.push(invalid(`metadata.annotations[${topologyMode}]`, mode, `must match annotations[${topologyHints}] when both are specified`))
  }
  const spec = draft.spec as ServiceSpec
  const oldSpec = old?.spec as ServiceSpec | undefined
  const ports = spec.ports ?? []
  if (ports.length === 0 && !isHeadless(spec) && spec.type !== 'ExternalName') errors.push(required('spec.ports'))
  errors.push(...validateType(spec))
  const names = new Set<string>()
  for (const [i, port] of ports.entries()) errors.push(...validatePort(port, ports.length > 1, names, `spec.ports[${i}]`))
  if (spec.selector !== undefined) errors.push(...validateLabels(spec.selector, 'spec.selector'))
  errors.push(...validateSessionAffinity(spec))
  errors.push(...validateClusterIPsRelatedFields(spec, oldSpec))
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) {
    const syntax = isValidIPForLegacyField(`spec.externalIPs[${i}]`, ip, oldSpec?.externalIPs)
    errors.push(...(syntax.length > 0 ? syntax : validateEndpointIP(ip, `spec.externalIPs[${i}]`)))
  }
  if (!spec.type) errors.push(required('spec.type'))
  else if (!serviceTypes.includes(spec.type)) errors.push(notSupported('spec.type', spec.type, serviceTypes))
  if (spec.type === 'ClusterIP') {
    for (const [i, port] of ports.entries()) {
      if (port.nodePort) errors.push(forbidden(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'"))
    }
  }
  errors.push(...validateDuplicatePorts(ports))
  errors.push(...validateSourceRanges(draft, old))
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== 'LoadBalancer') {
    errors.push(forbidden('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"))
  }
  if (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === undefined)
    errors.push(required('allocateLoadBalancerNodePorts'))
  errors.push(...validateLoadBalancerClass(spec, undefined))
  errors.push(...validateTrafficPolicies(spec))
  return errors
}

export const validateServiceCreate = (draft: KubeObject): FieldError[] => [
  ...validateObjectMeta(draft.metadata, true, nameIsDNS1035Label, 'metadata'),
  ...validateService(draft, undefined),
]

export function validateServiceUpdate(draft: KubeObject, old: KubeObject): FieldError[] {
  const spec = draft.spec as ServiceSpec
  const before = old.spec as ServiceSpec
  const errors = validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata')
  errors.push(...validateUpgradeDowngradeClusterIPs(spec, before))
  errors.push(...validateUpgradeDowngradeIPFamilies(spec, before))
  errors.push(...validateLoadBalancerClass(spec, before))
  if (needsHealthCheck(before) && needsHealthCheck(spec) && before.healthCheckNodePort !== spec.healthCheckNodePort) {
    errors.push(forbidden('spec.healthCheckNodePort', 'field is immutable'))
  }
  errors.push(...validateService(draft, old))
  return errors
}

/** ValidateLoadBalancerStatus. */
export function validateLoadBalancerStatus(
  status: LoadBalancerStatus,
  old: LoadBalancerStatus | undefined,
  field: string,
  spec: ServiceSpec,
): FieldError[] {
  const ingress = status.ingress ?? []
  if (spec.type !== 'LoadBalancer' && ingress.length > 0) {
    return [forbidden(`${field}.ingress`, "may only be used when `spec.type` is 'LoadBalancer'")]
  }
  const errors: FieldError[] = []
  const existing = (old?.ingress ?? []).map((i) => i.ip ?? '').filter((ip) => ip !== '')
  for (const [i, item] of ingress.entries()) {
    const path = `${field}.ingress[${i}]`
    if (item.ip) errors.push(...isValidIPForLegacyField(`${path}.ip`, item.ip, existing))
    if (item.ipMode === undefined) {
      if (item.ip) errors.push(required(`${path}.ipMode`, 'must be specified when `ip` is set'))
    } else if (!item.ip) errors.push(forbidden(`${path}.ipMode`, 'may not be specified when `ip` is not set'))
    else if (!['Proxy', 'VIP'].includes(item.ipMode)) errors.push(notSupported(`${path}.ipMode`, item.ipMode, ['Proxy', 'VIP']))
    if (item.hostname) {
      errors.push(...all(`${path}.hostname`, item.hostname, isDNS1123Subdomain(item.hostname)))
      if (parseIP(item.hostname) !== undefined)
        errors.push(invalid(`${path}.hostname`, item.hostname, 'must be a DNS name, not an IP address'))
    }
  }
  return errors
}

export const validateServiceStatusUpdate = (draft: KubeObject, old: KubeObject): FieldError[] => [
  ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
  ...validateLoadBalancerStatus(draft.status.loadBalancer ?? {}, old.status?.loadBalancer, 'status.loadBalancer', draft.spec),
]

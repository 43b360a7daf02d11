// What a Service's type implies (pkg/api/service/util.go, pkg/registry/core/service/strategy.go).
import type { ServiceSpec } from '../../../../api/types/kubernetes.gen.ts'

export const externallyAccessible = (spec: ServiceSpec): boolean =>
  spec.type === 'LoadBalancer' || spec.type === 'NodePort' || (spec.type === 'ClusterIP' && (spec.externalIPs?.length ?? 0) > 0)

export const needsHealthCheck = (spec: ServiceSpec): boolean => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'

export const isHeadless = (spec: ServiceSpec): boolean => spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === 'None'

const sameList = (a: readonly string[] = [], b: readonly string[] = []): boolean => a.length === b.length && a.every((v, i) => v === b[i])

export const sameClusterIPs = (a: ServiceSpec, b: ServiceSpec): boolean => sameList(a.clusterIPs, b.clusterIPs)

export const sameIPFamilies = (a: ServiceSpec, b: ServiceSpec): boolean => sameList(a.ipFamilies, b.ipFamilies)

/** dropTypeDependentFields: what no longer applies after a change of type goes, if the user did not change it too. Draft's spec is changed in place. */
export function dropTypeDependentFields(spec: ServiceSpec, old: ServiceSpec): void {
  const usesNodePorts = (s: ServiceSpec): boolean => s.type === 'NodePort' || s.type === 'LoadBalancer'
  if (old.type !== 'ExternalName' && spec.type === 'ExternalName') {
    if ((old.clusterIP ?? '') === (spec.clusterIP ?? '') && sameClusterIPs(old, spec)) {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    if (sameIPFamilies(old, spec)) delete spec.ipFamilies
    if (old.ipFamilyPolicy === spec.ipFamilyPolicy) delete spec.ipFamilyPolicy
  }
  if (usesNodePorts(old) && !usesNodePorts(spec)) {
    const before = new Set((old.ports ?? []).map((p) => p.nodePort))
    const ports = spec.ports ?? []
    if (ports.every((p) => !p.nodePort || before.has(p.nodePort))) for (const port of ports) delete port.nodePort
  }
  if (needsHealthCheck(old) && !needsHealthCheck(spec) && old.healthCheckNodePort === spec.healthCheckNodePort)
    delete spec.healthCheckNodePort
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (old.allocateLoadBalancerNodePorts === spec.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts
    if (old.loadBalancerClass === spec.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (externallyAccessible(old) && !externallyAccessible(spec) && old.externalTrafficPolicy === spec.externalTrafficPolicy) {
    delete spec.externalTrafficPolicy
  }
}

// Upstream goes through a Go map, in no order at all; here the order is fixed, and is one that a real controller has shown.
import type { Resource } from '../runtime/resources.ts'

const ORDER = [
  'pods',
  'secrets',
  'services',
  'horizontalpodautoscalers',
  'endpointslices',
  'configmaps',
  'replicasets',
  'resourceclaims',
  'limitranges',
  'controllerrevisions',
  'events.events.k8s.io',
  'ingresses',
  'csistoragecapacities',
  'events',
  'statefulsets',
  'daemonsets',
  'podtemplates',
  'deployments',
  'poddisruptionbudgets',
  'resourceclaimtemplates',
  'persistentvolumeclaims',
  'resourcequotas',
  'jobs',
  'cronjobs',
  'networkpolicies',
  'serviceaccounts',
  'roles',
  'rolebindings',
  'replicationcontrollers',
  'endpoints',
  'leases',
]

/** Custom resources come last, by name. */
export const deletionOrder = (resources: readonly Resource[]): Resource[] => {
  const rank = (r: Resource): number => (ORDER.includes(r.name) ? ORDER.indexOf(r.name) : ORDER.length)
  return [...resources].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1))
}

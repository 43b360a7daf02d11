// The objects every cluster has from the start, in the order in which they are made.
import type { KubeObject } from '../../../api/types/object.ts'
import { clusterRoleBindings, clusterRoles, roleBindings, roles } from '../authz/bootstrap-policy.ts'
import { bootstrapFlowSchemas, bootstrapPriorityLevels } from '../flowcontrol/bootstrap.ts'
import { kubernetesService } from './kubernetes-service.ts'
import type { KubeApiserverConfig } from '../types.ts'

const namespace = (name: string): KubeObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

const priorityClass = (name: string, value: number, description: string): KubeObject => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name },
  value,
  description,
})

const made = new WeakMap<KubeApiserverConfig, readonly KubeObject[]>()

export function bootstrapObjects(config: KubeApiserverConfig): readonly KubeObject[] {
  let objects = made.get(config)
  if (!objects) {
    objects = [
      ...['kube-system', 'kube-public', 'kube-node-lease', 'default'].map(namespace),
      ...bootstrapPriorityLevels,
      ...bootstrapFlowSchemas,
      priorityClass('system-node-critical', 2000001000, 'Used for system critical pods that must not be moved from their current node.'),
      priorityClass(
        'system-cluster-critical',
        2000000000,
        'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
      ),
      ...clusterRoles,
      ...clusterRoleBindings,
      ...roles,
      ...roleBindings,
      ...kubernetesService(config),
    ]
    made.set(config, objects)
  }
  return objects
}

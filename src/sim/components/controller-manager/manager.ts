// kube-controller-manager: which controllers run (cmd/kube-controller-manager/app/controllermanager.go, NewControllerDescriptors).
import type { ComponentType } from '../../net/context.ts'
import { certificateRequestCleaner } from './certificates/cleaner.ts'
import { clusterRoleAggregationController } from './clusterrole-aggregation/clusterrole-aggregation.ts'
import { cronJobController } from './cronjob/cronjob.ts'
import { daemonSetController } from './daemonset/daemonset.ts'
import { deploymentController } from './deployment/deployment.ts'
import { disruptionController, staleDisruptions } from './disruption/disruption.ts'
import { endpointsController } from './endpoints/endpoints.ts'
import { endpointSliceController } from './endpointslice/endpointslice.ts'
import { endpointSliceMirroringController } from './endpointslicemirroring/endpointslicemirroring.ts'
import { ephemeralVolumeController } from './ephemeral-volume/ephemeral-volume.ts'
import { garbageCollector, orphanCollector } from './garbage-collector/garbage-collector.ts'
import { horizontalPodAutoscalerController } from './horizontalpodautoscaler/horizontalpodautoscaler.ts'
import { jobController, jobOrphans } from './job/job.ts'
import { namespaceController } from './namespace/namespace.ts'
import { nodeIpamController } from './node-ipam/node-ipam.ts'
import { nodeEvictor, nodeLifecycleController, nodeMonitor, nodePods } from './node-lifecycle/node-lifecycle.ts'
import { nodeTTLController } from './node-ttl/node-ttl.ts'
import { claimBinder } from './persistentvolume-binder/claims.ts'
import { volumeBinder } from './persistentvolume-binder/volumes.ts'
import { podGarbageCollector } from './podgc/podgc.ts'
import { pvProtectionController } from './pv-protection/pv-protection.ts'
import { pvcProtectionController } from './pvc-protection/pvc-protection.ts'
import { replicaSetController, replicationController } from './replicaset/replicaset.ts'
import { resourceQuotaController } from './resourcequota/resourcequota.ts'
import { rootCAPublisher } from './root-ca-publisher/root-ca-publisher.ts'
import { controllerManager } from './runtime/runtime.ts'
import type { Controller, KubeControllerManagerConfig } from './runtime/types.ts'
import { serviceAccountTokenController } from './serviceaccount-token/serviceaccount-token.ts'
import { serviceAccountController } from './serviceaccount/serviceaccount.ts'
import { statefulSetController } from './statefulset/statefulset.ts'
import { taintEvictionController, taintEvictor } from './taint-eviction/taint-eviction.ts'
import { ttlAfterFinishedController } from './ttl-after-finished/ttl-after-finished.ts'
import { validatingAdmissionPolicyStatusController } from './validatingadmissionpolicy-status/validatingadmissionpolicy-status.ts'

export type { KubeControllerManagerConfig } from './runtime/types.ts'

// biome-ignore lint/suspicious/noExplicitAny: every controller observes something else
type Any = Controller<any>

/** What a cluster cannot do without: its own bookkeeping. */
const API: readonly Any[] = [
  namespaceController,
  serviceAccountController,
  serviceAccountTokenController,
  rootCAPublisher,
  garbageCollector,
  orphanCollector,
  resourceQuotaController,
  clusterRoleAggregationController,
  pvcProtectionController,
  pvProtectionController,
  validatingAdmissionPolicyStatusController,
]
/** For the scheduler: volumes and budgets. */
const SCHEDULING: readonly Any[] = [claimBinder, volumeBinder, disruptionController, staleDisruptions]
const CLUSTER: readonly Any[] = [
  deploymentController,
  replicaSetController,
  replicationController,
  endpointsController,
  endpointSliceController,
  endpointSliceMirroringController,
  nodeLifecycleController,
  nodeMonitor,
  nodeEvictor,
  nodePods,
  taintEvictionController,
  taintEvictor,
  daemonSetController,
  statefulSetController,
  jobController,
  jobOrphans,
  cronJobController,
  ttlAfterFinishedController,
  podGarbageCollector,
  horizontalPodAutoscalerController,
  ephemeralVolumeController,
  certificateRequestCleaner,
  nodeTTLController,
]

export function controllersFor(config: KubeControllerManagerConfig): readonly Any[] {
  if (config.profile === 'api') return API
  if (config.profile === 'scheduling') return [...API, ...SCHEDULING]
  return [...API, ...SCHEDULING, ...CLUSTER, ...(config.allocateNodeCIDRs ? [nodeIpamController] : [])]
}

export const kubeControllerManagerType: ComponentType = controllerManager('kube-controller-manager', controllersFor)

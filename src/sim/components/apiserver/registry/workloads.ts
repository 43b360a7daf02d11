// The workload and network kinds.
import { controllerRevision } from './apps/controllerrevision.ts'
import { daemonSet } from './apps/daemonset.ts'
import { deployment } from './apps/deployment.ts'
import { podTemplate } from './apps/podtemplate.ts'
import { replicaSet } from './apps/replicaset.ts'
import { replicationController } from './apps/replicationcontroller.ts'
import { statefulSet } from './apps/statefulset.ts'
import { horizontalPodAutoscaler } from './autoscaling/horizontalpodautoscaler.ts'
import { cronJob } from './batch/cronjob.ts'
import { job } from './batch/job.ts'
import { endpointSlice } from './discovery/endpointslice.ts'
import { ingress } from './networking/ingress.ts'
import { ingressClass } from './networking/ingressclass.ts'
import { ipAddress } from './networking/ipaddress.ts'
import { networkPolicy } from './networking/networkpolicy.ts'
import { serviceCIDR } from './networking/servicecidr.ts'
import { podDisruptionBudget } from './policy/poddisruptionbudget.ts'
import { endpoints } from './service/endpoints.ts'
import { service } from './service/service.ts'
import type { KindStrategy } from './strategy.ts'

export const workloadKinds: KindStrategy[] = [
  deployment,
  replicaSet,
  daemonSet,
  statefulSet,
  controllerRevision,
  replicationController,
  podTemplate,
  job,
  cronJob,
  horizontalPodAutoscaler,
  podDisruptionBudget,
  service,
  endpoints,
  endpointSlice,
  ingress,
  ingressClass,
  networkPolicy,
  ipAddress,
  serviceCIDR,
]

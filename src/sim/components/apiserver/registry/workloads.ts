// The workload and network kinds.
import { daemonSet } from './apps/daemonset.ts'
import { deployment } from './apps/deployment.ts'
import { replicaSet } from './apps/replicaset.ts'
import { endpointSlice } from './discovery/endpointslice.ts'
import { endpoints } from './service/endpoints.ts'
import { service } from './service/service.ts'
import type { KindStrategy } from './strategy.ts'

export const workloadKinds: KindStrategy[] = [deployment, replicaSet, daemonSet, service, endpoints, endpointSlice]

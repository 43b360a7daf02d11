// Every kind of this part of the registry.
import { configMap } from './core/configmap.ts'
import { event } from './core/event.ts'
import { limitRange } from './core/limitrange.ts'
import { namespace } from './core/namespace.ts'
import { node } from './core/node.ts'
import { persistentVolume } from './core/persistentvolume.ts'
import { persistentVolumeClaim } from './core/persistentvolumeclaim.ts'
import { resourceQuota } from './core/resourcequota.ts'
import { secret } from './core/secret.ts'
import { serviceAccount } from './core/serviceaccount.ts'
import { lease } from './coordination/lease.ts'
import { clusterRoleBinding, roleBinding } from './rbac/bindings.ts'
import { clusterRole, role } from './rbac/roles.ts'
import { priorityClass } from './scheduling/priorityclass.ts'
import type { KindStrategy } from './strategy.ts'

export const otherKinds: KindStrategy[] = [
  namespace,
  node,
  configMap,
  secret,
  serviceAccount,
  event,
  persistentVolume,
  persistentVolumeClaim,
  limitRange,
  resourceQuota,
  lease,
  priorityClass,
  role,
  clusterRole,
  roleBinding,
  clusterRoleBinding,
]

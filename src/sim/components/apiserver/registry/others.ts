// Every kind of this part of the registry.
import { validatingAdmissionPolicy } from './admissionregistration/validatingadmissionpolicy.ts'
import { validatingAdmissionPolicyBinding } from './admissionregistration/validatingadmissionpolicybinding.ts'
import { mutatingWebhookConfiguration, validatingWebhookConfiguration } from './admissionregistration/webhookconfigurations.ts'
import { customResourceDefinition } from './apiextensions/customresourcedefinition.ts'
import { apiService } from './apiregistration/apiservice.ts'
import { certificateSigningRequest } from './certificates/certificatesigningrequest.ts'
import { lease } from './coordination/lease.ts'
import { componentStatus } from './core/componentstatus.ts'
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
import { flowSchema } from './flowcontrol/flowschema.ts'
import { priorityLevelConfiguration } from './flowcontrol/prioritylevelconfiguration.ts'
import { runtimeClass } from './node-k8s/runtimeclass.ts'
import { clusterRoleBinding, roleBinding } from './rbac/bindings.ts'
import { clusterRole, role } from './rbac/roles.ts'
import { deviceClass } from './resource/deviceclass.ts'
import { resourceClaim, resourceClaimTemplate } from './resource/resourceclaim.ts'
import { resourceSlice } from './resource/resourceslice.ts'
import { priorityClass } from './scheduling/priorityclass.ts'
import { storageClass, volumeAttributesClass } from './storage/classes.ts'
import { csiDriver, csiNode, csiStorageCapacity } from './storage/csi.ts'
import { volumeAttachment } from './storage/volumeattachment.ts'
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
  componentStatus,
  lease,
  priorityClass,
  role,
  clusterRole,
  roleBinding,
  clusterRoleBinding,
  storageClass,
  volumeAttributesClass,
  csiNode,
  csiDriver,
  csiStorageCapacity,
  volumeAttachment,
  certificateSigningRequest,
  flowSchema,
  priorityLevelConfiguration,
  runtimeClass,
  apiService,
  customResourceDefinition,
  validatingAdmissionPolicy,
  validatingAdmissionPolicyBinding,
  validatingWebhookConfiguration,
  mutatingWebhookConfiguration,
  resourceClaim,
  resourceClaimTemplate,
  deviceClass,
  resourceSlice,
]

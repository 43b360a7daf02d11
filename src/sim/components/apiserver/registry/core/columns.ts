// The columns of server-side tables as the API server describes them (pkg/printers/internalversion/printers.go).
import { ageColumn, nameColumn } from '../apps/columns.ts'
import type { Column } from '../strategy.ts'

const text = (name: string, description: string, priority = 0): Column => ({ name, type: 'string', description, priority })
const integer = (name: string, description: string, priority = 0): Column => ({ name, type: 'integer', description, priority })
const boolean = (name: string, description: string, priority = 0): Column => ({ name, type: 'boolean', description, priority })

export const nodeColumns: readonly Column[] = [
  nameColumn,
  text('Status', 'The status of the node'),
  text('Roles', 'The roles of the node'),
  ageColumn,
  text('Version', 'Kubelet Version reported by the node.'),
  text(
    'Internal-IP',
    "List of addresses reachable to the node. Queried from cloud provider, if available. More info: https://kubernetes.io/docs/reference/node/node-status/#addresses Note: This field is declared as mergeable, but the merge key is not sufficiently unique, which can cause data corruption when it is merged. Callers should instead use a full-replacement patch. See https://pr.k8s.io/79391 for an example. Consumers should assume that addresses can change during the lifetime of a Node. However, there are some exceptions where this may not be possible, such as Pods that inherit a Node's address in its own status or consumers of the downward API (status.hostIP).",
    1,
  ),
  text(
    'External-IP',
    "List of addresses reachable to the node. Queried from cloud provider, if available. More info: https://kubernetes.io/docs/reference/node/node-status/#addresses Note: This field is declared as mergeable, but the merge key is not sufficiently unique, which can cause data corruption when it is merged. Callers should instead use a full-replacement patch. See https://pr.k8s.io/79391 for an example. Consumers should assume that addresses can change during the lifetime of a Node. However, there are some exceptions where this may not be possible, such as Pods that inherit a Node's address in its own status or consumers of the downward API (status.hostIP).",
    1,
  ),
  text('OS-Image', 'OS Image reported by the node from /etc/os-release (e.g. Debian GNU/Linux 7 (wheezy)).', 1),
  text('Kernel-Version', "Kernel Version reported by the node from 'uname -r' (e.g. 3.16.0-0.bpo.4-amd64).", 1),
  text('Container-Runtime', 'ContainerRuntime Version reported by the node through runtime remote API (e.g. containerd://1.4.2).', 1),
]

export const eventColumns: readonly Column[] = [
  text('Last Seen', 'The time at which the most recent occurrence of this event was recorded.'),
  text('Type', 'Type of this event (Normal, Warning), new types could be added in the future'),
  text(
    'Reason',
    "This should be a short, machine understandable string that gives the reason for the transition into the object's current status.",
  ),
  text('Object', 'The object that this event is about.'),
  text(
    'Subobject',
    'If referring to a piece of an object instead of an entire object, this string should contain a valid JSON/Go field access statement, such as desiredState.manifest.containers[2]. For example, if the object reference is to a container within a pod, this would take on a value like: "spec.containers{name}" (where "name" refers to the name of the container that triggered the event) or if no container name is specified "spec.containers[2]" (container with index 2 in this pod). This syntax is chosen only to have some well-defined way of referencing a part of an object.',
    1,
  ),
  text('Source', 'The component reporting this event. Should be a short machine understandable string.', 1),
  text('Message', 'A human-readable description of the status of this operation.'),
  text('First Seen', 'The time at which the event was first recorded. (Time of server receipt is in TypeMeta.)', 1),
  text('Count', 'The number of times this event has occurred.', 1),
  { ...nameColumn, priority: 1 },
]

export const namespaceColumns: readonly Column[] = [nameColumn, text('Status', 'The status of the namespace'), ageColumn]

export const secretColumns: readonly Column[] = [
  nameColumn,
  text(
    'Type',
    'Used to facilitate programmatic handling of secret data. More info: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types',
  ),
  text(
    'Data',
    "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4",
  ),
  ageColumn,
]

export const serviceAccountColumns: readonly Column[] = [nameColumn, ageColumn]

export const persistentVolumeColumns: readonly Column[] = [
  nameColumn,
  text(
    'Capacity',
    "capacity is the description of the persistent volume's resources and capacity. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#capacity",
  ),
  text(
    'Access Modes',
    'accessModes contains all ways the volume can be mounted. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes',
  ),
  text(
    'Reclaim Policy',
    'persistentVolumeReclaimPolicy defines what happens to a persistent volume when released from its claim. Valid options are Retain (default for manually created PersistentVolumes), Delete (default for dynamically provisioned PersistentVolumes), and Recycle (deprecated). Recycle must be supported by the volume plugin underlying this PersistentVolume. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#reclaiming',
  ),
  text(
    'Status',
    'phase indicates if a volume is available, bound to a claim, or released by a claim. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#phase',
  ),
  text(
    'Claim',
    'claimRef is part of a bi-directional binding between PersistentVolume and PersistentVolumeClaim. Expected to be non-nil when bound. claim.VolumeName is the authoritative bind between PV and PVC. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#binding',
  ),
  text('StorageClass', 'StorageClass of the pv'),
  text('VolumeAttributesClass', 'VolumeAttributesClass of the pv'),
  text(
    'Reason',
    'reason is a brief CamelCase string that describes any failure and is meant for machine parsing and tidy display in the CLI.',
  ),
  ageColumn,
  text(
    'VolumeMode',
    'volumeMode defines if a volume is intended to be used with a formatted filesystem or to remain in raw block state. Value of Filesystem is implied when not included in spec.',
    1,
  ),
]

export const persistentVolumeClaimColumns: readonly Column[] = [
  nameColumn,
  text('Status', 'phase represents the current phase of PersistentVolumeClaim.'),
  text('Volume', 'volumeName is the binding reference to the PersistentVolume backing this claim.'),
  text('Capacity', 'capacity represents the actual resources of the underlying volume.'),
  text(
    'Access Modes',
    'accessModes contains the actual access modes the volume backing the PVC has. More info: https://kubernetes.io/docs/concepts/storage/persistent-volumes#access-modes-1',
  ),
  text('StorageClass', 'StorageClass of the pvc'),
  text('VolumeAttributesClass', 'VolumeAttributesClass of the pvc'),
  ageColumn,
  text(
    'VolumeMode',
    'volumeMode defines what type of volume is required by the claim. Value of Filesystem is implied when not included in claim spec.',
    1,
  ),
]

export const componentStatusColumns: readonly Column[] = [
  nameColumn,
  text('Status', 'Status of the component conditions'),
  text('Message', 'Message of the component conditions'),
  text('Error', 'Error of the component conditions'),
]

export const configMapColumns: readonly Column[] = [
  nameColumn,
  text(
    'Data',
    "Data contains the configuration data. Each key must consist of alphanumeric characters, '-', '_' or '.'. Values with non-UTF-8 byte sequences must use the BinaryData field. The keys stored in Data must not overlap with the keys in the BinaryData field, this is enforced during validation process.",
  ),
  ageColumn,
]

export const roleBindingColumns: readonly Column[] = [
  nameColumn,
  text(
    'Role',
    'RoleRef can reference a Role in the current namespace or a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.',
  ),
  ageColumn,
  text('Users', 'Users in the roleBinding', 1),
  text('Groups', 'Groups in the roleBinding', 1),
  text('ServiceAccounts', 'ServiceAccounts in the roleBinding', 1),
]

export const clusterRoleBindingColumns: readonly Column[] = [
  nameColumn,
  text(
    'Role',
    'RoleRef can only reference a ClusterRole in the global namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.',
  ),
  ageColumn,
  text('Users', 'Users in the clusterRoleBinding', 1),
  text('Groups', 'Groups in the clusterRoleBinding', 1),
  text('ServiceAccounts', 'ServiceAccounts in the clusterRoleBinding', 1),
]

export const certificateSigningRequestColumns: readonly Column[] = [
  nameColumn,
  ageColumn,
  text(
    'SignerName',
    'Requested signer for the request. It is a qualified name in the form: `scope-hostname.io/name`. If empty, it will be defaulted:\n 1. If it\'s a kubelet client certificate, it is assigned\n    "kubernetes.io/kube-apiserver-client-kubelet".\n 2. If it\'s a kubelet serving certificate, it is assigned\n    "kubernetes.io/kubelet-serving".\n 3. Otherwise, it is assigned "kubernetes.io/legacy-unknown".\nDistribution of trust for signers happens out of band. You can select on this field using `spec.signerName`.',
  ),
  text('Requestor', 'Base64-encoded PKCS#10 CSR data'),
  text(
    'RequestedDuration',
    'expirationSeconds is the requested duration of validity of the issued certificate. The certificate signer may issue a certificate with a different validity duration so a client must check the delta between the notBefore and and notAfter fields in the issued certificate to determine the actual duration.\n\nThe v1.22+ in-tree implementations of the well-known Kubernetes signers will honor this field as long as the requested duration is not greater than the maximum duration they will honor per the --cluster-signing-duration CLI flag to the Kubernetes controller manager.\n\nCertificate signers may not honor this field for various reasons:\n\n  1. Old signer that is unaware of the field (such as the in-tree\n     implementations prior to v1.22)\n  2. Signer whose configured maximum is shorter than the requested duration\n  3. Signer whose configured minimum is longer than the requested duration\n\nThe minimum valid value for expirationSeconds is 600, i.e. 10 minutes.',
  ),
  text('Condition', 'Conditions applied to the request, such as approval or denial.'),
]

export const leaseColumns: readonly Column[] = [
  nameColumn,
  text(
    'Holder',
    'holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.',
  ),
  ageColumn,
]

export const storageClassColumns: readonly Column[] = [
  nameColumn,
  text('Provisioner', 'provisioner indicates the type of the provisioner.'),
  text(
    'ReclaimPolicy',
    'reclaimPolicy controls the reclaimPolicy for dynamically provisioned PersistentVolumes of this storage class. Defaults to Delete.',
  ),
  text(
    'VolumeBindingMode',
    'volumeBindingMode indicates how PersistentVolumeClaims should be provisioned and bound.  When unset, VolumeBindingImmediate is used. This field is only honored by servers that enable the VolumeScheduling feature.',
  ),
  text('AllowVolumeExpansion', 'allowVolumeExpansion shows whether the storage class allow volume expand.'),
  ageColumn,
]

export const volumeAttributesClassColumns: readonly Column[] = [
  nameColumn,
  text('DriverName', 'Name of the CSI driver This field is immutable.'),
  ageColumn,
]

export const resourceQuotaColumns: readonly Column[] = [
  nameColumn,
  text('Request', 'Request represents a minimum amount of cpu/memory that a container may consume.'),
  text('Limit', 'Limits control the maximum amount of cpu/memory that a container may use independent of contention on the node.'),
  ageColumn,
]

export const priorityClassColumns: readonly Column[] = [
  nameColumn,
  integer(
    'Value',
    'value represents the integer value of this priority class. This is the actual priority that pods receive when they have the name of this class in their pod spec.',
  ),
  boolean(
    'Global-Default',
    'globalDefault specifies whether this PriorityClass should be considered as the default priority for pods that do not have any priority class. Only one PriorityClass can be marked as `globalDefault`. However, if more than one PriorityClasses exists with their `globalDefault` field set to true, the smallest value of such global default PriorityClasses will be used as the default priority.',
  ),
  ageColumn,
  text(
    'PreemptionPolicy',
    'preemptionPolicy is the Policy for preempting pods with lower priority. One of Never, PreemptLowerPriority. Defaults to PreemptLowerPriority if unset.',
  ),
]

export const runtimeClassColumns: readonly Column[] = [nameColumn, text('Handler', ''), ageColumn]

export const volumeAttachmentColumns: readonly Column[] = [
  nameColumn,
  {
    ...text(
      'Attacher',
      'attacher indicates the name of the volume driver that MUST handle this request. This is the name returned by GetPluginName().',
    ),
    format: 'name',
  },
  text('PV', 'persistentVolumeName represents the name of the persistent volume to attach.'),
  text('Node', 'nodeName represents the node that the volume should be attached to.'),
  boolean(
    'Attached',
    'attached indicates the volume is successfully attached. This field must only be set by the entity completing the attach operation, i.e. the external-attacher.',
  ),
  ageColumn,
]

export const csiNodeColumns: readonly Column[] = [
  nameColumn,
  integer('Drivers', 'Drivers indicates the number of CSI drivers registered on the node'),
  ageColumn,
]

export const csiDriverColumns: readonly Column[] = [
  nameColumn,
  boolean(
    'AttachRequired',
    'attachRequired indicates this CSI volume driver requires an attach operation (because it implements the CSI ControllerPublishVolume() method), and that the Kubernetes attach detach controller should call the attach volume interface which checks the volumeattachment status and waits until the volume is attached before proceeding to mounting. The CSI external-attacher coordinates with CSI volume driver and updates the volumeattachment status when the attach operation is complete. If the value is specified to false, the attach operation will be skipped. Otherwise the attach operation will be called.\n\nThis field is immutable.',
  ),
  boolean(
    'PodInfoOnMount',
    'podInfoOnMount indicates this CSI volume driver requires additional pod information (like podName, podUID, etc.) during mount operations, if set to true. If set to false, pod information will not be passed on mount. Default is false.\n\nThe CSI driver specifies podInfoOnMount as part of driver deployment. If true, Kubelet will pass pod information as VolumeContext in the CSI NodePublishVolume() calls. The CSI driver is responsible for parsing and validating the information passed in as VolumeContext.\n\nThe following VolumeContext will be passed if podInfoOnMount is set to true. This list might grow, but the prefix will be used. "csi.storage.k8s.io/pod.name": pod.Name "csi.storage.k8s.io/pod.namespace": pod.Namespace "csi.storage.k8s.io/pod.uid": string(pod.UID) "csi.storage.k8s.io/ephemeral": "true" if the volume is an ephemeral inline volume\n                                defined by a CSIVolumeSource, otherwise "false"\n\n"csi.storage.k8s.io/ephemeral" is a new feature in Kubernetes 1.16. It is only required for drivers which support both the "Persistent" and "Ephemeral" VolumeLifecycleMode. Other drivers can leave pod info disabled and/or ignore this field. As Kubernetes 1.15 doesn\'t support this field, drivers can only support one mode when deployed on such a cluster and the deployment determines which mode that is, for example via a command line parameter of the driver.\n\nThis field was immutable in Kubernetes < 1.29 and now is mutable.',
  ),
  boolean(
    'StorageCapacity',
    'storageCapacity indicates that the CSI volume driver wants pod scheduling to consider the storage capacity that the driver deployment will report by creating CSIStorageCapacity objects with capacity information, if set to true.\n\nThe check can be enabled immediately when deploying a driver. In that case, provisioning new volumes with late binding will pause until the driver deployment has published some suitable CSIStorageCapacity object.\n\nAlternatively, the driver can be deployed with the field unset or false and it can be flipped later when storage capacity information has been published.\n\nThis field was immutable in Kubernetes <= 1.22 and now is mutable.',
  ),
  text(
    'TokenRequests',
    'tokenRequests indicates the CSI driver needs pods\' service account tokens it is mounting volume for to do necessary authentication. Kubelet will pass the tokens in VolumeContext in the CSI NodePublishVolume calls. The CSI driver should parse and validate the following VolumeContext: "csi.storage.k8s.io/serviceAccount.tokens": {\n  "<audience>": {\n    "token": <token>,\n    "expirationTimestamp": <expiration timestamp in RFC3339>,\n  },\n  ...\n}\n\nNote: Audience in each TokenRequest should be different and at most one token is empty string. To receive a new token after expiry, RequiresRepublish can be used to trigger NodePublishVolume periodically.',
  ),
  boolean(
    'RequiresRepublish',
    'requiresRepublish indicates the CSI driver wants `NodePublishVolume` being periodically called to reflect any possible change in the mounted volume. This field defaults to false.\n\nNote: After a successful initial NodePublishVolume call, subsequent calls to NodePublishVolume should only update the contents of the volume. New mount points will not be seen by a running container.',
  ),
  text(
    'Modes',
    'volumeLifecycleModes defines what kind of volumes this CSI volume driver supports. The default if the list is empty is "Persistent", which is the usage defined by the CSI specification and implemented in Kubernetes via the usual PV/PVC mechanism.\n\nThe other mode is "Ephemeral". In this mode, volumes are defined inline inside the pod spec with CSIVolumeSource and their lifecycle is tied to the lifecycle of that pod. A driver has to be aware of this because it is only going to get a NodePublishVolume call for such a volume.\n\nFor more information about implementing this mode, see https://kubernetes-csi.github.io/docs/ephemeral-local-volumes.html A driver can support one or more of these modes and more modes may be added in the future.\n\nThis field is beta. This field is immutable.',
  ),
  ageColumn,
]

export const csiStorageCapacityColumns: readonly Column[] = [
  nameColumn,
  text(
    'StorageClassName',
    'storageClassName represents the name of the StorageClass that the reported capacity applies to. It must meet the same requirements as the name of a StorageClass object (non-empty, DNS subdomain). If that object no longer exists, the CSIStorageCapacity object is obsolete and should be removed by its creator. This field is immutable.',
  ),
  text(
    'Capacity',
    'capacity is the value reported by the CSI driver in its GetCapacityResponse for a GetCapacityRequest with topology and parameters that match the previous fields.\n\nThe semantic is currently (CSI spec 1.2) defined as: The available capacity, in bytes, of the storage that can be used to provision volumes. If not set, that information is currently unavailable.',
  ),
]

export const mutatingWebhookColumns: readonly Column[] = [
  nameColumn,
  integer('Webhooks', 'Webhooks indicates the number of webhooks registered in this configuration'),
  ageColumn,
]

export const validatingWebhookColumns: readonly Column[] = [
  nameColumn,
  integer('Webhooks', 'Webhooks indicates the number of webhooks registered in this configuration'),
  ageColumn,
]

export const validatingAdmissionPolicyColumns: readonly Column[] = [
  nameColumn,
  integer('Validations', 'Validations indicates the number of validation rules defined in this configuration'),
  text('ParamKind', 'ParamKind specifies the kind of resources used to parameterize this policy'),
  ageColumn,
]

export const validatingAdmissionPolicyBindingColumns: readonly Column[] = [
  nameColumn,
  text('PolicyName', 'PolicyName indicates the policy definition which the policy binding binded to'),
  text('ParamRef', 'ParamRef indicates the param resource which sets the configuration param'),
  ageColumn,
]

export const flowSchemaColumns: readonly Column[] = [
  nameColumn,
  text('PriorityLevel', '`name` is the name of the priority level configuration being referenced Required.'),
  text(
    'MatchingPrecedence',
    '`matchingPrecedence` is used to choose among the FlowSchemas that match a given request. The chosen FlowSchema is among those with the numerically lowest (which we take to be logically highest) MatchingPrecedence.  Each MatchingPrecedence value must be ranged in [1,10000]. Note that if the precedence is not specified, it will be set to 1000 as default.',
  ),
  text(
    'DistinguisherMethod',
    '`distinguisherMethod` defines how to compute the flow distinguisher for requests that match this schema. `nil` specifies that the distinguisher is disabled and thus will always be the empty string.',
  ),
  ageColumn,
  text('MissingPL', 'references a broken or non-existent PriorityLevelConfiguration'),
]

export const priorityLevelColumns: readonly Column[] = [
  nameColumn,
  text(
    'Type',
    '`type` indicates whether this priority level is subject to limitation on request execution.  A value of `"Exempt"` means that requests of this priority level are not subject to a limit (and thus are never queued) and do not detract from the capacity made available to other priority levels.  A value of `"Limited"` means that (a) requests of this priority level _are_ subject to limits and (b) some of the server\'s limited capacity is made available exclusively to this priority level. Required.',
  ),
  text(
    'NominalConcurrencyShares',
    '`nominalConcurrencyShares` (NCS) contributes to the computation of the NominalConcurrencyLimit (NominalCL) of this level. This is the number of execution seats available at this priority level. This is used both for requests dispatched from this priority level as well as requests dispatched from other priority levels borrowing seats from this level. The server\'s concurrency limit (ServerCL) is divided among the Limited priority levels in proportion to their NCS values:\n\nNominalCL(i)  = ceil( ServerCL * NCS(i) / sum_ncs ) sum_ncs = sum[priority level k] NCS(k)\n\nBigger numbers mean a larger nominal concurrency limit, at the expense of every other priority level.\n\nIf not specified, this field defaults to a value of 30.\n\nSetting this field to zero supports the construction of a "jail" for this priority level that is used to hold some request(s)',
  ),
  text(
    'Queues',
    '`queues` is the number of queues for this priority level. The queues exist independently at each apiserver. The value must be positive.  Setting it to 1 effectively precludes shufflesharding and thus makes the distinguisher method of associated flow schemas irrelevant.  This field has a default value of 64.',
  ),
  text(
    'HandSize',
    "`handSize` is a small positive number that configures the shuffle sharding of requests into queues.  When enqueuing a request at this priority level the request's flow identifier (a string pair) is hashed and the hash value is used to shuffle the list of queues and deal a hand of the size specified here.  The request is put into one of the shortest queues in that hand. `handSize` must be no larger than `queues`, and should be significantly smaller (so that a few heavy flows do not saturate most of the queues).  See the user-facing documentation for more extensive guidance on setting this field.  This field has a default value of 8.",
  ),
  text(
    'QueueLengthLimit',
    '`queueLengthLimit` is the maximum number of requests allowed to be waiting in a given queue of this priority level at a time; excess requests are rejected.  This value must be positive.  If not specified, it will be defaulted to 50.',
  ),
  ageColumn,
]

export const deviceClassColumns: readonly Column[] = [nameColumn, ageColumn]

export const resourceClaimColumns: readonly Column[] = [
  nameColumn,
  text('State', 'A summary of the current state (allocated, pending, reserved, etc.).'),
  ageColumn,
]

export const resourceClaimTemplateColumns: readonly Column[] = [nameColumn, ageColumn]

export const resourceSliceColumns: readonly Column[] = [
  nameColumn,
  text(
    'Node',
    'NodeName identifies the node which provides the resources in this pool. A field selector can be used to list only ResourceSlice objects belonging to a certain node.\n\nThis field can be used to limit access from nodes to ResourceSlices with the same node name. It also indicates to autoscalers that adding new nodes of the same type as some old node might also make new resources available.\n\nExactly one of NodeName, NodeSelector, AllNodes, and PerDeviceNodeSelection must be set. This field is immutable.',
  ),
  text(
    'Driver',
    'Driver identifies the DRA driver providing the capacity information. A field selector can be used to list only ResourceSlice objects with a certain driver name.\n\nMust be a DNS subdomain and should end with a DNS domain owned by the vendor of the driver. It should use only lower case characters. This field is immutable.',
  ),
  text(
    'Pool',
    'Name is used to identify the pool. For node-local devices, this is often the node name, but this is not required.\n\nIt must not be longer than 253 characters and must consist of one or more DNS sub-domains separated by slashes. This field is immutable.',
  ),
  ageColumn,
]

// The internal structs of volumes and claims, as messages print them (pkg/apis/core/types.go).
import { goBool, goInt, goJson, goSlice, goString, goStruct, goValueStruct, type GoField, type Print } from './gostruct.ts'

/** `Name/json` pairs; a suffix says how a Go zero value looks: `` string, `i` number, `b` boolean, `p` pointer or map (null), `l` list. */
const fields = (text: string, structs: Readonly<Record<string, Print>> = {}): GoField[] =>
  text.split(' ').map((word) => {
    const [go = '', json = '', type = ''] = word.split('/')
    const print =
      structs[go] ?? (type === 'i' ? goInt : type === 'b' ? goBool : type === 'p' ? goJson : type === 'l' ? goSlice(goJson) : goString)
    return [go, json, print] as const
  })

const pointer = (text: string, structs?: Readonly<Record<string, Print>>): Print => goStruct(...fields(text, structs))
const goMap: Print = (value) => (value && Object.keys(value).length > 0 ? goJson(value) : 'null')

const SecretRef = pointer('Name/name Namespace/namespace')
const withSecret = (text: string, more: Readonly<Record<string, Print>> = {}): Print => pointer(text, { SecretRef, ...more })

const objectReference = pointer(
  'Kind/kind Namespace/namespace Name/name UID/uid APIVersion/apiVersion ResourceVersion/resourceVersion FieldPath/fieldPath',
)

const sources: Readonly<Record<string, Print>> = {
  GCEPersistentDisk: pointer('PDName/pdName FSType/fsType Partition/partition/i ReadOnly/readOnly/b'),
  AWSElasticBlockStore: pointer('VolumeID/volumeID FSType/fsType Partition/partition/i ReadOnly/readOnly/b'),
  HostPath: pointer('Path/path Type/type/p'),
  Glusterfs: pointer('EndpointsName/endpoints Path/path ReadOnly/readOnly/b EndpointsNamespace/endpointsNamespace/p'),
  NFS: pointer('Server/server Path/path ReadOnly/readOnly/b'),
  RBD: withSecret(
    'CephMonitors/monitors/l RBDImage/image FSType/fsType RBDPool/pool RadosUser/user Keyring/keyring SecretRef/secretRef ReadOnly/readOnly/b',
  ),
  Quobyte: pointer('Registry/registry Volume/volume ReadOnly/readOnly/b User/user Group/group Tenant/tenant'),
  ISCSI: withSecret(
    'TargetPortal/targetPortal IQN/iqn Lun/lun/i ISCSIInterface/iscsiInterface FSType/fsType ReadOnly/readOnly/b Portals/portals/l DiscoveryCHAPAuth/chapAuthDiscovery/b SessionCHAPAuth/chapAuthSession/b SecretRef/secretRef InitiatorName/initiatorName/p',
  ),
  FlexVolume: withSecret('Driver/driver FSType/fsType SecretRef/secretRef ReadOnly/readOnly/b Options/options', { Options: goMap }),
  Cinder: withSecret('VolumeID/volumeID FSType/fsType ReadOnly/readOnly/b SecretRef/secretRef'),
  CephFS: withSecret('Monitors/monitors/l Path/path User/user SecretFile/secretFile SecretRef/secretRef ReadOnly/readOnly/b'),
  FC: pointer('TargetWWNs/targetWWNs/l Lun/lun/p FSType/fsType ReadOnly/readOnly/b WWIDs/wwids/l'),
  Flocker: pointer('DatasetName/datasetName DatasetUUID/datasetUUID'),
  AzureFile: pointer('SecretName/secretName ShareName/shareName ReadOnly/readOnly/b SecretNamespace/secretNamespace/p'),
  VsphereVolume: pointer('VolumePath/volumePath FSType/fsType StoragePolicyName/storagePolicyName StoragePolicyID/storagePolicyID'),
  AzureDisk: pointer('DiskName/diskName DataDiskURI/diskURI CachingMode/cachingMode/p FSType/fsType/p ReadOnly/readOnly/p Kind/kind/p'),
  PhotonPersistentDisk: pointer('PdID/pdID FSType/fsType'),
  PortworxVolume: pointer('VolumeID/volumeID FSType/fsType ReadOnly/readOnly/b'),
  ScaleIO: withSecret(
    'Gateway/gateway System/system SecretRef/secretRef SSLEnabled/sslEnabled/b ProtectionDomain/protectionDomain StoragePool/storagePool StorageMode/storageMode VolumeName/volumeName FSType/fsType ReadOnly/readOnly/b',
  ),
  Local: pointer('Path/path FSType/fsType/p'),
  StorageOS: pointer('VolumeName/volumeName VolumeNamespace/volumeNamespace FSType/fsType ReadOnly/readOnly/b SecretRef/secretRef', {
    SecretRef: objectReference,
  }),
  CSI: pointer(
    'Driver/driver VolumeHandle/volumeHandle ReadOnly/readOnly/b FSType/fsType VolumeAttributes/volumeAttributes ControllerPublishSecretRef/controllerPublishSecretRef NodeStageSecretRef/nodeStageSecretRef NodePublishSecretRef/nodePublishSecretRef ControllerExpandSecretRef/controllerExpandSecretRef NodeExpandSecretRef/nodeExpandSecretRef',
    {
      VolumeAttributes: goMap,
      ControllerPublishSecretRef: SecretRef,
      NodeStageSecretRef: SecretRef,
      NodePublishSecretRef: SecretRef,
      ControllerExpandSecretRef: SecretRef,
      NodeExpandSecretRef: SecretRef,
    },
  ),
}

/** PersistentVolumeSource, from a PersistentVolumeSpec. */
const sourceFields = fields(
  'GCEPersistentDisk/gcePersistentDisk AWSElasticBlockStore/awsElasticBlockStore HostPath/hostPath Glusterfs/glusterfs NFS/nfs RBD/rbd Quobyte/quobyte ISCSI/iscsi FlexVolume/flexVolume Cinder/cinder CephFS/cephfs FC/fc Flocker/flocker AzureFile/azureFile VsphereVolume/vsphereVolume AzureDisk/azureDisk PhotonPersistentDisk/photonPersistentDisk PortworxVolume/portworxVolume ScaleIO/scaleIO Local/local StorageOS/storageos CSI/csi',
  sources,
)
export const goVolumeSource: Print = goValueStruct(...sourceFields)

/** metav1.LabelSelector keeps its JSON names and leaves out what is empty. */
export const goLabelSelector: Print = (value) => {
  if (!value) return 'null'
  const { matchLabels, matchExpressions } = value as {
    matchLabels?: object
    matchExpressions?: { key: string; operator: string; values?: string[] }[]
  }
  const parts: string[] = []
  if (matchLabels && Object.keys(matchLabels).length > 0) parts.push(`"matchLabels":${goJson(matchLabels)}`)
  if (matchExpressions?.length) {
    const requirement = (r: { key: string; operator: string; values?: string[] }): string =>
      `{"key":${goString(r.key)},"operator":${goString(r.operator)}${r.values?.length ? `,"values":${goJson(r.values)}` : ''}}`
    parts.push(`"matchExpressions":[${matchExpressions.map(requirement).join(',')}]`)
  }
  return `{${parts.join(',')}}`
}

export const goClaimSpec: Print = goValueStruct(
  ...fields(
    'AccessModes/accessModes/l Selector/selector Resources/resources VolumeName/volumeName StorageClassName/storageClassName/p VolumeMode/volumeMode/p DataSource/dataSource DataSourceRef/dataSourceRef VolumeAttributesClassName/volumeAttributesClassName/p',
    {
      Selector: goLabelSelector,
      Resources: goValueStruct(...fields('Limits/limits Requests/requests', { Limits: goMap, Requests: goMap })),
      DataSource: pointer('APIGroup/apiGroup/p Kind/kind Name/name'),
      DataSourceRef: pointer('APIGroup/apiGroup/p Kind/kind Name/name Namespace/namespace/p'),
    },
  ),
)

const requirements = goSlice(goStruct(...fields('Key/key Operator/operator Values/values/l')))
export const goNodeAffinity: Print = pointer('Required/required', {
  Required: pointer('NodeSelectorTerms/nodeSelectorTerms', {
    NodeSelectorTerms: goSlice(
      pointer('MatchExpressions/matchExpressions MatchFields/matchFields', { MatchExpressions: requirements, MatchFields: requirements }),
    ),
  }),
})

/** PersistentVolumeSpec: its source is embedded. */
export const goVolumeSpec: Print = goStruct(
  ['Capacity', 'capacity', goMap],
  ...sourceFields,
  ...fields(
    'AccessModes/accessModes/l ClaimRef/claimRef PersistentVolumeReclaimPolicy/persistentVolumeReclaimPolicy StorageClassName/storageClassName MountOptions/mountOptions/l VolumeMode/volumeMode/p NodeAffinity/nodeAffinity VolumeAttributesClassName/volumeAttributesClassName/p',
    { ClaimRef: objectReference, NodeAffinity: goNodeAffinity },
  ),
)

export const goScopeSelector: Print = pointer('MatchExpressions/matchExpressions', {
  MatchExpressions: goSlice(goStruct(...fields('ScopeName/scopeName Operator/operator Values/values/l'))),
})

// What a kubelet may do: its own Node, and objects that its pods refer to (plugin/pkg/auth/authorizer/node).
import type { Container, PersistentVolumeSpec, PodSpec, PolicyRule, Volume } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { clusterRoles } from './bootstrap-policy.ts'
import { type Attributes, rulesAllow, type UserInfo } from './rbac.ts'

/** What the authorizer looks at. Only pods that are bound to a node count. */
export interface NodeView {
  pods(namespace: string | undefined): readonly KubeObject[]
  persistentVolumes(): readonly KubeObject[]
  volumeAttachment(name: string): KubeObject | undefined
  resourceSlice(name: string): KubeObject | undefined
}

export interface NodeDecision {
  /** false: no opinion, the next authorizer is asked. */
  readonly allowed: boolean
  readonly reason: string
}

const allow: NodeDecision = { allowed: true, reason: '' }
const noOpinion = (reason = ''): NodeDecision => ({ allowed: false, reason })

const nodeUserPrefix = 'system:node:'

/** NodeIdentity: the name of the node that a user is; '' for a node user without a name; undefined for everybody else. */
export function nodeIdentity(user: UserInfo): string | undefined {
  if (!user.name.startsWith(nodeUserPrefix) || !user.groups.includes('system:nodes')) return undefined
  return user.name.slice(nodeUserPrefix.length)
}

type Kind = 'secret' | 'configmap' | 'pvc' | 'pv' | 'serviceaccount' | 'resourceclaim' | 'pod' | 'volumeattachment' | 'resourceslice'

const containersOf = (spec: PodSpec): Container[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...((spec.ephemeralContainers ?? []) as Container[]),
]

const volumeSecret = (v: Volume): (string | undefined)[] => {
  if (v.azureFile) return [v.azureFile.secretName]
  if (v.projected) return (v.projected.sources ?? []).map((s) => s.secret?.name)
  if (v.secret) return [v.secret.secretName]
  if (v.csi) return [v.csi.nodePublishSecretRef?.name]
  const withRef = v.cephfs ?? v.cinder ?? v.flexVolume ?? v.rbd ?? v.scaleIO ?? v.iscsi ?? v.storageos
  return [withRef?.secretRef?.name]
}

const volumeConfigMap = (v: Volume): (string | undefined)[] =>
  v.projected ? (v.projected.sources ?? []).map((s) => s.configMap?.name) : [v.configMap?.name]

const secretsOf = (spec: PodSpec): (string | undefined)[] => [
  ...(spec.imagePullSecrets ?? []).map((r) => r.name),
  ...containersOf(spec).flatMap((c) => [
    ...(c.envFrom ?? []).map((e) => e.secretRef?.name),
    ...(c.env ?? []).map((e) => e.valueFrom?.secretKeyRef?.name),
  ]),
  ...(spec.volumes ?? []).flatMap(volumeSecret),
]

const configMapsOf = (spec: PodSpec): (string | undefined)[] => [
  ...containersOf(spec).flatMap((c) => [
    ...(c.envFrom ?? []).map((e) => e.configMapRef?.name),
    ...(c.env ?? []).map((e) => e.valueFrom?.configMapKeyRef?.name),
  ]),
  ...(spec.volumes ?? []).flatMap(volumeConfigMap),
]

const claimsOf = (pod: KubeObject): (string | undefined)[] =>
  ((pod.spec as PodSpec).volumes ?? []).map(
    (v) => v.persistentVolumeClaim?.claimName ?? (v.ephemeral ? `${pod.metadata.name}-${v.name}` : undefined),
  )

const resourceClaimsOf = (pod: KubeObject): (string | undefined)[] => [
  ...((pod.spec as PodSpec).resourceClaims ?? []).map((c) => c.resourceClaimName),
  ...((pod.status?.resourceClaimStatuses ?? []) as { resourceClaimName?: string }[]).map((s) => s.resourceClaimName),
  pod.status?.extendedResourceClaimStatus?.resourceClaimName,
]

/** Secrets of a volume that the kubelet needs, as [namespace, name]; those without a namespace are looked for beside the claim. */
function volumeSecrets(spec: PersistentVolumeSpec): (readonly [string, string])[] {
  const claimNamespace = spec.claimRef?.namespace ?? ''
  if (spec.azureFile) return [[spec.azureFile.secretNamespace || claimNamespace, spec.azureFile.secretName]]
  const beside = spec.cephfs ?? spec.flexVolume ?? spec.rbd ?? spec.scaleIO ?? spec.iscsi
  const refs = spec.csi
    ? [spec.csi.nodePublishSecretRef, spec.csi.nodeStageSecretRef, spec.csi.nodeExpandSecretRef]
    : [beside?.secretRef ?? spec.cinder?.secretRef ?? spec.storageos?.secretRef]
  return refs.flatMap((r) => (r?.name ? [[r.namespace || (beside ? claimNamespace : ''), r.name] as const] : []))
}

const mirrorPod = (pod: KubeObject): boolean => Object.hasOwn(pod.metadata.annotations ?? {}, 'kubernetes.io/config.mirror')

function podRefers(pod: KubeObject, kind: Kind, name: string): boolean {
  const spec = pod.spec as PodSpec
  if (kind === 'pod') return pod.metadata.name === name
  if (mirrorPod(pod)) return false
  if (kind === 'secret') return secretsOf(spec).includes(name)
  if (kind === 'configmap') return configMapsOf(spec).includes(name)
  if (kind === 'serviceaccount') return spec.serviceAccountName === name
  if (kind === 'pvc') return claimsOf(pod).includes(name)
  return kind === 'resourceclaim' && resourceClaimsOf(pod).includes(name)
}

/** hasPathFrom: object ← pod ← node, also through claims and volumes. */
export function isRelated(nodeName: string, kind: Kind, namespace: string, name: string, view: NodeView): boolean {
  const onNode = (ns: string): readonly KubeObject[] => view.pods(ns).filter((p) => p.spec?.nodeName === nodeName)
  if (kind === 'volumeattachment') return view.volumeAttachment(name)?.spec?.nodeName === nodeName
  if (kind === 'resourceslice') return view.resourceSlice(name)?.spec?.nodeName === nodeName
  const claimed = (pv: KubeObject): boolean => {
    const ref = (pv.spec as PersistentVolumeSpec).claimRef
    return ref?.name !== undefined && onNode(ref.namespace ?? '').some((p) => podRefers(p, 'pvc', ref.name ?? ''))
  }
  if (kind === 'pv') return view.persistentVolumes().some((pv) => pv.metadata.name === name && claimed(pv))
  if (onNode(namespace).some((p) => podRefers(p, kind, name))) return true
  if (kind !== 'secret') return false
  return view
    .persistentVolumes()
    .some((pv) => volumeSecrets(pv.spec).some(([ns, secret]) => ns === namespace && secret === name) && claimed(pv))
}

const nodeRules: readonly PolicyRule[] = (clusterRoles.find((r) => r.metadata.name === 'system:node')?.rules ?? []) as PolicyRule[]

const selects = (a: Attributes, field: string, value: string): boolean =>
  a.fieldSelector?.some((r) => r.field === field && (r.operator === '=' || r.operator === '==') && r.value === value) ?? false

function related(node: string, kind: Kind, a: Attributes, view: NodeView): NodeDecision {
  if (!a.name) return noOpinion('No Object name found')
  return isRelated(node, kind, a.namespace ?? '', a.name, view)
    ? allow
    : noOpinion(`no relationship found between node '${node}' and this object`)
}

function get(node: string, kind: Kind, a: Attributes, view: NodeView): NodeDecision {
  if (a.verb !== 'get') return noOpinion('can only get individual resources of this type')
  return a.subresource ? noOpinion('cannot get subresource') : related(node, kind, a, view)
}

function readNamespaced(node: string, kind: Kind, a: Attributes, view: NodeView): NodeDecision {
  if (!['get', 'list', 'watch'].includes(a.verb)) return noOpinion('can only read resources of this type')
  if (a.subresource) return noOpinion('cannot read subresource')
  if (!a.namespace) return noOpinion('can only read namespaced object of this type')
  return related(node, kind, a, view)
}

function claimStatus(node: string, a: Attributes, view: NodeView): NodeDecision {
  if (a.verb !== 'update' && a.verb !== 'patch') return noOpinion('can only get/update/patch this type')
  return related(node, 'pvc', a, view)
}

function serviceAccounts(node: string, a: Attributes, view: NodeView): NodeDecision {
  if (a.verb === 'get' && !a.subresource) return readNamespaced(node, 'serviceaccount', a, view)
  if (a.verb !== 'create' || !a.name) return noOpinion('can only create tokens for individual service accounts')
  if (a.subresource !== 'token') return noOpinion('can only create token subresource of serviceaccount')
  return related(node, 'serviceaccount', a, view)
}

const ownVerbs = ['get', 'create', 'update', 'patch', 'delete']

function leases(node: string, a: Attributes): NodeDecision {
  if (!ownVerbs.includes(a.verb)) return noOpinion('can only get, create, update, patch, or delete a node lease')
  if (a.namespace !== 'kube-node-lease') return noOpinion('can only access leases in the "kube-node-lease" system namespace')
  if (a.verb !== 'create' && a.name !== node) return noOpinion('can only access node lease with the same name as the requesting node')
  return allow
}

function csiNodes(node: string, a: Attributes): NodeDecision {
  if (!ownVerbs.includes(a.verb)) return noOpinion('can only get, create, update, patch, or delete a CSINode')
  if (a.subresource) return noOpinion('cannot authorize CSINode subresources')
  if (a.verb !== 'create' && a.name !== node) return noOpinion('can only access CSINode with the same name as the requesting node')
  return allow
}

function resourceSlices(node: string, a: Attributes, view: NodeView): NodeDecision {
  if (a.subresource) return noOpinion('cannot authorize ResourceSlice subresources')
  switch (a.verb) {
    case 'create':
      return allow
    case 'get':
    case 'update':
    case 'patch':
    case 'delete':
      return related(node, 'resourceslice', a, view)
    case 'watch':
    case 'list':
    case 'deletecollection':
      return selects(a, 'spec.nodeName', node)
        ? allow
        : noOpinion('can only list/watch/deletecollection resourceslices with nodeName field selector')
    default:
      return noOpinion(
        'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
      )
  }
}

function nodes(node: string, a: Attributes): NodeDecision {
  const writes = a.verb === 'update' || a.verb === 'patch'
  if (!a.subresource) {
    if (a.verb === 'create' || writes) return allow
    if (['get', 'list', 'watch'].includes(a.verb)) {
      if (a.name === node) return allow
      return noOpinion(
        a.name
          ? `node '${node}' cannot read '${a.name}', only its own Node object`
          : `node '${node}' cannot read all nodes, only its own Node object`,
      )
    }
  }
  return a.subresource === 'status' && writes ? allow : noOpinion()
}

function pods(node: string, a: Attributes, view: NodeView): NodeDecision {
  const writes = a.verb === 'update' || a.verb === 'patch'
  if (!a.subresource) {
    if (a.verb === 'get') return get(node, 'pod', a, view)
    if (a.verb === 'list' || a.verb === 'watch') {
      if (selects(a, 'spec.nodeName', node)) return allow
      return a.name ? related(node, 'pod', a, view) : noOpinion('can only list/watch pods with spec.nodeName field selector')
    }
    if (a.verb === 'create' || a.verb === 'delete') return allow
  }
  if (a.subresource === 'status' && writes) return allow
  return a.subresource === 'eviction' && a.verb === 'create' ? allow : noOpinion()
}

export function authorizeNode(a: Attributes, view: NodeView): NodeDecision {
  const node = nodeIdentity(a.user)
  if (node === undefined) return noOpinion()
  if (node === '') return noOpinion(`unknown node for user "${a.user.name}"`)
  if (a.resourceRequest) {
    switch (a.apiGroup ? `${a.resource}.${a.apiGroup}` : a.resource) {
      case 'secrets':
        return readNamespaced(node, 'secret', a, view)
      case 'configmaps':
        return readNamespaced(node, 'configmap', a, view)
      case 'persistentvolumeclaims':
        return a.subresource === 'status' ? claimStatus(node, a, view) : get(node, 'pvc', a, view)
      case 'persistentvolumes':
        return get(node, 'pv', a, view)
      case 'resourceclaims.resource.k8s.io':
        return get(node, 'resourceclaim', a, view)
      case 'volumeattachments.storage.k8s.io':
        return get(node, 'volumeattachment', a, view)
      case 'serviceaccounts':
        return serviceAccounts(node, a, view)
      case 'leases.coordination.k8s.io':
        return leases(node, a)
      case 'csinodes.storage.k8s.io':
        return csiNodes(node, a)
      case 'resourceslices.resource.k8s.io':
        return resourceSlices(node, a, view)
      case 'nodes':
        return nodes(node, a)
      case 'pods':
        return pods(node, a, view)
      case 'podcertificaterequests.certificates.k8s.io':
        return noOpinion()
    }
  }
  return rulesAllow(a, nodeRules) ? allow : noOpinion()
}

// NodeRestriction: plugin/pkg/admission/noderestriction. A kubelet changes only its own Node, its own pods, its own lease.
import { deepEqual, sortedKeys, sortStrings } from '../../../../lib/compare.ts'
import { getOwn } from '../../../../lib/own.ts'
import { notFound } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { nodeIdentity } from '../authz/node-authorizer.ts'
import { refuse } from '../refusal.ts'
import { deny } from './helpers.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

const MIRROR = 'kubernetes.io/config.mirror'
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])
const KUBELET_NAMESPACES = ['kubelet.kubernetes.io', 'node.kubernetes.io']
const RESTRICTED = 'node-restriction.kubernetes.io'

const q = (text: string): string => JSON.stringify(text)
const within = (namespace: string, of: string): boolean => namespace === of || namespace.endsWith(`.${of}`)

function forbiddenLabels(labels: readonly string[]): string[] {
  return sortStrings(
    labels.filter((label) => {
      const slash = label.indexOf('/')
      const namespace = slash < 0 ? '' : label.slice(0, slash)
      if (within(namespace, RESTRICTED)) return true
      const ours = within(namespace, 'kubernetes.io') || within(namespace, 'k8s.io')
      return ours && !KUBELET_LABELS.has(label) && !KUBELET_NAMESPACES.some((n) => within(namespace, n))
    }),
  )
}

function modifiedLabels(a: KubeObject, b: KubeObject | undefined): string[] {
  const [x, y] = [(a.metadata.labels ?? {}) as Record<string, string>, (b?.metadata.labels ?? {}) as Record<string, string>]
  return [...new Set([...sortedKeys(x), ...sortedKeys(y)])].filter((k) => getOwn(x, k) !== getOwn(y, k))
}

function podOf(a: Attributes, name: string): KubeObject {
  return a.rq.view.get('pods', a.namespace, name) ?? refuse(notFound({ group: '', name: 'pods' }, name))
}

function admitPod(a: Attributes, node: string): void {
  if (a.operation === 'DELETE') {
    if (podOf(a, a.name).spec.nodeName !== node) deny(a, `node ${q(node)} can only delete pods with spec.nodeName set to itself`)
    return
  }
  if (a.operation !== 'CREATE') deny(a, `unexpected operation ${q(a.operation)}, node ${q(node)} can only create and delete mirror pods`)
  const pod = a.object as KubeObject
  if (!Object.hasOwn(pod.metadata.annotations ?? {}, MIRROR))
    deny(a, `pod does not have ${q(MIRROR)} annotation, node ${q(node)} can only create mirror pods`)
  if (pod.spec.nodeName !== node) deny(a, `node ${q(node)} can only create pods with spec.nodeName set to itself`)
  admitMirrorOwner(a, node, pod)
  if (pod.spec.serviceAccountName) deny(a, `node ${q(node)} can not create pods that reference a service account`)
  const uses = JSON.stringify(pod.spec)
  if (/"(secretKeyRef|secretRef|secretName|imagePullSecrets)":/.test(uses))
    deny(a, `node ${q(node)} can not create pods that reference secrets`)
  if (/"(configMapKeyRef|configMapRef|configMap)":/.test(uses)) deny(a, `node ${q(node)} can not create pods that reference configmaps`)
  if (/"persistentVolumeClaim":/.test(uses)) deny(a, `node ${q(node)} can not create pods that reference persistentvolumeclaims`)
}

function admitMirrorOwner(a: Attributes, node: string, pod: KubeObject): void {
  const owners = pod.metadata.ownerReferences ?? []
  if (owners.length > 1) deny(a, `node ${q(node)} can only create pods with a single owner reference set to itself`)
  const owner = owners[0]
  if (!owner || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return deny(a, `node ${q(node)} can only create pods with an owner reference set to itself`)
  if (owner.controller !== true) deny(a, `node ${q(node)} can only create pods with a controller owner reference set to itself`)
  if (owner.blockOwnerDeletion === true) deny(a, `node ${q(node)} must not set blockOwnerDeletion on an owner reference`)
  const found = a.rq.view.get('nodes', undefined, node) ?? refuse(notFound({ group: '', name: 'nodes' }, node))
  if (owner.uid !== found.metadata.uid) deny(a, `node ${node} UID mismatch: expected ${owner.uid} got ${found.metadata.uid}`)
}

function admitPodStatus(a: Attributes, node: string): void {
  if (a.operation !== 'UPDATE') deny(a, `unexpected operation ${q(a.operation)}`)
  const [pod, old] = [a.object as KubeObject, a.old as KubeObject]
  if (old.spec.nodeName !== node) deny(a, `node ${q(node)} can only update pod status for pods with spec.nodeName set to itself`)
  if (!deepEqual(pod.metadata.labels ?? {}, old.metadata.labels ?? {})) deny(a, `node ${q(node)} cannot update labels through pod status`)
}

function admitNode(a: Attributes, node: string): void {
  const object = a.object as KubeObject | undefined
  const requested = a.name !== '' ? a.name : (object?.metadata.name ?? '')
  if (a.operation === 'CREATE' && object) {
    const labels = forbiddenLabels(modifiedLabels(object, undefined))
    if (labels.length > 0) deny(a, `node ${q(node)} is not allowed to set the following labels: ${labels.join(', ')}`)
  }
  if (requested !== node) deny(a, `node ${q(node)} is not allowed to modify node ${q(requested)}`)
  if (a.operation !== 'UPDATE' || !object || !a.old) return
  if (!deepEqual(object.spec?.taints ?? [], a.old.spec?.taints ?? [])) deny(a, `node ${q(node)} is not allowed to modify taints`)
  const labels = forbiddenLabels(modifiedLabels(object, a.old))
  if (labels.length > 0) deny(a, `is not allowed to modify labels: ${labels.join(', ')}`)
  if (!deepEqual(object.metadata.ownerReferences ?? [], a.old.metadata.ownerReferences ?? []))
    deny(a, `node ${q(node)} is not allowed to modify ownerReferences`)
}

function admitToken(a: Attributes, node: string): void {
  if (a.operation !== 'CREATE' || a.subresource !== 'token') return
  const ref = (a.object as KubeObject).spec?.boundObjectRef
  if (!ref || ref.apiVersion !== 'v1' || ref.kind !== 'Pod' || !ref.name) deny(a, 'node requested token not bound to a pod')
  if (!ref.uid) deny(a, 'node requested token with a pod binding without a uid')
  const pod = podOf(a, ref.name)
  if (ref.uid !== pod.metadata.uid)
    deny(
      a,
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  if (pod.spec.nodeName !== node) deny(a, 'node requested token bound to a pod scheduled on a different node')
}

const ownName = (a: Attributes): string => (a.operation === 'CREATE' ? ((a.object as KubeObject | undefined)?.metadata.name ?? '') : a.name)

export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  handles: (a) => a.operation !== 'CONNECT' && nodeIdentity(a.rq.user) !== undefined,
  admit(a) {
    const node = nodeIdentity(a.rq.user)
    if (node === undefined) return undefined
    if (node === '') return deny(a, `could not determine node from user ${q(a.rq.user.name)}`)
    const key = `${a.group}/${a.resource}`
    switch (key) {
      case '/pods':
        if (a.subresource === '') admitPod(a, node)
        else if (a.subresource === 'status') admitPodStatus(a, node)
        else if (a.subresource === 'eviction') {
          if (podOf(a, a.name).spec.nodeName !== node) deny(a, `node ${node} can only evict pods with spec.nodeName set to itself`)
        } else deny(a, `unexpected pod subresource ${q(a.subresource)}, only 'status' and 'eviction' are allowed`)
        break
      case '/nodes':
        admitNode(a, node)
        break
      case '/persistentvolumeclaims':
        if (a.subresource !== 'status') deny(a, 'may only update PVC status')
        break
      case '/serviceaccounts':
        admitToken(a, node)
        break
      case 'coordination.k8s.io/leases':
        if (a.namespace !== 'kube-node-lease') deny(a, 'can only access leases in the "kube-node-lease" system namespace')
        if (ownName(a) !== node) deny(a, 'can only access node lease with the same name as the requesting node')
        break
      case 'storage.k8s.io/csinodes':
        if (ownName(a) !== node) deny(a, 'can only access CSINode with the same name as the requesting node')
        break
    }
    return undefined
  },
}

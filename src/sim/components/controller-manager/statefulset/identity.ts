// Names, ordinals, claims and health of a StatefulSet's pods (pkg/controller/statefulset/stateful_set_utils.go).
import { copyOwn } from '../../../../lib/own.ts'
import type { PersistentVolumeClaim, Volume } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { isPodAvailable, isPodReady } from '../runtime/objects.ts'
import { podFromTemplate } from '../runtime/pod-control.ts'
import { REVISION_HASH_LABEL } from '../runtime/history.ts'

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name'
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index'

export function parentAndOrdinal(pod: KubeObject): { parent: string; ordinal: number } {
  const m = /^(.*)-([0-9]+)$/.exec(pod.metadata.name ?? '')
  return m && Number(m[2]) <= 2147483647 ? { parent: m[1] as string, ordinal: Number(m[2]) } : { parent: '', ordinal: -1 }
}
export const ordinalOf = (pod: KubeObject): number => parentAndOrdinal(pod).ordinal
export const isMemberOf = (set: KubeObject, pod: KubeObject): boolean => parentAndOrdinal(pod).parent === set.metadata.name
export const startOrdinal = (set: KubeObject): number => set.spec?.ordinals?.start ?? 0
export const inRange = (set: KubeObject, pod: KubeObject): boolean => {
  const ordinal = ordinalOf(pod)
  return ordinal >= startOrdinal(set) && ordinal < startOrdinal(set) + (set.spec?.replicas ?? 0)
}
export const podName = (set: KubeObject, ordinal: number): string => `${set.metadata.name}-${ordinal}`
export const revisionNameOf = (pod: KubeObject): string => pod.metadata.labels?.[REVISION_HASH_LABEL] ?? ''

export const isCreated = (pod: KubeObject): boolean => (pod.status?.phase ?? '') !== ''
export const isTerminating = (pod: KubeObject): boolean => pod.metadata.deletionTimestamp !== undefined
export const isRunningAndReady = (pod: KubeObject): boolean => pod.status?.phase === 'Running' && isPodReady(pod)
export const isRunningAndAvailable = (pod: KubeObject, minReady: number, now: number): boolean =>
  pod.status?.phase === 'Running' && isPodAvailable(pod, minReady, now)
export const isHealthy = (pod: KubeObject): boolean => isRunningAndReady(pod) && !isTerminating(pod)

type ClaimTemplate = PersistentVolumeClaim
export const claimTemplates = (set: KubeObject): ClaimTemplate[] => (set.spec?.volumeClaimTemplates ?? []) as ClaimTemplate[]
export const claimName = (set: KubeObject, template: ClaimTemplate, ordinal: number): string =>
  `${template.metadata?.name}-${set.metadata.name}-${ordinal}`

export function claimsFor(set: KubeObject, ordinal: number): KubeObject[] {
  return claimTemplates(set).map((template) => {
    const labels = copyOwn(template.metadata?.labels ?? {})
    Object.assign(labels, copyOwn(set.spec?.selector?.matchLabels ?? {}))
    const metadata = {
      name: claimName(set, template, ordinal),
      namespace: set.metadata.namespace ?? '',
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(template.metadata?.annotations ? { annotations: template.metadata.annotations } : {}),
    }
    return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata, spec: template.spec }
  })
}

/** updateStorage: the claims' volumes first, then those of the template that no claim replaces. */
const withStorage = (set: KubeObject, pod: KubeObject, ordinal: number): KubeObject => {
  const templates = claimTemplates(set)
  if (templates.length === 0) return pod
  const claimed: Volume[] = templates.map((t) => ({
    name: t.metadata?.name ?? '',
    persistentVolumeClaim: { claimName: claimName(set, t, ordinal) },
  }))
  const rest = ((pod.spec?.volumes ?? []) as Volume[]).filter((v) => !claimed.some((c) => c.name === v.name))
  return { ...pod, spec: { ...pod.spec, volumes: [...claimed, ...rest] } }
}

const withIdentity = (set: KubeObject, pod: KubeObject, ordinal: number): KubeObject => {
  const labels = copyOwn(pod.metadata.labels ?? {})
  labels[POD_NAME_LABEL] = podName(set, ordinal)
  labels[POD_INDEX_LABEL] = String(ordinal)
  return { ...pod, metadata: { ...pod.metadata, name: podName(set, ordinal), namespace: set.metadata.namespace ?? '', labels } }
}

export function newPod(set: KubeObject, ordinal: number, revision: string): KubeObject {
  const bare = withIdentity(set, podFromTemplate(set.spec.template, set), ordinal)
  const labels = copyOwn(bare.metadata.labels ?? {})
  labels[REVISION_HASH_LABEL] = revision
  const spec = { ...bare.spec, hostname: podName(set, ordinal), ...(set.spec.serviceName ? { subdomain: set.spec.serviceName } : {}) }
  return withStorage(set, { ...bare, metadata: { ...bare.metadata, labels }, spec }, ordinal)
}

const identityMatches = (set: KubeObject, pod: KubeObject): boolean => {
  const { parent, ordinal } = parentAndOrdinal(pod)
  const { labels } = pod.metadata
  return (
    ordinal >= 0 &&
    parent === set.metadata.name &&
    labels?.[POD_NAME_LABEL] === pod.metadata.name &&
    labels?.[POD_INDEX_LABEL] === String(ordinal)
  )
}
const storageMatches = (set: KubeObject, pod: KubeObject): boolean =>
  claimTemplates(set).every((t) =>
    ((pod.spec?.volumes ?? []) as Volume[]).some(
      (v) => v.name === t.metadata?.name && v.persistentVolumeClaim?.claimName === claimName(set, t, ordinalOf(pod)),
    ),
  )

export const isConsistent = (set: KubeObject, pod: KubeObject): boolean => identityMatches(set, pod) && storageMatches(set, pod)
export const repaired = (set: KubeObject, pod: KubeObject): KubeObject =>
  withStorage(set, withIdentity(set, pod, ordinalOf(pod)), ordinalOf(pod))

// What the round trip through upstream's internal version does to a pod (pkg/apis/core/v1/conversion.go).
import type { ObjectMeta, PodSpec, PodStatus, PodTemplateSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'

const initContainerAnnotations = [
  'pod.beta.kubernetes.io/init-containers',
  'pod.alpha.kubernetes.io/init-containers',
  'pod.beta.kubernetes.io/init-container-statuses',
  'pod.alpha.kubernetes.io/init-container-statuses',
] as const

function dropInitContainerAnnotations(meta: ObjectMeta | undefined): void {
  const annotations = meta?.annotations
  if (!meta || !annotations || !initContainerAnnotations.some((key) => Object.hasOwn(annotations, key))) return
  for (const key of initContainerAnnotations) delete annotations[key]
  if (Object.keys(annotations).length === 0) delete meta.annotations
}

/** `serviceAccount` is an alias of `serviceAccountName`, which wins. */
export function canonicalPodSpec(spec: PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (name) {
    spec.serviceAccountName = name
    spec.serviceAccount = name
  } else {
    delete spec.serviceAccountName
    delete spec.serviceAccount
  }
}

export const canonicalTemplate = (template: PodTemplateSpec): void => dropInitContainerAnnotations(template.metadata)

/** podIP and podIPs agree; podIP is believed where they do not. */
function canonicalPodIPs(status: PodStatus): void {
  const first = status.podIPs?.[0]?.ip
  if (status.podIP && status.podIP !== first) status.podIPs = [{ ip: status.podIP }]
  else if (first !== undefined) {
    if (first) status.podIP = first
    else delete status.podIP
  }
}

export function canonicalPod(draft: KubeObject): void {
  dropInitContainerAnnotations(draft.metadata)
  const spec = draft['spec'] as PodSpec
  const grace = spec.terminationGracePeriodSeconds
  if (typeof grace === 'number' && grace < 0) spec.terminationGracePeriodSeconds = 1
  if (draft['status']) canonicalPodIPs(draft['status'] as PodStatus)
}

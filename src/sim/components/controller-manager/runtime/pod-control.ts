// RealPodControl of pkg/controller/controller_utils.go: pods made from a template, and the events about it.
import type { OwnerReference } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { ownerReference } from './objects.ts'
import { createCall, deleteCall, event, isNamespaceTerminating, isNotFound } from './steps.ts'
import type { ApiAnswer, ApiCall, Steps } from './types.ts'

export const SUCCESSFUL_CREATE = 'SuccessfulCreate'
export const FAILED_CREATE = 'FailedCreate'
export const SUCCESSFUL_DELETE = 'SuccessfulDelete'
export const FAILED_DELETE = 'FailedDelete'

export interface PodTemplate {
  readonly metadata?: {
    readonly labels?: Record<string, string>
    readonly annotations?: Record<string, string>
    readonly finalizers?: readonly string[]
  }
  // biome-ignore lint/suspicious/noExplicitAny: a pod spec
  readonly spec: any
}

/** GetPodFromTemplate. */
export function podFromTemplate(template: PodTemplate, owner: KubeObject, ref: OwnerReference = ownerReference(owner)): KubeObject {
  const { labels, annotations, finalizers } = template.metadata ?? {}
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${owner.metadata.name}-`,
      namespace: owner.metadata.namespace ?? '',
      ...(labels ? { labels: { ...labels } } : {}),
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ...(finalizers && finalizers.length > 0 ? { finalizers: [...finalizers] } : {}),
      ownerReferences: [ref],
    },
    spec: template.spec,
  }
}

export const createPodCall = (pod: KubeObject): ApiCall => createCall('pods', pod.metadata.namespace, pod)

export function* podCreated(owner: KubeObject, answer: ApiAnswer): Steps<void> {
  if (answer.ok) yield* event(owner, 'Normal', SUCCESSFUL_CREATE, `Created pod: ${(answer.body as KubeObject).metadata.name}`)
  else if (!isNamespaceTerminating(answer)) yield* event(owner, 'Warning', FAILED_CREATE, `Error creating: ${answer.message}`)
}

export const deletePodCall = (pod: KubeObject): ApiCall => deleteCall('pods', pod.metadata.namespace, pod.metadata.name ?? '')

export function* podDeleted(owner: KubeObject, pod: KubeObject, answer: ApiAnswer): Steps<void> {
  if (answer.ok) yield* event(owner, 'Normal', SUCCESSFUL_DELETE, `Deleted pod: ${pod.metadata.name}`)
  else if (!isNotFound(answer)) yield* event(owner, 'Warning', FAILED_DELETE, `Error deleting: ${answer.message}`)
}

// policy/v1 Eviction: the body of POST pods/NAME/eviction. It is never stored.
import type { DeleteOptions } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'

export interface Eviction extends KubeObject {
  /** How the pod is deleted; its dryRun decides whether anything happens. */
  deleteOptions?: DeleteOptions
}

/** Group-versions in which the body may come; policy/v1beta1 is accepted although the group no longer lists it. */
export const evictionVersions = ['policy/v1', 'policy/v1beta1'] as const

/** What is wrong with the body for the pod in the URL (400), or undefined. */
export const evictionProblem = (eviction: Eviction, podName: string): string | undefined =>
  eviction.metadata?.name === podName ? undefined : 'name in URL does not match name in Eviction object'

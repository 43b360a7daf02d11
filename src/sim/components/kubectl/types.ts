// What the visitor's kubectl can be told to do, and what it says afterwards. One command is one input of the simulation.
import type { KubeObject, ObjectRef } from '../../api/types/object.ts'

export type KubectlCommand =
  /** `kubectl apply -f -`: documents in order, each on its own. */
  | { readonly verb: 'apply'; readonly documents: readonly KubeObject[]; readonly namespace: string; readonly dryRun?: 'server' }
  /** `kubectl create -f -`, and what `kubectl run` and `create deployment` send. */
  | { readonly verb: 'create'; readonly object: KubeObject; readonly namespace: string; readonly manager: string }
  | { readonly verb: 'expose'; readonly ref: ObjectRef; readonly port: number; readonly targetPort?: number | string }
  | { readonly verb: 'scale'; readonly ref: ObjectRef; readonly replicas: number }
  | { readonly verb: 'set-image'; readonly ref: ObjectRef; readonly container: string; readonly image: string }
  | { readonly verb: 'rollout-status'; readonly ref: ObjectRef }
  | { readonly verb: 'delete'; readonly ref: ObjectRef; readonly gracePeriodSeconds?: number; readonly wait: boolean }
  | { readonly verb: 'delete-selected'; readonly ref: Omit<ObjectRef, 'name'>; readonly labelSelector: string; readonly wait: boolean }
  /** `kubectl get --raw` and friends: one request as it is. */
  | {
      readonly verb: 'raw'
      readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
      readonly path: string
      readonly body?: string
      readonly contentType?: string
    }

/** Payload of the input `kubectl.command`. */
export interface KubectlInput {
  readonly id: string
  readonly command: KubectlCommand
  /** As the visitor would have typed it. */
  readonly summary: string
}

export interface KubectlLine {
  readonly document: number
  readonly ref?: ObjectRef
  readonly outcome: 'created' | 'configured' | 'unchanged' | 'deleted' | 'rejected' | 'answered'
  readonly text: string
  readonly warnings: readonly string[]
  /** The Status of a refused request. */
  readonly status?: KubeObject
  /** Live object before, and what came back: what the dry-run diff shows. */
  readonly before?: KubeObject
  readonly after?: KubeObject
}

/** Table `results` of the component: command id → this. */
export interface KubectlResult {
  readonly done: boolean
  readonly ok: boolean
  readonly lines: readonly KubectlLine[]
}

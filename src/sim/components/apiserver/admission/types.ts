// Admission plugins: pure functions over attributes. A plugin denies by throwing a Refusal; what it changes, it changes in the draft.
import type { KubeObject } from '../../../api/types/object.ts'
import type { ResourceRq } from '../rest/request.ts'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

export interface Attributes {
  readonly operation: Operation
  readonly rq: ResourceRq
  /** Group and plural resource of the request: '' and pods. */
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  /** The draft; absent for DELETE and CONNECT. Subresources with a kind of their own (bindings, evictions) give that kind's object. */
  readonly object?: KubeObject
  readonly old?: KubeObject
  readonly dryRun: boolean
}

export interface AdmissionPlugin {
  readonly name: string
  handles(a: Attributes): boolean
  /** Changes `a.object`; returns what it did in a few words, or undefined for nothing. */
  admit?(a: Attributes): string | undefined
  validate?(a: Attributes): void
}

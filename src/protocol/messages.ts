// Messages between the page and the worker that hosts the simulation. Requests are answered in order; updates come by themselves.
import type { BranchView, Caption, Flight, SceneDelta, TimelineMark } from '../projection/scene.ts'
import type { InspectorView } from '../projection/inspect.ts'
import type { TrafficRequest } from '../projection/traffic.ts'
import type { ClusterSpec } from '../sim/cluster/spec.ts'
import type { ObjectRef } from '../sim/api/types/object.ts'
import type { Fault } from '../sim/cluster/faults.ts'

/** Checked at start: a page and a worker of different builds must not talk. */
export const PROTOCOL_VERSION = 1

/** event = one message or write, reconcile = one pass of a controller, scheduler or kubelet, milestone = something a newcomer would notice. */
export type StepSize = 'message' | 'reconcile' | 'milestone'

/** What the visitor does to the cluster. Part of the document: saved, shared, replayed. */
export type VisitorCommand =
  | { readonly do: 'apply'; readonly yaml: string }
  | { readonly do: 'delete'; readonly ref: ObjectRef; readonly gracePeriodSeconds?: number }
  | { readonly do: 'scale'; readonly ref: ObjectRef; readonly replicas: number }
  | { readonly do: 'request'; readonly from: 'outside' | { readonly pod: string; readonly namespace: string }; readonly url: string }
  | { readonly do: 'http'; readonly method: string; readonly path: string; readonly body?: string; readonly contentType?: string }
  | { readonly do: 'fault'; readonly fault: Fault }

/** The outcome of a command, once the cluster has answered. */
export interface CommandResult {
  readonly ok: boolean
  /** One line per document or one for the command, as kubectl would say it. */
  readonly lines: readonly DocumentResult[]
}

export interface DocumentResult {
  /** Index of the YAML document, 0 for other commands. */
  readonly document: number
  readonly ref?: ObjectRef
  readonly outcome: 'created' | 'configured' | 'unchanged' | 'deleted' | 'rejected' | 'answered'
  /** `deployment.apps/web created`, or the API server's message word for word. */
  readonly text: string
  /** Where in the text the trouble is; lines and columns from 1. */
  readonly markers: readonly Marker[]
  readonly warnings: readonly string[]
}

export interface Marker {
  readonly line: number
  readonly column: number
  readonly endLine: number
  readonly endColumn: number
  readonly message: string
}

export interface DocumentDiff {
  readonly document: number
  readonly ref?: ObjectRef
  readonly outcome: DocumentResult['outcome']
  /** YAML of the live object and of what it would become. */
  readonly before: string
  readonly after: string
  readonly text: string
  readonly markers: readonly Marker[]
}

export interface DocumentState {
  readonly spec: ClusterSpec
  readonly seed: number
  readonly inputs: readonly { readonly index: number; readonly command: VisitorCommand }[]
  readonly index: number
}

/** A kubectl table. */
export interface ObjectTable {
  readonly columns: readonly { readonly name: string; readonly priority: number }[]
  readonly rows: readonly { readonly cells: readonly (string | number | boolean | null)[]; readonly ref: ObjectRef; readonly id: string }[]
}

/** Requests and their answers. */
export interface Requests {
  /** Builds a cluster and goes to `index`. With `inputs` it replays them at their places. */
  open: {
    params: { document: DocumentState; version: number }
    result: { traceDigest: string; bootMs: number; missing: readonly string[] }
  }
  /** Steps by size; negative counts go back. Resolves after the update was sent. */
  step: { params: { size: StepSize; count: number }; result: { moved: boolean } }
  /** To an entry index, a record, or a virtual time. */
  seek: { params: { index?: number; record?: number; at?: number }; result: { index: number } }
  /** Next record of interest: any story record, or of an actor, kind prefix or object. */
  jump: { params: { direction: 1 | -1; actor?: string; kind?: string; uid?: string; errors?: boolean }; result: { found: boolean } }
  runUntil: { params: { until: 'quiet' | { forMs: number } | { at: number } }; result: { reached: boolean } }
  command: { params: { command: VisitorCommand }; result: CommandResult }
  /** Dry run of a manifest against the simulated API server; changes nothing. */
  diff: { params: { yaml: string }; result: { documents: readonly DocumentDiff[] } }
  /** Only validation: what the server would say. */
  check: { params: { yaml: string }; result: { documents: readonly DocumentResult[] } }
  inspect: { params: { element?: string; ref?: ObjectRef }; result: InspectorView | null }
  why: { params: { record?: number; ref?: ObjectRef }; result: { chain: readonly Caption[] } }
  explain: { params: { record: number }; result: Caption | null }
  list: { params: { resource: string; namespace?: string }; result: ObjectTable }
  resources: {
    params: Record<string, never>
    result: readonly { resource: string; kind: string; group: string; version: string; namespaced: boolean; count: number }[]
  }
  search: { params: { text: string }; result: readonly { ref: ObjectRef; label: string; detail: string }[] }
  /** What the visitor's requests met, hop by hop, newest request first. */
  traffic: { params: Record<string, never>; result: { requests: readonly TrafficRequest[] } }
  branch: { params: { switchTo?: number; rename?: { id: number; name: string } }; result: { branches: readonly BranchView[] } }
  digest: { params: Record<string, never>; result: { trace: string; state: string; index: number } }
  document: { params: Record<string, never>; result: DocumentState }
  outline: { params: Record<string, never>; result: { text: string } }
  /** Trace records as lines, for export and reports. */
  trace: { params: { from: number; to: number; level?: 'story' | 'detail' | 'wire' }; result: { lines: readonly string[] } }
}

export type RequestName = keyof Requests

export interface RequestMessage<N extends RequestName = RequestName> {
  readonly type: 'request'
  readonly id: number
  readonly name: N
  readonly params: Requests[N]['params']
}

export type WorkerMessage =
  | { readonly type: 'answer'; readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly type: 'answer'; readonly id: number; readonly ok: false; readonly error: string; readonly report?: string }
  | { readonly type: 'update'; readonly update: Update }

/** Everything the page needs to draw the present moment. Sent after every move. */
export interface Update {
  /** Entry index of the present moment, and how many are known. */
  readonly cursor: number
  readonly length: number
  /** Trace records up to now, and known on this branch. */
  readonly records: number
  readonly recordsKnown: number
  /** Virtual ms since the visitor's history began. */
  readonly now: number
  /** Virtual time passed in this move, when nothing happened for long: the folded "40 s pass". */
  readonly idleMs: number
  readonly quiet: boolean
  readonly scene: SceneDelta
  readonly flights: readonly Flight[]
  readonly caption: Caption | null
  readonly timeline: { readonly reset: boolean; readonly marks: readonly TimelineMark[]; readonly end: number }
  readonly branches: readonly BranchView[]
  /** Latest results for the "N of M" read-out of the step size in use. */
  readonly position: { readonly index: number; readonly of: number }
}

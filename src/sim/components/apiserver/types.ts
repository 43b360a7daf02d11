// What the API server keeps and passes between its stages.
import type { HttpRequest, HttpResponse, WatchEvent } from '../../api/http.ts'
import type { Status } from '../../api/status.ts'
import type { KubeObject } from '../../api/types/object.ts'
import type { ComponentId } from '../../engine/types.ts'
import type { KeyValue, RangeRequest, TxnRequest } from '../etcd/types.ts'
import type { ObjectList } from './rest/list.ts'

export interface User {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

export interface KubeApiserverConfig {
  /** Members to talk to, in order of preference. */
  readonly etcd: readonly ComponentId[]
  /** Address that the `kubernetes` Service leads to. */
  readonly advertiseAddress: string
  readonly serviceCIDR: string
  readonly nodePortRange: string
  /** Static bearer tokens (--token-auth-file). */
  readonly tokens: Readonly<Record<string, { readonly user: string; readonly uid?: string; readonly groups: readonly string[] }>>
  /** Admission plugins switched off and on (--disable-admission-plugins, --enable-admission-plugins). */
  readonly disabledAdmission?: readonly string[]
  readonly enabledAdmission?: readonly string[]
}

/** What the path and method say: apiserver/pkg/endpoints/request/requestinfo.go. */
export interface RequestInfo {
  readonly isResource: boolean
  readonly path: string
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly namespace: string
  readonly resource: string
  readonly subresource: string
  readonly name: string
  /** Path segments behind the subresource (`proxy/a/b`). */
  readonly rest: readonly string[]
  readonly query: Query
}

/** Decoded query parameters, in order, repeated ones included. */
export type Query = readonly (readonly [string, string])[]

/** What a plan lacks: it is planned again once the answer is there. */
export type Need =
  /** The cache has everything that etcd had committed when this was asked. */
  | { readonly kind: 'fresh' }
  /** The cache has reached this revision, or 3 s passed. */
  | { readonly kind: 'revision'; readonly revision: number }
  | { readonly kind: 'range'; readonly request: RangeRequest }
  /** Whether etcd answers a linearizable read. */
  | { readonly kind: 'ping' }
  /** A request of the API server to itself (loopback client), as system:apiserver. */
  | {
      readonly kind: 'lookup'
      readonly method: string
      readonly path: string
      readonly body?: object
      readonly afterMs?: number
      readonly rememberMs?: number
    }

export type Got = { readonly value: unknown } | { readonly refused: Status }

export interface Answer {
  readonly code: number
  readonly headers?: HttpResponse['headers']
  /** An object of the resource's kind in the storage version, to be encoded as the client asked. */
  readonly object?: KubeObject
  /** Any other object: Status, Scale, TokenRequest, discovery documents. */
  readonly raw?: object
  readonly list?: ObjectList
  readonly text?: string
}

/** What to do when the transaction is through. `object` gets the revision of the transaction. */
export type Then =
  | { readonly do: 'answer-object'; readonly code: number; readonly object: KubeObject }
  /** The answer does not depend on the revision. */
  | { readonly do: 'answer'; readonly answer: Answer }
  /** Plans once more; `phase` tells the planner how far it has come. */
  | { readonly do: 'plan'; readonly phase: string; readonly data?: unknown; readonly object?: KubeObject }

export type Plan =
  | { readonly do: 'answer'; readonly answer: Answer }
  | { readonly do: 'commit'; readonly txn: TxnRequest; readonly then: Then; readonly stores: string }
  | { readonly do: 'watch'; readonly watch: WatchPlan }
  /** Nothing to write at this step: plan the next one. */
  | { readonly do: 'continue'; readonly then: Extract<Then, { do: 'plan' }> }
  /** A kubelet answers. */
  | { readonly do: 'proxy'; readonly node: string; readonly request: HttpRequest; readonly stream: boolean }
  /** Whoever listens at an address answers. */
  | {
      readonly do: 'reach'
      readonly address: string
      readonly port: number
      readonly request: { readonly method: string; readonly path: string; readonly body?: string }
    }

export interface WatchPlan {
  /** Table name of the resource, `pods` or `deployments.apps`. */
  readonly cache: string
  readonly group: string
  readonly version: string
  readonly namespace: string
  readonly labelSelector: string
  readonly fieldSelector: string
  /** The only pods it can match, if the field selector says so. */
  readonly nodeName?: string
  readonly accept: string
  readonly bookmarks: boolean
  /** Starts with ADDED for what exists. */
  readonly initial: boolean
  /** Ends the initial events with an annotated bookmark. */
  readonly initialEndBookmark: boolean
  /** Events after this revision; ignored when `initial`. */
  readonly from: number
  readonly timeoutSeconds?: number
}

export interface Watcher extends WatchPlan {
  readonly call: number
  readonly openedAt: number
  readonly includeObject: string
  /** A Table watch has been told its columns. */
  readonly headed: boolean
}

/** One change as the watch cache remembers it. */
export interface CacheEvent {
  readonly revision: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  /** namespace/name or name. */
  readonly key: string
  /** DELETED: the last state, with the revision of the deletion. */
  readonly object: KubeObject
  readonly old?: KubeObject
}

/** A request that has come in and is not answered yet: table `in-flight`, by call. */
export interface InFlight {
  readonly call: number
  readonly auditID: string
  readonly request: HttpRequest
  readonly info: RequestInfo
  readonly user: User
  readonly impersonator?: User
  /** Uids of the flow schema and priority level that the request falls under. */
  readonly flow?: { readonly flowSchema: string; readonly priorityLevel: string }
  readonly receivedAt: number
  readonly cause: number
  readonly background: boolean
  /** Reasons of the authorizer, for the audit entry. */
  readonly decision: string
  readonly plans: number
  readonly phase?: string
  readonly phaseData?: unknown
  readonly phaseObject?: KubeObject
  /** Answers to needs, by their id. */
  readonly got: Readonly<Record<string, Got>>
  /** Keys whose newest state is known better than from the cache; null = absent. */
  readonly known: Readonly<Record<string, KeyValue | null>>
  readonly waitsFor?: string
  readonly then?: Then
  readonly stores?: string
  /** The transaction that etcd has not answered yet. */
  readonly txn?: TxnRequest
  /** The call to a kubelet that answers this request. */
  readonly backend?: number
  readonly warnings: readonly string[]
  /** For the page: what it is doing right now. */
  readonly stage: 'planning' | 'reading etcd' | 'writing etcd' | 'waiting for the cache' | 'looking up' | 'proxying'
}

export type { KubeObject, Status, WatchEvent }

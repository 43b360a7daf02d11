// What a projection may look at: the state at the cursor and the trace up to it. Read-only.
import type { ComponentId, Process, Table } from '../sim/engine/types.ts'
import type { Host, Link } from '../sim/net/types.ts'
import type { KubeObject } from '../sim/api/types/object.ts'
import type { TraceRecord } from '../sim/trace/record.ts'
import type { ClusterSpec } from '../sim/cluster/spec.ts'

export interface World {
  readonly spec: ClusterSpec
  /** Virtual ms since the cluster epoch, and at which of them the visitor's history began. */
  readonly now: number
  readonly startedAt: number
  /** Records up to the cursor; record n is at index n - 1. */
  readonly records: readonly TraceRecord[]
  /** A component's own table. */
  table<V>(component: ComponentId, name: string): Table<V>
  process(id: ComponentId): Process | undefined
  processes(): readonly Process[]
  hosts(): readonly Host[]
  link(a: string, b: string): Link
  /** Objects as committed by etcd: `stored('pods')`, `stored('deployments.apps', 'default')`. Sorted by namespace and name. */
  stored(resource: string, namespace?: string): readonly KubeObject[]
  get(resource: string, namespace: string | undefined, name: string): KubeObject | undefined
  /** Registry id of a kind (`deployments.apps`), undefined for unknown kinds. */
  resourceOf(apiVersion: string, kind: string): string | undefined
  /** Where etcd keeps an object. */
  storageKey(object: KubeObject): string
  /** The member whose store is furthest: what `stored` reads. */
  etcdMember(): ComponentId | undefined
  /** Work queues of a controller manager, by name. */
  queueNames(process: ComponentId): readonly string[]
}

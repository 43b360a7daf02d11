// What an attempt found, as data: for `GET /sim/v1/scheduling`, the inspector and the trace.
import { countStatuses, type NodeToStatus } from './framework/fiterror.ts'
import type { Scores } from './framework/runtime.ts'
import { nodeAt } from './framework/snapshot.ts'
import type { Status } from './framework/status.ts'

/** Node by node up to this many; beyond, only counts, and this few nodes: an attempt must stay small where there are thousands of nodes and pods. */
export const EXPLAINED_NODES = 60
const EXAMPLES = 10

/** Weighted scores by node and plugin; zeros are left out. */
export type ScoreTable = Readonly<Record<string, Readonly<Record<string, number>>>>

export interface SchedulingDocument {
  readonly outcome: 'bound' | 'unschedulable'
  readonly scores: ScoreTable
  readonly totals: Readonly<Record<string, number>>
  readonly best: readonly string[]
  readonly chosenIsBest: boolean | null
}

export interface PluginScore {
  readonly plugin: string
  readonly weight: number
  readonly raw: number
  readonly score: number
}

/** The last finished attempt of a pod. */
export interface AttemptRecord {
  /** namespace/name */
  readonly pod: string
  readonly uid: string
  readonly outcome: 'bound' | 'unschedulable'
  readonly node?: string
  readonly attempts: number
  readonly feasible: number
  readonly evaluated: number
  readonly nodes: number
  /** Why nodes were rejected: node by node up to EXPLAINED_NODES of them, else examples; and counted by plugin and reason. */
  readonly rejected: readonly {
    readonly node: string
    readonly plugin: string
    readonly reasons: readonly string[]
    readonly unresolvable: boolean
  }[]
  readonly reasons: readonly { readonly plugin: string; readonly reason: string; readonly nodes: number }[]
  /** All feasible nodes up to EXPLAINED_NODES, else the best. */
  readonly scored: readonly { readonly node: string; readonly total: number; readonly plugins: readonly PluginScore[] }[]
  readonly message: string
}

export function rejections(verdicts: NodeToStatus): Pick<AttemptRecord, 'rejected' | 'reasons'> {
  const counts = new Map<string, { plugin: string; reason: string; nodes: number }>()
  for (const [status, times] of countStatuses(verdicts.statuses)) {
    for (const reason of status.reasons) {
      const key = `${status.plugin}\0${reason}`
      const entry = counts.get(key)
      if (entry) entry.nodes += times
      else counts.set(key, { plugin: status.plugin, reason, nodes: times })
    }
  }
  const shown = verdicts.nodes.length > EXPLAINED_NODES ? EXAMPLES : verdicts.nodes.length
  const rejected = verdicts.nodes.slice(0, shown).map((node, i) => {
    const { plugin, reasons, code } = verdicts.statuses[i] as Status
    return { node: nodeAt(verdicts.snapshot, node).name, plugin, reasons, unresolvable: code === 'UnschedulableAndUnresolvable' }
  })
  return { rejected, reasons: [...counts.values()] }
}

/** In the order in which the nodes were looked at. */
export function scoreRows(nodes: readonly string[], scores: Scores | undefined): AttemptRecord['scored'] {
  if (!scores) return []
  const limit = nodes.length > EXPLAINED_NODES ? EXAMPLES : nodes.length
  let floor = Number.NEGATIVE_INFINITY
  if (nodes.length > limit) floor = [...scores.totals].sort((a, b) => b - a)[limit - 1] as number
  const rows: AttemptRecord['scored'][number][] = []
  // Ties at the floor must not push out a better node that comes later.
  let room = limit - scores.totals.filter((t) => t > floor).length
  nodes.forEach((node, i) => {
    const total = scores.totals[i] as number
    if (total < floor || (total === floor && nodes.length > limit && room-- <= 0)) return
    rows.push({
      node,
      total,
      plugins: scores.plugins.map((p) => ({
        plugin: p.plugin,
        weight: p.weight,
        raw: p.raw[i] as number,
        score: (p.normalized[i] as number) * p.weight,
      })),
    })
  })
  return rows
}

/** The document that `GET /sim/v1/scheduling` answers. */
export function schedulingDocument(record: AttemptRecord): SchedulingDocument {
  if (record.outcome === 'unschedulable') return { outcome: 'unschedulable', scores: {}, totals: {}, best: [], chosenIsBest: null }
  if (record.scored.length === 0) return { outcome: 'bound', scores: {}, totals: {}, best: ['(only feasible node)'], chosenIsBest: true }
  const scores: [string, Record<string, number>][] = []
  const totals: [string, number][] = []
  let top = Number.NEGATIVE_INFINITY
  for (const row of [...record.scored].sort((a, b) => (a.node < b.node ? -1 : a.node > b.node ? 1 : 0))) {
    scores.push([row.node, Object.fromEntries(row.plugins.filter((p) => p.score !== 0).map((p) => [p.plugin, p.score]))])
    totals.push([row.node, row.total])
    if (row.total > top) top = row.total
  }
  const best = totals.filter(([, total]) => total === top).map(([node]) => node)
  return {
    outcome: 'bound',
    scores: Object.fromEntries(scores),
    totals: Object.fromEntries(totals),
    best,
    chosenIsBest: best.includes(record.node ?? ''),
  }
}

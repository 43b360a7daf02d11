// Runs the plugins of the profile (pkg/scheduler/framework/runtime/framework.go).
import { sortStrings } from '../../../../lib/compare.ts'
import { type NodeInfo, withPod } from './nodeinfo.ts'
import { keyIn, localKeys, type PodInfo } from './podinfo.ts'
import { FILTER_PLUGINS, PRE_FILTER_PLUGINS, SCORE_PLUGINS } from './profile.ts'
import { type Chunk, chunkOf, nodeAt, perChunk, positionOf } from './snapshot.ts'
import { type Status, unresolvable } from './status.ts'
import { type Cycle, NO_DATA, type Plugin, SKIP } from './types.ts'

/** A filter that takes part in this cycle, with what its preFilter found. */
export interface ActiveFilter {
  readonly plugin: Plugin
  readonly data: unknown
}

export interface Filters {
  readonly all: readonly ActiveFilter[]
  /** The leading ones, whose verdicts may be shared between cycles, and the rest. */
  readonly local: readonly ActiveFilter[]
  readonly others: readonly ActiveFilter[]
}

export interface PreFilterOutcome {
  readonly status: Status | undefined
  readonly filters: Filters
  readonly nodeNames: ReadonlySet<string> | undefined
  /** Plugins that narrowed the nodes. */
  readonly pluginsWithNodes: ReadonlySet<string>
  /** Whether DynamicResources was reached; see its PostFilter. */
  readonly reachedDynamicResources: boolean
}

const divide = (all: readonly ActiveFilter[]): Filters => ({
  all,
  local: all.filter((f) => f.plugin.local),
  others: all.filter((f) => !f.plugin.local),
})

export function runPreFilterPlugins(cycle: Cycle): PreFilterOutcome {
  const data = new Map<string, unknown>()
  const skipped = new Set<string>()
  const pluginsWithNodes = new Set<string>()
  let nodeNames: ReadonlySet<string> | undefined
  let rejected: Status | undefined
  const end = (status: Status | undefined): PreFilterOutcome => ({
    status,
    filters: divide(
      status
        ? []
        : FILTER_PLUGINS.filter((p) => !skipped.has(p.name)).map((plugin) => ({ plugin, data: data.get(plugin.name) ?? NO_DATA })),
    ),
    nodeNames,
    pluginsWithNodes,
    reachedDynamicResources: data.has('DynamicResources'),
  })
  for (const plugin of PRE_FILTER_PLUGINS) {
    const result = plugin.preFilter?.(cycle)
    if (result === undefined) continue
    if (result === SKIP) {
      skipped.add(plugin.name)
      continue
    }
    if (result.status) {
      if (result.status.code !== 'Unschedulable') return end(result.status)
      // Others may still find the pod unresolvable.
      rejected = result.status
      continue
    }
    data.set(plugin.name, result.data ?? NO_DATA)
    if (!result.nodeNames) continue
    pluginsWithNodes.add(plugin.name)
    const before: ReadonlySet<string> | undefined = nodeNames
    nodeNames = before ? new Set([...before].filter((n) => result.nodeNames?.has(n))) : result.nodeNames
    if (nodeNames.size === 0) {
      const names = sortStrings(pluginsWithNodes)
      return end(
        unresolvable(
          '',
          names.length === 1
            ? `node(s) didn't satisfy plugin ${names[0]}`
            : `node(s) didn't satisfy plugin(s) [${names.join(' ')}] simultaneously`,
        ),
      )
    }
  }
  return end(rejected)
}

/** The first filter that rejects the node. */
export function runFilterPlugins(filters: readonly ActiveFilter[], cycle: Cycle, node: NodeInfo): Status | undefined {
  for (let i = 0; i < filters.length; i++) {
    const { plugin, data } = filters[i] as ActiveFilter
    const status = (plugin.filter as NonNullable<Plugin['filter']>)(data as never, cycle, node)
    if (status) return status
  }
  return undefined
}

/**
 * RunFilterPluginsWithNominatedPods: a node must do both with and without the pods of equal or higher priority that are nominated to it:
 * with, because they will take room; without, because they may not come and the pod must not depend on them.
 */
export function runFilterPluginsWithNominatedPods(filters: readonly ActiveFilter[], cycle: Cycle, node: NodeInfo): Status | undefined {
  const nominated = cycle.nominator.forNode(node.name)
  if (nominated.length > 0) {
    const weightier = nominated.filter((p) => p.priority >= cycle.pod.priority && p.uid !== cycle.pod.uid)
    if (weightier.length > 0) {
      let state = { filters, node }
      for (const pod of weightier) state = addPod(state.filters, cycle, pod, state.node)
      const status = runFilterPlugins(state.filters, cycle, state.node)
      if (status) return status
    }
  }
  return runFilterPlugins(filters, cycle, node)
}

/** The filters' data and the node as they would be with the pod there. */
export function addPod(
  filters: readonly ActiveFilter[],
  cycle: Cycle,
  pod: PodInfo,
  node: NodeInfo,
): { filters: readonly ActiveFilter[]; node: NodeInfo } {
  const after = withPod(node, pod)
  return { filters: updateFilters(filters, cycle, pod, after, 1), node: after }
}

export function updateFilters(
  filters: readonly ActiveFilter[],
  cycle: Cycle,
  pod: PodInfo,
  node: NodeInfo,
  sign: 1 | -1,
): readonly ActiveFilter[] {
  if (!filters.some((f) => f.plugin.updateWithPod)) return filters
  return filters.map((f) =>
    f.plugin.updateWithPod ? { plugin: f.plugin, data: f.plugin.updateWithPod(f.data as never, cycle, pod, node, sign) } : f,
  )
}

/** A filter over the nodes of the snapshot by index, that shares what local filters said between pods of one kind. */
export function nodeFilter(cycle: Cycle, filters: Filters): (i: number) => Status | undefined {
  const key = localKeys(cycle.pod).filter
  const { nominator } = cycle
  const judge = (nodes: readonly NodeInfo[]): readonly (Status | null)[] =>
    nodes.map((node) => runFilterPlugins(filters.local, cycle, node) ?? null)
  let chunk: Chunk | undefined
  let verdicts: readonly (Status | null)[] = []
  return (i) => {
    const own = chunkOf(cycle.snapshot, i)
    if (own !== chunk) {
      chunk = own
      verdicts = perChunk(own, key, judge)
    }
    const node = own.nodes[positionOf(i)] as NodeInfo
    if (!nominator.empty && nominator.forNode(node.name).length > 0) return runFilterPluginsWithNominatedPods(filters.all, cycle, node)
    const verdict = verdicts[positionOf(i)]
    if (verdict) return verdict
    return filters.others.length === 0 ? undefined : runFilterPlugins(filters.others, cycle, node)
  }
}

export interface PluginScores {
  readonly plugin: string
  readonly weight: number
  /** Before and after normalising; weights not yet applied. By node, in the order of the nodes. */
  readonly raw: readonly number[]
  readonly normalized: readonly number[]
}

export interface Scores {
  readonly plugins: readonly PluginScores[]
  readonly totals: readonly number[]
}

/** Scores the nodes with these indices in the snapshot. */
export function runScorePlugins(cycle: Cycle, indices: readonly number[]): Scores {
  const nodes = indices.map((i) => nodeAt(cycle.snapshot, i))
  const plugins: PluginScores[] = []
  const totals = nodes.map(() => 0)
  for (const { plugin, weight } of SCORE_PLUGINS) {
    const data = plugin.preScore ? plugin.preScore(cycle, nodes) : NO_DATA
    if (data === SKIP) continue
    const raw = plugin.local ? localScores(cycle, plugin, data, indices) : scoresOf(cycle, plugin, data, nodes)
    let normalized = raw
    if (plugin.normalize) {
      normalized = raw.slice()
      plugin.normalize(data as never, normalized, nodes)
    }
    for (let i = 0; i < totals.length; i++) totals[i] = (totals[i] as number) + (normalized[i] as number) * weight
    plugins.push({ plugin: plugin.name, weight, raw, normalized })
  }
  return { plugins, totals }
}

function scoresOf(cycle: Cycle, plugin: Plugin, data: unknown, nodes: readonly NodeInfo[]): number[] {
  const score = plugin.score as NonNullable<Plugin['score']>
  return nodes.map((node) => score(data as never, cycle, node))
}

function localScores(cycle: Cycle, plugin: Plugin, data: unknown, indices: readonly number[]): number[] {
  const key = keyIn(localKeys(cycle.pod).scores, plugin.name)
  const score = (nodes: readonly NodeInfo[]): readonly number[] => scoresOf(cycle, plugin, data, nodes)
  const out: number[] = []
  let chunk: Chunk | undefined
  let scores: readonly number[] = []
  for (let k = 0; k < indices.length; k++) {
    const i = indices[k] as number
    const own = chunkOf(cycle.snapshot, i)
    if (own !== chunk) {
      chunk = own
      scores = perChunk(own, key, score)
    }
    out.push(scores[positionOf(i)] as number)
  }
  return out
}

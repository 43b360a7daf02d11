// Runs the plugins of the profile (pkg/scheduler/framework/runtime/framework.go).
import type { NodeInfo } from './nodeinfo.ts'
import { withPod } from './nodeinfo.ts'
import type { PodInfo } from './podinfo.ts'
import { FILTER_PLUGINS, PRE_FILTER_PLUGINS, SCORE_PLUGINS } from './profile.ts'
import { type Status, unresolvable } from './status.ts'
import { sortStrings } from '../../../../lib/compare.ts'
import { type Cycle, NO_DATA, type Plugin, SKIP } from './types.ts'

/** A filter that takes part in this cycle, with what its preFilter found. */
export interface ActiveFilter {
  readonly plugin: Plugin
  readonly data: unknown
}

export interface PreFilterOutcome {
  readonly status: Status | undefined
  readonly filters: readonly ActiveFilter[]
  readonly nodeNames: ReadonlySet<string> | undefined
  /** Plugins that narrowed the nodes. */
  readonly pluginsWithNodes: ReadonlySet<string>
  /** Whether DynamicResources was reached; see its PostFilter. */
  readonly reachedDynamicResources: boolean
}

export function runPreFilterPlugins(cycle: Cycle): PreFilterOutcome {
  const data = new Map<string, unknown>()
  const skipped = new Set<string>()
  const pluginsWithNodes = new Set<string>()
  let nodeNames: ReadonlySet<string> | undefined
  let rejected: Status | undefined
  const end = (status: Status | undefined): PreFilterOutcome => ({
    status,
    filters: status ? [] : FILTER_PLUGINS.filter((p) => !skipped.has(p.name)).map((plugin) => ({ plugin, data: data.get(plugin.name) ?? NO_DATA })),
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
      return end(unresolvable('', names.length === 1 ? `node(s) didn't satisfy plugin ${names[0]}` : `node(s) didn't satisfy plugin(s) [${names.join(' ')}] simultaneously`))
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
export function addPod(filters: readonly ActiveFilter[], cycle: Cycle, pod: PodInfo, node: NodeInfo): { filters: readonly ActiveFilter[]; node: NodeInfo } {
  const after = withPod(node, pod)
  return { filters: updateFilters(filters, cycle, pod, after, 1), node: after }
}

export function updateFilters(filters: readonly ActiveFilter[], cycle: Cycle, pod: PodInfo, node: NodeInfo, sign: 1 | -1): readonly ActiveFilter[] {
  return filters.map((f) => (f.plugin.updateWithPod ? { plugin: f.plugin, data: f.plugin.updateWithPod(f.data as never, cycle, pod, node, sign) } : f))
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

export function runScorePlugins(cycle: Cycle, nodes: readonly NodeInfo[]): Scores {
  const plugins: PluginScores[] = []
  const totals = new Array<number>(nodes.length).fill(0)
  for (const { plugin, weight } of SCORE_PLUGINS) {
    const data = plugin.preScore ? plugin.preScore(cycle, nodes) : NO_DATA
    if (data === SKIP) continue
    const score = plugin.score as NonNullable<Plugin['score']>
    const raw = new Array<number>(nodes.length)
    for (let i = 0; i < nodes.length; i++) raw[i] = score(data as never, cycle, nodes[i] as NodeInfo)
    let normalized = raw
    if (plugin.normalize) {
      normalized = raw.slice()
      plugin.normalize(data as never, normalized, nodes)
    }
    for (let i = 0; i < nodes.length; i++) totals[i] = (totals[i] as number) + (normalized[i] as number) * weight
    plugins.push({ plugin: plugin.name, weight, raw, normalized })
  }
  return { plugins, totals }
}

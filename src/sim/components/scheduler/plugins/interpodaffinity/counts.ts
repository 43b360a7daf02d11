// Weights or counts by topology key and value.
import { getOwn } from '../../../../../lib/own.ts'
import type { NodeInfo } from '../../framework/nodeinfo.ts'

export type TopologyCounts = Map<string, Map<string, number>>
export type ReadonlyTopologyCounts = ReadonlyMap<string, ReadonlyMap<string, number>>

/** Adds to the pair that the node belongs to; nothing if it lacks the label. */
export function addAt(counts: TopologyCounts, node: NodeInfo, topologyKey: string, amount: number): void {
  const value = getOwn(node.facts.labels, topologyKey)
  if (value === undefined) return
  let values = counts.get(topologyKey)
  if (!values) {
    values = new Map()
    counts.set(topologyKey, values)
  }
  values.set(value, (values.get(value) ?? 0) + amount)
}

/** Pairs that come to 0 go. */
export function addAll(to: TopologyCounts, from: ReadonlyTopologyCounts, sign: 1 | -1): void {
  for (const [key, values] of from) {
    let target = to.get(key)
    if (!target) {
      target = new Map()
      to.set(key, target)
    }
    for (const [value, amount] of values) {
      const sum = (target.get(value) ?? 0) + sign * amount
      if (sum === 0) target.delete(value)
      else target.set(value, sum)
    }
    if (target.size === 0) to.delete(key)
  }
}

export const copyCounts = (counts: ReadonlyTopologyCounts): TopologyCounts => {
  const copy: TopologyCounts = new Map()
  for (const [key, values] of counts) copy.set(key, new Map(values))
  return copy
}

export const countAt = (counts: ReadonlyTopologyCounts, key: string, value: string): number => counts.get(key)?.get(value) ?? 0

/** No pair counts anything. */
export function isEmpty(counts: ReadonlyTopologyCounts): boolean {
  for (const values of counts.values()) for (const amount of values.values()) if (amount !== 0) return false
  return true
}

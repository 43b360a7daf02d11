import type { AttemptRecord } from '../../sim/components/scheduler/explain.ts'
import type { Block, Cell } from '../inspect.ts'

/** Node columns that fit the pane. */
const COLUMNS = 4

/** The node × plugin table of one attempt: verdicts and weighted scores. */
export function attemptBlocks(attempt: AttemptRecord): Block[] {
  const rejected = new Map(attempt.rejected.map((r) => [r.node, r]))
  const scored = new Map(attempt.scored.map((s) => [s.node, s]))
  // Nodes that could take the pod first, the best of them in front; then those that could not.
  const byTotal = [...attempt.scored].sort((a, b) => b.total - a.total || (a.node < b.node ? -1 : 1)).map((s) => s.node)
  const nodes = [...new Set([...(attempt.node ? [attempt.node] : []), ...byTotal, ...attempt.rejected.map((r) => r.node)])]
  const shown = nodes.slice(0, COLUMNS)
  const plugins = [...new Set(attempt.scored.flatMap((s) => s.plugins.map((p) => p.plugin)))]
  const weights = new Map(attempt.scored.flatMap((s) => s.plugins.map((p) => [p.plugin, p.weight] as const)))
  const rows: Cell[][] = plugins.map((plugin) => [
    { text: (weights.get(plugin) ?? 1) > 1 ? `${plugin} ×${weights.get(plugin)}` : plugin },
    ...shown.map((node): Cell => {
      if (rejected.has(node)) return { text: '–', tone: 'muted' }
      return { text: String(scored.get(node)?.plugins.find((p) => p.plugin === plugin)?.score ?? 0) }
    }),
  ])
  rows.push([
    { text: attempt.scored.length > 0 ? 'Total' : 'Verdict' },
    ...shown.map((node): Cell => {
      const no = rejected.get(node)
      if (no) return { text: no.reasons.join(', '), tone: 'bad' }
      const total = scored.get(node)?.total
      if (node === attempt.node) return { text: `${total ?? ''} ✓`.trim(), tone: 'busy' }
      return { text: total === undefined ? 'fits' : String(total) }
    }),
  ])
  const blocks: Block[] = [
    { type: 'table', caption: `Attempt ${attempt.attempts} · ${attempt.pod.split('/').pop()}`, columns: ['Plugin', ...shown], rows },
  ]
  if (nodes.length > shown.length) blocks.push({ type: 'text', text: `${nodes.length - shown.length} more nodes are not shown.` })
  if (attempt.reasons.length > 0)
    blocks.push({
      type: 'table',
      caption: 'Rejections',
      columns: ['Nodes', 'Reason', 'Plugin'],
      rows: attempt.reasons.map((r) => [{ text: String(r.nodes) }, { text: r.reason, tone: 'bad' }, { text: r.plugin }]),
    })
  if (attempt.message) blocks.push({ type: 'text', text: attempt.message })
  if (attempt.scored.length === 0 && attempt.node)
    blocks.push({ type: 'text', text: `Only ${attempt.node} could take it, so nothing was scored.` })
  return blocks
}

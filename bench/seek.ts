// B7: random seeks over a long run, the digest of some checked; p95, and recording's share of the run.
import { apply, build, deployment, untilReady } from './cluster.ts'
import { percentile, round } from './measure.ts'

export function seek(): void {
  const cluster = build(10)
  const { sim } = cluster
  const started = performance.now()
  apply(cluster, deployment('web', 200))
  untilReady(cluster, 'web', 200)
  while (sim.history.length < 300_000) sim.runToTime(sim.now + 60_000)
  const runMs = performance.now() - started
  const { length } = sim.history
  const marks = new Map<number, string>()
  for (const index of [0.1, 0.35, 0.6, 0.85].map((f) => Math.floor(f * length))) {
    sim.seek(index)
    marks.set(index, sim.stateDigest())
  }
  let state = 12345
  const random = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 4294967296
  }
  const times: number[] = []
  let mismatches = 0
  for (let i = 0; i < 200; i++) {
    const check = i % 20 === 0 ? [...marks.keys()][(i / 20) % marks.size] : undefined
    const target = check ?? Math.floor(random() * length)
    const before = performance.now()
    sim.seek(target)
    times.push(performance.now() - before)
    if (check !== undefined && sim.stateDigest() !== marks.get(check)) mismatches++
  }
  console.log(
    `${length} events, 200 seeks: p50 ${round(percentile(times, 50))} ms, p95 ${round(percentile(times, 95))} ms, full run ÷ p95 ${round(runMs / percentile(times, 95))}, ${mismatches} digest mismatches`,
  )
}

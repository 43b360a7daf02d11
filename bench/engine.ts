// B4: engine speed with a steady cluster and then churn; events per CPU second against a bare heap of the same pending count.
import { apply, build, deployment, untilReady } from './cluster.ts'
import { cpuMs, heapEventsPerSecond, ratio, round } from './measure.ts'

export function engine(): void {
  const cluster = build(50)
  apply(cluster, deployment('web', 500))
  untilReady(cluster, 'web', 500)
  const { sim } = cluster
  const pending = sim.kernel.agenda.size
  const measure = (label: string, virtualMs: number, before: () => void): void => {
    const ours: number[] = []
    const heap: number[] = []
    const speed: number[] = []
    for (let i = 0; i < 5; i++) {
      before()
      const from = sim.history.length
      const ms = cpuMs(() => sim.runToTime(sim.now + virtualMs))
      const events = sim.history.length - from
      if (events < 100) throw new Error(`${label}: only ${events} events, too few to mean anything`)
      ours.push(events / (ms / 1000))
      speed.push(virtualMs / ms)
      heap.push(heapEventsPerSecond(Math.max(pending, 16), 400_000))
    }
    console.log(
      `${label}: ${round(ours[2] as number)} events per CPU second, ${ratio(
        ours.map((n) => n * 100),
        heap,
      )} % of a bare heap, ${round(speed[2] as number)} × real time`,
    )
  }
  measure('50 nodes, 500 pods, steady', 20_000, () => undefined)
  let n = 500
  measure('50 nodes, churn of 20 pods/s', 5000, () => apply(cluster, deployment('web', n === 500 ? (n = 400) : (n = 500))))
}

// B2: a Deployment until all its pods are Ready, CPU per pod; against @ngrok/webernetes' published-by-measurement figures on a 2-core machine
// (23 ms per pod at 3 × 100, 48 ms at 10 × 1,000), and against this project's own smallest size (growth of cost).
import { apply, build, deployment, untilReady } from './cluster.ts'
import { cpuMs, round } from './measure.ts'

const PEER_MS_PER_POD: Readonly<Record<string, number>> = { '3 × 100': 23, '10 × 1000': 48 }

export function convergence(): void {
  let smallest: number | undefined
  for (const [nodes, pods] of [
    [3, 30],
    [3, 100],
    [10, 1000],
  ] as const) {
    const cluster = build(nodes)
    let converged = false
    const ms = cpuMs(() => {
      apply(cluster, deployment('web', pods))
      converged = untilReady(cluster, 'web', pods)
    })
    const perPod = ms / pods
    smallest ??= perPod
    const peer = PEER_MS_PER_POD[`${nodes} × ${pods}`]
    console.log(
      `${nodes} nodes × ${pods} pods: ${converged ? '' : 'NOT CONVERGED '}${round(ms)} ms CPU, ${round(perPod)} ms per pod, ${round(perPod / smallest)} × the smallest${peer ? `, peer ÷ ours ${round(peer / perPod)}` : ''}`,
    )
  }
}

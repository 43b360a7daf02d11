// Requests through the in-process door: every stage of the API server, one etcd member, journal on.
import { createApiCluster, request } from '../src/sim/cluster/door.ts'
import { percentile, round } from './measure.ts'

const pod = (i: number): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `pod-${i}`, labels: { app: 'bench' } },
  spec: { automountServiceAccountToken: false, containers: [{ name: 'a', image: 'nginx:1.27', resources: { requests: { cpu: '100m' } } }] },
})

export function door(): void {
  const sim = createApiCluster({ profile: 'api', seed: 1, apiserver: { disabledAdmission: ['ServiceAccount'] } })
  const creates: number[] = []
  for (let i = 0; i < 5000; i++) {
    const started = performance.now()
    const { status } = request(sim, { method: 'POST', path: '/api/v1/namespaces/default/pods', body: pod(i) })
    creates.push(performance.now() - started)
    if (status !== 201) throw new Error(`create answered ${status}`)
  }
  const lists: number[] = []
  for (let i = 0; i < 15; i++) {
    const started = performance.now()
    const { body } = request(sim, { path: '/api/v1/namespaces/default/pods' })
    lists.push(performance.now() - started)
    if ((body as { items: unknown[] }).items.length !== 5000) throw new Error('the list is not complete')
  }
  const late = creates.slice(-1000)
  console.log(
    `pod create: p50 ${round(percentile(late, 50) * 1000)} µs, p95 ${round(percentile(late, 95) * 1000)} µs (bar 300 µs: ${round(300 / (percentile(late, 50) * 1000))} × under); list of 5,000 pods: p50 ${round(percentile(lists, 50))} ms (bar 5 ms: ${round(5 / percentile(lists, 50))} × under)`,
  )
}

import { type Cluster, createCluster } from '../src/sim/cluster/cluster.ts'
import { CLASSROOM } from '../src/sim/cluster/spec.ts'
import type { KubectlResult } from '../src/sim/components/kubectl/types.ts'
import type { KubeObject } from '../src/sim/api/types/object.ts'

export const deployment = (name: string, replicas: number): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'app', image: 'nginx:1.27', resources: { requests: { cpu: '10m', memory: '16Mi' } } }] },
    },
  },
})

export function build(workers: number, controlPlanes: 1 | 3 = 1): Cluster {
  return createCluster({
    profile: controlPlanes === 3 ? 'default' : 'cluster',
    seed: 1,
    spec: { ...CLASSROOM, workers, controlPlanes },
    journalLimit: 20_000,
  })
}

let commands = 0
export function apply(cluster: Cluster, object: KubeObject): void {
  const { sim } = cluster
  const id = `bench-${++commands}`
  sim.input({
    target: 'kubectl',
    kind: 'kubectl.command',
    payload: { id, command: { verb: 'apply', documents: [object], namespace: 'default' }, summary: `apply ${object.metadata.name}` },
  })
  sim.runUntil({ kind: 'predicate', holds: () => sim.peek<KubectlResult>('kubectl', 'results').get(id)?.done === true })
}

/** Runs until the Deployment has all its replicas ready; false if that takes longer than `limitMs` of virtual time. */
export function untilReady(cluster: Cluster, name: string, replicas: number, limitMs = 600_000): boolean {
  const { sim } = cluster
  const end = sim.now + limitMs
  for (let at = sim.now; at < end; at += 500) {
    sim.runToTime(at)
    const found = cluster.stored('deployments.apps', 'default').find((d) => d.metadata.name === name)
    if (found?.status?.readyReplicas === replicas) return true
  }
  return false
}

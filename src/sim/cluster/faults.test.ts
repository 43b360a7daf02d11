// What a visitor breaks, and what the cluster does about it, in upstream's times.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../api/types/object.ts'
import type { KubectlResult } from '../components/kubectl/types.ts'
import { type Cluster, createCluster } from './cluster.ts'
import type { Fault } from './faults.ts'

const deployment: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'nginx:1.27' }] } },
  },
}

let cluster: Cluster
let start: number
beforeAll(() => {
  cluster = createCluster({ profile: 'default', seed: 3 })
  const { sim } = cluster
  sim.input({
    target: 'kubectl',
    kind: 'kubectl.command',
    payload: { id: 'a', command: { verb: 'apply', documents: [deployment], namespace: 'default' }, summary: 'apply' },
  })
  sim.runUntil({ kind: 'predicate', holds: () => sim.peek<KubectlResult>('kubectl', 'results').get('a')?.done === true })
  sim.runUntil({ kind: 'quiet' })
  start = sim.history.cursor
}, 120_000)

/** Every test begins at the same moment, on a branch of its own. */
beforeEach(() => {
  const { sim } = cluster
  if (sim.branches().length > 1) sim.history.switchTo(1)
  sim.seek(start)
  sim.history.fork()
  clock = sim.now
})
const breakIt = (fault: Fault): void =>
  cluster.sim.input({ target: 'fault-injector', kind: 'fault', payload: { fault, summary: fault.kind } })
/** Time stands still between steps: where a wait ends is remembered here. */
let clock = 0
const run = (ms: number): void => {
  clock = Math.max(clock, cluster.sim.now) + ms
  cluster.sim.runToTime(clock)
}
const pods = (): KubeObject[] => cluster.stored('pods', 'default')
const running = (): string[] =>
  pods()
    .filter((p) => p.status?.phase === 'Running' && !p.metadata.deletionTimestamp)
    .map((p) => p.spec?.nodeName as string)
    .sort()
const nodeReady = (name: string): string | undefined =>
  (
    cluster.stored('nodes').find((n) => n.metadata.name === name)?.status?.conditions as { type: string; status: string }[] | undefined
  )?.find((c) => c.type === 'Ready')?.status
/** Virtual ms until it holds, checked every 100 ms. */
function until(holds: () => boolean, limitMs: number): number {
  const from = Math.max(clock, cluster.sim.now)
  while (!holds()) {
    if (clock - from > limitMs) return Number.POSITIVE_INFINITY
    run(100)
  }
  return clock - from
}

describe('a fault', () => {
  it('begins with three pods on three nodes', () => {
    expect(running()).toEqual(['node-1', 'node-2', 'node-3'])
  })

  it('killed container: the kubelet restarts it in place', () => {
    const [pod] = pods()
    breakIt({ kind: 'kill-container', namespace: 'default', pod: pod?.metadata.name ?? '', container: 'app' })
    run(10_000)
    const same = pods().find((p) => p.metadata.uid === pod?.metadata.uid)
    expect(same?.status?.containerStatuses?.[0]).toMatchObject({
      restartCount: 1,
      ready: true,
      lastState: { terminated: { exitCode: 137 } },
    })
  })

  it('deleted pod: another one takes its place, with another name', () => {
    const [pod] = pods()
    breakIt({ kind: 'delete-pod', namespace: 'default', pod: pod?.metadata.name ?? '' })
    run(40_000)
    expect(running()).toHaveLength(3)
    expect(pods().map((p) => p.metadata.name)).not.toContain(pod?.metadata.name)
  })

  it('stopped kubelet: NotReady after the grace period, eviction after the toleration, replacement elsewhere; its containers run on', () => {
    breakIt({ kind: 'stop-process', process: 'kubelet/node-2' })
    const notReady = until(() => nodeReady('node-2') === 'Unknown', 120_000)
    // The lease was renewed up to 10 s ago; 50 s of silence are allowed, looked at every 5 s.
    expect(notReady).toBeGreaterThan(39_000)
    expect(notReady).toBeLessThan(61_000)
    expect(running()).toEqual(['node-1', 'node-2', 'node-3'])
    const evicted = until(() => running().length === 3 && !running().includes('node-2'), 400_000)
    expect(evicted).toBeGreaterThan(295_000)
    expect(evicted).toBeLessThan(320_000)
    const containers = cluster.sim.peek<{ state: string; name: string }>('containerd/node-2', 'containers').values()
    expect(containers.some((c) => c.name === 'app' && c.state === 'CONTAINER_RUNNING')).toBe(true)
  })

  it('powered-off node: the same as silence; powered on, it is Ready again', () => {
    breakIt({ kind: 'power-off', host: 'node-3' })
    expect(until(() => nodeReady('node-3') === 'Unknown', 120_000)).toBeLessThan(61_000)
    cluster.sim.input({ target: 'fault-injector', kind: 'fault', payload: { fault: { kind: 'power-on', host: 'node-3' }, summary: 'on' } })
    expect(until(() => nodeReady('node-3') === 'True', 120_000)).toBeLessThan(60_000)
  })

  it('cut link: the node turns Unknown although it runs; healed, it returns', () => {
    breakIt({ kind: 'cut-link', a: 'control-plane', b: 'node-1' })
    expect(until(() => nodeReady('node-1') === 'Unknown', 120_000)).toBeLessThan(61_000)
    cluster.sim.input({
      target: 'fault-injector',
      kind: 'fault',
      payload: { fault: { kind: 'heal-link', a: 'control-plane', b: 'node-1' }, summary: 'heal' },
    })
    expect(until(() => nodeReady('node-1') === 'True', 120_000)).toBeLessThan(90_000)
  })

  it('stopped scheduler: a new pod stays Pending until the scheduler is back', () => {
    const [pod] = pods()
    breakIt({ kind: 'stop-process', process: 'kube-scheduler/control-plane' })
    run(40_000)
    expect(cluster.sim.process('kube-scheduler/control-plane')?.running).toBe(false)
    cluster.sim.input({
      target: 'fault-injector',
      kind: 'fault',
      payload: { fault: { kind: 'delete-pod', namespace: 'default', pod: pod?.metadata.name ?? '' }, summary: 'delete' },
    })
    run(60_000)
    expect(pods().filter((p) => p.status?.phase === 'Pending' && !p.spec?.nodeName)).toHaveLength(1)
    cluster.sim.input({
      target: 'fault-injector',
      kind: 'fault',
      payload: { fault: { kind: 'start-process', process: 'kube-scheduler/control-plane' }, summary: 'start' },
    })
    expect(until(() => running().length === 3, 120_000)).toBeLessThan(60_000)
  })

  it('stopped controller-manager: nobody replaces a deleted pod until it is back', () => {
    const [pod] = pods()
    breakIt({ kind: 'stop-process', process: 'kube-controller-manager/control-plane' })
    run(40_000)
    cluster.sim.input({
      target: 'fault-injector',
      kind: 'fault',
      payload: { fault: { kind: 'delete-pod', namespace: 'default', pod: pod?.metadata.name ?? '' }, summary: 'delete' },
    })
    run(60_000)
    expect(pods()).toHaveLength(2)
    cluster.sim.input({
      target: 'fault-injector',
      kind: 'fault',
      payload: { fault: { kind: 'start-process', process: 'kube-controller-manager/control-plane' }, summary: 'start' },
    })
    expect(until(() => running().length === 3, 120_000)).toBeLessThan(60_000)
  })
})

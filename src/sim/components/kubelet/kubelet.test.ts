import { beforeAll, describe, expect, it } from 'vitest'
import type { KubeObject } from '../../api/types/object.ts'
import { type Cluster, createCluster } from '../../cluster/cluster.ts'
import { request } from '../../cluster/door.ts'
import type { Fault } from '../../cluster/faults.ts'

const PODS = '/api/v1/namespaces/default/pods'

let cluster: Cluster
let start: number

beforeAll(() => {
  cluster = createCluster({ profile: 'cluster', seed: 4 })
  for (const name of ['a', 'b'])
    request(cluster.sim, {
      method: 'POST',
      path: PODS,
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'nginx:1.27' }] },
      },
    })
  run(5000)
  start = cluster.sim.history.cursor
}, 60_000)

const run = (ms: number): void => void cluster.sim.runToTime(cluster.sim.now + ms)
const pod = (name: string): KubeObject => request(cluster.sim, { path: `${PODS}/${name}` }).body as KubeObject
const status = (name: string): Record<string, unknown> => pod(name).status?.containerStatuses?.[0] ?? {}
const hit = (fault: Fault): void => cluster.sim.input({ target: 'fault-injector', kind: 'fault', payload: { fault, summary: fault.kind } })
const readyOf = (node: string): { status: string; message: string } | undefined =>
  (
    (request(cluster.sim, { path: `/api/v1/nodes/${node}` }).body as KubeObject).status?.conditions as
      | {
          type: string
          status: string
          message: string
        }[]
      | undefined
  )?.find((c) => c.type === 'Ready')
const requests = (from: number): string[] =>
  cluster.sim
    .records()
    .filter((r) => r.at >= from && r.actor === 'kubelet/node-1' && r.kind === 'net.message.sent')
    .map((r) => r.data as { form: string; flow: string; summary: string })
    .filter((d) => d.form === 'request' && d.flow !== 'control' && !/leases|nodes\//.test(d.summary))
    .map((d) => d.summary.replace(/events\/.*/, 'events'))

/** Every test begins at the same moment. */
function rewind(): void {
  const { sim } = cluster
  if (sim.history.cursor === start && sim.branches().length === 1) return
  if (sim.branches().length > 1) sim.history.switchTo(1)
  sim.seek(start)
  sim.history.fork()
}

describe('a kubelet', () => {
  it('speaks to the API in the order of a real one when a pod starts and is deleted', () => {
    rewind()
    const from = cluster.sim.now
    request(cluster.sim, {
      method: 'POST',
      path: PODS,
      body: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'web' },
        spec: { nodeName: 'node-1', containers: [{ name: 'app', image: 'nginx:1.27' }] },
      },
    })
    run(3000)
    expect(requests(from)).toEqual([
      'GET pods/web',
      'PATCH pods/web/status',
      'POST serviceaccounts/default/token',
      'POST events',
      'POST events',
      'POST events',
      'GET pods/web',
      'PATCH pods/web/status',
    ])
    const then = cluster.sim.now
    request(cluster.sim, { method: 'DELETE', path: `${PODS}/web` })
    run(3000)
    expect(requests(then)).toEqual([
      'GET pods/web',
      'POST events',
      'PATCH pods/web/status',
      'GET pods/web',
      'PATCH pods/web/status',
      'GET pods/web',
      'DELETE pods/web',
    ])
  })

  it('that is restarted leaves its containers alone', () => {
    rewind()
    const before = [status('a').containerID, status('b').containerID]
    hit({ kind: 'stop-process', process: 'kubelet/node-1' })
    run(5000)
    hit({ kind: 'start-process', process: 'kubelet/node-1' })
    run(10_000)
    expect([status('a').containerID, status('b').containerID]).toEqual(before)
    expect(status('a')).toMatchObject({ restartCount: 0, ready: true })
  })

  it('without its runtime makes the node NotReady; containers run on', () => {
    rewind()
    const before = status('a').containerID
    hit({ kind: 'stop-process', process: 'containerd/node-1' })
    run(60_000)
    expect(readyOf('node-1')).toMatchObject({ status: 'False', message: 'container runtime is down' })
    hit({ kind: 'start-process', process: 'containerd/node-1' })
    run(15_000)
    expect(readyOf('node-1')?.status).toBe('True')
    expect(status('a')).toMatchObject({ containerID: before, restartCount: 0 })
  })

  it('on a machine that was started anew gives its pods new sandboxes and restarts their containers', () => {
    rewind()
    const before = pod('a').status?.podIP
    hit({ kind: 'power-off', host: 'node-1' })
    run(5000)
    hit({ kind: 'power-on', host: 'node-1' })
    run(20_000)
    expect(status('a')).toMatchObject({ restartCount: 1, ready: true, lastState: { terminated: { exitCode: 255, reason: 'Unknown' } } })
    expect(pod('a').status?.podIP).not.toBe(before)
  })

  it('restarts a killed container in place, then backs off', () => {
    rewind()
    const kill = (): void => hit({ kind: 'kill-container', namespace: 'default', pod: 'b', container: 'app' })
    kill()
    run(3000)
    expect(status('b')).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 137, reason: 'Error' } } })
    kill()
    run(3000)
    expect(status('b')).toMatchObject({ restartCount: 1, ready: false })
    run(15_000)
    expect(status('b')).toMatchObject({ restartCount: 2, ready: true })
  })

  it('gives two runs of the same seed the same state', () => {
    const digest = (): string => {
      const { sim } = createCluster({ profile: 'cluster', seed: 9 })
      request(sim, {
        method: 'POST',
        path: PODS,
        body: {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'x' },
          spec: { containers: [{ name: 'app', image: 'busybox:1.36', command: ['sh', '-c', 'while true; do date; sleep 1; done'] }] },
        },
      })
      sim.runToTime(sim.now + 10_000)
      return sim.stateDigest() + sim.traceDigest()
    }
    expect(digest()).toBe(digest())
  })
})

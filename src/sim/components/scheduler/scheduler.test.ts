import { describe, expect, it } from 'vitest'
import type { HttpResponse } from '../../api/http.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { advance, createApiCluster, request } from '../../cluster/door.ts'
import type { Simulation } from '../../cluster/simulation.ts'
import { schedulerClient } from './config.ts'
import { type AttemptRecord, schedulingDocument } from './explain.ts'
import type { QueuedPod } from './queue/queue.ts'
import { kubeSchedulerType } from './scheduler.ts'

const ID = 'kube-scheduler/control-plane'

function cluster(leaderElect = false): Simulation {
  const sim = createApiCluster({
    profile: 'api',
    seed: 1,
    apiserver: { disabledAdmission: ['TaintNodesByCondition'] },
    types: [kubeSchedulerType],
    processes: [
      {
        id: ID,
        type: 'kube-scheduler',
        host: 'control-plane',
        config: { client: schedulerClient(['kube-apiserver/control-plane']), leaderElect },
      },
    ],
  })
  make(sim, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'test' } })
  make(sim, '/api/v1/namespaces/test/serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } })
  return sim
}

function make(sim: Simulation, path: string, body: object): KubeObject {
  const answer = request(sim, { method: 'POST', path, body })
  if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`)
  return answer.body as KubeObject
}

const node = (sim: Simulation, name: string, cpu: string, spec: object = {}): KubeObject =>
  make(sim, '/api/v1/nodes', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name } },
    spec,
    status: { allocatable: { cpu, memory: '8Gi', pods: '110' } },
  })
const pod = (sim: Simulation, name: string, cpu: string, spec: object = {}): KubeObject =>
  make(sim, '/api/v1/namespaces/test/pods', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'app', image: 'nginx', resources: { requests: { cpu } } }], ...spec },
  })
const get = (sim: Simulation, name: string): KubeObject =>
  (request(sim, { path: `/api/v1/namespaces/test/pods/${name}` }) as HttpResponse & { body: KubeObject }).body
const patch = (sim: Simulation, path: string, body: object): HttpResponse =>
  request(sim, { method: 'PATCH', path, body, headers: { 'content-type': 'application/merge-patch+json' } })
const sent = (sim: Simulation, since: number): string[] =>
  sim
    .records()
    .slice(since)
    .flatMap((r) =>
      r.kind === 'net.message.sent' && r.actor === ID && (r.data as { form: string }).form === 'request'
        ? [(r.data as { summary: string }).summary]
        : [],
    )
    .filter((s) => !s.startsWith('watch'))
const kinds = (sim: Simulation, since: number): string[] =>
  sim
    .records()
    .slice(since)
    .filter((r) => r.actor === ID && r.kind.startsWith('scheduler.'))
    .map((r) => r.kind)

describe('kube-scheduler', () => {
  it('binds a pod and then says so, and explains its choice', () => {
    const sim = cluster()
    node(sim, 'n1', '2')
    node(sim, 'n2', '4')
    advance(sim, 100)
    const since = sim.kernel.records
    pod(sim, 'web', '1')
    advance(sim, 100)
    expect(get(sim, 'web').spec.nodeName).toBe('n2')
    expect(sent(sim, since)).toEqual(['POST pods/web/binding', 'POST events'])
    const record = sim.peek<AttemptRecord>(ID, 'attempts').get('test/web') as AttemptRecord
    expect(schedulingDocument(record)).toMatchObject({
      outcome: 'bound',
      best: ['n2'],
      chosenIsBest: true,
      totals: { n1: 300 + 73 + 75, n2: 300 + 86 + 87 },
    })
    expect(kinds(sim, since)).toEqual([
      'scheduler.queue.added',
      'scheduler.cycle.started',
      'scheduler.scored',
      'scheduler.pod.assumed',
      'scheduler.bind.requested',
      'scheduler.pod.bound',
    ])
  })

  it('leads from the binding back to the visitor who made the pod', () => {
    const sim = cluster()
    node(sim, 'n1', '2')
    pod(sim, 'web', '1')
    advance(sim, 100)
    const records = sim.records()
    let record = records.find((r) => r.kind === 'scheduler.bind.requested')
    const path: string[] = []
    while (record) {
      path.push(record.kind)
      record = record.cause > 0 ? records[record.cause - 1] : undefined
    }
    expect(path).toContain('scheduler.pod.assumed')
    expect(path).toContain('scheduler.queue.added')
    expect(path.at(-1)).toBe('visitor.input')
  })

  it('keeps a rejected pod waiting through events that cannot help, and takes it up at once when one does', () => {
    const sim = cluster()
    node(sim, 'n1', '2', { unschedulable: true })
    pod(sim, 'web', '1')
    advance(sim, 2000)
    const waiting = (): QueuedPod | undefined => sim.peek<QueuedPod>(ID, 'queue/pods').get('test/web')
    expect(waiting()).toMatchObject({ queue: 'unschedulable', unschedulablePlugins: ['NodeUnschedulable'], attempts: 1 })
    patch(sim, '/api/v1/nodes/n1', { metadata: { labels: { colour: 'blue' } } })
    advance(sim, 100)
    expect(waiting()?.attempts).toBe(1)
    patch(sim, '/api/v1/nodes/n1', { spec: { unschedulable: null } })
    advance(sim, 100)
    expect(get(sim, 'web').spec.nodeName).toBe('n1')
    expect(waiting()).toBeUndefined()
  })

  it('tries a pod that nothing helped again after five minutes', () => {
    const sim = cluster()
    node(sim, 'n1', '2', { unschedulable: true })
    pod(sim, 'web', '1')
    advance(sim, 299_000)
    const attempts = (): number => sim.peek<QueuedPod>(ID, 'queue/pods').get('test/web')?.attempts ?? 0
    expect(attempts()).toBe(1)
    advance(sim, 40_000)
    expect(attempts()).toBe(2)
  })

  it('backs off for 1, 2, 4, 8 and then 10 seconds while there are no nodes', () => {
    const sim = cluster()
    const since = sim.kernel.records
    pod(sim, 'web', '1')
    advance(sim, 60_000)
    const starts = sim
      .records()
      .slice(since)
      .filter((r) => r.kind === 'scheduler.cycle.started')
      .map((r) => r.at)
    const gaps = starts.slice(1).map((at, i) => Math.round((at - (starts[i] as number)) / 1000))
    expect(gaps.slice(0, 6)).toEqual([1, 2, 4, 8, 10, 10])
    expect(get(sim, 'web').status.conditions[0]).toMatchObject({ reason: 'Unschedulable', message: 'no nodes available to schedule pods' })
  })

  it('evicts a pod of lower priority, waits for its end on the nominated node, and lets nobody else have the room', () => {
    const sim = cluster()
    make(sim, '/apis/scheduling.k8s.io/v1/priorityclasses', {
      apiVersion: 'scheduling.k8s.io/v1',
      kind: 'PriorityClass',
      metadata: { name: 'high' },
      value: 1000,
    })
    node(sim, 'n1', '2')
    pod(sim, 'low', '2', { nodeName: 'n1' })
    advance(sim, 100)
    const since = sim.kernel.records
    pod(sim, 'boss', '2', { priorityClassName: 'high' })
    advance(sim, 1000)
    expect(sent(sim, since).filter((s) => !s.includes('events'))).toEqual([
      'PATCH pods/low/status',
      'PATCH pods/boss/status',
      'DELETE pods/low',
    ])
    expect(get(sim, 'low').metadata.deletionTimestamp).toBeDefined()
    expect(get(sim, 'boss').status.nominatedNodeName).toBe('n1')
    pod(sim, 'late', '1')
    advance(sim, 100)
    request(sim, { method: 'DELETE', path: '/api/v1/namespaces/test/pods/low', body: { gracePeriodSeconds: 0 } })
    advance(sim, 2000)
    expect(get(sim, 'boss').spec.nodeName).toBe('n1')
    expect(get(sim, 'late').spec.nodeName).toBeUndefined()
  })

  it('takes the room back and tries again when a binding fails', () => {
    const sim = cluster()
    node(sim, 'n1', '2')
    advance(sim, 100)
    const created = pod(sim, 'web', '2')
    // Another scheduler is quicker: the API refuses ours.
    request(sim, {
      method: 'POST',
      path: '/api/v1/namespaces/test/pods/web/binding',
      body: {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: 'web', uid: created.metadata.uid },
        target: { kind: 'Node', name: 'n9' },
      },
    })
    pod(sim, 'next', '2')
    advance(sim, 3000)
    expect(get(sim, 'web').spec.nodeName).toBe('n9')
    expect(get(sim, 'next').spec.nodeName).toBe('n1')
  })

  it('finds its picture of the cluster again after time was turned back', () => {
    const sim = cluster()
    node(sim, 'n1', '4')
    node(sim, 'n2', '4')
    advance(sim, 50)
    for (let i = 0; i < 6; i++) pod(sim, `p${i}`, '500m')
    const middle = sim.history.cursor
    advance(sim, 500)
    const [end, digest] = [sim.history.cursor, sim.stateDigest()]
    sim.seek(middle)
    sim.seek(end)
    expect(sim.stateDigest()).toBe(digest)
    // Acting in the past: scheduling goes on from a snapshot that must be built anew.
    sim.seek(middle)
    pod(sim, 'other', '500m')
    advance(sim, 500)
    const placed = (request(sim, { path: '/api/v1/namespaces/test/pods' }).body as { items: KubeObject[] }).items.map(
      (p) => p.spec.nodeName as string,
    )
    expect(placed).toHaveLength(7)
    expect([placed.filter((n) => n === 'n1').length, placed.filter((n) => n === 'n2').length].sort()).toEqual([3, 4])
  })

  it('schedules only while it holds the lease', () => {
    const sim = cluster(true)
    node(sim, 'n1', '2')
    pod(sim, 'web', '1')
    advance(sim, 3000)
    expect(get(sim, 'web').spec.nodeName).toBe('n1')
    expect(
      (request(sim, { path: '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler' }).body as KubeObject).spec
        ?.holderIdentity,
    ).toMatch(/^control-plane_/)
  })
})

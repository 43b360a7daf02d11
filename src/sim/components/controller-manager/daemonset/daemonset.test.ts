import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../api/types/object.ts'
import { run } from '../testing/harness.ts'
import { make, node, pod, ready, SELECTOR, TEMPLATE } from '../testing/objects.ts'
import { daemonSetController } from './daemonset.ts'
import { shouldRun, targetNode } from './nodes.ts'
import { planUpdate } from './update.ts'

const set = (rollingUpdate: object = { maxUnavailable: 1, maxSurge: 0 }, spec = {}): KubeObject =>
  make('apps/v1', 'DaemonSet', 'agent', {
    spec: { selector: SELECTOR, template: TEMPLATE, updateStrategy: { type: 'RollingUpdate', rollingUpdate }, ...spec },
  })
const daemon = (name: string, on: string, hash: string, isReady = true): KubeObject =>
  pod(name, {
    spec: { nodeName: on, containers: [] },
    status: isReady ? ready() : { phase: 'Running' },
    metadata: { labels: { app: 'web', 'controller-revision-hash': hash } },
  })

describe('the DaemonSet controller', () => {
  it('makes one pod for each node that suits, bound by affinity to its name', () => {
    const nodes = [node('node-1'), node('node-2'), node('tainted', { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } })]
    const { requests, calls } = run(daemonSetController, 'shop/agent', [set(), ...nodes])
    expect(requests).toEqual(['POST controllerrevisions', 'POST pods', 'POST pods', 'PUT daemonsets/agent/status'])
    const targets = calls.slice(1, 3).map((c) => targetNode(c.body as KubeObject))
    expect(targets).toEqual(['node-1', 'node-2'])
    expect(calls[3]?.body).toMatchObject({ status: { desiredNumberScheduled: 2, currentNumberScheduled: 0 } })
  })

  it('lets pods stay under a NoSchedule taint and not under NoExecute, and ignores what all daemons tolerate', () => {
    const taint = (key: string, effect: string) => node('n', { spec: { taints: [{ key, effect }] } })
    expect(shouldRun(set(), taint('x', 'NoSchedule'))).toEqual({ run: false, stay: true })
    expect(shouldRun(set(), taint('x', 'NoExecute'))).toEqual({ run: false, stay: false })
    expect(shouldRun(set(), taint('node.kubernetes.io/unschedulable', 'NoSchedule'))).toEqual({ run: true, stay: true })
    expect(shouldRun(set(), taint('node.kubernetes.io/unreachable', 'NoExecute'))).toEqual({ run: true, stay: true })
  })

  it('updates by deleting no more than may be unavailable, those already down first', () => {
    const nodes = ['a', 'b', 'c'].map((n) => node(n))
    const onNode = new Map([
      ['a', [daemon('1', 'a', 'old')]],
      ['b', [daemon('2', 'b', 'old', false)]],
      ['c', [daemon('3', 'c', 'old')]],
    ])
    expect(planUpdate(set(), nodes, onNode, 'new', 1000).remove.map((p) => p.metadata.name)).toEqual(['2'])
    expect(planUpdate(set({ maxUnavailable: '67%' }), nodes, onNode, 'new', 1000).remove.map((p) => p.metadata.name)).toEqual([
      '2',
      '1',
      '3',
    ])
  })

  it('with surge makes the new pod first and deletes the old one when the new one is available', () => {
    const ds = set({ maxUnavailable: 0, maxSurge: 1 })
    const nodes = ['a', 'b'].map((n) => node(n))
    expect(
      planUpdate(
        ds,
        nodes,
        new Map([
          ['a', [daemon('1', 'a', 'old')]],
          ['b', [daemon('2', 'b', 'old')]],
        ]),
        'new',
        1000,
      ),
    ).toEqual({ remove: [], create: ['a'] })
    const half = new Map([
      ['a', [daemon('1', 'a', 'old'), daemon('3', 'a', 'new')]],
      ['b', [daemon('2', 'b', 'old')]],
    ])
    expect(planUpdate(ds, nodes, half, 'new', 1000)).toMatchObject({ remove: [{ metadata: { name: '1' } }], create: ['b'] })
  })
})

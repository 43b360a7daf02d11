import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../../../api/types/kubernetes.gen.ts'
import { numFeasibleNodesToFind } from '../schedule.ts'
import { buildNodeInfo, type NodeInfo, withoutPod, withPod } from './nodeinfo.ts'
import { podInfo } from './podinfo.ts'
import { addToTree, allNodes, buildSnapshot, getNode, listTree, type NodeTree, removeFromTree, replaceNode } from './snapshot.ts'

const node = (i: number, zone: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: `n${i}`, labels: { 'topology.kubernetes.io/zone': zone } },
  status: { allocatable: { cpu: '8', memory: '16Gi', pods: '110' } },
})

const pod = (i: number, extra: Partial<NonNullable<Pod['spec']>> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `p${i}`, namespace: 'default', uid: `u${i}`, labels: { app: `a${i % 3}` } },
  spec: {
    containers: [
      {
        name: 'c',
        resources: { requests: { cpu: `${i * 7}m`, 'example.com/x': `${i % 2}` } },
        ports: [{ containerPort: 1, hostPort: 1 + (i % 4) }],
      },
    ],
    ...extra,
  },
})

describe('a snapshot', () => {
  it('holds the same after pods came and went one by one as one built from what is left', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.array(fc.tuple(fc.nat(30), fc.nat(199), fc.boolean()), { maxLength: 80 }),
        (count, moves) => {
          const names = Array.from({ length: count }, (_, i) => `n${i}`)
          let snapshot = buildSnapshot(
            names.map((name, i) => buildNodeInfo(name, node(i, 'a'), [])),
            new Map(),
          )
          const where = new Map<string, { node: string; pod: Pod }>()
          for (const [p, at, anti] of moves) {
            const uid = `u${p}`
            const old = where.get(uid)
            if (old) {
              snapshot = replaceNode(snapshot, withoutPod(getNode(snapshot, old.node) as NodeInfo, uid))
              where.delete(uid)
            } else {
              const name = `n${at % count}`
              const term = { labelSelector: { matchLabels: { app: 'a1' } }, topologyKey: 'kubernetes.io/hostname' }
              const made = pod(p, anti ? { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } } : {})
              snapshot = replaceNode(snapshot, withPod(getNode(snapshot, name) as NodeInfo, podInfo(made)))
              where.set(uid, { node: name, pod: made })
            }
          }
          const rebuilt = buildSnapshot(
            names.map((name, i) =>
              buildNodeInfo(
                name,
                node(i, 'a'),
                [...where.values()].filter((w) => w.node === name).map((w) => podInfo(w.pod)),
              ),
            ),
            new Map(),
          )
          expect(snapshot.podsWithAffinity).toBe(rebuilt.podsWithAffinity)
          expect(snapshot.podsWithRequiredAntiAffinity).toBe(rebuilt.podsWithRequiredAntiAffinity)
          const facts = (n: NodeInfo) => [
            n.name,
            n.pods.map((p) => p.uid),
            n.requested.milliCPU,
            n.requested.scalar.get('example.com/x') ?? 0,
            n.nonZeroMilliCPU,
            n.nonZeroMemory,
            n.usedPorts.map((p) => p.port),
          ]
          expect(allNodes(snapshot).map(facts)).toEqual(allNodes(rebuilt).map(facts))
        },
      ),
      { numRuns: 60 },
    )
  })

  it('lists one node of each zone in turn, in the order in which zones and nodes came', () => {
    let tree: NodeTree = []
    for (const [i, zone] of ['a', 'a', 'b', 'a', 'c'].entries()) tree = addToTree(tree, node(i, zone))
    expect(listTree(tree)).toEqual(['n0', 'n2', 'n4', 'n1', 'n3'])
    expect(listTree(removeFromTree(tree, node(2, 'b')))).toEqual(['n0', 'n4', 'n1', 'n3'])
  })

  it('asks for all nodes of small clusters and a falling share of large ones', () => {
    expect([1, 99, 100, 200, 1000, 5000, 6000].map((n) => numFeasibleNodesToFind(n, 0))).toEqual([1, 99, 100, 100, 420, 500, 300])
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { attempt } from './attempt.ts'
import { podInfo } from './framework/podinfo.ts'
import { getNode } from './framework/snapshot.ts'
import { cycleOf, makeWorld, place } from './testing/world.ts'

const ZONE = 'topology.kubernetes.io/zone'
const HOST = 'kubernetes.io/hostname'

const nodeShape = fc.record({
  cpu: fc.integer({ min: 1, max: 4 }),
  zone: fc.constantFrom('a', 'b', 'c', ''),
  taint: fc.constantFrom('', 'NoSchedule', 'PreferNoSchedule'),
  disk: fc.constantFrom('ssd', 'hdd'),
})

const podShape = fc.record({
  app: fc.constantFrom('web', 'db'),
  cpu: fc.constantFrom(0, 100, 700, 1500, 9000),
  priority: fc.constantFrom(0, 0, 10),
  disk: fc.constantFrom('', '', 'ssd'),
  tolerates: fc.boolean(),
  port: fc.constantFrom(0, 0, 80),
  affinity: fc.constantFrom('', '', 'near', 'apart', 'rather near', 'rather apart'),
  key: fc.constantFrom(ZONE, HOST),
  spread: fc.constantFrom('', '', 'DoNotSchedule', 'ScheduleAnyway'),
})
type PodShape = typeof podShape extends fc.Arbitrary<infer T> ? T : never

function podOf(s: PodShape, i: number): Pod {
  const term = { labelSelector: { matchLabels: { app: s.app } }, topologyKey: s.key }
  const weighted = [{ weight: 3, podAffinityTerm: term }]
  const affinity =
    s.affinity === 'near'
      ? { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
      : s.affinity === 'apart'
        ? { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
        : s.affinity === 'rather near'
          ? { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: weighted } }
          : s.affinity === 'rather apart'
            ? { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: weighted } }
            : undefined
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `p${i}`, namespace: 'default', uid: `u${i}`, labels: { app: s.app } },
    spec: {
      priority: s.priority,
      containers: [
        {
          name: 'c',
          image: 'x',
          ...(s.cpu > 0 ? { resources: { requests: { cpu: `${s.cpu}m` } } } : {}),
          ...(s.port > 0 ? { ports: [{ containerPort: 80, hostPort: s.port }] } : {}),
        },
      ],
      ...(s.disk ? { nodeSelector: { disk: s.disk } } : {}),
      ...(s.tolerates ? { tolerations: [{ operator: 'Exists' as const }] } : {}),
      ...(affinity ? { affinity } : {}),
      ...(s.spread
        ? {
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: s.key,
                whenUnsatisfiable: s.spread as 'DoNotSchedule',
                labelSelector: { matchLabels: { app: s.app } },
              },
            ],
          }
        : {}),
    },
  }
}

describe('results shared between pods and snapshots', () => {
  it('are what a scheduler that remembers nothing would find', () => {
    fc.assert(
      fc.property(
        fc.array(nodeShape, { minLength: 1, maxLength: 90 }),
        fc.array(podShape, { minLength: 1, maxLength: 25 }),
        (nodes, pods) => {
          const objects: KubeObject[] = nodes.map((n, i) => ({
            apiVersion: 'v1',
            kind: 'Node',
            metadata: { name: `n${i}`, labels: { [HOST]: `n${i}`, disk: n.disk, ...(n.zone ? { [ZONE]: n.zone } : {}) } },
            spec: n.taint ? { taints: [{ key: 'k', effect: n.taint }] } : {},
            status: { allocatable: { cpu: String(n.cpu), memory: '8Gi', pods: '10' } },
          }))
          let world = makeWorld(objects)
          for (const [i, shape] of pods.entries()) {
            const pod = podOf(shape, i)
            const options = { nextStartNodeIndex: i, random: () => 0.5, now: 0 }
            const remembering = attempt(cycleOf(world, pod), options)
            const fresh = attempt(cycleOf(makeWorld(structuredClone(objects)), structuredClone(pod)), options)
            expect(remembering.message).toBe(fresh.message)
            expect(
              remembering.preemption?.chosen && [
                remembering.preemption.chosen.node,
                remembering.preemption.chosen.victims.map((v) => v.uid),
              ],
            ).toEqual(fresh.preemption?.chosen && [fresh.preemption.chosen.node, fresh.preemption.chosen.victims.map((v) => v.uid)])
            if (remembering.result.outcome !== 'found' || fresh.result.outcome !== 'found') {
              expect(remembering.result.outcome).toBe(fresh.result.outcome)
              continue
            }
            const { node, feasible, scores } = remembering.result
            expect({ node, feasible, scores }).toEqual({
              node: fresh.result.node,
              feasible: fresh.result.feasible,
              scores: fresh.result.scores,
            })
            world = place(world, podInfo(pod), node)
            objects.push({ ...pod, spec: { ...pod.spec, nodeName: node } } as unknown as KubeObject)
            expect(getNode(world.snapshot, node)?.pods.at(-1)?.uid).toBe(`u${i}`)
          }
        },
      ),
      { numRuns: 60 },
    )
  })
})

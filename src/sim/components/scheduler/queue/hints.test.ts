import { describe, expect, it } from 'vitest'
import type { Node, Pod } from '../../../api/types/kubernetes.gen.ts'
import { nodeChanges, podChanges } from './events.ts'
import { isWorthRequeuing } from './hints.ts'

const pod = (name: string, spec: Partial<NonNullable<Pod['spec']>> = {}, labels: Record<string, string> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: name, labels },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }], ...spec },
})
const node = (cpu: string, extra: Partial<Node> = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1', labels: {} },
  status: { allocatable: { cpu, pods: '10' } },
  ...extra,
})
const avoids = (app: string) => ({
  podAntiAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: { app } }, topologyKey: 'kubernetes.io/hostname' }],
  },
})

describe('queueing hints', () => {
  it('wake a pod that lacked room only if the node is large enough and has more of what it asks for', () => {
    const after = (before: string, now: string): boolean =>
      isWorthRequeuing(pod('a'), ['NodeResourcesFit'], { resource: 'Node', action: 'UpdateNodeAllocatable' }, node(before), node(now))
    expect([after('500m', '2'), after('500m', '900m'), after('4', '2')]).toEqual([true, false, false])
  })

  it('ask only the plugins that rejected the pod', () => {
    const cordoned = node('2', { spec: { unschedulable: true } })
    const [event] = nodeChanges(node('2'), cordoned)
    expect(event).toEqual({ resource: 'Node', action: 'UpdateNodeTaint' })
    expect(isWorthRequeuing(pod('a'), ['NodeUnschedulable'], event as never, cordoned, node('2'))).toBe(true)
    expect(isWorthRequeuing(pod('a'), ['NodeResourcesFit'], event as never, cordoned, node('2'))).toBe(false)
  })

  it('wake a pod when one that it avoided goes, not when one goes that avoided it', () => {
    const gone = { resource: 'AssignedPod', action: 'Delete' } as const
    const enemy = pod('db', { nodeName: 'n1' }, { app: 'db' })
    expect(isWorthRequeuing(pod('web', { affinity: avoids('db') }), ['InterPodAffinity'], gone, enemy, undefined)).toBe(true)
    const hostile = pod('db', { nodeName: 'n1', affinity: avoids('web') }, { app: 'db' })
    expect(isWorthRequeuing(pod('web', {}, { app: 'web' }), ['InterPodAffinity'], gone, hostile, undefined)).toBe(false)
  })

  it('name what an update of a pod changed, and take no notice of the rest', () => {
    const gated = pod('a', { schedulingGates: [{ name: 'g' }] })
    expect(podChanges(pod('a'), gated)).toEqual([{ resource: 'UnscheduledPod', action: 'UpdatePodSchedulingGatesEliminated' }])
    expect(podChanges({ ...pod('a'), status: { phase: 'Pending' } }, pod('a'))).toEqual([{ resource: 'UnscheduledPod', action: 'Update' }])
  })

  it('let every event wake a pod that met an error', () => {
    expect(isWorthRequeuing(pod('a'), [], { resource: 'StorageClass', action: 'Add' }, undefined, {})).toBe(true)
  })
})

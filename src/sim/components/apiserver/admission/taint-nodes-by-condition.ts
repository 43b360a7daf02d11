// TaintNodesByCondition: plugin/pkg/admission/nodetaint. A new node takes nothing until it reports to be ready.
import type { KubeObject } from '../../../api/types/object.ts'
import { isKind } from './helpers.ts'
import type { AdmissionPlugin } from './types.ts'

const NOT_READY = 'node.kubernetes.io/not-ready'

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: (a) => isKind(a, '', 'nodes') && a.subresource === '' && a.operation === 'CREATE',
  admit(a) {
    const { spec } = a.object as KubeObject
    const taints = spec.taints ?? []
    if (taints.some((t: { key: string; effect: string }) => t.key === NOT_READY && t.effect === 'NoSchedule')) return undefined
    spec.taints = [...taints, { key: NOT_READY, effect: 'NoSchedule' }]
    return `taint ${NOT_READY}:NoSchedule`
  },
}

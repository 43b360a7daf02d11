import { toleratesAny } from '../../framework/helpers.ts'
import { unresolvable } from '../../framework/status.ts'
import type { Plugin } from '../../framework/types.ts'

const NAME = 'NodeUnschedulable'
const REJECTED = unresolvable(NAME, 'node(s) were unschedulable')
const CORDON = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

export const nodeUnschedulable: Plugin = {
  name: NAME,
  local: true,
  filter: (_, { pod }, node) => (node.facts.unschedulable && !toleratesAny(pod.tolerations, CORDON) ? REJECTED : undefined),
}

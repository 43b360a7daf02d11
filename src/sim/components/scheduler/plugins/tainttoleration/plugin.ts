import type { Toleration } from '../../../../api/types/kubernetes.gen.ts'
import { defaultNormalize, hasUntoleratedTaint, toleratesAny } from '../../framework/helpers.ts'
import { unresolvable } from '../../framework/status.ts'
import type { Plugin } from '../../framework/types.ts'

const NAME = 'TaintToleration'
const REJECTED = unresolvable(NAME, 'node(s) had untolerated taint(s)')

export const taintToleration: Plugin = {
  name: NAME,
  local: true,
  filter: (_, { pod }, node) =>
    node.facts.hardTaints.length > 0 && hasUntoleratedTaint(node.facts.hardTaints, pod.tolerations) ? REJECTED : undefined,
  preScore: ({ pod }): readonly Toleration[] => pod.tolerations.filter((t) => !t.effect || t.effect === 'PreferNoSchedule'),
  score(tolerations: readonly Toleration[], _, node) {
    let count = 0
    for (const taint of node.facts.softTaints) if (!toleratesAny(tolerations, taint)) count++
    return count
  },
  normalize: (_, scores) => defaultNormalize(scores, true),
}

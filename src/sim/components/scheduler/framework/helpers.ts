// Shared arithmetic and matching of plugins (pkg/scheduler/framework/plugins/helper).
import type { Taint, Toleration } from '../../../api/types/kubernetes.gen.ts'
import { MAX_NODE_SCORE } from './names.ts'

/** v1.Toleration.ToleratesTaint. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  switch (toleration.operator ?? 'Equal') {
    case 'Equal':
      return (toleration.value ?? '') === (taint.value ?? '')
    case 'Exists':
      return true
    default:
      return false
  }
}

export function toleratesAny(tolerations: readonly Toleration[], taint: Taint): boolean {
  for (const toleration of tolerations) if (tolerates(toleration, taint)) return true
  return false
}

export function hasUntoleratedTaint(taints: readonly Taint[], tolerations: readonly Toleration[]): boolean {
  for (const taint of taints) if (!toleratesAny(tolerations, taint)) return true
  return false
}

/** DefaultNormalizeScore, in place. */
export function defaultNormalize(scores: number[], reverse: boolean): void {
  let max = 0
  for (const score of scores) if (score > max) max = score
  if (max === 0) {
    if (reverse) scores.fill(MAX_NODE_SCORE)
    return
  }
  for (let i = 0; i < scores.length; i++) {
    const score = Math.floor((MAX_NODE_SCORE * (scores[i] as number)) / max)
    scores[i] = reverse ? MAX_NODE_SCORE - score : score
  }
}

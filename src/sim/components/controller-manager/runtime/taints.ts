// Taints and tolerations (pkg/util/taints, component-helpers/scheduling/corev1/helpers.go, pkg/controller/controller_utils.go).
import { deepEqual } from '../../../../lib/compare.ts'
import type { Taint, Toleration } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { get, isConflict, must, patch, SyncError } from './steps.ts'
import { apiTime } from '../../../client/time.ts'
import type { Env, Steps } from './types.ts'

export const taintsOf = (node: KubeObject): Taint[] => (node.spec?.taints ?? []) as Taint[]
export const sameTaint = (a: Taint, b: Taint): boolean => a.key === b.key && a.effect === b.effect
export const hasTaint = (node: KubeObject, taint: Taint): boolean => taintsOf(node).some((t) => sameTaint(t, taint))

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  if (!toleration.operator || toleration.operator === 'Equal') return (toleration.value ?? '') === (taint.value ?? '')
  return toleration.operator === 'Exists'
}
export const isTolerated = (tolerations: readonly Toleration[], taint: Taint): boolean => tolerations.some((t) => tolerates(t, taint))

/** updateNodeTaint retries a conflict so often. */
const TRIES = 5

function* changeTaints(name: string, change: (taints: readonly Taint[]) => Taint[]): Steps<void> {
  for (let i = 0; ; i++) {
    const node = must(yield* get('nodes', undefined, name))
    const taints = change(taintsOf(node))
    if (deepEqual(taints, taintsOf(node))) return
    const body = { metadata: { resourceVersion: node.metadata.resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } }
    const answer = yield* patch('nodes', node, body)
    if (answer.ok) return
    if (!isConflict(answer) || i >= TRIES) throw new SyncError(answer.message)
  }
}

/** SwapNodeControllerTaint: first what is to be added, then what is to go. */
export function* swapTaints(node: KubeObject, add: readonly Taint[], remove: readonly Taint[], env: Env): Steps<void> {
  const name = node.metadata.name ?? ''
  const stamped = add.map((t) => ({ ...t, timeAdded: apiTime(env.now) }))
  if (stamped.length > 0)
    yield* changeTaints(name, (old) =>
      stamped.reduce<Taint[]>(
        (list, t) => (list.some((o) => sameTaint(o, t)) ? list.map((o) => (sameTaint(o, t) ? t : o)) : [...list, t]),
        [...old],
      ),
    )
  if (remove.some((t) => hasTaint(node, t))) yield* changeTaints(name, (old) => old.filter((o) => !remove.some((r) => sameTaint(o, r))))
}

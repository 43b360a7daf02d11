// Which pods go first when there are too many (ActivePodsWithRanks of pkg/controller/controller_utils.go).
import type { KubeObject } from '../../../api/types/object.ts'
import { parseApiTime } from '../../../client/time.ts'
import { createdAt, isPodActive, isPodReady, podCondition } from '../runtime/objects.ts'

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'

const deletionCost = (pod: KubeObject): number => {
  const text = pod.metadata.annotations?.[DELETION_COST]
  return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : 0
}

/** Magnitudes of two ages: log2 of their nanoseconds; a recent difference counts more than an old one. */
const log2 = (ageMs: number): number => (ageMs > 0 ? Math.trunc(Math.log2(ageMs * 1e6)) : -1)

interface Restarts {
  readonly regular: number
  readonly sidecar: number
}

const restarts = (pod: KubeObject): Restarts => {
  const max = (list: readonly { restartCount?: number; name?: string }[] | undefined): number =>
    Math.max(0, ...(list ?? []).map((s) => s.restartCount ?? 0))
  const sidecars = new Set<string>()
  for (const c of pod.spec?.initContainers ?? []) if (c.restartPolicy === 'Always') sidecars.add(c.name)
  return {
    regular: max(pod.status?.containerStatuses),
    sidecar: max(
      (pod.status?.initContainerStatuses as { name: string; restartCount?: number }[] | undefined)?.filter((s) => sidecars.has(s.name)),
    ),
  }
}

const byAge = (a: KubeObject, b: KubeObject, ta: number, tb: number, now: number): number => {
  const difference = log2(now - ta) - log2(now - tb)
  if (difference !== 0) return difference
  return (a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1
}

/** Negative: `a` is deleted before `b`. */
export function compareForDeletion(a: KubeObject, b: KubeObject, rank: (pod: KubeObject) => number, now: number): number {
  const [na, nb] = [a.spec?.nodeName ?? '', b.spec?.nodeName ?? '']
  if (na !== nb && (na === '' || nb === '')) return na === '' ? -1 : 1
  const phase = (PHASES[a.status?.phase] ?? 0) - (PHASES[b.status?.phase] ?? 0)
  if (phase !== 0) return phase
  const [ra, rb] = [isPodReady(a), isPodReady(b)]
  if (ra !== rb) return ra ? 1 : -1
  const cost = deletionCost(a) - deletionCost(b)
  if (cost !== 0) return cost
  const crowd = rank(b) - rank(a)
  if (crowd !== 0) return crowd
  if (ra && rb) {
    const since = (pod: KubeObject): number => parseApiTime(podCondition(pod, 'Ready')?.lastTransitionTime ?? undefined) ?? 0
    const [ta, tb] = [since(a), since(b)]
    if (ta !== tb) return byAge(a, b, ta, tb, now)
  }
  const [sa, sb] = [restarts(a), restarts(b)]
  if (sa.regular !== sb.regular) return sb.regular - sa.regular
  if (sa.sidecar !== sb.sidecar) return sb.sidecar - sa.sidecar
  const [ca, cb] = [createdAt(a), createdAt(b)]
  return ca === cb ? 0 : byAge(a, b, ca, cb, now)
}

/** `related`: pods of all replica sets of the same owner; a node that holds many of them loses one first. */
export function podsToDelete(pods: readonly KubeObject[], related: readonly KubeObject[], count: number, now: number): KubeObject[] {
  if (count >= pods.length) return pods.slice(0, count)
  const onNode = new Map<string, number>()
  for (const pod of related) if (isPodActive(pod)) onNode.set(pod.spec?.nodeName ?? '', (onNode.get(pod.spec?.nodeName ?? '') ?? 0) + 1)
  return [...pods].sort((a, b) => compareForDeletion(a, b, (pod) => onNode.get(pod.spec?.nodeName ?? '') ?? 0, now)).slice(0, count)
}

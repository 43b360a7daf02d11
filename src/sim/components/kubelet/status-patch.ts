// The strategic merge patch that turns one pod status into another (pkg/util/pod PatchPodStatus, strategicpatch.CreateTwoWayMergePatch).
import type { Pod, PodStatus } from '../../api/types/kubernetes.gen.ts'

type Json = Record<string, unknown>

/** Lists of a pod status that are merged by key; all others are replaced as a whole. */
const MERGE_KEYS: Readonly<Record<string, string>> = { conditions: 'type', podIPs: 'ip', resourceClaimStatuses: 'name' }

/** undefined: nothing differs. */
export function statusPatch(pod: Pod, next: PodStatus): object | undefined {
  const before = (pod.status ?? {}) as unknown as Json
  const after = next as unknown as Json
  const changes: Json = {}
  for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const [a, b] = [before[key], after[key]]
    if (b === undefined) {
      if (a !== undefined) changes[key] = null
    } else if (!equal(a, b)) {
      const mergeKey = Object.hasOwn(MERGE_KEYS, key) ? MERGE_KEYS[key] : undefined
      if (mergeKey !== undefined && Array.isArray(a) && Array.isArray(b)) listChanges(changes, key, mergeKey, a as Json[], b as Json[])
      else changes[key] = b
    }
  }
  if (Object.keys(changes).length === 0) return undefined
  return { metadata: { uid: pod.metadata.uid }, status: changes }
}

function listChanges(changes: Json, key: string, mergeKey: string, before: readonly Json[], after: readonly Json[]): void {
  const items: Json[] = []
  for (const item of after) {
    const old = before.find((x) => x[mergeKey] === item[mergeKey])
    if (!old) items.push(item)
    else if (!equal(old, item)) {
      const change: Json = { [mergeKey]: item[mergeKey] }
      for (const k of [...new Set([...Object.keys(old), ...Object.keys(item)])].sort())
        if (k !== mergeKey && !equal(old[k], item[k])) change[k] = item[k] === undefined ? null : item[k]
      items.push(change)
    }
  }
  for (const old of before)
    if (!after.some((x) => x[mergeKey] === old[mergeKey])) items.push({ $patch: 'delete', [mergeKey]: old[mergeKey] })
  changes[`$setElementOrder/${key}`] = after.map((x) => ({ [mergeKey]: x[mergeKey] }))
  if (items.length > 0) changes[key] = items
}

function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) || Array.isArray(b))
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((x, i) => equal(x, b[i]))
  if (a && b && typeof a === 'object' && typeof b === 'object') {
    const [x, y] = [a as Json, b as Json]
    const keys = new Set([...Object.keys(x), ...Object.keys(y)])
    for (const k of keys) if (!equal(x[k], y[k])) return false
    return true
  }
  return (a ?? null) === null && (b ?? null) === null
}

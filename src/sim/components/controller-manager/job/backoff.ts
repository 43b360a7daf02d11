// How long a Job waits before it replaces a failed pod (pkg/controller/job/backoff_utils.go).
import type { KubeObject } from '../../../api/types/object.ts'
import { parseApiTime } from '../../../client/time.ts'
import { createdAt, podCondition } from '../runtime/objects.ts'

export const BACKOFF_START_MS = 10_000
export const BACKOFF_MAX_MS = 600_000

export interface BackoffRecord {
  readonly failuresAfterLastSuccess: number
  readonly lastFailureAt?: number
}

export function finishedAt(pod: KubeObject, now: number): number {
  const times = ((pod.status?.containerStatuses ?? []) as { state?: { terminated?: { finishedAt?: string } } }[]).map((s) =>
    parseApiTime(s.state?.terminated?.finishedAt),
  )
  if (times.length > 0 && times.every((t) => t !== undefined)) return Math.max(...(times as number[]))
  const ready = podCondition(pod, 'Ready')
  const left = ready?.status === 'False' ? parseApiTime(ready.lastTransitionTime ?? undefined) : undefined
  if (left !== undefined) return left
  const deleted = parseApiTime(pod.metadata.deletionTimestamp)
  if (deleted !== undefined) return deleted - (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000
  return Math.max(createdAt(pod), 0) || now
}

/** newBackoffRecord: failures since the last success, and when the last one was. */
export function nextRecord(
  old: BackoffRecord | undefined,
  succeeded: readonly KubeObject[],
  failed: readonly KubeObject[],
  now: number,
): BackoffRecord {
  const record = old ?? { failuresAfterLastSuccess: 0 }
  const times = (pods: readonly KubeObject[]): number[] => pods.map((p) => finishedAt(p, now)).sort((a, b) => a - b)
  const failures = times(failed)
  if (succeeded.length === 0) {
    if (failures.length === 0) return record
    return { failuresAfterLastSuccess: record.failuresAfterLastSuccess + failures.length, lastFailureAt: failures.at(-1) as number }
  }
  const lastSuccess = times(succeeded).at(-1) as number
  const after = failures.filter((t) => t > lastSuccess)
  return after.length > 0
    ? { failuresAfterLastSuccess: after.length, lastFailureAt: after.at(-1) as number }
    : { failuresAfterLastSuccess: 0 }
}

export function remainingMs(failures: number, lastFailureAt: number | undefined, now: number): number {
  if (failures === 0 || lastFailureAt === undefined) return 0
  const wait = Math.min(BACKOFF_START_MS * 2 ** (failures - 1), BACKOFF_MAX_MS)
  return Math.max(0, wait - (now - lastFailureAt))
}

// Completion indexes (pkg/controller/job/indexed_job_utils.go): sets of numbers written as `0-2,5`.
import type { KubeObject } from '../../../api/types/object.ts'

export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'
export const INDEX_FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count'
export const INDEX_IGNORED_FAILURE_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count'

export type Indexes = ReadonlySet<number>

export const isIndexed = (job: KubeObject): boolean => job.spec?.completionMode === 'Indexed'
export const hasBackoffLimitPerIndex = (job: KubeObject): boolean => job.spec?.backoffLimitPerIndex !== undefined

export function parseIndexes(text: string | undefined, completions: number): Set<number> {
  const set = new Set<number>()
  for (const part of (text ?? '').split(',')) {
    const m = /^(\d+)(?:-(\d+))?$/.exec(part.trim())
    if (!m) continue
    const last = Math.min(Number(m[2] ?? m[1]), completions - 1)
    for (let i = Number(m[1]); i <= last; i++) set.add(i)
  }
  return set
}

export function formatIndexes(indexes: Indexes): string {
  const sorted = [...indexes].sort((a, b) => a - b)
  const parts: string[] = []
  for (let i = 0; i < sorted.length; ) {
    let j = i
    while (sorted[j + 1] === (sorted[j] as number) + 1) j++
    // Two in a row are listed, three make a range.
    if (j === i) parts.push(String(sorted[i]))
    else parts.push(j === i + 1 ? `${sorted[i]},${sorted[j]}` : `${sorted[i]}-${sorted[j]}`)
    i = j + 1
  }
  return parts.join(',')
}

/** -1: unknown. */
export function indexOf(pod: KubeObject): number {
  const text = pod.metadata.annotations?.[COMPLETION_INDEX]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : -1
}
export const isValidIndex = (job: KubeObject, index: number): boolean => index >= 0 && index < (job.spec?.completions ?? 0)

const count = (pod: KubeObject, annotation: string): number => {
  const text = pod.metadata.annotations?.[annotation]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0
}
export const failureCount = (pod: KubeObject): number => count(pod, INDEX_FAILURE_COUNT)
export const ignoredFailureCount = (pod: KubeObject): number => count(pod, INDEX_IGNORED_FAILURE_COUNT)

/** firstPendingIndexes. */
export function pendingIndexes(taken: Indexes, completions: number, limit: number): number[] {
  const result: number[] = []
  for (let i = 0; i < completions && result.length < limit; i++) if (!taken.has(i)) result.push(i)
  return result
}

// Which version of an API is the better one: apimachinery pkg/version/helpers.go CompareKubeAwareVersionStrings.
import { compareStrings } from '../../../../../lib/compare.ts'

const parse = (text: string): { major: number; stage: number; minor: number } | undefined => {
  const m = /^v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?$/.exec(text)
  return m ? { major: Number(m[1]), stage: m[2] === 'alpha' ? 0 : m[2] === 'beta' ? 1 : 2, minor: Number(m[3] ?? 0) } : undefined
}

/** Negative if `a` is the lesser version: v1 beats v2beta1, and what is no Kubernetes version is last. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parse(a), parse(b)]
  if (!x && !y) return compareStrings(b, a)
  if (!x) return -1
  if (!y) return 1
  return x.stage - y.stage || x.major - y.major || x.minor - y.minor
}

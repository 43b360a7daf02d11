// pkg/controller ComputeHash: a short name for a pod template. Upstream hashes Go's own print of the struct, this its canonical JSON:
// equal templates get equal hashes, the letters differ from a real cluster's.
import { stableStringify } from '../../../../lib/stringify.ts'
import { hash32 } from '../../../engine/random.ts'

const ALPHANUMS = 'bcdfghjklmnpqrstvwxz2456789'

/** apimachinery/pkg/util/rand SafeEncodeString. */
export const safeEncode = (text: string): string => [...text].map((c) => ALPHANUMS[c.charCodeAt(0) % ALPHANUMS.length]).join('')

export function computeHash(template: unknown, collisionCount?: number | null): string {
  const seed = collisionCount === undefined || collisionCount === null ? undefined : hash32(`collision ${collisionCount}`)
  return safeEncode(String(hash32(stableStringify(template), seed)))
}

import { describe, expect, it } from 'vitest'
import { tolerationSeconds } from './taint-eviction.ts'

const taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' as const }

describe('how long a pod stays on a tainted node', () => {
  it('is not at all without a toleration, for ever without seconds, and else the shortest of those that match', () => {
    expect(tolerationSeconds([taint], [])).toBe(false)
    expect(tolerationSeconds([taint], [{ operator: 'Exists' }])).toBeUndefined()
    expect(
      tolerationSeconds(
        [taint, { key: 'a', effect: 'NoExecute' }],
        [
          { key: taint.key, operator: 'Exists', tolerationSeconds: 300 },
          { key: 'a', operator: 'Exists', tolerationSeconds: 20 },
        ],
      ),
    ).toBe(20)
    expect(tolerationSeconds([taint], [{ key: taint.key, operator: 'Exists', effect: 'NoSchedule' }])).toBe(false)
  })
})

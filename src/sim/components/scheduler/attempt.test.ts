import { describe, expect, it } from 'vitest'
import type { Pod } from '../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { attempt } from './attempt.ts'
import { schedulingDocument, scoreRows } from './explain.ts'
import recorded from './golden/attempts.json' with { type: 'json' }
import { cycleOf, makeWorld } from './testing/world.ts'

interface Recorded {
  name: string
  objects: KubeObject[]
  pod: Pod
  document?: unknown
  message?: string
}

const families = new Map<string, Recorded[]>()
for (const record of recorded as unknown as Recorded[]) {
  const family = record.name.split('/')[1] as string
  families.set(family, [...(families.get(family) ?? []), record])
}

describe('an attempt decides as the recorded kube-scheduler did', () => {
  for (const [family, records] of families) {
    it(`in the family ${family}`, () => {
      for (const { name, objects, pod, document, message } of records) {
        const { result, message: said } = attempt(cycleOf(makeWorld(objects), pod), {
          nextStartNodeIndex: 0,
          random: () => 0,
          now: Date.UTC(2026, 0, 1),
        })
        if (message !== undefined) expect(said, name).toBe(message)
        else {
          const found = result.outcome === 'found'
          const rows = found ? scoreRows(result.feasible, result.scores) : []
          const got = schedulingDocument({
            pod: '',
            uid: '',
            attempts: 1,
            outcome: found ? 'bound' : 'unschedulable',
            ...(found ? { node: result.node } : {}),
            feasible: 0,
            evaluated: 0,
            nodes: 0,
            rejected: [],
            reasons: [],
            scored: rows,
            message: '',
          })
          expect(got, name).toEqual(document)
        }
      }
    })
  }
})

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createApiCluster } from './door.ts'
import { type GoldenCase, runCase } from './testing/run-case.ts'

const read = (name: string): string => readFileSync(new URL(`./golden/${name}`, import.meta.url), 'utf8')
const cases: GoldenCase[] = ['api-machinery.json', 'api-kinds.json', 'api-pods.json'].flatMap((f) => JSON.parse(read(f)).cases)
const { floor } = JSON.parse(read('floor.json')) as { floor: number }
/** A fresh cluster now and then keeps histories short. */
const PER_CLUSTER = 60
/** Nobody goes back in time here. */
const make = (seed: number) =>
  createApiCluster({ profile: 'api', seed, controllers: true, keyframeInterval: Number.MAX_SAFE_INTEGER, journalLimit: 500 })

describe('recorded answers of a real API server', () => {
  it('are given by the simulated one, in at least as many cases as before', () => {
    const families = new Map<string, [passed: number, of: number]>()
    let passed = 0
    let sim = make(1)
    const failures: string[] = []
    cases.forEach((testCase, i) => {
      if (i % PER_CLUSTER === PER_CLUSTER - 1) sim = make(i)
      const problems = runCase(sim, testCase, `c-case-${i}`)
      const family = testCase.name.split('/').slice(0, 2).join('/')
      const entry = families.get(family) ?? [0, 0]
      families.set(family, [entry[0] + (problems.length === 0 ? 1 : 0), entry[1] + 1])
      if (problems.length === 0) passed++
      else failures.push(testCase.name)
    })
    for (const [family, [n, of]] of [...families].sort(([a], [b]) => (a < b ? -1 : 1)))
      console.log(`${String(n).padStart(5)} of ${String(of).padEnd(5)} ${family}`)
    console.log(`truth: ${passed} of ${cases.length} cases`)
    expect(passed).toBeGreaterThanOrEqual(floor)
  }, 120_000)
})

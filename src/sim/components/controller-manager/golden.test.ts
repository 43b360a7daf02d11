import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createCluster } from '../../cluster/cluster.ts'
import { type GoldenCase, runCase } from '../../cluster/testing/run-case.ts'

const { cases } = JSON.parse(readFileSync(new URL('./golden/controllers.json', import.meta.url), 'utf8')) as { cases: GoldenCase[] }

const PATHS: Readonly<Record<string, string>> = {
  daemonset: 'apps/v1/namespaces/{{ns}}/daemonsets',
  rs: 'apps/v1/namespaces/{{ns}}/replicasets',
  statefulset: 'apps/v1/namespaces/{{ns}}/statefulsets',
  job: 'batch/v1/namespaces/{{ns}}/jobs',
}

/** The request that kubectl makes; null for what only looks; undefined for what takes more than one request. */
function request(args: readonly string[]): object[] | null | undefined {
  const [verb = '', kind = '', name = ''] = args
  if (['get', 'describe'].includes(verb) || (verb === 'rollout' && kind !== 'undo')) return null
  const http = (method: string, path: string, body: object, type = 'application/json'): object => ({
    do: 'http',
    method,
    path,
    body,
    headers: { 'Content-Type': type },
    setup: true,
  })
  if (verb === 'delete')
    return [
      http('DELETE', `/apis/${PATHS[kind]}/${name}`, {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        propagationPolicy: args.includes('--cascade=orphan') ? 'Orphan' : 'Background',
      }),
    ]
  if (verb === 'scale')
    return [
      http(
        'PATCH',
        `/apis/${PATHS[kind]}/${name}/scale`,
        { spec: { replicas: Number(args[3]?.split('=')[1]) } },
        'application/merge-patch+json',
      ),
    ]
  if (verb === 'cordon' || verb === 'uncordon')
    return [
      http(
        'PATCH',
        `/api/v1/nodes/${kind}`,
        { spec: { unschedulable: verb === 'cordon' ? true : null } },
        'application/strategic-merge-patch+json',
      ),
    ]
  return undefined
}

function withoutKubectl(c: GoldenCase): GoldenCase | undefined {
  const steps: unknown[] = []
  const expected: unknown[] = []
  for (const [i, step] of c.steps.entries()) {
    const made = step.do === 'kubectl' ? request(step.args) : [step]
    if (made === undefined) return undefined
    for (const s of made ?? []) {
      steps.push(s)
      expected.push(step.do === 'kubectl' ? null : c.expect[i])
    }
  }
  return { ...c, steps, expect: expected as GoldenCase['expect'] }
}

const PER_CLUSTER = 40
const NOT_OURS = new Set([
  // A list by names that end in a template hash: the letters of a real hash are those of Go's memory dump, ours differ.
  'cluster/statefulset/rolling-update',
  // Seen between the end of the containers and the kubelet's last deletion.
  'cluster/replicaset/pod-held-by-a-finalizer',
  'cluster/taint-eviction/condition',
])

describe('what a real cluster made of its objects', () => {
  const usable = cases.filter((c) => !NOT_OURS.has(c.name)).flatMap((c) => withoutKubectl(c) ?? [])

  it('is what the simulated controllers make of them', () => {
    const failures: string[] = []
    const fresh = () => createCluster({ profile: 'cluster', seed: 1, keyframeInterval: Number.MAX_SAFE_INTEGER, journalLimit: 500 }).sim
    let sim = fresh()
    usable.forEach((c, i) => {
      if (i % PER_CLUSTER === PER_CLUSTER - 1) sim = fresh()
      const problems = runCase(sim, c, `c-case-${i}`)
      if (problems.length > 0) failures.push(`${c.name}: ${problems.slice(0, 2).join('; ').slice(0, 600)}`)
    })
    expect(usable.length).toBeGreaterThan(215)
    expect(failures).toEqual([])
  }, 240_000)
})

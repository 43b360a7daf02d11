import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createCluster } from '../../cluster/cluster.ts'
import { type GoldenCase, runCase } from '../../cluster/testing/run-case.ts'

const { cases } = JSON.parse(readFileSync(new URL('./golden/pod-lifecycle.json', import.meta.url), 'utf8')) as { cases: GoldenCase[] }

/** What only looks (`kubectl get`, `describe`) is left out; what acts on a pod becomes the request that kubectl makes. */
function withoutKubectl(c: GoldenCase): GoldenCase | undefined {
  const steps: unknown[] = []
  const expected: unknown[] = []
  for (const [i, step] of c.steps.entries()) {
    if (step.do !== 'kubectl') {
      steps.push(step)
      expected.push(c.expect[i])
      continue
    }
    const [verb, ...rest] = step.args as string[]
    const pods = '/api/v1/namespaces/{{ns}}/pods'
    if (verb === 'get' || verb === 'describe') continue
    if (verb === 'exec') {
      const split = rest.indexOf('--')
      const at = rest.indexOf('-c')
      const container = at >= 0 && at < split ? `&container=${rest[at + 1]}` : ''
      const command = rest
        .slice(split + 1)
        .map((w) => `&command=${encodeURIComponent(w)}`)
        .join('')
      steps.push({
        do: 'http',
        method: 'POST',
        path: `${pods}/${rest[0]}/exec?stdout=true&stderr=true${command}${container}`,
        drop: ['body.stderr'],
      })
      expected.push({ status: 200, body: { exitCode: c.expect[i].exit, stdout: c.expect[i].stdout } })
    } else if (verb === 'set' && rest[0] === 'image') {
      const [name, image] = (rest[2] as string).split(/=(.*)/s)
      steps.push({
        do: 'http',
        method: 'PATCH',
        setup: true,
        path: `${pods}/${(rest[1] as string).slice(4)}`,
        headers: { 'Content-Type': 'application/strategic-merge-patch+json' },
        body: { spec: { containers: [{ name, image }] } },
      })
      expected.push(null)
    } else if (verb === 'logs' && !rest.includes('-l') && c.expect[i].exit === 0) continue
    else return undefined
  }
  return { ...c, steps, expect: expected as GoldenCase['expect'] }
}

const PER_CLUSTER = 40
/** Recorded at the door of the API server, not of the kubelet. */
const NOT_OURS = new Set(['cluster/pod-log/container-required-with-init', 'cluster/pod-log/unscheduled', 'cluster/pod-log/follow-ended'])

describe('recorded lives of pods', () => {
  const usable = cases.filter((c) => !NOT_OURS.has(c.name)).flatMap((c) => withoutKubectl(c) ?? [])

  it('are lived again by simulated kubelets', () => {
    const failures: string[] = []
    let { sim } = createCluster({ profile: 'cluster', seed: 1, keyframeInterval: Number.MAX_SAFE_INTEGER, journalLimit: 500 })
    usable.forEach((c, i) => {
      if (i % PER_CLUSTER === PER_CLUSTER - 1)
        sim = createCluster({ profile: 'cluster', seed: 1, keyframeInterval: Number.MAX_SAFE_INTEGER, journalLimit: 500 }).sim
      const problems = runCase(sim, c, `c-case-${i}`)
      if (problems.length > 0) failures.push(`${c.name}: ${problems.slice(0, 2).join('; ').slice(0, 600)}`)
    })
    expect(usable.length).toBeGreaterThan(170)
    expect(failures).toEqual([])
  }, 240_000)
})

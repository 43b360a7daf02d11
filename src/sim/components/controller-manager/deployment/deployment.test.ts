import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../api/types/object.ts'
import { echo, no, run } from '../testing/harness.ts'
import { make, SELECTOR, TEMPLATE } from '../testing/objects.ts'
import { ownerReference } from '../runtime/objects.ts'
import { DESIRED_REPLICAS, MAX_REPLICAS, REVISION } from './constants.ts'
import { deploymentController } from './deployment.ts'
import { fenceposts, maxUnavailable, newSetAnnotations, replicasOf } from './util.ts'

const deployment = (replicas: number, spec = {}, rest = {}): KubeObject =>
  make('apps/v1', 'Deployment', 'web', {
    spec: {
      replicas,
      selector: SELECTOR,
      template: TEMPLATE,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      ...spec,
    },
    ...rest,
  })
const setOf = (d: KubeObject, name: string, image: string, replicas: number, status: object, revision = 1): KubeObject => {
  const labels = { app: 'web', 'pod-template-hash': name }
  const max = replicasOf(d) + fenceposts(d).surge
  return make('apps/v1', 'ReplicaSet', name, {
    metadata: {
      labels,
      ownerReferences: [ownerReference(d)],
      annotations: { [REVISION]: String(revision), [DESIRED_REPLICAS]: String(replicasOf(d)), [MAX_REPLICAS]: String(max) },
    },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } },
    },
    status: { terminatingReplicas: 0, ...status },
  })
}

describe('the Deployment controller', () => {
  it('creates the first ReplicaSet at full size and notes its revision', () => {
    const { requests, calls, events } = run(deploymentController, 'shop/web', [deployment(3)])
    expect(requests).toEqual(['POST replicasets', 'PUT deployments/web/status', 'PUT deployments/web/status'])
    expect(calls[0]?.body).toMatchObject({
      metadata: { annotations: { [REVISION]: '1', [DESIRED_REPLICAS]: '3', [MAX_REPLICAS]: '4' } },
      spec: { replicas: 3 },
    })
    expect(calls[1]?.body).toMatchObject({ metadata: { annotations: { [REVISION]: '1' } } })
    expect(events).toEqual([expect.stringMatching(/^Normal ScalingReplicaSet Scaled up replica set web-[a-z0-9]+ from 0 to 3$/)])
  })

  it('raises the collision count when a foreign ReplicaSet has the name', () => {
    const { calls, error } = run(deploymentController, 'shop/web', [deployment(1)], {
      answer: (c) => (c.method === 'POST' ? no(409, 'AlreadyExists', 'exists') : echo(c)),
    })
    expect(error).toContain('not found')
    expect(calls).toHaveLength(1)
  })

  it('scales in proportion while a rollout is under way: 8 and 5 of 10 become 12 and 7 of 15', () => {
    const before = deployment(10)
    const d = {
      ...before,
      spec: { ...before.spec, replicas: 15 },
      metadata: { ...before.metadata, annotations: { [REVISION]: '2' } },
      status: { conditions: [{ type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated' }] },
    }
    const old = setOf(before, 'old', 'nginx:0', 8, { replicas: 8, availableReplicas: 8 })
    const fresh = setOf(before, 'new', 'nginx', 5, { replicas: 5 }, 2)
    const { calls } = run(deploymentController, 'shop/web', [d, old, fresh])
    const sizes = calls.filter((c) => c.path.includes('replicasets')).map((c) => (c.body as KubeObject).spec.replicas)
    expect(sizes.sort((a, b) => a - b)).toEqual([7, 12])
  })

  it('rolls without ever planning below what must be available or above what may exist', () => {
    const percent = fc.integer({ min: 0, max: 100 }).map((n) => `${n}%`)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), percent, percent, (replicas, surge, unavailable) => {
        const d = deployment(
          replicas,
          { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: surge, maxUnavailable: unavailable } } },
          {
            metadata: { annotations: { [REVISION]: '2' } },
            status: { conditions: [{ type: 'Progressing', status: 'True', reason: 'x' }] },
          },
        )
        let old = setOf(d, 'old', 'nginx:0', replicas, { replicas, availableReplicas: replicas })
        let fresh = setOf(d, 'new', 'nginx', 0, {}, 2)
        const limit = replicas + fenceposts(d).surge
        for (let round = 0; round < 60 && (replicasOf(old) > 0 || replicasOf(fresh) < replicas); round++) {
          for (const c of run(deploymentController, 'shop/web', [d, old, fresh]).calls) {
            const o = c.body as KubeObject
            if (o.kind !== 'ReplicaSet') continue
            if (o.metadata.name === 'old') old = o
            else fresh = o
          }
          expect(replicasOf(old) + replicasOf(fresh)).toBeLessThanOrEqual(limit)
          // Pods follow: old ones go at once, new ones become available.
          const available = Math.min(replicasOf(old), old.status.availableReplicas) + (fresh.status.availableReplicas ?? 0)
          expect(available).toBeGreaterThanOrEqual(replicas - maxUnavailable(d))
          old = { ...old, status: { ...old.status, replicas: replicasOf(old), availableReplicas: replicasOf(old) } }
          fresh = { ...fresh, status: { ...fresh.status, replicas: replicasOf(fresh), availableReplicas: replicasOf(fresh) } }
        }
        expect([replicasOf(old), replicasOf(fresh)]).toEqual([0, replicas])
      }),
      { numRuns: 60 },
    )
  })

  it('keeps old revisions of a set that is rolled back to, within 2000 characters', () => {
    const d = deployment(1)
    let rs = setOf(d, 'old', 'nginx', 1, {}, 1)
    for (let revision = 2; revision < 800; revision++) rs = newSetAnnotations(d, rs, revision, true).object
    const history = rs.metadata.annotations?.['deployment.kubernetes.io/revision-history'] ?? ''
    expect(history.length).toBeLessThanOrEqual(2000)
    expect(history.endsWith('797,798')).toBe(true)
  })
})

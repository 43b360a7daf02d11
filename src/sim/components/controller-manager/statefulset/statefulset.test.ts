import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../../../api/types/object.ts'
import { templatePatch } from '../runtime/history.ts'
import { ownerReference } from '../runtime/objects.ts'
import { run } from '../testing/harness.ts'
import { make, pod, ready, SELECTOR, TEMPLATE } from '../testing/objects.ts'
import { claimMatches, withOwners } from './retention.ts'
import { statefulSetController } from './statefulset.ts'

const set = (replicas: number, spec = {}, rest = {}): KubeObject =>
  make('apps/v1', 'StatefulSet', 'db', {
    spec: {
      replicas,
      selector: SELECTOR,
      template: TEMPLATE,
      serviceName: 'db',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      ...spec,
    },
    ...rest,
  })
const revision = (s: KubeObject, name: string, number: number, data = templatePatch(s)): KubeObject =>
  make('apps/v1', 'ControllerRevision', name, {
    metadata: { labels: { app: 'web' }, ownerReferences: [ownerReference(s)] },
    revision: number,
    data,
  })
const member = (s: KubeObject, ordinal: number, hash: string, up = true, metadata = {}): KubeObject =>
  pod(`db-${ordinal}`, {
    owner: s,
    status: up ? ready() : { phase: 'Pending' },
    metadata: {
      labels: {
        app: 'web',
        'controller-revision-hash': hash,
        'statefulset.kubernetes.io/pod-name': `db-${ordinal}`,
        'apps.kubernetes.io/pod-index': String(ordinal),
      },
      ...metadata,
    },
  })

describe('the StatefulSet controller', () => {
  it('makes one pod after the other, with name, order and host name', () => {
    const s = set(3)
    const first = run(statefulSetController, 'shop/db', [s])
    expect(first.requests).toEqual(['POST controllerrevisions', 'POST pods', 'PUT statefulsets/db/status'])
    expect(first.calls[1]?.body).toMatchObject({ metadata: { name: 'db-0' }, spec: { hostname: 'db-0', subdomain: 'db' } })
    const waiting = run(statefulSetController, 'shop/db', [s, revision(s, 'db-r1', 1), member(s, 0, 'db-r1', false)])
    expect(waiting.requests).toEqual(['PUT statefulsets/db/status'])
    const second = run(statefulSetController, 'shop/db', [s, revision(s, 'db-r1', 1), member(s, 0, 'db-r1')])
    expect(second.requests[0]).toBe('POST pods')
    expect(second.events).toEqual(['Normal SuccessfulCreate Create Pod db-1 in StatefulSet db successful'])
  })

  it('makes all at once when told to be parallel', () => {
    expect(
      run(statefulSetController, 'shop/db', [set(3, { podManagementPolicy: 'Parallel' })]).requests.filter((r) => r === 'POST pods'),
    ).toHaveLength(3)
  })

  it('goes down from the highest ordinal, one at a time', () => {
    const s = set(1)
    const pods = [0, 1, 2].map((i) => member(s, i, 'db-r1'))
    expect(run(statefulSetController, 'shop/db', [s, revision(s, 'db-r1', 1), ...pods]).requests).toEqual([
      'DELETE pods/db-2',
      'PUT statefulsets/db/status',
    ])
  })

  it('updates from the highest ordinal down to the partition', () => {
    const s = set(
      3,
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } },
      { status: { currentRevision: 'db-r1' } },
    )
    const history = [revision(s, 'db-r1', 1, { spec: { template: { old: true, $patch: 'replace' } } }), revision(s, 'db-r2', 2)]
    const at = (...hashes: string[]) =>
      run(statefulSetController, 'shop/db', [s, ...history, ...hashes.map((h, i) => member(s, i, h))]).requests[0]
    expect(at('db-r1', 'db-r1', 'db-r1')).toBe('DELETE pods/db-2')
    expect(at('db-r1', 'db-r1', 'db-r2')).toBe('DELETE pods/db-1')
    expect(at('db-r1', 'db-r2', 'db-r2')).toMatch(/^PUT statefulsets/)
  })

  it('lets claims go with the pod or the set as the policy says', () => {
    const s = set(1, { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' } })
    const claim = make('v1', 'PersistentVolumeClaim', 'data-db-0')
    const kept = withOwners(s, member(s, 0, 'r'), claim)
    expect(kept.metadata.ownerReferences?.map((r) => r.kind)).toEqual(['StatefulSet'])
    const away = withOwners(s, member(s, 1, 'r'), kept)
    expect(away.metadata.ownerReferences?.map((r) => r.kind)).toEqual(['Pod'])
    expect(claimMatches(set(1), member(s, 0, 'r'), claim)).toBe(true)
  })
})

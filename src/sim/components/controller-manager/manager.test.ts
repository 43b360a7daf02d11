import { describe, expect, it } from 'vitest'
import { advance, createApiCluster, request } from '../../cluster/door.ts'
import type { Simulation } from '../../cluster/simulation.ts'
import { kubeControllerManagerType } from './manager.ts'
import { CONFIG } from './testing/harness.ts'

const make = (): Simulation =>
  createApiCluster({
    profile: 'api',
    seed: 1,
    types: [kubeControllerManagerType],
    processes: [
      {
        id: 'kube-controller-manager/control-plane',
        type: 'kube-controller-manager',
        host: 'control-plane',
        config: { ...CONFIG, servers: ['kube-apiserver/control-plane'], profile: 'api' },
      },
    ],
  })
const NS = '/api/v1/namespaces/default'
interface Body {
  metadata: { uid: string; ownerReferences?: { name: string }[]; finalizers?: string[] }
}
const configMap = (sim: Simulation, name: string, owners: object[] = [], metadata = {}): Body =>
  request(sim, {
    method: 'POST',
    path: `${NS}/configmaps`,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ownerReferences: owners, ...metadata } },
  }).body as Body
const owner = (name: string, of: Body, rest = {}): object => ({ apiVersion: 'v1', kind: 'ConfigMap', name, uid: of.metadata.uid, ...rest })
const exists = (sim: Simulation, name: string): boolean => request(sim, { path: `${NS}/configmaps/${name}` }).status === 200
const remove = (sim: Simulation, name: string, propagationPolicy: string): void => {
  request(sim, { method: 'DELETE', path: `${NS}/configmaps/${name}`, body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy } })
  advance(sim, 3000)
}

describe('the garbage collector', () => {
  it('deletes what nobody owns any more, down the whole chain, in the background', () => {
    const sim = make()
    const a = configMap(sim, 'a')
    const b = configMap(sim, 'b', [owner('a', a)])
    configMap(sim, 'c', [owner('b', b)])
    remove(sim, 'a', 'Background')
    expect(['a', 'b', 'c'].map((n) => exists(sim, n))).toEqual([false, false, false])
  })

  it('keeps what still has an owner and drops the reference to the one that is gone', () => {
    const sim = make()
    const [a, b] = [configMap(sim, 'a'), configMap(sim, 'b')]
    configMap(sim, 'c', [owner('a', a), owner('b', b)])
    remove(sim, 'a', 'Background')
    expect((request(sim, { path: `${NS}/configmaps/c` }).body as Body).metadata.ownerReferences?.map((o) => o.name)).toEqual(['b'])
  })

  it('leaves dependents behind when told to orphan them', () => {
    const sim = make()
    const a = configMap(sim, 'a')
    configMap(sim, 'b', [owner('a', a)])
    remove(sim, 'a', 'Orphan')
    expect([exists(sim, 'a'), exists(sim, 'b')]).toEqual([false, true])
    expect((request(sim, { path: `${NS}/configmaps/b` }).body as Body).metadata.ownerReferences).toBeUndefined()
  })

  it('in the foreground lets the owner go last, after the dependents that block it', () => {
    const sim = make()
    const a = configMap(sim, 'a')
    configMap(sim, 'held', [owner('a', a, { blockOwnerDeletion: true })], { finalizers: ['example.com/hold'] })
    configMap(sim, 'loose', [owner('a', a)])
    remove(sim, 'a', 'Foreground')
    expect(exists(sim, 'a')).toBe(true)
    request(sim, {
      method: 'PATCH',
      path: `${NS}/configmaps/held`,
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { finalizers: null } },
    })
    advance(sim, 3000)
    expect(['a', 'held', 'loose'].map((n) => exists(sim, n))).toEqual([false, false, false])
  })

  it('deletes a new object whose owner never existed', () => {
    const sim = make()
    configMap(sim, 'child', [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'nobody', uid: '11111111-1111-4111-8111-111111111111' }])
    advance(sim, 3000)
    expect(exists(sim, 'child')).toBe(false)
  })
})

describe('the namespace controller', () => {
  it('waits five seconds, deletes pods before anything else, and says what remains', () => {
    const sim = make()
    request(sim, { method: 'POST', path: '/api/v1/namespaces', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } } })
    advance(sim, 1000)
    request(sim, {
      method: 'POST',
      path: '/api/v1/namespaces/shop/configmaps',
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers: ['example.com/hold'] } },
    })
    request(sim, { method: 'DELETE', path: '/api/v1/namespaces/shop' })
    advance(sim, 4000)
    expect(request(sim, { path: '/api/v1/namespaces/shop/serviceaccounts/default' }).status).toBe(200)
    advance(sim, 3000)
    const status = (
      request(sim, { path: '/api/v1/namespaces/shop' }).body as {
        status: { conditions: { type: string; status: string; message: string }[] }
      }
    ).status
    expect(status.conditions.filter((c) => c.status === 'True').map((c) => c.message)).toEqual([
      'Some resources are remaining: configmaps. has 1 resource instances',
      'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
    ])
    request(sim, {
      method: 'PATCH',
      path: '/api/v1/namespaces/shop/configmaps/held',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { metadata: { finalizers: null } },
    })
    advance(sim, 20_000)
    expect(request(sim, { path: '/api/v1/namespaces/shop' }).status).toBe(404)
  })
})

describe('the quota controller', () => {
  it('counts what exists, and again when something goes', () => {
    const sim = make()
    configMap(sim, 'one')
    request(sim, {
      method: 'POST',
      path: `${NS}/resourcequotas`,
      body: {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata: { name: 'q' },
        spec: { hard: { 'count/configmaps': '9', 'requests.storage': '5Gi' } },
      },
    })
    advance(sim, 1000)
    const used = (): unknown => (request(sim, { path: `${NS}/resourcequotas/q` }).body as { status: { used: unknown } }).status.used
    expect(used()).toEqual({ 'count/configmaps': '2', 'requests.storage': '0' })
    remove(sim, 'one', 'Background')
    expect(used()).toEqual({ 'count/configmaps': '1', 'requests.storage': '0' })
  })
})

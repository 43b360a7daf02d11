import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HttpRequest, HttpResponse } from '../../api/http.ts'
import type { Status } from '../../api/status.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { advance, createApiCluster, DOOR, type DoorRequest, request, toHttpRequest } from '../../cluster/door.ts'
import type { Simulation } from '../../cluster/simulation.ts'
import { requestInfo } from './request-info.ts'

const SERVER = 'kube-apiserver/control-plane'
const quiet = { keyframeInterval: Number.MAX_SAFE_INTEGER }
const fresh = (seed: number): Simulation => createApiCluster({ profile: 'api', seed, ...quiet })
const maps = '/api/v1/namespaces/default/configmaps'
const merge = { 'content-type': 'application/merge-patch+json' }
const ask = (sim: Simulation, method: string, path: string, body?: object, headers?: Record<string, string>) =>
  request(sim, { method, path, ...(body ? { body } : {}), ...(headers ? { headers } : {}) })
const message = (r: HttpResponse): string => (r.body as Status).message ?? ''
const object = (r: HttpResponse): KubeObject => r.body as KubeObject

/** Requests that are under way at the same time. */
function together(
  sim: Simulation,
  requests: readonly { method: string; path: string; body?: object; headers?: Record<string, string> }[],
): HttpResponse[] {
  requests.forEach((r, i) => {
    const payload: DoorRequest = { id: `t${i}`, server: SERVER, request: toHttpRequest(r), stream: false, summary: r.method }
    sim.input({ target: DOOR, kind: 'door.request', payload })
  })
  advance(sim, 1000)
  const answers = sim.peek<HttpResponse>(DOOR, 'answers')
  const found = requests.map((_, i) => answers.get(`t${i}`) as HttpResponse)
  requests.forEach((_, i) => sim.input({ target: DOOR, kind: 'door.taken', payload: `t${i}` }))
  return found
}

describe('writes at the same time', () => {
  it('patches all take effect: whoever comes late is planned again', () => {
    const sim = fresh(1)
    ask(sim, 'POST', maps, { metadata: { name: 'a' } })
    const codes = together(
      sim,
      Array.from({ length: 8 }, (_, i) => ({ method: 'PATCH', path: `${maps}/a`, headers: merge, body: { data: { [`k${i}`]: 'v' } } })),
    ).map((r) => r.status)
    expect(codes).toEqual(Array(8).fill(200))
    expect(Object.keys(object(ask(sim, 'GET', `${maps}/a`)).data).length).toBe(8)
    expect(sim.records().some((r) => r.kind === 'apiserver.conflict.retried')).toBe(true)
  })

  it('replacements of one state: one wins, the others are told to read again', () => {
    const sim = fresh(2)
    const made = object(ask(sim, 'POST', maps, { metadata: { name: 'a' } }))
    const answers = together(
      sim,
      Array.from({ length: 5 }, (_, i) => ({ method: 'PUT', path: `${maps}/a`, body: { ...made, data: { winner: String(i) } } })),
    )
    expect(answers.map((r) => r.status).sort()).toEqual([200, 409, 409, 409, 409])
    const lost = answers.find((r) => r.status === 409) as HttpResponse
    expect(message(lost)).toBe(
      'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
    )
  })

  it('creations of one name: one wins', () => {
    const sim = fresh(3)
    const codes = together(
      sim,
      Array.from({ length: 5 }, () => ({ method: 'POST', path: maps, body: { metadata: { name: 'a' } } })),
    ).map((r) => r.status)
    expect(codes.sort()).toEqual([201, 409, 409, 409, 409])
  })

  it('generated names differ', () => {
    const sim = fresh(4)
    const names = together(
      sim,
      Array.from({ length: 20 }, () => ({ method: 'POST', path: maps, body: { metadata: { generateName: 'a-' } } })),
    ).map((r) => object(r).metadata.name)
    expect(new Set(names).size).toBe(20)
  })

  it('never use more than a quota allows', () => {
    const sim = fresh(5)
    ask(sim, 'POST', '/api/v1/namespaces/default/resourcequotas', { metadata: { name: 'q' }, spec: { hard: { configmaps: '3' } } })
    // Without controllers nobody else counts.
    const status = { status: { hard: { configmaps: '3' }, used: { configmaps: '0' } } }
    expect(ask(sim, 'PATCH', '/api/v1/namespaces/default/resourcequotas/q/status', status, merge).status).toBe(200)
    const answers = together(
      sim,
      Array.from({ length: 6 }, (_, i) => ({ method: 'POST', path: maps, body: { metadata: { name: `c${i}` } } })),
    )
    expect(answers.map((r) => r.status).sort()).toEqual([201, 201, 201, 403, 403, 403])
    expect(message(answers.find((r) => r.status === 403) as HttpResponse)).toMatch(
      /^configmaps "c\d" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=3, limited: configmaps=3$/,
    )
  })
})

describe('deletion', () => {
  it('waits for finalizers, and happens when the last one goes', () => {
    const sim = fresh(6)
    ask(sim, 'POST', maps, { metadata: { name: 'a', finalizers: ['x.io/a', 'x.io/b'] } })
    expect(object(ask(sim, 'DELETE', `${maps}/a`)).metadata.deletionTimestamp).toBeDefined()
    expect(ask(sim, 'PATCH', `${maps}/a`, { metadata: { finalizers: ['x.io/b'] } }, merge).status).toBe(200)
    expect(ask(sim, 'GET', `${maps}/a`).status).toBe(200)
    expect(ask(sim, 'PATCH', `${maps}/a`, { metadata: { finalizers: null } }, merge).status).toBe(200)
    expect(ask(sim, 'GET', `${maps}/a`).status).toBe(404)
  })

  it('of a precondition that does not hold is refused', () => {
    const sim = fresh(7)
    ask(sim, 'POST', maps, { metadata: { name: 'a' } })
    const refused = ask(sim, 'DELETE', `${maps}/a`, { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'other' } })
    expect(refused.status).toBe(409)
    expect(message(refused)).toMatch(
      /^Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition \(other\) does not match the UID in record \([0-9a-f-]{36}\)\. The object might have been deleted and then recreated$/,
    )
  })
})

describe('who asks', () => {
  it('is judged by the roles bound to it, and recorded', () => {
    const sim = fresh(8)
    const read = () => request(sim, { path: maps, as: 'jane' })
    expect(message(read())).toBe(
      'configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"',
    )
    ask(sim, 'POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
      metadata: { name: 'reader' },
      rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['list'] }],
    })
    ask(sim, 'POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
      metadata: { name: 'r' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'developers' }],
    })
    expect(read().status).toBe(200)
    expect(request(sim, { path: maps, as: 'no-such-token' }).status).toBe(401)
    expect(message(request(sim, { path: maps, as: 'anonymous' }))).toContain('User "system:anonymous" cannot list')
    const log = sim
      .peek<{ user: { username: string }; verb: string; responseStatus: { code: number }; objectRef?: { resource: string } }>(
        SERVER,
        'audit',
      )
      .values()
    const mine = log.filter((e) => e.user.username === 'jane').map((e) => `${e.verb} ${e.objectRef?.resource} ${e.responseStatus.code}`)
    expect(mine).toEqual(['list configmaps 403', 'list configmaps 200'])
  })

  it('may be a service account, as long as its token and it exist', () => {
    const sim = fresh(9)
    ask(sim, 'POST', '/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'robot' } })
    const made = ask(sim, 'POST', '/api/v1/namespaces/default/serviceaccounts/robot/token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds: 600 },
    })
    const { token } = object(made).status
    const review = () =>
      object(
        request(sim, {
          method: 'POST',
          path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
          as: token,
          body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
        }),
      )
    expect(review().status.userInfo.username).toBe('system:serviceaccount:default:robot')
    const forged = `${token.slice(0, -4)}AAAA`
    expect(request(sim, { path: maps, as: forged }).status).toBe(401)
    advance(sim, 700_000)
    expect(request(sim, { path: maps, as: token }).status).toBe(401)
  })
})

describe('a request', () => {
  it('leaves a chain of records from its arrival to its answer', () => {
    const sim = fresh(10)
    ask(sim, 'POST', maps, { metadata: { name: 'traced' } })
    const records = sim.records().slice(-200)
    const last = records
      .filter((r) => r.kind === 'apiserver.responded' && (r.data as { resource: string }).resource === 'configmaps')
      .at(-1)
    const chain: string[] = []
    for (let r = last; r; r = records.find((x) => x.seq === r?.cause)) if (r.kind.startsWith('apiserver.')) chain.unshift(r.kind)
    expect(chain).toEqual([
      'apiserver.request.received',
      'apiserver.authn.succeeded',
      'apiserver.authz.allowed',
      'apiserver.stored',
      'apiserver.responded',
    ])
    expect(sim.peek(SERVER, 'in-flight').size).toBe(0)
  })

  it('path is never misread: what is put together is taken apart again', () => {
    const word = fc
      .stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
      .filter((w) => !['watch', 'proxy', 'namespaces', 'status', 'finalize'].includes(w))
    fc.assert(
      fc.property(
        fc.option(word),
        fc.option(word),
        word,
        fc.option(word),
        fc.option(word),
        (group, namespace, resource, name, subresource) => {
          const root = group === null ? '/api/v1' : `/apis/${group}/v1`
          const path = `${root}${namespace === null ? '' : `/namespaces/${namespace}`}/${resource}${name === null ? '' : `/${name}${subresource === null ? '' : `/${subresource}`}`}`
          const request: HttpRequest = { method: 'GET', path: `${path}?a=b`, headers: {}, sourceIP: '' }
          const info = requestInfo(request)
          expect([info.group, info.namespace, info.resource, info.name]).toEqual([group ?? '', namespace ?? '', resource, name ?? ''])
          expect(info.subresource).toBe(name === null ? '' : (subresource ?? ''))
          expect(info.verb).toBe(name === null ? 'list' : 'get')
        },
      ),
    )
  })

  it('that is a dry run changes nothing', () => {
    const sim = fresh(11)
    const before = object(ask(sim, 'GET', maps)).metadata.resourceVersion
    expect(ask(sim, 'POST', `${maps}?dryRun=All`, { metadata: { name: 'a' } }).status).toBe(201)
    expect(ask(sim, 'GET', `${maps}/a`).status).toBe(404)
    expect(object(ask(sim, 'GET', maps)).metadata.resourceVersion).toBe(before)
  })
})

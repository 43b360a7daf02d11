import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WatchEvent } from '../../api/http.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { advance, createApiCluster, type DoorStream, request, stream } from '../../cluster/door.ts'
import type { Simulation } from '../../cluster/simulation.ts'

const quiet = { keyframeInterval: Number.MAX_SAFE_INTEGER, journalLimit: 500 }
const fresh = (seed: number): Simulation =>
  createApiCluster({ profile: 'api', seed, ...quiet, apiserver: { disabledAdmission: ['ServiceAccount'] } })
const pods = '/api/v1/namespaces/default/pods'
const merge = { 'content-type': 'application/merge-patch+json' }
const spec = { containers: [{ name: 'c', image: 'busybox' }] }

const events = (s: DoorStream): WatchEvent[] => s.chunks().flatMap((c) => ('event' in c ? [c.event] : []))
const say = (s: DoorStream): string[] => events(s).map((e) => `${e.type} ${e.object.metadata.name ?? e.object.metadata.resourceVersion}`)
const list = (sim: Simulation, path: string) =>
  request(sim, { path }).body as {
    items: KubeObject[]
    metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number }
  }

describe('a watch with a selector', () => {
  it('says ADDED for what begins to match and DELETED for what stops', () => {
    const sim = fresh(1)
    const watch = stream(sim, { path: `${pods}?watch=true&labelSelector=app%3Dweb` })
    request(sim, { method: 'POST', path: pods, body: { metadata: { name: 'a', labels: { app: 'web' } }, spec } })
    request(sim, { method: 'POST', path: pods, body: { metadata: { name: 'b' }, spec } })
    request(sim, { method: 'PATCH', path: `${pods}/b`, headers: merge, body: { metadata: { labels: { app: 'web' } } } })
    request(sim, { method: 'PATCH', path: `${pods}/a`, headers: merge, body: { metadata: { annotations: { x: '1' } } } })
    request(sim, { method: 'PATCH', path: `${pods}/a`, headers: merge, body: { metadata: { labels: { app: 'db' } } } })
    request(sim, { method: 'DELETE', path: `${pods}/a?gracePeriodSeconds=0` })
    request(sim, { method: 'DELETE', path: `${pods}/b?gracePeriodSeconds=0` })
    advance(sim, 10)
    expect(say(watch)).toEqual(['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED a', 'MODIFIED b', 'DELETED b'])
    const deleted = events(watch)[3]?.object as KubeObject
    expect(deleted.metadata.labels).toEqual({ app: 'web' })
  })

  it('of a node hears of pods bound to it only', () => {
    const sim = fresh(2)
    const watches = Array.from({ length: 50 }, (_, i) =>
      stream(sim, { path: `/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dnode-${i}` }),
    )
    request(sim, { method: 'POST', path: pods, body: { metadata: { name: 'a' }, spec } })
    const binding = { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'a' }, target: { kind: 'Node', name: 'node-7' } }
    expect(request(sim, { method: 'POST', path: `${pods}/a/binding`, body: binding }).status).toBe(201)
    request(sim, { method: 'DELETE', path: `${pods}/a?gracePeriodSeconds=0` })
    advance(sim, 10)
    expect(watches.map(say).map((s, i) => (i === 7 ? s : s.length))).toEqual(
      watches.map((_, i) => (i === 7 ? ['ADDED a', 'MODIFIED a', 'DELETED a'] : 0)),
    )
  })
})

describe('a watch that resumes', () => {
  it('gets what came after its revision, and 410 when that is forgotten', () => {
    const sim = fresh(3)
    const { resourceVersion } = list(sim, pods).metadata
    request(sim, { method: 'POST', path: pods, body: { metadata: { name: 'a' }, spec } })
    const watch = stream(sim, { path: `${pods}?watch=true&resourceVersion=${resourceVersion}` })
    advance(sim, 10)
    expect(say(watch)).toEqual(['ADDED a'])
    // The window forgets what is older than 75 s once there are more than 100 events.
    for (let i = 0; i < 60; i++)
      request(sim, { method: 'PATCH', path: `${pods}/a`, headers: merge, body: { metadata: { annotations: { i: String(i) } } } })
    advance(sim, 80_000)
    for (let i = 0; i < 60; i++)
      request(sim, { method: 'PATCH', path: `${pods}/a`, headers: merge, body: { metadata: { annotations: { j: String(i) } } } })
    const late = stream(sim, { path: `${pods}?watch=true&resourceVersion=${resourceVersion}` })
    advance(sim, 10)
    const [error] = events(late)
    expect(error?.type).toBe('ERROR')
    expect(error?.object).toMatchObject({ kind: 'Status', code: 410, reason: 'Expired' })
    expect(late.ended()).toBe(true)
    expect(events(watch).length).toBe(121)
  })

  it('can begin with what exists, marked by a bookmark', () => {
    const sim = fresh(4)
    for (const name of ['a', 'b']) request(sim, { method: 'POST', path: pods, body: { metadata: { name }, spec } })
    const watch = stream(sim, {
      path: `${pods}?watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan`,
    })
    advance(sim, 10)
    const [a, b, mark] = events(watch)
    expect([a?.type, b?.type, mark?.type]).toEqual(['ADDED', 'ADDED', 'BOOKMARK'])
    expect(mark?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
    advance(sim, 60_000)
    expect(events(watch).length).toBe(4)
  })

  it('ends after timeoutSeconds', () => {
    const sim = fresh(5)
    const watch = stream(sim, { path: `${pods}?watch=true&timeoutSeconds=3` })
    advance(sim, 2500)
    expect(watch.ended()).toBe(false)
    advance(sim, 600)
    expect(watch.ended()).toBe(true)
  })
})

type Act = { readonly name: string; readonly do: 'create' | 'label' | 'unlabel' | 'delete' | 'open' }
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), do: fc.constantFrom('create', 'label', 'unlabel', 'delete', 'open') }),
  { maxLength: 25 },
)

describe('whatever happens', () => {
  it('a list followed by a watch from its revision amounts to a later list', () => {
    const sim = fresh(6)
    fc.assert(
      fc.property(acts, (todo) => {
        request(sim, { method: 'DELETE', path: `${pods}?gracePeriodSeconds=0` })
        const selected = `${pods}?labelSelector=app%3Dweb`
        const followed: { state: Map<string, string>; watch: DoorStream }[] = []
        const open = (): void => {
          const { items, metadata } = list(sim, selected)
          const state = new Map(items.map((o) => [o.metadata.name as string, o.metadata.resourceVersion as string]))
          followed.push({ state, watch: stream(sim, { path: `${selected}&watch=true&resourceVersion=${metadata.resourceVersion}` }) })
        }
        open()
        for (const act of todo) {
          if (act.do === 'create')
            request(sim, { method: 'POST', path: pods, body: { metadata: { name: act.name, labels: { app: 'web' } }, spec } })
          else if (act.do === 'delete') request(sim, { method: 'DELETE', path: `${pods}/${act.name}?gracePeriodSeconds=0` })
          else if (act.do === 'open') open()
          else
            request(sim, {
              method: 'PATCH',
              path: `${pods}/${act.name}`,
              headers: merge,
              body: { metadata: { labels: { app: act.do === 'label' ? 'web' : 'db' } } },
            })
        }
        advance(sim, 10)
        const now = new Map(list(sim, selected).items.map((o) => [o.metadata.name, o.metadata.resourceVersion]))
        for (const { state, watch } of followed) {
          let last = 0
          for (const { type, object } of events(watch)) {
            const { name = '', resourceVersion = '' } = object.metadata
            expect(Number(resourceVersion)).toBeGreaterThan(last)
            last = Number(resourceVersion)
            expect(type === 'ADDED').toBe(!state.has(name))
            if (type === 'DELETED') state.delete(name)
            else state.set(name, resourceVersion)
          }
          expect(state).toEqual(now)
          watch.close()
        }
      }),
      { numRuns: 40 },
    )
  }, 30_000)

  it('the pages of a list amount to the list, as it was at the first page', () => {
    const sim = fresh(7)
    const names = Array.from({ length: 23 }, (_, i) => `p${String(i).padStart(2, '0')}`)
    for (const name of names) request(sim, { method: 'POST', path: pods, body: { metadata: { name }, spec } })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), (limit) => {
        const found: string[] = []
        let token = ''
        let page = 0
        do {
          const { items, metadata } = list(sim, `${pods}?limit=${limit}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`)
          expect(items.length).toBeLessThanOrEqual(limit)
          found.push(...items.map((o) => o.metadata.name as string))
          expect(metadata.remainingItemCount ?? 0).toBe(names.length - found.length)
          token = metadata.continue ?? ''
          // A pod that comes in between belongs to no page.
          if (page++ === 0) request(sim, { method: 'POST', path: pods, body: { metadata: { name: 'p99' }, spec } })
        } while (token !== '')
        request(sim, { method: 'DELETE', path: `${pods}/p99?gracePeriodSeconds=0` })
        expect(found).toEqual(names)
      }),
      { numRuns: 20 },
    )
  })
})

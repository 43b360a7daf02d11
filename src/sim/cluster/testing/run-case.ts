// Runs one recorded case against a simulated cluster: what the recordings' own runner does over HTTP, straight at the door.
import type { HttpResponse } from '../../api/http.ts'
import { advance, type DoorStream, request, type RequestOptions, stream } from '../door.ts'
import type { Simulation } from '../simulation.ts'
import { differences, eventFact, normalise, renumber, Tokens } from './normalise.ts'

// biome-ignore lint/suspicious/noExplicitAny: arbitrary JSON
type Json = any

export interface GoldenCase {
  readonly name: string
  readonly profile: string
  readonly namespace?: boolean
  readonly needsRootCA?: boolean
  readonly steps: readonly Json[]
  readonly expect: readonly Json[]
  readonly cleanup?: readonly string[]
  readonly keep?: readonly unknown[]
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly text: string
  readonly json: Json
}

const TICK_MS = 100
const at = (v: Json, path: string): Json =>
  path
    .split('.')
    .reduce((x, k) => (x === undefined || x === null ? undefined : k === 'length' ? x.length : x[/^\d+$/.test(k) ? Number(k) : k]), v)

export function holds(v: Json, where: readonly Json[]): boolean {
  return where.every((c) => {
    const [path, op, want] = c.length === 2 ? [c[0], '=', c[1]] : c
    const got = path === '' ? v : at(v, path)
    switch (op) {
      case '=':
        return JSON.stringify(got) === JSON.stringify(want)
      case '!=':
        return JSON.stringify(got) !== JSON.stringify(want)
      case '>=':
        return Number(got ?? 0) >= want
      case '<=':
        return Number(got ?? 0) <= want
      case 'exists':
        return got !== undefined
      case 'absent':
        return got === undefined
      case 'matches':
        return new RegExp(want).test(String(got ?? ''))
      case 'has':
        return Array.isArray(got) && got.some((x) => Object.entries(want).every(([k, y]) => JSON.stringify(at(x, k)) === JSON.stringify(y)))
      case 'every':
        return (
          Array.isArray(got) && got.every((x) => Object.entries(want).every(([k, y]) => JSON.stringify(at(x, k)) === JSON.stringify(y)))
        )
      case 'count':
        return Array.isArray(got) && got.length === want
      default:
        throw new Error(`unknown operator ${op}`)
    }
  })
}

const STABLE_PATHS = (ns: string): string[] => [
  `/api/v1/namespaces/${ns}/pods`,
  `/apis/apps/v1/namespaces/${ns}/replicasets`,
  `/apis/apps/v1/namespaces/${ns}/deployments`,
  `/apis/apps/v1/namespaces/${ns}/statefulsets`,
  `/apis/apps/v1/namespaces/${ns}/daemonsets`,
  `/apis/batch/v1/namespaces/${ns}/jobs`,
  `/apis/batch/v1/namespaces/${ns}/cronjobs`,
  `/apis/discovery.k8s.io/v1/namespaces/${ns}/endpointslices`,
  `/apis/policy/v1/namespaces/${ns}/poddisruptionbudgets`,
  `/api/v1/namespaces/${ns}/events`,
]

function toRequest(r: Json): RequestOptions {
  const headers: Record<string, string> = {}
  for (const [k, v] of Object.entries(r.headers ?? {}))
    if (v !== null) headers[k.toLowerCase()] = Array.isArray(v) ? v.join(', ') : String(v)
  const body = r.body === undefined ? undefined : typeof r.body === 'string' ? r.body : JSON.stringify(r.body)
  return { method: r.method ?? 'GET', path: r.path, headers, ...(body === undefined ? {} : { body }), as: r.as ?? 'admin' }
}

const isWatch = (path: string, method: string): boolean =>
  method === 'GET' && (/[?&]watch=(true|1)\b/.test(path) || path.includes('/watch/'))

const answerOf = (r: HttpResponse, method: string): Answer => {
  const text = method === 'HEAD' || r.body === undefined ? '' : typeof r.body === 'string' ? r.body : JSON.stringify(r.body)
  return { status: r.status, headers: r.headers, text, json: parse(text) }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Problems, one line each; empty when the case agrees. */
export function runCase(sim: Simulation, testCase: GoldenCase, ns: string): string[] {
  const vars: Record<string, Json> = { ns }
  const fill = (x: Json): Json => {
    if (typeof x === 'string') {
      const whole = /^\{\{(\w+)\}\}$/.exec(x)
      if (whole && vars[whole[1] as string] !== undefined) return vars[whole[1] as string]
      return x.replace(/\{\{(\w+)\}\}/g, (m, k: string) => (vars[k] === undefined ? m : String(vars[k])))
    }
    if (Array.isArray(x)) return x.map(fill)
    if (x && typeof x === 'object') return Object.fromEntries(Object.entries(x).map(([k, v]) => [fill(k), fill(v)]))
    return x
  }
  const raw: Json[] = []
  const watches = new Map<string, DoorStream>()
  const send = (r: Json): Answer => {
    const q = toRequest(r)
    if (!isWatch(q.path, q.method ?? 'GET')) return answerOf(request(sim, q), q.method ?? 'GET')
    const s = stream(sim, q)
    for (let i = 0; !s.ended() && i < 600; i++) advance(sim, TICK_MS)
    const chunks = s.chunks()
    const refused = chunks.find((c) => 'refused' in c)
    const text = refused
      ? typeof (refused as Json).refused === 'string'
        ? (refused as Json).refused
        : JSON.stringify((refused as Json).refused)
      : chunks.map((c) => `${JSON.stringify((c as Json).event)}\n`).join('')
    const answer: Answer = { status: s.status(), headers: s.headers(), text, json: parse(text) }
    s.close()
    return answer
  }
  const until = (s: Json): Answer => {
    const deadline = sim.now + (s.timeoutMs ?? 60000)
    for (;;) {
      const last = send({ path: s.path, as: s.as ?? 'admin' })
      if (s.gone ? last.status === 404 : last.json !== undefined && last.status < 300 && holds(last.json, s.where ?? [])) return last
      if (sim.now >= deadline)
        throw new Error(
          `until ${s.path} ${JSON.stringify(s.where ?? 'gone')}: not after ${s.timeoutMs ?? 60000} ms; last ${last.status} ${last.text.slice(0, 600)}`,
        )
      advance(sim, TICK_MS)
    }
  }
  const settle = (s: Json): void => {
    const quiet = s.quietMs ?? 3000
    const deadline = sim.now + (s.timeoutMs ?? 90000)
    let print = ''
    let since = sim.now
    for (;;) {
      const parts: string[] = []
      for (const p of s.paths ? fill(s.paths) : STABLE_PATHS(ns))
        for (const i of send({ path: p }).json?.items ?? []) parts.push(`${i.metadata.uid}@${i.metadata.resourceVersion}`)
      const next = parts.sort().join(' ')
      if (next !== print) {
        print = next
        since = sim.now
      } else if (sim.now - since >= quiet) return
      if (sim.now >= deadline) throw new Error('settle: still changing')
      advance(sim, 300)
    }
  }
  const one = (step0: Json): Json => {
    const step = fill(step0)
    switch (step.do) {
      case 'http': {
        const r = send(step)
        if (step.save && r.json) for (const [k, p] of Object.entries(step.save)) vars[k] = at(r.json, p as string)
        if (step.setup) {
          if (r.status >= 300) throw new Error(`setup ${step.method ?? 'GET'} ${step.path}: ${r.status} ${r.text.slice(0, 800)}`)
          return null
        }
        const body = r.json === undefined ? (r.text === '' ? null : r.text) : r.json
        const headers = (list: string[]): Json =>
          Object.fromEntries(
            list.map((h) => [h, Array.isArray(r.headers[h]) ? (r.headers[h] as string[]).join(', ') : (r.headers[h] ?? null)]),
          )
        return { status: r.status, ...(step.headers_ ? { headers: headers(step.headers_) } : {}), body }
      }
      case 'until': {
        const r = until(step)
        if (step.save && r.json) for (const [k, p] of Object.entries(step.save)) vars[k] = at(r.json, p as string)
        return null
      }
      case 'settle':
        settle(step)
        return null
      case 'wait':
        advance(sim, step.ms)
        return null
      case 'events': {
        let facts = (send({ path: `/api/v1/namespaces/${step.namespace ?? ns}/events` }).json?.items ?? []).map(eventFact)
        if (step.kinds) facts = facts.filter((f: Json) => step.kinds.includes(f.object.split('/')[0]))
        if (step.reasons) facts = facts.filter((f: Json) => step.reasons.includes(f.reason))
        return { facts }
      }
      case 'watch-start':
        watches.set(step.id, stream(sim, toRequest(step)))
        return null
      case 'watch-end': {
        const w = watches.get(step.id) as DoorStream
        const deadline = sim.now + (step.timeoutMs ?? 10000)
        while (w.chunks().length < (step.count ?? 0) && sim.now < deadline) advance(sim, TICK_MS)
        if (step.quietMs) advance(sim, step.quietMs)
        const events = w.chunks().map((c) => JSON.parse(JSON.stringify((c as Json).event ?? c)))
        const status = w.status()
        w.close()
        watches.delete(step.id)
        return { status, events: step.count && !step.quietMs ? events.slice(0, step.count) : events }
      }
      default:
        throw new Error(`unknown step ${step.do}`)
    }
  }
  let error: string | undefined
  try {
    if (testCase.namespace !== false) {
      const r = send({ method: 'POST', path: '/api/v1/namespaces', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } } })
      if (r.status !== 201) throw new Error(`namespace: ${r.status} ${r.text.slice(0, 300)}`)
      until({ path: `/api/v1/namespaces/${ns}/serviceaccounts/default`, where: [['metadata.name', 'default']], timeoutMs: 15000 })
      if (testCase.needsRootCA) until({ path: `/api/v1/namespaces/${ns}/configmaps/kube-root-ca.crt`, where: [], timeoutMs: 15000 })
    }
    for (const [i, step] of testCase.steps.entries()) {
      try {
        raw.push(one(step))
      } catch (e) {
        throw new Error(`step ${i} (${step.do}${step.path ? ` ${step.method ?? 'GET'} ${step.path}` : ''}): ${(e as Error).stack}`)
      }
    }
  } catch (e) {
    error = (e as Error).message
  }
  for (const w of watches.values()) w.close()
  if (!error?.includes('SimulationCrash')) {
    for (const c of testCase.cleanup ?? [])
      send({
        method: 'DELETE',
        path: fill(c),
        body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, propagationPolicy: 'Background' },
      })
    // The namespace stays: nobody looks at it again, and its end would take longer than most cases.
  }
  const tokens = new Tokens({ ...(testCase.namespace === false ? {} : { namespace: ns }), keep: testCase.keep ?? [] })
  for (const r of raw) if (r) tokens.learn(r)
  const results = renumber(
    raw.map((r, i) => {
      if (r === null) return null
      const step = testCase.steps[i]
      if (r.facts) {
        const facts = normalise(r.facts, tokens)
        const key = (f: Json): string => JSON.stringify(f).replace(/<([a-zA-Z]+)-\d+>/g, '<$1>')
        const unique = new Map<string, Json>()
        for (const f of facts) unique.set(JSON.stringify(f), f)
        return { facts: [...unique.values()].sort((a, b) => (key(a) < key(b) ? -1 : 1)) }
      }
      return normalise(r, tokens, { drop: step.drop ?? [], keepManagedFields: step.managedFields })
    }),
  )
  const problems = error ? [error] : []
  testCase.expect.forEach((e, i) => {
    if (i >= results.length || e === null) return
    problems.push(
      ...differences(e, results[i]).map(
        (d) => `step ${i} (${testCase.steps[i].do} ${testCase.steps[i].method ?? ''} ${testCase.steps[i].path ?? ''}): ${d}`,
      ),
    )
  })
  return problems
}

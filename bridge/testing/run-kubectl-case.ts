// Runs one recorded case of kubectl against a bridge: the real binary for its commands, the host itself for everything else.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { toHttpRequest } from '../../src/sim/cluster/door.ts'
import { differences, normalise, renumber, Tokens } from '../../src/sim/cluster/testing/normalise.ts'
import { type GoldenCase, holds } from '../../src/sim/cluster/testing/run-case.ts'
import type { Bridge } from '../server.ts'

// biome-ignore lint/suspicious/noExplicitAny: arbitrary JSON
type Json = any

export interface Ran {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

const TICK_MS = 100
const SETTLE_TICK_MS = 300
/** What controllers change. */
const CHANGING = [
  ['/api/v1', 'pods'],
  ['/api/v1', 'events'],
  ['/apis/apps/v1', 'replicasets'],
  ['/apis/apps/v1', 'deployments'],
  ['/apis/apps/v1', 'statefulsets'],
  ['/apis/apps/v1', 'daemonsets'],
  ['/apis/batch/v1', 'jobs'],
  ['/apis/batch/v1', 'cronjobs'],
  ['/apis/discovery.k8s.io/v1', 'endpointslices'],
  ['/apis/policy/v1', 'poddisruptionbudgets'],
]
/** Wall ms between ticks while a program runs. */
const PAUSE_MS = 15
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
const at = (v: Json, path: string): Json =>
  path
    .split('.')
    .reduce((x, k) => (x === undefined || x === null ? undefined : k === 'length' ? x.length : x[/^\d+$/.test(k) ? Number(k) : k]), v)

/** Runs a program; while it runs the virtual clock moves on. */
export async function runProgram(
  bridge: Bridge,
  program: string,
  args: readonly string[],
  options: { cwd?: string; home: string; stdin?: string; timeoutMs?: number; env?: Record<string, string> },
): Promise<Ran> {
  const child = spawn(program, args, {
    cwd: options.cwd ?? options.home,
    env: { PATH: process.env.PATH, HOME: options.home, LC_ALL: 'C', TERM: 'dumb', ...options.env },
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (c: string) => (stdout += c))
  child.stderr.setEncoding('utf8').on('data', (c: string) => (stderr += c))
  child.stdin.on('error', () => {})
  child.stdin.end(options.stdin ?? '')
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 20_000)
  let done = false
  const end = new Promise<number | null>((resolve, reject) => {
    child.on('error', (e) => {
      done = true
      reject(e)
    })
    child.on('close', (code) => {
      done = true
      resolve(code)
    })
  })
  while (!done) {
    await Promise.race([sleep(PAUSE_MS), end])
    if (!done) await bridge.host.advance(TICK_MS)
  }
  const exit = await end
  clearTimeout(timer)
  return { exit, stdout, stderr }
}

export interface CaseEnvironment {
  readonly bridge: Bridge
  readonly kubectl: string
  readonly kubeconfig: string
  readonly ns: string
}

/** What differs from the recording; empty = nothing. */
export async function runKubectlCase(testCase: GoldenCase, env: CaseEnvironment): Promise<string[]> {
  const { bridge, ns } = env
  const { host } = bridge
  const vars = new Map<string, Json>([['ns', ns]])
  const folder = mkdtempSync(join(tmpdir(), 'orrery-case-'))
  const fill = (x: Json): Json => {
    if (typeof x === 'string') {
      const whole = /^\{\{(\w+)\}\}$/.exec(x)
      if (whole && vars.has(whole[1] as string)) return vars.get(whole[1] as string)
      return x.replace(/\{\{(\w+)\}\}/g, (m, k) => (vars.has(k) ? String(vars.get(k)) : m))
    }
    if (Array.isArray(x)) return x.map(fill)
    if (x && typeof x === 'object') return Object.fromEntries(Object.entries(x).map(([k, v]) => [fill(k), fill(v)]))
    return x
  }
  const request = async (r: Json): Promise<{ status: number; headers: Json; text: string; json: Json }> => {
    const headers = Object.fromEntries(Object.entries(r.headers ?? {}).filter(([, v]) => v !== null)) as Record<string, string>
    const {
      status,
      headers: got,
      body,
    } = await host.request(
      toHttpRequest({
        ...r,
        headers,
        body: r.body === undefined ? undefined : typeof r.body === 'string' ? r.body : JSON.stringify(r.body),
      }),
    )
    const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
    let json: Json
    try {
      json = JSON.parse(text)
    } catch {}
    return { status, headers: got, text, json }
  }
  const until = async (s: Json): Promise<Json> => {
    let passed = 0
    for (;;) {
      const last = await request({ path: s.path, as: s.as })
      if (s.gone ? last.status === 404 : last.json !== undefined && last.status < 300 && holds(last.json, s.where ?? [])) return last.json
      if (passed >= (s.timeoutMs ?? 60_000))
        throw new Error(`until ${s.path} ${JSON.stringify(s.where ?? 'gone')}: never; last ${last.status} ${last.text.slice(0, 300)}`)
      await host.advance(TICK_MS)
      passed += TICK_MS
    }
  }
  /** Until nothing of the namespace has changed for a while. */
  const settle = async (s: Json): Promise<void> => {
    let print = ''
    let quiet = 0
    for (let passed = 0; passed < (s.timeoutMs ?? 90_000); passed += SETTLE_TICK_MS) {
      const versions: string[] = []
      for (const path of s.paths ?? CHANGING.map(([group, resource]) => `${group}/namespaces/${ns}/${resource}`)) {
        for (const item of (await request({ path })).json?.items ?? [])
          versions.push(`${item.metadata.uid}@${item.metadata.resourceVersion}`)
      }
      const next = versions.sort().join(' ')
      quiet = next === print ? quiet + SETTLE_TICK_MS : 0
      print = next
      if (quiet > (s.quietMs ?? 3000)) return
      await host.advance(SETTLE_TICK_MS)
    }
    throw new Error('still changing')
  }
  const save = (s: Json, json: Json): void => {
    if (s.save && json) for (const [k, p] of Object.entries<string>(s.save)) vars.set(k, at(json, p))
  }
  const kubectl = async (s: Json): Promise<Ran> => {
    for (const [name, text] of Object.entries(s.files ?? {})) {
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), fill(typeof text === 'string' ? text : JSON.stringify(text)))
    }
    const args = ['--kubeconfig', env.kubeconfig, ...(s.noNamespace ? [] : ['-n', ns]), ...s.args]
    const r = await runProgram(bridge, env.kubectl, args, { home: folder, stdin: s.stdin, timeoutMs: s.timeoutMs })
    if (r.exit === null) throw new Error(`kubectl ${s.args.join(' ')} did not end`)
    return { exit: r.exit, stdout: r.stdout.split(folder).join('<dir>'), stderr: r.stderr.split(folder).join('<dir>') }
  }
  const one = async (s: Json): Promise<Json> => {
    switch (s.do) {
      case 'http': {
        const r = await request(s)
        save(s, r.json)
        if (s.setup) {
          if (r.status >= 300) throw new Error(`setup ${s.method ?? 'GET'} ${s.path}: ${r.status} ${r.text.slice(0, 300)}`)
          return null
        }
        const body = r.json === undefined ? (r.text === '' ? null : r.text) : r.json
        return {
          status: r.status,
          ...(s.headers_ ? { headers: Object.fromEntries(s.headers_.map((h: string) => [h, r.headers[h] ?? null])) } : {}),
          body,
        }
      }
      case 'kubectl': {
        const r = await kubectl(s)
        if (!s.setup) return { text: true, ...r }
        if (r.exit !== 0) throw new Error(`setup kubectl ${s.args.join(' ')}: ${r.stderr.slice(0, 300)}`)
        return null
      }
      case 'until':
        save(s, await until(s))
        return null
      case 'settle':
        await settle(s)
        return null
      case 'wait':
        await host.advance(s.ms)
        return null
      default:
        throw new Error(`unknown step ${s.do}`)
    }
  }

  const raw: Json[] = []
  let error: string | undefined
  try {
    if (testCase.namespace !== false) {
      const r = await request({
        method: 'POST',
        path: '/api/v1/namespaces',
        body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: ns } },
      })
      if (r.status !== 201) throw new Error(`namespace: ${r.status} ${r.text.slice(0, 300)}`)
      await until({ path: `/api/v1/namespaces/${ns}/serviceaccounts/default`, where: [['metadata.name', 'default']], timeoutMs: 15_000 })
      if (testCase.needsRootCA) await until({ path: `/api/v1/namespaces/${ns}/configmaps/kube-root-ca.crt`, where: [], timeoutMs: 15_000 })
    }
    for (const [i, step] of testCase.steps.entries()) {
      try {
        raw.push(await one(fill(step)))
      } catch (e) {
        throw new Error(`step ${i}: ${(e as Error).message}`)
      }
    }
  } catch (e) {
    error = (e as Error).message
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  if (error) return [error]

  const tokens = new Tokens({ ...(testCase.namespace === false ? {} : { namespace: ns }), keep: testCase.keep ?? [] })
  for (const r of raw) if (r && !r.text) tokens.learn(r)
  const results = raw.map((r, i) => {
    if (r === null) return null
    const step = testCase.steps[i]
    if (r.text) return { exit: r.exit, stdout: normaliseText(r.stdout, tokens), stderr: normaliseText(r.stderr, tokens) }
    return normalise(r, tokens, { drop: step.drop ?? [], keepManagedFields: step.managedFields ?? false })
  })
  const seen = renumber(results)
  const problems: string[] = []
  testCase.expect.forEach((e, i) => {
    if (e !== null)
      problems.push(
        ...differences(e, seen[i]).map((d) => `step ${i} (${testCase.steps[i].args?.join(' ') ?? testCase.steps[i].path}): ${d}`),
      )
  })
  return problems
}

const AGE = /\b(?:\d+[ydhms]){1,2}\b(?: \(x\d+ over (?:\d+[ydhms]){1,2}\))?(?: ago)?/g

/** What differs between any two runs of a program, line by line. */
export function normaliseText(text: string, tokens: Tokens): string {
  const age = (m: string): string =>
    tokens.keep.has(m) ? m : m.includes('(x') ? '<age> (xN over <age>)' : m.endsWith(' ago') ? '<age> ago' : '<age>'
  const port = (_: string, before: string, n: string): string => before + (tokens.keep.has(n) ? n : tokens.number('nodePort', n))
  return tokens
    .replaceIn(text)
    .split('\n')
    .map((line) =>
      line
        .replace(AGE, age)
        .replace(/<unknown>/g, '<age>')
        .replace(/[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, '<time>')
        .replace(/https?:\/\/(?:127\.0\.0\.1|localhost):\d+/g, '<server>')
        .replace(/(\bresourceVersion\\*"?: ?\\*")\d+(\\*")/g, '$1<rv>$2')
        .replace(/(\bnodePort"?: ?|:(?=\d+\/(?:TCP|UDP|SCTP)\b))(3[0-2]\d{3})\b/g, port)
        .replace(/^(NodePort: +\S+ +)(3[0-2]\d{3})(?=\/)/, port)
        .replace(/\S*\/(LIVE|MERGED)-\d+\//g, '<tmp>/$1-<n>/')
        .replace(/\t\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ [+-]\d{4}$/, '\t<time>')
        .replace(/\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4} [A-Z]{3,4}\b/g, '<time>')
        .replace(/^([IWEF])\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ ([\w.-]+\.go):\d+\] /, '$1<log> $2] ')
        .replace(/(\bResource Version: +)\d+$/, '$1<rv>')
        .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<token>')
        .replace(/(\S) {2,}/g, '$1   ')
        .trimEnd(),
    )
    .join('\n')
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GoldenCase } from '../src/sim/cluster/testing/run-case.ts'
import { writeKubeconfig } from './kubeconfig.ts'
import { type ClusterChoice, DEFAULTS } from './options.ts'
import { type Bridge, startBridge } from './server.ts'
import { binaries, binariesRun } from './testing/binaries.ts'
import { fetchFrom, openStream, rawConnection } from './testing/client.ts'
import { type Ran, runKubectlCase, runProgram } from './testing/run-kubectl-case.ts'

const read = (name: string): string => readFileSync(new URL(`./golden/${name}`, import.meta.url), 'utf8')
const START = { ...DEFAULTS, profile: 'api', clock: 'manual', nodes: 0, port: 0 } as const
const home = mkdtempSync(join(tmpdir(), 'orrery-bridge-'))
const logged: string[] = []
let bridge: Bridge

async function open(name: string): Promise<{ bridge: Bridge; kubeconfig: string }> {
  const opened = await startBridge(START, (line) => logged.push(line))
  const kubeconfig = join(home, name)
  writeKubeconfig(kubeconfig, opened.url, opened.certificate.cert)
  return { bridge: opened, kubeconfig }
}

beforeAll(async () => {
  bridge = (await open('config')).bridge
})
afterAll(async () => {
  await bridge.close()
  rmSync(home, { recursive: true, force: true })
})

const kubectl = (args: string, stdin?: string): Promise<Ran> =>
  runProgram(bridge, binaries().kubectl, ['--kubeconfig', join(home, 'config'), ...args.split(' ')], {
    home,
    ...(stdin === undefined ? {} : { stdin }),
  })

const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
`

describe.runIf(binariesRun())('the real kubectl', () => {
  it('applies, reads, explains, compares and deletes', async () => {
    expect(await kubectl('apply -f -', DEPLOYMENT)).toEqual({ exit: 0, stdout: 'deployment.apps/web created\n', stderr: '' })
    expect((await kubectl('get deploy web -o wide')).stdout).toMatch(
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE +CONTAINERS +IMAGES +SELECTOR\nweb +0\/2 +0 +0 +\S+ +web +nginx +app=web\n$/,
    )
    expect((await kubectl('describe deploy web')).stdout).toContain(
      'Pod Template:\n  Labels:  app=web\n  Containers:\n   web:\n    Image:         nginx\n',
    )
    expect((await kubectl('explain deploy.spec.replicas')).stdout).toContain('FIELD: replicas <integer>')
    const diff = await kubectl('diff -f -', DEPLOYMENT.replace('nginx', 'nginx:2'))
    expect(diff.exit).toBe(1)
    expect(diff.stdout).toContain('-      - image: nginx\n+      - image: nginx:2\n')
    expect((await kubectl('label deploy web tier=front')).stdout).toBe('deployment.apps/web labeled\n')
    expect((await kubectl('create configmap app --from-literal=color=blue')).stdout).toBe('configmap/app created\n')
    expect((await kubectl('get configmap app --context jane')).stderr).toContain(
      'configmaps "app" is forbidden: User "jane" cannot get resource',
    )
    expect((await kubectl('delete deploy web')).stdout).toBe('deployment.apps "web" deleted from default namespace\n')
  })

  it('watches', async () => {
    const watching = kubectl('get configmaps -w --request-timeout=3s')
    await new Promise((resolve) => setTimeout(resolve, 700))
    await kubectl('create configmap seen')
    expect((await watching).stdout).toMatch(/^seen +0 +/m)
  })
})

describe('the door', () => {
  afterAll(() => expect(logged).toEqual([]))

  it('turns away other hosts and pages of other origins', async () => {
    const path = '/api/v1/namespaces'
    expect((await fetchFrom(bridge, { path, headers: { host: `evil.example:${bridge.port}` } })).status).toBe(403)
    expect((await fetchFrom(bridge, { path, headers: { host: `127.0.0.1:${bridge.port + 1}` } })).status).toBe(403)
    expect((await fetchFrom(bridge, { path, headers: { origin: 'https://evil.example' } })).status).toBe(403)
    expect((await fetchFrom(bridge, { path, headers: { origin: 'null' } })).status).toBe(403)
    expect((await fetchFrom(bridge, { path, headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403)
    expect(
      (
        await fetchFrom(bridge, {
          path: '/sim/v1/advance',
          method: 'POST',
          body: '{"ms":1}',
          headers: { authorization: 'Bearer user-token' },
        })
      ).status,
    ).toBe(403)
    expect(
      (await fetchFrom(bridge, { path, headers: { origin: `https://127.0.0.1:${bridge.port}`, host: `localhost:${bridge.port}` } })).status,
    ).toBe(200)
    const preflight = await fetchFrom(bridge, {
      path,
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'DELETE' },
    })
    expect([preflight.status, preflight.headers['access-control-allow-origin']]).toEqual([403, undefined])
  })

  it('limits bodies to 3 MiB', async () => {
    const ask = (size: number) =>
      fetchFrom(bridge, {
        method: 'POST',
        path: '/api/v1/namespaces/default/configmaps',
        headers: { 'content-type': 'application/json' },
        body: 'x'.repeat(size),
      })
    const over = await ask(3 * 1024 * 1024 + 1)
    expect(over.status).toBe(413)
    expect(JSON.parse(over.text)).toMatchObject({
      kind: 'Status',
      reason: 'RequestEntityTooLarge',
      message: 'Request entity too large: limit is 3145728',
    })
    expect((await ask(3 * 1024 * 1024)).status).toBe(400)
  })

  it('answers broken and deep JSON and goes on', async () => {
    const post = (body: string, type = 'application/json') =>
      fetchFrom(bridge, { method: 'POST', path: '/api/v1/namespaces/default/configmaps', headers: { 'content-type': type }, body })
    expect((await post('{"apiVersion": "v1", "kind": ')).status).toBe(400)
    expect((await post(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).status).toBe(400)
    expect((await post('['.repeat(400_000))).status).toBe(400)
    expect((await post(`a: ${'['.repeat(5000)}`, 'application/yaml')).status).toBe(400)
    expect((await post('k8s\0\xff\xff\xff', 'application/vnd.kubernetes.protobuf')).status).toBe(400)
    expect((await fetchFrom(bridge, { path: '/readyz' })).text).toBe('ok')
  })

  it('compresses when asked, and streams watches at once', async () => {
    const list = await fetchFrom(bridge, {
      path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      headers: { 'accept-encoding': 'gzip' },
    })
    expect(list.headers['content-encoding']).toBe('gzip')
    expect(JSON.parse(gunzipSync(Buffer.from(list.text, 'latin1')).toString()).kind).toBe('ClusterRoleList')
    const yaml = await fetchFrom(bridge, { path: '/api/v1/namespaces/default', headers: { accept: 'application/yaml' } })
    expect([yaml.headers['content-type'], yaml.text.startsWith('apiVersion: v1\nkind: Namespace\n')]).toEqual(['application/yaml', true])
    const preferred = await fetchFrom(bridge, {
      path: '/api/v1/namespaces/default',
      headers: { accept: 'application/vnd.kubernetes.protobuf,application/json' },
    })
    expect(preferred.headers['content-type']).toBe('application/json')
  })

  it('holds two hundred watches at once without moving the clock', async () => {
    const now = async (): Promise<number> =>
      JSON.parse((await fetchFrom(bridge, { method: 'POST', path: '/sim/v1/advance', body: '{"ms":0}' })).text).now
    const watches = await Promise.all(
      Array.from({ length: 200 }, () =>
        openStream(bridge, { path: '/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=0&labelSelector=many=yes' }),
      ),
    )
    expect(watches.map((w) => w.status)).toEqual(Array.from({ length: 200 }, () => 200))
    const before = await now()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await now()).toBe(before)
    await fetchFrom(bridge, {
      method: 'POST',
      path: '/api/v1/namespaces/default/configmaps',
      body: '{"metadata":{"name":"many","labels":{"many":"yes"}}}',
      headers: { 'content-type': 'application/json' },
    })
    await fetchFrom(bridge, { method: 'POST', path: '/sim/v1/advance', body: '{"ms":100}' })
    await expect.poll(() => watches.filter((w) => w.read().includes('"ADDED"')).length).toBe(200)
    for (const w of watches) w.close()
  })

  it('survives clients that break off', async () => {
    const half = await rawConnection(bridge)
    half.end(`GET /api/v1/configmaps?watch=true HTTP/1.1\r\nHost: 127.0.0.1:${bridge.port}\r\nAuthorization: Bearer admin-token\r\n\r\n`)
    half.on('data', () => {})
    await new Promise((resolve) => half.on('close', resolve))
    const rude = await rawConnection(bridge)
    rude.write(`POST /api/v1/namespaces HTTP/1.1\r\nHost: 127.0.0.1:${bridge.port}\r\nContent-Length: 1000\r\n\r\n{"ki`)
    rude.destroy()
    const noise = await rawConnection(bridge)
    noise.on('error', () => {})
    noise.write('\x16\x03\x01 nonsense\r\n\r\n')
    await new Promise((resolve) => noise.on('close', resolve).on('data', () => {}))
    expect((await fetchFrom(bridge, { path: '/readyz' })).text).toBe('ok')
  })

  it('begins anew on reset, with the same certificate and tokens', async () => {
    await fetchFrom(bridge, {
      method: 'POST',
      path: '/api/v1/namespaces',
      body: '{"metadata":{"name":"gone-after-reset"}}',
      headers: { 'content-type': 'application/json' },
    })
    expect((await fetchFrom(bridge, { method: 'POST', path: '/sim/v1/reset', body: '{}' })).status).toBe(200)
    expect((await fetchFrom(bridge, { path: '/api/v1/namespaces/gone-after-reset' })).status).toBe(404)
    expect((await fetchFrom(bridge, { path: '/api/v1/namespaces/default/serviceaccounts/default' })).status).toBe(200)
    expect((await fetchFrom(bridge, { method: 'POST', path: '/sim/v1/reset', body: '{"profile":"nonsense"}' })).status).toBe(400)
    const audit = await fetchFrom(bridge, { path: '/sim/v1/audit' })
    expect(
      audit.text
        .trim()
        .split('\n')
        .map((l) => JSON.parse(l).requestURI),
    ).toContain('/api/v1/namespaces/gone-after-reset')
  })
})

describe.runIf(binariesRun())('the real helm', () => {
  it('installs, upgrades, rolls back and uninstalls a chart', async () => {
    const chart = join(home, 'chart')
    mkdirSync(join(chart, 'templates'), { recursive: true })
    writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: shop\nversion: 0.1.0\n')
    writeFileSync(join(chart, 'values.yaml'), 'replicas: 1\n')
    writeFileSync(
      join(chart, 'templates', 'web.yaml'),
      DEPLOYMENT.replace('replicas: 2', 'replicas: {{ .Values.replicas }}').replace('name: web', 'name: {{ .Release.Name }}'),
    )
    const helm = (args: string): Promise<Ran> =>
      runProgram(bridge, binaries().helm, ['--kubeconfig', join(home, 'config'), ...args.split(' ')], { home })
    const replicas = async (): Promise<string> => (await kubectl('get deploy shop -o jsonpath={.spec.replicas}')).stdout
    expect((await helm(`install shop ${chart}`)).stdout).toContain('STATUS: deployed')
    expect(await replicas()).toBe('1')
    expect((await helm(`upgrade shop ${chart} --set replicas=3`)).stdout).toContain('REVISION: 2')
    expect(await replicas()).toBe('3')
    expect((await helm('rollback shop 1')).stdout).toContain('Rollback was a success')
    expect(await replicas()).toBe('1')
    expect((await helm('history shop --max 3')).stdout).toMatch(/superseded[^]*superseded[^]*deployed/)
    expect((await helm('uninstall shop')).stdout).toContain('release "shop" uninstalled')
    expect((await kubectl('get deploy,secrets')).stderr).toBe('No resources found in default namespace.\n')
  })
})

/** Two bridges share the work: there are two cores. */
async function replay(file: string, choice: ClusterChoice): Promise<{ passed: number; of: number }> {
  const cases = JSON.parse(read(`${file}.json`)).cases as GoldenCase[]
  const queue = cases.entries()
  const failures: string[] = []
  const families = new Map<string, [passed: number, of: number]>()
  const work = async (name: string): Promise<void> => {
    const opened = await open(name)
    for (const [i, testCase] of queue) {
      await opened.bridge.host.reset(choice)
      const problems = await runKubectlCase(testCase, {
        bridge: opened.bridge,
        kubectl: binaries().kubectl,
        kubeconfig: opened.kubeconfig,
        ns: `c-case-${i}`,
      })
      const family = testCase.name.split('/')[1] ?? ''
      const [passed, of] = families.get(family) ?? [0, 0]
      families.set(family, [passed + (problems.length === 0 ? 1 : 0), of + 1])
      if (problems.length > 0) failures.push(`${testCase.name}: ${problems[0]?.slice(0, 300)}`)
    }
    await opened.bridge.close()
  }
  await Promise.all([work('first'), work('second')])
  for (const failure of failures) console.log(`✗ ${failure}`)
  console.log([...families].map(([family, [n, of]]) => `${family} ${n}/${of}`).join(', '))
  return { passed: cases.length - failures.length, of: cases.length }
}

describe.runIf(binariesRun())('recorded kubectl', () => {
  const floor = JSON.parse(read('floor.json')) as { kubectl: number; cluster: number }

  it('prints what it printed against a real API server, in at least as many cases as before', async () => {
    const { passed, of } = await replay('kubectl', START)
    console.log(`truth: ${passed} of ${of} kubectl cases`)
    expect(passed).toBeGreaterThanOrEqual(floor.kubectl)
  }, 240_000)

  it('prints what it printed against real nodes, in at least as many cases as before', async () => {
    const { passed, of } = await replay('kubectl-cluster', { ...START, profile: 'cluster', nodes: 3 })
    console.log(`truth: ${passed} of ${of} kubectl cases on nodes`)
    expect(passed).toBeGreaterThanOrEqual(floor.cluster)
  }, 240_000)
})

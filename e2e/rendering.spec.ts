// The real page over a stand-in for the simulation's worker: 500 pods, 600 messages in flight, a new step ten times a second.
import { expect, test, type Page } from '@playwright/test'

interface Bench {
  push(changed: number, flights: number): void
  podRenders: number
  counting: boolean
}

const WORKERS = 20
const PODS = 500

/** Runs in the page before anything else. */
function standIn({ workers, pods }: { workers: number; pods: number }): void {
  const host = (name: string, role: string): object => ({
    type: 'host',
    id: `host:${name}`,
    name,
    role,
    ip: '10.0.0.1',
    status: 'ready',
    statusText: 'Ready',
    lines: [],
    schedulable: true,
    cpu: { used: 1, total: 4 },
    memory: { used: 1, total: 8 },
    podCount: pods / workers,
    podCapacity: 110,
  })
  const part = (component: string, on: string): object => ({
    type: 'component',
    id: `component:${component}/${on}`,
    process: `${component}/${on}`,
    component,
    name: component,
    parent: `host:${on}`,
    status: 'ready',
    lines: [],
    parts: [],
  })
  const pod = (i: number, status: string): object => ({
    type: 'pod',
    id: `pod:default/web-${i}`,
    name: `web-${i}`,
    ref: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name: `web-${i}` },
    parent: `host:node-${(i % workers) + 1}`,
    node: `node-${(i % workers) + 1}`,
    status,
    statusText: status,
    lines: [],
    ready: '1/1',
    restarts: 0,
    system: false,
    containers: [],
  })
  const names = Array.from({ length: workers }, (_, i) => `node-${i + 1}`)
  const scene = [
    { type: 'person', who: 'you', id: 'you', name: 'You', status: 'ready', lines: [] },
    { type: 'person', who: 'outside', id: 'outside', name: 'Outside', status: 'ready', lines: [] },
    host('control-plane', 'control-plane'),
    ...['etcd', 'kube-scheduler', 'kube-controller-manager', 'kube-apiserver', 'kubelet', 'containerd', 'kube-proxy'].map((c) =>
      part(c, 'control-plane'),
    ),
    ...names.flatMap((n) => [host(n, 'worker'), ...['kubelet', 'containerd', 'kube-proxy'].map((c) => part(c, n))]),
    ...Array.from({ length: pods }, (_, i) => pod(i, 'ready')),
  ]
  let listener: ((event: { data: unknown }) => void) | null = null
  let step = 0
  const flows = ['write', 'read', 'watch', 'data', 'control']
  const update = (reset: boolean, changed: number, flights: number): object => ({
    cursor: step,
    length: step,
    records: step,
    recordsKnown: step,
    now: step * 100,
    idleMs: 0,
    quiet: false,
    scene: {
      reset,
      changed: reset ? scene : Array.from({ length: changed }, (_, i) => pod((step * 7 + i) % pods, step % 2 ? 'progressing' : 'ready')),
      removed: [],
    },
    flights: Array.from({ length: flights }, (_, i) => ({
      message: step * 1000 + i,
      from: i % 3 ? `component:kubelet/node-${(i % workers) + 1}` : `pod:default/web-${i % pods}`,
      to: 'component:kube-apiserver/control-plane',
      flow: flows[i % flows.length],
      summary: 'm',
      outcome: i % 11 === 0 ? 'rejected' : i % 13 === 0 ? 'lost' : 'ok',
      sentAt: 0,
      arrivesAt: 1,
      record: step,
    })),
    caption: {
      record: step,
      at: step * 100,
      actor: 'kubelet',
      actorElement: `component:kubelet/node-${(step % workers) + 1}`,
      kind: 'x',
      title: `Step ${step}`,
      because: 'It is a measurement.',
      concept: { label: 'x', url: 'https://kubernetes.io/' },
    },
    timeline: {
      reset,
      marks: step === 0 ? [] : [{ record: step, lane: 'kubelets', from: step * 100, to: step * 100 + 50, tone: 'normal', label: 'm' }],
      end: step * 100,
    },
    branches: [{ id: 1, name: 'main', current: true, length: step, forkedAt: 0 }],
    position: { index: step, of: step },
  })
  const post = (data: unknown): void => void setTimeout(() => listener?.({ data }))
  const Real = window.Worker
  class StandIn {
    set onmessage(f: (event: { data: unknown }) => void) {
      listener = f
    }
    postMessage(message: { id: number; name: string }): void {
      if (message.name === 'open') post({ type: 'update', update: update(true, 0, 0) })
      const results: Record<string, unknown> = {
        step: { moved: false },
        inspect: null,
        check: { documents: [] },
        resources: [],
        list: { columns: [], rows: [] },
        traffic: { requests: [] },
        document: { spec: {}, seed: 1, inputs: [], index: 0 },
      }
      post({ type: 'answer', id: message.id, ok: true, result: Object.hasOwn(results, message.name) ? results[message.name] : {} })
    }
  }
  window.Worker = function (url: string, options?: WorkerOptions) {
    return options?.name === 'simulation' ? new StandIn() : new Real(url, options)
  } as unknown as typeof Worker
  const bench = {
    podRenders: 0,
    counting: false,
    push(changed: number, flights: number) {
      step++
      listener?.({ data: { type: 'update', update: update(false, changed, flights) } })
    },
  }
  // What React's developer tools use: which components did work in this commit.
  interface Fiber {
    readonly flags: number
    readonly child: Fiber | null
    readonly sibling: Fiber | null
    readonly alternate: Fiber | null
    readonly stateNode: { dataset?: DOMStringMap } | null
  }
  const PERFORMED_WORK = 1
  const visit = (next: Fiber): void => {
    if (next.flags & PERFORMED_WORK && next.child?.stateNode?.dataset?.element?.startsWith('pod:')) bench.podRenders++
    if (next.alternate && next.alternate.child === next.child) return
    for (let child = next.child; child; child = child.sibling) visit(child)
  }
  Object.assign(window, {
    bench,
    __REACT_DEVTOOLS_GLOBAL_HOOK__: {
      supportsFiber: true,
      renderers: new Map(),
      inject: () => 1,
      checkDCE: () => {},
      onCommitFiberUnmount: () => {},
      onPostCommitFiberRoot: () => {},
      onCommitFiberRoot: (_: number, root: { current: Fiber }) => bench.counting && visit(root.current),
    },
  })
}

async function openCrowd(page: Page): Promise<void> {
  // The editor loads at its own pace; it is not what is measured here.
  await page.addInitScript(() => localStorage.setItem('orrery.left-tab', 'traffic'))
  await page.addInitScript(standIn, { workers: WORKERS, pods: PODS })
  await page.goto('./')
  await expect(page.locator('[data-element^="pod:default/web-"]')).toHaveCount(PODS)
  await page.waitForTimeout(1000)
}

test('a step renders only the pods that it changed', async ({ page }) => {
  await openCrowd(page)
  const renders = await page.evaluate(async () => {
    const { bench } = window as unknown as { bench: Bench }
    bench.counting = true
    const counts: number[] = []
    for (const changed of [1, 1, 5]) {
      bench.podRenders = 0
      bench.push(changed, 0)
      await new Promise((resolve) => setTimeout(resolve, 300))
      counts.push(bench.podRenders)
    }
    return counts
  })
  expect(renders.every((n) => n > 0)).toBe(true)
  expect(renders[0]).toBeLessThanOrEqual(2)
  expect(renders[2]).toBeLessThanOrEqual(6)
})

// State → picture. Every number here is read from a component's own tables or from stored objects.
import { podStrategy } from '../sim/components/apiserver/registry/pod/strategy.ts'
import { quantityMilliValue, quantityValue } from '../sim/api/quantity.ts'
import type { Node, Pod } from '../sim/api/types/kubernetes.gen.ts'
import type { KubeObject } from '../sim/api/types/object.ts'
import type { HardState, SoftState } from '../sim/components/etcd/raft/types.ts'
import type { Meta } from '../sim/components/etcd/store/mvcc.ts'
import type { AttemptRecord } from '../sim/components/scheduler/explain.ts'
import { EPOCH_MS } from '../sim/engine/types.ts'
import type { TraceRecord } from '../sim/trace/record.ts'
import { elementOf } from './names.ts'
import { pipelineParts } from './pipeline.ts'
import type { ComponentElement, Flight, HostElement, PodElement, SceneElement, Status } from './scene.ts'
import type { World } from './world.ts'

/** Static pods are drawn as the component they run, not as pods. */
const STATIC = new Set(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'])
const INFRASTRUCTURE = new Set(['kube-system', 'kube-public', 'kube-node-lease'])
/** DaemonSet pods drawn as a chip of the machine. */
const CHIPS: Readonly<Record<string, ComponentElement['component']>> = { 'kube-proxy': 'kube-proxy' }

export function projectScene(world: World): SceneElement[] {
  const nodes = new Map(world.stored('nodes').map((n) => [n.metadata.name ?? '', n as unknown as Node]))
  const pods = world.stored('pods') as unknown as Pod[]
  const elements: SceneElement[] = [
    { type: 'person', who: 'you', id: 'you', name: 'You', status: 'ready', lines: ['kubectl'] },
    { type: 'person', who: 'outside', id: 'outside', name: 'Outside', status: 'ready', lines: ['http client'] },
  ]
  for (const host of world.hosts()) {
    if (host.role !== 'control-plane' && host.role !== 'worker') continue
    elements.push(hostElement(world, host.name, host.role, host.ip, host.up, nodes.get(host.name), pods))
    elements.push(...components(world, host.name, host.role, host.up, pods))
  }
  for (const pod of pods) {
    const element = podElement(pod, nodes)
    if (element) elements.push(element)
  }
  return elements
}

function hostElement(
  world: World,
  name: string,
  role: 'control-plane' | 'worker',
  ip: string,
  up: boolean,
  node: Node | undefined,
  pods: readonly Pod[],
): HostElement {
  const ready = node?.status?.conditions?.find((c) => c.type === 'Ready')?.status
  const status: Status = !up ? 'stopped' : ready === 'True' ? 'ready' : ready === 'Unknown' ? 'unknown' : node ? 'failed' : 'progressing'
  const statusText = !up
    ? 'powered off'
    : ready === 'True'
      ? node?.spec?.unschedulable
        ? 'Ready, cordoned'
        : 'Ready'
      : ready === 'Unknown'
        ? 'NotReady'
        : node
          ? 'NotReady'
          : 'not registered'
  const allocatable = node?.status?.allocatable ?? {}
  const own = pods.filter((p) => p.spec?.nodeName === name && p.status?.phase !== 'Succeeded' && p.status?.phase !== 'Failed')
  let cpu = 0
  let memory = 0
  for (const pod of own) {
    const sum = requestsOf(pod)
    cpu += sum.cpuMilli
    memory += sum.memory
  }
  const cut = world.hosts().filter((h) => h.name !== name && world.link(name, h.name).cut)
  return {
    type: 'host',
    id: `host:${name}`,
    name,
    role,
    ip,
    status,
    statusText,
    lines: cut.length > 0 ? [`link cut to ${cut.map((h) => h.name).join(', ')}`] : [],
    schedulable: !node?.spec?.unschedulable,
    cpu: { used: cpu / 1000, total: allocatable.cpu ? quantityMilliValue(allocatable.cpu) / 1000 : 0 },
    memory: { used: memory, total: allocatable.memory ? quantityValue(allocatable.memory) : 0 },
    podCount: own.length,
    podCapacity: Number(allocatable.pods ?? 0),
  }
}

const requests = new WeakMap<object, { cpuMilli: number; memory: number }>()
/** Sum of the containers' requests; init containers count by the largest (KEP-753 sidecars are added by the scheduler's own rule). */
export function requestsOf(pod: Pod): { cpuMilli: number; memory: number } {
  const known = requests.get(pod)
  if (known) return known
  let cpuMilli = 0
  let memory = 0
  for (const c of pod.spec?.containers ?? []) {
    const { cpu, memory: mem } = (c.resources?.requests ?? {}) as { cpu?: string; memory?: string }
    if (cpu !== undefined) cpuMilli += quantityMilliValue(cpu)
    if (mem !== undefined) memory += quantityValue(mem)
  }
  const sum = { cpuMilli, memory }
  requests.set(pod, sum)
  return sum
}

function processStatus(world: World, id: string, up: boolean): Status {
  const process = world.process(id)
  return !up ? 'stopped' : process?.running ? 'ready' : process ? 'stopped' : 'progressing'
}

function components(world: World, host: string, role: 'control-plane' | 'worker', up: boolean, pods: readonly Pod[]): ComponentElement[] {
  const base = (component: ComponentElement['component'], name: string = component): ComponentElement => ({
    type: 'component',
    id: `component:${component}/${host}`,
    process: `${component}/${host}`,
    component,
    name,
    parent: `host:${host}`,
    status: processStatus(world, `${component}/${host}`, up),
    lines: [],
    parts: [],
  })
  const out: ComponentElement[] = [base('kubelet'), base('containerd')]
  const proxyPod = pods.find((p) => p.spec?.nodeName === host && p.metadata.labels?.['k8s-app'] === 'kube-proxy')
  const proxy = base('kube-proxy')
  out.push(
    proxyPod || world.process(proxy.process)
      ? { ...proxy, status: world.process(proxy.process)?.running ? 'ready' : up ? 'progressing' : 'stopped' }
      : proxy,
  )
  if (role === 'worker') return out
  return [
    ...out,
    etcd(world, base('etcd')),
    scheduler(world, base('kube-scheduler')),
    controllerManager(world, base('kube-controller-manager')),
    apiserver(world, base('kube-apiserver')),
  ]
}

function etcd(world: World, element: ComponentElement): ComponentElement {
  const soft = world.table<SoftState>(element.process, 'soft').get('state')
  const hard = world.table<HardState>(element.process, 'hard').get('state')
  const meta = world.table<Meta>(element.process, 'meta').get('meta')
  if (element.status !== 'ready' || !soft || !hard) return { ...element, lines: ['not running'] }
  return {
    ...element,
    status: soft.role === 'leader' || soft.leader ? 'ready' : 'failed',
    lines: [`${soft.role} · term ${hard.term}`, `revision ${meta?.revision ?? 1}`, `log ${hard.commit} of ${hard.lastIndex} committed`],
  }
}

function scheduler(world: World, element: ComponentElement): ComponentElement {
  if (element.status !== 'ready') return { ...element, lines: ['not running'] }
  const size = (queue: string): number => world.table(element.process, `queue/${queue}`).size
  const lines = [`active ${size('active')} · backoff ${size('backoff')}`, `unschedulable ${size('unschedulable')}`]
  const last = lastAttempt(world, element.process)
  const parts = last
    ? last.scored
        .map((s) => ({ name: s.node, state: s.node === last.node ? ('done' as const) : ('idle' as const), value: s.total }))
        .sort((a, b) => b.value - a.value)
    : []
  return { ...element, lines, parts: parts.slice(0, 3) }
}

/** The attempt that the trace shows last. */
export function lastAttempt(world: World, process: string): AttemptRecord | undefined {
  const attempts = world.table<AttemptRecord>(process, 'attempts')
  for (let i = world.records.length - 1; i >= Math.max(0, world.records.length - 3000); i--) {
    const record = world.records[i] as TraceRecord
    if (record.kind !== 'scheduler.pod.assumed' && record.kind !== 'scheduler.pod.unschedulable' && record.kind !== 'scheduler.pod.bound')
      continue
    const found = attempts.get((record.data as { pod: string }).pod)
    if (found) return found
  }
  return undefined
}

/** Controllers that the picture names; all of them are in the inspector. */
const SHOWN = [
  'deployment',
  'replicaset',
  'daemonset',
  'endpointslice',
  'endpoint',
  'node-lifecycle',
  'taint-eviction',
  'garbage-collector',
  'namespace',
  'serviceaccount',
]

function controllerManager(world: World, element: ComponentElement): ComponentElement {
  if (element.status !== 'ready') return { ...element, lines: ['not running'] }
  const busy = busyControllers(world)
  return {
    ...element,
    parts: SHOWN.map((name) => ({
      name,
      state: [...busy].some((b) => b === name || b === `${name}-controller`) ? ('busy' as const) : ('idle' as const),
    })),
  }
}

/** Controllers with a reconcile under way at the cursor: started in the last records and not finished since. */
function busyControllers(world: World): Set<string> {
  const busy = new Set<string>()
  const finished = new Set<string>()
  for (let i = world.records.length - 1; i >= Math.max(0, world.records.length - 120); i--) {
    const record = world.records[i] as TraceRecord
    if (!record.kind.startsWith('controller.reconcile.')) continue
    const { controller, key } = record.data as { controller: string; key: string }
    const id = `${controller} ${key}`
    if (record.kind === 'controller.reconcile.finished') finished.add(id)
    else if (!finished.has(id)) busy.add(controller)
  }
  return busy
}

function apiserver(world: World, element: ComponentElement): ComponentElement {
  if (element.status !== 'ready') return { ...element, lines: ['not running'], parts: [] }
  const watches = world.table(element.process, 'watchers').size
  return { ...element, lines: [`:6443 · ${watches} watches open`], parts: pipelineParts(world, element.process) }
}

function podElement(pod: Pod, nodes: ReadonlyMap<string, Node>): PodElement | undefined {
  const { namespace = '', name = '' } = pod.metadata
  const labels = pod.metadata.labels ?? {}
  if (namespace === 'kube-system' && (STATIC.has(labels.component ?? '') || CHIPS[labels['k8s-app'] ?? ''])) return undefined
  const cells = podCells(pod as unknown as KubeObject)
  const node = pod.spec?.nodeName
  return {
    type: 'pod',
    id: `pod:${namespace}/${name}`,
    name,
    ref: { apiVersion: 'v1', kind: 'Pod', namespace, name, ...(pod.metadata.uid ? { uid: pod.metadata.uid } : {}) },
    status: podStatus(pod, cells.status),
    statusText:
      node === undefined && cells.status === 'Pending' && pod.status?.conditions?.some((c) => c.reason === 'Unschedulable')
        ? 'Unschedulable'
        : cells.status,
    lines: [],
    ...(node !== undefined && nodes.has(node) ? { parent: `host:${node}` } : {}),
    node,
    ready: cells.ready,
    restarts: cells.restarts,
    system: INFRASTRUCTURE.has(namespace),
    containers: (pod.status?.containerStatuses ?? []).map((c) => ({
      name: c.name,
      state: c.state?.running ? 'running' : c.state?.terminated ? 'terminated' : 'waiting',
      ready: c.ready,
    })),
  }
}

/** kubectl's own columns, so that the picture and the table never disagree. */
export function podCells(pod: KubeObject, nowMs = EPOCH_MS): { ready: string; status: string; restarts: number } {
  const cells = podStrategy.row(pod, nowMs)
  const cell = (name: string): string => String(cells[podStrategy.columns.findIndex((c) => c.name === name)] ?? '')
  return { ready: cell('Ready'), status: cell('Status'), restarts: Number.parseInt(cell('Restarts'), 10) || 0 }
}

function podStatus(pod: Pod, text: string): Status {
  if (pod.metadata.deletionTimestamp) return 'terminating'
  if (text === 'Unknown' || pod.status?.reason === 'NodeLost') return 'unknown'
  if (text === 'Completed' || pod.status?.phase === 'Succeeded') return 'completed'
  if (/Error|CrashLoop|BackOff|Invalid|OOMKilled|Evicted|OutOf|Failed|Unexpected/i.test(text) || pod.status?.phase === 'Failed')
    return 'failed'
  const unschedulable = pod.status?.conditions?.some((c) => c.type === 'PodScheduled' && c.reason === 'Unschedulable')
  if (unschedulable && !pod.spec?.nodeName) return 'failed'
  if (pod.status?.phase === 'Running' && pod.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')) return 'ready'
  return 'progressing'
}

/** Messages of the present step: those that it sent, or the one the step is about. */
export function flightsOf(world: World, from: number, focus: number): Flight[] {
  const out: Flight[] = []
  const seen = new Set<number>()
  const take = (record: TraceRecord | undefined): void => {
    if (record?.kind !== 'net.message.sent' || seen.has(record.seq)) return
    if (record.background && record.seq !== focus) return
    const data = record.data as {
      message: number
      from: string
      to: string
      flow: Flight['flow']
      summary: string
      arrivesAt: number
      ok?: boolean
    }
    const [a, b] = [elementOf(data.from), elementOf(data.to)]
    if (a === b) return
    seen.add(record.seq)
    out.push({
      message: data.message,
      from: a,
      to: b,
      flow: data.flow,
      summary: data.summary,
      outcome: data.ok === false ? 'rejected' : data.arrivesAt > world.now ? 'under way' : 'ok',
      sentAt: record.at,
      arrivesAt: data.arrivesAt,
      record: record.seq,
    })
  }
  const about = world.records[focus - 1]
  take(about)
  // What else left at the same instant plays together with it.
  if (about)
    for (let i = focus; i < Math.min(world.records.length, focus + 40); i++) if (world.records[i]?.at === about.at) take(world.records[i])
  const lost = new Set<number>()
  for (let i = Math.max(0, from); i < world.records.length; i++) {
    const record = world.records[i] as TraceRecord
    if (record.kind === 'net.message.lost') lost.add((record.data as { message: number }).message)
  }
  if (about?.kind === 'net.message.lost') {
    const data = about.data as { message: number; from: string; to: string; summary: string }
    out.push({
      message: data.message,
      from: elementOf(data.from),
      to: elementOf(data.to),
      flow: 'control',
      summary: data.summary,
      outcome: 'lost',
      sentAt: about.at,
      arrivesAt: about.at,
      record: about.seq,
    })
  }
  if (about?.kind === 'packet.routed' || about?.kind === 'packet.sent' || about?.kind === 'request.answered') {
    const data = about.data as { from?: string; to?: string; what?: string; status?: number }
    if (data.from && data.to)
      out.push({
        message: -about.seq,
        from: place(data.from),
        to: place(data.to),
        flow: 'data',
        summary: data.what ?? 'packet',
        outcome: 'ok',
        sentAt: about.at,
        arrivesAt: about.at,
        record: about.seq,
      })
  }
  return out.slice(0, 600).map((f) => (lost.has(f.message) ? { ...f, outcome: 'lost' as const } : f))
}

const place = (at: string): string =>
  at.includes(':') ? at : at.includes('/') ? `pod:${at}` : at === 'outside' || at === 'you' ? at : `host:${at}`

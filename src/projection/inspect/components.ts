// The insides of components, read from their own tables.
import type { HardState, LogEntry, Progress, SoftState } from '../../sim/components/etcd/raft/types.ts'
import { describe } from '../../sim/components/etcd/raft/log.ts'
import type { Meta } from '../../sim/components/etcd/store/mvcc.ts'
import type { AuditEvent } from '../../sim/components/apiserver/audit.ts'
import type { AttemptRecord } from '../../sim/components/scheduler/explain.ts'
import type { TraceRecord } from '../../sim/trace/record.ts'
import { CONCEPTS } from '../explain/concepts.ts'
import { explain } from '../explain/index.ts'
import type { Block, Cell, InspectorTab, InspectorView } from '../inspect.ts'
import { currentRequest } from '../pipeline.ts'
import { lastAttempt, podCells } from '../project.ts'
import type { ComponentElement } from '../scene.ts'
import type { World } from '../world.ts'
import { attemptBlocks } from './scheduling.ts'

const ABOUT: Readonly<Record<ComponentElement['component'], { text: string; concept: keyof typeof CONCEPTS }>> = {
  etcd: {
    text: 'Keeps every object of the cluster, safely: a write counts once a majority of members has it on disk. Only the API server talks to it.',
    concept: 'etcd',
  },
  'kube-apiserver': {
    text: 'The door that everything meets at. It asks who you are, whether you may, and whether what you send is right; then it stores it in etcd and tells everyone who watches.',
    concept: 'api',
  },
  'kube-scheduler': {
    text: 'Watches for pods without a node, finds the nodes that can take each, scores them and writes a Binding. It never talks to kubelets.',
    concept: 'scheduler',
  },
  'kube-controller-manager': {
    text: 'Many small loops in one process. Each compares what should be with what is, and asks the API server for the difference.',
    concept: 'controllers',
  },
  kubelet: {
    text: 'Keeps the pods of its node running: watches the API server for them, tells the container runtime what to do, probes, restarts, and reports.',
    concept: 'components',
  },
  containerd: {
    text: 'The container runtime: pulls images, makes sandboxes, starts and stops containers when the kubelet asks (CRI).',
    concept: 'runtime',
  },
  'kube-proxy': {
    text: 'Writes rules into the kernel of its node so that Service addresses lead to pods. It carries no traffic itself.',
    concept: 'proxies',
  },
  coredns: { text: 'Answers the names of Services and pods.', concept: 'dns' },
  cni: { text: 'Gives pods their addresses and connects them.', concept: 'cni' },
}

/** Rows of a long list that are shown. */
const ROWS = 40

export function componentView(world: World, element: ComponentElement): InspectorView {
  const about = ABOUT[element.component]
  const process = world.process(element.process)
  const inside = INSIDES[element.component]?.(world, element) ?? []
  const [first, ...others] = inside.length > 0 ? inside : [{ id: 'overview' as const, label: 'Overview', blocks: [] }]
  const facts: Block = {
    type: 'facts',
    facts: [
      {
        name: 'Process',
        value: process ? (process.running ? `running, start number ${process.incarnation}` : 'not running') : 'not started',
      },
      {
        name: 'Machine',
        value: element.parent?.replace('host:', '') ?? '',
        ...(element.parent ? { link: { to: 'element' as const, id: element.parent } } : {}),
      },
    ],
  }
  return {
    id: element.id,
    title: element.name,
    kind: element.parent?.replace('host:', '') ?? '',
    badges:
      element.status === 'ready'
        ? isLeader(world, element)
          ? [{ text: 'leader', tone: 'good' }]
          : []
        : [{ text: element.status, tone: 'bad' }],
    about: about.text,
    concept: CONCEPTS[about.concept],
    tabs: [
      { ...(first as InspectorTab), blocks: [...(first as InspectorTab).blocks, { type: 'heading', text: 'Process' }, facts] },
      ...others,
      { id: 'history', label: 'Lately', blocks: [lately(world, element)] },
    ],
  }
}

function isLeader(world: World, element: ComponentElement): boolean {
  if (element.component === 'etcd') return world.table<SoftState>(element.process, 'soft').get('state')?.role === 'leader'
  if (element.component !== 'kube-scheduler' && element.component !== 'kube-controller-manager') return false
  const lease = world.get('leases.coordination.k8s.io', 'kube-system', element.component)
  return typeof lease?.spec?.holderIdentity === 'string' && lease.spec.holderIdentity.startsWith(`${element.process.split('/')[1]}_`)
}

/** What the component did last, each line a link to its moment. */
function lately(world: World, element: ComponentElement): Block {
  const links = []
  for (let i = world.records.length - 1; i >= 0 && links.length < 25; i--) {
    const record = world.records[i] as TraceRecord
    if (record.actor !== element.process || record.background || record.level === 'wire') continue
    links.push({ label: explain(record, world).title, detail: `step ${record.seq}`, link: { to: 'record' as const, record: record.seq } })
  }
  return links.length > 0 ? { type: 'links', links } : { type: 'text', text: 'It has done nothing but periodic work.' }
}

type Inside = (world: World, element: ComponentElement) => InspectorTab[]

const INSIDES: Partial<Record<ComponentElement['component'], Inside>> = {
  etcd: (world, element) => {
    const members = world.processes().filter((p) => p.type === 'etcd')
    const rows = members.map(({ id, running }): Cell[] => {
      const hard = world.table<HardState>(id, 'hard').get('state')
      const soft = running ? world.table<SoftState>(id, 'soft').get('state') : undefined
      const meta = world.table<Meta>(id, 'meta').get('meta')
      return [
        { text: id.replace('etcd/', ''), ...(id === element.process ? {} : { link: { to: 'element' as const, id: `component:${id}` } }) },
        { text: soft?.role ?? 'stopped', tone: soft?.role === 'leader' ? 'busy' : soft ? 'plain' : 'bad' },
        { text: String(hard?.term ?? 0) },
        { text: `${hard?.commit ?? 0} / ${hard?.lastIndex ?? 0}` },
        { text: String(meta?.revision ?? 1) },
      ]
    })
    const log = world.table<LogEntry>(element.process, 'log')
    const commit = world.table<HardState>(element.process, 'hard').get('state')?.commit ?? 0
    const keys = log.keys().slice(-ROWS).reverse()
    const progress = world.table<Progress>(element.process, 'progress')
    const majority = Math.floor(members.length / 2) + 1
    return [
      {
        id: 'overview',
        label: 'Overview',
        blocks: [
          { type: 'table', caption: 'Members', columns: ['Member', 'Role', 'Term', 'Committed / last', 'Revision'], rows },
          {
            type: 'text',
            text: `${members.length} ${members.length === 1 ? 'member' : 'members'}: a majority is ${majority}, so ${members.length - majority} may fail.`,
          },
          ...(progress.size > 0
            ? [
                {
                  type: 'table' as const,
                  caption: 'What the leader knows of the others',
                  columns: ['Member', 'Has', 'Next'],
                  rows: progress
                    .entries()
                    .map(([id, p]) => [{ text: id.replace('etcd/', '') }, { text: String(p.match) }, { text: String(p.next) }]),
                },
              ]
            : []),
        ],
      },
      {
        id: 'inside',
        label: 'Log',
        blocks: [
          {
            type: 'table',
            caption: `The newest ${keys.length} entries`,
            columns: ['Index', 'Term', 'What', ''],
            rows: keys.map((k) => {
              const entry = log.get(k) as LogEntry
              return [
                { text: String(entry.index) },
                { text: String(entry.term) },
                { text: describe(entry.data).replace('/registry/', '') },
                entry.index <= commit ? { text: 'committed', tone: 'good' as const } : { text: 'not yet', tone: 'busy' as const },
              ]
            }),
          },
        ],
      },
    ]
  },
  'kube-apiserver': (world, element) => {
    const request = currentRequest(world, element.process)
    const received = request?.records.find((r) => r.kind === 'apiserver.request.received')?.data as
      | { method: string; path: string }
      | undefined
    const audit = world.table<AuditEvent>(element.process, 'audit')
    const entries = audit
      .keys()
      .slice(-ROWS * 2)
      .reverse()
      .map((k) => audit.get(k) as AuditEvent)
    const watchers = world.table<{ id?: string; resource?: string; fieldSelector?: unknown; user?: { name?: string } }>(
      element.process,
      'watchers',
    )
    const byResource = new Map<string, number>()
    for (const w of watchers.values()) {
      const name = String(w.id ?? w.resource ?? '?')
      byResource.set(name, (byResource.get(name) ?? 0) + 1)
    }
    const levels = new Map<string, number>()
    for (let i = world.records.length - 1; i >= Math.max(0, world.records.length - 4000); i--) {
      const record = world.records[i] as TraceRecord
      if (record.kind === 'apiserver.flow.classified' && record.actor === element.process) {
        const level = (record.data as { priorityLevel: string }).priorityLevel
        levels.set(level, (levels.get(level) ?? 0) + 1)
      }
    }
    const blocks: Block[] = []
    if (request && received) {
      blocks.push({ type: 'heading', text: 'The newest request' }, { type: 'text', text: `${received.method} ${received.path}` })
      blocks.push({
        type: 'links',
        links: request.records.map((r) => ({
          label: explain(r, world).title,
          detail: explain(r, world).because,
          link: { to: 'record' as const, record: r.seq },
        })),
      })
    }
    return [
      { id: 'overview', label: 'Overview', blocks },
      {
        id: 'requests',
        label: 'Who asked what',
        blocks: [
          {
            type: 'table',
            caption: 'Audit log, newest first',
            columns: ['Who', 'Verb', 'What', 'Code'],
            rows: entries.map((e) => [
              { text: e.user.username.replace('system:serviceaccount:kube-system:', '').replace('system:', '') },
              { text: e.verb },
              {
                text: e.objectRef
                  ? `${e.objectRef.resource}${e.objectRef.subresource ? `/${e.objectRef.subresource}` : ''} ${e.objectRef.name ?? ''}`
                  : (e.requestURI.split('?')[0] ?? ''),
              },
              { text: String(e.responseStatus.code), tone: e.responseStatus.code < 300 ? 'good' : 'bad' },
            ]),
          },
        ],
      },
      {
        id: 'inside',
        label: 'Watches',
        blocks: [
          {
            type: 'table',
            caption: 'Open watches',
            columns: ['Resource', 'Watchers'],
            rows: [...byResource].sort(([a], [b]) => (a < b ? -1 : 1)).map(([r, n]) => [{ text: r }, { text: String(n) }]),
          },
          {
            type: 'table',
            caption: 'Priority levels of the last requests',
            columns: ['Level', 'Requests'],
            rows: [...levels].sort(([, a], [, b]) => b - a).map(([l, n]) => [{ text: l }, { text: String(n) }]),
          },
        ],
      },
    ]
  },
  'kube-scheduler': (world, element) => {
    const queues = ['active', 'backoff', 'unschedulable'] as const
    const chips = queues.map((q) => ({
      text: `${q} ${world.table(element.process, `queue/${q}`).size}`,
      tone: q === 'active' && world.table(element.process, `queue/${q}`).size > 0 ? ('busy' as const) : ('plain' as const),
    }))
    const waiting = world.table<{ key: string; queue: string; attempts: number; unschedulablePlugins: readonly string[] }>(
      element.process,
      'queue/pods',
    )
    const attempts = world.table<AttemptRecord>(element.process, 'attempts')
    const last = lastAttempt(world, element.process)
    const blocks: Block[] = [
      { type: 'heading', text: 'Queues' },
      { type: 'chips', chips },
    ]
    if (waiting.size > 0)
      blocks.push({
        type: 'table',
        caption: 'Pods in the queues',
        columns: ['Pod', 'Queue', 'Attempts', 'Held by'],
        rows: waiting
          .values()
          .slice(0, ROWS)
          .map((p) => [{ text: p.key }, { text: p.queue }, { text: String(p.attempts) }, { text: p.unschedulablePlugins.join(', ') }]),
      })
    if (last) blocks.push({ type: 'heading', text: 'Last attempt' }, ...attemptBlocks(last))
    return [
      { id: 'overview', label: 'Overview', blocks },
      { id: 'inside', label: 'Attempts', blocks: attempts.values().slice(-8).reverse().flatMap(attemptBlocks) },
    ]
  },
  'kube-controller-manager': (world, element) => {
    const queues = world.queueNames(element.process)
    const rows = queues.map((name): Cell[] => {
      const items = world.table<{ dirty: boolean; processing: boolean }>(element.process, `queue/${name}`)
      const busy = items.values().filter((i) => i.processing).length
      const delayed = world.table(element.process, `queue-delayed/${name}`).size
      return [
        { text: name.replace(/-controller$/, ''), ...(busy > 0 ? { tone: 'busy' as const } : {}) },
        { text: String(items.size - busy) },
        { text: String(busy) },
        { text: String(delayed) },
      ]
    })
    return [
      {
        id: 'overview',
        label: 'Overview',
        blocks: [{ type: 'table', caption: 'Controllers and their queues', columns: ['Controller', 'Waiting', 'At work', 'Later'], rows }],
      },
    ]
  },
  kubelet: (world, element) => {
    const node = element.process.split('/')[1]
    const pods = world.stored('pods').filter((p) => p.spec?.nodeName === node)
    const probes: Cell[][] = []
    for (let i = world.records.length - 1; i >= Math.max(0, world.records.length - 6000) && probes.length < 12; i--) {
      const record = world.records[i] as TraceRecord
      if (record.kind !== 'probe.result' || record.actor !== element.process) continue
      const data = record.data as { container: string; probe: string; result: string; output: string }
      probes.push([
        { text: record.subject?.name ?? '' },
        { text: `${data.probe} of ${data.container}` },
        { text: data.result, tone: data.result === 'success' ? 'good' : 'bad', link: { to: 'record', record: record.seq } },
      ])
    }
    return [
      {
        id: 'overview',
        label: 'Overview',
        blocks: [
          {
            type: 'table',
            caption: 'Its pods',
            columns: ['Pod', 'Ready', 'Status', 'Restarts'],
            rows: pods.map((p) => [
              {
                text: p.metadata.name ?? '',
                link: {
                  to: 'object',
                  ref: { apiVersion: 'v1', kind: 'Pod', namespace: p.metadata.namespace ?? '', name: p.metadata.name ?? '' },
                },
              },
              { text: podCells(p).ready },
              { text: podCells(p).status },
              { text: String(podCells(p).restarts) },
            ]),
          },
          ...(probes.length > 0
            ? [{ type: 'table' as const, caption: 'Last probes', columns: ['Pod', 'Probe', 'Result'], rows: probes }]
            : []),
        ],
      },
    ]
  },
  'kube-proxy': (world, element) => {
    const text = world.table<string>(element.process, 'rules').get('text') ?? ''
    return [
      {
        id: 'overview',
        label: 'Overview',
        blocks: text
          ? [
              { type: 'heading', text: 'Rules it wrote' },
              { type: 'code', language: 'text', text },
            ]
          : [{ type: 'text', text: 'It has written no rules yet.' }],
      },
    ]
  },
}

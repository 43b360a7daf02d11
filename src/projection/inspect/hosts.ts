import { EPOCH_MS } from '../../sim/engine/types.ts'
import { podCells } from '../project.ts'
import type { Block, InspectorView } from '../inspect.ts'
import type { HostElement, PersonElement } from '../scene.ts'
import type { World } from '../world.ts'
import { CONCEPTS } from '../explain/concepts.ts'
import { eventsBlock, historyBlocks, metadataFacts } from './objects.ts'
import { toYaml } from './yaml.ts'

const number = (n: number): string => String(Math.round(n * 100) / 100)

export function hostView(world: World, host: HostElement): InspectorView {
  const node = world.get('nodes', undefined, host.name)
  const pods = world.stored('pods').filter((p) => p.spec?.nodeName === host.name)
  const lease = world.get('leases.coordination.k8s.io', 'kube-node-lease', host.name)
  const renewed = lease?.spec?.renewTime ? Date.parse(lease.spec.renewTime as string) - EPOCH_MS : undefined
  const blocks: Block[] = [
    {
      type: 'facts',
      facts: [
        { name: 'Address', value: host.ip },
        { name: 'Role', value: host.role },
        { name: 'Schedulable', value: host.schedulable ? 'yes' : 'no (cordoned)' },
        { name: 'Pods', value: `${host.podCount} of ${host.podCapacity}` },
        ...(renewed === undefined
          ? []
          : [{ name: 'Last sign of life', value: `${number((world.now - renewed) / 1000)} s ago (its Lease)` }]),
        ...((node?.spec?.taints as { key: string; value?: string; effect: string }[] | undefined) ?? []).map((t) => ({
          name: 'Taint',
          value: `${t.key}${t.value ? `=${t.value}` : ''}:${t.effect}`,
        })),
      ],
    },
    {
      type: 'bars',
      bars: [
        { name: 'CPU requested', value: host.cpu.used, max: host.cpu.total, text: `${number(host.cpu.used)} of ${number(host.cpu.total)}` },
        {
          name: 'Memory requested',
          value: host.memory.used,
          max: host.memory.total,
          text: `${number(host.memory.used / 2 ** 30)} of ${number(host.memory.total / 2 ** 30)} Gi`,
        },
      ],
    },
    {
      type: 'table',
      caption: 'Pods on this machine',
      columns: ['Pod', 'Ready', 'Status'],
      rows: pods.map((p) => {
        const cells = podCells(p)
        return [
          {
            text: p.metadata.name ?? '',
            link: {
              to: 'object' as const,
              ref: { apiVersion: 'v1', kind: 'Pod', namespace: p.metadata.namespace ?? '', name: p.metadata.name ?? '' },
            },
          },
          { text: cells.ready },
          { text: cells.status },
        ]
      }),
    },
  ]
  const conditions = (node?.status?.conditions as { type: string; status: string; reason?: string; message?: string }[] | undefined) ?? []
  if (conditions.length > 0)
    blocks.push({
      type: 'table',
      caption: 'Conditions',
      columns: ['Type', 'Status', 'Reason'],
      rows: conditions.map((c) => [
        { text: c.type },
        { text: c.status, tone: (c.type === 'Ready') === (c.status === 'True') ? 'good' : 'bad' },
        { text: c.reason ?? '' },
      ]),
    })
  return {
    id: host.id,
    title: host.name,
    kind: host.role === 'control-plane' ? 'control-plane node' : 'worker node',
    badges: [{ text: host.statusText, tone: host.status === 'ready' ? 'good' : host.status === 'progressing' ? 'busy' : 'bad' }],
    about:
      host.role === 'control-plane'
        ? 'A machine that runs the control plane: the API server, etcd, the scheduler and the controllers. A taint keeps ordinary pods away.'
        : 'A machine that runs pods. Its kubelet watches the API server for pods bound to it and keeps their containers running.',
    concept: CONCEPTS.nodes,
    tabs: [
      { id: 'overview', label: 'Overview', blocks },
      ...(node
        ? [{ id: 'yaml' as const, label: 'YAML', blocks: [{ type: 'code' as const, language: 'yaml' as const, text: toYaml(node) }] }]
        : []),
      ...(node ? [{ id: 'events' as const, label: 'Events', blocks: [eventsBlock(world, node)] }] : []),
      ...(node
        ? [
            {
              id: 'history' as const,
              label: 'History',
              blocks: [{ type: 'facts' as const, facts: metadataFacts(node) }, ...historyBlocks(world, node)],
            },
          ]
        : []),
    ],
  }
}

export function personView(world: World, person: PersonElement): InspectorView {
  const inputs = world.records.filter((r) => r.kind === 'visitor.input')
  return {
    id: person.id,
    title: person.name,
    kind: person.who === 'you' ? 'kubectl' : 'http client',
    badges: [],
    about:
      person.who === 'you'
        ? 'You, at a computer with kubectl and the administrator’s certificate. Everything you ask goes to the API server, as from any other client.'
        : 'Somebody outside the cluster. They reach pods only through a NodePort or a load balancer.',
    concept: CONCEPTS.communication,
    tabs: [
      {
        id: 'overview',
        label: 'Overview',
        blocks: [
          { type: 'heading', text: 'What you did' },
          inputs.length === 0
            ? { type: 'text', text: 'Nothing yet. Apply a manifest from the left.' }
            : {
                type: 'links',
                links: inputs.map((r) => ({
                  label: (r.data as { summary: string }).summary,
                  detail: `step ${r.seq}`,
                  link: { to: 'record' as const, record: r.seq },
                })),
              },
        ],
      },
    ],
  }
}

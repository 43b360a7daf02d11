import type { KubeObject, ObjectRef } from '../../sim/api/types/object.ts'
import { EPOCH_MS } from '../../sim/engine/types.ts'
import type { WatchEvent } from '../../sim/components/etcd/types.ts'
import type { AttemptRecord } from '../../sim/components/scheduler/explain.ts'
import type { TraceRecord } from '../../sim/trace/record.ts'
import type { Block, Cell, InspectorView, Link } from '../inspect.ts'
import { CONCEPTS } from '../explain/concepts.ts'
import { actorName } from '../names.ts'
import { podCells } from '../project.ts'
import type { World } from '../world.ts'
import { attemptBlocks } from './scheduling.ts'
import { toYaml } from './yaml.ts'

const ABOUT: Readonly<Record<string, { readonly text: string; readonly concept: keyof typeof CONCEPTS }>> = {
  Pod: { text: 'One or more containers that share a network address, volumes and fate, on one node.', concept: 'pods' },
  Deployment: {
    text: 'A wish for a number of equal pods. Its controller makes a ReplicaSet for every version of the template and moves replicas from the old to the new.',
    concept: 'deployment',
  },
  ReplicaSet: { text: 'Keeps a number of equal pods alive: creates what is missing, deletes what is too many.', concept: 'controllers' },
  Service: {
    text: 'One stable address for changing pods. Nothing listens there: rules on every node rewrite the destination.',
    concept: 'services',
  },
  EndpointSlice: { text: 'The addresses behind a Service, kept by a controller, read by kube-proxy on every node.', concept: 'slices' },
  Node: { text: 'A machine as the API server knows it.', concept: 'nodes' },
  DaemonSet: { text: 'One pod on every node that matches.', concept: 'controllers' },
  ConfigMap: { text: 'Settings that pods read as variables or files. It lives in etcd.', concept: 'etcd' },
  Secret: { text: 'Like a ConfigMap, for what should not be shown around.', concept: 'etcd' },
}
const DEFAULT_ABOUT = {
  text: 'An object of the Kubernetes API: what should be (spec) and what is (status).',
  concept: 'validation',
} as const

export function refOf(object: KubeObject): ObjectRef {
  const { namespace, name = '', uid } = object.metadata
  return { apiVersion: object.apiVersion, kind: object.kind, ...(namespace ? { namespace } : {}), name, ...(uid ? { uid } : {}) }
}

const linkTo = (object: KubeObject): Link => ({ to: 'object', ref: refOf(object) })

export function objectView(world: World, object: KubeObject): InspectorView {
  const about = Object.hasOwn(ABOUT, object.kind) ? (ABOUT[object.kind] as (typeof ABOUT)[string]) : DEFAULT_ABOUT
  const status = statusBadge(object)
  return {
    id: `${object.kind}/${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}`,
    title: object.metadata.name ?? '',
    kind: object.kind,
    badges: [...(status ? [status] : []), ...(object.metadata.deletionTimestamp ? [{ text: 'being deleted', tone: 'busy' as const }] : [])],
    about: about.text,
    concept: CONCEPTS[about.concept],
    tabs: [
      { id: 'overview', label: 'Overview', blocks: overview(world, object) },
      { id: 'yaml', label: 'YAML', blocks: [{ type: 'code', language: 'yaml', text: toYaml(object) }] },
      { id: 'events', label: 'Events', blocks: [eventsBlock(world, object)] },
      { id: 'relations', label: 'Relations', blocks: relationBlocks(world, object) },
      { id: 'history', label: 'History', blocks: historyBlocks(world, object) },
    ],
  }
}

function statusBadge(object: KubeObject): InspectorView['badges'][number] | undefined {
  if (object.kind === 'Pod') {
    const { status, ready } = podCells(object)
    const [have, want] = ready.split('/')
    return {
      text: `${status} ${ready}`,
      tone: /Error|BackOff|Failed|Invalid|OOM/.test(status) ? 'bad' : status === 'Running' && have === want ? 'good' : 'busy',
    }
  }
  const { replicas, readyReplicas } = (object.status ?? {}) as { replicas?: number; readyReplicas?: number }
  if (typeof object.spec?.replicas === 'number')
    return {
      text: `${readyReplicas ?? 0} of ${object.spec.replicas} ready`,
      tone: (readyReplicas ?? 0) >= object.spec.replicas ? 'good' : 'busy',
    }
  return replicas === undefined ? undefined : { text: `${replicas} replicas`, tone: 'plain' }
}

function overview(world: World, object: KubeObject): Block[] {
  const blocks: Block[] = [{ type: 'facts', facts: metadataFacts(object) }]
  if (object.kind === 'Pod') blocks.push(...podBlocks(world, object))
  else if (typeof object.spec?.replicas === 'number') {
    const { replicas = 0, updatedReplicas, readyReplicas = 0, availableReplicas = 0 } = (object.status ?? {}) as Record<string, number>
    blocks.push(
      { type: 'heading', text: 'Desired and current' },
      {
        type: 'bars',
        bars: [
          { name: 'exist', value: replicas, max: object.spec.replicas, text: `${replicas} of ${object.spec.replicas}` },
          ...(updatedReplicas === undefined
            ? []
            : [{ name: 'up to date', value: updatedReplicas, max: object.spec.replicas as number, text: String(updatedReplicas) }]),
          { name: 'ready', value: readyReplicas, max: object.spec.replicas, text: String(readyReplicas) },
          { name: 'available', value: availableReplicas, max: object.spec.replicas, text: String(availableReplicas) },
        ],
      },
    )
  } else if (object.kind === 'Service') blocks.push(...serviceBlocks(world, object))
  const conditions = (object.status?.conditions ?? []) as { type: string; status: string; reason?: string; message?: string }[]
  if (conditions.length > 0)
    blocks.push({
      type: 'table',
      caption: 'Conditions',
      columns: ['Type', 'Status', 'Reason', 'Message'],
      rows: conditions.map((c) => [
        { text: c.type },
        { text: c.status, tone: c.status === 'True' ? 'good' : 'busy' },
        { text: c.reason ?? '' },
        { text: c.message ?? '' },
      ]),
    })
  const because = latestRecord(world, object)
  if (because)
    blocks.push(
      { type: 'heading', text: 'Because' },
      {
        type: 'links',
        links: [
          {
            label: 'Why is it as it is?',
            detail: `last touched by ${actorName(because.actor)}`,
            link: { to: 'record', record: because.seq },
          },
        ],
      },
    )
  return blocks
}

function latestRecord(world: World, object: KubeObject): TraceRecord | undefined {
  for (let i = world.records.length - 1; i >= 0; i--) {
    const record = world.records[i] as TraceRecord
    if (
      record.level === 'story' &&
      record.subject?.kind === object.kind &&
      record.subject.name === object.metadata.name &&
      record.subject.namespace === object.metadata.namespace
    )
      return record
  }
  return undefined
}

export function metadataFacts(object: KubeObject): { name: string; value: string; link?: Link }[] {
  const { namespace, creationTimestamp, labels, ownerReferences, resourceVersion, generation } = object.metadata
  const owner = ownerReferences?.find((o) => o.controller) ?? ownerReferences?.[0]
  return [
    ...(namespace ? [{ name: 'Namespace', value: namespace }] : []),
    ...(creationTimestamp ? [{ name: 'Created', value: creationTimestamp }] : []),
    ...(labels && Object.keys(labels).length > 0
      ? [
          {
            name: 'Labels',
            value: Object.entries(labels)
              .map(([k, v]) => `${k}=${v}`)
              .join('\n'),
          },
        ]
      : []),
    ...(owner
      ? [
          {
            name: 'Owner',
            value: `${owner.kind} ${owner.name}`,
            link: {
              to: 'object' as const,
              ref: { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.name, ...(namespace ? { namespace } : {}) },
            },
          },
        ]
      : []),
    { name: 'Version', value: `resourceVersion ${resourceVersion ?? '?'}${generation ? `, generation ${generation}` : ''}` },
  ]
}

function podBlocks(world: World, pod: KubeObject): Block[] {
  const blocks: Block[] = []
  const node = pod.spec?.nodeName as string | undefined
  blocks.push({
    type: 'facts',
    facts: [
      { name: 'Node', value: node ?? 'none yet', ...(node ? { link: { to: 'element' as const, id: `host:${node}` } } : {}) },
      { name: 'Address', value: (pod.status?.podIP as string | undefined) ?? 'none yet' },
      { name: 'QoS class', value: String(pod.status?.qosClass ?? '') },
    ],
  })
  const statuses = (pod.status?.containerStatuses ?? []) as {
    name: string
    ready: boolean
    restartCount: number
    state?: Record<string, { reason?: string; message?: string; exitCode?: number }>
  }[]
  blocks.push({
    type: 'table',
    caption: 'Containers',
    columns: ['Name', 'State', 'Ready', 'Restarts'],
    rows: ((pod.spec?.containers ?? []) as { name: string; image: string }[]).map((c): Cell[] => {
      const status = statuses.find((s) => s.name === c.name)
      const [state, detail] = Object.entries(status?.state ?? {})[0] ?? ['not created', {}]
      const reason = (detail as { reason?: string }).reason
      return [
        { text: `${c.name} (${c.image})` },
        {
          text: reason ? `${state}: ${reason}` : state,
          tone: state === 'running' ? 'good' : /Error|BackOff/.test(reason ?? '') ? 'bad' : 'busy',
        },
        { text: status?.ready ? 'yes' : 'no' },
        { text: String(status?.restartCount ?? 0) },
      ]
    }),
  })
  const key = `${pod.metadata.namespace}/${pod.metadata.name}`
  const scheduler = world.processes().find((p) => p.type === 'kube-scheduler' && world.table(p.id, 'attempts').has(key))
  const attempt = scheduler ? world.table<AttemptRecord>(scheduler.id, 'attempts').get(key) : undefined
  if (attempt) blocks.push({ type: 'heading', text: node ? `Why on ${node}?` : 'Why on no node?' }, ...attemptBlocks(attempt))
  return blocks
}

function serviceBlocks(world: World, service: KubeObject): Block[] {
  const { namespace, name } = service.metadata
  const slices = world
    .stored('endpointslices.discovery.k8s.io', namespace)
    .filter((s) => s.metadata.labels?.['kubernetes.io/service-name'] === name)
  const endpoints = slices.flatMap((s) =>
    (
      (s.endpoints ?? []) as { addresses: string[]; conditions?: { ready?: boolean }; nodeName?: string; targetRef?: { name?: string } }[]
    ).map((e) => e),
  )
  return [
    {
      type: 'facts',
      facts: [
        { name: 'Type', value: String(service.spec?.type ?? '') },
        { name: 'Address', value: String(service.spec?.clusterIP ?? 'none') },
        {
          name: 'Ports',
          value: ((service.spec?.ports ?? []) as { port: number; targetPort?: number | string; nodePort?: number }[])
            .map((p) => `${p.port} → ${p.targetPort ?? p.port}${p.nodePort ? `, node port ${p.nodePort}` : ''}`)
            .join('\n'),
        },
        {
          name: 'Selects',
          value:
            Object.entries((service.spec?.selector ?? {}) as Record<string, string>)
              .map(([k, v]) => `${k}=${v}`)
              .join(', ') || 'nothing',
        },
      ],
    },
    endpoints.length === 0
      ? { type: 'text', text: 'It has no endpoints: no ready pod matches its selector, so requests are refused.' }
      : {
          type: 'table',
          caption: 'Endpoints',
          columns: ['Address', 'Ready', 'Pod', 'Node'],
          rows: endpoints.map((e) => [
            { text: e.addresses.join(', ') },
            { text: e.conditions?.ready === false ? 'no' : 'yes', tone: e.conditions?.ready === false ? 'bad' : 'good' },
            {
              text: e.targetRef?.name ?? '',
              ...(e.targetRef?.name
                ? {
                    link: {
                      to: 'object' as const,
                      ref: { apiVersion: 'v1', kind: 'Pod', namespace: namespace ?? '', name: e.targetRef.name },
                    },
                  }
                : {}),
            },
            { text: e.nodeName ?? '' },
          ]),
        },
  ]
}

export function eventsBlock(world: World, object: KubeObject): Block {
  const events = world
    .stored('events')
    .filter(
      (e) =>
        e.involvedObject?.uid === object.metadata.uid ||
        (e.involvedObject?.kind === object.kind &&
          e.involvedObject?.name === object.metadata.name &&
          (e.involvedObject?.namespace ?? '') === (object.metadata.namespace ?? '')),
    )
    .sort((a, b) => Number(a.metadata.resourceVersion) - Number(b.metadata.resourceVersion))
  if (events.length === 0) return { type: 'text', text: 'There are no events about it.' }
  return {
    type: 'table',
    caption: 'Events',
    columns: ['Reason', 'Message', 'From', 'Count'],
    rows: events.map((e) => [
      { text: String(e.reason ?? ''), tone: e.type === 'Warning' ? 'bad' : 'plain' },
      { text: String(e.message ?? e.note ?? '') },
      { text: String(e.reportingComponent || e.source?.component || '') },
      { text: String(e.count ?? e.series?.count ?? 1) },
    ]),
  }
}

function relationBlocks(world: World, object: KubeObject): Block[] {
  const links: { label: string; detail: string; link: Link }[] = []
  const { namespace, uid, labels = {} } = object.metadata
  for (const owner of object.metadata.ownerReferences ?? [])
    links.push({
      label: `${owner.kind} ${owner.name}`,
      detail: owner.controller ? 'controls it' : 'owns it',
      link: {
        to: 'object',
        ref: { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.name, ...(namespace ? { namespace } : {}) },
      },
    })
  for (const resource of ['replicasets.apps', 'pods', 'endpointslices.discovery.k8s.io', 'jobs.batch', 'controllerrevisions.apps'])
    for (const other of world.stored(resource, namespace))
      if (other.metadata.ownerReferences?.some((o) => o.uid === uid))
        links.push({ label: `${other.kind} ${other.metadata.name}`, detail: 'belongs to it', link: linkTo(other) })
  if (object.kind === 'Service')
    for (const pod of world.stored('pods', namespace))
      if (selects(object.spec?.selector, pod.metadata.labels))
        links.push({ label: `Pod ${pod.metadata.name}`, detail: 'is selected', link: linkTo(pod) })
  if (object.kind === 'Pod') {
    for (const service of world.stored('services', namespace))
      if (selects(service.spec?.selector, labels))
        links.push({ label: `Service ${service.metadata.name}`, detail: 'selects it', link: linkTo(service) })
    if (object.spec?.nodeName)
      links.push({ label: `Node ${object.spec.nodeName}`, detail: 'runs it', link: { to: 'element', id: `host:${object.spec.nodeName}` } })
    for (const volume of (object.spec?.volumes ?? []) as {
      name: string
      configMap?: { name?: string }
      secret?: { secretName?: string }
      persistentVolumeClaim?: { claimName: string }
    }[]) {
      if (volume.configMap?.name)
        links.push({
          label: `ConfigMap ${volume.configMap.name}`,
          detail: `mounted as ${volume.name}`,
          link: { to: 'object', ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: namespace ?? '', name: volume.configMap.name } },
        })
      if (volume.secret?.secretName)
        links.push({
          label: `Secret ${volume.secret.secretName}`,
          detail: `mounted as ${volume.name}`,
          link: { to: 'object', ref: { apiVersion: 'v1', kind: 'Secret', namespace: namespace ?? '', name: volume.secret.secretName } },
        })
    }
  }
  return links.length === 0 ? [{ type: 'text', text: 'Nothing else refers to it.' }] : [{ type: 'links', links }]
}

function selects(selector: Record<string, string> | undefined, labels: Record<string, string> | undefined): boolean {
  if (!selector || Object.keys(selector).length === 0) return false
  return Object.entries(selector).every(([k, v]) => labels !== undefined && Object.hasOwn(labels, k) && labels[k] === v)
}

/** Versions shown, newest first. */
const VERSIONS = 12

/** Every stored version of the object that etcd still has, as differences. */
export function historyBlocks(world: World, object: KubeObject): Block[] {
  const versions: { event: WatchEvent; record: number }[] = []
  const member = world.etcdMember()
  if (!member) return [{ type: 'text', text: 'No etcd member can be read.' }]
  const key = world.storageKey(object)
  const revisions = world.table<readonly WatchEvent[]>(member, 'revisions')
  const keys = revisions.keys()
  const made = new Map<number, number>()
  for (const record of world.records)
    if (record.kind === 'etcd.txn.applied') made.set((record.data as { revision: number }).revision, record.seq)
  for (let i = keys.length - 1; i >= 0 && versions.length < VERSIONS; i--)
    for (const event of revisions.get(keys[i] as string) ?? [])
      if (event.kv.key === key) versions.push({ event, record: made.get(event.kv.modRevision) ?? 0 })
  if (versions.length === 0) return [{ type: 'text', text: 'etcd has no older version of it: the history was compacted.' }]
  return versions.map(({ event, record }) => ({
    type: 'diff',
    title: `Revision ${event.kv.modRevision}${event.previous ? '' : ' (created)'}`,
    before: event.previous ? toYaml(withoutNoise(event.previous.value as KubeObject)) : '',
    after: event.kv.value === undefined ? '' : toYaml(withoutNoise(event.kv.value as KubeObject)),
    record,
  }))
}

function withoutNoise(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

export const nowText = (world: World): string => new Date(EPOCH_MS + world.now).toISOString()

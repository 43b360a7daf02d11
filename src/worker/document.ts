// An open experiment: cluster, what the visitor did to it, and questions about it that change nothing.
import type {
  CommandResult,
  DocumentDiff,
  DocumentResult,
  DocumentState,
  Marker,
  ObjectTable,
  Requests,
  VisitorCommand,
} from '../protocol/messages.ts'
import type { World } from '../projection/world.ts'
import { stringify } from 'yaml'
import { builtIn as registry } from '../sim/components/apiserver/registry/index.ts'
import { storageKey } from '../sim/components/apiserver/storage-keys.ts'
import type { KubectlCommand, KubectlInput, KubectlLine, KubectlResult } from '../sim/components/kubectl/types.ts'
import type { HttpResponse } from '../sim/api/http.ts'
import type { KubeObject, ObjectRef } from '../sim/api/types/object.ts'
import { type Cluster, createCluster, furthestMember } from '../sim/cluster/cluster.ts'
import { describeFault } from '../sim/cluster/faults.ts'
import type { Simulation } from '../sim/cluster/simulation.ts'
import { type ManifestDocument, pathsIn, readManifest } from './manifest.ts'
import { createMoments } from './moments.ts'

export interface OpenDocument {
  readonly sim: Simulation
  readonly startedAt: number
  /** Trace records before the visitor's history. */
  readonly firstRecord: number
  readonly moments: ReturnType<typeof createMoments>
  world(): World
  command(command: VisitorCommand): CommandResult
  diff(yaml: string): Requests['diff']['result']
  check(yaml: string): Requests['check']['result']
  list(resource: string, namespace?: string): ObjectTable
  resources(): Requests['resources']['result']
  search(text: string): Requests['search']['result']
  document(): DocumentState
}

/** Virtual ms that a command is given to be answered when the page looks ahead. */
const LOOK_AHEAD_MS = 75_000
const MAX_FOUND = 50

export function openDocument(state: DocumentState): OpenDocument {
  const cluster = createCluster({ profile: 'default', spec: state.spec, seed: state.seed })
  const { sim } = cluster
  const open = makeDocument(cluster, state)
  for (const { index, command } of state.inputs) {
    if (sim.seek(index) !== index) throw new Error(`the experiment cannot be replayed: it ends before step ${index}`)
    open.send(command)
  }
  sim.seek(state.index)
  return open
}

function makeDocument(cluster: Cluster, state: DocumentState): OpenDocument & { send(command: VisitorCommand): string } {
  const { sim, startedAt } = cluster
  const firstRecord = sim.kernel.records

  /** Sends a command as an input at the present moment; returns its id. */
  const send = (command: VisitorCommand): string => {
    const id = `c${sim.history.inputs().length + 1}`
    switch (command.do) {
      case 'apply': {
        const { documents } = readManifest(command.yaml)
        kubectl(
          id,
          { verb: 'apply', documents: documents.map((d) => d.object), namespace: 'default' },
          `kubectl apply -f - (${documents.map((d) => `${d.object.kind} ${d.object.metadata.name ?? ''}`).join(', ')})`,
          command,
        )
        break
      }
      case 'delete':
        kubectl(
          id,
          {
            verb: 'delete',
            ref: command.ref,
            wait: false,
            ...(command.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: command.gracePeriodSeconds }),
          },
          `kubectl delete ${command.ref.kind.toLowerCase()} ${command.ref.name}`,
          command,
        )
        break
      case 'scale':
        kubectl(
          id,
          { verb: 'scale', ref: command.ref, replicas: command.replicas },
          `kubectl scale ${command.ref.kind.toLowerCase()} ${command.ref.name} --replicas=${command.replicas}`,
          command,
        )
        break
      case 'http':
        kubectl(
          id,
          {
            verb: 'raw',
            method: command.method as 'GET',
            path: command.path,
            ...(command.body === undefined ? {} : { body: command.body }),
            ...(command.contentType === undefined ? {} : { contentType: command.contentType }),
          },
          `${command.method} ${command.path}`,
          command,
        )
        break
      case 'request': {
        const from = command.from === 'outside' ? 'outside' : `${command.from.namespace}/${command.from.pod}`
        sim.input({
          target: 'client',
          kind: 'client.request',
          payload: { id, from: command.from, url: command.url, summary: `request ${command.url} from ${from}`, command },
        })
        break
      }
      case 'fault':
        sim.input({
          target: 'fault-injector',
          kind: 'fault',
          payload: { fault: command.fault, summary: describeFault(command.fault), command },
        })
        break
    }
    return id
  }
  const kubectl = (id: string, command: KubectlCommand, summary: string, source?: VisitorCommand): void => {
    const input: KubectlInput & { command: KubectlCommand; source?: VisitorCommand } = {
      id,
      command,
      summary,
      ...(source ? { source } : {}),
    }
    sim.input({ target: 'kubectl', kind: 'kubectl.command', payload: input })
  }

  /** Runs on until kubectl has its answer, or gives up. Only inside a sandbox. */
  const resultOf = (id: string): KubectlResult => {
    const results = sim.peek<KubectlResult>('kubectl', 'results')
    const limit = sim.now + LOOK_AHEAD_MS
    sim.runUntil(
      { kind: 'predicate', holds: () => results.get(id)?.done === true || (sim.nextAt() ?? Number.POSITIVE_INFINITY) > limit },
      300_000,
    )
    return results.get(id) ?? { done: false, ok: false, lines: [] }
  }

  const toResult = (line: KubectlLine, document?: ManifestDocument): DocumentResult => {
    const markers: Marker[] =
      line.outcome === 'rejected' && document
        ? (() => {
            const found = pathsIn(line.status, line.text)
            return found.length > 0
              ? found.map(({ path, message }) => ({ ...document.locate(path), message }))
              : [{ ...document.locate('kind'), message: line.text }]
          })()
        : []
    return {
      document: document?.index ?? line.document,
      outcome: line.outcome,
      text: line.text,
      markers,
      warnings: line.warnings,
      ...(line.ref ? { ref: line.ref } : {}),
    }
  }

  const readErrors = (yaml: string): { documents: readonly ManifestDocument[]; errors: DocumentResult[] } => {
    const { documents, errors } = readManifest(yaml)
    const list = errors.map(
      (e): DocumentResult => ({
        document: e.index,
        outcome: 'rejected',
        text: e.message,
        markers: [{ ...e.marker, message: e.message }],
        warnings: [],
      }),
    )
    if (documents.length === 0 && list.length === 0)
      list.push({ document: 0, outcome: 'rejected', text: 'error: no objects passed to apply', markers: [], warnings: [] })
    return { documents, errors: list }
  }

  const dryRun = (documents: readonly ManifestDocument[]): readonly KubectlLine[] =>
    documents.length === 0
      ? []
      : sim.sandbox(() => {
          kubectl('dry', { verb: 'apply', documents: documents.map((d) => d.object), namespace: 'default', dryRun: 'server' }, 'dry run')
          const { lines, done } = resultOf('dry')
          return done
            ? lines
            : [...lines, { document: lines.length, outcome: 'rejected', text: 'The API server does not answer.', warnings: [] }]
        })

  const http = (path: string, headers: Record<string, string>): HttpResponse | undefined =>
    sim.sandbox(() => {
      sim.input({ target: 'kubectl', kind: 'kubectl.http', payload: { id: 'q', request: { method: 'GET', path, headers } } })
      const answers = sim.peek<HttpResponse>('kubectl', 'http')
      const limit = sim.now + LOOK_AHEAD_MS
      sim.runUntil({ kind: 'predicate', holds: () => answers.has('q') || (sim.nextAt() ?? Number.POSITIVE_INFINITY) > limit }, 100_000)
      return answers.get('q')
    })

  const kinds = () => [...registry.byId.entries()].map(([id, served]) => ({ id, served }))
  const refOf = (object: KubeObject): ObjectRef => ({
    apiVersion: object.apiVersion,
    kind: object.kind,
    name: object.metadata.name ?? '',
    ...(object.metadata.namespace ? { namespace: object.metadata.namespace } : {}),
    ...(object.metadata.uid ? { uid: object.metadata.uid } : {}),
  })

  return {
    sim,
    startedAt,
    firstRecord,
    moments: createMoments(firstRecord),
    send,
    world: (): World => ({
      spec: cluster.spec,
      now: sim.now,
      startedAt,
      records: sim.records(),
      table: (component, name) => sim.peek(component, name),
      process: (id) => sim.process(id),
      processes: () => sim.processList(),
      hosts: () => sim.network.hostList(),
      link: (a, b) => sim.network.link(a, b),
      stored: cluster.stored,
      get: (resource, namespace, name) => cluster.stored(resource, namespace).find((o) => o.metadata.name === name),
      resourceOf: (apiVersion, kind) =>
        kinds().find(({ served }) => served.strategy.kind === kind && groupOf(apiVersion) === served.group)?.id,
      storageKey: (object) => {
        const served = kinds().find(({ served: s }) => s.strategy.kind === object.kind && groupOf(object.apiVersion) === s.group)?.served
        return served
          ? storageKey(
              served.folder,
              object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : (object.metadata.name ?? ''),
            )
          : ''
      },
      etcdMember: () => furthestMember(sim),
      queueNames: (process) =>
        sim.kernel
          .tableNames()
          .filter((t) => t.startsWith(`${process}/queue/`))
          .map((t) => t.slice(process.length + '/queue/'.length)),
    }),
    command(command) {
      if (command.do === 'apply') {
        const { documents, errors } = readErrors(command.yaml)
        // A manifest that cannot be read is not sent at all.
        if (errors.length > 0) return { ok: false, lines: errors }
        const { lines } = sim.sandbox(() => resultOf(send(command)))
        send(command)
        return { ok: lines.every((l) => l.outcome !== 'rejected'), lines: lines.map((l) => toResult(l, documents[l.document])) }
      }
      if (command.do === 'fault' || command.do === 'request') {
        send(command)
        return {
          ok: true,
          lines: [
            {
              document: 0,
              outcome: 'answered',
              text: command.do === 'fault' ? describeFault(command.fault) : command.url,
              markers: [],
              warnings: [],
            },
          ],
        }
      }
      const { lines, ok } = sim.sandbox(() => resultOf(send(command)))
      send(command)
      return { ok, lines: lines.map((l) => toResult(l)) }
    },
    check(yaml) {
      const { documents, errors } = readErrors(yaml)
      return {
        documents: [...errors, ...dryRun(documents).map((l) => toResult(l, documents[l.document]))].sort((a, b) => a.document - b.document),
      }
    },
    diff(yaml) {
      const { documents, errors } = readErrors(yaml)
      const rejected = errors.map(
        (e): DocumentDiff => ({ document: e.document, outcome: 'rejected', before: '', after: '', text: e.text, markers: e.markers }),
      )
      const lines = dryRun(documents).map((l): DocumentDiff => {
        const result = toResult(l, documents[l.document])
        return {
          document: result.document,
          outcome: result.outcome,
          text: result.text,
          markers: result.markers,
          before: l.before ? shown(l.before) : '',
          after: l.after && l.outcome !== 'rejected' ? shown(l.after) : '',
          ...(result.ref ? { ref: result.ref } : {}),
        }
      })
      return { documents: [...rejected, ...lines].sort((a, b) => a.document - b.document) }
    },
    list(resource, namespace) {
      const served = registry.byId.get(resource)
      if (!served) return { columns: [], rows: [] }
      const root = served.group ? `/apis/${served.group}/${served.version}` : `/api/${served.version}`
      const path =
        namespace && served.strategy.namespaced
          ? `${root}/namespaces/${namespace}/${served.strategy.resource}`
          : `${root}/${served.strategy.resource}`
      const answer = http(path, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
      const table =
        answer?.status === 200
          ? (answer.body as {
              columnDefinitions: { name: string; priority: number }[]
              rows: { cells: ObjectTable['rows'][number]['cells']; object: KubeObject }[]
            })
          : undefined
      if (!table) throw new Error(typeof answer?.body === 'string' ? answer.body : 'The API server does not answer.')
      const { apiVersion, kind } = {
        apiVersion: served.group ? `${served.group}/${served.version}` : served.version,
        kind: served.strategy.kind,
      }
      return {
        columns: table.columnDefinitions.map(({ name, priority }) => ({ name, priority })),
        rows: table.rows.map((row) => ({
          cells: row.cells,
          ref: { ...refOf(row.object), apiVersion, kind },
          id: row.object.metadata.uid ?? `${row.object.metadata.namespace}/${row.object.metadata.name}`,
        })),
      }
    },
    resources: () =>
      kinds().map(({ id, served }) => ({
        resource: served.strategy.resource,
        kind: served.strategy.kind,
        group: served.group,
        version: served.version,
        namespaced: served.strategy.namespaced,
        count: cluster.stored(id).length,
      })),
    search(text) {
      const words = text.toLowerCase().split(/\s+/).filter(Boolean)
      const out: { ref: ObjectRef; label: string; detail: string; rank: number }[] = []
      for (const { id, served } of kinds()) {
        if (id === 'events' || id === 'leases.coordination.k8s.io') continue
        for (const object of cluster.stored(id)) {
          const labels = Object.entries(object.metadata.labels ?? {}).map(([k, v]) => `${k}=${v}`)
          const phase = String(object.status?.phase ?? '')
          const reasons = ((object.status?.conditions ?? []) as { reason?: string }[]).map((c) => c.reason ?? '')
          const haystack = [
            served.strategy.kind,
            served.strategy.resource,
            ...served.strategy.shortNames,
            object.metadata.name,
            object.metadata.namespace,
            ...labels,
            phase,
            ...reasons,
          ]
            .join(' ')
            .toLowerCase()
          if (!words.every((w) => haystack.includes(w))) continue
          const system = object.metadata.namespace === 'kube-system' || (object.metadata.name ?? '').startsWith('system:') ? 2 : 0
          const rank = system + (['Pod', 'Deployment', 'Service', 'Node'].includes(object.kind) ? 0 : 1)
          out.push({
            ref: refOf(object),
            label: `${object.kind} ${object.metadata.name}`,
            detail: [object.metadata.namespace, phase].filter(Boolean).join(' · '),
            rank,
          })
        }
      }
      return out
        .sort((a, b) => a.rank - b.rank || (a.label < b.label ? -1 : 1))
        .slice(0, MAX_FOUND)
        .map(({ ref, label, detail }) => ({ ref, label, detail }))
    },
    document: () => ({
      spec: state.spec,
      seed: state.seed,
      index: sim.history.cursor,
      inputs: sim.history.inputs().map(({ index, input }) => ({ index, command: commandOf(input.payload) })),
    }),
  }
}

/** The visitor's command is kept beside what was sent for it. */
function commandOf(payload: unknown): VisitorCommand {
  const { source, command } = payload as { source?: VisitorCommand; command?: VisitorCommand }
  return source ?? (command as VisitorCommand)
}

const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '')

function shown(object: KubeObject): string {
  const { managedFields: _, ...metadata } = object.metadata
  return stringify({ ...object, metadata }, { lineWidth: 0, aliasDuplicateObjects: false })
}

// The visitor's kubectl: the requests that the real one makes, in its order (pkg/cmd/apply, scale, delete …).
// A command is a script that yields requests and gets answers. No running generator is ever kept: when an answer arrives the script
// runs again from its start with all answers so far, so pending work is plain data.
import type { HttpResponse, StreamChunk } from '../../api/http.ts'
import { schemaFor } from '../../api/schema/index.ts'
import type { KubeObject, ObjectRef } from '../../api/types/object.ts'
import { type ApiRequest, apiRequest, apiStream, type ClientConfig } from '../../client/request.ts'
import type { ComponentType, Context } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import { threeWayPatch } from './threeway.ts'
import type { KubectlCommand, KubectlInput, KubectlLine, KubectlResult } from './types.ts'

export interface KubectlConfig {
  readonly client: ClientConfig
}

/** An answer as a script sees it. `event` is one event of a watch; the script then yields 'next' for the following one or goes on. */
interface Answer {
  readonly status: number
  readonly body: KubeObject
  readonly warnings: readonly string[]
  readonly event?: KubeObject
}

type Ask = ApiRequest & { readonly watch?: boolean }
type Script = Generator<Ask | 'next', void, Answer>

interface Running {
  readonly input: KubectlInput
  readonly answers: readonly Answer[]
  readonly call: number
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
const config = (ctx: Context): KubectlConfig => ctx.config as KubectlConfig
const running = (ctx: Context) => ctx.table<Running>('running')
const results = (ctx: Context) => ctx.table<KubectlResult>('results')

interface Mapping {
  readonly resource: string
  readonly namespaced: boolean
  readonly group: string
}

class Finished {
  lines: KubectlLine[] = []
  failed = false
}

// ── scripts ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function* script(command: KubectlCommand, out: Finished): Script {
  switch (command.verb) {
    case 'apply':
      yield* apply(command, out)
      break
    case 'create': {
      const ref = refOf(command.object, command.namespace)
      const mapping = yield* mappingOf(ref, out, 0)
      if (!mapping) return
      const answer = yield {
        method: 'POST',
        path: `${collection(ref, mapping)}?fieldManager=${command.manager}&fieldValidation=Strict`,
        body: command.object,
      }
      report(out, 0, answer, mapping, ref, 'created')
      break
    }
    case 'expose':
      yield* expose(command, out)
      break
    case 'scale': {
      const mapping = yield* mappingOf(command.ref, out, 0)
      if (!mapping) return
      const path = item(command.ref, mapping)
      const live = yield { method: 'GET', path }
      if (live.status >= 300) return report(out, 0, live, mapping, command.ref, 'rejected')
      const answer = yield {
        method: 'PATCH',
        path: `${path}/scale`,
        body: { spec: { replicas: command.replicas } },
        contentType: 'application/merge-patch+json',
      }
      if (answer.status >= 300) report(out, 0, answer, mapping, command.ref, 'rejected')
      else out.lines.push(line(0, 'configured', `${named(mapping, command.ref.name)} scaled`, command.ref, answer))
      break
    }
    case 'set-image': {
      const mapping = yield* mappingOf(command.ref, out, 0)
      if (!mapping) return
      const path = item(command.ref, mapping)
      const live = yield { method: 'GET', path }
      if (live.status >= 300) return report(out, 0, live, mapping, command.ref, 'rejected')
      const containers = [{ name: command.container, image: command.image }]
      const spec = {
        template: { spec: { $setElementOrder: undefined, '$setElementOrder/containers': [{ name: command.container }], containers } },
      }
      const answer = yield {
        method: 'PATCH',
        path: `${path}?fieldManager=kubectl-set`,
        body: JSON.parse(JSON.stringify({ spec })) as object,
        contentType: 'application/strategic-merge-patch+json',
      }
      if (answer.status >= 300) report(out, 0, answer, mapping, command.ref, 'rejected')
      else out.lines.push(line(0, 'configured', `${named(mapping, command.ref.name)} image updated`, command.ref, answer))
      break
    }
    case 'rollout-status':
      yield* rolloutStatus(command, out)
      break
    case 'delete': {
      const mapping = yield* mappingOf(command.ref, out, 0)
      if (mapping) yield* remove(command.ref, mapping, command.gracePeriodSeconds, command.wait, out, 0)
      break
    }
    case 'delete-selected': {
      const ref = { ...command.ref, name: '' }
      const mapping = yield* mappingOf(ref, out, 0)
      if (!mapping) return
      const list = yield { method: 'GET', path: `${collection(ref, mapping)}?labelSelector=${encodeURIComponent(command.labelSelector)}` }
      if (list.status >= 300) return report(out, 0, list, mapping, ref, 'rejected')
      const items = (list.body.items as KubeObject[]) ?? []
      if (items.length === 0) out.lines.push(line(0, 'answered', 'No resources found', ref))
      for (const [i, found] of items.entries())
        yield* remove({ ...ref, name: found.metadata.name ?? '' }, mapping, undefined, command.wait, out, i)
      break
    }
    case 'raw': {
      const { method, path, body, contentType } = command
      const answer = yield { method, path, ...(body === undefined ? {} : { body }), ...(contentType === undefined ? {} : { contentType }) }
      if (answer.status >= 300) report(out, 0, answer, undefined, undefined, 'rejected')
      else
        out.lines.push({
          document: 0,
          outcome: 'answered',
          text: typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body),
          warnings: answer.warnings,
          after: answer.body,
        })
      break
    }
  }
}

function* apply(command: Extract<KubectlCommand, { verb: 'apply' }>, out: Finished): Script {
  const query = `fieldManager=kubectl-client-side-apply&fieldValidation=Strict${command.dryRun ? '&dryRun=All' : ''}`
  for (const [i, document] of command.documents.entries()) {
    const ref = refOf(document, command.namespace)
    const mapping = yield* mappingOf(ref, out, i)
    if (!mapping) continue
    const wanted = withLastApplied(document, mapping.namespaced ? ref.namespace : undefined)
    const path = item(ref, mapping)
    const live = yield { method: 'GET', path }
    if (live.status === 404) {
      // kubectl looks whether the namespace is there, so that it can say so before it creates.
      if (mapping.namespaced) yield { method: 'GET', path: `/api/v1/namespaces/${ref.namespace}` }
      const answer = yield { method: 'POST', path: `${collection(ref, mapping)}?${query}`, body: wanted }
      report(out, i, answer, mapping, ref, 'created', undefined, command.dryRun)
      continue
    }
    if (live.status >= 300) {
      report(out, i, live, mapping, ref, 'rejected')
      continue
    }
    const last = lastApplied(live.body)
    const patch = threeWayPatch(
      last,
      wanted as unknown as Record<string, unknown>,
      live.body,
      schemaFor(mapping.group, versionOf(ref.apiVersion), ref.kind),
    )
    if (Object.keys(patch).length === 0) {
      out.lines.push({ ...line(i, 'unchanged', `${named(mapping, ref.name)} unchanged`, ref), before: live.body, after: live.body })
      continue
    }
    const answer = yield { method: 'PATCH', path: `${path}?${query}`, body: patch, contentType: 'application/strategic-merge-patch+json' }
    const same = answer.status < 300 && answer.body.metadata.resourceVersion === live.body.metadata.resourceVersion
    report(out, i, answer, mapping, ref, same ? 'unchanged' : 'configured', live.body, command.dryRun)
  }
}

function* expose(command: Extract<KubectlCommand, { verb: 'expose' }>, out: Finished): Script {
  const mapping = yield* mappingOf(command.ref, out, 0)
  if (!mapping) return
  const live = yield { method: 'GET', path: item(command.ref, mapping) }
  if (live.status >= 300) return report(out, 0, live, mapping, command.ref, 'rejected')
  const { namespace = 'default', name } = command.ref
  const selector = (live.body.spec?.selector?.matchLabels ?? live.body.spec?.selector ?? live.body.metadata.labels) as Record<
    string,
    string
  >
  const body = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, ...(live.body.metadata.labels ? { labels: live.body.metadata.labels } : {}) },
    spec: { ports: [{ protocol: 'TCP', port: command.port, targetPort: command.targetPort ?? command.port }], selector },
  }
  const answer = yield { method: 'POST', path: `/api/v1/namespaces/${namespace}/services?fieldManager=kubectl-expose`, body }
  if (answer.status >= 300) report(out, 0, answer, mapping, command.ref, 'rejected')
  else out.lines.push(line(0, 'created', `service/${name} exposed`, { apiVersion: 'v1', kind: 'Service', namespace, name }, answer))
}

function* rolloutStatus(command: Extract<KubectlCommand, { verb: 'rollout-status' }>, out: Finished): Script {
  const mapping = yield* mappingOf(command.ref, out, 0)
  if (!mapping) return
  const live = yield { method: 'GET', path: item(command.ref, mapping) }
  if (live.status >= 300) return report(out, 0, live, mapping, command.ref, 'rejected')
  let answer: Answer = yield {
    method: 'GET',
    path: `${collection(command.ref, mapping)}?fieldSelector=${encodeURIComponent(`metadata.name=${command.ref.name}`)}&resourceVersion=${live.body.metadata.resourceVersion}&watch=true`,
    watch: true,
  }
  let object: KubeObject | undefined = live.body
  while (object && !rolledOut(object)) {
    answer = yield 'next'
    object = answer.event
  }
  out.lines.push(line(0, 'answered', `${command.ref.kind.toLowerCase()} "${command.ref.name}" successfully rolled out`, command.ref))
}

function rolledOut({ metadata, spec, status }: KubeObject): boolean {
  return (
    (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0) &&
    (status?.updatedReplicas ?? 0) >= (spec?.replicas ?? 1) &&
    (status?.replicas ?? 0) <= (status?.updatedReplicas ?? 0) &&
    (status?.availableReplicas ?? 0) >= (status?.updatedReplicas ?? 0)
  )
}

function* remove(
  ref: ObjectRef,
  mapping: Mapping,
  gracePeriodSeconds: number | undefined,
  wait: boolean,
  out: Finished,
  index: number,
): Script {
  const path = item(ref, mapping)
  const answer = yield {
    method: 'DELETE',
    path,
    body: {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      propagationPolicy: 'Background',
      ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    },
  }
  if (answer.status >= 300) return report(out, index, answer, mapping, ref, 'rejected')
  const where = mapping.namespaced ? ` from ${ref.namespace} namespace` : ''
  out.lines.push(
    line(
      index,
      'deleted',
      `${mapping.resource.replace(/s$/, '')}${mapping.group ? `.${mapping.group}` : ''} "${ref.name}" deleted${where}`,
      ref,
      answer,
    ),
  )
  if (!wait) return
  const still = yield { method: 'GET', path }
  if (still.status >= 300) return
  let event: Answer = yield {
    method: 'GET',
    path: `${collection(ref, mapping)}?fieldSelector=${encodeURIComponent(`metadata.name=${ref.name}`)}&resourceVersion=${still.body.metadata.resourceVersion}&watch=true`,
    watch: true,
  }
  while (event.event?.type !== 'DELETED' && event.status < 300) event = yield 'next'
}

/** Which resource a kind is: what kubectl's RESTMapper finds in discovery. */
function* mappingOf(
  ref: Pick<ObjectRef, 'apiVersion' | 'kind' | 'namespace'>,
  out: Finished,
  document: number,
): Generator<Ask | 'next', Mapping | undefined, Answer> {
  const [group, version] = ref.apiVersion.includes('/') ? (ref.apiVersion.split('/') as [string, string]) : ['', ref.apiVersion]
  const answer = yield { method: 'GET', path: group ? `/apis/${group}/${version}` : `/api/${version}` }
  const resources =
    answer.status < 300 ? ((answer.body.resources as { name: string; kind: string; namespaced: boolean }[] | undefined) ?? []) : []
  const found = resources.find((r) => r.kind === ref.kind && !r.name.includes('/'))
  if (found) return { resource: found.name, namespaced: found.namespaced, group }
  out.failed = true
  const text =
    answer.status === 0
      ? unreachable(answer)
      : `error: resource mapping not found for name: "${(ref as ObjectRef).name ?? ''}" namespace: "${ref.namespace ?? ''}": no matches for kind "${ref.kind}" in version "${ref.apiVersion}"\nensure CRDs are installed first`
  out.lines.push({ document, outcome: 'rejected', text, warnings: [] })
  return undefined
}

// ── pieces ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────────

const versionOf = (apiVersion: string): string => apiVersion.split('/').pop() ?? apiVersion

function refOf(object: KubeObject, namespace: string): ObjectRef {
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: object.metadata?.namespace ?? namespace,
    name: object.metadata?.name ?? '',
  }
}

function collection(ref: Pick<ObjectRef, 'apiVersion' | 'namespace'>, mapping: Mapping): string {
  const root = ref.apiVersion.includes('/') ? `/apis/${ref.apiVersion}` : `/api/${ref.apiVersion}`
  return mapping.namespaced ? `${root}/namespaces/${ref.namespace ?? 'default'}/${mapping.resource}` : `${root}/${mapping.resource}`
}

const item = (ref: ObjectRef, mapping: Mapping): string => `${collection(ref, mapping)}/${encodeURIComponent(ref.name)}`

/** `deployment.apps/web`: how kubectl names an object. */
function named(mapping: Mapping, name: string): string {
  const singular = SINGULAR[mapping.resource] ?? mapping.resource.replace(/s$/, '')
  return `${singular}${mapping.group ? `.${mapping.group}` : ''}/${name}`
}

const SINGULAR: Readonly<Record<string, string>> = {
  ingresses: 'ingress',
  networkpolicies: 'networkpolicy',
  endpoints: 'endpoints',
  priorityclasses: 'priorityclass',
  storageclasses: 'storageclass',
  ingressclasses: 'ingressclass',
  runtimeclasses: 'runtimeclass',
}

function withLastApplied(document: KubeObject, namespace: string | undefined): KubeObject {
  const { [LAST_APPLIED]: _, ...annotations } = document.metadata?.annotations ?? {}
  const metadata = { ...document.metadata, annotations, ...(namespace === undefined ? {} : { namespace }) }
  const text = `${JSON.stringify({ ...document, metadata: sortKeys(metadata) }, sorted)}\n`
  return { ...document, metadata: { ...metadata, annotations: { ...annotations, [LAST_APPLIED]: text } } }
}

/** Go marshals maps with sorted keys. */
function sorted(_: string, value: unknown): unknown {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? sortKeys(value as Record<string, unknown>) : value
}

function sortKeys<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) as T
}

function lastApplied(live: KubeObject): Record<string, unknown> {
  const text = live.metadata.annotations?.[LAST_APPLIED]
  if (text === undefined) return {}
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function line(document: number, outcome: KubectlLine['outcome'], text: string, ref: ObjectRef | undefined, answer?: Answer): KubectlLine {
  return {
    document,
    outcome,
    text,
    warnings: answer?.warnings ?? [],
    ...(ref ? { ref } : {}),
    ...(answer && answer.status > 0 ? { after: answer.body } : {}),
  }
}

const unreachable = (answer: Answer): string =>
  `The connection to the server was refused - did you specify the right host or port? (${String(answer.body)})`

function report(
  out: Finished,
  document: number,
  answer: Answer,
  mapping: Mapping | undefined,
  ref: ObjectRef | undefined,
  outcome: KubectlLine['outcome'],
  before?: KubeObject,
  dryRun?: string,
): void {
  if (answer.status >= 200 && answer.status < 300 && mapping && ref) {
    out.lines.push({
      ...line(
        document,
        outcome,
        `${named(mapping, ref.name || (answer.body.metadata.name ?? ''))} ${outcome}${dryRun ? ' (server dry run)' : ''}`,
        ref,
        answer,
      ),
      ...(before ? { before } : {}),
    })
    return
  }
  out.failed = true
  const { message, reason } = answer.body ?? {}
  const text =
    answer.status === 0
      ? unreachable(answer)
      : reason === 'Invalid' && ref
        ? `The ${String(message).replace(/ is invalid: /, ' is invalid: ')}`
        : `Error from server${reason ? ` (${reason})` : ''}: ${message}`
  out.lines.push({
    document,
    outcome: 'rejected',
    text,
    warnings: answer.warnings,
    ...(ref ? { ref } : {}),
    ...(answer.status > 0 ? { status: answer.body } : {}),
    ...(before ? { before } : {}),
  })
}

// ── the component ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Runs the script with the answers so far; sends its next request, or ends. */
function advance(ctx: Context, id: string, run: Running): void {
  const out = new Finished()
  const generator = script(run.input.command, out)
  let state = generator.next()
  for (const answer of run.answers) state = generator.next(answer)
  if (state.done) {
    if (run.call !== 0) ctx.hangUp(run.call)
    running(ctx).delete(id)
    results(ctx).put(id, { done: true, ok: !out.failed, lines: out.lines })
    return
  }
  results(ctx).put(id, { done: false, ok: !out.failed, lines: out.lines })
  if (state.value === 'next') {
    running(ctx).put(id, run)
    return
  }
  const { watch, ...request } = state.value
  const { client } = config(ctx)
  const call = watch
    ? apiStream(ctx, client, request, { kind: 'kubectl.event', data: id })
    : apiRequest(ctx, client, request, { kind: 'kubectl.answer', data: id })
  running(ctx).put(id, { ...run, call: watch ? call : run.call })
}

function toAnswer(response: HttpResponse): Answer {
  const warning = response.headers.warning
  const warnings = (warning === undefined ? [] : typeof warning === 'string' ? [warning] : warning).map(
    (w) => /^299 - "(.*)"$/.exec(w)?.[1]?.replace(/\\(.)/g, '$1') ?? w,
  )
  return { status: response.status, body: response.body as KubeObject, warnings }
}

export const kubectlType: ComponentType = {
  type: 'kubectl',
  handlers: {
    'kubectl.command': (ctx: Context, input: KubectlInput) => advance(ctx, input.id, { input, answers: [], call: 0 }),
    'kubectl.answer': (ctx: Context, result: CallResult<HttpResponse, string>) => {
      const run = running(ctx).get(result.data)
      if (!run) return
      const answer: Answer =
        result.form === 'response'
          ? toAnswer(result.value)
          : { status: 0, body: (result.form === 'error' ? result.error : 'EOF') as unknown as KubeObject, warnings: [] }
      advance(ctx, result.data, { ...run, answers: [...run.answers, answer] })
    },
    'kubectl.event': (ctx: Context, result: CallResult<StreamChunk | HttpResponse, string>) => {
      const run = running(ctx).get(result.data)
      if (!run) return
      if (result.form === 'chunk' && 'event' in (result.value as StreamChunk)) {
        const { event } = result.value as Extract<StreamChunk, { event: unknown }>
        advance(ctx, result.data, {
          ...run,
          answers: [...run.answers, { status: 200, body: event.object, warnings: [], event: { ...event.object, type: event.type } }],
        })
      } else if (result.form === 'chunk')
        advance(ctx, result.data, { ...run, answers: [...run.answers, { status: 200, body: {} as KubeObject, warnings: [] }] })
      else advance(ctx, result.data, { ...run, call: 0, answers: [...run.answers, { status: 500, body: {} as KubeObject, warnings: [] }] })
    },
    // The door for requests that come from outside the simulation's own kubectl (the bridge, the page's lists).
    'kubectl.http': (ctx: Context, p: { id: string; request: ApiRequest }) =>
      void apiRequest(ctx, config(ctx).client, p.request, { kind: 'kubectl.http.answer', data: p.id }),
    'kubectl.http.answer': (ctx: Context, result: CallResult<HttpResponse, string>) =>
      ctx
        .table<unknown>('http')
        .put(
          result.data,
          result.form === 'response' ? result.value : { status: 0, headers: {}, body: result.form === 'error' ? result.error : 'EOF' },
        ),
  },
}

// One request from arrival to answer. The stages are apiserver/pkg/server/config.go DefaultBuildHandlerChain; what a stage decides is recorded.
import type { HttpRequest, HttpResponse } from '../../api/http.ts'
import { auditIDOf } from './uuid.ts'
import { conflict, type Status, unauthorized, unknownError } from '../../api/status.ts'
import { formatTime } from '../../api/time.ts'
import type { KubeObject, ObjectRef } from '../../api/types/object.ts'
import { type Delivery, EPOCH_MS } from '../../engine/types.ts'
import type { Context } from '../../net/context.ts'
import { audit } from './audit.ts'
import { ANONYMOUS, authenticate } from './authn/authenticate.ts'
import { impersonate } from './authn/impersonate.ts'
import { attributesOfRequest, forbiddenStatus } from './authz/attributes.ts'
import { authorize } from './authz/authorize.ts'
import { cacheState, withRevision } from './cache/cache.ts'
import { makeView, routeOf } from './cache/view.ts'
import { answerBody } from './encode/answer.ts'
import { classify } from './flowcontrol/classify.ts'
import { count, metricsOf } from './metrics.ts'
import { ask, forgetNeeds } from './needs.ts'
import { proxy, reach } from './proxy.ts'
import { Missing, Refusal } from './refusal.ts'
import { requestInfo } from './request-info.ts'
import type { Note, Rq } from './rest/request.ts'
import { route } from './router.ts'
import type { Answer, Got, InFlight, KubeApiserverConfig, Plan, RequestInfo, Then } from './types.ts'
import { openWatch } from './watch/serve.ts'
import { write } from './writes.ts'

export const inFlight = (ctx: Context) => ctx.table<InFlight>('in-flight')
export const callKey = (call: number): string => String(call).padStart(10, '0')

/** After this many plans that etcd refused a write is given up (patches retry five times upstream, other writes much longer). */
const MAX_PLANS = 12

export function onRequest(ctx: Context, request: HttpRequest, { call }: Delivery): void {
  if (call === undefined) return
  if (!cacheState(ctx).ready) {
    // The listener is up before the cache is: the request waits for it.
    ctx
      .table<{ request: HttpRequest; call: number; cause: number; background: boolean }>('early')
      .put(callKey(call), { request, call, cause: ctx.cause, background: ctx.background })
    return
  }
  receive(ctx, request, call)
}

export function receive(ctx: Context, request: HttpRequest, call: number): void {
  const config = ctx.config as KubeApiserverConfig
  const info = requestInfo(request)
  const auditID = auditIDOf(ctx.self, call)
  ctx.because(
    ctx.record('apiserver.request.received', {
      request: auditID,
      method: request.method,
      path: request.path,
      verb: info.verb,
      ...(info.isResource ? { resource: info.resource } : {}),
      ...(info.subresource ? { subresource: info.subresource } : {}),
      ...(info.namespace ? { namespace: info.namespace } : {}),
      ...(info.name ? { name: info.name } : {}),
      ...(request.headers['user-agent'] ? { userAgent: request.headers['user-agent'] } : {}),
    }),
  )
  const base: InFlight = {
    call,
    auditID,
    request,
    info,
    user: ANONYMOUS,
    receivedAt: ctx.now,
    cause: ctx.cause,
    background: ctx.background,
    decision: '',
    plans: 0,
    got: {},
    known: {},
    warnings: [],
    stage: 'planning',
  }
  const view = makeView(ctx, { user: ANONYMOUS, known: {}, dryRun: false, requestVersion: '' })
  const who = authenticate(request, config, view)
  if ('error' in who) {
    ctx.because(ctx.record('apiserver.authn.failed', { request: auditID, why: who.error }))
    respondStatus(ctx, base, unauthorized())
    return
  }
  ctx.because(ctx.record('apiserver.authn.succeeded', { request: auditID, user: who.user.name, groups: who.user.groups, by: who.by }))
  const acting = impersonate(request, who.user, (a) => authorize(a, view))
  if (acting && 'status' in acting) {
    respondStatus(ctx, { ...base, user: who.user }, acting.status)
    return
  }
  const user = acting ? acting.user : who.user
  if (acting) ctx.because(ctx.record('apiserver.authn.impersonated', { request: auditID, user: who.user.name, impersonated: user.name }))
  const flow = classify(user, info, view)
  if (flow) ctx.record('apiserver.flow.classified', { request: auditID, flowSchema: flow.flowSchema, priorityLevel: flow.priorityLevel })
  const a = attributesOfRequest(user, info)
  const decision = authorize(a, view, info.query)
  const what = {
    request: auditID,
    user: user.name,
    verb: info.verb,
    resource: info.isResource ? resourcePath(info) : info.path,
    reason: decision.reason,
  }
  ctx.because(ctx.record(decision.allowed ? 'apiserver.authz.allowed' : 'apiserver.authz.denied', what))
  const item: InFlight = {
    ...base,
    user,
    ...(acting ? { impersonator: who.user } : {}),
    ...(flow ? { flow: flow.uids } : {}),
    decision: decision.reason,
    cause: ctx.cause,
  }
  if (!decision.allowed) {
    respondStatus(ctx, item, forbiddenStatus(a, decision.reason))
    return
  }
  advance(ctx, item)
}

const resourcePath = (info: RequestInfo): string =>
  `${info.resource}${info.subresource ? `/${info.subresource}` : ''}${info.group ? `.${info.group}` : ''}`

/** Plans the request (again) and does what the plan says. */
export function advance(ctx: Context, item: InFlight): void {
  const notes: Note[] = []
  const warnings: string[] = []
  const rq = makeRq(ctx, item, notes, warnings)
  let plan: Plan
  try {
    plan = item.then?.do === 'answer' ? { do: 'answer', answer: item.then.answer } : route(rq)
  } catch (thrown) {
    if (thrown instanceof Missing) {
      ask(ctx, { ...item, plans: item.plans + 1 }, thrown)
      return
    }
    if (!(thrown instanceof Refusal)) throw thrown
    // What was refused on the strength of the cache may be allowed by the present state.
    if (!rq.fresh && mayBeStale(item, thrown.status)) {
      ask(ctx, { ...item, plans: item.plans + 1 }, new Missing('fresh', { kind: 'fresh' }))
      return
    }
    note(ctx, item, notes)
    respondStatus(ctx, { ...item, warnings: [...item.warnings, ...warnings] }, thrown.status, thrown.headers)
    return
  }
  note(ctx, item, notes)
  execute(ctx, { ...item, plans: item.plans + 1, warnings: [...item.warnings, ...warnings] }, plan)
}

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])
const mayBeStale = (item: InFlight, status: Status): boolean =>
  item.info.isResource && WRITES.has(item.info.verb) && [403, 404, 409, 422, 500].includes(status.code)

function makeRq(ctx: Context, item: InFlight, notes: Note[], warnings: string[]): Rq {
  const nowMs = EPOCH_MS + ctx.now
  const { info, user } = item
  return {
    request: item.request,
    info,
    user,
    config: ctx.config as KubeApiserverConfig,
    nowMs,
    now: formatTime(nowMs),
    view: makeView(ctx, {
      user,
      known: item.known,
      dryRun: info.query.some(([k, v]) => k === 'dryRun' && v === 'All'),
      requestVersion: info.group === '' ? info.version : `${info.group}/${info.version}`,
    }),
    warnings,
    notes,
    effects: [],
    recently: (path) => (ctx.table<number>('lookups').get(path) ?? -1) > ctx.now,
    phase: item.phase,
    phaseData: item.phaseData,
    phaseObject: item.phaseObject,
    fresh: Object.hasOwn(item.got, 'fresh'),
    plans: item.plans,
    bootstrapped: ctx.table<{ done: boolean }>('bootstrap').get('progress')?.done === true,
    metrics: metricsOf(ctx),
    random: () => ctx.random(),
    need: <T>(id: string, need: Missing['need']): T => {
      if (!Object.hasOwn(item.got, id)) throw new Missing(id, need)
      const got = item.got[id] as Got
      if ('refused' in got) throw new Refusal(got.refused)
      return got.value as T
    },
  }
}

function note(ctx: Context, item: InFlight, notes: readonly Note[]): void {
  for (const { kind, ...data } of notes) ctx.because(ctx.record(kind, { request: item.auditID, ...data } as never))
}

function execute(ctx: Context, item: InFlight, plan: Plan): void {
  switch (plan.do) {
    case 'answer':
      respond(ctx, item, plan.answer)
      return
    case 'commit':
      write(ctx, { ...item, then: plan.then, stores: plan.stores }, plan.txn)
      return
    case 'continue':
      advance(ctx, withPhase(item, plan.then, undefined))
      return
    case 'watch':
      inFlight(ctx).delete(callKey(item.call))
      openWatch(ctx, item, plan.watch)
      return
    case 'proxy':
      proxy(ctx, item, plan)
      return
    case 'reach':
      reach(ctx, item, plan)
      return
  }
}

const withPhase = (item: InFlight, then: Extract<Then, { do: 'plan' }>, object: KubeObject | undefined): InFlight => {
  const { then: _, phaseObject: __, ...rest } = item
  return { ...rest, phase: then.phase, phaseData: then.data, ...(object ? { phaseObject: object } : {}), plans: 0 }
}

/** The transaction went through. */
export function committed(ctx: Context, item: InFlight, stores: string, revision: number): void {
  const [what, key] = stores.split(' ') as ['create' | 'update' | 'delete', string]
  const { then } = item
  if (!then) throw new Error(`request ${item.call} stored ${stores} and does not know why`)
  const stored =
    then.do === 'answer-object' || (then.do === 'plan' && then.object) ? withRevision(then.object as KubeObject, revision) : undefined
  ctx.because(ctx.record('apiserver.stored', { request: item.auditID, what, key, revision }, stored ? refOf(stored) : undefined))
  const { then: _, ...rest } = item
  if (then.do === 'answer-object')
    respond(ctx, rest, { code: then.code, object: what === 'delete' ? deletedObject(then.object, revision) : (stored as KubeObject) })
  else if (then.do === 'answer') respond(ctx, rest, then.answer)
  else {
    // The cache may not have heard of it yet.
    const kv = stored && { key, value: then.object, createRevision: revision, modRevision: revision, version: 1 }
    advance(ctx, withPhase({ ...rest, known: kv ? { [key]: kv } : {} }, then, stored))
  }
}

/** A deleted object is shown as it was last stored, or with the revision of its deletion if it was not stored like this. */
const deletedObject = (object: KubeObject, revision: number): KubeObject =>
  object.metadata.resourceVersion === undefined ? withRevision(object, revision) : object

const refOf = (o: KubeObject): ObjectRef => ({
  apiVersion: o.apiVersion,
  kind: o.kind,
  ...(o.metadata.namespace ? { namespace: o.metadata.namespace } : {}),
  name: o.metadata.name ?? '',
  ...(o.metadata.uid ? { uid: o.metadata.uid } : {}),
  ...(o.metadata.resourceVersion ? { resourceVersion: o.metadata.resourceVersion } : {}),
})

/** etcd refused the transaction: its keys are now known better than from the cache. */
export function conflicted(ctx: Context, item: InFlight, known: InFlight['known']): void {
  ctx.because(ctx.record('apiserver.conflict.retried', { request: item.auditID, keys: Object.keys(known) }))
  if (item.plans >= MAX_PLANS) {
    respondStatus(ctx, item, conflict({ group: item.info.group, name: item.info.resource }, item.info.name))
    return
  }
  const { then: _, ...rest } = item
  advance(ctx, { ...rest, warnings: [], known: { ...item.known, ...known }, got: { ...item.got, fresh: { value: true } } })
}

export const etcdError = (error: string): Status => unknownError(error)

export function respondStatus(ctx: Context, item: InFlight, status: Status, headers: Readonly<Record<string, string>> = {}): void {
  const retry = status.details?.retryAfterSeconds
  respond(ctx, item, { code: status.code, raw: status, headers: { ...headers, ...(retry ? { 'retry-after': String(retry) } : {}) } })
}

export function respond(ctx: Context, item: InFlight, answer: Answer): void {
  const { response, status } = answerBody(item, answer, {
    nowMs: EPOCH_MS + ctx.now,
    route: (group, version, resource) => routeOf(ctx, group, version, resource),
  })
  finish(ctx, item, response, status)
}

/** Sends the answer, closes the books. */
export function finish(ctx: Context, item: InFlight, response: HttpResponse, status: Status | undefined): void {
  const { info } = item
  const name = (response.body as KubeObject | undefined)?.metadata?.name
  audit(ctx, item, {
    code: response.status,
    ...(status
      ? {
          failed: status.status === 'Failure',
          ...(status.message ? { message: status.message } : {}),
          ...(status.reason ? { reason: status.reason } : {}),
        }
      : {}),
    // The log shows what was asked: a name that the server generated was not.
    ...(typeof name === 'string' && info.verb === 'create' && !isGenerated(item, response.body as KubeObject) ? { name } : {}),
  })
  ctx.because(
    ctx.record('apiserver.responded', {
      request: item.auditID,
      code: response.status,
      verb: info.verb,
      resource: info.isResource ? resourcePath(info) : info.path,
      user: item.user.name,
      tookMs: ctx.now - item.receivedAt,
      ...(status?.message ? { message: status.message } : {}),
    }),
  )
  count(ctx, info, response.status)
  inFlight(ctx).delete(callKey(item.call))
  forgetNeeds(ctx, item)
  ctx.reply(item.call, response, { summary: `${response.status} ${REASONS[response.status] ?? ''}`.trim(), ok: response.status < 400 })
}

/** Whether the server made the name. Of a body that is text only the answer can tell. */
function isGenerated(item: InFlight, created: KubeObject): boolean {
  if (!created.metadata.generateName) return false
  const { body } = item.request
  return typeof body !== 'object' || !(body as Partial<KubeObject>).metadata?.name
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  410: 'Gone',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Entity',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
}

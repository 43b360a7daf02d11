// What a plan lacked is fetched here; when it is there the request is planned again.
import { HTTP_REQUEST, type HttpRequest, type HttpResponse } from '../../api/http.ts'
import { resourceExpired, type Status, tooLargeResourceVersion, unknownError } from '../../api/status.ts'
import type { Context } from '../../net/context.ts'
import type { CallResult } from '../../net/types.ts'
import type { EtcdAnswer, RangeResponse } from '../etcd/types.ts'
import { cacheState } from './cache/cache.ts'
import { callEtcd, hasOtherMember, memberOf, passOverMember } from './etcd-client.ts'
import type { Missing } from './refusal.ts'
import { advance, callKey, inFlight } from './serve.ts'
import type { Got, InFlight, Need } from './types.ts'

/** How long a read waits for the cache to reach a revision (cacher blockTimeout). */
const BLOCK_TIMEOUT_MS = 3000
/** A key that never exists: counting it tells the store's revision. */
const HEALTH_KEY = '/registry/health'

interface Waiting {
  readonly call: number
  readonly id: string
  readonly revision: number
}

interface NeedData {
  readonly call: number
  readonly id: string
  readonly need: Need
  /** The etcd member that was asked, and how many were asked before. */
  readonly member?: string
  readonly tries?: number
}

const waiting = (ctx: Context) => ctx.table<Waiting>('waiting')

export function ask(ctx: Context, item: InFlight, missing: Missing): void {
  const { id, need } = missing
  const data: NeedData = { call: item.call, id, need }
  const park = (stage: InFlight['stage']): void =>
    inFlight(ctx).put(callKey(item.call), { ...item, waitsFor: id, stage, cause: ctx.cause, background: ctx.background })
  switch (need.kind) {
    case 'fresh':
    case 'ping':
    case 'range':
      park('reading etcd')
      askEtcd(ctx, data)
      return
    case 'revision':
      if (cacheState(ctx).revision >= need.revision) {
        give(ctx, item, id, { value: true })
        return
      }
      park('waiting for the cache')
      waiting(ctx).put(callKey(item.call), { call: item.call, id, revision: need.revision })
      ctx.setTimer(`wait/${item.call}`, BLOCK_TIMEOUT_MS, 'apiserver.wait.timeout', data)
      return
    case 'lookup':
      park('looking up')
      if (need.afterMs) ctx.setTimer(`lookup/${item.call}`, need.afterMs, 'apiserver.lookup.start', data)
      else startLookup(ctx, data)
  }
}

function askEtcd(ctx: Context, data: NeedData): void {
  const { need } = data
  const then = { kind: 'apiserver.etcd.range', data: { ...data, member: memberOf(ctx) } }
  if (need.kind === 'range') callEtcd(ctx, 'etcd.range', need.request, then, `range ${need.request.key.replace('/registry/', '')}`)
  else callEtcd(ctx, 'etcd.range', { key: HEALTH_KEY, countOnly: true }, then, 'current revision')
}

function give(ctx: Context, item: InFlight, id: string, got: Got): void {
  const { waitsFor: _, ...rest } = item
  advance(ctx, { ...rest, stage: 'planning', got: { ...item.got, [id]: got } })
}

/** The request that waits for this need, if it still does. */
function waiter(ctx: Context, data: NeedData): InFlight | undefined {
  const item = inFlight(ctx).get(callKey(data.call))
  return item?.waitsFor === data.id ? item : undefined
}

export function onRange(ctx: Context, result: CallResult<EtcdAnswer<RangeResponse>, NeedData>): void {
  const item = waiter(ctx, result.data)
  if (!item) return
  const { id, need } = result.data
  if (need.kind === 'ping') {
    give(ctx, item, id, { value: { ok: result.form === 'response' && result.value.ok } })
    return
  }
  if (result.form !== 'response') {
    const { member, tries = 0 } = result.data
    ctx.record('apiserver.etcd.failed', { member: member ?? '', error: result.form === 'error' ? result.error : result.form })
    passOverMember(ctx, member)
    // A read may be asked of anyone.
    if (hasOtherMember(ctx, tries + 1)) {
      askEtcd(ctx, { ...result.data, tries: tries + 1 })
      return
    }
    give(ctx, item, id, { refused: unknownError(result.form === 'error' ? etcdUnavailable(result.error) : 'EOF') })
    return
  }
  const answer = result.value
  if (!answer.ok) {
    give(ctx, item, id, { refused: rangeError(answer.error) })
    return
  }
  if (need.kind === 'range') {
    give(ctx, item, id, { value: answer.value })
    return
  }
  const { revision } = answer.value
  if (cacheState(ctx).revision >= revision) {
    give(ctx, item, id, { value: true })
    return
  }
  inFlight(ctx).put(callKey(item.call), { ...item, stage: 'waiting for the cache' })
  waiting(ctx).put(callKey(item.call), { call: item.call, id, revision })
  ctx.setTimer(`wait/${item.call}`, BLOCK_TIMEOUT_MS, 'apiserver.wait.timeout', { ...result.data, need: { kind: 'revision', revision } })
}

const rangeError = (error: string): Status => {
  if (error.includes('compacted')) return resourceExpired('The resourceVersion for the provided list is too old.')
  return unknownError(error)
}

export const etcdUnavailable = (error: string): string =>
  `rpc error: code = Unavailable desc = ${error === 'connection refused' ? 'connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:2379: connect: connection refused"' : `error reading from server: ${error}`}`

/** The cache has moved on: whoever waited for this may go on. */
export function wake(ctx: Context): void {
  if (waiting(ctx).size === 0) return
  const { revision } = cacheState(ctx)
  for (const [key, w] of waiting(ctx).entries()) {
    if (w.revision > revision) continue
    waiting(ctx).delete(key)
    ctx.cancelTimer(`wait/${w.call}`)
    const item = inFlight(ctx).get(key)
    if (item?.waitsFor !== w.id) continue
    ctx.resume(item)
    give(ctx, item, w.id, { value: true })
  }
}

export function onWaitTimeout(ctx: Context, data: NeedData): void {
  waiting(ctx).delete(callKey(data.call))
  const item = waiter(ctx, data)
  if (!item) return
  ctx.resume(item)
  const wanted = data.need.kind === 'revision' ? data.need.revision : 0
  give(ctx, item, data.id, { refused: tooLargeResourceVersion(wanted, cacheState(ctx).revision) })
}

/** The API server's own client: over the loopback, as system:apiserver. */
export const LOOPBACK = { commonName: 'system:apiserver', organizations: ['system:masters'] }
export const LOOPBACK_AGENT = 'kube-apiserver/v1.35.4 (linux/amd64) kubernetes'

export function startLookup(ctx: Context, data: NeedData): void {
  const { need } = data
  if (need.kind !== 'lookup') return
  const request: HttpRequest = {
    method: need.method,
    path: need.path,
    headers: { accept: 'application/json', 'user-agent': LOOPBACK_AGENT, ...(need.body ? { 'content-type': 'application/json' } : {}) },
    ...(need.body ? { body: need.body } : {}),
    certificate: LOOPBACK,
    sourceIP: '127.0.0.1',
  }
  ctx.call(ctx.self, HTTP_REQUEST, request, {
    then: { kind: 'apiserver.lookup.answer', data },
    flow: need.method === 'GET' ? 'read' : 'write',
    summary: `${need.method} ${need.path}`,
  })
}

export function onLookup(ctx: Context, result: CallResult<HttpResponse, NeedData>): void {
  const { need } = result.data
  if (need.kind === 'lookup' && need.rememberMs && result.form === 'response')
    ctx.table<number>('lookups').put(need.path, ctx.now + need.rememberMs)
  const item = waiter(ctx, result.data)
  if (!item) return
  give(
    ctx,
    item,
    result.data.id,
    result.form === 'response' ? { value: result.value } : { refused: unknownError('loopback request failed') },
  )
}

export function forgetNeeds(ctx: Context, item: InFlight): void {
  if (waiting(ctx).has(callKey(item.call))) {
    waiting(ctx).delete(callKey(item.call))
    ctx.cancelTimer(`wait/${item.call}`)
  }
}

// What the API server makes at start, through its own door: pkg/controlplane/controller/*, post-start hooks.
import { HTTP_REQUEST, type HttpRequest, type HttpResponse } from '../../../api/http.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import type { ComponentType, Context } from '../../../net/context.ts'
import type { CallResult } from '../../../net/types.ts'
import { builtIn } from '../registry/index.ts'
import { cacheTable } from '../cache/cache.ts'
import { LOOPBACK, LOOPBACK_AGENT } from '../needs.ts'
import { cacheKey } from '../storage-keys.ts'
import { bootstrapObjects } from './objects.ts'
import type { KubeApiserverConfig } from '../types.ts'

interface Progress {
  readonly next: number
  readonly done: boolean
}

const RETRY_MS = 1000
const progress = (ctx: Context) => ctx.table<Progress>('bootstrap')
export const bootstrapped = (ctx: Context): boolean => progress(ctx).get('progress')?.done === true

export function startBootstrap(ctx: Context): void {
  step(ctx, 0)
}

/** Makes what is missing, one object after the other: namespaces come before what lives in them. */
function step(ctx: Context, from: number): void {
  const objects = bootstrapObjects(ctx.config as KubeApiserverConfig)
  for (let i = from; i < objects.length; i++) {
    const object = objects[i] as KubeObject
    const path = pathOf(ctx, object)
    if (path === undefined) continue
    progress(ctx).put('progress', { next: i, done: false })
    const request: HttpRequest = {
      method: 'POST',
      path,
      headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': LOOPBACK_AGENT },
      body: object,
      certificate: LOOPBACK,
      sourceIP: '127.0.0.1',
    }
    ctx.call(ctx.self, HTTP_REQUEST, request, {
      then: { kind: 'apiserver.bootstrap.answer', data: { at: i } },
      flow: 'write',
      summary: `POST ${object.kind} ${object.metadata.name}`,
    })
    return
  }
  progress(ctx).put('progress', { next: objects.length, done: true })
}

/** Collection path, or undefined if the object is there already (or its kind is not served). */
function pathOf(ctx: Context, object: KubeObject): string | undefined {
  const slash = object.apiVersion.indexOf('/')
  const group = slash < 0 ? '' : object.apiVersion.slice(0, slash)
  const version = object.apiVersion.slice(slash + 1)
  for (const served of builtIn.routes.values()) {
    if (served.group !== group || served.version !== version || served.strategy.kind !== object.kind) continue
    const { namespace, name = '' } = object.metadata
    if (cacheTable(ctx, served.id).has(cacheKey(namespace, name))) return undefined
    const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    return `${root}${namespace ? `/namespaces/${namespace}` : ''}/${served.strategy.resource}`
  }
  return undefined
}

function onAnswer(ctx: Context, result: CallResult<HttpResponse, { at: number }>): void {
  const { at } = result.data
  if (result.form === 'response' && (result.value.status < 300 || result.value.status === 409)) {
    step(ctx, at + 1)
    return
  }
  ctx.setTimer('bootstrap', RETRY_MS, 'apiserver.bootstrap.retry', at)
}

export const bootstrapHandlers: ComponentType['handlers'] = {
  'apiserver.bootstrap.answer': onAnswer as never,
  'apiserver.bootstrap.retry': ((ctx: Context, at: number) => step(ctx, at)) as never,
}

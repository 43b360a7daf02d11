// The controllers of custom resource definitions, which live in the API server and use its own door:
// apiextensions-apiserver pkg/controller/{status,establish,nonstructuralschema,apiapproval,finalizer}.
import { HTTP_REQUEST, type HttpRequest, type HttpResponse } from '../../../api/http.ts'
import { formatTime } from '../../../api/time.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { EPOCH_MS } from '../../../engine/types.ts'
import type { ComponentType, Context } from '../../../net/context.ts'
import type { CallResult } from '../../../net/types.ts'
import { cacheTable } from '../cache/cache.ts'
import { LOOPBACK, LOOPBACK_AGENT } from '../needs.ts'
import { nextOfTerminating, nextStatus } from '../registry/apiextensions/names.ts'

const CRDS = 'customresourcedefinitions.apiextensions.k8s.io'
const RETRY_MS = 1000

/** What was last asked for a definition. Nothing more is asked while an answer is out, nor before the cache has seen what was written. */
interface Asked {
  readonly revision: string
  readonly out: boolean
}
const asked = (ctx: Context) => ctx.table<Asked>('definitions')

const ANSWER = 'apiserver.definitions.answer'
const RETRY = 'apiserver.definitions.retry'

/** Call for every change of the cache: definitions, and objects of those that are being deleted. */
export function definitionsChanged(ctx: Context, id: string): void {
  if (id === CRDS) for (const name of cacheTable(ctx, CRDS).keys()) sync(ctx, name)
  else if (cacheTable(ctx, CRDS).get(id)?.metadata.deletionTimestamp) sync(ctx, id)
}

export const startDefinitions = (ctx: Context): void => definitionsChanged(ctx, CRDS)

function sync(ctx: Context, name: string): void {
  const crd = cacheTable(ctx, CRDS).get(name)
  const last = asked(ctx).get(name)
  if (!crd) {
    if (last) asked(ctx).delete(name)
    return
  }
  if (last?.out || last?.revision === crd.metadata.resourceVersion) return
  const now = formatTime(EPOCH_MS + ctx.now)
  const objects = cacheTable(ctx, name).keys()
  const due = nextOfTerminating(crd, objects.length > 0, now)
  if (due && 'do' in due) {
    removeObjects(ctx, crd, objects)
    return
  }
  const next = due?.write ?? nextStatus(crd, cacheTable(ctx, CRDS).values(), now)
  if (!next) return
  asked(ctx).put(name, { revision: crd.metadata.resourceVersion ?? '', out: true })
  send(ctx, 'PUT', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}/status`, name, next)
}

/** One deletion of all objects per namespace; the last to go wakes the definition again. */
function removeObjects(ctx: Context, crd: KubeObject, keys: readonly string[]): void {
  const name = crd.metadata.name ?? ''
  const table = cacheTable(ctx, name)
  const spec = crd.spec as {
    group: string
    names: { plural: string }
    versions: readonly { name: string; served: boolean; storage: boolean }[]
  }
  const version = spec.versions.find((v) => v.storage && v.served) ?? spec.versions.find((v) => v.served)
  const namespaces = new Set<string>()
  for (const key of keys)
    if (!table.get(key)?.metadata.deletionTimestamp) namespaces.add(key.includes('/') ? (key.split('/')[0] as string) : '')
  if (!version || namespaces.size === 0) return
  asked(ctx).put(name, { revision: '', out: true })
  const namespace = [...namespaces][0] as string
  send(ctx, 'DELETE', `/apis/${spec.group}/${version.name}${namespace === '' ? '' : `/namespaces/${namespace}`}/${spec.names.plural}`, name)
}

function send(ctx: Context, method: 'PUT' | 'DELETE', path: string, name: string, body?: KubeObject): void {
  const request: HttpRequest = {
    method,
    path,
    headers: { accept: 'application/json', 'content-type': 'application/json', 'user-agent': LOOPBACK_AGENT },
    ...(body ? { body } : {}),
    certificate: LOOPBACK,
    sourceIP: '127.0.0.1',
  }
  ctx.call(ctx.self, HTTP_REQUEST, request, { then: { kind: ANSWER, data: { name } }, flow: 'write', summary: `${method} ${path}` })
}

function onAnswer(ctx: Context, result: CallResult<HttpResponse, { name: string }>): void {
  const { name } = result.data
  const last = asked(ctx).get(name)
  if (!last) return
  asked(ctx).put(name, { ...last, out: false })
  // A conflict or a missing definition is told by the cache.
  if (result.form === 'response' && (result.value.status < 300 || result.value.status === 409 || result.value.status === 404)) {
    sync(ctx, name)
    return
  }
  ctx.setTimer(`definitions/${name}`, RETRY_MS, RETRY, name)
}

export const definitionHandlers: ComponentType['handlers'] = {
  [ANSWER]: onAnswer as never,
  [RETRY]: ((ctx: Context, name: string) => {
    asked(ctx).delete(name)
    sync(ctx, name)
  }) as never,
}

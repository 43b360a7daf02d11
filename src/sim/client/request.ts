// How every component of the cluster talks to the API server: a request now, the answer later as a step of the given kind.
import { HTTP_REQUEST, type HttpRequest, type HttpResponse } from '../api/http.ts'
import type { ComponentId } from '../engine/types.ts'
import type { Context } from '../net/context.ts'
import type { CallResult, Continuation, Flow } from '../net/types.ts'

/** Who a client is and whom it asks: what a kubeconfig file holds. */
export interface ClientConfig {
  /** API servers to try, in order of preference; a refused or silent one is passed over for the next. */
  readonly servers: readonly ComponentId[]
  readonly user: string
  readonly groups: readonly string[]
  readonly userAgent: string
  /** A bearer token instead of the certificate (service accounts). */
  readonly token?: string
  readonly sourceIP?: string
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: object | string
  /** Defaults: application/json; for PATCH say which one. */
  readonly contentType?: string
  readonly timeoutMs?: number
  /** Further headers, lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** Name of the controller behind a shared client, for the user agent (`replicaset-controller`) and the audit log. */
  readonly userAgent?: string
}

/** What the continuation's handler gets. */
export type ApiResult<D = unknown> = CallResult<HttpResponse, D>

/** client-go's default is no timeout; requests here give up after the server's own 60 s limit. */
const REQUEST_TIMEOUT_MS = 60_000

export function apiRequest(ctx: Context, client: ClientConfig, request: ApiRequest, then: Continuation): number {
  return ctx.call(serverFor(ctx, client), HTTP_REQUEST, httpRequest(client, request), {
    then,
    timeoutMs: request.timeoutMs ?? REQUEST_TIMEOUT_MS,
    flow: flowOf(request.method),
    summary: `${request.method} ${shortPath(request.path)}`,
  })
}

/** Opens a stream (watch, followed log). The continuation's handler gets chunks (StreamChunk), then an end or error. */
export function apiStream(ctx: Context, client: ClientConfig, request: ApiRequest, then: Continuation): number {
  return ctx.call(serverFor(ctx, client), HTTP_REQUEST, httpRequest(client, request), {
    then,
    stream: true,
    timeoutMs: request.timeoutMs ?? REQUEST_TIMEOUT_MS,
    flow: 'watch',
    summary: `watch ${shortPath(request.path)}`,
  })
}

export function httpRequest(client: ClientConfig, request: ApiRequest): HttpRequest {
  const headers: Record<string, string> = { accept: 'application/json', 'user-agent': request.userAgent ?? client.userAgent }
  if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json'
  if (client.token !== undefined) headers.authorization = `Bearer ${client.token}`
  Object.assign(headers, request.headers)
  return {
    method: request.method,
    path: request.path,
    headers,
    ...(request.body === undefined ? {} : { body: request.body }),
    ...(client.token === undefined ? { certificate: { commonName: client.user, organizations: client.groups } } : {}),
    sourceIP: client.sourceIP ?? '127.0.0.1',
  }
}

/** After a network error: the next request goes to the next server of the list. */
export function passOver(ctx: Context, client: ClientConfig): void {
  const table = ctx.table<number>('client/server')
  table.put('index', ((table.get('index') ?? 0) + 1) % client.servers.length)
}

export function serverFor(ctx: Context, client: ClientConfig): ComponentId {
  const index = client.servers.length > 1 ? (ctx.table<number>('client/server').get('index') ?? 0) : 0
  const server = client.servers[index % client.servers.length]
  if (!server) throw new Error(`${ctx.self} has no API server to talk to`)
  return server
}

/** The answer's body if it succeeded. */
export function succeeded(result: ApiResult): HttpResponse['body'] | undefined {
  return result.form === 'response' && result.value.status < 300 ? result.value.body : undefined
}

function flowOf(method: string): Flow {
  return method === 'GET' ? 'read' : 'write'
}

/** `/apis/apps/v1/namespaces/default/deployments/web/status?x` → `deployments/web/status`. */
export function shortPath(path: string): string {
  const [bare = ''] = path.split('?')
  const parts = bare.split('/').filter(Boolean)
  const rest = parts[0] === 'api' ? parts.slice(2) : parts[0] === 'apis' ? parts.slice(3) : parts
  const inNamespace = rest[0] === 'namespaces' && rest.length > 2 ? rest.slice(2) : rest
  return inNamespace.join('/') || bare
}

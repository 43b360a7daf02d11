// The Kubernetes API over HTTP: every request goes to the simulated API server as it came.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpRequest, HttpResponse } from '../src/sim/api/http.ts'
import { STATIC_TOKENS } from '../src/sim/cluster/door.ts'
import { queryBool, requestInfo } from '../src/sim/components/apiserver/request-info.ts'
import { goJson, sendResponse, sendStatus } from './answers.ts'
import { BODY_LIMIT, readBody } from './body.ts'
import { jsonDepth, MAX_JSON_DEPTH } from './depth.ts'
import type { SimulationHost } from './host.ts'
import { asksForProtobufV2, isOpenAPI, openapiV2Protobuf, V2_PROTOBUF_TYPE, withTexts } from './openapi.ts'
import { PROTOBUF, protobufToJson } from './protobuf/decode.ts'

/** A watcher that leaves this much unread is cut off, as the watch cache cuts off slow watchers. */
const UNREAD_LIMIT = 32 * 1024 * 1024

export function toHttpRequest(req: IncomingMessage, host: SimulationHost, body?: string): HttpRequest {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(req.headers))
    if (value !== undefined && name !== '__proto__') headers[name] = Array.isArray(value) ? value.join(', ') : value
  const request: HttpRequest = {
    method: req.method ?? 'GET',
    path: req.url ?? '/',
    headers,
    ...(body === undefined ? {} : { body }),
    sourceIP: '127.0.0.1',
  }
  if (host.choice().profile !== 'default') return request
  // The default cluster has no token file: whoever shows one of the bridge's tokens has the certificate that kubeadm would have made.
  const token = /^bearer (.*)$/i.exec(headers.authorization ?? '')?.[1]?.trim() ?? ''
  const known = Object.hasOwn(STATIC_TOKENS, token) ? STATIC_TOKENS[token] : undefined
  if (!known) return request
  const { authorization: _, ...rest } = headers
  return { ...request, headers: rest, certificate: { commonName: known.user, organizations: known.groups } }
}

export function isStream(request: HttpRequest): boolean {
  const info = requestInfo(request)
  if (!info.isResource || request.method !== 'GET') return false
  if (info.verb === 'watch') return true
  if (info.verb === 'list') return queryBool(info.query, 'watch') === true
  return info.resource === 'pods' && info.subresource === 'log' && queryBool(info.query, 'follow') === true
}

export async function serveApi(host: SimulationHost, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const body = await readBody(req)
  if ('aborted' in body) {
    res.destroy()
    return
  }
  if ('tooLarge' in body) {
    res.setHeader('connection', 'close')
    sendStatus(req, res, 413, 'RequestEntityTooLarge', `Request entity too large: limit is ${BODY_LIMIT}`)
    return
  }
  const type = (req.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase()
  let text: string | undefined
  if (type === PROTOBUF && body.bytes.length > 0) {
    try {
      text = JSON.stringify(protobufToJson(body.bytes))
      req.headers['content-type'] = 'application/json'
    } catch (error) {
      sendStatus(req, res, 400, 'BadRequest', `the object provided is unrecognized: ${(error as Error).message}`)
      return
    }
  } else if (body.bytes.length > 0 || req.method === 'POST' || req.method === 'PUT' || req.method === 'PATCH')
    text = body.bytes.toString('utf8')
  if (text !== undefined && jsonDepth(text) > MAX_JSON_DEPTH) {
    sendStatus(req, res, 400, 'BadRequest', 'exceeded max depth')
    return
  }
  const request = toHttpRequest(req, host, text)
  if (isStream(request)) {
    serveStream(host, request, req, res)
    return
  }
  const response = await (isOpenAPI(request.path) ? openapi(host, request) : host.request(request))
  if (response.status === 0)
    sendStatus(
      req,
      res,
      502,
      'BadGateway',
      `the simulated API server gave no answer: ${typeof response.body === 'string' ? response.body : ''}`,
    )
  else sendResponse(req, res, response)
}

async function openapi(host: SimulationHost, request: HttpRequest): Promise<HttpResponse> {
  const protobuf = asksForProtobufV2(request.path, request.headers.accept)
  const response = await host.request(protobuf ? { ...request, headers: { ...request.headers, accept: 'application/json' } } : request)
  if (response.status !== 200 || typeof response.body !== 'object') return response
  const document = withTexts(response.body as Record<string, unknown>)
  if (!protobuf) return { ...response, body: document }
  return { ...response, headers: { ...response.headers, 'content-type': V2_PROTOBUF_TYPE }, body: openapiV2Protobuf(document) }
}

function serveStream(host: SimulationHost, request: HttpRequest, req: IncomingMessage, res: ServerResponse): void {
  const write = (text: string): void => {
    if (res.destroyed || res.writableEnded) return
    res.write(text)
    if (res.writableLength > UNREAD_LIMIT) res.destroy()
  }
  const { close } = host.open(request, {
    head(status, headers) {
      if (res.destroyed) return
      for (const [name, value] of Object.entries(headers)) res.setHeader(name, value as string | string[])
      res.writeHead(status)
      res.flushHeaders()
    },
    chunk(chunk) {
      if ('event' in chunk) write(`${goJson({ type: chunk.event.type, object: chunk.event.object })}\n`)
      else if ('text' in chunk) write(chunk.text)
    },
    refused: (response) => {
      if (response.status === 0) sendStatus(req, res, 502, 'BadGateway', 'the simulated API server gave no answer')
      else sendResponse(req, res, response)
    },
    end: () => {
      if (!res.destroyed) res.end()
    },
  })
  // A client that closes its half of the connection has gone, as Go's server sees it.
  req.socket.once('end', close)
  res.once('close', () => {
    req.socket.removeListener('end', close)
    close()
  })
}

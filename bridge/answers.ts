// Answers on the wire: JSON as Go's encoder writes it, Status objects, compression.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzip } from 'node:zlib'
import type { HttpResponse } from '../src/sim/api/http.ts'

/** Smaller bodies are not worth compressing. */
const GZIP_FROM_BYTES = 1024
const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
}

export const goJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, undefined, indent).replace(/[<>&\u2028\u2029]/g, (c) => ESCAPES[c] as string)

export function statusBody(code: number, reason: string, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
}

/** apiserver/pkg/endpoints/handlers/negotiation isPrettyPrint */
function isPretty(req: IncomingMessage): boolean {
  const at = (req.url ?? '').indexOf('?')
  const asked = at < 0 ? null : new URLSearchParams((req.url ?? '').slice(at + 1)).get('pretty')
  if (asked !== null) return asked !== '' && asked !== '0' && asked !== 'false'
  return /^(curl|Wget|Mozilla\/5\.0)/.test(req.headers['user-agent'] ?? '')
}

export function bodyText(req: IncomingMessage, response: HttpResponse): string | Buffer {
  const { body } = response
  if (body === undefined) return ''
  if (typeof body === 'string' || Buffer.isBuffer(body)) return body
  return isPretty(req) ? goJson(body, 2) : `${goJson(body)}\n`
}

const acceptsGzip = (req: IncomingMessage): boolean =>
  /(^|,)\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*(,|$))[\d.]+)?\s*(,|$)/.test(String(req.headers['accept-encoding'] ?? ''))

export function sendText(
  req: IncomingMessage,
  res: ServerResponse,
  status: number,
  headers: HttpResponse['headers'],
  text: string | Buffer,
): void {
  if (res.destroyed || res.headersSent) return
  for (const [name, value] of Object.entries(headers)) {
    // A header value that HTTP cannot carry is left out rather than let it break the answer.
    try {
      res.setHeader(name, value as string | string[])
    } catch {}
  }
  const bytes = typeof text === 'string' ? Buffer.from(text) : text
  const finish = (data: Buffer): void => {
    if (res.destroyed) return
    res.setHeader('content-length', data.length)
    res.writeHead(status)
    res.end(data)
  }
  if (bytes.length < GZIP_FROM_BYTES || req.method !== 'GET' || status >= 300 || !acceptsGzip(req)) {
    finish(bytes)
    return
  }
  res.setHeader('vary', 'Accept-Encoding')
  gzip(bytes, { level: 1 }, (error, data) => {
    if (error) finish(bytes)
    else {
      res.setHeader('content-encoding', 'gzip')
      finish(data)
    }
  })
}

export const sendResponse = (req: IncomingMessage, res: ServerResponse, response: HttpResponse): void =>
  sendText(req, res, response.status, response.headers, bodyText(req, response))

export const sendStatus = (req: IncomingMessage, res: ServerResponse, code: number, reason: string, message: string): void =>
  sendText(req, res, code, { 'content-type': 'application/json' }, `${goJson(statusBody(code, reason, message))}\n`)

export const sendJson = (req: IncomingMessage, res: ServerResponse, status: number, value: unknown): void =>
  sendText(req, res, status, { 'content-type': 'application/json' }, `${goJson(value)}\n`)

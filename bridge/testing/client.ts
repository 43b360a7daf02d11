// A bare HTTPS client for tests: whole answers, streams, and raw bytes on a TLS connection.
import { Agent, type RequestOptions, request } from 'node:https'
import { connect, type TLSSocket } from 'node:tls'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Bridge } from '../server.ts'

export interface Reply {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

export interface Ask {
  readonly method?: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

const options = (bridge: Bridge, ask: Ask, agent?: Agent): RequestOptions => ({
  host: '127.0.0.1',
  port: bridge.port,
  ca: bridge.certificate.cert,
  method: ask.method ?? 'GET',
  path: ask.path,
  headers: { authorization: 'Bearer admin-token', ...ask.headers },
  agent: agent ?? false,
  servername: 'localhost',
})

export function fetchFrom(bridge: Bridge, ask: Ask): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const req = request(options(bridge, ask), (res) => {
      const chunks: Buffer[] = []
      res.on('data', (c: Buffer) => chunks.push(c))
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text: Buffer.concat(chunks).toString('latin1') }))
      res.on('error', reject)
    })
    req.on('error', reject)
    req.end(ask.body)
  })
}

/** Resolves when the head of the answer is there. */
export function openStream(
  bridge: Bridge,
  ask: Ask,
): Promise<{ status: number; response: IncomingMessage; read(): string; close(): void }> {
  return new Promise((resolve, reject) => {
    const req = request(options(bridge, ask), (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (c: string) => (text += c))
      res.on('error', () => {})
      resolve({ status: res.statusCode ?? 0, response: res, read: () => text, close: () => req.destroy() })
    })
    req.on('error', reject)
    req.end(ask.body)
  })
}

export function rawConnection(bridge: Bridge, allowHalfOpen = false): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: '127.0.0.1', port: bridge.port, ca: bridge.certificate.cert, ...(allowHalfOpen ? { allowHalfOpen: true } : {}) } as never,
      () => resolve(socket),
    )
    socket.on('error', reject)
  })
}

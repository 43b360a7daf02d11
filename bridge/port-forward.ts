// port-forward: SPDY tunnelled in a websocket (KEP-4006), two streams a connection (data and error). The simulated network carries whole HTTP
// requests to pods, so what comes through must be HTTP/1.x; every request becomes one visit.
import type { IncomingMessage } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HttpRequest, HttpResponse } from '../src/sim/api/http.ts'
import type { SimulationHost } from './host.ts'
import { answerRaw } from './raw.ts'
import { openSpdy, type SpdyStream } from './spdy.ts'
import { acceptWebSocket, offeredProtocols } from './websocket.ts'

const PROTOCOL = 'SPDY/3.1+portforward.k8s.io'
const MAX_REQUEST_BYTES = 1024 * 1024

interface Forwarded {
  buffer: Buffer
  busy: boolean
  over: boolean
}

/** One whole request at the front of what has come; undefined = more is needed. */
export function takeRequest(buffer: Buffer): { method: string; path: string; keepAlive: boolean; rest: Buffer } | 'not http' | undefined {
  const end = buffer.indexOf('\r\n\r\n')
  if (end < 0)
    return buffer.length > 64 * 1024 || (buffer.length > 0 && !/^[A-Z]{0,16}( |$)/.test(buffer.toString('latin1', 0, 16)))
      ? 'not http'
      : undefined
  const [first = '', ...lines] = buffer.toString('latin1', 0, end).split('\r\n')
  const line = /^([A-Z]+) (\S+) HTTP\/1\.([01])$/.exec(first)
  if (!line) return 'not http'
  const header = (name: string): string | undefined =>
    lines
      .find((l) => l.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim()
  const length = Number(header('content-length') ?? 0)
  if (!(length >= 0) || length > MAX_REQUEST_BYTES) return 'not http'
  if (buffer.length < end + 4 + length) return undefined
  const connection = header('connection')?.toLowerCase()
  return {
    method: line[1] as string,
    path: line[2] as string,
    keepAlive: line[3] === '1' ? connection !== 'close' : connection === 'keep-alive',
    rest: buffer.subarray(end + 4 + length),
  }
}

export function servePortForward(host: SimulationHost, request: HttpRequest, req: IncomingMessage, socket: Duplex, head: Buffer): void {
  if (!offeredProtocols(req).includes(PROTOCOL)) {
    answerRaw(socket, { status: 400, headers: { 'content-type': 'text/plain' }, body: `unable to upgrade: only ${PROTOCOL} is spoken\n` })
    return
  }
  const path = request.path.split('?')[0] as string
  const { upgrade: _, connection: __, ...headers } = request.headers
  const pod: HttpRequest = {
    ...request,
    method: 'GET',
    path: path.replace(/\/portforward$/, ''),
    headers: { ...headers, accept: 'application/json' },
  }
  void host.request(pod).then((answer) => {
    if (answer.status === 404) answerRaw(socket, answer)
    else tunnel()
  })

  const tunnel = (): void => {
    const connections = new Map<number, Forwarded>()
    const errors = new Map<string, SpdyStream>()
    const fail = (stream: SpdyStream, why: string): void => {
      const error = errors.get(stream.headers.requestid ?? '')
      error?.write(Buffer.from(why))
      error?.end()
      stream.end()
    }
    const over = (stream: SpdyStream): void => {
      errors.get(stream.headers.requestid ?? '')?.end()
      stream.end()
    }
    const serve = (stream: SpdyStream, c: Forwarded): void => {
      if (c.busy) return
      const next = takeRequest(c.buffer)
      if (next === undefined) {
        if (c.over) over(stream)
        return
      }
      const port = stream.headers.port ?? ''
      if (next === 'not http') {
        fail(stream, `error forwarding port ${port}: the simulated network carries HTTP only`)
        return
      }
      c.buffer = next.rest
      c.busy = true
      const query = new URLSearchParams({ ports: port, path: next.path, method: next.method })
      void host.request({ ...request, method: 'GET', path: `${path}?${query}` }).then((answer) => {
        c.busy = false
        const text = bodyOf(answer)
        if (answer.status === 0 || (answer.status >= 400 && text.startsWith('error forwarding port')) || 'audit-id' in answer.headers) {
          fail(stream, text || 'the connection was lost')
          return
        }
        const type = String(answer.headers['content-type'] ?? 'text/plain')
        const answered = next.method === 'HEAD' ? '' : text
        stream.write(
          Buffer.from(
            `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: ${next.keepAlive ? 'keep-alive' : 'close'}\r\n\r\n${answered}`,
          ),
        )
        if (next.keepAlive) serve(stream, c)
        else over(stream)
      })
    }
    const spdy = openSpdy(
      (bytes) => connection.send(bytes),
      (why) => connection.close(1002, why),
      {
        stream(stream) {
          if (stream.headers.streamtype === 'error') errors.set(stream.headers.requestid ?? '', stream)
          else connections.set(stream.id, { buffer: Buffer.alloc(0), busy: false, over: false })
        },
        data(stream, data) {
          const c = connections.get(stream.id)
          if (!c) return
          c.buffer = Buffer.concat([c.buffer, data])
          if (c.buffer.length > 2 * MAX_REQUEST_BYTES) fail(stream, 'the request is too large')
          else serve(stream, c)
        },
        ended(stream) {
          const c = connections.get(stream.id)
          if (!c) return
          c.over = true
          serve(stream, c)
        },
        closed: (stream) => void connections.delete(stream.id),
      },
    )
    const connection = acceptWebSocket(req, socket, head, PROTOCOL, { message: (data) => spdy.receive(data), close: () => spdy.close() })
  }
}

const bodyOf = ({ body }: HttpResponse): string => {
  if (body === undefined) return ''
  if (typeof body === 'string') return body
  return 'message' in body ? String(body.message) : JSON.stringify(body)
}

// Connections that leave HTTP: exec, attach and port-forward.
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HttpResponse } from '../src/sim/api/http.ts'
import { goJson, statusBody } from './answers.ts'
import { toHttpRequest } from './api.ts'
import type { SimulationHost } from './host.ts'

/** An ordinary HTTP answer instead of the upgrade. */
export function answerRaw(socket: Duplex, response: HttpResponse): void {
  const body = response.body === undefined ? '' : typeof response.body === 'string' ? response.body : `${goJson(response.body)}\n`
  const lines = Object.entries(response.headers).map(([name, value]) => `${name}: ${String(value)}\r\n`)
  const { status } = response
  if (!socket.destroyed) socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`)
}

export function serveUpgrade(host: SimulationHost, req: IncomingMessage, socket: Duplex, _head: Buffer): void {
  void host.request(toHttpRequest(req, host)).then((response) => {
    if (response.status !== 0 && response.status !== 101) answerRaw(socket, response)
    else answerRaw(socket, { status: 501, headers: { 'content-type': 'application/json' }, body: statusBody(501, 'NotImplemented', 'this connection is not built yet') })
  })
}

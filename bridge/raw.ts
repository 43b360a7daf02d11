// An ordinary HTTP answer on a connection that asked to leave HTTP.
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HttpResponse } from '../src/sim/api/http.ts'
import { goJson } from './answers.ts'

export function answerRaw(socket: Duplex, response: HttpResponse): void {
  if (socket.destroyed) return
  const body = response.body === undefined ? '' : typeof response.body === 'string' ? response.body : `${goJson(response.body)}\n`
  const lines = Object.entries(response.headers).flatMap(([name, value]) =>
    (typeof value === 'string' ? [value] : value).map((v) => `${name}: ${v.replace(/[\r\n]/g, ' ')}\r\n`),
  )
  const status = response.status === 0 ? 502 : response.status
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

// Connections that leave HTTP: exec, attach and port-forward, watches over websockets.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { requestInfo } from '../src/sim/components/apiserver/request-info.ts'
import { goJson, statusBody } from './answers.ts'
import { isStream, toHttpRequest } from './api.ts'
import { serveAttach, serveExec } from './exec.ts'
import type { SimulationHost } from './host.ts'
import { servePortForward } from './port-forward.ts'
import { answerRaw } from './raw.ts'
import { acceptWebSocket, isWebSocket, type WebSocketConnection } from './websocket.ts'

const UNREAD_LIMIT = 32 * 1024 * 1024

export function serveUpgrade(host: SimulationHost, req: IncomingMessage, socket: Duplex, head: Buffer): void {
  const request = toHttpRequest(req, host)
  const info = requestInfo(request)
  const query = new URLSearchParams(request.path.split('?')[1] ?? '')
  const connects = info.isResource && info.resource === 'pods' && ['exec', 'attach', 'portforward'].includes(info.subresource)
  if (isWebSocket(req)) {
    if (connects && info.subresource === 'exec') return serveExec(host, request, query, req, socket, head)
    if (connects && info.subresource === 'attach') return serveAttach(host, request, query, req, socket, head)
    if (connects) return servePortForward(host, request, req, socket, head)
    if (isStream(request)) return serveWatch(host, request, req, socket, head)
  }
  // Whoever asks for what is refused hears the refusal; for the rest there is no such connection.
  void host.request(request).then((response) => {
    if (response.status >= 300) answerRaw(socket, response)
    else
      answerRaw(socket, {
        status: 501,
        headers: { 'content-type': 'application/json' },
        body: statusBody(
          501,
          'NotImplemented',
          `upgrade to ${req.headers.upgrade ?? ''} is not built; exec, attach and port-forward speak websockets`,
        ),
      })
  })
}

/** One event a message. */
function serveWatch(
  host: SimulationHost,
  request: ReturnType<typeof toHttpRequest>,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  let connection: WebSocketConnection | undefined
  const stream = host.open(request, {
    head: () => {
      connection = acceptWebSocket(req, socket, head, undefined, { message: () => {}, close: () => stream.close() })
    },
    chunk: (chunk) => {
      if ('event' in chunk) connection?.sendText(goJson(chunk.event))
      else if ('text' in chunk) connection?.sendText(chunk.text)
      if ((connection?.unread() ?? 0) > UNREAD_LIMIT) socket.destroy()
    },
    refused: (response) => answerRaw(socket, response),
    end: () => connection?.close(),
  })
}

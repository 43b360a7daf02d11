// The bridge: one simulated cluster on a loopback port, over TLS.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { sendStatus, statusBody } from './answers.ts'
import { serveApi } from './api.ts'
import { type Certificate, selfSigned } from './certificate.ts'
import { refusal } from './guard.ts'
import { createSimulationHost, type SimulationHost } from './host.ts'
import type { BridgeOptions } from './options.ts'
import { serveSim } from './sim-routes.ts'
import { serveUpgrade } from './upgrade.ts'

export interface Bridge {
  readonly url: string
  readonly port: number
  readonly certificate: Certificate
  readonly host: SimulationHost
  close(): Promise<void>
}

const LOOPBACK = '127.0.0.1'
/** kube-apiserver's limit. */
const MAX_HEADER_BYTES = 1 << 20

export async function startBridge(options: BridgeOptions, log: (line: string) => void = (line) => console.error(line)): Promise<Bridge> {
  const certificate = selfSigned(Date.now())
  const host = createSimulationHost(options, options.clock, log)
  let port = 0
  const server = createServer(
    { ...certificate, ALPNProtocols: ['http/1.1'], maxHeaderSize: MAX_HEADER_BYTES, keepAlive: true, noDelay: true },
    (req, res) => {
      void serve(req, res).catch((error: unknown) => {
        log(`${req.method} ${req.url?.slice(0, 200)}: ${error instanceof Error ? error.stack : String(error)}`)
        if (res.headersSent) res.destroy()
        else sendStatus(req, res, 500, 'InternalError', 'the bridge failed; its error output says why')
      })
    },
  )
  const serve = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    res.on('error', () => {})
    res.setHeader('x-content-type-options', 'nosniff')
    const why = refusal(req, port)
    if (why !== undefined) return sendStatus(req, res, 403, 'Forbidden', why)
    if (!req.url?.startsWith('/')) return sendStatus(req, res, 400, 'BadRequest', 'the request has no path')
    if (req.url.startsWith('/sim/v1/')) await serveSim(host, options, req, res)
    else await serveApi(host, req, res)
  }
  server.keepAliveTimeout = 120_000
  server.headersTimeout = 30_000
  server.requestTimeout = 120_000
  server.on('clientError', (_error: Error, socket: Duplex) => {
    if (socket.writable)
      socket.end('HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request')
    else socket.destroy()
  })
  server.on('secureConnection', (socket) => socket.on('error', () => socket.destroy()))
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => socket.destroy())
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const why = refusal(req, port)
    if (why === undefined) serveUpgrade(host, req, socket, head)
    else {
      const body = JSON.stringify(statusBody(403, 'Forbidden', why))
      socket.end(
        `HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      )
    }
  })
  port = await listen(server, options.port)
  return {
    url: `https://${LOOPBACK}:${port}`,
    port,
    certificate,
    host,
    close: () =>
      new Promise((resolve) => {
        host.stop()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, LOOPBACK, () => {
      server.removeListener('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

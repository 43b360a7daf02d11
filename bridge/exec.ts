// exec and attach over websockets: the channels of v4/v5.channel.k8s.io (apimachinery/pkg/util/remotecommand, kubelet/pkg/cri/streaming/remotecommand).
// The simulated runtime runs a command to its end and then tells what it wrote, so input is collected first.
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HttpRequest, HttpResponse } from '../src/sim/api/http.ts'
import { isStatus } from '../src/sim/api/status.ts'
import { answerRaw } from './raw.ts'
import type { OpenedStream, SimulationHost } from './host.ts'
import { isShell, openTerminal } from './terminal.ts'
import { acceptWebSocket, offeredProtocols, type WebSocketConnection } from './websocket.ts'

const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const STDIN = 0
const STDOUT = 1
const STDERR = 2
const ERROR = 3
/** v5: the channel named by the next byte is closed. */
const CLOSED = 255
/** What a command may be given to read. */
const STDIN_LIMIT = 3 * 1024 * 1024

export interface ExecResult {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

const isExecResult = (body: unknown): body is ExecResult =>
  typeof body === 'object' && body !== null && 'exitCode' in body && 'stdout' in body

/** What is said on the error channel at the end. */
export function endStatus(response: HttpResponse): object {
  const { body } = response
  if (isExecResult(body)) {
    if (body.exitCode === 0) return { metadata: {}, status: 'Success' }
    const message = `command terminated with non-zero exit code: exit status ${body.exitCode}`
    return {
      metadata: {},
      status: 'Failure',
      message,
      reason: 'NonZeroExitCode',
      details: { causes: [{ reason: 'ExitCode', message: String(body.exitCode) }] },
    }
  }
  // The runtime's failure reached the kubelet after the connection was open: the kubelet wraps it once more.
  if (isStatus(body) && body.code === 500) return { ...body, message: `Internal error occurred: ${body.message ?? ''}` }
  if (isStatus(body)) return body
  return {
    metadata: {},
    status: 'Failure',
    message: typeof body === 'string' ? body : 'the command could not be run',
    reason: 'InternalError',
    code: 500,
  }
}

/** Runs one command; `done` is called once. */
export function runCommand(host: SimulationHost, request: HttpRequest, done: (response: HttpResponse) => void): OpenedStream {
  let said = false
  const say = (response: HttpResponse): void => {
    if (said) return
    said = true
    done(response)
  }
  return host.open(request, {
    head: () => {},
    chunk: () => {},
    refused: say,
    end: () => say({ status: 500, headers: {}, body: 'the connection to the container was lost' }),
  })
}

export function serveExec(
  host: SimulationHost,
  request: HttpRequest,
  query: URLSearchParams,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const protocol = offeredProtocols(req).find((p) => PROTOCOLS.includes(p))
  if (protocol === undefined) {
    answerRaw(socket, {
      status: 400,
      headers: { 'content-type': 'text/plain' },
      body: `unable to upgrade: only ${PROTOCOLS.join(' and ')} are spoken\n`,
    })
    return
  }
  const flag = (name: string): boolean => ['1', 'true', 't', 'T', 'TRUE', 'True'].includes(query.get(name) ?? '')
  const tty = flag('tty')
  const stdin = flag('stdin')
  const command = query.getAll('command')
  let connection: WebSocketConnection | undefined
  let running: OpenedStream | undefined
  let onInput: ((data: Buffer) => void) | undefined
  let onInputEnd: (() => void) | undefined
  const send = (channel: number, data: string): void => {
    if (data !== '')
      connection?.send(
        Buffer.concat([Buffer.from([channel]), Buffer.from(tty && channel !== ERROR ? data.replace(/\r?\n/g, '\r\n') : data)]),
      )
  }
  const finish = (response: HttpResponse): void => {
    if (isExecResult(response.body)) {
      send(STDOUT, response.body.stdout)
      // With a terminal both streams are the terminal.
      send(tty ? STDOUT : STDERR, response.body.stderr)
    }
    send(ERROR, JSON.stringify(endStatus(response)))
    connection?.close()
  }
  const accept = (): void => {
    connection = acceptWebSocket(req, socket, head, protocol, {
      message(data) {
        if (data[0] === STDIN) onInput?.(data.subarray(1))
        else if (data[0] === CLOSED && data[1] === STDIN) onInputEnd?.()
      },
      close: () => {
        onInputEnd?.()
        running?.close()
      },
    })
    // Tells the client that the streams are open.
    connection.send(Buffer.from([STDOUT]))
  }
  const inContainer = (words: readonly string[]): HttpRequest => {
    const container = query.get('container')
    const pairs = [
      ...(container ? [['container', container]] : []),
      ...words.map((c) => ['command', c]),
      ['stdout', 'true'],
      ['stderr', 'true'],
    ]
    return { ...request, path: `${request.path.split('?')[0]}?${new URLSearchParams(pairs)}` }
  }
  /** Who may not run anything in this container, or names none, is told so before the connection changes. */
  const unlessRefused = (go: () => void): void => {
    let refusal: HttpResponse | undefined
    const trial = runCommand(host, inContainer(['true']), (response) => {
      refusal = response.status >= 400 && response.status < 500 ? response : undefined
    })
    void trial.opened.then(() => {
      trial.close()
      if (refusal) answerRaw(socket, refusal)
      else go()
    })
  }
  if (stdin && tty && isShell(command)) return unlessRefused(interact)
  if (stdin && !tty) return unlessRefused(collect)
  let early: HttpResponse | undefined
  running = runCommand(host, request, (response) => {
    early = response
    if (connection) finish(response)
  })
  void running.opened.then(() => {
    if (early && !isExecResult(early.body) && early.status !== 500) {
      answerRaw(socket, early)
      return
    }
    accept()
    if (early) finish(early)
  })

  function interact(): void {
    accept()
    const terminal = openTerminal({
      write: (text) => connection?.send(Buffer.concat([Buffer.from([STDOUT]), Buffer.from(text)])),
      run: (script, done) => {
        running = runCommand(host, inContainer([command[0] ?? 'sh', '-c', script]), (response) =>
          done(isExecResult(response.body) ? response.body : undefined, response),
        )
      },
      end: (response) => finish(response),
    })
    onInput = (data) => terminal.input(data.toString('utf8'))
  }
  function collect(): void {
    accept()
    const parts: Buffer[] = []
    let length = 0
    onInput = (data) => {
      length += data.length
      if (length <= STDIN_LIMIT) parts.push(data)
    }
    onInputEnd = () => {
      if (running) return
      running = runCommand(host, { ...request, body: Buffer.concat(parts).toString('utf8') }, finish)
    }
  }
}

/** What the container writes from now on. Its input is not connected. */
export function serveAttach(
  host: SimulationHost,
  request: HttpRequest,
  query: URLSearchParams,
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const protocol = offeredProtocols(req).find((p) => PROTOCOLS.includes(p))
  if (protocol === undefined) {
    answerRaw(socket, {
      status: 400,
      headers: { 'content-type': 'text/plain' },
      body: `unable to upgrade: only ${PROTOCOLS.join(' and ')} are spoken\n`,
    })
    return
  }
  let connection: WebSocketConnection | undefined
  const container = query.get('container')
  const path = `${(request.path.split('?')[0] as string).replace(/\/attach$/, '/log')}?follow=true&tailLines=0${container ? `&container=${encodeURIComponent(container)}` : ''}`
  const stream = host.open(
    { ...request, method: 'GET', path },
    {
      head: () => {
        connection = acceptWebSocket(req, socket, head, protocol, { message: () => {}, close: () => stream.close() })
        connection.send(Buffer.from([STDOUT]))
      },
      chunk: (chunk) => {
        if ('text' in chunk) connection?.send(Buffer.concat([Buffer.from([STDOUT]), Buffer.from(chunk.text)]))
      },
      refused: (response) => answerRaw(socket, response),
      end: () => {
        connection?.send(Buffer.concat([Buffer.from([ERROR]), Buffer.from(JSON.stringify({ metadata: {}, status: 'Success' }))]))
        connection?.close()
      },
    },
  )
}

// The server's side of RFC 6455, as much as Kubernetes clients need: whole messages, ping, close. No extensions.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'

export interface WebSocketListener {
  message(data: Buffer, text: boolean): void
  close(): void
}

export interface WebSocketConnection {
  send(data: Buffer): void
  sendText(text: string): void
  close(code?: number, reason?: string): void
  /** Bytes the client has not read yet. */
  unread(): number
}

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024
const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10

export const isWebSocket = (req: IncomingMessage): boolean =>
  (req.headers.upgrade ?? '').toLowerCase() === 'websocket' && typeof req.headers['sec-websocket-key'] === 'string'

export const offeredProtocols = (req: IncomingMessage): string[] =>
  String(req.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((p) => p.trim())
    .filter((p) => p !== '')

export function acceptWebSocket(
  req: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  protocol: string | undefined,
  listener: WebSocketListener,
): WebSocketConnection {
  const accept = createHash('sha1').update(`${req.headers['sec-websocket-key']}${GUID}`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`}\r\n`,
  )
  let buffer = head
  let parts: Buffer[] = []
  let partsLength = 0
  let firstOpcode = 0
  let closed = false

  const write = (opcode: number, data: Buffer): void => {
    if (socket.destroyed || socket.writableEnded) return
    const { length } = data
    const header = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10)
    header[0] = 0x80 | opcode
    if (length < 126) header[1] = length
    else if (length < 65_536) {
      header[1] = 126
      header.writeUInt16BE(length, 2)
    } else {
      header[1] = 127
      header.writeBigUInt64BE(BigInt(length), 2)
    }
    socket.write(Buffer.concat([header, data]))
  }
  const gone = (): void => {
    if (closed) return
    closed = true
    listener.close()
  }
  const close = (code = 1000, reason = ''): void => {
    if (socket.destroyed || socket.writableEnded) return
    const data = Buffer.alloc(2 + Buffer.byteLength(reason))
    data.writeUInt16BE(code, 0)
    data.write(reason, 2)
    write(CLOSE, data)
    socket.end()
    // A client that does not close its side is not waited for.
    setTimeout(() => socket.destroy(), 2000).unref()
    gone()
  }
  const frame = (opcode: number, final: boolean, data: Buffer): void => {
    if (opcode === CLOSE) close()
    else if (opcode === PING) write(PONG, data)
    else if (opcode === PONG) return
    else {
      if (opcode !== 0) {
        firstOpcode = opcode
        parts = []
        partsLength = 0
      }
      parts.push(data)
      partsLength += data.length
      if (partsLength > MAX_MESSAGE_BYTES) close(1009, 'message too big')
      else if (final) listener.message(Buffer.concat(parts), firstOpcode === TEXT)
    }
  }
  const read = (): void => {
    while (!closed && buffer.length >= 2) {
      const first = buffer[0] as number
      const second = buffer[1] as number
      let length = second & 0x7f
      let at = 2
      if (length === 126) {
        if (buffer.length < 4) return
        length = buffer.readUInt16BE(2)
        at = 4
      } else if (length === 127) {
        if (buffer.length < 10) return
        length = Number(buffer.readBigUInt64BE(2))
        at = 10
      }
      // A client masks what it sends, and uses no reserved bits without an extension.
      if ((second & 0x80) === 0 || (first & 0x70) !== 0) return close(1002, 'protocol error')
      if (length > MAX_MESSAGE_BYTES) return close(1009, 'message too big')
      if (buffer.length < at + 4 + length) return
      const mask = buffer.subarray(at, at + 4)
      const data = Buffer.from(buffer.subarray(at + 4, at + 4 + length))
      for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) ^ (mask[i & 3] as number)
      buffer = buffer.subarray(at + 4 + length)
      frame(first & 0x0f, (first & 0x80) !== 0, data)
    }
  }
  socket.on('data', (chunk: Buffer) => {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk])
    read()
  })
  socket.on('end', () => {
    socket.end()
    gone()
  })
  socket.on('close', gone)
  setImmediate(read)
  return {
    send: (data) => write(BINARY, data),
    sendText: (text) => write(TEXT, Buffer.from(text)),
    close,
    unread: () => socket.writableLength,
  }
}

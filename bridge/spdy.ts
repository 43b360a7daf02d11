// The server's side of SPDY/3.1 (draft-mbelshe-httpbis-spdy-00), as much as port-forward needs: streams opened by the client, data both ways.
import { constants, createDeflate, createInflate, type Deflate, type Inflate } from 'node:zlib'
import { SPDY_DICTIONARY } from './spdy-dictionary.ts'

export interface SpdyStream {
  readonly id: number
  readonly headers: Readonly<Record<string, string>>
  write(data: Buffer): void
  /** No more data from this side. */
  end(): void
  reset(): void
}

export interface SpdyListener {
  stream(stream: SpdyStream): void
  data(stream: SpdyStream, data: Buffer): void
  /** The client closed its half. */
  ended(stream: SpdyStream): void
  closed(stream: SpdyStream): void
}

const SYN_STREAM = 1
const SYN_REPLY = 2
const RST_STREAM = 3
const PING = 6
const GOAWAY = 7
const FIN = 1
const CANCEL = 5
const MAX_FRAME_BYTES = 4 * 1024 * 1024
const MAX_HEADER_BYTES = 64 * 1024
const MAX_CHUNK_BYTES = 32 * 1024

export interface SpdyConnection {
  /** Bytes from the client. */
  receive(bytes: Buffer): void
  close(): void
}

/** @param send bytes to the client; @param fail what to do with a client that does not speak the protocol */
export function openSpdy(send: (bytes: Buffer) => void, fail: (why: string) => void, listener: SpdyListener): SpdyConnection {
  const inflate: Inflate = createInflate({ dictionary: SPDY_DICTIONARY })
  const deflate: Deflate = createDeflate({ dictionary: SPDY_DICTIONARY, level: 1 })
  const streams = new Map<number, SpdyStream>()
  let buffer: Buffer = Buffer.alloc(0)
  let stopped = false
  /** Header blocks share one compression context each way, so frames are handled strictly one after another. */
  let busy = false
  let inflated: Buffer[] = []
  let deflated: Buffer[] = []
  inflate.on('data', (c: Buffer) => inflated.push(c))
  deflate.on('data', (c: Buffer) => deflated.push(c))
  const stop = (why: string): void => {
    if (stopped) return
    stopped = true
    inflate.destroy()
    deflate.destroy()
    if (why !== '') fail(why)
  }
  inflate.on('error', () => stop('bad header block'))
  deflate.on('error', () => stop('bad header block'))

  const control = (type: number, flags: number, body: Buffer): void => {
    const head = Buffer.alloc(8)
    head.writeUInt16BE(0x8003, 0)
    head.writeUInt16BE(type, 2)
    head.writeUInt32BE(((flags << 24) | body.length) >>> 0, 4)
    send(Buffer.concat([head, body]))
  }
  const numbers = (...values: readonly number[]): Buffer => {
    const body = Buffer.alloc(values.length * 4)
    values.forEach((v, i) => body.writeUInt32BE(v >>> 0, i * 4))
    return body
  }
  const dataFrame = (id: number, flags: number, data: Buffer): void => {
    const head = Buffer.alloc(8)
    head.writeUInt32BE(id, 0)
    head.writeUInt32BE(((flags << 24) | data.length) >>> 0, 4)
    send(Buffer.concat([head, data]))
  }
  const opened = (id: number, headers: Record<string, string>, then: () => void): void => {
    const stream: SpdyStream = {
      id,
      headers,
      write: (data) => {
        for (let at = 0; at < data.length; at += MAX_CHUNK_BYTES) dataFrame(id, 0, data.subarray(at, at + MAX_CHUNK_BYTES))
      },
      end: () => dataFrame(id, FIN, Buffer.alloc(0)),
      reset: () => {
        streams.delete(id)
        control(RST_STREAM, 0, numbers(id, CANCEL))
      },
    }
    streams.set(id, stream)
    deflated = []
    deflate.write(numbers(0))
    deflate.flush(constants.Z_SYNC_FLUSH, () => {
      control(SYN_REPLY, 0, Buffer.concat([numbers(id), ...deflated]))
      listener.stream(stream)
      then()
    })
  }
  const readHeaders = (block: Buffer, then: (headers: Record<string, string>) => void): void => {
    inflated = []
    inflate.write(block)
    inflate.flush(constants.Z_SYNC_FLUSH, () => {
      const bytes = Buffer.concat(inflated)
      const headers: Record<string, string> = Object.create(null)
      try {
        if (bytes.length > MAX_HEADER_BYTES) throw new RangeError('too long')
        let at = 4
        const word = (): string => {
          const length = bytes.readUInt32BE(at)
          at += 4 + length
          if (at > bytes.length) throw new RangeError('too short')
          return bytes.toString('utf8', at - length, at)
        }
        for (let n = bytes.readUInt32BE(0); n > 0; n--) {
          const name = word().toLowerCase()
          headers[name] = word()
        }
      } catch {
        stop('bad header block')
        return
      }
      then(headers)
    })
  }
  const next = (): void => {
    busy = false
    pump()
  }
  const frame = (isControl: boolean, first: number, flags: number, body: Buffer): void => {
    if (!isControl) {
      const stream = streams.get(first)
      if (stream && body.length > 0) listener.data(stream, body)
      if (stream && (flags & FIN) !== 0) listener.ended(stream)
      return next()
    }
    const type = first & 0xffff
    if (type === SYN_STREAM && body.length >= 10) {
      const id = body.readUInt32BE(0) & 0x7fffffff
      readHeaders(body.subarray(10), (headers) =>
        opened(id, headers, () => {
          const stream = streams.get(id)
          if (stream && (flags & FIN) !== 0) listener.ended(stream)
          next()
        }),
      )
      return
    }
    if (type === PING) control(PING, 0, body.subarray(0, 4))
    else if (type === RST_STREAM && body.length >= 4) {
      const stream = streams.get(body.readUInt32BE(0) & 0x7fffffff)
      if (stream) {
        streams.delete(stream.id)
        listener.closed(stream)
      }
    } else if (type === GOAWAY) {
      for (const stream of streams.values()) listener.closed(stream)
      streams.clear()
    }
    next()
  }
  const pump = (): void => {
    if (busy || stopped || buffer.length < 8) return
    const first = buffer.readUInt32BE(0)
    const second = buffer.readUInt32BE(4)
    const length = second & 0xffffff
    if (length > MAX_FRAME_BYTES) return stop('frame too large')
    if (buffer.length < 8 + length) return
    const body = buffer.subarray(8, 8 + length)
    buffer = buffer.subarray(8 + length)
    busy = true
    frame((first & 0x80000000) !== 0, first & 0x7fffffff, second >>> 24, body)
  }
  return {
    receive: (bytes) => {
      if (stopped) return
      buffer = buffer.length === 0 ? bytes : Buffer.concat([buffer, bytes])
      pump()
    },
    close: () => {
      for (const stream of streams.values()) listener.closed(stream)
      streams.clear()
      stop('')
    },
  }
}

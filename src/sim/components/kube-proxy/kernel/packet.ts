// What machines send each other in this model: the first packet of a connection and all that is answered to it, as one message each way.
import type { DnsQuestion, DnsResponse } from '../../dns/message.ts'
import type { Headers } from './netfilter.ts'

/** Kind of the call that carries a packet to another machine's kernel. */
export const PACKET = 'kernel.packet'
/** Kind of the call to a process that listens on its node without being a container's program (health checks of kube-proxy). */
export const SOCKET_REQUEST = 'socket.request'
export const PACKET_LOOK = { flow: 'data' } as const

export interface HttpAsk {
  readonly scheme: 'tcp' | 'http' | 'https'
  readonly method: string
  readonly path: string
  readonly host: string
  readonly body?: string
}

export interface Packet extends Headers {
  readonly id: number
  /** Who sent it: `outside`, `namespace/pod`, or a node's name. */
  readonly from: string
  /** A few words: `GET /`, `A web.shop.svc.cluster.local`. */
  readonly what: string
  readonly http?: HttpAsk
  readonly dns?: DnsQuestion
  readonly timeoutMs: number
}

export type PacketError = 'connection refused' | 'no route to host'

/** The way of a packet, machine by machine, for whoever asked. */
export type Hops = readonly string[]

export type PacketAnswer =
  /** `status` 0: connected, but the server does not speak HTTP. `plain`: TLS was asked for, the server speaks plain HTTP. */
  | {
      readonly ok: true
      readonly by: string
      readonly status: number
      readonly body: string
      readonly plain?: true
      readonly dns?: DnsResponse
      readonly hops: Hops
    }
  | { readonly ok: false; readonly error: PacketError; readonly hops: Hops }

/** What a listening process answers to SOCKET_REQUEST. */
export interface SocketReply {
  readonly status: number
  readonly body: string
}

/** A process that listens on this machine (kind `socket.listen`, from the process itself, on the same machine). */
export interface Listening {
  /** Its own address; '' = every address of the machine. */
  readonly ip: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  /** As what it answers: `kube-system/coredns-…`. */
  readonly name: string
  readonly container: string
}

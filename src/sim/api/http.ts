// The HTTP-shaped contract between every client and the API server. All clients use the same door: components, the page's kubectl, the bridge.
import type { KubeObject } from './types/object.ts'

/** Message kind of a request to an API server. Its payload is an HttpRequest; a watch or followed log is a stream call. */
export const HTTP_REQUEST = 'http.request'

export interface HttpRequest {
  /** Upper case. */
  readonly method: string
  /** Path and query as sent, percent-encoding included: `/api/v1/pods?watch=true`. */
  readonly path: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Raw text as it came over a wire, or an object that a component of the simulation made (JSON in spirit; never mutated). */
  readonly body?: string | object
  /** The verified client certificate, if the client showed one: CN and O. */
  readonly certificate?: { readonly commonName: string; readonly organizations: readonly string[] }
  readonly sourceIP: string
}

export interface HttpResponse {
  readonly status: number
  /** Lower-case names. A list means the header is sent several times (`warning`). */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  /** An object is JSON; a string is text as it is. */
  readonly body?: object | string
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: KubeObject
}

/**
 * Chunks of a streamed answer: first the head, then events (watch) or text (log -f). A request that fails before streaming
 * is answered with an ordinary HttpResponse instead of chunks. A stream ends with the call's `end`.
 */
export type StreamChunk = { readonly head: Omit<HttpResponse, 'body'> } | { readonly event: WatchEvent } | { readonly text: string }

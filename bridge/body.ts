// Request bodies as they come over the wire.
import type { IncomingMessage } from 'node:http'

/** kube-apiserver's MaxRequestBodyBytes. */
export const BODY_LIMIT = 3 * 1024 * 1024

export type Body = { readonly bytes: Buffer } | { readonly tooLarge: true } | { readonly aborted: true }

export function readBody(req: IncomingMessage): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= BODY_LIMIT) chunks.push(chunk)
      else resolve({ tooLarge: true })
    })
    req.on('end', () => resolve({ bytes: Buffer.concat(chunks) }))
    req.on('error', () => resolve({ aborted: true }))
    req.on('close', () => resolve({ aborted: true }))
  })
}

// Who may talk to the bridge at all: programs on this machine that name it by a loopback name. Pages of other origins may not, whatever they know.
import type { IncomingMessage } from 'node:http'

const NAMES = ['127.0.0.1', 'localhost', '[::1]']

/** undefined = may; else why not. */
export function refusal(req: IncomingMessage, port: number): string | undefined {
  const hosts = req.rawHeaders.filter((_, i) => i % 2 === 0 && req.rawHeaders[i]?.toLowerCase() === 'host').length
  const host = req.headers.host?.toLowerCase()
  if (hosts !== 1 || host === undefined || !NAMES.some((name) => host === `${name}:${port}` || (port === 443 && host === name)))
    return 'the Host header does not name this loopback server'
  const { origin } = req.headers
  if (origin !== undefined && !NAMES.some((name) => origin === `https://${name}:${port}`))
    return `origin ${JSON.stringify(origin)} may not use this server`
  const site = req.headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'a page of another origin may not use this server'
  return undefined
}

/** What a visitor typed as address. */
export interface Target {
  readonly scheme: 'tcp' | 'http' | 'https'
  readonly host: string
  readonly port: number
  readonly path: string
}

const DEFAULT_PORTS = { tcp: 0, http: 80, https: 443 } as const

/** `http://` may be left out; undefined if it is no address. */
export function parseUrl(url: string): Target | undefined {
  const match = /^(?:(https?|tcp):\/\/)?([A-Za-z0-9._-]+)(?::(\d{1,5}))?(\/[^\s#]*)?(?:#\S*)?$/.exec(url.trim())
  if (!match) return undefined
  const scheme = (match[1] ?? 'http') as Target['scheme']
  const port = match[3] === undefined ? DEFAULT_PORTS[scheme] : Number(match[3])
  if (port < 1 || port > 65535) return undefined
  return { scheme, host: match[2] as string, port, path: match[4] ?? '/' }
}

// URLs as Go's net/url reads them, as far as hosts, paths and queries are asked for.
import { goQuote } from '../go-text.ts'

export interface Url {
  scheme: string
  host: string
  /** user[:password] as written, undefined without an @. */
  user?: string
  /** As written, without query and fragment. */
  path: string
  fragment: string
  rawQuery: string
}

/** net/url's Parse, as far as hosts need it: the error is Go's. */
export function parseUrl(text: string): { url: Url; error?: undefined } | { url?: undefined; error: string } {
  const wrong = (why: string): { error: string } => ({ error: `parse ${goQuote(text)}: ${why}` })
  if ([...text].some((c) => (c.codePointAt(0) as number) < 0x20 || c === '\x7f')) return wrong('net/url: invalid control character in URL')
  const hash = text.indexOf('#')
  const fragment = hash < 0 ? '' : text.slice(hash + 1)
  let rest = hash < 0 ? text : text.slice(0, hash)
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):/.exec(rest)?.[1]
  if (rest.startsWith(':')) return wrong('missing protocol scheme')
  if (scheme !== undefined) rest = rest.slice(scheme.length + 1)
  const query = rest.indexOf('?')
  const rawQuery = query < 0 ? '' : rest.slice(query + 1)
  if (query >= 0) rest = rest.slice(0, query)
  const url: Url = { scheme: (scheme ?? '').toLowerCase(), host: '', path: rest, fragment, rawQuery }
  if (!rest.startsWith('/')) {
    if (scheme !== undefined) return { url }
    if ((rest.split('/')[0] as string).includes(':')) return wrong('first path segment in URL cannot contain colon')
  }
  if (rest.startsWith('//') && (scheme !== undefined || !rest.startsWith('///'))) {
    let authority = rest.slice(2).split('/')[0] as string
    const at = authority.lastIndexOf('@')
    if (at >= 0) {
      url.user = authority.slice(0, at)
      authority = authority.slice(at + 1)
    }
    const bad = /[\s<>"\\^`{|}]/.exec(authority)?.[0]
    if (bad !== undefined) return wrong(`invalid character ${goQuote(bad)} in host name`)
    const closed = authority.lastIndexOf(']')
    if (authority.startsWith('[') && closed < 0) return wrong("missing ']' in host")
    const colon = authority.indexOf(':', Math.max(closed, 0))
    if (colon >= 0 && !/^:[0-9]*$/.test(authority.slice(colon))) return wrong(`invalid port ${goQuote(authority.slice(colon))} after host`)
    url.host = authority
    url.path = rest.slice(2 + (rest.slice(2).split('/')[0] as string).length)
  }
  const escape = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(rest)?.[0]
  return escape === undefined ? { url } : wrong(`invalid URL escape ${goQuote(escape)}`)
}

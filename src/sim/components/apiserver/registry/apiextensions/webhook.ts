// How API servers are told of webhooks: apiserver pkg/util/webhook/validation.go.
import { base64DecodeText } from '../../../../../lib/base64.ts'
import { type FieldError, invalid, required } from '../../../../api/field.ts'
import { goQuote } from '../../../../api/go-text.ts'
import { isDNS1123Subdomain, isValidPortNum } from '../../../../api/validation/names.ts'
import { pemBlocks } from '../certificates/pem.ts'
import { child } from './schema.ts'

export interface Url {
  scheme: string
  host: string
  /** user[:password] as written, undefined without an @. */
  user?: string
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
  const url: Url = { scheme: (scheme ?? '').toLowerCase(), host: '', fragment, rawQuery }
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
  }
  const escape = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(rest)?.[0]
  return escape === undefined ? { url } : wrong(`invalid URL escape ${goQuote(escape)}`)
}

export function validateWebhookURL(path: string, text: string): FieldError[] {
  const form = '; desired format: https://host[/path]'
  const { url, error } = parseUrl(text)
  if (!url) return [required(path, `url must be a valid URL: ${error}${form}`)]
  const errors: FieldError[] = []
  if (url.scheme !== 'https') errors.push(invalid(path, url.scheme, `'https' is the only allowed URL scheme${form}`))
  if (url.host === '') errors.push(invalid(path, url.host, `host must be specified${form}`))
  if (url.user !== undefined) errors.push(invalid(path, url.user, 'user information is not permitted in the URL'))
  if (url.fragment !== '') errors.push(invalid(path, url.fragment, 'fragments are not permitted in the URL'))
  if (url.rawQuery !== '') errors.push(invalid(path, url.rawQuery, 'query parameters are not permitted in the URL'))
  return errors
}

export function validateWebhookService(path: string, namespace: string, name: string, urlPath: string | undefined, port: number): FieldError[] {
  const errors: FieldError[] = []
  if (name === '') errors.push(required(child(path, 'name')))
  if (namespace === '') errors.push(required(child(path, 'namespace')))
  const ports = isValidPortNum(port)
  if (ports.length > 0) errors.push(invalid(child(path, 'port'), port, `port is not valid: ${ports.join(', ')}`))
  if (urlPath === undefined || urlPath === '' || urlPath === '/') return errors
  const wrong = (detail: string): void => {
    errors.push(invalid(child(path, 'path'), urlPath, detail))
  }
  if (urlPath === '//') {
    wrong('segment[0] may not be empty')
    return errors
  }
  if (!urlPath.startsWith('/')) wrong("must start with a '/'")
  const steps = urlPath.slice(1).replace(/\/$/, '').split('/')
  for (const [i, step] of steps.entries()) {
    if (step === '') wrong(`segment[${i}] may not be empty`)
    else for (const failure of isDNS1123Subdomain(step)) wrong(`segment[${i}]: ${failure}`)
  }
  return errors
}

/** A bundle in which no certificate is found is refused; what the certificates say is not read. */
export function validateCABundle(path: string, bundle: string): FieldError[] {
  const blocks = pemBlocks(base64DecodeText(bundle) ?? '')
  return blocks.some((b) => b.type === 'CERTIFICATE' && !b.hasHeaders) ? [] : [invalid(path, bundle, 'unable to load root certificates: unable to parse bytes as PEM block')]
}

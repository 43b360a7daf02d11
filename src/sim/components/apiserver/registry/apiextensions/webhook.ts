// How API servers are told of webhooks: apiserver pkg/util/webhook/validation.go.
import { base64DecodeText } from '../../../../../lib/base64.ts'
import { parseUrl } from '../../../../api/cel/url.ts'
import { type FieldError, invalid, required } from '../../../../api/field.ts'
import { isDNS1123Subdomain, isValidPortNum } from '../../../../api/validation/names.ts'
import { pemBlocks } from '../certificates/pem.ts'
import { child } from './schema.ts'

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

export function validateWebhookService(
  path: string,
  namespace: string,
  name: string,
  urlPath: string | undefined,
  port: number,
): FieldError[] {
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
  return blocks.some((b) => b.type === 'CERTIFICATE' && !b.hasHeaders)
    ? []
    : [invalid(path, bundle, 'unable to load root certificates: unable to parse bytes as PEM block')]
}

// Fully qualified names and domain-prefixed strings: pkg/util/validation/validation.go.
import { type FieldError, invalid, required } from '../field.ts'
import { httpPathError, isDNS1123Label, isDNS1123Subdomain, isHTTPPath, isQualifiedName } from './names.ts'

/** A domain with at least three segments (CSI drivers and the like say `minimum` 2). */
export const isFullyQualifiedName = (field: string, name: string): FieldError[] => {
  if (name === '') return [required(field)]
  const errors = isDNS1123Subdomain(name)
  if (errors.length > 0) return [invalid(field, name, errors.join(','))]
  if (name.split('.').length < 3) return [invalid(field, name, 'should be a domain with at least three segments separated by dots')]
  return []
}

export const isFullyQualifiedDomainName = (field: string, given: string): FieldError[] => {
  if (given === '') return [required(field)]
  const name = given.endsWith('.') ? given.slice(0, -1) : given
  const errors = isDNS1123Subdomain(name)
  if (errors.length > 0) return [invalid(field, name, errors.join(','))]
  const labels = name.split('.')
  if (labels.length < 2) return [invalid(field, name, 'should be a domain with at least two segments separated by dots')]
  for (const label of labels) {
    const wrong = isDNS1123Label(label)
    if (wrong.length > 0) return [invalid(field, label, wrong.join(','))]
  }
  return []
}

export const isDomainPrefixedPath = (field: string, path: string): FieldError[] => {
  if (path === '') return [required(field)]
  const slash = path.indexOf('/')
  const host = path.slice(0, slash)
  const rest = path.slice(slash + 1)
  if (slash <= 0 || rest === '') return [invalid(field, path, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  const errors = isDNS1123Subdomain(host).map((m) => invalid(field, host, m))
  if (!isHTTPPath(rest)) errors.push(invalid(field, rest, httpPathError()))
  return errors
}

export const isDomainPrefixedKey = (field: string, key: string): FieldError[] => {
  if (key === '') return [required(field)]
  const errors = isQualifiedName(key).map((m) => invalid(field, key, m))
  if (errors.length > 0) return errors
  return key.split('/').length === 2 ? [] : [invalid(field, key, 'must be a domain-prefixed key (such as "acme.io/foo")')]
}

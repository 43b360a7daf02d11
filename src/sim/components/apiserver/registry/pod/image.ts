// Image references, as github.com/distribution/reference parses them (pkg/util/parsers/parsers.go).

const domainComponent = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const domainName = `${domainComponent}(?:\\.${domainComponent})*`
const domainAndPort = `(?:${domainName}|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`
const pathComponent = '[a-z0-9]+(?:(?:\\.|_|__|[-]+)[a-z0-9]+)*'
const remoteName = `${pathComponent}(?:/${pathComponent})*`
const tagPattern = '[\\w][\\w.-]{0,127}'
const digestPattern = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'
const referenceRegexp = new RegExp(`^((?:${domainAndPort}/)?${remoteName})(?::(${tagPattern}))?(?:@(${digestPattern}))?$`)
const identifierRegexp = /^[a-f0-9]{64}$/
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 }

/** The reference with the default registry and, for short names, `library/` in front. */
function normalized(image: string): string {
  const slash = image.indexOf('/')
  const first = slash < 0 ? '' : image.slice(0, slash)
  let domain = 'docker.io'
  let remainder = image
  if (slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first)) {
    domain = first
    remainder = image.slice(slash + 1)
  }
  if (domain === 'index.docker.io') domain = 'docker.io'
  if (domain === 'docker.io' && !remainder.includes('/')) remainder = `library/${remainder}`
  return `${domain}/${remainder}`
}

/** The tag; `latest` if neither tag nor digest is given; empty with a digest only, or if the reference cannot be parsed. */
export function imageTag(image: string): string {
  if (identifierRegexp.test(image)) return ''
  const full = normalized(image)
  const remainder = full.slice(full.indexOf('/') + 1)
  const tagAt = remainder.indexOf(':')
  const remote = tagAt < 0 ? remainder : remainder.slice(0, tagAt)
  if (remote.toLowerCase() !== remote) return ''
  const match = referenceRegexp.exec(full)
  if (!match || (match[1] ?? '').length > 255 + full.indexOf('/') + 1) return ''
  const [, , tag, digest] = match
  if (digest !== undefined) {
    const [algorithm = '', hex = ''] = digest.split(':')
    if (!Object.hasOwn(digestLengths, algorithm) || digestLengths[algorithm] !== hex.length || /[A-F]/.test(hex)) return ''
  }
  return tag ?? (digest === undefined ? 'latest' : '')
}

export const defaultPullPolicy = (image: string): 'Always' | 'IfNotPresent' => (imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent')

// Image references: parsing and the familiar short names (github.com/distribution/reference).

export interface ImageReference {
  readonly domain: string
  /** `library/nginx`. */
  readonly path: string
  readonly tag?: string
  readonly digest?: string
}

const DOMAIN_COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const DOMAIN = `(?:${DOMAIN_COMPONENT}(?:\\.${DOMAIN_COMPONENT})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`
const PATH_COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const NAME = `(?:${DOMAIN}/)?${PATH_COMPONENT}(?:/${PATH_COMPONENT})*`
const REFERENCE = new RegExp(
  `^(${NAME})(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
)
const MAX_NAME_LENGTH = 255

/** The reference, or upstream's words for what is wrong with it. */
export function parseReference(text: string): ImageReference | string {
  const slash = text.indexOf('/')
  const first = slash < 0 ? '' : text.slice(0, slash)
  const hasDomain = slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first)
  const domain = hasDomain ? (first === 'index.docker.io' ? 'docker.io' : first) : 'docker.io'
  let remainder = hasDomain ? text.slice(slash + 1) : text
  if (domain === 'docker.io' && !remainder.includes('/')) remainder = `library/${remainder}`
  const colon = remainder.indexOf(':')
  const name = colon < 0 ? remainder : remainder.slice(0, colon)
  if (/^[a-f0-9]{64}$/.test(text)) return `invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`
  if (name.toLowerCase() !== name) return `invalid reference format: repository name (${name}) must be lowercase`
  const match = REFERENCE.exec(`${domain}/${remainder}`)
  if (!match) return 'invalid reference format'
  if (remainder.length > MAX_NAME_LENGTH) return 'repository name must not be more than 255 characters'
  const digest = match[3]
  if (digest?.startsWith('sha256:') && !/^sha256:[a-f0-9]{64}$/.test(digest)) return 'invalid reference format'
  return {
    domain,
    path: (match[1] as string).slice(domain.length + 1),
    ...(match[2] ? { tag: match[2] } : {}),
    ...(digest ? { digest } : {}),
  }
}

/** `docker.io/library/nginx:1.27`; the tag defaults to latest. */
export function fullName(ref: ImageReference): string {
  const name = `${ref.domain}/${ref.path}`
  if (ref.digest) return `${name}@${ref.digest}`
  return `${name}:${ref.tag ?? 'latest'}`
}

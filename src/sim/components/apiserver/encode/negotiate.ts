// Content negotiation of answers: apiserver/pkg/endpoints/handlers/negotiation/negotiate.go.
import { failure, type Status } from '../../../api/status.ts'

export interface MediaType {
  readonly subtype: 'json' | 'yaml'
  /** as=Table and the like. */
  readonly convert?: { readonly kind: string; readonly group: string; readonly version: string }
  readonly pretty: boolean
}

interface Clause {
  readonly type: string
  readonly params: ReadonlyMap<string, string>
  readonly q: number
}

const AVAILABLE = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
export const notAcceptable = (): Status =>
  failure(406, 'NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${AVAILABLE}`, {})
/** What the handler itself says when no clause fits. */
export const onlyAccepted = (): Status => failure(406, 'NotAcceptable', `only the following media types are accepted: ${AVAILABLE}`)

function clauses(accept: string): readonly Clause[] {
  const list = accept.split(',').map((text) => {
    const [type = '', ...rest] = text.split(';').map((p) => p.trim())
    const params = new Map<string, string>()
    for (const p of rest) {
      const at = p.indexOf('=')
      if (at > 0) params.set(p.slice(0, at).trim(), p.slice(at + 1).trim())
    }
    const q = Number(params.get('q') ?? '1')
    return { type: type.toLowerCase(), params, q: Number.isNaN(q) ? 0 : q }
  })
  // A stable sort: quality first, then the client's order.
  return list
    .map((c, i) => ({ c, i }))
    .sort((a, b) => b.c.q - a.c.q || a.i - b.i)
    .map(({ c }) => c)
}

const KINDS = new Set(['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList'])

/** undefined = not acceptable. Protobuf is passed over for the next clause, as a server without it would. */
export function negotiate(accept: string | undefined, query: { pretty: boolean }): MediaType | undefined {
  if (accept === undefined || accept === '' || accept === 'application/json') return { subtype: 'json', pretty: query.pretty }
  for (const { type, params } of clauses(accept)) {
    const subtype = type === 'application/json' || type === '*/*' ? 'json' : type === 'application/yaml' ? 'yaml' : undefined
    if (!subtype) continue
    const as = params.get('as')
    if (as !== undefined) {
      const group = params.get('g') ?? ''
      const version = params.get('v') ?? ''
      if (!KINDS.has(as) || group !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) continue
      return { subtype, pretty: query.pretty || params.get('pretty') === '1', convert: { kind: as, group, version } }
    }
    return { subtype, pretty: query.pretty || params.get('pretty') === '1' }
  }
  return undefined
}

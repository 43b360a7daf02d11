// apiserver/pkg/endpoints/request/requestinfo.go: what a path and a method mean, before anyone knows which resources exist.
import type { HttpRequest } from '../../api/http.ts'
import { parseFieldSelector, requiresExactField } from '../../api/fieldselector.ts'
import type { Query, RequestInfo } from './types.ts'

const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize'])
const VERBS: Readonly<Record<string, string>> = { POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

function unescape(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replace(/\+/g, ' '))
  } catch {
    return text
  }
}

function unescapePath(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

export function parseQuery(text: string): Query {
  if (text === '') return []
  return text
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=')
      return at < 0 ? [unescape(part), ''] : [unescape(part.slice(0, at)), unescape(part.slice(at + 1))]
    })
}

export const queryValue = (query: Query, key: string): string | undefined => query.find(([k]) => k === key)?.[1]
export const queryValues = (query: Query, key: string): string[] => query.filter(([k]) => k === key).map(([, v]) => v)

/** strconv.ParseBool as the query decoder uses it: "false" and "0" are false, any other value (also none) is true. */
export const queryBool = (query: Query, key: string): boolean | undefined => {
  const value = queryValue(query, key)
  return value === undefined ? undefined : value !== 'false' && value !== '0'
}

export function requestInfo(request: HttpRequest): RequestInfo {
  const mark = request.path.indexOf('?')
  const path = unescapePath(mark < 0 ? request.path : request.path.slice(0, mark))
  const query = mark < 0 ? [] : parseQuery(request.path.slice(mark + 1))
  const plain: RequestInfo = {
    isResource: false,
    path,
    verb: request.method.toLowerCase(),
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    rest: [],
    query,
  }
  let parts = path.replace(/^\/+|\/+$/g, '').split('/')
  if (parts.length < 3 || (parts[0] !== 'api' && parts[0] !== 'apis')) return plain
  let group = ''
  if (parts[0] === 'apis') {
    if (parts.length < 4) return plain
    group = parts[1] as string
    parts = parts.slice(2)
  } else parts = parts.slice(1)
  const version = parts[0] as string
  parts = parts.slice(1)
  let verb = Object.hasOwn(VERBS, request.method) ? (VERBS[request.method] as string) : ''
  let prefixed = false
  if (parts[0] === 'watch' || parts[0] === 'proxy') {
    if (parts.length < 2) return plain
    verb = parts[0]
    prefixed = true
    parts = parts.slice(1)
  }
  let namespace = ''
  if (parts[0] === 'namespaces' && parts.length > 1) {
    namespace = parts[1] as string
    if (parts.length > 2 && !NAMESPACE_SUBRESOURCES.has(parts[2] as string)) parts = parts.slice(2)
  }
  const resource = parts[0] ?? ''
  let name = parts[1] ?? ''
  const subresource = prefixed ? '' : (parts[2] ?? '')
  if (name === '' && verb === 'get') {
    verb = queryBool(query, 'watch') === true ? 'watch' : 'list'
    name = nameOfSelector(query)
  } else if (name === '' && verb === 'watch') name = nameOfSelector(query)
  else if (name === '' && verb === 'delete') verb = 'deletecollection'
  return { isResource: true, path, verb, group, version, namespace, resource, subresource, name, rest: parts.slice(3), query }
}

/** `fieldSelector=metadata.name=x` makes a list a request for that name, for authorization. */
function nameOfSelector(query: Query): string {
  const text = queryValue(query, 'fieldSelector')
  if (!text) return ''
  const selector = parseFieldSelector(text).value
  const name = selector && requiresExactField(selector, 'metadata.name')
  return name && name !== '.' && name !== '..' && !/[/%]/.test(name) ? name : ''
}

/** Whether the path itself names an object, whatever a field selector says. */
export function namesObject(info: RequestInfo): boolean {
  return info.name !== '' && info.verb !== 'list' && info.verb !== 'watch' && info.verb !== 'deletecollection'
}

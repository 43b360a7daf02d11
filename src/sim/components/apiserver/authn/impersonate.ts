// Impersonation headers: apiserver/pkg/endpoints/filters/impersonation.go.
import type { HttpRequest } from '../../../api/http.ts'
import { internalError, type Status } from '../../../api/status.ts'
import { type AuthorizationAttributes, forbiddenStatus } from '../authz/attributes.ts'
import type { Decision } from '../authz/authorize.ts'
import type { User } from '../types.ts'
import { AUTHENTICATED } from './authenticate.ts'

const EXTRA = 'impersonate-extra-'

const values = (header: string | undefined): string[] =>
  header === undefined || header === ''
    ? []
    : header
        .split(',')
        .map((v) => v.trim())
        .filter((v) => v !== '')

/** The user to act as, undefined without headers, or why not. `allowed` asks the authorizer as the real user. */
export function impersonate(
  request: HttpRequest,
  requester: User,
  allowed: (a: AuthorizationAttributes) => Decision,
): { user: User } | { status: Status } | undefined {
  const { headers } = request
  const name = headers['impersonate-user'] ?? ''
  const groups = values(headers['impersonate-group'])
  const uid = headers['impersonate-uid'] ?? ''
  const extraKeys = Object.keys(headers)
    .filter((h) => h.startsWith(EXTRA))
    .sort()
  if (name === '') {
    if (groups.length === 0 && uid === '' && extraKeys.length === 0) return undefined
    return { status: internalError(`requested ${JSON.stringify({ groups, uid })} without impersonating a user`) }
  }
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name)
  const wanted: { resource: string; group: string; name: string; namespace: string; subresource: string }[] = []
  wanted.push(
    account
      ? { resource: 'serviceaccounts', group: '', name: account[2] as string, namespace: account[1] as string, subresource: '' }
      : { resource: 'users', group: '', name, namespace: '', subresource: '' },
  )
  for (const g of groups) wanted.push({ resource: 'groups', group: '', name: g, namespace: '', subresource: '' })
  const extra: Record<string, string[]> = {}
  for (const header of extraKeys) {
    const key = decode(header.slice(EXTRA.length))
    const list = values(headers[header])
    Object.defineProperty(extra, key, { value: list, enumerable: true, configurable: true, writable: true })
    for (const v of list) wanted.push({ resource: 'userextras', group: 'authentication.k8s.io', name: v, namespace: '', subresource: key })
  }
  if (uid !== '') wanted.push({ resource: 'uids', group: 'authentication.k8s.io', name: uid, namespace: '', subresource: '' })
  for (const w of wanted) {
    const a: AuthorizationAttributes = {
      ...w,
      user: requester,
      verb: 'impersonate',
      isResource: true,
      version: w.group === '' ? 'v1' : 'v1',
      path: '',
    }
    if (!allowed(a).allowed) return { status: forbiddenStatus(a, '') }
  }
  let all = groups
  if (account && groups.length === 0) all = ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`]
  if (name !== 'system:anonymous') {
    if (!all.includes(AUTHENTICATED) && !all.includes('system:unauthenticated')) all = [...all, AUTHENTICATED]
  } else if (!all.includes('system:unauthenticated')) all = [...all, 'system:unauthenticated']
  return { user: { name, groups: all, ...(uid === '' ? {} : { uid }), ...(extraKeys.length > 0 ? { extra } : {}) } }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

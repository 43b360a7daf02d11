// Who asks: client certificate, bearer token (static or service account), or nobody.
import type { HttpRequest } from '../../../api/http.ts'
import type { ServerView } from '../rest/request.ts'
import type { KubeApiserverConfig, User } from '../types.ts'
import { authenticateServiceAccount } from './service-account.ts'

export const AUTHENTICATED = 'system:authenticated'
export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

export type Authentication =
  | { readonly user: User; readonly by: 'client certificate' | 'bearer token' | 'service account token' | 'anonymous' }
  | { readonly error: string }

const withAuthenticated = (user: User): User =>
  user.groups.includes(AUTHENTICATED) ? user : { ...user, groups: [...user.groups, AUTHENTICATED] }

/** The token of an Authorization header; undefined = the request shows none. */
export function bearerToken(header: string | undefined): string | undefined {
  const parts = (header ?? '').trim().split(' ')
  if (parts.length < 2 || parts[0]?.toLowerCase() !== 'bearer') return undefined
  return parts[1] ? parts[1] : undefined
}

export function authenticate(request: HttpRequest, config: KubeApiserverConfig, view: ServerView): Authentication {
  if (request.certificate) {
    const { commonName, organizations } = request.certificate
    return { user: withAuthenticated({ name: commonName, groups: organizations }), by: 'client certificate' }
  }
  const token = bearerToken(request.headers.authorization)
  if (token === undefined) return { user: ANONYMOUS, by: 'anonymous' }
  const known = staticUser(config, token)
  if (known) return { user: withAuthenticated(known), by: 'bearer token' }
  const account = authenticateServiceAccount(token, undefined, view)
  if ('error' in account) return account
  return { user: withAuthenticated(account.user), by: 'service account token' }
}

export function staticUser(config: KubeApiserverConfig, token: string): User | undefined {
  if (!Object.hasOwn(config.tokens, token)) return undefined
  const { user, uid, groups } = config.tokens[token] as KubeApiserverConfig['tokens'][string]
  return { name: user, groups, ...(uid ? { uid } : {}) }
}

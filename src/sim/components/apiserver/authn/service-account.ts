// Service account tokens: pkg/serviceaccount/{jwt,claims}.go. Tokens look real and are checked by their signature and bindings.
import { bytesToBase64Url, fromBase64Url, toBase64Url } from '../base64url.ts'
import type { ServerView } from '../rest/request.ts'
import type { User } from '../types.ts'
import { keyedHash } from './signature.ts'

export const ISSUER = 'https://kubernetes.default.svc.cluster.local'
const KEY_ID = 'orrery-service-account-signer'

interface Ref {
  readonly name: string
  readonly uid: string
}

export interface Claims {
  readonly aud: readonly string[]
  readonly exp: number
  readonly iat: number
  readonly iss: string
  readonly jti: string
  readonly 'kubernetes.io': {
    readonly namespace: string
    readonly node?: Ref
    readonly pod?: Ref
    readonly secret?: Ref
    readonly serviceaccount: Ref
    readonly warnafter?: number
  }
  readonly nbf: number
  readonly sub: string
}

const signature = (input: string): string => bytesToBase64Url(keyedHash(input, 256))

export function signToken(claims: Claims): string {
  const input = `${toBase64Url(JSON.stringify({ alg: 'RS256', kid: bytesToBase64Url(keyedHash(KEY_ID, 32)) }))}.${toBase64Url(JSON.stringify(claims))}`
  return `${input}.${signature(input)}`
}

function readClaims(token: string): Claims | undefined {
  const [head, body, sign, more] = token.split('.')
  if (head === undefined || body === undefined || sign === undefined || more !== undefined) return undefined
  if (signature(`${head}.${body}`) !== sign) return undefined
  try {
    return JSON.parse(fromBase64Url(body) ?? '') as Claims
  } catch {
    return undefined
  }
}

/** `audiences`: those a TokenReview asks for; undefined = the API server's own. */
export function authenticateServiceAccount(
  token: string,
  audiences: readonly string[] | undefined,
  view: ServerView,
): { user: User; audiences: string[] } | { error: string } {
  const claims = readClaims(token)
  if (!claims || claims.iss !== ISSUER) return { error: 'invalid bearer token' }
  const now = Math.floor(view.nowMs / 1000)
  if (now >= claims.exp) return { error: '[invalid bearer token, service account token has expired]' }
  if (now < claims.nbf) return { error: '[invalid bearer token, service account token is not valid yet]' }
  const wanted = audiences && audiences.length > 0 ? audiences : [ISSUER]
  const shared = wanted.filter((a) => claims.aud.includes(a))
  if (shared.length === 0)
    return { error: `[invalid bearer token, token audiences ${goList(claims.aud)} is invalid for the target audiences ${goList(wanted)}]` }
  const k8s = claims['kubernetes.io']
  const { namespace, serviceaccount, pod, secret, node } = k8s
  const account = view.get('serviceaccounts', namespace, serviceaccount.name)
  if (!account) return { error: `[invalid bearer token, serviceaccounts ${JSON.stringify(serviceaccount.name)} not found]` }
  if (account.metadata.uid !== serviceaccount.uid) return { error: `[invalid bearer token, service account token has been invalidated]` }
  const boundTo = (resource: string, ref: Ref | undefined, scope: string | undefined): boolean =>
    !ref || view.get(resource, scope, ref.name)?.metadata.uid === ref.uid
  if (!boundTo('pods', pod, namespace) || !boundTo('secrets', secret, namespace) || (!pod && !boundTo('nodes', node, undefined))) {
    return { error: '[invalid bearer token, service account token has been invalidated]' }
  }
  const extra: Record<string, readonly string[]> = {}
  if (pod) {
    extra['authentication.kubernetes.io/pod-name'] = [pod.name]
    extra['authentication.kubernetes.io/pod-uid'] = [pod.uid]
  }
  if (claims.jti) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${claims.jti}`]
  if (node) {
    extra['authentication.kubernetes.io/node-name'] = [node.name]
    if (node.uid) extra['authentication.kubernetes.io/node-uid'] = [node.uid]
  }
  return {
    user: {
      name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
      uid: serviceaccount.uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
      extra,
    },
    audiences: shared,
  }
}

const goList = (values: readonly string[]): string => `[${values.map((v) => JSON.stringify(v)).join(' ')}]`

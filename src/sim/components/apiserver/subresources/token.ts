// POST serviceaccounts/NAME/token: pkg/registry/core/serviceaccount/storage/token.go.
import { type FieldError, invalid as invalidField } from '../../../api/field.ts'
import { newUid } from '../uuid.ts'
import { badRequest, conflict, invalid, notFound } from '../../../api/status.ts'
import { formatTime } from '../../../api/time.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { mutate, validate } from '../admission/chain.ts'
import { type Claims, ISSUER, signToken } from '../authn/service-account.ts'
import { refuse } from '../refusal.ts'
import { decodeKind } from '../rest/body.ts'
import { attributesOf } from '../rest/create.ts'
import { ensureNamespace } from '../rest/meta.ts'
import { writeOptions } from '../rest/options.ts'
import type { ResourceRq } from '../rest/request.ts'
import type { Plan } from '../types.ts'

const KIND = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' }
const MIN_SECONDS = 600
const MAX_SECONDS = 2 ** 32
/** Pod tokens asked for with this lifetime warn after it, but live a year. */
const WARN_ONLY_SECONDS = 3607
const EXTENDED_SECONDS = 365 * 24 * 60 * 60

interface Bound {
  readonly pod?: KubeObject
  readonly secret?: KubeObject
  readonly node?: { readonly name: string; readonly uid: string }
}

export function planToken(rq: ResourceRq): Plan {
  const options = writeOptions(rq, 'CreateOptions')
  const request = decodeKind(rq, KIND, options)
  const { name, namespace } = rq.info
  ensureNamespace(rq, request.metadata)
  request.spec ??= {}
  const seconds: number = request.spec.expirationSeconds ?? 3600
  const a = { ...attributesOf(rq, 'CREATE', name, request, undefined, options.dryRun), subresource: 'token', kind: 'TokenRequest' }
  mutate(a)
  const account = rq.view.current(rq.served, namespace, name)
  if (!account) return refuse(notFound({ group: '', name: 'serviceaccounts' }, name))
  const mismatch = metaErrors(request, name, namespace)
  if (mismatch.length > 0) refuse(invalid({ group: KIND.group, name: KIND.kind }, name, mismatch))
  const audiences: string[] = (request.spec.audiences ?? []).length > 0 ? request.spec.audiences : [ISSUER]
  const errors = lifetimeErrors(seconds)
  if (errors.length > 0) refuse(invalid({ group: KIND.group, name: KIND.kind }, '', errors))
  validate(a)
  const bound = bind(rq, request.spec.boundObjectRef, name, namespace)
  const now = Math.floor(rq.nowMs / 1000)
  const extended = bound.pod !== undefined && seconds === WARN_ONLY_SECONDS && audiences.includes(ISSUER)
  const claims: Claims = {
    aud: audiences,
    exp: now + (extended ? EXTENDED_SECONDS : seconds),
    iat: now,
    iss: ISSUER,
    jti: newUid(() => rq.random()),
    'kubernetes.io': {
      namespace,
      ...(bound.node ? { node: bound.node } : {}),
      ...(bound.pod ? { pod: refTo(bound.pod) } : {}),
      ...(bound.secret ? { secret: refTo(bound.secret) } : {}),
      serviceaccount: refTo(account),
      ...(extended ? { warnafter: now + seconds } : {}),
    },
    nbf: now,
    sub: `system:serviceaccount:${namespace}:${name}`,
  }
  const raw = {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, uid: account.metadata.uid, creationTimestamp: rq.now },
    spec: { audiences, expirationSeconds: seconds, boundObjectRef: request.spec.boundObjectRef ?? null },
    status: { token: signToken(claims), expirationTimestamp: formatTime(rq.nowMs + seconds * 1000) },
  }
  return { do: 'answer', answer: { code: 201, raw } }
}

const refTo = (o: KubeObject): { name: string; uid: string } => ({ name: o.metadata.name ?? '', uid: o.metadata.uid ?? '' })

function metaErrors({ metadata }: KubeObject, name: string, namespace: string): FieldError[] {
  const errors: FieldError[] = []
  if (metadata.name && metadata.name !== name)
    errors.push(invalidField('metadata.name', metadata.name, 'must match the service account name if specified'))
  if (metadata.namespace && metadata.namespace !== namespace)
    errors.push(invalidField('metadata.namespace', metadata.namespace, 'must match the service account namespace if specified'))
  return errors
}

function lifetimeErrors(seconds: number): FieldError[] {
  if (seconds < MIN_SECONDS) return [invalidField('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes')]
  if (seconds > MAX_SECONDS) return [invalidField('spec.expirationSeconds', seconds, 'may not specify a duration larger than 2^32 seconds')]
  return []
}

function bind(
  rq: ResourceRq,
  ref: { kind?: string; apiVersion?: string; name?: string; uid?: string } | undefined,
  account: string,
  namespace: string,
): Bound {
  if (!ref) return {}
  const { kind = '', apiVersion = '', name = '', uid } = ref
  const resource = apiVersion === 'v1' ? { Pod: 'pods', Secret: 'secrets', Node: 'nodes' }[kind] : undefined
  if (!resource) return refuse(badRequest(`cannot bind token to object of type ${goKind(apiVersion, kind)}`))
  const object = rq.view.get(resource, resource === 'nodes' ? undefined : namespace, name)
  if (!object) return refuse(notFound({ group: '', name: resource }, name))
  if (kind === 'Pod' && object.spec.serviceAccountName !== account) {
    refuse(badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account)} to pod running with different serviceaccount name.`))
  }
  if (uid && uid !== object.metadata.uid) {
    refuse(
      conflict(
        { group: '', name: kind },
        name,
        `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      ),
    )
  }
  if (kind === 'Secret') return { secret: object }
  if (kind === 'Node') return { node: refTo(object) }
  const nodeName: string | undefined = object.spec.nodeName
  if (!nodeName) return { pod: object }
  const node = rq.view.get('nodes', undefined, nodeName)
  return { pod: object, node: { name: nodeName, uid: node?.metadata.uid ?? '' } }
}

/** GroupVersionKind.String(). */
function goKind(apiVersion: string, kind: string): string {
  const slash = apiVersion.indexOf('/')
  return `${slash < 0 ? '' : apiVersion.slice(0, slash)}/${apiVersion.slice(slash + 1)}, Kind=${kind}`
}

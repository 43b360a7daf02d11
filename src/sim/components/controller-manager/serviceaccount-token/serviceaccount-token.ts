// pkg/controller/serviceaccount/tokens_controller.go: fills Secrets of the token type on request, and removes those of accounts that are gone.
import { base64EncodeText } from '../../../../lib/base64.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { decided, get, isConflict, isNotFound, must, remove, SyncError, update } from '../runtime/steps.ts'
import type { Controller, Outcome, Steps } from '../runtime/types.ts'
import { legacyToken } from './token.ts'

const TYPE = 'kubernetes.io/service-account-token'
const NAME = 'kubernetes.io/service-account.name'
const UID = 'kubernetes.io/service-account.uid'

interface Observed {
  readonly secret: KubeObject
  readonly account?: KubeObject
}

const accountName = (secret: KubeObject): string => secret.metadata.annotations?.[NAME] ?? ''
const belongs = (secret: KubeObject, account: KubeObject): boolean => {
  const uid = secret.metadata.annotations?.[UID] ?? ''
  return uid === '' || uid === account.metadata.uid
}

export const serviceAccountTokenController: Controller<Observed> = {
  name: 'serviceaccount-token-controller',
  controller: 'serviceaccount-token-controller',
  serviceAccount: 'tokens-controller',
  asManager: true,
  workers: 5,
  subject: 'secrets',
  informers: ['secrets', 'serviceaccounts'],
  on: {
    secrets: (rt, { type, key, object }) => type !== 'DELETED' && object.type === TYPE && rt.add(key),
    serviceaccounts(rt, { type, key }) {
      if (type !== 'MODIFIED')
        for (const secret of rt.index('secrets', 'serviceaccount', key)) rt.add(`${secret.metadata.namespace}/${secret.metadata.name}`)
    },
  },
  observe(key, rt) {
    const secret = rt.get('secrets', key)
    if (secret?.type !== TYPE || accountName(secret) === '') return undefined
    const account = rt.get('serviceaccounts', `${secret.metadata.namespace}/${accountName(secret)}`)
    return { secret, ...(account ? { account } : {}) }
  },
  *reconcile({ secret, account: cached }, env): Steps<Outcome | void> {
    const { namespace = '', name = '', uid = '' } = secret.metadata
    let account = cached && belongs(secret, cached) ? cached : undefined
    if (!account) {
      const answer = yield* get('serviceaccounts', namespace, accountName(secret))
      if (!answer.ok && !isNotFound(answer)) must(answer)
      if (answer.ok && belongs(secret, answer.body as KubeObject)) account = answer.body as KubeObject
    }
    if (!account) {
      yield* decided('remove the token of an account that is gone', { account: accountName(secret) })
      const answer = yield* remove('secrets', namespace, name, { preconditions: { uid } })
      if (!answer.ok && !isNotFound(answer) && !isConflict(answer)) throw new SyncError(answer.message)
      return
    }
    const ca = base64EncodeText(env.config.rootCA)
    const complete = (s: KubeObject): boolean =>
      s.data?.token !== undefined &&
      s.data['ca.crt'] === ca &&
      s.data.namespace !== undefined &&
      s.metadata.annotations?.[UID] === account.metadata.uid
    if (complete(secret)) return
    const live = yield* get('secrets', namespace, name)
    if (isNotFound(live)) return
    const fresh = must(live)
    if (fresh.metadata.uid !== uid || complete(fresh)) return
    const token =
      fresh.data?.token ??
      base64EncodeText(legacyToken(namespace, { name: account.metadata.name ?? '', uid: account.metadata.uid ?? '' }, name))
    const annotations = { ...fresh.metadata.annotations, [NAME]: account.metadata.name ?? '', [UID]: account.metadata.uid ?? '' }
    const data = { ...fresh.data, 'ca.crt': ca, namespace: fresh.data?.namespace ?? base64EncodeText(namespace), token }
    const answer = yield* update('secrets', { ...fresh, metadata: { ...fresh.metadata, annotations }, data })
    if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
  },
}

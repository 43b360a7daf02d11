// pkg/controller/serviceaccount/serviceaccounts_controller.go: a service account `default` in every active namespace.
import { create, isNamespaceTerminating, isNotFound, must } from '../runtime/steps.ts'
import type { Controller } from '../runtime/types.ts'

const ENSURED = ['default'] as const

interface Observed {
  readonly namespace: string
  readonly missing: readonly string[]
}

export const serviceAccountController: Controller<Observed> = {
  name: 'serviceaccount-controller',
  controller: 'serviceaccount-controller',
  serviceAccount: 'service-account-controller',
  workers: 1,
  subject: 'namespaces',
  informers: ['namespaces', 'serviceaccounts'],
  on: {
    namespaces: (rt, event) => event.type !== 'DELETED' && rt.add(event.key),
    serviceaccounts: (rt, event) => event.type === 'DELETED' && rt.add(event.object.metadata.namespace ?? ''),
  },
  observe(key, rt) {
    if (rt.get('namespaces', key)?.status?.phase !== 'Active') return undefined
    const missing = ENSURED.filter((name) => rt.get('serviceaccounts', `${key}/${name}`) === undefined)
    return missing.length > 0 ? { namespace: key, missing } : undefined
  },
  *reconcile({ namespace, missing }) {
    for (const name of missing) {
      const answer = yield* create('serviceaccounts', namespace, {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name, namespace },
      })
      // Somebody else made it, or the namespace is going away: both are fine.
      if (!answer.ok && !isNamespaceTerminating(answer) && !isNotFound(answer) && answer.reason !== 'AlreadyExists') must(answer)
    }
  },
}

// v1 ServiceAccount (pkg/registry/core/serviceaccount).
import type { KubeObject } from '../../../../api/types/object.ts'
import { has } from '../pod/maps.ts'
import type { KindStrategy } from '../strategy.ts'
import { serviceAccountColumns } from './columns.ts'
import { age, metaUpdate, namespacedMeta } from './rules.ts'

const enforceMountableSecrets = 'kubernetes.io/enforce-mountable-secrets'

/** Of a reference to a secret only the name counts. */
function cleanSecretReferences(o: KubeObject): void {
  if (Array.isArray(o.secrets)) o.secrets = o.secrets.map((s: { name?: string }) => (s?.name ? { name: s.name } : {}))
}

const warnings = (o: KubeObject, old?: KubeObject): string[] =>
  has(o.metadata.annotations, enforceMountableSecrets) && !has(old?.metadata.annotations, enforceMountableSecrets)
    ? [
        `metadata.annotations[${enforceMountableSecrets}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
      ]
    : []

export const serviceAccount: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'ServiceAccount',
  resource: 'serviceaccounts',
  singular: 'serviceaccount',
  shortNames: ['sa'],
  categories: [],
  namespaced: true,
  allowUnconditionalUpdate: true,
  deleteReturnsObject: true,
  defaults() {},
  prepareForCreate: cleanSecretReferences,
  validate: (o) => namespacedMeta(o),
  createWarnings: (o) => warnings(o),
  prepareForUpdate: cleanSecretReferences,
  validateUpdate: (o, old) => [...metaUpdate(o, old), ...namespacedMeta(o)],
  warnings,
  subresources: {
    token: { does: 'handler', kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1', verbs: ['create'] },
  },
  columns: serviceAccountColumns,
  row: (o, nowMs) => [o.metadata.name ?? '', age(o, nowMs)],
}

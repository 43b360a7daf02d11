// pkg/controller/certificates/rootcacertpublisher: the cluster's CA in a ConfigMap of every namespace.
import { deepEqual } from '../../../../lib/compare.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { create, isNamespaceTerminating, isNotFound, must, update } from '../runtime/steps.ts'
import type { Controller } from '../runtime/types.ts'

export const ROOT_CA_CONFIG_MAP = 'kube-root-ca.crt'
const DESCRIPTION_ANNOTATION = 'kubernetes.io/description'
const DESCRIPTION =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. ' +
  'No other usage is guaranteed across distributions of Kubernetes clusters.'

interface Observed {
  readonly namespace: string
  readonly configMap?: KubeObject
}

export const rootCAPublisher: Controller<Observed> = {
  name: 'root-ca-certificate-publisher-controller',
  controller: 'root-ca-certificate-publisher-controller',
  serviceAccount: 'root-ca-cert-publisher',
  workers: 1,
  subject: 'namespaces',
  informers: ['namespaces', 'configmaps'],
  on: {
    namespaces(rt, event) {
      if (event.type === 'ADDED' || (event.type === 'MODIFIED' && event.object.status?.phase === 'Active')) rt.add(event.key)
    },
    configmaps(rt, event) {
      if (event.type !== 'ADDED' && event.object.metadata.name === ROOT_CA_CONFIG_MAP) rt.add(event.object.metadata.namespace ?? '')
    },
  },
  observe(key, rt) {
    const configMap = rt.get('configmaps', `${key}/${ROOT_CA_CONFIG_MAP}`)
    return { namespace: key, ...(configMap ? { configMap } : {}) }
  },
  *reconcile({ namespace, configMap }, env) {
    const data = { 'ca.crt': env.config.rootCA }
    if (!configMap) {
      const metadata = { name: ROOT_CA_CONFIG_MAP, namespace, annotations: { [DESCRIPTION_ANNOTATION]: DESCRIPTION } }
      const answer = yield* create('configmaps', namespace, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data })
      if (!answer.ok && !isNotFound(answer) && !isNamespaceTerminating(answer)) must(answer)
      return
    }
    const { annotations } = configMap.metadata
    if (deepEqual(configMap.data, data) && (annotations?.[DESCRIPTION_ANNOTATION] ?? '') !== '') return
    must(
      yield* update('configmaps', {
        ...configMap,
        data,
        metadata: { ...configMap.metadata, annotations: { ...annotations, [DESCRIPTION_ANNOTATION]: DESCRIPTION } },
      }),
    )
  },
}

// NamespaceLifecycle: apiserver/pkg/admission/plugin/namespace/lifecycle. Nothing new in namespaces that are missing or on their way out.
import type { HttpResponse } from '../../../api/http.ts'
import { forbidden, internalError, type Status } from '../../../api/status.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { Refusal } from '../refusal.ts'
import { forbiddenFor, isKind } from './helpers.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public'])
/** The cache gets this long to learn of a namespace before it is asked for directly. */
const MISSING_NAMESPACE_WAIT_MS = 50

function namespaceOf(a: Attributes): KubeObject {
  const known = a.rq.view.get('namespaces', undefined, a.namespace)
  if (known) return known
  const path = `/api/v1/namespaces/${a.namespace}`
  const answer = a.rq.need<HttpResponse>(`lookup/${path}`, {
    kind: 'lookup',
    method: 'GET',
    path,
    ...(a.operation === 'CREATE' ? { afterMs: MISSING_NAMESPACE_WAIT_MS } : {}),
  })
  if (answer.status === 200) return answer.body as KubeObject
  const status = answer.body as Status
  throw new Refusal(answer.status === 404 ? status : internalError(status.message ?? ''))
}

export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  handles: () => true,
  admit(a) {
    const aboutNamespace = isKind(a, '', 'namespaces')
    if (a.operation === 'DELETE' && aboutNamespace && IMMORTAL.has(a.name)) {
      throw new Refusal(forbidden({ group: '', name: 'namespaces' }, a.name, 'this namespace may not be deleted'))
    }
    if (a.namespace === '' || aboutNamespace || a.operation === 'DELETE' || isKind(a, 'authorization.k8s.io', 'localsubjectaccessreviews'))
      return undefined
    const namespace = namespaceOf(a)
    if (a.operation !== 'CREATE' || namespace.status?.phase !== 'Terminating') return undefined
    const status = forbiddenFor(a, `unable to create new content in namespace ${a.namespace} because it is being terminated`)
    const causes = [
      { reason: 'NamespaceTerminating', message: `namespace ${a.namespace} is being terminated`, field: 'metadata.namespace' },
    ]
    throw new Refusal({ ...status, details: { ...status.details, causes } })
  },
}

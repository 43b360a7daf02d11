// pkg/controller/validatingadmissionpolicystatus: says that a policy's expressions were looked at. Types are not checked here, so it never warns.
import type { KubeObject } from '../../../api/types/object.ts'
import { objectPath, resource } from '../runtime/resources.ts'
import { call, isNotFound, SyncError } from '../runtime/steps.ts'
import type { Controller, Outcome, Steps } from '../runtime/types.ts'

const FIELD_MANAGER = 'validatingadmissionpolicy-status'

export const validatingAdmissionPolicyStatusController: Controller<KubeObject> = {
  name: 'validatingadmissionpolicy-status-controller',
  controller: 'validatingadmissionpolicy-status-controller',
  serviceAccount: 'validatingadmissionpolicy-status-controller',
  workers: 5,
  subject: 'validatingadmissionpolicies',
  informers: ['validatingadmissionpolicies'],
  on: { validatingadmissionpolicies: (rt, { type, key }) => type !== 'DELETED' && rt.add(key) },
  observe: (key, rt) => rt.get('validatingadmissionpolicies', key),
  *reconcile(policy): Steps<Outcome | void> {
    const { name = '', generation = 0 } = policy.metadata
    if (generation <= (policy.status?.observedGeneration ?? 0)) return
    const body = {
      apiVersion: policy.apiVersion,
      kind: policy.kind,
      metadata: { name },
      status: { observedGeneration: generation, typeChecking: {} },
    }
    const path = `${objectPath(resource('validatingadmissionpolicies'), undefined, name, 'status')}?fieldManager=${FIELD_MANAGER}&force=true`
    const answer = yield* call({ method: 'PATCH', path, body, contentType: 'application/apply-patch+yaml' })
    if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
  },
}

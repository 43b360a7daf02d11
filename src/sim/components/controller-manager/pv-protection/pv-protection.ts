// pkg/controller/volume/pvprotection: a volume that is bound cannot go.
import type { KubeObject } from '../../../api/types/object.ts'
import { decided, isNotFound, SyncError, update } from '../runtime/steps.ts'
import type { Controller, Outcome, Steps } from '../runtime/types.ts'

export const PV_PROTECTION_FINALIZER = 'kubernetes.io/pv-protection'

const has = (pv: KubeObject): boolean => pv.metadata.finalizers?.includes(PV_PROTECTION_FINALIZER) === true
const isCandidate = (pv: KubeObject): boolean => pv.metadata.deletionTimestamp !== undefined && has(pv)
const needsFinalizer = (pv: KubeObject): boolean => pv.metadata.deletionTimestamp === undefined && !has(pv)

export const pvProtectionController: Controller<KubeObject> = {
  name: 'persistentvolume-protection-controller',
  controller: 'persistentvolume-protection-controller',
  serviceAccount: 'pv-protection-controller',
  workers: 1,
  subject: 'persistentvolumes',
  informers: ['persistentvolumes'],
  on: {
    persistentvolumes: (rt, { type, key, object }) => type !== 'DELETED' && (isCandidate(object) || needsFinalizer(object)) && rt.add(key),
  },
  observe: (key, rt) => rt.get('persistentvolumes', key),
  *reconcile(pv): Steps<Outcome | void> {
    const finalizers = pv.metadata.finalizers ?? []
    const bound = pv.status?.phase === 'Bound'
    if (isCandidate(pv) ? bound : !needsFinalizer(pv)) return
    const next = needsFinalizer(pv) ? [...finalizers, PV_PROTECTION_FINALIZER] : finalizers.filter((f) => f !== PV_PROTECTION_FINALIZER)
    yield* decided(needsFinalizer(pv) ? 'protect the volume' : 'let the volume go: it is not bound', { volume: pv.metadata.name ?? '' })
    const answer = yield* update('persistentvolumes', { ...pv, metadata: { ...pv.metadata, finalizers: next } })
    if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
  },
}

// pkg/controller/volume/pvcprotection: a claim that a pod uses cannot go.
import type { KubeObject } from '../../../api/types/object.ts'
import { claimsOfPod } from '../runtime/indexes.ts'
import { isPodTerminal } from '../runtime/objects.ts'
import { collectionPath, resource } from '../runtime/resources.ts'
import { call, decided, isNotFound, must, SyncError, update } from '../runtime/steps.ts'
import type { Controller, Outcome, Steps } from '../runtime/types.ts'

export const PVC_PROTECTION_FINALIZER = 'kubernetes.io/pvc-protection'

interface Observed {
  readonly claim: KubeObject
  readonly used: boolean
}

const isCandidate = (claim: KubeObject): boolean =>
  claim.metadata.deletionTimestamp !== undefined && claim.metadata.finalizers?.includes(PVC_PROTECTION_FINALIZER) === true
const needsFinalizer = (claim: KubeObject): boolean =>
  claim.metadata.deletionTimestamp === undefined && claim.metadata.finalizers?.includes(PVC_PROTECTION_FINALIZER) !== true
/** A pod that no node has yet does not use its claims; a finished one still does. */
const uses = (pod: KubeObject, key: string): boolean => Boolean(pod.spec?.nodeName) && claimsOfPod(pod).includes(key)

export const pvcProtectionController: Controller<Observed> = {
  name: 'persistentvolumeclaim-protection-controller',
  controller: 'persistentvolumeclaim-protection-controller',
  serviceAccount: 'pvc-protection-controller',
  workers: 1,
  subject: 'persistentvolumeclaims',
  informers: ['persistentvolumeclaims', 'pods'],
  on: {
    persistentvolumeclaims: (rt, { type, key, object }) =>
      type !== 'DELETED' && (isCandidate(object) || needsFinalizer(object)) && rt.add(key),
    pods(rt, { type, object: pod }) {
      if (type === 'DELETED' || isPodTerminal(pod) || !pod.spec?.nodeName) for (const claim of claimsOfPod(pod)) rt.add(claim)
    },
  },
  observe(key, rt) {
    const claim = rt.get('persistentvolumeclaims', key)
    return claim && (isCandidate(claim) || needsFinalizer(claim))
      ? { claim, used: rt.index('pods', 'claim', key).some((p) => uses(p, key)) }
      : undefined
  },
  *reconcile({ claim, used }): Steps<Outcome | void> {
    const { namespace, name } = claim.metadata
    const finalizers = claim.metadata.finalizers ?? []
    const write = function* (list: readonly string[]): Steps<void> {
      const answer = yield* update('persistentvolumeclaims', { ...claim, metadata: { ...claim.metadata, finalizers: [...list] } })
      if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
    }
    if (needsFinalizer(claim)) {
      yield* write([...finalizers, PVC_PROTECTION_FINALIZER])
      return
    }
    if (used) {
      yield* decided('keep the claim: a pod uses it', { claim: `${namespace}/${name}` })
      return
    }
    // The cache may lag: ask once more before letting go.
    const live = must(yield* call({ method: 'GET', path: collectionPath(resource('pods'), namespace) }))
    if (
      ((live.items ?? []) as KubeObject[]).some((p) =>
        uses({ ...p, metadata: { ...p.metadata, namespace: namespace ?? '' } }, `${namespace}/${name}`),
      )
    )
      return
    yield* decided('let the claim go: no pod uses it', { claim: `${namespace}/${name}` })
    yield* write(finalizers.filter((f) => f !== PVC_PROTECTION_FINALIZER))
  },
}

// pkg/controller/volume/ephemeral: the claims of pods that bring their volumes with them.
import type { Volume } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { isControlledBy, ownerReference } from '../runtime/objects.ts'
import { create, decided, effect, event, SyncError } from '../runtime/steps.ts'
import type { Controller, Outcome, Steps } from '../runtime/types.ts'

const ephemeral = (pod: KubeObject): Volume[] => ((pod.spec?.volumes ?? []) as Volume[]).filter((v) => v.ephemeral?.volumeClaimTemplate)

export const ephemeralVolumeController: Controller<KubeObject> = {
  name: 'ephemeral-volume-controller',
  controller: 'ephemeral-volume-controller',
  serviceAccount: 'ephemeral-volume-controller',
  eventSource: 'ephemeral_volume',
  workers: 10,
  subject: 'pods',
  informers: ['pods', 'persistentvolumeclaims'],
  on: {
    pods: (rt, { type, key, object }) =>
      type === 'ADDED' && !object.metadata.deletionTimestamp && ephemeral(object).length > 0 && rt.add(key),
    persistentvolumeclaims(rt, { type, object }) {
      if (type === 'DELETED')
        for (const pod of rt.index('pods', 'claim', `${object.metadata.namespace}/${object.metadata.name}`))
          rt.add(`${pod.metadata.namespace}/${pod.metadata.name}`)
    },
  },
  observe: (key, rt) => rt.get('pods', key),
  *reconcile(pod): Steps<Outcome | void> {
    if (pod.metadata.deletionTimestamp) return
    for (const volume of ephemeral(pod)) {
      const name = `${pod.metadata.name}-${volume.name}`
      const { namespace = '' } = pod.metadata
      const known = yield* effect((rt) => rt.get('persistentvolumeclaims', `${namespace}/${name}`) ?? null)
      if (known) {
        if (!isControlledBy(known, pod))
          throw new SyncError(`PVC ${namespace}/${name} was not created for pod ${namespace}/${pod.metadata.name} (pod is not owner)`)
        continue
      }
      const { metadata, spec } = volume.ephemeral?.volumeClaimTemplate ?? {}
      yield* decided('create the claim', { claim: name })
      const claim = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          name,
          namespace,
          ...(metadata?.labels ? { labels: metadata.labels } : {}),
          ...(metadata?.annotations ? { annotations: metadata.annotations } : {}),
          ownerReferences: [ownerReference(pod)],
        },
        spec,
      }
      const answer = yield* create('persistentvolumeclaims', namespace, claim)
      if (answer.ok) continue
      yield* event(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume.name}: create PVC ${name}: ${answer.message}`)
      throw new SyncError(`ephemeral volume ${volume.name}: create PVC ${name}: ${answer.message}`)
    }
  },
}

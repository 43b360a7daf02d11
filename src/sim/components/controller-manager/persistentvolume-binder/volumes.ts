// syncVolume of pkg/controller/volume/persistentvolume/pv_controller.go: phases, release, reclaim.
import type { KubeObject } from '../../../api/types/object.ts'
import { decided, effect, event, get, isNotFound, remove, SyncError } from '../runtime/steps.ts'
import type { Controller, Outcome, Steps } from '../runtime/types.ts'
import { BINDER, shared, VOLUME_QUEUE } from './claims.ts'
import { DYNAMICALLY_PROVISIONED, hasAnnotation, modesDiffer } from './match.ts'
import { CLAIMS, latest, seen, unbind, volumePhase, volumePhaseWithEvent, VOLUMES } from './write.ts'

interface Observed {
  readonly volume: KubeObject
  readonly claim?: KubeObject
}

const refKey = (volume: KubeObject): string => `${volume.spec?.claimRef?.namespace}/${volume.spec?.claimRef?.name}`

export const volumeBinder: Controller<Observed> = {
  ...shared,
  name: VOLUME_QUEUE,
  subject: VOLUMES,
  on: {
    [VOLUMES](rt, { type, key, object }) {
      seen(rt, VOLUMES, key, type === 'DELETED' ? undefined : object)
      if (type !== 'DELETED') rt.add(key)
      if (type === 'DELETED' && object.spec?.claimRef) rt.add(refKey(object), BINDER)
    },
  },
  observe(key, rt) {
    const volume = latest(rt, VOLUMES, key)
    if (!volume) return undefined
    const claim = volume.spec?.claimRef ? latest(rt, CLAIMS, refKey(volume)) : undefined
    return { volume, ...(claim ? { claim } : {}) }
  },
  *reconcile(observed): Steps<Outcome | void> {
    try {
      yield* sync(observed)
    } catch (thrown) {
      if (!(thrown instanceof SyncError)) throw thrown
    }
  },
}

const isReleased = (volume: KubeObject): boolean => volume.status?.phase === 'Released' || volume.status?.phase === 'Failed'

function* sync({ volume, claim: cached }: Observed): Steps<void> {
  const ref = volume.spec?.claimRef
  if (!ref?.uid) {
    // Free, or reserved by hand for a claim that has not come yet.
    yield* volumePhase(volume, 'Available')
    return
  }
  let claim = cached
  if (!isReleased(volume) && claim?.metadata.uid !== ref.uid) {
    // Nothing is released on the word of a cache.
    const live = yield* get(CLAIMS, ref.namespace, ref.name)
    if (!live.ok && !isNotFound(live)) throw new SyncError(live.message)
    claim = live.ok ? (live.body as KubeObject) : undefined
  }
  if (claim && claim.metadata.uid !== ref.uid) claim = undefined
  if (!claim) {
    const released = isReleased(volume) ? volume : yield* volumePhase(volume, 'Released')
    yield* reclaim(released)
    return
  }
  if (!claim.spec?.volumeName) {
    if (modesDiffer(volume, claim)) {
      yield* event(
        volume,
        'Warning',
        'VolumeMismatch',
        `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`,
      )
      yield* event(
        claim,
        'Warning',
        'VolumeMismatch',
        `Cannot bind PersistentVolume "${volume.metadata.name}" to requested PersistentVolumeClaim due to incompatible volumeMode.`,
      )
      return
    }
    yield* effect((rt) => rt.add(refKey(volume), BINDER))
    return
  }
  if (claim.spec.volumeName === volume.metadata.name) {
    yield* volumePhase(volume, 'Bound')
    return
  }
  // The claim is bound elsewhere.
  if (hasAnnotation(volume, DYNAMICALLY_PROVISIONED) && volume.spec.persistentVolumeReclaimPolicy === 'Delete') {
    yield* reclaim(isReleased(volume) ? volume : yield* volumePhase(volume, 'Released'))
  } else yield* unbind(volume)
}

/** reclaimVolume. */
function* reclaim(volume: KubeObject): Steps<void> {
  const { name = '' } = volume.metadata
  switch (volume.spec?.persistentVolumeReclaimPolicy) {
    case 'Retain':
      return
    case 'Delete': {
      const why = notDeletable(volume)
      if (why === 'external') return
      if (why !== undefined) {
        yield* volumePhaseWithEvent(volume, 'Failed', 'Warning', 'VolumeFailedDelete', why)
        return
      }
      yield* decided('delete the released volume', { volume: name })
      const answer = yield* remove(VOLUMES, undefined, name)
      if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
      return
    }
    case 'Recycle':
      yield* volumePhaseWithEvent(volume, 'Failed', 'Warning', 'VolumeFailedRecycle', 'No recycler plugin found for the volume!')
      return
    default:
      yield* volumePhaseWithEvent(
        volume,
        'Failed',
        'Warning',
        'VolumeUnknownReclaimPolicy',
        'Volume has an unrecognized PersistentVolumeReclaimPolicy',
      )
  }
}

/** findDeletablePlugin and the host path deleter: why this volume cannot be deleted here. */
function notDeletable(volume: KubeObject): string | undefined {
  const { name } = volume.metadata
  const provisioner = volume.metadata.annotations?.[DYNAMICALLY_PROVISIONED]
  if (provisioner !== undefined && !provisioner.startsWith('kubernetes.io/')) return 'external'
  if (volume.spec?.hostPath) {
    const { path } = volume.spec.hostPath
    return /^\/tmp\/.+/.test(path) ? undefined : `host_path deleter only supports /tmp/.+ but received provided ${path}`
  }
  const known = ['nfs', 'local', 'iscsi', 'fc'].some((source) => volume.spec?.[source])
  return `error getting deleter volume plugin for volume "${name}": ${known ? 'no deletable volume plugin matched' : 'no volume plugin matched'}`
}

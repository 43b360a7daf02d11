// syncClaim of pkg/controller/volume/persistentvolume/pv_controller.go.
import { compareStrings } from '../../../../lib/compare.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { createdAt, isPodTerminal, keyOf } from '../runtime/objects.ts'
import { event, SyncError } from '../runtime/steps.ts'
import type { Controller, Outcome, Runtime, Steps } from '../runtime/types.ts'
import {
  BETA_STORAGE_PROVISIONER,
  BIND_COMPLETED,
  BOUND_BY_CONTROLLER,
  classOf,
  findMatch,
  hasAnnotation,
  hasClass,
  isBoundTo,
  misfit,
  SELECTED_NODE,
  STORAGE_PROVISIONER,
} from './match.ts'
import { bind, claimPhase, CLAIMS, latest, latestList, save, seen, VOLUMES } from './write.ts'

export const BINDER = 'persistentvolume-binder-controller'
export const VOLUME_QUEUE = `${BINDER}/volumes`
/** `--pvclaimbinder-sync-period`. */
export const RESYNC_MS = 15_000
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class'

interface Observed {
  readonly claim: KubeObject
  readonly volume?: KubeObject
  readonly storageClass?: KubeObject
  readonly defaultClass?: string
  readonly match?: KubeObject
  /** Pods that use the claim and have no node yet. */
  readonly waiting: readonly string[]
}

export const shared = {
  controller: BINDER,
  serviceAccount: 'persistent-volume-binder',
  eventSource: 'persistentvolume-controller',
  workers: 1,
  informers: [CLAIMS, VOLUMES, 'storageclasses', 'pods'],
} as const

export const claimBinder: Controller<Observed> = {
  ...shared,
  name: BINDER,
  subject: CLAIMS,
  on: {
    [CLAIMS](rt, { type, key, object }) {
      seen(rt, CLAIMS, key, type === 'DELETED' ? undefined : object)
      if (type !== 'DELETED') rt.add(key)
      else if (object.spec?.volumeName) rt.add(object.spec.volumeName, VOLUME_QUEUE)
    },
  },
  ticks: [
    {
      everyMs: RESYNC_MS,
      run(rt) {
        for (const claim of rt.list(CLAIMS)) rt.add(keyOf(claim))
        for (const volume of rt.list(VOLUMES)) rt.add(keyOf(volume), VOLUME_QUEUE)
      },
    },
  ],
  observe(key, rt) {
    const claim = latest(rt, CLAIMS, key)
    if (!claim) return undefined
    const volume = claim.spec?.volumeName ? latest(rt, VOLUMES, claim.spec.volumeName) : undefined
    const storageClass = rt.get('storageclasses', classOf(claim))
    const unbound = !hasAnnotation(claim, BIND_COMPLETED) && !claim.spec?.volumeName
    const match = unbound ? findMatch(claim, latestList(rt, VOLUMES), isDelayed(storageClass)) : undefined
    const waiting = rt
      .index('pods', 'claim', key)
      .filter((p) => !isPodTerminal(p) && !p.spec?.nodeName)
      .map((p) => p.metadata.name ?? '')
    const defaultClass = defaultClassName(rt)
    return {
      claim,
      waiting,
      ...(volume ? { volume } : {}),
      ...(storageClass ? { storageClass } : {}),
      ...(match ? { match } : {}),
      ...(defaultClass ? { defaultClass } : {}),
    }
  },
  *reconcile(observed): Steps<Outcome | void> {
    try {
      if (hasAnnotation(observed.claim, BIND_COMPLETED)) yield* syncBound(observed)
      else if (observed.claim.spec?.volumeName) yield* syncNamed(observed)
      else yield* syncUnbound(observed)
    } catch (thrown) {
      // Upstream only logs: the next event or the resync tries again.
      if (!(thrown instanceof SyncError)) throw thrown
    }
  },
}

const isDelayed = (storageClass: KubeObject | undefined): boolean => storageClass?.volumeBindingMode === 'WaitForFirstConsumer'

/** GetDefaultClass: the youngest of those that say they are. */
function defaultClassName(rt: Runtime): string | undefined {
  const defaults = rt
    .list('storageclasses')
    .filter(
      (c) =>
        c.metadata.annotations?.[DEFAULT_CLASS] === 'true' ||
        c.metadata.annotations?.['storageclass.beta.kubernetes.io/is-default-class'] === 'true',
    )
  return defaults.sort((a, b) => createdAt(b) - createdAt(a) || compareStrings(a.metadata.name ?? '', b.metadata.name ?? ''))[0]?.metadata
    .name
}

function* syncUnbound({ claim, match, storageClass, defaultClass, waiting }: Observed): Steps<void> {
  if (match) {
    yield* bind(match, claim)
    return
  }
  if (!hasClass(claim) && defaultClass !== undefined) {
    yield* save(CLAIMS, { ...claim, spec: { ...claim.spec, storageClassName: defaultClass } })
    return
  }
  if (isDelayed(storageClass) && !hasAnnotation(claim, SELECTED_NODE)) {
    if (waiting.length === 0)
      yield* event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding')
    else
      yield* event(
        claim,
        'Normal',
        'WaitForPodScheduled',
        `waiting for ${waiting.length > 1 ? 'pods' : 'pod'} ${waiting.join(',')} to be scheduled`,
      )
  } else if (classOf(claim) !== '') {
    yield* provision(claim, storageClass)
    return
  } else yield* event(claim, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set')
  yield* claimPhase(claim, 'Pending')
}

/** provisionClaim: external provisioners are told by annotation; the in-tree ones are gone. */
function* provision(claim: KubeObject, storageClass: KubeObject | undefined): Steps<void> {
  if (!storageClass) {
    yield* event(claim, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${classOf(claim)}" not found`)
    return
  }
  const provisioner: string = storageClass.provisioner
  if (provisioner.startsWith('kubernetes.io/') && !MIGRATED.includes(provisioner)) {
    yield* event(claim, 'Warning', 'ProvisioningFailed', `no volume plugin matched name: ${provisioner}`)
    return
  }
  const name = CSI_NAMES[provisioner] ?? provisioner
  let current = claim
  if (claim.metadata.annotations?.[STORAGE_PROVISIONER] !== name) {
    const annotations = { ...claim.metadata.annotations, [BETA_STORAGE_PROVISIONER]: name, [STORAGE_PROVISIONER]: name }
    current = yield* save(CLAIMS, { ...claim, metadata: { ...claim.metadata, annotations } })
  }
  yield* event(
    current,
    'Normal',
    'ExternalProvisioning',
    `Waiting for a volume to be created either by the external provisioner '${name}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
  )
}

/** In-tree names that stand for CSI drivers now. */
const CSI_NAMES: Readonly<Record<string, string>> = {
  'kubernetes.io/aws-ebs': 'ebs.csi.aws.com',
  'kubernetes.io/azure-disk': 'disk.csi.azure.com',
  'kubernetes.io/azure-file': 'file.csi.azure.com',
  'kubernetes.io/cinder': 'cinder.csi.openstack.org',
  'kubernetes.io/gce-pd': 'pd.csi.storage.gke.io',
  'kubernetes.io/portworx-volume': 'pxd.portworx.com',
  'kubernetes.io/vsphere-volume': 'csi.vsphere.vmware.com',
}
const MIGRATED = Object.keys(CSI_NAMES)

/** A claim that names its volume. */
function* syncNamed({ claim, volume }: Observed): Steps<void> {
  if (!volume) {
    yield* claimPhase(claim, 'Pending')
    return
  }
  if (!volume.spec?.claimRef) {
    const why = misfit(volume, claim)
    if (why === undefined) {
      yield* bind(volume, claim)
      return
    }
    yield* event(claim, 'Warning', 'VolumeMismatch', `Cannot bind to requested volume "${volume.metadata.name}": ${why}`)
    yield* claimPhase(claim, 'Pending')
    return
  }
  if (isBoundTo(volume, claim)) yield* bind(volume, claim)
  else if (!hasAnnotation(claim, BOUND_BY_CONTROLLER)) yield* claimPhase(claim, 'Pending')
}

function* syncBound({ claim, volume }: Observed): Steps<void> {
  const lost = function* (reason: string, message: string): Steps<void> {
    if (claim.status?.phase === 'Lost') return
    yield* event(yield* claimPhase(claim, 'Lost'), 'Warning', reason, message)
  }
  if (!claim.spec?.volumeName) yield* lost('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
  else if (!volume) yield* lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  else if (!volume.spec?.claimRef || volume.spec.claimRef.uid === claim.metadata.uid) yield* bind(volume, claim)
  else yield* lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
}

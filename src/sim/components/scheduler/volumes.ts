// VolumeBinding's Reserve and PreBind: what is assumed, written and waited for before the pod itself is bound.
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../api/types/object.ts'
import { store } from '../../client/informer.ts'
import type { Context } from '../../net/context.ts'
import type { PodVolumes } from './plugins/volumebinding/binder.ts'
import {
  ANN_BOUND_BY_CONTROLLER,
  ANN_SELECTED_NODE,
  isFullyBound,
  isVolumeBoundToClaim,
  volumeFitsNode,
} from './plugins/volumebinding/match.ts'
import { assumedClaims, assumedVolumes } from './listers.ts'
import type { Node } from '../../api/types/kubernetes.gen.ts'

export const VOLUME_BIND_TIMEOUT_MS = 600_000
export const VOLUME_POLL_MS = 1_000

export interface VolumeWork {
  /** PUTs, in order. */
  readonly writes: readonly { readonly path: string; readonly body: object }[]
  readonly bindings: readonly { readonly claim: string; readonly volume: string }[]
  /** namespace/name of claims to be provisioned. */
  readonly provisions: readonly string[]
}

const claimKey = (claim: PersistentVolumeClaim): string => `${claim.metadata.namespace}/${claim.metadata.name}`

/** AssumePodVolumes. Nothing to write means that all is bound. */
export function reserveVolumes(ctx: Context, volumes: PodVolumes, nodeName: string): VolumeWork {
  const writes: { path: string; body: object }[] = []
  for (const { volume, claim } of volumes.bindings) {
    const assumed = boundTo(volume, claim)
    if (assumed !== volume) {
      assumedVolumes(ctx).put(volume.metadata.name as string, assumed)
      writes.push({ path: `/api/v1/persistentvolumes/${volume.metadata.name}`, body: assumed })
    }
  }
  for (const claim of volumes.provisions) {
    const assumed: PersistentVolumeClaim = {
      ...claim,
      metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, [ANN_SELECTED_NODE]: nodeName } },
    }
    assumedClaims(ctx).put(claimKey(claim), assumed)
    writes.push({ path: `/api/v1/namespaces/${claim.metadata.namespace}/persistentvolumeclaims/${claim.metadata.name}`, body: assumed })
  }
  return {
    writes,
    bindings: volumes.bindings.map((b) => ({ claim: claimKey(b.claim), volume: b.volume.metadata.name as string })),
    provisions: volumes.provisions.map(claimKey),
  }
}

/** GetBindVolumeToClaim: the volume with a full reference to the claim; the same object if it has one. */
function boundTo(volume: PersistentVolume, claim: PersistentVolumeClaim): PersistentVolume {
  const ref = volume.spec?.claimRef
  const complete = ref && isVolumeBoundToClaim(volume, claim) && ref.uid === claim.metadata.uid
  if (complete) return volume
  const claimRef = {
    ...ref,
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace: claim.metadata.namespace ?? '',
    name: claim.metadata.name ?? '',
    uid: claim.metadata.uid ?? '',
    resourceVersion: claim.metadata.resourceVersion ?? '',
  }
  // A reference made by hand stays the user's binding, not the controller's.
  const annotations = ref ? volume.metadata.annotations : { ...volume.metadata.annotations, [ANN_BOUND_BY_CONTROLLER]: 'yes' }
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(annotations ? { annotations } : {}) },
    spec: { ...(volume.spec as NonNullable<PersistentVolume['spec']>), claimRef },
  }
}

/** RevertAssumedPodVolumes. */
export function releaseVolumes(ctx: Context, work: VolumeWork): void {
  for (const { volume } of work.bindings) assumedVolumes(ctx).delete(volume)
  for (const claim of work.provisions) assumedClaims(ctx).delete(claim)
}

/** checkBindings: undefined = keep waiting, '' = all bound, else what went wrong. */
export function checkBindings(ctx: Context, work: VolumeWork, nodeName: string): string | undefined {
  const node = store(ctx, 'nodes').get(nodeName) as Node | undefined
  let waiting = false
  for (const key of [...work.bindings.map((b) => b.claim), ...work.provisions]) {
    const claim = store(ctx, 'persistentvolumeclaims').get(key) as PersistentVolumeClaim | undefined
    if (!claim) return `error getting PVC "${key}" from cache: persistentvolumeclaim "${key.slice(key.indexOf('/') + 1)}" not found`
    if (work.provisions.includes(key)) {
      const selected = claim.metadata.annotations?.[ANN_SELECTED_NODE]
      const written = !assumedClaims(ctx).has(key)
      if (selected === undefined && written) return `selectedNode annotation reset for PVC "${claim.metadata.name}"`
      if (selected !== undefined && selected !== nodeName) return `provisioning failed for PVC "${claim.metadata.name}"`
    }
    if (!isFullyBound(claim)) {
      waiting = true
      continue
    }
    const volume = store(ctx, 'persistentvolumes').get(claim.spec?.volumeName as string) as PersistentVolume | undefined
    if (!volume) waiting = true
    else if (node && !volumeFitsNode(volume, node))
      return `pv "${volume.metadata.name}" node affinity doesn't match node "${nodeName}": no matching NodeSelectorTerms`
  }
  return waiting ? undefined : ''
}

/** The assume cache: what the API says in the meantime wins over what was assumed, once it is newer. */
export function refreshAssumption(ctx: Context, kind: 'volumes' | 'claims', key: string, object: KubeObject | undefined): void {
  const table = kind === 'volumes' ? assumedVolumes(ctx) : assumedClaims(ctx)
  const assumed = table.get(key)
  if (!assumed) return
  if (
    !object ||
    object.metadata.uid !== assumed.metadata.uid ||
    Number(object.metadata.resourceVersion) > Number(assumed.metadata.resourceVersion)
  )
    table.delete(key)
}

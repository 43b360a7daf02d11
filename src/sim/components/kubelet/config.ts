// What a kubelet is started with, and the constants of pkg/kubelet that others share.
import type { ClientConfig } from '../../client/request.ts'
import type { ComponentId } from '../../engine/types.ts'
import type { Context } from '../../net/context.ts'

export interface KubeletConfig {
  readonly node: string
  readonly nodeIP: string
  readonly client: ClientConfig
  readonly runtime: ComponentId
  readonly capacity: { readonly cpu: string; readonly memory: string; readonly ephemeralStorage: string; readonly pods: number }
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly { readonly key: string; readonly value?: string; readonly effect: string }[]
  readonly clusterDNS: readonly string[]
  readonly clusterDomain: string
  /** `runtime-config`: pass the node's pod CIDR to the runtime (CRI UpdateRuntimeConfig). */
  readonly passPodCIDR: boolean
  readonly manifests: readonly object[]
  /** Highest delay between restarts of a container, ms (crashLoopBackOff.maxContainerRestartPeriod). */
  readonly maxContainerRestartMs?: number
}

export const config = (ctx: Context): KubeletConfig => ctx.config as KubeletConfig

export const KUBELET_VERSION = 'v1.35.4'
export const EVENT_SOURCE = 'kubelet'

export const RELIST_MS = 1000
/** pod_workers.go and kubelet.go. */
export const RESYNC_MS = 60_000
export const RESYNC_JITTER = 0.5
export const BACKOFF_MS = 10_000
export const BACKOFF_JITTER = 0.5
export const TRANSIENT_BACKOFF_MS = 1000
export const CRASH_BACKOFF_INITIAL_MS = 10_000
export const CRASH_BACKOFF_MAX_MS = 300_000
export const CRASH_BACKOFF_RESET_MS = 600_000
export const IMAGE_BACKOFF_INITIAL_MS = 10_000
export const IMAGE_BACKOFF_MAX_MS = 300_000
export const STATUS_UPDATE_MS = 10_000
export const STATUS_REPORT_MS = 300_000
export const LEASE_DURATION_SECONDS = 40
export const LEASE_RENEW_MS = 10_000
/** Shortest time a container has between SIGTERM and SIGKILL. */
export const MINIMUM_GRACE_SECONDS = 2
/** volumemanager: the loops that find and mount volumes run this often, and a waiting pod looks this often. */
export const VOLUME_LOOP_MS = 100
export const VOLUME_RETRY_MS = 300
export const VOLUME_TIMEOUT_MS = 123_000
/** A watched ConfigMap or Secret must have been read by then. */
export const OBJECT_SYNC_TIMEOUT_MS = 1000
export const MAX_PROBE_RETRIES = 3
export const STATIC_POD_CHECK_MS = 20_000
/** Node status lists at most so many images. */
export const NODE_STATUS_MAX_IMAGES = 50
export const MAX_DEAD_CONTAINERS = 1
export const SANDBOX_GC_MS = 60_000

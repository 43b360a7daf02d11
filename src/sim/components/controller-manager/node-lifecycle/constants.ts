// pkg/controller/nodelifecycle/node_lifecycle_controller.go and its defaults (config/v1alpha1/defaults.go).
import type { Taint } from '../../../api/types/kubernetes.gen.ts'

/** `--node-monitor-period`, `--node-monitor-grace-period`, `--node-startup-grace-period`. */
export const NODE_MONITOR_PERIOD_MS = 5_000
export const NODE_MONITOR_GRACE_PERIOD_MS = 50_000
export const NODE_STARTUP_GRACE_PERIOD_MS = 60_000
/** `--node-eviction-rate`, `--secondary-node-eviction-rate`, `--large-cluster-size-threshold`, `--unhealthy-zone-threshold`. */
export const NODE_EVICTION_RATE = 0.1
export const SECONDARY_NODE_EVICTION_RATE = 0.01
export const LARGE_CLUSTER_THRESHOLD = 50
export const UNHEALTHY_ZONE_THRESHOLD = 0.55
/** scheduler.NodeEvictionPeriod: how often nodes that wait for a NoExecute taint are looked at. */
export const NODE_EVICTION_PERIOD_MS = 100

export const NOT_READY: Taint = { key: 'node.kubernetes.io/not-ready', effect: 'NoExecute' }
export const UNREACHABLE: Taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }
export const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'

/** Condition type → status → key of the NoSchedule taint. */
export const CONDITION_TAINTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Ready: { False: 'node.kubernetes.io/not-ready', Unknown: 'node.kubernetes.io/unreachable' },
  MemoryPressure: { True: 'node.kubernetes.io/memory-pressure' },
  DiskPressure: { True: 'node.kubernetes.io/disk-pressure' },
  NetworkUnavailable: { True: 'node.kubernetes.io/network-unavailable' },
  PIDPressure: { True: 'node.kubernetes.io/pid-pressure' },
}

/** Conditions that are set to Unknown when a node falls silent. */
export const WATCHED_CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const
export const NEVER_POSTED = { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' } as const
export const STOPPED_POSTING = { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' } as const

export const EXCLUDE_DISRUPTION_LABEL = 'node.kubernetes.io/exclude-disruption'
/** Labels that follow others (labelReconcileInfo): the old name of a label is kept equal to the new one. */
export const SECONDARY_LABELS: readonly (readonly [primary: string, secondary: string])[] = [
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
]

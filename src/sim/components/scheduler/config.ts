import type { ClientConfig } from '../../client/request.ts'

/** What kube-scheduler's flags and KubeSchedulerConfiguration set. */
export interface KubeSchedulerConfig {
  readonly client: ClientConfig
  /** --leader-elect. */
  readonly leaderElect: boolean
  /** 0 or absent: adaptive. */
  readonly percentageOfNodesToScore?: number
  /** Virtual ms that one scheduling cycle takes. */
  readonly cycleMs?: number
}

/** Upstream manages about a thousand simple pods a second. */
export const DEFAULT_CYCLE_MS = 1

/** The identity that kubeadm gives the scheduler. */
export const schedulerClient = (servers: ClientConfig['servers']): ClientConfig => ({
  servers,
  user: 'system:kube-scheduler',
  groups: [],
  userAgent: 'kube-scheduler/v1.35.4 (linux/amd64) kubernetes/scheduler',
})

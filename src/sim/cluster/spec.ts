// What a cluster is made from: the document that scenarios, share links and the command line carry.

export interface ClusterSpec {
  /** 1 or 3. Three stack an etcd member on each and stand behind a load balancer. */
  readonly controlPlanes: 1 | 3
  /** 1–50 machines. */
  readonly workers: number
  readonly workerCpu: string
  readonly workerMemory: string
  readonly proxyMode: 'iptables' | 'nftables'
  readonly podCIDR: string
  readonly serviceCIDR: string
  /** Virtual ms of one write-ahead-log fsync of etcd. */
  readonly etcdFsyncMs: number
}

/** The cluster of the page: what `kubeadm init` makes, with three workers of 4 CPU and 8 GiB. */
export const CLASSROOM: ClusterSpec = {
  controlPlanes: 1,
  workers: 3,
  workerCpu: '4',
  workerMemory: '8Gi',
  proxyMode: 'iptables',
  podCIDR: '10.244.0.0/16',
  serviceCIDR: '10.96.0.0/12',
  etcdFsyncMs: 1,
}

export const MAX_WORKERS = 50

/** @throws RangeError with the field's name when the spec asks for what cannot be built. */
export function checkSpec(spec: ClusterSpec): ClusterSpec {
  if (spec.controlPlanes !== 1 && spec.controlPlanes !== 3) throw new RangeError(`controlPlanes: ${spec.controlPlanes}: must be 1 or 3`)
  if (!Number.isInteger(spec.workers) || spec.workers < 1 || spec.workers > MAX_WORKERS)
    throw new RangeError(`workers: ${spec.workers}: must be a whole number from 1 to ${MAX_WORKERS}`)
  return spec
}

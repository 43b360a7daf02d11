// pkg/controller/nodeipam/ipam/range_allocator.go: every node gets the next free block of the cluster CIDR for its pods.
import type { KubeObject } from '../../../api/types/object.ts'
import { decided, effect, event, isNotFound, patch, SyncError } from '../runtime/steps.ts'
import type { Controller, KubeControllerManagerConfig, Outcome, Runtime, Steps } from '../runtime/types.ts'

/** `--node-cidr-mask-size` for IPv4. */
export const DEFAULT_MASK_SIZE = 24
/** updateCIDRsAllocation. */
const UPDATE_RETRIES = 3

const toNumber = (ip: string): number => ip.split('.').reduce((n, part) => n * 256 + Number(part), 0)
const toIP = (n: number): string => [24, 16, 8, 0].map((shift) => Math.floor(n / 2 ** shift) % 256).join('.')

export interface CidrSet {
  readonly base: number
  readonly blocks: number
  readonly mask: number
}

export function cidrSet(config: Pick<KubeControllerManagerConfig, 'clusterCIDR' | 'nodeCIDRMaskSize'>): CidrSet {
  const [ip = '0.0.0.0', bits = '0'] = config.clusterCIDR.split('/')
  const mask = config.nodeCIDRMaskSize ?? DEFAULT_MASK_SIZE
  const size = 2 ** (32 - Number(bits))
  return { base: Math.floor(toNumber(ip) / size) * size, blocks: 2 ** (mask - Number(bits)), mask }
}
export const blockCIDR = (set: CidrSet, index: number): string => `${toIP(set.base + index * 2 ** (32 - set.mask))}/${set.mask}`
export const blockIndex = (set: CidrSet, cidr: string): number =>
  Math.floor((toNumber(cidr.split('/')[0] ?? '') - set.base) / 2 ** (32 - set.mask))

/** Block → node; `next`: where the search goes on (CidrSet.nextCandidate). */
const used = (rt: Runtime) => rt.memory<string>('used')
const next = (rt: Runtime) => rt.memory<number>('next')

export const nodeIpamController: Controller<KubeObject> = {
  name: 'node-ipam-controller',
  controller: 'node-ipam-controller',
  serviceAccount: 'node-controller',
  eventSource: 'cidrAllocator',
  workers: 30,
  subject: 'nodes',
  informers: ['nodes'],
  on: {
    nodes(rt, { type, key, object }) {
      const set = cidrSet(rt.config)
      const cidr: string | undefined = object.spec?.podCIDR
      if (type === 'DELETED') {
        for (const [block, node] of used(rt).entries()) if (node === key) used(rt).delete(block)
        return
      }
      if (cidr) {
        const index = blockIndex(set, cidr)
        if (index >= 0 && index < set.blocks && used(rt).get(String(index)) !== key) used(rt).put(String(index), key)
      } else if (!object.metadata.deletionTimestamp) rt.add(key)
    },
  },
  observe(key, rt) {
    const node = rt.get('nodes', key)
    return node && !node.spec?.podCIDR && !node.metadata.deletionTimestamp ? node : undefined
  },
  *reconcile(node, env): Steps<Outcome | void> {
    const set = cidrSet(env.config)
    const name = node.metadata.name ?? ''
    const index = yield* effect((rt) => {
      const start = next(rt).get('next') ?? 0
      for (let i = 0; i < set.blocks; i++) {
        const candidate = (start + i) % set.blocks
        if (used(rt).has(String(candidate))) continue
        used(rt).put(String(candidate), name)
        next(rt).put('next', (candidate + 1) % set.blocks)
        return candidate
      }
      return -1
    })
    const ref = { apiVersion: 'v1', kind: 'Node', name, uid: node.metadata.uid ?? '' }
    if (index < 0) {
      yield* event(ref, 'Normal', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`)
      throw new SyncError('CIDR allocation failed; there are no remaining CIDRs left to allocate in the accepted range')
    }
    const cidr = blockCIDR(set, index)
    yield* decided('give the node its pod CIDR', { node: name, cidr })
    let error = ''
    for (let i = 0; i < UPDATE_RETRIES; i++) {
      const answer = yield* patch('nodes', node, { spec: { podCIDR: cidr, podCIDRs: [cidr] } })
      if (answer.ok) return
      error = answer.message
      if (isNotFound(answer)) break
    }
    yield* effect((rt) => used(rt).delete(String(index)))
    yield* event(ref, 'Normal', 'CIDRAssignmentFailed', `Node ${name} status is now: CIDRAssignmentFailed`)
    throw new SyncError(error)
  },
}

import { describe, expect, it } from 'vitest'
import { run } from '../testing/harness.ts'
import { node } from '../testing/objects.ts'
import { blockCIDR, blockIndex, cidrSet, nodeIpamController } from './node-ipam.ts'

describe('node IPAM', () => {
  it('cuts the cluster CIDR into blocks and finds a block again', () => {
    const set = cidrSet({ clusterCIDR: '10.244.0.0/16' })
    expect(set.blocks).toBe(256)
    expect([0, 1, 255].map((i) => blockCIDR(set, i))).toEqual(['10.244.0.0/24', '10.244.1.0/24', '10.244.255.0/24'])
    expect(blockIndex(set, '10.244.17.0/24')).toBe(17)
    expect(blockCIDR(cidrSet({ clusterCIDR: '192.168.0.0/16', nodeCIDRMaskSize: 20 }), 3)).toBe('192.168.48.0/20')
  })

  it('writes podCIDR and podCIDRs in one patch', () => {
    const { requests, calls } = run(nodeIpamController, 'node-1', [node('node-1')])
    expect(requests).toEqual(['PATCH nodes/node-1'])
    expect(calls[0]?.body).toEqual({ spec: { podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] } })
  })
})

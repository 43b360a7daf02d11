import { describe, expect, it } from 'vitest'
import { calculateUsage, matchesScopes, podResources, quotaUsage, resourceOfLimit } from './quota.ts'
import { quantityToString } from './quantity.ts'
import type { KubeObject } from './types/object.ts'

const pod = (spec: object, status: object = { phase: 'Running' }): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n' },
  spec,
  status,
})
const requests = (cpu: string) => ({ resources: { requests: { cpu } } })

describe('quota', () => {
  it('asks for containers and sidecars together, or for the largest init container beside the sidecars before it', () => {
    const asks = (spec: object): string => quantityToString(podResources(pod(spec), 'requests').get('cpu') as never)
    expect(asks({ containers: [requests('200m'), requests('300m')] })).toBe('500m')
    expect(asks({ containers: [requests('200m')], initContainers: [requests('700m')] })).toBe('700m')
    expect(
      asks({ containers: [requests('200m')], initContainers: [{ ...requests('100m'), restartPolicy: 'Always' }, requests('700m')] }),
    ).toBe('800m')
  })

  it('counts finished pods as objects only', () => {
    expect([
      ...quotaUsage({ group: '', resource: 'pods' }, pod({ containers: [requests('1')] }, { phase: 'Succeeded' }), 0).keys(),
    ]).toEqual(['count/pods'])
  })

  it('knows what a limit is about', () => {
    expect(resourceOfLimit('count/deployments.apps')).toEqual({ group: 'apps', resource: 'deployments' })
    expect(resourceOfLimit('fast.storageclass.storage.k8s.io/requests.storage')).toEqual({ group: '', resource: 'persistentvolumeclaims' })
    expect(resourceOfLimit('services.nodeports')).toEqual({ group: '', resource: 'services' })
  })

  it('counts only pods of its scopes', () => {
    const quota: KubeObject = {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name: 'q' },
      spec: { hard: { pods: '5' }, scopes: ['BestEffort'] },
    }
    const pods = [pod({ containers: [{}] }), pod({ containers: [requests('50m')] })]
    expect(calculateUsage(quota, () => pods, 0)).toEqual({ pods: '1' })
    expect(matchesScopes(quota, { group: '', resource: 'services' }, pods[0] as KubeObject)).toBe(false)
  })
})

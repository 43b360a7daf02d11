// Small objects for tests.
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime } from '../../../client/time.ts'
import { ownerReference } from '../runtime/objects.ts'

let serial = 0
const uid = (): string => `uid-${String(++serial).padStart(4, '0')}`

type Overrides = { [field: string]: unknown; metadata?: object }

export const make = (apiVersion: string, kind: string, name: string, rest: Overrides = {}): KubeObject => {
  const { metadata, ...fields } = rest
  return {
    apiVersion,
    kind,
    metadata: { name, namespace: 'shop', uid: uid(), resourceVersion: '1', generation: 1, creationTimestamp: apiTime(0), ...metadata },
    ...fields,
  }
}

export const TEMPLATE = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'nginx' }] } }
export const SELECTOR = { matchLabels: { app: 'web' } }

export const ready = (since = 0): object => ({
  phase: 'Running',
  podIP: '10.244.1.5',
  podIPs: [{ ip: '10.244.1.5' }],
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: apiTime(since) }],
})

export const pod = (name: string, rest: Overrides & { owner?: KubeObject } = {}): KubeObject => {
  const { owner, metadata, ...fields } = rest
  return make('v1', 'Pod', name, {
    spec: { containers: [{ name: 'app', image: 'nginx' }], nodeName: 'node-1' },
    status: { phase: 'Pending' },
    ...fields,
    metadata: { labels: { app: 'web' }, ...(owner ? { ownerReferences: [ownerReference(owner)] } : {}), ...metadata },
  })
}

export const node = (name: string, rest: Overrides = {}): KubeObject =>
  make('v1', 'Node', name, { spec: {}, status: {}, ...rest, metadata: { namespace: undefined, labels: {}, ...rest.metadata } })

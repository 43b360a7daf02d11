// PodTopologyLabels: plugin/pkg/admission/podtopologylabels. A pod carries the zone and region of its node.
import { setOwn } from '../../../../lib/own.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { isPod } from './helpers.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

export const TOPOLOGY_LABELS = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone']

/** The topology labels of a node, as far as it has them. */
export function topologyLabels(a: Pick<Attributes, 'rq'>, nodeName: string): Record<string, string> {
  const labels = a.rq.view.get('nodes', undefined, nodeName)?.metadata.labels ?? {}
  const out: Record<string, string> = {}
  for (const key of TOPOLOGY_LABELS) if (Object.hasOwn(labels, key)) setOwn(out, key, labels[key] as string)
  return out
}

export const podTopologyLabels: AdmissionPlugin = {
  name: 'PodTopologyLabels',
  handles: (a) => isPod(a) && a.operation === 'CREATE' && (a.subresource === '' || a.subresource === 'binding'),
  admit(a) {
    const object = a.object as KubeObject
    const nodeName = a.subresource === 'binding' ? (object.target?.kind === 'Node' ? object.target.name : undefined) : object.spec?.nodeName
    if (!nodeName) return undefined
    const labels = topologyLabels(a, nodeName)
    if (Object.keys(labels).length === 0) return undefined
    object.metadata.labels = { ...object.metadata.labels, ...labels }
    return `labels ${Object.keys(labels).join(', ')} of node ${nodeName}`
  },
}

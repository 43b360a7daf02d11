// DefaultTolerationSeconds: plugin/pkg/admission/defaulttolerationseconds. Pods stay five minutes on a node that is gone.
import type { Toleration } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { isPod } from './helpers.ts'
import type { AdmissionPlugin } from './types.ts'

const SECONDS = 300
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: (a) => isPod(a) && a.subresource === '' && (a.operation === 'CREATE' || a.operation === 'UPDATE'),
  admit(a) {
    const { spec } = a.object as KubeObject
    const tolerations: Toleration[] = spec.tolerations ?? []
    const missing = TAINTS.filter((key) => !tolerations.some((t) => (t.key === key || !t.key) && (t.effect === 'NoExecute' || !t.effect)))
    if (missing.length === 0) return undefined
    spec.tolerations = [
      ...tolerations,
      ...missing.map((key) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS })),
    ]
    return `tolerations of ${missing.map((k) => k.slice('node.kubernetes.io/'.length)).join(' and ')} for ${SECONDS} s`
  },
}

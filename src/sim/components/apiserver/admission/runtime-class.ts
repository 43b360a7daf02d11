// RuntimeClass: plugin/pkg/admission/runtimeclass. A pod's runtime adds its overhead and where it may run.
import { deepEqual } from '../../../../lib/compare.ts'
import { getOwn, setOwn } from '../../../../lib/own.ts'
import type { Toleration } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { deny, isPod } from './helpers.ts'
import type { AdmissionPlugin, Attributes } from './types.ts'

const CLASSES = 'runtimeclasses.node.k8s.io'

function classOf(a: Attributes): KubeObject | undefined {
  const name = (a.object as KubeObject).spec?.runtimeClassName
  if (!name) return undefined
  return a.rq.view.get(CLASSES, undefined, name) ?? deny(a, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
}

function schedule(a: Attributes, pod: KubeObject, runtimeClass: KubeObject): string[] {
  const { scheduling } = runtimeClass
  if (!scheduling) return []
  const done: string[] = []
  const selector = { ...(pod.spec.nodeSelector ?? {}) } as Record<string, string>
  for (const key of Object.keys(scheduling.nodeSelector ?? {})) {
    const value = scheduling.nodeSelector[key] as string
    const own = getOwn(selector, key)
    if (own !== undefined && own !== value) {
      deny(a, `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`)
    }
    setOwn(selector, key, value)
  }
  if (Object.keys(selector).length > 0) {
    pod.spec.nodeSelector = selector
    done.push('nodeSelector')
  }
  const tolerations: Toleration[] = pod.spec.tolerations ?? []
  const added = ((scheduling.tolerations ?? []) as Toleration[]).filter((t) => !tolerations.some((own) => deepEqual(own, t)))
  if (added.length > 0) {
    pod.spec.tolerations = [...tolerations, ...added]
    done.push('tolerations')
  }
  return done
}

export const runtimeClass: AdmissionPlugin = {
  name: 'RuntimeClass',
  handles: (a) => isPod(a) && a.subresource === '' && a.operation === 'CREATE',
  admit(a) {
    const pod = a.object as KubeObject
    const found = classOf(a)
    if (!found) return undefined
    const done: string[] = []
    if (found.overhead?.podFixed) {
      const { overhead } = pod.spec
      if (overhead && Object.keys(overhead).length > 0 && !deepEqual(overhead, found.overhead.podFixed)) {
        deny(a, `pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead`)
      }
      pod.spec.overhead = { ...found.overhead.podFixed }
      done.push('overhead')
    }
    done.push(...schedule(a, pod, found))
    return done.length > 0 ? done.join(', ') : undefined
  },
  validate(a) {
    const pod = a.object as KubeObject
    const found = classOf(a)
    const overhead = pod.spec.overhead
    if (found?.overhead) {
      if (overhead && !deepEqual(overhead, found.overhead.podFixed))
        deny(a, `pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead`)
    } else if (overhead && Object.keys(overhead).length > 0)
      deny(a, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
  },
}

// Where a DaemonSet's pods belong (NodeShouldRunDaemonPod, pkg/controller/daemon/util/daemonset_util.go).
import type { Toleration } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { compareNames, createdAt } from '../runtime/objects.ts'
import { REVISION_HASH_LABEL } from '../runtime/history.ts'
import { fitsNode } from '../runtime/node-affinity.ts'
import { scaledIntOrPercent } from '../../../api/intstr.ts'
import { isTolerated, taintsOf } from '../runtime/taints.ts'

const NO_EXECUTE = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
const NO_SCHEDULE = ['disk-pressure', 'memory-pressure', 'pid-pressure', 'unschedulable'].map((k) => `node.kubernetes.io/${k}`)
const TEMPLATE_GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation'
const TEMPLATE_GENERATION_LABEL = 'pod-template-generation'

/** AddOrUpdateDaemonPodTolerations: daemons stay on nodes that others leave. */
export function daemonTolerations(spec: { tolerations?: Toleration[]; hostNetwork?: boolean }): Toleration[] {
  const tolerations = [...(spec.tolerations ?? [])]
  const add = (key: string, effect: 'NoExecute' | 'NoSchedule'): void => {
    const i = tolerations.findIndex((t) => t.key === key && t.effect === effect && t.operator === 'Exists' && (t.value ?? '') === '')
    const toleration: Toleration = { key, operator: 'Exists', effect }
    if (i < 0) tolerations.push(toleration)
    else tolerations[i] = toleration
  }
  for (const key of NO_EXECUTE) add(key, 'NoExecute')
  for (const key of NO_SCHEDULE) add(key, 'NoSchedule')
  if (spec.hostNetwork) add('node.kubernetes.io/network-unavailable', 'NoSchedule')
  return tolerations
}

const tolerationsOf = new WeakMap<object, Toleration[]>()

export function shouldRun(ds: KubeObject, node: KubeObject): { run: boolean; stay: boolean } {
  const spec = ds.spec.template.spec
  if ((spec.nodeName && spec.nodeName !== node.metadata.name) || !fitsNode(spec, node)) return { run: false, stay: false }
  let tolerations = tolerationsOf.get(spec)
  if (!tolerations) {
    tolerations = daemonTolerations(spec)
    tolerationsOf.set(spec, tolerations)
  }
  const repelling = taintsOf(node).filter((t) => (t.effect === 'NoSchedule' || t.effect === 'NoExecute') && !isTolerated(tolerations, t))
  return { run: repelling.length === 0, stay: repelling.every((t) => t.effect !== 'NoExecute') }
}

/** GetTargetNodeName: of a pod that is not bound yet, from its affinity. */
export function targetNode(pod: KubeObject): string | undefined {
  if (pod.spec?.nodeName) return pod.spec.nodeName
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const term of terms)
    for (const field of term.matchFields ?? [])
      if (field.key === 'metadata.name' && field.operator === 'In' && field.values?.length === 1) return field.values[0]
  return undefined
}

/** Bound ones first, then the oldest. */
export const byAgeAndPhase = (a: KubeObject, b: KubeObject): number => {
  const bound = (pod: KubeObject): number => (pod.spec?.nodeName ? 0 : 1)
  return bound(a) - bound(b) || createdAt(a) - createdAt(b) || compareNames(a, b)
}

/** ReplaceDaemonSetPodNodeNameNodeAffinity and CreatePodTemplate. */
export function templateFor(ds: KubeObject, hash: string, node: string) {
  const { template } = ds.spec
  const generation = templateGeneration(ds)
  const labels = {
    ...template.metadata?.labels,
    ...(generation === undefined ? {} : { [TEMPLATE_GENERATION_LABEL]: generation }),
    [REVISION_HASH_LABEL]: hash,
  }
  const affinity = template.spec.affinity ?? {}
  const nodeAffinity = {
    ...affinity.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
    },
  }
  const spec = { ...template.spec, tolerations: daemonTolerations(template.spec), affinity: { ...affinity, nodeAffinity } }
  return { metadata: { ...template.metadata, labels }, spec }
}

const templateGeneration = (ds: KubeObject): string | undefined => {
  const text = ds.metadata.annotations?.[TEMPLATE_GENERATION_ANNOTATION]
  return text !== undefined && /^\d+$/.test(text) ? text : undefined
}

/** IsPodUpdated. */
export const isUpdated = (ds: KubeObject, pod: KubeObject, hash: string): boolean => {
  const generation = templateGeneration(ds)
  const { labels } = pod.metadata
  return (
    (generation !== undefined && labels?.[TEMPLATE_GENERATION_LABEL] === generation) ||
    (hash !== '' && labels?.[REVISION_HASH_LABEL] === hash)
  )
}

/** How many nodes may be without a pod, or with two, during an update; never none of either. */
export function updateLimits(ds: KubeObject, desired: number): { surge: number; unavailable: number } {
  const { maxSurge, maxUnavailable } = ds.spec?.updateStrategy?.rollingUpdate ?? {}
  const surge = scaledIntOrPercent(maxSurge, desired, true)
  const unavailable = scaledIntOrPercent(maxUnavailable, desired, true)
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable }
}
export const allowsSurge = (ds: KubeObject): boolean => ds.spec?.updateStrategy?.type === 'RollingUpdate' && updateLimits(ds, 100).surge > 0

// What Endpoints and EndpointSlices say about pods (staging/src/k8s.io/endpointslice/util, pkg/api/v1/pod/util.go).
import { deepEqual } from '../../../../lib/compare.ts'
import type { ServicePort } from '../../../api/types/kubernetes.gen.ts'
import { selectorFromSet } from '../../../api/labels.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { parseApiTime } from '../../../client/time.ts'
import type { InformerEvent } from '../../../client/informer.ts'
import { isPodReady, isPodTerminal, keyOf, podCondition } from '../runtime/objects.ts'
import type { Runtime } from '../runtime/types.ts'

/** ShouldPodBeInEndpoints. */
export const belongs = (pod: KubeObject, includeTerminating: boolean): boolean =>
  !isPodTerminal(pod) &&
  (pod.status?.podIP || (pod.status?.podIPs ?? []).length > 0) &&
  (includeTerminating || pod.metadata.deletionTimestamp === undefined)

/** ShouldSetHostname. */
export const hasHostname = (pod: KubeObject, service: KubeObject): boolean =>
  Boolean(pod.spec?.hostname) && pod.spec.subdomain === service.metadata.name && pod.metadata.namespace === service.metadata.namespace

/** FindPort: a named targetPort is looked up in the containers and the sidecars; nothing if the pod does not have it. */
export function findPort(pod: KubeObject, port: ServicePort): number | undefined {
  const target = port.targetPort
  if (typeof target === 'number') return target === 0 ? port.port : target
  if (target === undefined) return port.port
  const sidecars = (pod.spec?.initContainers ?? []).filter((c: { restartPolicy?: string }) => c.restartPolicy === 'Always')
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const p of container.ports ?? [])
      if (p.name === target && (p.protocol ?? 'TCP') === (port.protocol ?? 'TCP')) return p.containerPort
  }
  return undefined
}

export const isIPv6 = (ip: string): boolean => ip.includes(':')
export const podIPs = (pod: KubeObject): string[] => {
  const list = ((pod.status?.podIPs ?? []) as { ip: string }[]).map((p) => p.ip)
  return list.length > 0 ? list : pod.status?.podIP ? [pod.status.podIP] : []
}

export const targetRef = (pod: KubeObject) => ({
  kind: 'Pod',
  namespace: pod.metadata.namespace ?? '',
  name: pod.metadata.name ?? '',
  uid: pod.metadata.uid ?? '',
})

export const hasSelector = (service: KubeObject): boolean => service.spec?.selector !== undefined && service.spec.selector !== null
/** helper.IsServiceIPSet. */
export const isServiceIPSet = (service: KubeObject): boolean => Boolean(service.spec?.clusterIP) && service.spec.clusterIP !== 'None'
export const HEADLESS_LABEL = 'service.kubernetes.io/headless'
export const LAST_CHANGE_TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time'

export function podsOf(rt: Runtime, service: KubeObject): KubeObject[] {
  const selector = selectorFromSet(service.spec?.selector)
  return rt.list('pods', service.metadata.namespace).filter((p) => selector.matches(p.metadata.labels ?? {}))
}

const servicesOf = (rt: Runtime, pod: KubeObject): string[] =>
  rt
    .list('services', pod.metadata.namespace)
    .filter((s) => hasSelector(s) && selectorFromSet(s.spec.selector).matches(pod.metadata.labels ?? {}))
    .map(keyOf)

/** GetServicesToUpdateOnPodChange: services whose endpoints a pod event may change. */
export function servicesToUpdate(rt: Runtime, { type, object: pod, old }: InformerEvent): string[] {
  if (type !== 'MODIFIED' || !old) return servicesOf(rt, pod)
  const named = (p: KubeObject): unknown => [p.spec?.hostname, p.spec?.subdomain]
  const labels = !deepEqual(old.metadata.labels, pod.metadata.labels) || !deepEqual(named(old), named(pod))
  const endpoint =
    old.metadata.deletionTimestamp !== pod.metadata.deletionTimestamp ||
    isPodReady(old) !== isPodReady(pod) ||
    isPodTerminal(old) !== isPodTerminal(pod) ||
    old.spec?.nodeName !== pod.spec?.nodeName ||
    !deepEqual(podIPs(old), podIPs(pod))
  if (!labels && !endpoint) return []
  const now = servicesOf(rt, pod)
  if (!labels) return now
  const before = servicesOf(rt, old)
  // A change that only moves the pod between services touches those it left or joined.
  return endpoint
    ? [...new Set([...before, ...now])]
    : [...before.filter((s) => !now.includes(s)), ...now.filter((s) => !before.includes(s))]
}

interface TriggerState {
  readonly service: number
  readonly pods: Readonly<Record<string, number>>
}

/** ComputeEndpointLastChangeTriggerTime: the earliest of the changes that were not known at the last sync (virtual ms). */
export function lastChangeTriggerTime(rt: Runtime, service: KubeObject, pods: readonly KubeObject[]): number | undefined {
  const table = rt.memory<TriggerState>('trigger-times')
  const known = table.get(keyOf(service)) ?? { service: Number.NEGATIVE_INFINITY, pods: {} }
  const times: Record<string, number> = {}
  const changed: number[] = []
  for (const pod of pods) {
    const time = parseApiTime(podCondition(pod, 'Ready')?.lastTransitionTime ?? undefined)
    if (time === undefined) continue
    const name = pod.metadata.name as string
    times[name] = time
    if (time > (Object.hasOwn(known.pods, name) ? (known.pods[name] as number) : Number.NEGATIVE_INFINITY)) changed.push(time)
  }
  const created = parseApiTime(service.metadata.creationTimestamp) ?? 0
  if (created > known.service) changed.push(created)
  table.put(keyOf(service), { service: created, pods: times })
  return changed.length > 0 ? Math.min(...changed) : undefined
}

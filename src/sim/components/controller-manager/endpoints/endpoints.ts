// pkg/controller/endpoint/endpoints_controller.go: the old Endpoints object of every Service with a selector.
import { deepEqual } from '../../../../lib/compare.ts'
import { copyOwn, deleteOwn } from '../../../../lib/own.ts'
import type { EndpointAddress, EndpointPort, EndpointSubset, ServicePort } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime } from '../../../client/time.ts'
import { isPodReady, splitKey } from '../runtime/objects.ts'
import { create, decided, effect, event, isNamespaceTerminating, isNotFound, remove, SyncError, update } from '../runtime/steps.ts'
import type { Controller, Outcome, Steps } from '../runtime/types.ts'
import {
  belongs,
  findPort,
  hasHostname,
  hasSelector,
  HEADLESS_LABEL,
  isIPv6,
  isServiceIPSet,
  LAST_CHANGE_TRIGGER_TIME,
  lastChangeTriggerTime,
  podIPs,
  podsOf,
  servicesToUpdate,
  targetRef,
} from './pods.ts'
import { type Offer, repack, truncate } from './subsets.ts'

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by'
const CONTROLLER_NAME = 'endpoint-controller'
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity'
const MAX_RETRIES = 15

interface Observed {
  readonly key: string
  readonly service?: KubeObject
  readonly pods: readonly KubeObject[]
  readonly current?: KubeObject
}

export const endpointsController: Controller<Observed> = {
  name: 'endpoints-controller',
  controller: 'endpoints-controller',
  serviceAccount: 'endpoint-controller',
  workers: 5,
  subject: 'services',
  informers: ['services', 'pods', 'endpoints'],
  retry: { max: MAX_RETRIES },
  on: {
    services: (rt, event) => rt.add(event.key),
    pods(rt, event) {
      for (const service of servicesToUpdate(rt, event)) rt.add(service)
    },
    endpoints: (rt, event) => event.type === 'DELETED' && rt.add(event.key),
  },
  observe(key, rt) {
    const service = rt.get('services', key)
    if (!service) return { key, pods: [] }
    if (service.spec?.type === 'ExternalName' || !hasSelector(service)) return undefined
    const current = rt.get('endpoints', key)
    return { key, service, pods: podsOf(rt, service), ...(current ? { current } : {}) }
  },
  *reconcile({ key, service, pods, current }): Steps<Outcome | void> {
    if (!service) {
      const { namespace, name } = splitKey(key)
      yield* effect((rt) => rt.memory('trigger-times').delete(key))
      const answer = yield* remove('endpoints', namespace, name)
      if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
      return
    }
    const trigger = yield* effect((rt) => lastChangeTriggerTime(rt, service, pods) ?? null)
    const { subsets, truncated } = truncate(repack(offersOf(service, pods)))
    if (
      current &&
      sameSubsets((current.subsets ?? []) as EndpointSubset[], subsets) &&
      sameLabels(current, service) &&
      truncated === (current.metadata.annotations?.[OVER_CAPACITY] === 'truncated')
    )
      return
    const annotations = copyOwn(current?.metadata.annotations ?? {})
    deleteOwn(annotations, LAST_CHANGE_TRIGGER_TIME)
    deleteOwn(annotations, OVER_CAPACITY)
    if (trigger !== null) annotations[LAST_CHANGE_TRIGGER_TIME] = apiTime(trigger)
    if (truncated) annotations[OVER_CAPACITY] = 'truncated'
    const labels = copyOwn(service.metadata.labels ?? {})
    deleteOwn(labels, HEADLESS_LABEL)
    if (!isServiceIPSet(service)) labels[HEADLESS_LABEL] = ''
    labels[MANAGED_BY] = CONTROLLER_NAME
    const { name = '', namespace } = service.metadata
    const metadata = { ...(current?.metadata ?? { name, namespace: namespace ?? '' }), labels, annotations }
    const next: KubeObject = { apiVersion: 'v1', kind: 'Endpoints', metadata, ...(subsets.length > 0 ? { subsets } : {}) }
    yield* decided(current ? 'update endpoints' : 'create endpoints', {
      ready: count(subsets, 'addresses'),
      notReady: count(subsets, 'notReadyAddresses'),
    })
    const answer = yield* current ? update('endpoints', next) : create('endpoints', namespace, next)
    if (answer.ok || (!current && isNamespaceTerminating(answer))) return
    if (current)
      yield* event(next, 'Warning', 'FailedToUpdateEndpoint', `Failed to update endpoint ${namespace}/${name}: ${answer.message}`)
    else
      yield* event(
        next,
        'Warning',
        'FailedToCreateEndpoint',
        `Failed to create endpoint for service ${namespace}/${name}: ${answer.message}`,
      )
    throw new SyncError(answer.message)
  },
}

const count = (subsets: readonly EndpointSubset[], field: 'addresses' | 'notReadyAddresses'): number =>
  subsets.reduce((n, s) => n + (s[field]?.length ?? 0), 0)

function offersOf(service: KubeObject, pods: readonly KubeObject[]): Offer[] {
  const tolerate = service.spec?.publishNotReadyAddresses === true
  const ports = (service.spec?.ports ?? []) as ServicePort[]
  const family = service.spec?.ipFamilies?.[0]
  const offers: Offer[] = []
  for (const pod of pods) {
    if (!belongs(pod, tolerate)) continue
    const ip = podIPs(pod).find((i) => family === undefined || isIPv6(i) === (family === 'IPv6'))
    if (ip === undefined) continue
    const address: EndpointAddress = {
      ip,
      ...(hasHostname(pod, service) ? { hostname: pod.spec.hostname as string } : {}),
      ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName as string } : {}),
      targetRef: targetRef(pod),
    }
    const ready = tolerate || isPodReady(pod)
    if (ports.length === 0 && service.spec?.clusterIP === 'None') offers.push({ address, ready })
    for (const port of ports) {
      const number = findPort(pod, port)
      if (number === undefined) continue
      const found: EndpointPort = {
        ...(port.name ? { name: port.name } : {}),
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}),
      }
      offers.push({ address, ready, port: found })
    }
  }
  return offers
}

const plain = (subsets: readonly EndpointSubset[]): unknown =>
  subsets.map((s) => ({
    ...s,
    ...Object.fromEntries(
      (['addresses', 'notReadyAddresses'] as const).flatMap((f) =>
        s[f]
          ? [[f, s[f].map(({ targetRef: ref, ...a }) => ({ ...a, ...(ref ? { targetRef: { ...ref, resourceVersion: undefined } } : {}) }))]]
          : [],
      ),
    ),
  }))
const sameSubsets = (a: readonly EndpointSubset[], b: readonly EndpointSubset[]): boolean => deepEqual(plain(a), plain(b))

function sameLabels(current: KubeObject, service: KubeObject): boolean {
  const labels = copyOwn(current.metadata.labels ?? {})
  if (labels[MANAGED_BY] !== CONTROLLER_NAME) return false
  for (const key of [HEADLESS_LABEL, MANAGED_BY]) deleteOwn(labels, key)
  const wanted = copyOwn(service.metadata.labels ?? {})
  for (const key of [HEADLESS_LABEL, MANAGED_BY]) deleteOwn(wanted, key)
  return deepEqual(labels, wanted)
}

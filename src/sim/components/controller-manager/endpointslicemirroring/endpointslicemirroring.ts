// pkg/controller/endpointslicemirroring: Endpoints that somebody wrote by hand, as slices.
import { deepEqual } from '../../../../lib/compare.ts'
import { copyOwn, deleteOwn } from '../../../../lib/own.ts'
import type { Endpoint, EndpointAddress, EndpointSubset } from '../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { isIPv6, LAST_CHANGE_TRIGGER_TIME } from '../endpoints/pods.ts'
import { type AddressType, endpointsOf, MANAGED_BY_LABEL, portKey, reuse, SERVICE_NAME_LABEL } from '../endpointslice/slices.ts'
import { ownerReference, splitKey } from '../runtime/objects.ts'
import { create, isNamespaceTerminating, isNotFound, remove, SyncError, update } from '../runtime/steps.ts'
import type { Controller, Outcome, Steps } from '../runtime/types.ts'

const MANAGED_BY = 'endpointslicemirroring-controller.k8s.io'
const SKIP_LABEL = 'endpointslice.kubernetes.io/skip-mirror'
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader'
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
export const MAX_ENDPOINTS_PER_SUBSET = 1000

interface Observed {
  readonly namespace: string
  readonly slices: readonly KubeObject[]
  readonly endpoints?: KubeObject
}

const isMirrored = (slice: KubeObject): boolean => slice.metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY
/** Written by the endpoints controller (it has a selector) or not meant for traffic. */
const shouldMirror = (e: KubeObject): boolean =>
  e.metadata.labels?.[SKIP_LABEL] !== 'true' && e.metadata.annotations?.[LEADER_ANNOTATION] === undefined

export const endpointSliceMirroringController: Controller<Observed> = {
  name: 'endpointslice-mirroring-controller',
  controller: 'endpointslice-mirroring-controller',
  serviceAccount: 'endpointslicemirroring-controller',
  workers: 5,
  subject: 'endpoints',
  informers: ['endpoints', 'services', 'endpointslices'],
  retry: { baseMs: 1000, max: 15 },
  on: {
    endpoints: (rt, { key, object, old }) => (shouldMirror(object) || (old && shouldMirror(old))) && rt.add(key),
    services(rt, { type, key, object, old }) {
      const selects = (s: KubeObject | undefined): boolean => s?.spec?.selector !== undefined && s.spec.selector !== null
      if (type !== 'MODIFIED' ? !selects(object) : selects(object) !== selects(old)) rt.add(key)
    },
    endpointslices(rt, { type, object }) {
      if (type === 'DELETED' && isMirrored(object)) rt.add(`${object.metadata.namespace}/${object.metadata.labels?.[SERVICE_NAME_LABEL]}`)
    },
  },
  observe(key, rt) {
    const endpoints = rt.get('endpoints', key)
    const service = rt.get('services', key)
    const slices = rt.index('endpointslices', 'service', key).filter((s) => isMirrored(s) && s.metadata.deletionTimestamp === undefined)
    const mirror =
      endpoints && shouldMirror(endpoints) && service && (service.spec?.selector === undefined || service.spec.selector === null)
    if (!mirror && slices.length === 0) return undefined
    return { namespace: splitKey(key).namespace, slices, ...(mirror ? { endpoints } : {}) }
  },
  *reconcile({ namespace, slices, endpoints }): Steps<Outcome | void> {
    const wanted = endpoints ? desired(endpoints) : []
    const creates: KubeObject[] = []
    const updates: KubeObject[] = []
    const left = [...slices]
    for (const slice of wanted) {
      const i = left.findIndex((s) => s.addressType === slice.addressType && portKey(s.ports) === portKey(slice.ports))
      const [old] = i < 0 ? [] : left.splice(i, 1)
      if (!old) creates.push(slice)
      else if (
        !deepEqual(endpointsOf(old), endpointsOf(slice)) ||
        !deepEqual(old.metadata.labels, slice.metadata.labels) ||
        !deepEqual(old.metadata.annotations ?? {}, slice.metadata.annotations ?? {})
      ) {
        updates.push({
          ...old,
          endpoints: slice.endpoints,
          metadata: { ...old.metadata, labels: slice.metadata.labels ?? {}, annotations: slice.metadata.annotations ?? {} },
        })
      }
    }
    const plan = endpoints ? reuse(endpoints, { create: creates, update: updates, remove: left }) : { create: [], update: [], remove: left }
    for (const slice of plan.create) {
      const answer = yield* create('endpointslices', namespace, slice)
      if (!answer.ok && !isNamespaceTerminating(answer)) throw new SyncError(answer.message)
    }
    for (const slice of plan.update) {
      const answer = yield* update('endpointslices', slice)
      if (!answer.ok) throw new SyncError(answer.message)
    }
    for (const slice of plan.remove) {
      const answer = yield* remove('endpointslices', namespace, slice.metadata.name ?? '')
      if (!answer.ok && !isNotFound(answer)) throw new SyncError(answer.message)
    }
  },
}

/** One slice per set of ports and address family. */
function desired(endpoints: KubeObject): KubeObject[] {
  const labels = copyOwn(endpoints.metadata.labels ?? {})
  labels[SERVICE_NAME_LABEL] = endpoints.metadata.name ?? ''
  labels[MANAGED_BY_LABEL] = MANAGED_BY
  const annotations = copyOwn(endpoints.metadata.annotations ?? {})
  for (const key of [LAST_CHANGE_TRIGGER_TIME, LAST_APPLIED]) deleteOwn(annotations, key)
  const groups = new Map<string, KubeObject>()
  for (const subset of (endpoints.subsets ?? []) as EndpointSubset[]) {
    const ports = (subset.ports ?? []).map((p) => ({
      name: p.name ?? '',
      port: p.port,
      protocol: p.protocol ?? 'TCP',
      ...(p.appProtocol ? { appProtocol: p.appProtocol } : {}),
    }))
    let count = 0
    const add = (address: EndpointAddress, ready: boolean): void => {
      if (count++ >= MAX_ENDPOINTS_PER_SUBSET) return
      const type: AddressType = isIPv6(address.ip) ? 'IPv6' : 'IPv4'
      const key = `${type} ${portKey(ports)}`
      const slice = groups.get(key) ?? {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          generateName: `${endpoints.metadata.name}-`,
          namespace: endpoints.metadata.namespace ?? '',
          labels,
          ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
          ownerReferences: [ownerReference(endpoints)],
        },
        addressType: type,
        endpoints: [],
        ports: ports.length > 0 ? ports : null,
      }
      const endpoint: Endpoint = {
        addresses: [address.ip],
        conditions: { ready },
        ...(address.hostname ? { hostname: address.hostname } : {}),
        ...(address.targetRef ? { targetRef: address.targetRef } : {}),
        ...(address.nodeName ? { nodeName: address.nodeName } : {}),
      }
      groups.set(key, { ...slice, endpoints: [...slice.endpoints, endpoint] })
    }
    for (const address of subset.addresses ?? []) add(address, true)
    for (const address of subset.notReadyAddresses ?? []) add(address, false)
  }
  return [...groups.values()]
}

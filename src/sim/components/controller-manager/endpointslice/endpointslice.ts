// pkg/controller/endpointslice/endpointslice_controller.go
import { copyOwn, deleteOwn } from '../../../../lib/own.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime } from '../../../client/time.ts'
import { hasSelector, LAST_CHANGE_TRIGGER_TIME, lastChangeTriggerTime, podsOf, servicesToUpdate } from '../endpoints/pods.ts'
import { create, decided, effect, event, isNamespaceTerminating, isNotFound, remove, SyncError, update } from '../runtime/steps.ts'
import type { ApiAnswer, Controller, Outcome, Runtime, Steps } from '../runtime/types.ts'
import {
  addressTypes,
  endpointsOf,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  type Plan,
  planFor,
  reuse,
  SERVICE_NAME_LABEL,
  withHints,
} from './slices.ts'

/** Changes of slices that the controller did not make itself are looked at after this pause. */
const SLICE_CHANGE_DELAY_MS = 1000
const MAX_RETRIES = 15

interface Observed {
  readonly service: KubeObject
  readonly pods: readonly KubeObject[]
  readonly nodes: Readonly<Record<string, KubeObject>>
  readonly slices: readonly KubeObject[]
  /** The cache does not have yet what this controller wrote. */
  readonly stale: boolean
}

/** Per service: uid of a slice → generation this controller wrote; -1 once it deleted it (EndpointSliceTracker). */
type Tracked = Readonly<Record<string, number>>
const DELETED = -1

const tracker = (rt: Runtime) => rt.memory<Tracked>('written')
const serviceKey = (slice: KubeObject): string => `${slice.metadata.namespace}/${slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? ''}`
const isManaged = (slice: KubeObject): boolean => slice.metadata.labels?.[MANAGED_BY_LABEL] === MANAGED_BY
const track = (rt: Runtime, key: string, slice: KubeObject, generation: number | undefined): void => {
  const known = { ...tracker(rt).get(key) }
  if (generation === undefined) delete known[slice.metadata.uid ?? '']
  else known[slice.metadata.uid ?? ''] = generation
  tracker(rt).put(key, known)
}

export const endpointSliceController: Controller<Observed> = {
  name: 'endpointslice-controller',
  controller: 'endpointslice-controller',
  serviceAccount: 'endpointslice-controller',
  eventSource: 'endpoint-slice-controller',
  workers: 5,
  subject: 'services',
  informers: ['services', 'pods', 'endpointslices', 'nodes'],
  retry: { baseMs: 1000, maxMs: 1_000_000, max: MAX_RETRIES },
  on: {
    services(rt, { type, key }) {
      if (type === 'DELETED') {
        tracker(rt).delete(key)
        rt.memory('trigger-times').delete(key)
      } else rt.add(key)
    },
    pods(rt, event) {
      for (const service of servicesToUpdate(rt, event)) rt.add(service)
    },
    endpointslices(rt, { type, object: slice, old }) {
      if (!isManaged(slice)) return
      const key = serviceKey(slice)
      const known = tracker(rt).get(key)?.[slice.metadata.uid ?? '']
      if (type === 'DELETED') {
        if (known === undefined) return
        track(rt, key, slice, undefined)
        if (known !== DELETED) rt.addAfter(key, SLICE_CHANGE_DELAY_MS)
        return
      }
      if (old && serviceKey(old) !== key) rt.addAfter(serviceKey(old), SLICE_CHANGE_DELAY_MS)
      // Upstream looks at whatever it did not write itself in its present form.
      if (known !== slice.metadata.generation && !(type === 'ADDED' && known === undefined)) rt.addAfter(key, SLICE_CHANGE_DELAY_MS)
    },
  },
  observe(key, rt) {
    const service = rt.get('services', key)
    if (!service || service.spec?.type === 'ExternalName' || !hasSelector(service)) return undefined
    const pods = podsOf(rt, service)
    const nodes: Record<string, KubeObject> = {}
    for (const pod of pods) {
      const node = rt.get('nodes', pod.spec?.nodeName ?? '')
      if (node) nodes[node.metadata.name as string] = node
    }
    const slices = rt.index('endpointslices', 'service', key).filter((s) => isManaged(s) && s.metadata.deletionTimestamp === undefined)
    const known = Object.entries(tracker(rt).get(key) ?? {})
    const stale = known.some(([uid, generation]) => {
      const cached = slices.find((s) => s.metadata.uid === uid)
      return generation === DELETED ? cached !== undefined : cached === undefined || (cached.metadata.generation ?? 0) < generation
    })
    return { service, pods, nodes, slices, stale }
  },
  *reconcile({ service, pods, nodes, slices, stale }): Steps<Outcome | void> {
    if (stale) throw new SyncError('EndpointSlice informer cache is out of date')
    const trigger = yield* effect((rt) => lastChangeTriggerTime(rt, service, pods) ?? null)
    const types = addressTypes(service)
    const errors: string[] = []
    for (const type of types) {
      const mine = slices.filter((s) => s.addressType === type)
      const plan = planFor({ service, pods, nodes, slices: mine }, type)
      errors.push(...plan.skipped)
      const error = yield* carryOut(service, reuse(service, withHints(service, plan, mine)), trigger)
      if (error !== undefined) errors.push(error)
    }
    const unsupported = slices.filter((s) => !types.includes(s.addressType))
    if (unsupported.length > 0) {
      const error = yield* carryOut(service, { create: [], update: [], remove: unsupported }, null)
      if (error !== undefined) errors.push(error)
    }
    if (errors.length === 0) return
    const message = errors.length === 1 ? (errors[0] as string) : `[${errors.join(', ')}]`
    const { namespace, name } = service.metadata
    yield* event(
      service,
      'Warning',
      'FailedToUpdateEndpointSlices',
      `Error updating Endpoint Slices for Service ${namespace}/${name}: ${message}`,
    )
    throw new SyncError(message)
  },
}

function* carryOut(service: KubeObject, plan: Plan, trigger: number | null): Steps<string | undefined> {
  const { namespace, name } = service.metadata
  const key = `${namespace}/${name}`
  const stamped = (slice: KubeObject): KubeObject => {
    const annotations = copyOwn(slice.metadata.annotations ?? {})
    deleteOwn(annotations, LAST_CHANGE_TRIGGER_TIME)
    if (trigger !== null) annotations[LAST_CHANGE_TRIGGER_TIME] = apiTime(trigger)
    const { annotations: _, ...metadata } = slice.metadata
    return { ...slice, metadata: Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata }
  }
  const written = (answer: ApiAnswer): Steps<void> =>
    effect((rt) => track(rt, key, answer.body as KubeObject, (answer.body as KubeObject).metadata.generation ?? 0))
  if (plan.create.length + plan.update.length + plan.remove.length > 0) {
    const facts = {
      create: plan.create.length,
      update: plan.update.length,
      delete: plan.remove.length,
      endpoints: [...plan.create, ...plan.update].reduce((n, s) => n + endpointsOf(s).length, 0),
    }
    yield* decided('write endpoint slices', facts)
  }
  for (const slice of plan.create) {
    const answer = yield* create('endpointslices', namespace, stamped(slice))
    if (answer.ok) yield* written(answer)
    else if (isNamespaceTerminating(answer)) return undefined
    else return `failed to create EndpointSlice for Service ${key}: ${answer.message}`
  }
  for (const slice of plan.update) {
    const answer = yield* update('endpointslices', stamped(slice))
    if (answer.ok) yield* written(answer)
    else return `failed to update ${slice.metadata.name} EndpointSlice for Service ${key}: ${answer.message}`
  }
  for (const slice of plan.remove) {
    const answer = yield* remove('endpointslices', namespace, slice.metadata.name ?? '')
    if (answer.ok) yield* effect((rt) => track(rt, key, slice, DELETED))
    else if (!isNotFound(answer)) return `failed to delete ${slice.metadata.name} EndpointSlice for Service ${key}: ${answer.message}`
  }
  return undefined
}

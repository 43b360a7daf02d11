// pkg/controller/podautoscaler/horizontal.go, as far as it goes without a metrics server: limits, and what it says about missing metrics.
import { deepEqual } from '../../../../lib/compare.ts'
import { parseSelector } from '../../../api/labels.ts'
import type { KubeObject } from '../../../api/types/object.ts'
import { apiTime } from '../../../client/time.ts'
import { discovered } from '../runtime/discovered.ts'
import { objectPath, type Resource } from '../runtime/resources.ts'
import { call, decided, effect, event, SyncError, updateStatus } from '../runtime/steps.ts'
import type { Controller, Env, Outcome, Steps } from '../runtime/types.ts'
import { keyOf } from '../runtime/objects.ts'

/** `--horizontal-pod-autoscaler-sync-period`. */
export const SYNC_PERIOD_MS = 15_000

interface Metric {
  readonly type: string
  readonly resource?: { readonly name: string; readonly target: { readonly averageValue?: string } }
  readonly containerResource?: { readonly name: string; readonly target: { readonly averageValue?: string } }
  readonly pods?: { readonly metric: { readonly name: string } }
  readonly object?: { readonly metric: { readonly name: string } }
  readonly external?: { readonly metric: { readonly name: string } }
}

interface Observed {
  readonly hpa: KubeObject
  readonly target?: Resource
}

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
}

/** The status as it is being rewritten. */
interface Draft {
  conditions: Condition[]
  currentReplicas: number
  desiredReplicas: number
  currentMetrics: readonly object[] | null
  lastScaleTime?: string
}

export const horizontalPodAutoscalerController: Controller<Observed> = {
  name: 'horizontal-pod-autoscaler-controller',
  controller: 'horizontal-pod-autoscaler-controller',
  serviceAccount: 'horizontal-pod-autoscaler',
  workers: 5,
  subject: 'horizontalpodautoscalers',
  informers: ['horizontalpodautoscalers', 'pods', 'customresourcedefinitions'],
  retry: { baseMs: SYNC_PERIOD_MS, maxMs: SYNC_PERIOD_MS },
  on: {
    // Always a full period after the change or the last look.
    horizontalpodautoscalers: (rt, { type, key }) =>
      type === 'DELETED' ? rt.memory('selectors').delete(key) : rt.addAfter(key, SYNC_PERIOD_MS, { periodic: true }),
  },
  observe(key, rt) {
    const hpa = rt.get('horizontalpodautoscalers', key)
    if (!hpa) return undefined
    const { apiVersion = '', kind } = hpa.spec.scaleTargetRef
    const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : ''
    const target = discovered(rt).find((r) => r.kind === kind && r.group === group)
    return { hpa, ...(target ? { target } : {}) }
  },
  *reconcile(observed, env): Steps<Outcome | void> {
    try {
      yield* autoscale(observed, env)
    } catch (thrown) {
      if (!(thrown instanceof SyncError)) throw thrown
    }
    return { requeueAfterMs: SYNC_PERIOD_MS, periodic: true }
  },
}

function* autoscale({ hpa, target }: Observed, env: Env): Steps<void> {
  const { namespace = '' } = hpa.metadata
  const { scaleTargetRef, maxReplicas, minReplicas = 1, metrics = [] } = hpa.spec
  const s = hpa.status ?? {}
  const draft: Draft = {
    conditions: [...(s.conditions ?? [])],
    currentReplicas: s.currentReplicas ?? 0,
    desiredReplicas: s.desiredReplicas ?? 0,
    currentMetrics: s.currentMetrics ?? null,
    ...(s.lastScaleTime ? { lastScaleTime: s.lastScaleTime } : {}),
  }
  const set = (type: string, status: 'True' | 'False', reason: string, message: string): void =>
    setCondition(draft, type, status, reason, message, env.now)
  const path = target && objectPath(target, namespace, scaleTargetRef.name, 'scale')
  const answer = path ? yield* call({ method: 'GET', path }) : undefined
  if (!path || !answer?.ok) {
    const error = answer
      ? answer.message
      : `no matches for kind "${scaleTargetRef.kind}" in group "${scaleTargetRef.apiVersion?.split('/')[0] ?? ''}"`
    yield* event(hpa, 'Warning', 'FailedGetScale', error)
    set('AbleToScale', 'False', 'FailedGetScale', `the HPA controller was unable to get the target's current scale: ${error}`)
    yield* store(hpa, draft)
    throw new SyncError(error)
  }
  set('AbleToScale', 'True', 'SucceededGetScale', "the HPA controller was able to get the target's current scale")
  const scale = answer.body as KubeObject
  const current: number = scale.spec?.replicas ?? 0
  let desired = current
  let reason: string | undefined
  if (current === 0 && minReplicas !== 0)
    set('ScalingActive', 'False', 'ScalingDisabled', 'scaling is disabled since the replica count of the target is zero')
  else if (current > maxReplicas) [desired, reason] = [maxReplicas, 'Current number of replicas above Spec.MaxReplicas']
  else if (current < minReplicas) [desired, reason] = [minReplicas, 'Current number of replicas below Spec.MinReplicas']
  else {
    const failure = yield* computeReplicas(hpa, scale, metrics, draft, env)
    draft.currentReplicas = current
    yield* store(hpa, draft)
    yield* event(hpa, 'Warning', 'FailedComputeMetricsReplicas', failure)
    throw new SyncError(failure)
  }
  if (reason !== undefined) {
    yield* decided('rescale', { from: current, to: desired, reason })
    const written = yield* call({ method: 'PUT', path, body: { ...scale, spec: { ...scale.spec, replicas: desired } } })
    if (!written.ok) {
      yield* event(hpa, 'Warning', 'FailedRescale', `New size: ${desired}; reason: ${reason}; error: ${written.message}`)
      set('AbleToScale', 'False', 'FailedUpdateScale', `the HPA controller was unable to update the target scale: ${written.message}`)
      draft.currentReplicas = current
      yield* store(hpa, draft)
      throw new SyncError(written.message)
    }
    set('AbleToScale', 'True', 'SucceededRescale', `the HPA controller was able to update the target scale to ${desired}`)
    yield* event(hpa, 'Normal', 'SuccessfulRescale', `New size: ${desired}; reason: ${reason}`)
    draft.lastScaleTime = apiTime(env.now)
  }
  draft.currentReplicas = current
  draft.desiredReplicas = desired
  draft.currentMetrics = null
  yield* store(hpa, draft)
}

/** computeReplicasForMetrics: why no number of replicas can be computed. */
function* computeReplicas(hpa: KubeObject, scale: KubeObject, metrics: readonly Metric[], draft: Draft, env: Env): Steps<string> {
  const { namespace = '' } = hpa.metadata
  const set = (reason: string, message: string): void => setCondition(draft, 'ScalingActive', 'False', reason, message, env.now)
  const text: string = scale.status?.selector ?? ''
  draft.currentMetrics = null
  if (text === '') {
    yield* event(hpa, 'Warning', 'SelectorRequired', 'selector is required')
    set('InvalidSelector', "the HPA target's scale is missing a selector")
    return 'selector is required'
  }
  const selector = parseSelector(text)
  if (selector.value === undefined) {
    const message = `couldn't convert selector into a corresponding internal selector object: ${selector.error}`
    yield* event(hpa, 'Warning', 'InvalidSelector', message)
    set('InvalidSelector', message)
    return message
  }
  const rivals = yield* effect((rt) => {
    const known = rt.memory<string>('selectors')
    known.put(keyOf(hpa), text)
    const pods = rt.list('pods', namespace).filter((p) => selector.value?.matches(p.metadata.labels ?? {}))
    return known
      .entries()
      .filter(
        ([key, other]) => key.startsWith(`${namespace}/`) && pods.some((p) => parseSelector(other).value?.matches(p.metadata.labels ?? {})),
      )
      .map(([key]) => key)
  })
  if (rivals.length > 1) {
    const message = `pods by selector ${text} are controlled by multiple HPAs: [${rivals.join(' ')}]`
    yield* event(hpa, 'Warning', 'AmbiguousSelector', message)
    set('AmbiguousSelector', message)
    return message
  }
  let first: { reason: string; error: string } | undefined
  for (const metric of metrics) {
    const failure = yield* readMetric(namespace, text, metric)
    yield* event(hpa, 'Warning', failure.reason, failure.said)
    first ??= { reason: failure.reason, error: failure.error }
    if (first.error === failure.error) set(failure.reason, `the HPA was unable to compute the replica count: ${failure.said}`)
  }
  draft.currentMetrics = metrics.map(() => ({ type: '' }))
  return `invalid metrics (${metrics.length} invalid out of ${metrics.length}), first error is: ${first?.error ?? ''}`
}

/** Asks the metrics API that the metric needs. None is served, and its absence is the answer. */
function* readMetric(namespace: string, selector: string, metric: Metric): Steps<{ reason: string; said: string; error: string }> {
  const resource = metric.resource ?? metric.containerResource
  if (resource) {
    const answer = yield* call({
      method: 'GET',
      path: `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`,
    })
    const why = answer.ok
      ? 'no metrics returned from resource metrics API'
      : `unable to fetch metrics from resource metrics API: ${missing(answer.status, answer.message, 'get pods.metrics.k8s.io')}`
    const what = resource.target.averageValue === undefined ? 'utilization' : 'usage'
    const said = `failed to get ${resource.name} ${what}: unable to get metrics for resource ${resource.name}: ${why}`
    const kind = metric.containerResource ? 'container' : 'resource'
    return {
      reason: metric.containerResource ? 'FailedGetContainerResourceMetric' : 'FailedGetResourceMetric',
      said,
      error: `failed to get ${resource.name} ${kind} metric value: ${said}`,
    }
  }
  const named = metric.pods ?? metric.object ?? metric.external
  const name = named?.metric.name ?? ''
  if (metric.external) {
    const said = `unable to get external metric ${namespace}/${name}/nil: unable to fetch metrics from external metrics API: the server could not find the requested resource (get ${name}.external.metrics.k8s.io)`
    return {
      reason: 'FailedGetExternalMetric',
      said,
      error: `failed to get ${name} external metric value: failed to get ${name} external metric: ${said}`,
    }
  }
  const said = `unable to get metric ${name}: unable to fetch metrics from custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered`
  return metric.pods
    ? { reason: 'FailedGetPodsMetric', said, error: `failed to get pods metric value: ${said}` }
    : { reason: 'FailedGetObjectMetric', said, error: `failed to get object metric value: ${said}` }
}

/** client-go's text for a 404 that is no Status. */
const missing = (status: number, message: string, what: string): string =>
  status === 404 ? `the server could not find the requested resource (${what})` : message

function setCondition(draft: Draft, type: string, status: string, reason: string, message: string, now: number): void {
  const old = draft.conditions.find((c) => c.type === type)
  const next: Condition = {
    type,
    status,
    lastTransitionTime: old && old.status === status ? old.lastTransitionTime : apiTime(now),
    reason,
    message,
  }
  draft.conditions = old ? draft.conditions.map((c) => (c === old ? next : c)) : [...draft.conditions, next]
}

function* store(hpa: KubeObject, draft: Draft): Steps<void> {
  const status = {
    ...(draft.lastScaleTime ? { lastScaleTime: draft.lastScaleTime } : {}),
    ...(draft.currentReplicas ? { currentReplicas: draft.currentReplicas } : {}),
    desiredReplicas: draft.desiredReplicas,
    currentMetrics: draft.currentMetrics,
    conditions: draft.conditions,
  }
  if (deepEqual({ currentMetrics: null, ...hpa.status }, status)) return
  const answer = yield* updateStatus('horizontalpodautoscalers', { ...hpa, status })
  if (!answer.ok) throw new SyncError(answer.message)
}

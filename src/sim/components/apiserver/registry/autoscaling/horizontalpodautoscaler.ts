// autoscaling/v2 HorizontalPodAutoscaler (pkg/registry/autoscaling/horizontalpodautoscaler, pkg/apis/autoscaling/v2/defaults.go).
import type { HPAScalingRules, HorizontalPodAutoscalerSpec, MetricSpec, MetricStatus } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { ageColumn, column, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import { ensureSpec, nonNegative } from '../apps/common.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../apps/objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { fromV1, toV1 } from './v1.ts'
import { validateAutoscalerSpec } from './validation.ts'

const scaleUpDefaults = (): HPAScalingRules => ({
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
})

/** The window of scaling down stays the controller's own unless it is given. */
const scaleDownDefaults = (): HPAScalingRules => ({ selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] })

function defaults(draft: KubeObject): void {
  ensureSpec(draft)
  const spec = draft.spec as HorizontalPodAutoscalerSpec
  spec.scaleTargetRef ??= { kind: '', name: '' }
  spec.scaleTargetRef.kind ??= ''
  spec.scaleTargetRef.name ??= ''
  spec.maxReplicas ??= 0
  spec.minReplicas ??= 1
  if ((spec.metrics?.length ?? 0) === 0) {
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
  }
  if (spec.behavior !== undefined) {
    spec.behavior.scaleUp = { ...scaleUpDefaults(), ...spec.behavior.scaleUp }
    spec.behavior.scaleDown = { ...scaleDownDefaults(), ...spec.behavior.scaleDown }
  }
  draft.status.currentMetrics ??= null
  draft.status.desiredReplicas ??= 0
}

type Value = number | string | undefined

const ratio = (current: Value, target: Value, average = false): string =>
  `${current === undefined ? '<unknown>' : current}/${target ?? '<nil>'}${average ? ' (avg)' : ''}`

const percent = (value: number | undefined): string | undefined => (value === undefined ? undefined : `${value}%`)

interface WithTarget {
  target?: { value?: Value; averageValue?: Value; averageUtilization?: number }
}
interface WithCurrent {
  current?: { value?: Value; averageValue?: Value; averageUtilization?: number }
}

/** External and Object metrics. A value that is missing where it should not be prints as Go's nil. */
function valueCell(source: WithTarget, status: WithCurrent | undefined): string {
  const { averageValue, value } = source.target ?? {}
  if (averageValue !== undefined) return ratio(status?.current?.averageValue, averageValue, true)
  return ratio(status && (status.current?.value ?? '<nil>'), value)
}

function resourceCell(name: string, source: WithTarget, status: WithCurrent | undefined): string {
  const { averageValue, averageUtilization } = source.target ?? {}
  if (averageValue !== undefined) return `${name}: ${ratio(status && (status.current?.averageValue ?? '<nil>'), averageValue)}`
  return `${name}: ${ratio(percent(status?.current?.averageUtilization), percent(averageUtilization) ?? '<auto>')}`
}

function metricCell(metric: MetricSpec, status: MetricStatus | undefined): string {
  const { external, object, pods, resource, containerResource } = metric
  if (metric.type === 'External' && external) return valueCell(external, status?.external)
  if (metric.type === 'Object' && object) return valueCell(object, status?.object)
  if (metric.type === 'Pods' && pods)
    return ratio(status?.pods && (status.pods.current?.averageValue ?? '<nil>'), pods.target?.averageValue)
  if (metric.type === 'Resource' && resource) return resourceCell(resource.name ?? '', resource, status?.resource)
  if (metric.type === 'ContainerResource' && containerResource) {
    return resourceCell(containerResource.name ?? '', containerResource, status?.containerResource)
  }
  return '<unknown type>'
}

function metricsCell(metrics: readonly MetricSpec[], statuses: readonly MetricStatus[]): string {
  const max = 2
  const list = metrics.map((m, i) => metricCell(m, statuses[i]))
  if (list.length === 0) return '<none>'
  const text = list.slice(0, max).join(', ')
  return list.length > max ? `${text} + ${list.length - max} more...` : text
}

export const horizontalPodAutoscaler: KindStrategy = {
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  singular: 'horizontalpodautoscaler',
  shortNames: ['hpa'],
  categories: ['all'],
  namespaced: true,
  allowUnconditionalUpdate: true,
  alsoServedAs: [{ group: 'autoscaling', version: 'v1', toServed: toV1, fromServed: fromV1 }],
  defaults,
  prepareForCreate(draft) {
    draft.status = { currentMetrics: null, desiredReplicas: 0 }
  },
  validate: (draft) => [
    ...validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata'),
    ...validateAutoscalerSpec(draft.spec, undefined),
  ],
  prepareForUpdate(draft, old) {
    draft.status = old.status
  },
  validateUpdate: (draft, old) => [
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...validateAutoscalerSpec(draft.spec, old.spec),
  ],
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(draft, old) {
        draft.spec = old.spec
      },
      validateUpdate: (draft, old) => [
        ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
        ...nonNegative('status.currentReplicas', draft.status.currentReplicas),
        ...nonNegative('status.desiredReplicas', draft.status.desiredReplicas),
      ],
    },
  },
  columns: [
    nameColumn,
    column(
      'Reference',
      'string',
      'scaleTargetRef points to the target resource to scale, and is used to the pods for which metrics should be collected, as well as to actually change the replica count.',
    ),
    column(
      'Targets',
      'string',
      'metrics contains the specifications for which to use to calculate the desired replica count (the maximum replica count across all metrics will be used).  The desired replica count is calculated multiplying the ratio between the target value and the current value by the current number of pods.  Ergo, metrics used must decrease as the pod count is increased, and vice-versa.  See the individual metric source types for more information about how each type of metric must respond.',
    ),
    column(
      'MinPods',
      'string',
      'minReplicas is the lower limit for the number of replicas to which the autoscaler can scale down.  It defaults to 1 pod.  minReplicas is allowed to be 0 if the alpha feature gate HPAScaleToZero is enabled and at least one Object or External metric is configured.  Scaling is active as long as at least one metric value is available.',
    ),
    column(
      'MaxPods',
      'string',
      'maxReplicas is the upper limit for the number of replicas to which the autoscaler can scale up. It cannot be less that minReplicas.',
    ),
    column(
      'Replicas',
      'string',
      'currentReplicas is current number of replicas of pods managed by this autoscaler, as last seen by the autoscaler.',
    ),
    ageColumn,
  ],
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name ?? '',
    `${spec.scaleTargetRef.kind}/${spec.scaleTargetRef.name}`,
    metricsCell(spec.metrics ?? [], status?.currentMetrics ?? []),
    spec.minReplicas === undefined ? '<unset>' : String(spec.minReplicas),
    spec.maxReplicas,
    status?.currentReplicas ?? 0,
    translateTimestampSince(metadata.creationTimestamp, nowMs),
  ],
}

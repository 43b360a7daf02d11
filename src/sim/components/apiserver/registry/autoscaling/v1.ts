// autoscaling/v1 view of an HPA: what v1 has no field for travels in annotations (pkg/apis/autoscaling/v1/conversion.go).
import { goJson } from '../../../../api/go-text.ts'
import type { HPAScalingRules, HorizontalPodAutoscalerBehavior, MetricSpec, MetricStatus } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'

const prefix = 'autoscaling.alpha.kubernetes.io'
const annotation = {
  metrics: `${prefix}/metrics`,
  behavior: `${prefix}/behavior`,
  currentMetrics: `${prefix}/current-metrics`,
  conditions: `${prefix}/conditions`,
}

type Data = Record<string, unknown>

/** Leaves out what is undefined; the order of the keys is the order of v1's fields. */
const compact = (data: Data): Data => Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined))

const isCPUUtilization = (m: MetricSpec): boolean =>
  m.type === 'Resource' && m.resource?.name === 'cpu' && m.resource.target.averageUtilization !== undefined

const reference = (ref: Data | undefined): Data =>
  compact({ kind: ref?.['kind'] ?? '', name: ref?.['name'] ?? '', apiVersion: ref?.['apiVersion'] })

function specToV1(m: MetricSpec): Data {
  const { object, pods, resource, containerResource, external } = m
  return compact({
    type: m.type,
    object:
      object &&
      compact({
        target: reference(object.describedObject as unknown as Data),
        metricName: object.metric.name,
        targetValue: object.target.value ?? '0',
        selector: object.metric.selector,
        averageValue: object.target.averageValue,
      }),
    pods:
      pods &&
      compact({ metricName: pods.metric.name, targetAverageValue: pods.target.averageValue ?? '0', selector: pods.metric.selector }),
    resource:
      resource &&
      compact({
        name: resource.name,
        targetAverageUtilization: resource.target.averageUtilization,
        targetAverageValue: resource.target.averageValue,
      }),
    containerResource:
      containerResource &&
      compact({
        name: containerResource.name,
        targetAverageUtilization: containerResource.target.averageUtilization,
        targetAverageValue: containerResource.target.averageValue,
        container: containerResource.container,
      }),
    external:
      external &&
      compact({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        targetValue: external.target.value,
        targetAverageValue: external.target.averageValue,
      }),
  })
}

// biome-ignore lint/suspicious/noExplicitAny: v1's metric types are found only inside annotations
type V1 = any

const identifier = (name: string, selector: unknown): Data => compact({ name, selector })

const utilization = (source: V1): Data =>
  compact({
    type: source.targetAverageUtilization === undefined ? 'AverageValue' : 'Utilization',
    averageValue: source.targetAverageValue,
    averageUtilization: source.targetAverageUtilization,
  })

function specFromV1({ type, object, pods, resource, containerResource, external }: V1): Data {
  return compact({
    type: type ?? '',
    object: object && {
      describedObject: reference(object.target),
      metric: identifier(object.metricName ?? '', object.selector),
      target: compact({
        type: object.averageValue === undefined ? 'Value' : 'AverageValue',
        value: object.targetValue ?? '0',
        averageValue: object.averageValue,
      }),
    },
    pods: pods && {
      metric: identifier(pods.metricName ?? '', pods.selector),
      target: { type: 'AverageValue', averageValue: pods.targetAverageValue ?? '0' },
    },
    resource: resource && { name: resource.name ?? '', target: utilization(resource) },
    containerResource: containerResource && {
      name: containerResource.name ?? '',
      target: utilization(containerResource),
      container: containerResource.container ?? '',
    },
    external: external && {
      metric: identifier(external.metricName ?? '', external.metricSelector),
      target: compact({
        type: external.targetValue === undefined ? 'AverageValue' : 'Value',
        value: external.targetValue,
        averageValue: external.targetAverageValue,
      }),
    },
  })
}

function statusToV1(m: MetricStatus): Data {
  const { object, pods, resource, containerResource, external } = m
  return compact({
    type: m.type,
    object:
      object &&
      compact({
        target: reference(object.describedObject as unknown as Data),
        metricName: object.metric.name,
        currentValue: object.current.value ?? '0',
        selector: object.metric.selector,
        averageValue: object.current.averageValue,
      }),
    pods:
      pods &&
      compact({ metricName: pods.metric.name, currentAverageValue: pods.current.averageValue ?? '0', selector: pods.metric.selector }),
    resource:
      resource &&
      compact({
        name: resource.name,
        currentAverageUtilization: resource.current.averageUtilization,
        currentAverageValue: resource.current.averageValue ?? '0',
      }),
    containerResource:
      containerResource &&
      compact({
        name: containerResource.name,
        currentAverageUtilization: containerResource.current.averageUtilization,
        currentAverageValue: containerResource.current.averageValue ?? '0',
        container: containerResource.container,
      }),
    external:
      external &&
      compact({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        currentValue: external.current.value ?? '0',
        currentAverageValue: external.current.averageValue,
      }),
  })
}

const currentUtilization = (status: V1): Data =>
  compact({ averageValue: status.currentAverageValue ?? '0', averageUtilization: status.currentAverageUtilization })

function statusFromV1({ type, object, pods, resource, containerResource, external }: V1): Data {
  return compact({
    type: type ?? '',
    object: object && {
      metric: identifier(object.metricName ?? '', object.selector),
      current: compact({ value: object.currentValue ?? '0', averageValue: object.averageValue }),
      describedObject: reference(object.target),
    },
    pods: pods && { metric: identifier(pods.metricName ?? '', pods.selector), current: { averageValue: pods.currentAverageValue ?? '0' } },
    resource: resource && { name: resource.name ?? '', current: currentUtilization(resource) },
    containerResource: containerResource && {
      name: containerResource.name ?? '',
      current: currentUtilization(containerResource),
      container: containerResource.container ?? '',
    },
    external: external && {
      metric: identifier(external.metricName ?? '', external.metricSelector),
      current: compact({ value: external.currentValue ?? '0', averageValue: external.currentAverageValue }),
    },
  })
}

/** Upstream writes the behaviour with the names of its internal type. */
const rulesToInternal = (r: HPAScalingRules | undefined): Data | null =>
  r === undefined
    ? null
    : {
        StabilizationWindowSeconds: r.stabilizationWindowSeconds ?? null,
        SelectPolicy: r.selectPolicy ?? null,
        Policies: r.policies?.map((p) => ({ Type: p.type, Value: p.value, PeriodSeconds: p.periodSeconds })) ?? null,
        Tolerance: r.tolerance ?? null,
      }

const rulesFromInternal = (r: V1): HPAScalingRules | undefined =>
  r === null || r === undefined
    ? undefined
    : (compact({
        stabilizationWindowSeconds: r.StabilizationWindowSeconds ?? undefined,
        selectPolicy: r.SelectPolicy ?? undefined,
        policies: r.Policies?.map((p: V1) => ({ type: p.Type, value: p.Value, periodSeconds: p.PeriodSeconds })),
        tolerance: r.Tolerance ?? undefined,
      }) as HPAScalingRules)

const write = (value: unknown): string => goJson(value, false)

function read(text: string | undefined): V1 {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function withoutRoundTrip(annotations: Readonly<Record<string, string>> | undefined): Record<string, string> {
  const ours = Object.values(annotation)
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => !ours.includes(key)))
}

const withAnnotations = (object: KubeObject, annotations: Record<string, string>): KubeObject['metadata'] => {
  const { annotations: _, ...metadata } = object.metadata
  return Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata
}

export function toV1(object: KubeObject): KubeObject {
  const spec = object.spec ?? {}
  const status = object.status ?? {}
  const metrics: MetricSpec[] = spec.metrics ?? []
  const current: MetricStatus[] = status.currentMetrics ?? []
  const annotations = withoutRoundTrip(object.metadata.annotations)
  const others = metrics.filter((m) => !isCPUUtilization(m))
  if (others.length > 0) annotations[annotation.metrics] = write(others.map(specToV1))
  if (current.length > 0) annotations[annotation.currentMetrics] = write(current.map(statusToV1))
  if (spec.behavior !== undefined) {
    const { scaleUp, scaleDown } = spec.behavior as HorizontalPodAutoscalerBehavior
    annotations[annotation.behavior] = write({ ScaleUp: rulesToInternal(scaleUp), ScaleDown: rulesToInternal(scaleDown) })
  }
  if ((status.conditions?.length ?? 0) > 0) {
    annotations[annotation.conditions] = write(
      status.conditions.map((c: V1) =>
        compact({ type: c.type, status: c.status, lastTransitionTime: c.lastTransitionTime, reason: c.reason, message: c.message }),
      ),
    )
  }
  const cpuStatus = current.filter(
    (m) => m.type === 'Resource' && m.resource?.name === 'cpu' && m.resource.current.averageUtilization !== undefined,
  )
  return {
    ...object,
    apiVersion: 'autoscaling/v1',
    metadata: withAnnotations(object, annotations),
    spec: compact({
      scaleTargetRef: spec.scaleTargetRef,
      minReplicas: spec.minReplicas,
      maxReplicas: spec.maxReplicas,
      targetCPUUtilizationPercentage: metrics.find(isCPUUtilization)?.resource?.target.averageUtilization,
    }),
    status: compact({
      observedGeneration: status.observedGeneration,
      lastScaleTime: status.lastScaleTime,
      currentReplicas: status.currentReplicas ?? 0,
      desiredReplicas: status.desiredReplicas ?? 0,
      currentCPUUtilizationPercentage: cpuStatus[cpuStatus.length - 1]?.resource?.current.averageUtilization,
    }),
  }
}

const cpuMetric = (averageUtilization: number): Data => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})

export function fromV1(object: KubeObject): KubeObject {
  const spec = object.spec ?? {}
  const status = object.status ?? {}
  const annotations = object.metadata.annotations ?? {}
  const text = (key: string): string | undefined => (Object.hasOwn(annotations, key) ? annotations[key] : undefined)

  const target = spec.targetCPUUtilizationPercentage
  const own = target === undefined || target === null ? [] : [cpuMetric(target)]
  const others = read(text(annotation.metrics))
  const metrics = Array.isArray(others) ? [...others.map(specFromV1), ...own] : own
  const behavior = read(text(annotation.behavior))
  const scaleUp = rulesFromInternal(behavior?.ScaleUp)
  const scaleDown = rulesFromInternal(behavior?.ScaleDown)
  const currentCPU = status.currentCPUUtilizationPercentage
  const saved = read(text(annotation.currentMetrics))
  const conditions = read(text(annotation.conditions))
  let currentMetrics: unknown
  if (Array.isArray(saved)) currentMetrics = saved.map(statusFromV1)
  else if (currentCPU !== undefined)
    currentMetrics = [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: currentCPU } } }]
  return {
    ...object,
    apiVersion: 'autoscaling/v2',
    metadata: withAnnotations(object, withoutRoundTrip(object.metadata.annotations)),
    spec: compact({
      scaleTargetRef: spec.scaleTargetRef,
      minReplicas: spec.minReplicas,
      maxReplicas: spec.maxReplicas,
      metrics: metrics.length > 0 ? metrics : [cpuMetric(80)],
      behavior: scaleUp || scaleDown ? compact({ scaleUp, scaleDown }) : undefined,
    }),
    status: compact({
      observedGeneration: status.observedGeneration,
      lastScaleTime: status.lastScaleTime,
      currentReplicas: status.currentReplicas || undefined,
      desiredReplicas: status.desiredReplicas ?? 0,
      currentMetrics: currentMetrics ?? null,
      conditions: Array.isArray(conditions) ? conditions : undefined,
    }),
  }
}

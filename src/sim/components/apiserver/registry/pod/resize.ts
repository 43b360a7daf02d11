// The /resize door (pkg/registry/core/pod/strategy.go, pkg/apis/core/validation/validation.go: ValidatePodResize).
import { type FieldError, forbidden, invalid } from '../../../../api/field.ts'
import type { Container, ResourceRequirements } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { mirrorPodKey } from './annotations.ts'
import { bumpGeneration, resetMeta } from './doors.ts'
import { semanticEqual } from './equality.ts'
import { at, has, keysOf, put } from './maps.ts'
import { computePodQOS } from './qos.ts'
import type { ResourceList } from './quantities.ts'
import { validatePodMetaUpdate } from './rules.ts'
import { statusOf } from './status.ts'
import { podOptions, specOf, validateMetadataAndSpec } from './update.ts'
import { isRestartableInitContainer } from './visit.ts'

/** The old containers with the new resources and resize policies; containers in another order are left for validation to refuse. */
function withNewResources(containers: readonly Container[], old: readonly Container[]): Container[] {
  if (containers.some((c, i) => c.name !== old[i]?.name)) return [...containers]
  return containers.map((c, i) => {
    const { resources: _r, resizePolicy: _p, ...rest } = old[i] as Container
    return { ...rest, ...(c.resources && { resources: c.resources }), ...(c.resizePolicy && { resizePolicy: c.resizePolicy }) }
  })
}

/** dropNonResizeUpdates: everything but resources and resize policies is ignored, unless containers come or go. */
export function preparePodResize(draft: KubeObject, old: KubeObject): void {
  const spec = specOf(draft)
  const oldSpec = specOf(old)
  const count = (s: typeof spec): [number, number] => [(s.containers ?? []).length, (s.initContainers ?? []).length]
  const [containers, inits] = count(spec)
  const [oldContainers, oldInits] = count(oldSpec)
  if (containers === oldContainers && inits === oldInits) {
    draft['spec'] = {
      ...oldSpec,
      containers: withNewResources(spec.containers ?? [], oldSpec.containers ?? []),
      ...(inits > 0 && { initContainers: withNewResources(spec.initContainers ?? [], oldSpec.initContainers ?? []) }),
    }
    draft['status'] = old['status']
    resetMeta(draft.metadata, old.metadata)
  }
  bumpGeneration(draft, old)
}

/** The list with the old amounts of CPU and memory. */
function withOldCompute(list: ResourceList | undefined, old: ResourceList | undefined): ResourceList | undefined {
  if (!list && !old) return undefined
  const munged: ResourceList = {}
  for (const key of keysOf(list)) if (key !== 'cpu' && key !== 'memory') put(munged, key, at(list, key) ?? '0')
  for (const key of ['cpu', 'memory']) {
    const amount = at(old, key)
    if (amount !== undefined) put(munged, key, amount)
  }
  return munged
}

/** dropCPUMemoryResourcesFromContainer; claims get lost, as upstream's do. */
function munged(c: Container, old: Container): Container {
  const limits = withOldCompute(c.resources?.limits, old.resources?.limits)
  const requests = withOldCompute(c.resources?.requests, old.resources?.requests)
  return { ...c, resources: { ...(limits && { limits }), ...(requests && { requests }) } }
}

const removed = (list: ResourceList | undefined, old: ResourceList | undefined): boolean => keysOf(old).some((key) => !has(list, key))

const removals = (r: ResourceRequirements | undefined, old: ResourceRequirements | undefined, path: string): FieldError[] => [
  ...(removed(r?.requests, old?.requests) ? [forbidden(`${path}.requests`, 'resource requests cannot be removed')] : []),
  ...(removed(r?.limits, old?.limits) ? [forbidden(`${path}.limits`, 'resource limits cannot be removed')] : []),
]

/** validatePodResizeContainerOrdering. */
function ordering(containers: readonly Container[], old: readonly Container[], field: string): FieldError[] {
  if (containers.length !== old.length) return [forbidden(`spec.${field}`, `${field} may not be added or removed on resize`)]
  return old.flatMap((c, i) =>
    containers[i]?.name === c.name ? [] : [forbidden(`spec.${field}[${i}].name`, `${field} may not be renamed or reordered on resize`)],
  )
}

/** A running container without status.resources runs on a node that cannot resize. */
function nodeResizes(old: KubeObject): boolean {
  const running = (statusOf(old).containerStatuses ?? []).find((c) => c.state?.running)
  return !running || running.resources !== undefined
}

const hasPodLevelResources = (r: ResourceRequirements | undefined): boolean => keysOf(r?.requests).length + keysOf(r?.limits).length > 0

export function validatePodResize(pod: KubeObject, old: KubeObject): FieldError[] {
  const spec = specOf(pod)
  const oldSpec = specOf(old)
  if (has(old.metadata.annotations, mirrorPodKey)) return [forbidden('[]', 'static pods cannot be resized')]
  if (oldSpec.os?.name === 'windows') return [forbidden('[]', 'windows pods cannot be resized')]
  const errs = [...validatePodMetaUpdate(pod.metadata, old.metadata), ...validateMetadataAndSpec(pod, podOptions(old))]
  if ((statusOf(old).qosClass ?? computePodQOS(oldSpec)) !== computePodQOS(spec)) {
    errs.push(invalid('spec', statusOf(pod).qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'))
  }
  if (!nodeResizes(old)) errs.push(forbidden('spec', 'Pod running on node without support for resize'))
  if (hasPodLevelResources(oldSpec.resources) || hasPodLevelResources(spec.resources)) {
    const gate = 'InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled'
    return [...errs, forbidden('[]', `resize of pods with pod-level resources is forbidden when ${gate}`)]
  }
  const containers = spec.containers ?? []
  const oldContainers = oldSpec.containers ?? []
  const inits = spec.initContainers ?? []
  const oldInits = oldSpec.initContainers ?? []
  const order = [...ordering(containers, oldContainers, 'containers'), ...ordering(inits, oldInits, 'initContainers')]
  if (order.length > 0) return [...errs, ...order]
  for (const [i, c] of oldInits.entries()) {
    if (isRestartableInitContainer(c)) errs.push(...removals(inits[i]?.resources, c.resources, `spec.initContainers[${i}].resources`))
  }
  for (const [i, c] of oldContainers.entries())
    errs.push(...removals(containers[i]?.resources, c.resources, `spec.containers[${i}].resources`))
  const mungedContainers = containers.map((c, i) => munged(c, oldContainers[i] as Container))
  for (const [i, c] of mungedContainers.entries()) {
    if (!semanticEqual(c, oldContainers[i])) errs.push(forbidden('spec', 'only cpu and memory resources are mutable'))
  }
  const mungedInits = inits.map((c, i) => (isRestartableInitContainer(c) ? munged(c, oldInits[i] as Container) : c))
  for (const [i, c] of mungedInits.entries()) {
    if (semanticEqual(c, oldInits[i])) continue
    const sidecar = isRestartableInitContainer(c)
    errs.push(
      forbidden(
        'spec',
        sidecar
          ? 'only cpu and memory resources for sidecar containers are mutable'
          : 'resources for non-sidecar init containers are immutable',
      ),
    )
  }
  if (errs.length > 0) return errs
  const same = semanticEqual({ ...spec, containers: mungedContainers, initContainers: mungedInits }, oldSpec)
  return same ? [] : [forbidden('spec', 'only cpu and memory resources are mutable')]
}

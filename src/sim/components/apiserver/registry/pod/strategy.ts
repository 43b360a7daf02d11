// Pods (pkg/registry/core/pod/strategy.go).
import { type FieldError, forbidden } from '../../../../api/field.ts'
import type { LabelSelector, PodSpec, PodStatus } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { formatTime } from '../../../../api/time.ts'
import type { KindStrategy, RegistryView, Subresource } from '../strategy.ts'
import { appArmorAnnotationsMatch, appArmorPrefix, appArmorProfileOf, seccompAnnotationsMatch } from './annotations.ts'
import { podColumns, podRow } from './columns.ts'
import { defaultPod } from './defaults.ts'
import { dropDisabledSpecFields } from './disabled.ts'
import { bumpGeneration } from './doors.ts'
import { prepareEphemeralContainers, validateEphemeralContainersUpdate } from './ephemeral.ts'
import { semanticEqual } from './equality.ts'
import { at, has } from './maps.ts'
import { computePodQOS } from './qos.ts'
import { preparePodResize, validatePodResize } from './resize.ts'
import { validateAppArmor } from './security.ts'
import { podStatusWarnings, preparePodStatusUpdate, validatePodStatusUpdate } from './status.ts'
import { podOptions, specOf, validateMetadataAndSpec, validatePodUpdate } from './update.ts'
import { allContainers } from './visit.ts'
import { podCreateWarnings } from './warnings.ts'

type Labels = { [key: string]: string } | undefined

/** matchLabelKeys and mismatchLabelKeys become expressions with the pod's own values. */
function mergeLabelKeys(
  selector: LabelSelector | undefined,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: Labels,
): void {
  if (!selector) return
  const added = (keys ?? []).filter((key) => has(labels, key)).map((key) => ({ key, operator, values: [at(labels, key) ?? ''] }))
  if (added.length > 0) selector.matchExpressions = [...(selector.matchExpressions ?? []), ...added]
}

function applyLabelKeys(spec: PodSpec, labels: Labels): void {
  for (const affinity of [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity]) {
    const terms = [
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => t.podAffinityTerm),
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ]
    for (const term of terms) {
      mergeLabelKeys(term?.labelSelector, term?.matchLabelKeys, 'In', labels)
      mergeLabelKeys(term?.labelSelector, term?.mismatchLabelKeys, 'NotIn', labels)
    }
  }
  for (const c of spec.topologySpreadConstraints ?? []) mergeLabelKeys(c.labelSelector, c.matchLabelKeys, 'In', labels)
}

/** What preparing a draft had to warn of, until the server asks for its warnings. */
const preparationWarnings = new WeakMap<KubeObject, readonly string[]>()

/** applyAppArmorVersionSkew: the old annotation fills the field. Returns upstream's warnings about it. */
function applyAppArmorAnnotations(pod: KubeObject): string[] {
  const spec = specOf(pod)
  if (spec.os?.name === 'windows') return []
  return allContainers(spec).flatMap((c) => {
    const key = appArmorPrefix + (c.name ?? '')
    if (!has(pod.metadata.annotations, key) || c.securityContext?.appArmorProfile) return []
    const profile = appArmorProfileOf(at(pod.metadata.annotations, key) ?? '')
    const valid = profile && validateAppArmor(profile, '').length === 0
    const differs = valid && !semanticEqual(profile, spec.securityContext?.appArmorProfile)
    if (differs) c.securityContext = { ...c.securityContext, appArmorProfile: profile }
    return valid && !differs ? [] : [`metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`]
  })
}

function prepareForCreate(pod: KubeObject, view: RegistryView): void {
  const spec = specOf(pod)
  pod.metadata.generation = 1
  const status: PodStatus = { phase: 'Pending', qosClass: computePodQOS(spec) }
  dropDisabledSpecFields(spec)
  if ((spec.schedulingGates ?? []).length > 0) {
    status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        lastProbeTime: null as unknown as string,
        lastTransitionTime: formatTime(view.nowMs),
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ]
  }
  pod['status'] = status
  applyLabelKeys(spec, pod.metadata.labels)
  preparationWarnings.set(pod, applyAppArmorAnnotations(pod))
}

function prepareForUpdate(pod: KubeObject, old: KubeObject): void {
  pod['status'] = old['status']
  dropDisabledSpecFields(specOf(pod), specOf(old))
  bumpGeneration(pod, old)
}

/** ValidatePodCreate. */
function validate(pod: KubeObject): FieldError[] {
  const spec = specOf(pod)
  const errs = validateMetadataAndSpec(pod, podOptions())
  if ((spec.ephemeralContainers ?? []).length > 0) errs.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    errs.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  }
  return [...errs, ...seccompAnnotationsMatch(pod.metadata, spec, 'spec'), ...appArmorAnnotationsMatch(pod.metadata, spec, 'spec')]
}

/** CheckGracefulDelete: nothing waits for a pod that never ran or has ended. */
function gracePeriodSeconds(pod: KubeObject, requested: number | undefined): number {
  const spec = specOf(pod)
  const phase = (pod['status'] as PodStatus | undefined)?.phase
  if (!spec.nodeName || phase === 'Failed' || phase === 'Succeeded') return 0
  const period = requested ?? spec.terminationGracePeriodSeconds ?? 0
  return period < 0 ? 1 : period
}

function selectableFields(pod: KubeObject): Record<string, string> {
  const spec = specOf(pod)
  const status = (pod['status'] as PodStatus | undefined) ?? {}
  return {
    'spec.nodeName': spec.nodeName ?? '',
    'spec.restartPolicy': spec.restartPolicy ?? '',
    'spec.schedulerName': spec.schedulerName ?? '',
    'spec.serviceAccountName': spec.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec.hostNetwork === true),
    'status.phase': status.phase ?? '',
    'status.podIP': status.podIPs?.[0]?.ip ?? status.podIP ?? '',
    'status.nominatedNodeName': status.nominatedNodeName ?? '',
  }
}

const handler = (kind: string, group: string, version: string, ...verbs: string[]): Subresource => ({
  does: 'handler',
  kind,
  group,
  version,
  verbs,
})

export const podStrategy: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  resource: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  defaults: defaultPod,
  prepareForCreate,
  prepareForUpdate,
  validate,
  validateUpdate: validatePodUpdate,
  createWarnings: (pod) => [...(preparationWarnings.get(pod) ?? []), ...podCreateWarnings(pod)],
  allowUnconditionalUpdate: true,
  deleteReturnsObject: true,
  gracePeriodSeconds,
  selectableFields,
  columns: podColumns,
  row: podRow,
  subresources: {
    attach: handler('PodAttachOptions', '', 'v1', 'create', 'get'),
    binding: handler('Binding', '', 'v1', 'create'),
    ephemeralcontainers: {
      does: 'update',
      prepareForUpdate: prepareEphemeralContainers,
      validateUpdate: validateEphemeralContainersUpdate,
    },
    eviction: handler('Eviction', 'policy', 'v1', 'create'),
    exec: handler('PodExecOptions', '', 'v1', 'create', 'get'),
    log: handler('Pod', '', 'v1', 'get'),
    portforward: handler('PodPortForwardOptions', '', 'v1', 'create', 'get'),
    proxy: handler('PodProxyOptions', '', 'v1', 'create', 'delete', 'get', 'patch', 'update'),
    resize: { does: 'update', prepareForUpdate: preparePodResize, validateUpdate: validatePodResize },
    status: {
      does: 'update',
      prepareForUpdate: preparePodStatusUpdate,
      validateUpdate: validatePodStatusUpdate,
      warnings: podStatusWarnings,
    },
  },
}

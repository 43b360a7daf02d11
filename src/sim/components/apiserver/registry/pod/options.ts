// PodValidationOptions: what an existing pod may keep although a new one may not have it (pkg/api/pod/util.go).
// Only the options that v1.35's default feature gates leave variable are here.
import type { ObjectMeta, PodAffinityTerm, PodSpec } from '../../../../api/types/kubernetes.gen.ts'
import { isHugePageResourceName, isHugePageResourceValueDivisible, type ResourceList } from './quantities.ts'
import { at, has, keysOf } from './maps.ts'
import { validateMatchLabelKeys } from './spread.ts'
import { isValidLabelValue, validateLabelSelector } from './rules.ts'
import { hostSysctlError } from './security.ts'
import { allContainers } from './visit.ts'
import { localNonReservedPath } from './paths.ts'

export interface PodValidationOptions {
  /** The object is a pod, not a template inside something else. */
  resourceIsPod?: boolean
  allowInvalidPodDeletionCost?: boolean
  allowInvalidLabelValueInSelector?: boolean
  allowInvalidLabelValueInRequiredNodeAffinity?: boolean
  allowInvalidTopologySpreadConstraintLabelSelector?: boolean
  oldPodViolatesMatchLabelKeysValidation?: boolean
  allowIndivisibleHugePagesValues?: boolean
  allowNonLocalProjectedTokenPath?: boolean
  allowNamespacedSysctlsForHostNetAndHostIPC?: boolean
  allowUserNamespacesWithVolumeDevices?: boolean
  /** SELinuxMount is off: a new pod may only say Recursive. */
  allowAnySELinuxChangePolicy?: boolean
  allowTaintTolerationComparisonOperators?: boolean
  allowUserNamespacesHostNetworkSupport?: boolean
  allowRestartAllContainers?: boolean
}

const affinityTerms = (spec: PodSpec): PodAffinityTerm[] =>
  [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity].flatMap((a) => [
    ...(a?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(a?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((t) => t.podAffinityTerm),
  ])

const invalidAffinitySelector = (spec: PodSpec): boolean =>
  affinityTerms(spec).some(
    (t) => validateLabelSelector(t.labelSelector, '').length > 0 || validateLabelSelector(t.namespaceSelector, '').length > 0,
  )

const invalidRequiredNodeAffinity = (spec: PodSpec): boolean =>
  (spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []).some((term) =>
    (term.matchExpressions ?? []).some((e) => (e.values ?? []).some((v) => isValidLabelValue(v).length > 0)),
  )

const indivisible = (list: ResourceList | undefined): boolean =>
  keysOf(list).some((key) => isHugePageResourceName(key) && !isHugePageResourceValueDivisible(key, at(list, key) ?? '0'))

const indivisibleHugePages = (spec: PodSpec): boolean =>
  allContainers(spec).some((c) => indivisible(c.resources?.limits) || indivisible(c.resources?.requests)) || indivisible(spec.overhead)

const restartAllContainersInUse = (spec: PodSpec): boolean =>
  [...(spec.containers ?? []), ...(spec.initContainers ?? [])].some((c) =>
    (c.restartPolicyRules ?? []).some((r) => r.action === 'RestartAllContainers'),
  ) || (spec.initContainers ?? []).some((c) => c.restartPolicy === 'Always' && (c.restartPolicyRules ?? []).length > 0)

const deletionCostKey = 'controller.kubernetes.io/pod-deletion-cost'

/** helper.GetDeletionCostFromPodAnnotations: a 32-bit integer without plus sign or leading zeros. */
export function invalidDeletionCost(meta: ObjectMeta | undefined): boolean {
  const annotations = meta?.annotations
  if (!has(annotations, deletionCostKey)) return false
  const value = at(annotations, deletionCostKey) ?? ''
  return !/^(0|-[0-9]+|[1-9][0-9]*)$/.test(value) || Number(value) > 0x7fffffff || Number(value) < -0x80000000
}

/** GetValidationOptionsFromPodSpecAndMeta: without an old pod nothing is excused. */
export function podValidationOptions(oldSpec?: PodSpec, oldMeta?: ObjectMeta): PodValidationOptions {
  if (!oldSpec) return {}
  return {
    allowInvalidPodDeletionCost: invalidDeletionCost(oldMeta),
    allowInvalidLabelValueInSelector: invalidAffinitySelector(oldSpec),
    allowInvalidLabelValueInRequiredNodeAffinity: invalidRequiredNodeAffinity(oldSpec),
    allowInvalidTopologySpreadConstraintLabelSelector: (oldSpec.topologySpreadConstraints ?? []).some(
      (c) => validateLabelSelector(c.labelSelector, '').length > 0,
    ),
    oldPodViolatesMatchLabelKeysValidation: (oldSpec.topologySpreadConstraints ?? []).some(
      (c) => validateMatchLabelKeys('', c.matchLabelKeys, undefined, c.labelSelector).length > 0,
    ),
    allowIndivisibleHugePagesValues: indivisibleHugePages(oldSpec),
    allowNonLocalProjectedTokenPath: (oldSpec.volumes ?? []).some((v) =>
      (v.projected?.sources ?? []).some(
        (s) => s.serviceAccountToken && localNonReservedPath(s.serviceAccountToken.path ?? '', '').length > 0,
      ),
    ),
    allowNamespacedSysctlsForHostNetAndHostIPC: (oldSpec.securityContext?.sysctls ?? []).some(
      (s) => hostSysctlError(s.name ?? '', oldSpec, '') !== undefined,
    ),
    allowUserNamespacesWithVolumeDevices:
      oldSpec.hostUsers === false && allContainers(oldSpec).some((c) => (c.volumeDevices ?? []).length > 0),
    allowAnySELinuxChangePolicy: typeof oldSpec.securityContext?.seLinuxChangePolicy === 'string',
    allowTaintTolerationComparisonOperators: (oldSpec.tolerations ?? []).some(
      (t) => (t.operator as string) === 'Lt' || (t.operator as string) === 'Gt',
    ),
    allowUserNamespacesHostNetworkSupport: oldSpec.hostUsers === false && oldSpec.hostNetwork === true,
    allowRestartAllContainers: restartAllContainersInUse(oldSpec),
  }
}

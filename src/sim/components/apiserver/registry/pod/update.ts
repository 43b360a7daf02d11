// ValidatePodUpdate (pkg/apis/core/validation/validation.go): what may change in a pod, and how.
import { type FieldError, forbidden, invalid, required } from '../../../../api/field.ts'
import type { Container, NodeAffinity, NodeSelectorTerm, PodSpec, Toleration } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { podSpecificAnnotationUpdates, podSpecificAnnotations } from './annotations.ts'
import { validateImageForPod } from './containers.ts'
import { goDiff } from './diff.ts'
import { semanticEqual } from './equality.ts'
import { goNodeSelectorTerm, goNodeSelectorTerms } from './gostruct.ts'
import { at, keysOf } from './maps.ts'
import { type PodValidationOptions, podValidationOptions } from './options.ts'
import { inclusiveRangeError, validatePodMeta, validatePodMetaUpdate } from './rules.ts'
import { validatePodSpec } from './spec.ts'
import { validateTolerations } from './tolerations.ts'

export const specOf = (pod: KubeObject): PodSpec => pod['spec'] as PodSpec

export const podOptions = (old?: KubeObject): PodValidationOptions => ({
  ...podValidationOptions(old && specOf(old), old?.metadata),
  resourceIsPod: true,
})

/** validatePodMetadataAndSpec. */
export function validateMetadataAndSpec(pod: KubeObject, opts: PodValidationOptions): FieldError[] {
  const spec = specOf(pod)
  const tokens = spec.serviceAccountName
    ? []
    : (spec.volumes ?? []).flatMap((v, i) =>
        (v.projected?.sources ?? []).flatMap((s, j) =>
          s.serviceAccountToken
            ? [
                forbidden(
                  `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`,
                  'must not be specified when serviceAccountName is not set',
                ),
              ]
            : [],
        ),
      )
  return [
    ...validatePodMeta(pod.metadata),
    ...podSpecificAnnotations(pod.metadata.annotations, spec, 'metadata.annotations', opts),
    ...validatePodSpec(spec, pod.metadata, 'spec', opts),
    ...tokens,
    ...(spec.containers ?? []).flatMap((c, i) => validateImageForPod(c, `spec.containers[${i}]`)),
    ...(spec.initContainers ?? []).flatMap((c, i) => validateImageForPod(c, `spec.initContainers[${i}]`)),
  ]
}

/** ValidateContainerUpdates; undefined stops the validation after the errors so far. */
function containerUpdates(
  containers: readonly Container[],
  old: readonly Container[],
  path: string,
): { errs: FieldError[]; stop: boolean } {
  if (containers.length !== old.length) return { errs: [forbidden(path, 'pod updates may not add or remove containers')], stop: true }
  const errs = containers.flatMap((c, i) => [
    ...(c.image ? [] : [required(`${path}[${i}].image`)]),
    ...validateImageForPod(c, `${path}[${i}]`),
  ])
  return { errs, stop: false }
}

function tolerationUpdates(
  tolerations: readonly Toleration[],
  old: readonly Toleration[],
  path: string,
  opts: PodValidationOptions,
): FieldError[] {
  const key = (t: Toleration): Toleration => ({ ...t, tolerationSeconds: 0 })
  const kept = old.every((o) => tolerations.some((t) => semanticEqual(key(o), key(t))))
  return kept
    ? validateTolerations(tolerations, path, opts)
    : [forbidden(path, 'existing toleration can not be modified except its tolerationSeconds')]
}

function gateUpdates(spec: PodSpec, old: PodSpec, path: string): FieldError[] {
  const before = new Set((old.schedulingGates ?? []).map((g) => g.name ?? ''))
  const last = new Map((spec.schedulingGates ?? []).map((g, i) => [g.name ?? '', i]))
  return [...last]
    .filter(([name]) => !before.has(name))
    .map(([name, i]) => forbidden(`${path}[${i}].name`, `only deletion is allowed, but found new scheduling gate '${name}'`))
}

/** activeDeadlineSeconds may be set, and lowered; `stop` as upstream returns early. */
function deadlineUpdates(spec: PodSpec, old: PodSpec): { errs: FieldError[]; stop: boolean } {
  const path = 'spec.activeDeadlineSeconds'
  const next = spec.activeDeadlineSeconds
  const before = old.activeDeadlineSeconds
  if (typeof next !== 'number') {
    const unset = typeof before === 'number' ? [invalid(path, null, 'must not update from a positive integer to nil value')] : []
    return { errs: unset, stop: false }
  }
  if (next < 0 || next > 0x7fffffff) return { errs: [invalid(path, next, inclusiveRangeError(0, 0x7fffffff))], stop: true }
  if (typeof before === 'number' && before < next)
    return { errs: [invalid(path, next, 'must be less than or equal to previous value')], stop: true }
  return { errs: [], stop: false }
}

const updatable = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

/** Sets a field to the old value, or removes it where the old object has none. */
function takeOver<K extends keyof PodSpec>(spec: PodSpec, old: PodSpec, field: K): void {
  if (old[field] === undefined) delete spec[field]
  else spec[field] = old[field]
}

const withOldImages = (containers: readonly Container[] | undefined, old: readonly Container[] | undefined): Container[] =>
  (containers ?? []).map((c, i) => {
    const { image: _, ...rest } = c
    const image = old?.[i]?.image
    return image === undefined ? rest : { ...rest, image }
  })

function onlyAdditions(term: NodeSelectorTerm, old: NodeSelectorTerm): boolean {
  const expressions = old.matchExpressions ?? []
  const fields = old.matchFields ?? []
  if (expressions.length === 0 && fields.length === 0)
    return (term.matchExpressions ?? []).length === 0 && (term.matchFields ?? []).length === 0
  return (
    semanticEqual((term.matchExpressions ?? []).slice(0, expressions.length), expressions) &&
    semanticEqual((term.matchFields ?? []).slice(0, fields.length), fields)
  )
}

/** validateNodeAffinityMutation, of gated pods. */
function nodeAffinityMutation(affinity: NodeAffinity | undefined, old: NodeAffinity | undefined): FieldError[] {
  const oldTerms = old?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const terms = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  if (oldTerms.length > 0 && oldTerms.length !== terms.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'
    return [{ ...invalid(path, undefined, detail), badValueText: goNodeSelectorTerms(terms) }]
  }
  return oldTerms.flatMap((term, i) => {
    const next = terms[i] ?? {}
    if (onlyAdditions(next, term)) return []
    return [
      {
        ...invalid(`${path}[${i}]`, undefined, 'only additions are allowed (no mutations or deletions)'),
        badValueText: goNodeSelectorTerm(next),
      },
    ]
  })
}

/** A gated pod's node selector and node affinity may grow: checks that, and puts the old ones into `munged`. */
function gatedUpdates(munged: PodSpec, old: PodSpec): FieldError[] {
  const errs: FieldError[] = []
  if (!semanticEqual(munged.nodeSelector, old.nodeSelector, 'nodeSelector')) {
    if (keysOf(old.nodeSelector).some((key) => at(munged.nodeSelector, key) !== at(old.nodeSelector, key))) {
      const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
      errs.push(invalid('spec.nodeSelector', munged.nodeSelector ?? null, detail))
    }
    takeOver(munged, old, 'nodeSelector')
  }
  const affinity = munged.affinity?.nodeAffinity
  const oldAffinity = old.affinity?.nodeAffinity
  if (semanticEqual(affinity, oldAffinity)) return errs
  errs.push(...nodeAffinityMutation(affinity, oldAffinity))
  if (!munged.affinity) {
    if (oldAffinity) munged.affinity = { nodeAffinity: oldAffinity }
  } else if (!old.affinity && !munged.affinity.podAffinity && !munged.affinity.podAntiAffinity) delete munged.affinity
  else {
    const { nodeAffinity: _, ...rest } = munged.affinity
    munged.affinity = oldAffinity ? { ...rest, nodeAffinity: oldAffinity } : rest
  }
  return errs
}

/** The comparison at the end: with everything updatable taken from the old pod, nothing may be left to differ. */
function frozenFields(spec: PodSpec, old: PodSpec): FieldError[] {
  if (semanticEqual(spec, old)) return []
  const munged: PodSpec = {
    ...spec,
    containers: withOldImages(spec.containers, old.containers),
    initContainers: withOldImages(spec.initContainers, old.initContainers),
  }
  for (const field of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations'] as const) takeOver(munged, old, field)
  if ((old.terminationGracePeriodSeconds ?? 0) < 0 && munged.terminationGracePeriodSeconds === 1)
    takeOver(munged, old, 'terminationGracePeriodSeconds')
  const errs = (old.schedulingGates ?? []).length > 0 ? gatedUpdates(munged, old) : []
  if (semanticEqual(munged, old)) return errs
  if (munged.initContainers?.length === 0) delete munged.initContainers
  return [...errs, forbidden('spec', `pod updates may not change fields other than ${updatable}\n${goDiff(old, munged)}`)]
}

export function validatePodUpdate(pod: KubeObject, old: KubeObject): FieldError[] {
  const opts = podOptions(old)
  const spec = specOf(pod)
  const oldSpec = specOf(old)
  const errs = [
    ...validatePodMetaUpdate(pod.metadata, old.metadata),
    ...validateMetadataAndSpec(pod, opts),
    ...podSpecificAnnotationUpdates(pod.metadata, old.metadata, spec, 'metadata.annotations', opts),
  ]
  for (const field of ['containers', 'initContainers'] as const) {
    const result = containerUpdates(spec[field] ?? [], oldSpec[field] ?? [], `spec.${field}`)
    errs.push(...result.errs)
    if (result.stop) return errs
  }
  const deadline = deadlineUpdates(spec, oldSpec)
  errs.push(...deadline.errs)
  if (deadline.stop) return errs
  return [
    ...errs,
    ...tolerationUpdates(spec.tolerations ?? [], oldSpec.tolerations ?? [], 'spec.tolerations', opts),
    ...gateUpdates(spec, oldSpec, 'spec.schedulingGates'),
    ...frozenFields(spec, oldSpec),
  ]
}

// Node and pod affinity (pkg/apis/core/validation/validation.go: validateAffinity).
import { type FieldError, forbidden, invalid, required } from '../../../../api/field.ts'
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodAntiAffinity,
} from '../../../../api/types/kubernetes.gen.ts'
import type { PodValidationOptions } from './options.ts'
import { invalidEach, isDNS1123Label, isValidLabelValue, nameIsDNSSubdomain, validateLabelName, validateLabelSelector } from './rules.ts'
import { validateMatchLabelKeys } from './spread.ts'

function validateNodeSelectorRequirement(r: NodeSelectorRequirement, allowInvalidValues: boolean, path: string): FieldError[] {
  const errs: FieldError[] = []
  const values = r.values ?? []
  switch (r.operator as string) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) errs.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) errs.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
      break
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) errs.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
      break
    default:
      errs.push(invalid(`${path}.operator`, r.operator ?? '', 'not a valid selector operator'))
  }
  errs.push(...validateLabelName(r.key ?? '', `${path}.key`))
  if (!allowInvalidValues) errs.push(...values.flatMap((v, i) => invalidEach(`${path}.values[${i}]`, v, isValidLabelValue(v))))
  return errs
}

function validateNodeFieldRequirement(r: NodeSelectorRequirement, path: string): FieldError[] {
  const errs: FieldError[] = []
  const values = r.values ?? []
  const operator = r.operator as string | undefined
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1)
      errs.push(required(`${path}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
  } else errs.push(invalid(`${path}.operator`, operator ?? '', 'not a valid selector operator'))
  if (r.key !== 'metadata.name') errs.push(invalid(`${path}.key`, r.key ?? '', 'not a valid field selector key'))
  else errs.push(...values.flatMap((v, i) => invalidEach(`${path}.values[${i}]`, v, nameIsDNSSubdomain(v, false))))
  return errs
}

const validateNodeSelectorTerm = (term: NodeSelectorTerm | undefined, allowInvalidValues: boolean, path: string): FieldError[] => [
  ...(term?.matchExpressions ?? []).flatMap((r, i) =>
    validateNodeSelectorRequirement(r, allowInvalidValues, `${path}.matchExpressions[${i}]`),
  ),
  ...(term?.matchFields ?? []).flatMap((r, i) => validateNodeFieldRequirement(r, `${path}.matchFields[${i}]`)),
]

/** ValidateNodeSelector: also used for volumes' node affinity. */
export function validateNodeSelector(selector: Partial<NodeSelector>, allowInvalidValues: boolean, path: string): FieldError[] {
  const terms = selector.nodeSelectorTerms ?? []
  const at = `${path}.nodeSelectorTerms`
  if (terms.length === 0) return [required(at, 'must have at least one node selector term')]
  return terms.flatMap((term, i) => validateNodeSelectorTerm(term, allowInvalidValues, `${at}[${i}]`))
}

const weight = (value: number | undefined, path: string): FieldError[] =>
  (value ?? 0) <= 0 || (value ?? 0) > 100 ? [invalid(path, value ?? 0, 'must be in the range 1-100')] : []

function validateNodeAffinity(affinity: NodeAffinity, path: string, opts: PodValidationOptions): FieldError[] {
  const hard = affinity.requiredDuringSchedulingIgnoredDuringExecution
  const softPath = `${path}.preferredDuringSchedulingIgnoredDuringExecution`
  return [
    ...(hard
      ? validateNodeSelector(
          hard,
          !!opts.allowInvalidLabelValueInRequiredNodeAffinity,
          `${path}.requiredDuringSchedulingIgnoredDuringExecution`,
        )
      : []),
    ...(affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, i) => [
      ...weight(term.weight, `${softPath}[${i}].weight`),
      ...validateNodeSelectorTerm(term.preference, true, `${softPath}[${i}].preference`),
    ]),
  ]
}

function validatePodAffinityTerm(term: Partial<PodAffinityTerm>, path: string, opts: PodValidationOptions): FieldError[] {
  const allow = !!opts.allowInvalidLabelValueInSelector
  const key = term.topologyKey ?? ''
  return [
    ...validateLabelSelector(term.labelSelector, `${path}.labelSelector`, allow),
    ...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`, allow),
    ...(term.namespaces ?? []).flatMap((name) => invalidEach(`${path}.namespace`, name, isDNS1123Label(name))),
    ...validateMatchLabelKeys(path, term.matchLabelKeys, term.mismatchLabelKeys, term.labelSelector),
    ...(key ? [] : [required(`${path}.topologyKey`, 'can not be empty')]),
    ...validateLabelName(key, `${path}.topologyKey`),
  ]
}

const validatePodAffinity = (affinity: PodAffinity | PodAntiAffinity, path: string, opts: PodValidationOptions): FieldError[] => [
  ...(affinity.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, i) =>
    validatePodAffinityTerm(term, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, opts),
  ),
  ...(affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, i) => {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`
    return [...weight(term.weight, `${at}.weight`), ...validatePodAffinityTerm(term.podAffinityTerm ?? {}, `${at}.podAffinityTerm`, opts)]
  }),
]

export const validateAffinity = (affinity: Affinity | undefined, path: string, opts: PodValidationOptions): FieldError[] => [
  ...(affinity?.nodeAffinity ? validateNodeAffinity(affinity.nodeAffinity, `${path}.nodeAffinity`, opts) : []),
  ...(affinity?.podAffinity ? validatePodAffinity(affinity.podAffinity, `${path}.podAffinity`, opts) : []),
  ...(affinity?.podAntiAffinity ? validatePodAffinity(affinity.podAntiAffinity, `${path}.podAntiAffinity`, opts) : []),
]

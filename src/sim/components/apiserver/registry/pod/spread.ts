// Topology spread constraints (pkg/apis/core/validation/validation.go: validateTopologySpreadConstraints).
import { type FieldError, duplicate, forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import type { LabelSelector, TopologySpreadConstraint } from '../../../../api/types/kubernetes.gen.ts'
import { has, keysOf } from './maps.ts'
import type { PodValidationOptions } from './options.ts'
import { validateLabelName, validateLabelSelector } from './rules.ts'

function validateLabelKeys(keys: readonly string[] | undefined, selector: LabelSelector | undefined, path: string): FieldError[] {
  if (!keys || keys.length === 0) return []
  if (!selector) return [forbidden(path, 'must not be specified when labelSelector is not set')]
  return keys.flatMap((key, i) => validateLabelName(key, `${path}[${i}]`))
}

/** ValidateMatchLabelKeysAndMismatchLabelKeys, of spread constraints and of affinity terms. */
export function validateMatchLabelKeys(
  path: string,
  matchKeys: readonly string[] | undefined,
  mismatchKeys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
): FieldError[] {
  const errs = [
    ...validateLabelKeys(matchKeys, selector, `${path}.matchLabelKeys`),
    ...validateLabelKeys(mismatchKeys, selector, `${path}.mismatchLabelKeys`),
  ]
  if (selector) {
    // matchLabelKeys have been merged into matchExpressions by now: a second expression for such a key is the user's.
    const indices = new Map((matchKeys ?? []).map((key, i) => [key, i]))
    const seen = new Set(keysOf(selector.matchLabels))
    for (const { key = '' } of selector.matchExpressions ?? []) {
      const i = indices.get(key)
      if (i !== undefined && seen.has(key)) errs.push(invalid(`${path}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'))
      seen.add(key)
    }
  }
  for (const [i, key] of (matchKeys ?? []).entries()) {
    if (mismatchKeys?.includes(key))
      errs.push(invalid(`${path}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'))
  }
  return errs
}

/** ValidateMatchLabelKeysInTopologySpread: the rule before v1.34, for pods that broke the present one already. */
function validateMatchLabelKeysLegacy(
  path: string,
  matchKeys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
): FieldError[] {
  if (!matchKeys || matchKeys.length === 0) return []
  const errs = selector ? [] : [forbidden(path, 'must not be specified when labelSelector is not set')]
  const expressions = new Set((selector?.matchExpressions ?? []).map((e) => e.key))
  for (const [i, key] of matchKeys.entries()) {
    errs.push(...validateLabelName(key, `${path}[${i}]`))
    if (has(selector?.matchLabels, key) || expressions.has(key))
      errs.push(invalid(`${path}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'))
  }
  return errs
}

const positive = (value: number, path: string): FieldError[] => (value > 0 ? [] : [invalid(path, value, 'must be greater than zero')])

const policies = ['Honor', 'Ignore']

const inclusionPolicy = (policy: string | undefined, path: string): FieldError[] =>
  typeof policy !== 'string' || policies.includes(policy) ? [] : [notSupported(path, policy, policies)]

export function validateTopologySpreadConstraints(
  list: readonly TopologySpreadConstraint[] | undefined,
  path: string,
  opts: PodValidationOptions,
): FieldError[] {
  const constraints = list ?? []
  return constraints.flatMap((c, i) => {
    const at = `${path}[${i}]`
    const action = (c.whenUnsatisfiable as string | undefined) ?? ''
    const key = c.topologyKey ?? ''
    const errs = positive(c.maxSkew ?? 0, `${at}.maxSkew`)
    if (!key) errs.push(required(`${at}.topologyKey`, 'can not be empty'))
    if (action !== 'DoNotSchedule' && action !== 'ScheduleAnyway') {
      errs.push(notSupported(`${at}.whenUnsatisfiable`, action, ['DoNotSchedule', 'ScheduleAnyway']))
    }
    if (
      constraints
        .slice(i + 1)
        .some((other) => (other.topologyKey ?? '') === key && ((other.whenUnsatisfiable as string | undefined) ?? '') === action)
    ) {
      errs.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${key}, ${action}}`))
    }
    if (typeof c.minDomains === 'number') {
      errs.push(...positive(c.minDomains, `${at}.minDomains`))
      if (action !== 'DoNotSchedule') {
        errs.push(invalid(`${at}.minDomains`, c.minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${action}`))
      }
    }
    errs.push(
      ...inclusionPolicy(c.nodeAffinityPolicy, `${at}.nodeAffinityPolicy`),
      ...inclusionPolicy(c.nodeTaintsPolicy, `${at}.nodeTaintsPolicy`),
    )
    errs.push(
      ...(opts.oldPodViolatesMatchLabelKeysValidation
        ? validateMatchLabelKeysLegacy(`${at}.matchLabelKeys`, c.matchLabelKeys, c.labelSelector)
        : validateMatchLabelKeys(at, c.matchLabelKeys, undefined, c.labelSelector)),
    )
    if (!opts.allowInvalidTopologySpreadConstraintLabelSelector) errs.push(...validateLabelSelector(c.labelSelector, `${at}.labelSelector`))
    return errs
  })
}

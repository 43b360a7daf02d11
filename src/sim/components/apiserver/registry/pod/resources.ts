// Requests and limits of containers, pods and overhead (pkg/apis/core/validation/validation.go: validateResourceRequirements).
import { type FieldError, duplicate, forbidden, invalid, notFound, notSupported, required } from '../../../../api/field.ts'
import type { PodSpec, ResourceClaim, ResourceRequirements } from '../../../../api/types/kubernetes.gen.ts'
import { at, has, keysOf } from './maps.ts'
import type { PodValidationOptions } from './options.ts'
import {
  aggregateContainerLimits,
  aggregateContainerRequests,
  compare,
  isExtendedResourceName,
  isFractional,
  isHugePageResourceName,
  isHugePageResourceValueDivisible,
  isIntegerResourceName,
  isNativeResource,
  isNegative,
  isOvercommitAllowed,
  isStandardContainerResourceName,
  isStandardResourceName,
  isSupportedPodLevelResource,
  quantityString,
  type ResourceList,
} from './quantities.ts'
import { dns1123Label, invalidEach, isNegativeErrorMsg, isQualifiedName } from './rules.ts'

function validateResourceName(name: string, path: string): FieldError[] {
  const errs = invalidEach(path, name, isQualifiedName(name))
  if (errs.length > 0) return errs
  return name.includes('/') || isStandardResourceName(name)
    ? []
    : [invalid(path, name, 'must be a standard resource type or fully qualified')]
}

function validateContainerResourceName(name: string, path: string): FieldError[] {
  const errs = validateResourceName(name, path)
  if (!name.includes('/')) {
    if (!isStandardContainerResourceName(name)) errs.push(invalid(path, name, 'must be a standard resource for containers'))
  } else if (!isNativeResource(name) && !isExtendedResourceName(name)) {
    errs.push(invalid(path, name, "doesn't follow extended resource name standard"))
  }
  return errs
}

function validatePodResourceName(name: string, path: string): FieldError[] {
  const errs = validateResourceName(name, path)
  if (errs.length > 0) return errs
  return isSupportedPodLevelResource(name) ? [] : [notSupported(path, name, ['cpu', 'hugepages-', 'memory'])]
}

/** ValidateResourceQuantityValue: not negative, and whole where the resource is counted. */
export function validateResourceQuantityValue(name: string, quantity: string, path: string): FieldError[] {
  const errs: FieldError[] = []
  if (isNegative(quantity)) errs.push(invalid(path, quantityString(quantity), isNegativeErrorMsg))
  if (isIntegerResourceName(name) && isFractional(quantity)) errs.push(invalid(path, quantityString(quantity), 'must be an integer'))
  return errs
}

function hugePageError(name: string, quantity: string, path: string, opts: PodValidationOptions): FieldError[] {
  if (!isHugePageResourceName(name) || opts.allowIndivisibleHugePagesValues || isHugePageResourceValueDivisible(name, quantity)) return []
  const text = quantityString(quantity)
  return [invalid(path, text, `${text} is not positive integer multiple of ${name}`)]
}

/** validateResourceClaimNames: `claims` of a container against the pod's resourceClaims. */
function validateClaimNames(claims: readonly ResourceClaim[] | undefined, podClaims: ReadonlySet<string>, path: string): FieldError[] {
  const errs: FieldError[] = []
  const names = new Set<string>()
  for (const [i, claim] of (claims ?? []).entries()) {
    const at = `${path}[${i}]`
    const name = claim.name ?? ''
    if (!name) {
      errs.push(required(at))
      continue
    }
    if (names.has(name)) errs.push(duplicate(at, name))
    else {
      let key = name
      if (claim.request) {
        errs.push(...dns1123Label(claim.request, `${at}.request`))
        key += `/${claim.request}`
      }
      if (names.has(key)) errs.push(duplicate(at, key))
      else if (!claim.request)
        for (const other of names) if (other.includes('/') && other.slice(0, other.indexOf('/')) === name) errs.push(duplicate(at, name))
      names.add(key)
    }
    if (!podClaims.has(name)) {
      const known = [...podClaims].sort()
      const which = known.length === 0 ? ' which is empty' : `: ${known.join(', ')}`
      errs.push({ ...notFound(at, name), detail: `must be one of the names in pod.spec.resourceClaims${which}` })
    }
  }
  return errs
}

type NameCheck = (name: string, path: string) => FieldError[]

function validateRequirements(
  r: ResourceRequirements,
  checkName: NameCheck,
  podClaims: ReadonlySet<string>,
  path: string,
  opts: PodValidationOptions,
): FieldError[] {
  const errs: FieldError[] = []
  const limits = r.limits as ResourceList | undefined
  const requests = r.requests as ResourceList | undefined
  const requestsPath = `${path}.requests`
  for (const name of keysOf(limits)) {
    const quantity = at(limits, name) ?? '0'
    const keyPath = `${path}.limits[${name}]`
    errs.push(
      ...checkName(name, keyPath),
      ...validateResourceQuantityValue(name, quantity, keyPath),
      ...hugePageError(name, quantity, keyPath, opts),
    )
  }
  for (const name of keysOf(requests)) {
    const quantity = at(requests, name) ?? '0'
    const keyPath = `${requestsPath}[${name}]`
    errs.push(...checkName(name, keyPath), ...validateResourceQuantityValue(name, quantity, keyPath))
    const limit = at(limits, name)
    if (limit !== undefined) {
      const text = quantityString(quantity)
      const order = compare(quantity, limit)
      if (order !== 0 && !isOvercommitAllowed(name))
        errs.push(invalid(requestsPath, text, `must be equal to ${name} limit of ${quantityString(limit)}`))
      else if (order > 0) errs.push(invalid(requestsPath, text, `must be less than or equal to ${name} limit of ${quantityString(limit)}`))
    } else if (!isOvercommitAllowed(name)) errs.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
    errs.push(...hugePageError(name, quantity, keyPath, opts))
  }
  const names = [...keysOf(limits), ...keysOf(requests)]
  if (names.some(isHugePageResourceName) && !names.some((n) => n === 'cpu' || n === 'memory'))
    errs.push(forbidden(path, 'HugePages require cpu or memory'))
  return [...errs, ...validateClaimNames(r.claims, podClaims, `${path}.claims`)]
}

const none: ReadonlySet<string> = new Set()

export const validateContainerResources = (
  r: ResourceRequirements | undefined,
  podClaims: ReadonlySet<string>,
  path: string,
  opts: PodValidationOptions,
): FieldError[] => validateRequirements(r ?? {}, validateContainerResourceName, podClaims, path, opts)

/** ValidateOverhead: as if it were a container's limits. */
export const validateOverhead = (overhead: ResourceList, path: string, opts: PodValidationOptions): FieldError[] =>
  validateContainerResources({ limits: overhead }, none, path, opts)

/** validatePodResourceConsistency: the pod's envelope holds what the containers ask for. */
function validateConsistency(spec: PodSpec, resources: ResourceRequirements, path: string): FieldError[] {
  const errs: FieldError[] = []
  const requests = resources.requests as ResourceList | undefined
  const limits = resources.limits as ResourceList | undefined
  const neededRequests = aggregateContainerRequests(spec)
  for (const name of keysOf(neededRequests)) {
    const needed = at(neededRequests, name) ?? '0'
    const given = at(requests, name)
    if (given === undefined || compare(needed, given) <= 0) continue
    const detail = `must be greater than or equal to aggregate container requests of ${quantityString(needed)}`
    errs.push(invalid(`${path}.requests[${name}]`, quantityString(given), detail))
  }
  const neededLimits = aggregateContainerLimits(spec)
  for (const name of keysOf(neededLimits).filter(isHugePageResourceName)) {
    const needed = at(neededLimits, name) ?? '0'
    const given = at(limits, name)
    if (given === undefined || compare(needed, given) <= 0) continue
    const detail = `must be greater than or equal to aggregate container limits of ${quantityString(needed)}`
    errs.push(invalid(`${path}.limits[${name}]`, quantityString(given), detail))
  }
  for (const [i, c] of (spec.containers ?? []).entries()) {
    const own = c.resources?.limits as ResourceList | undefined
    for (const name of keysOf(own)) {
      const limit = at(own, name) ?? '0'
      const given = at(limits, name)
      if (given === undefined || compare(limit, given) <= 0) continue
      errs.push(
        invalid(
          `${path}.containers[${i}][${name}].limits`,
          quantityString(limit),
          `must be less than or equal to pod limits of ${quantityString(given)}`,
        ),
      )
    }
  }
  return errs
}

/** validatePodResources: `spec.resources`. */
export function validatePodResources(
  spec: PodSpec,
  podClaims: ReadonlySet<string>,
  specPath: string,
  opts: PodValidationOptions,
): FieldError[] {
  const resources = spec.resources
  if (!resources) return []
  const path = `${specPath}.resources`
  if (spec.os?.name === 'windows') return [forbidden(path, 'may not be set for a windows pod')]
  return [
    ...(has(resources, 'claims') && resources.claims
      ? [forbidden(`${path}.claims`, 'claims may not be set for Resources at pod-level')]
      : []),
    ...validateRequirements(resources, validatePodResourceName, podClaims, path, opts),
    ...validateConsistency(spec, resources, path),
  ]
}

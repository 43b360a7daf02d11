// Annotations that upstream gives a meaning (pkg/apis/core/validation/validation.go: ValidatePodSpecificAnnotations and the rest).
import { type FieldError, forbidden, invalid } from '../../../../api/field.ts'
import type { ObjectMeta, PodSpec, SeccompProfile, Toleration } from '../../../../api/types/kubernetes.gen.ts'
import { at, has, keysOf } from './maps.ts'
import { invalidDeletionCost, type PodValidationOptions } from './options.ts'
import { localDescendingPath } from './paths.ts'
import { quote } from './rules.ts'
import { validateTolerations } from './tolerations.ts'
import { allContainers, containersWithPath } from './visit.ts'

type Annotations = { [key: string]: string } | undefined

export const mirrorPodKey = 'kubernetes.io/config.mirror'
const tolerationsKey = 'scheduler.alpha.kubernetes.io/tolerations'
const deletionCostKey = 'controller.kubernetes.io/pod-deletion-cost'
export const seccompPodKey = 'seccomp.security.alpha.kubernetes.io/pod'
export const seccompContainerPrefix = 'container.seccomp.security.alpha.kubernetes.io/'
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'

function seccompProfile(profile: string, path: string): FieldError[] {
  if (profile === 'runtime/default' || profile === 'docker/default' || profile === 'unconfined') return []
  if (profile.startsWith('localhost/')) return localDescendingPath(profile.slice('localhost/'.length), path)
  return [invalid(path, profile, 'must be a valid seccomp profile')]
}

function parseTolerations(text: string): Toleration[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return value === null ? [] : Array.isArray(value) ? (value as Toleration[]) : undefined
  } catch {
    return undefined
  }
}

function appArmorAnnotations(annotations: Annotations, spec: PodSpec, path: string): FieldError[] {
  const names = new Set(allContainers(spec).map((c) => c.name ?? ''))
  return keysOf(annotations)
    .filter((key) => key.startsWith(appArmorPrefix))
    .flatMap((key) => {
      const container = key.slice(appArmorPrefix.length)
      const profile = at(annotations, key) ?? ''
      const errs = names.has(container) ? [] : [invalid(`${path}[${key}]`, container, 'container not found')]
      const known = profile === '' || profile === 'runtime/default' || profile === 'unconfined' || profile.startsWith('localhost/')
      return known ? errs : [...errs, invalid(`${path}[${key}]`, profile, `invalid AppArmor profile name: ${quote(profile)}`)]
    })
}

/** ValidatePodSpecificAnnotations; `path` is metadata.annotations. */
export function podSpecificAnnotations(annotations: Annotations, spec: PodSpec, path: string, opts: PodValidationOptions): FieldError[] {
  const errs: FieldError[] = []
  if (has(annotations, mirrorPodKey) && !spec.nodeName) {
    errs.push(invalid(`${path}[${mirrorPodKey}]`, at(annotations, mirrorPodKey), 'must set spec.nodeName if mirror pod annotation is set'))
  }
  const text = at(annotations, tolerationsKey)
  if (text) {
    const tolerations = parseTolerations(text)
    if (!tolerations) errs.push(invalid(path, tolerationsKey, 'json: cannot unmarshal value into Go value of type []core.Toleration'))
    else errs.push(...validateTolerations(tolerations, `${path}.${tolerationsKey}`, opts))
  }
  if (!opts.allowInvalidPodDeletionCost && invalidDeletionCost({ annotations: annotations ?? {} })) {
    errs.push(invalid(`${path}[${deletionCostKey}]`, at(annotations, deletionCostKey), 'must be a 32bit integer'))
  }
  if (has(annotations, seccompPodKey)) errs.push(...seccompProfile(at(annotations, seccompPodKey) ?? '', `${path}.${seccompPodKey}`))
  for (const key of keysOf(annotations)) {
    if (key.startsWith(seccompContainerPrefix)) errs.push(...seccompProfile(at(annotations, key) ?? '', `${path}.${key}`))
  }
  return [...errs, ...appArmorAnnotations(annotations, spec, path)]
}

/** ValidatePodSpecificAnnotationUpdates. */
export function podSpecificAnnotationUpdates(
  meta: ObjectMeta,
  old: ObjectMeta,
  spec: PodSpec,
  path: string,
  opts: PodValidationOptions,
): FieldError[] {
  const errs: FieldError[] = []
  for (const key of keysOf(old.annotations)) {
    if (has(meta.annotations, key) && at(meta.annotations, key) === at(old.annotations, key)) continue
    if (key.startsWith(appArmorPrefix)) errs.push(forbidden(`${path}[${key}]`, 'may not remove or update AppArmor annotations'))
    if (key === mirrorPodKey) errs.push(forbidden(`${path}[${key}]`, 'may not remove or update mirror pod annotation'))
  }
  for (const key of keysOf(meta.annotations)) {
    if (has(old.annotations, key)) continue
    if (key.startsWith(appArmorPrefix)) errs.push(forbidden(`${path}[${key}]`, 'may not add AppArmor annotations'))
    if (key === mirrorPodKey) errs.push(forbidden(`${path}[${key}]`, 'may not add mirror pod annotation'))
  }
  return [...errs, ...podSpecificAnnotations(meta.annotations, spec, path, opts)]
}

interface Profile {
  type?: string
  localhostProfile?: string
}

/** An annotation and a field that say the same thing must agree. */
function profilesMatch(annotation: string, field: Profile, runtimeDefaults: readonly string[], what: string, path: string): FieldError[] {
  const type = forbidden(`${path}.type`, `${what} type in annotation and field must match`)
  switch (field.type) {
    case 'Unconfined':
      return annotation === 'unconfined' ? [] : [type]
    case 'RuntimeDefault':
      return runtimeDefaults.includes(annotation) ? [] : [type]
    case 'Localhost':
      if (!annotation.startsWith('localhost/')) return [type]
      return annotation.slice('localhost/'.length) === field.localhostProfile
        ? []
        : [forbidden(`${path}.localhostProfile`, `${what} profile in annotation and field must match`)]
  }
  return []
}

/** validateSeccompAnnotationsAndFields. */
export function seccompAnnotationsMatch(meta: ObjectMeta, spec: PodSpec, specPath: string): FieldError[] {
  const check = (key: string, profile: SeccompProfile | undefined, path: string): FieldError[] =>
    profile && has(meta.annotations, key)
      ? profilesMatch(
          at(meta.annotations, key) ?? '',
          profile,
          ['runtime/default', 'docker/default'],
          'seccomp',
          `${path}.securityContext.seccompProfile`,
        )
      : []
  return [
    ...check(seccompPodKey, spec.securityContext?.seccompProfile, specPath),
    ...containersWithPath(spec, specPath).flatMap(({ container, path }) =>
      check(seccompContainerPrefix + (container.name ?? ''), container.securityContext?.seccompProfile, path),
    ),
  ]
}

/** validateAppArmorAnnotationsAndFieldsMatchOnCreate. */
export function appArmorAnnotationsMatch(meta: ObjectMeta, spec: PodSpec, specPath: string): FieldError[] {
  if (spec.os?.name === 'windows') return []
  return containersWithPath(spec, specPath).flatMap(({ container, path }) => {
    const profile = container.securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile
    const key = appArmorPrefix + (container.name ?? '')
    if (!profile || !has(meta.annotations, key)) return []
    return profilesMatch(
      at(meta.annotations, key) ?? '',
      profile,
      ['runtime/default'],
      'apparmor',
      `${path}.securityContext.appArmorProfile`,
    )
  })
}

/** ApparmorFieldForAnnotation. */
export function appArmorProfileOf(
  annotation: string,
): { type: 'Unconfined' | 'RuntimeDefault' | 'Localhost'; localhostProfile?: string } | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' }
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' }
  const local = annotation.startsWith('localhost/') ? annotation.slice('localhost/'.length) : ''
  return local ? { type: 'Localhost', localhostProfile: local } : undefined
}

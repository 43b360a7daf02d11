// Pod templates inside other kinds: what Deployments, Jobs and the like call.
// Order in a strategy: defaultPodTemplate in defaults(), dropDisabledTemplateFields in prepareFor*, validatePodTemplateSpec in validate*.
import { type FieldError, forbidden } from '../../../../api/field.ts'
import type { PodTemplateSpec } from '../../../../api/types/kubernetes.gen.ts'
import { appArmorAnnotationsMatch, podSpecificAnnotations, seccompAnnotationsMatch } from './annotations.ts'
import { type PodValidationOptions, podValidationOptions } from './options.ts'
import { validateAnnotations, validateLabels } from './rules.ts'
import { validatePodSpec } from './spec.ts'
import { podSpecWarnings } from './warnings.ts'

export { defaultPodSpec, defaultPodTemplate } from './defaults.ts'
export { dropDisabledTemplateFields } from './disabled.ts'
export type { PodValidationOptions } from './options.ts'
export { validatePodSpec } from './spec.ts'

/** GetValidationOptionsFromPodTemplate: pass the old template on updates. */
export const podTemplateOptions = (old?: PodTemplateSpec): PodValidationOptions => podValidationOptions(old?.spec, old?.metadata)

/** ValidatePodTemplateSpec; `path` is the template's, such as `spec.template`. */
export function validatePodTemplateSpec(template: PodTemplateSpec, path: string, opts: PodValidationOptions = {}): FieldError[] {
  const meta = template.metadata ?? {}
  const spec = template.spec ?? { containers: [] }
  const specPath = `${path}.spec`
  const errs = [
    ...validateLabels(meta.labels, `${path}.labels`),
    ...validateAnnotations(meta.annotations, `${path}.annotations`),
    ...podSpecificAnnotations(meta.annotations, spec, `${path}.annotations`, opts),
    ...validatePodSpec(spec, undefined, specPath, opts),
    ...seccompAnnotationsMatch(meta, spec, specPath),
    ...appArmorAnnotationsMatch(meta, spec, specPath),
  ]
  if ((spec.ephemeralContainers ?? []).length > 0)
    errs.push(forbidden(`${specPath}.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
  return errs
}

/** GetWarningsForPodTemplate. */
export const podTemplateWarnings = (template: PodTemplateSpec | undefined, path: string): string[] =>
  template ? podSpecWarnings(template.spec ?? { containers: [] }, template.metadata ?? {}, path) : []

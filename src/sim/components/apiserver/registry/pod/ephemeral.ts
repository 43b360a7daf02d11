// The /ephemeralcontainers door (pkg/registry/core/pod/strategy.go, pkg/apis/core/validation/validation.go).
import { type FieldError, forbidden } from '../../../../api/field.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { mirrorPodKey, podSpecificAnnotationUpdates } from './annotations.ts'
import { goTextDiff } from './diff.ts'
import { dropDisabledSpecFields } from './disabled.ts'
import { bumpGeneration, resetMeta } from './doors.ts'
import { semanticEqual } from './equality.ts'
import { goEphemeralContainer } from './gostruct.ts'
import { has } from './maps.ts'
import { quote, validatePodMetaUpdate } from './rules.ts'
import { podOptions, specOf, validateMetadataAndSpec } from './update.ts'

/** dropNonEphemeralContainerUpdates: only the list itself can be written here. */
export function prepareEphemeralContainers(draft: KubeObject, old: KubeObject): void {
  dropDisabledSpecFields(specOf(draft), specOf(old))
  const ephemeralContainers = specOf(draft).ephemeralContainers
  const { ephemeralContainers: _, ...rest } = specOf(old)
  draft['spec'] = { ...rest, ...(ephemeralContainers && ephemeralContainers.length > 0 && { ephemeralContainers }) }
  draft['status'] = old['status']
  resetMeta(draft.metadata, old.metadata)
  bumpGeneration(draft, old)
}

/** ValidatePodEphemeralContainersUpdate: they come, but never change or go. */
export function validateEphemeralContainersUpdate(pod: KubeObject, old: KubeObject): FieldError[] {
  if (has(old.metadata.annotations, mirrorPodKey)) return [forbidden('[]', 'static pods do not support ephemeral containers')]
  const opts = podOptions(old)
  const errs = [
    ...validatePodMetaUpdate(pod.metadata, old.metadata),
    ...validateMetadataAndSpec(pod, opts),
    ...podSpecificAnnotationUpdates(pod.metadata, old.metadata, specOf(pod), 'metadata.annotations', opts),
  ]
  const path = 'spec.ephemeralContainers'
  const byName = new Map((specOf(pod).ephemeralContainers ?? []).map((c) => [c.name, c]))
  for (const before of specOf(old).ephemeralContainers ?? []) {
    const after = byName.get(before.name)
    const name = quote(before.name)
    if (!after) errs.push(forbidden(path, `existing ephemeral containers ${name} may not be removed\n`))
    else if (!semanticEqual(before, after)) {
      errs.push(
        forbidden(
          path,
          `existing ephemeral containers ${name} may not be changed\n${goTextDiff(goEphemeralContainer(before), goEphemeralContainer(after))}`,
        ),
      )
    }
  }
  return errs
}

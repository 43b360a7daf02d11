// Projected volumes (pkg/apis/core/validation/validation.go: validateProjectionSources). Cluster trust bundles and pod certificates are behind
// feature gates that are off: their fields have been dropped before validation.
import { type FieldError, forbidden, invalid, required } from '../../../../api/field.ts'
import type { ProjectedVolumeSource } from '../../../../api/types/kubernetes.gen.ts'
import type { PodValidationOptions } from './options.ts'
import { localNonReservedPath } from './paths.ts'
import { downwardAPIFile, fileMode, keyToPath } from './volume-sources.ts'

export function validateProjected(volume: Partial<ProjectedVolumeSource>, path: string, opts: PodValidationOptions): FieldError[] {
  const errs = fileMode(volume.defaultMode, `${path}.defaultMode`)
  const paths = new Set<string>()
  /** `quoted` is what upstream quotes: the ConfigMap's or Secret's name, else the path. */
  const claim = (target: string | undefined, quoted: string): void => {
    if (!target) return
    if (paths.has(target)) errs.push(invalid(path, quoted, 'conflicting duplicate paths'))
    paths.add(target)
  }
  for (const [i, source] of (volume.sources ?? []).entries()) {
    const at = `${path}.sources[${i}]`
    for (const kind of ['secret', 'configMap'] as const) {
      const files = source[kind]
      if (!files) continue
      if (!files.name) errs.push(required(`${at}.${kind}.name`))
      for (const [j, item] of (files.items ?? []).entries()) {
        errs.push(...keyToPath(item, `${at}.${kind}.items[${j}]`))
        claim(item.path, files.name ?? '')
      }
    }
    for (const file of source.downwardAPI?.items ?? []) {
      errs.push(...downwardAPIFile(file, `${at}.downwardAPI`))
      claim(file.path, file.path ?? '')
    }
    const token = source.serviceAccountToken
    if (token) {
      const seconds = token.expirationSeconds ?? 0
      const secondsPath = `${at}.serviceAccountToken.expirationSeconds`
      if (seconds < 600) errs.push(invalid(secondsPath, seconds, 'may not specify a duration less than 10 minutes'))
      if (seconds > 2 ** 32) errs.push(invalid(secondsPath, seconds, 'may not specify a duration larger than 2^32 seconds'))
      if (!token.path) errs.push(required(`${path}.path`))
      else if (!opts.allowNonLocalProjectedTokenPath) errs.push(...localNonReservedPath(token.path, `${path}.path`))
    }
    const kinds = [source.secret, source.configMap, source.downwardAPI, token].filter(Boolean).length
    if (kinds > 1) errs.push(forbidden(at, 'may not specify more than 1 volume type per source'))
  }
  return errs
}

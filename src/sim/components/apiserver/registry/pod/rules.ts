// The common rules under the names that this folder's modules use.
import { type FieldError, invalid } from '../../../../api/field.ts'
import { goJson } from '../../../../api/go-text.ts'
import type { LabelSelector, ObjectMeta } from '../../../../api/types/kubernetes.gen.ts'
import * as labels from '../../../../api/validation/labels.ts'
import { isDNS1123Label, isDNS1123Subdomain, nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import * as objectmeta from '../../../../api/validation/objectmeta.ts'

export { goQuote as quote } from '../../../../api/go-text.ts'
export { warningsForIP as getWarningsForIP, isValidIPForLegacyField } from '../../../../api/validation/ip.ts'
export { validateLabelName, validateLabels } from '../../../../api/validation/labels.ts'
export {
  inclusiveRangeError,
  isConfigMapKey,
  isDNS1123Label,
  isDNS1123Subdomain,
  isDNS1123SubdomainWithUnderscore,
  isHTTPHeaderName,
  isQualifiedName,
  isRelaxedEnvVarName,
  isValidLabelValue,
  isValidPortName,
  isValidPortNum,
  nameIsDNSSubdomain,
} from '../../../../api/validation/names.ts'
export { isNegativeErrorMsg, validateAnnotations, validateNonnegativeField as nonNegative } from '../../../../api/validation/objectmeta.ts'

/** One Invalid per message. */
export const invalidEach = (field: string, value: unknown, messages: readonly string[]): FieldError[] =>
  messages.map((m) => invalid(field, value, m))

/** Go quotes pointers and named strings as JSON, plain strings with %q. */
export const pointer = (e: FieldError): FieldError => ({ ...e, badValueText: goJson(e.badValue) })

export const dns1123Label = (value: string, field: string): FieldError[] => invalidEach(field, value, isDNS1123Label(value))
export const dns1123Subdomain = (value: string, field: string): FieldError[] => invalidEach(field, value, isDNS1123Subdomain(value))

export const validateLabelSelector = (
  selector: LabelSelector | undefined,
  field: string,
  allowInvalidLabelValueInSelector = false,
): FieldError[] => labels.validateLabelSelector(selector, field, { allowInvalidLabelValueInSelector })

const standardFinalizers = ['kubernetes', 'orphan', 'foregroundDeletion']

/** validateKubeFinalizerName: what the core kinds ask of finalizers besides. */
const kubeFinalizers = (meta: ObjectMeta): FieldError[] =>
  (meta.finalizers ?? []).flatMap((name, i) =>
    name.includes('/') || standardFinalizers.includes(name)
      ? []
      : [invalid(`metadata.finalizers[${i}]`, name, 'name is neither a standard finalizer name nor is it fully qualified')],
  )

/** ValidateObjectMeta of pkg/apis/core/validation. */
export const validatePodMeta = (meta: ObjectMeta): FieldError[] => [
  ...objectmeta.validateObjectMeta(meta, true, nameIsDNSSubdomain),
  ...kubeFinalizers(meta),
]

export const validatePodMetaUpdate = (meta: ObjectMeta, old: ObjectMeta): FieldError[] => [
  ...objectmeta.validateObjectMetaUpdate(meta, old),
  ...kubeFinalizers(meta),
]

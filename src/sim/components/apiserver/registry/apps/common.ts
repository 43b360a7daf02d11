// What the workload kinds share: field checks, pod template rules, status doors, table cells.
import type { FieldError } from '../../../../api/field.ts'
import { forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import { formatLabels, labelSelectorAsSelector } from '../../../../api/labels.ts'
import type { LabelSelector, PodTemplateSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateLabelSelector } from '../../../../api/validation/labels.ts'
import { isDNS1123Label } from '../../../../api/validation/names.ts'
import { printLabelSelector } from './gotemplate.ts'
import { dropDisabledTemplateFields, podTemplateOptions, podTemplateWarnings, validatePodTemplateSpec } from '../pod/template.ts'

export { defaultPodTemplate, podTemplateOptions, podTemplateWarnings, validatePodTemplateSpec } from '../pod/template.ts'

export const nonNegative = (field: string, value: number | undefined): FieldError[] =>
  (value ?? 0) < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : []

/** Fields that are maps in Go: empty means absent there, whereas an empty object elsewhere is a pointer that is set. */
const mapFields = new Set(['labels', 'annotations', 'matchLabels', 'nodeSelector', 'limits', 'requests', 'overhead', 'volumeAttributes'])

const absent = (v: unknown, key: string): boolean =>
  v === undefined ||
  v === null ||
  (Array.isArray(v) ? v.length === 0 : typeof v === 'object' && mapFields.has(key) && Object.keys(v as object).length === 0)

/** Equality as apiequality.Semantic sees it: absent, null, empty lists and empty maps are the same. */
export function semanticEqual(a: unknown, b: unknown, key = ''): boolean {
  if (Object.is(a, b)) return true
  if (absent(a, key) || absent(b, key)) return absent(a, key) && absent(b, key)
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((v, i) => semanticEqual(v, b[i]))
  }
  if (typeof a !== 'object' || typeof b !== 'object') return false
  const left = new Map(Object.entries(a as object))
  const right = new Map(Object.entries(b as object))
  for (const [name, value] of left) if (!semanticEqual(value, right.get(name), name)) return false
  for (const [name, value] of right) if (!left.has(name) && !absent(value, name)) return false
  return true
}

export const immutable = (field: string, value: unknown, old: unknown): FieldError[] =>
  semanticEqual(value, old) ? [] : [invalid(field, value ?? null, 'field is immutable')]

/** A wrong selector, quoted as Go's struct prints it. */
export const invalidSelector = (field: string, selector: LabelSelector | undefined, detail: string): FieldError => ({
  ...invalid(field, selector, detail),
  badValueText: printLabelSelector(selector),
})

export const immutableSelector = (field: string, selector: LabelSelector | undefined, old: LabelSelector | undefined): FieldError[] =>
  semanticEqual(selector, old) ? [] : [invalidSelector(field, selector, 'field is immutable')]

/** status.collisionCount only grows. */
export const notDecremented = (field: string, value: number | undefined, old: number | undefined): FieldError[] =>
  old !== undefined && (value === undefined || value < old) ? [invalid(field, value ?? 0, 'cannot be decremented')] : []

export const greaterThan = (field: string, value: number | undefined, limit: number | undefined, detail: string): FieldError[] =>
  (value ?? 0) > (limit ?? 0) ? [invalid(field, value ?? 0, detail)] : []

const isEmptySelector = (s: LabelSelector): boolean => Object.keys(s.matchLabels ?? {}).length + (s.matchExpressions?.length ?? 0) === 0

/** spec.selector of Deployment, ReplicaSet and StatefulSet. `emptyText`: upstream says "deployment" for a ReplicaSet too. */
export function validateWorkloadSelector(selector: LabelSelector | undefined, field: string, emptyText: string): FieldError[] {
  if (selector === undefined) return [required(field)]
  const errors = validateLabelSelector(selector, field)
  if (isEmptySelector(selector)) errors.push(invalidSelector(field, selector, emptyText))
  return errors
}

/** The template's labels must be selected. An absent selector selects nothing but is not "empty"; undefined = the selector does not parse. */
export function validateSelectorMatchesTemplate(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec,
  field: string,
): FieldError[] | undefined {
  const parsed = labelSelectorAsSelector(selector)
  if (parsed === undefined) return undefined
  const labels = template.metadata?.labels
  if (parsed.matches(labels ?? {})) return []
  return [invalid(`${field}.metadata.labels`, labels ?? null, '`selector` does not match template `labels`')]
}

/** Controllers of pods that never end: restartPolicy Always and no deadline. */
export function validateAlwaysRestarts(template: PodTemplateSpec, field: string, owner: string): FieldError[] {
  const errors: FieldError[] = []
  if (template.spec?.restartPolicy !== 'Always') {
    errors.push(notSupported(`${field}.spec.restartPolicy`, template.spec?.restartPolicy ?? '', ['Always']))
  }
  if (template.spec?.activeDeadlineSeconds !== undefined) {
    errors.push(forbidden(`${field}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${owner} is not Supported`))
  }
  return errors
}

/** ValidatePodTemplateSpecForReplicaSet. */
export function validateTemplateForReplicaSet(
  selector: LabelSelector | undefined,
  template: PodTemplateSpec,
  field: string,
  oldTemplate: PodTemplateSpec | undefined,
): FieldError[] | undefined {
  const match = validateSelectorMatchesTemplate(selector, template, field)
  if (match === undefined) return undefined
  return [
    ...match,
    ...validatePodTemplateSpec(template, field, podTemplateOptions(oldTemplate)),
    ...validateAlwaysRestarts(template, field, 'ReplicaSet'),
  ]
}

/** Fills what Go's structs always have, so that the rest of a strategy need not ask. */
export function ensureSpec(draft: KubeObject): void {
  draft.metadata ??= {}
  draft.spec ??= {}
  draft.status ??= {}
}

export function ensureTemplate(spec: { template?: PodTemplateSpec }): PodTemplateSpec {
  spec.template ??= {}
  spec.template.metadata ??= {}
  spec.template.spec ??= {} as PodTemplateSpec['spec']
  return spec.template
}

/** Warning about names that become part of pod names and host names. */
export function nameWarnings(draft: KubeObject): string[] {
  const messages = isDNS1123Label(draft.metadata.name ?? '')
  if (messages.length === 0) return []
  const text = 'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended'
  return [`${text}: [${messages.join(' ')}]`]
}

export const workloadWarnings = (draft: KubeObject): string[] => [
  ...nameWarnings(draft),
  ...podTemplateWarnings(draft.spec.template, 'spec.template'),
]

/** Spec changes count; the template's warnings are repeated only then. */
export const changedTemplateWarnings = (draft: KubeObject, old: KubeObject): string[] =>
  draft.metadata.generation === old.metadata.generation ? [] : podTemplateWarnings(draft.spec.template, 'spec.template')

/** What every workload with a template does at creation. */
export function prepareForCreate(draft: KubeObject, status: object = {}): void {
  draft.status = status
  draft.metadata.generation = 1
  dropDisabledTemplateFields(draft.spec.template)
}

/** Bumps the generation if the spec changed; the status stays as it was. */
export function prepareSpecUpdate(draft: KubeObject, old: KubeObject): void {
  draft.status = old.status
  dropDisabledTemplateFields(draft.spec.template, old.spec.template)
  if (!semanticEqual(draft.spec, old.spec)) draft.metadata.generation = (old.metadata.generation ?? 0) + 1
}

export const selectorText = (labels: Record<string, string> | undefined): string => formatLabels(labels ?? {})

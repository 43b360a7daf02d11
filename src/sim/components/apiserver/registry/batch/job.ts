// batch/v1 Job (pkg/registry/batch/job, SetDefaults_Job, ValidateJob).
import type { FieldError } from '../../../../api/field.ts'
import { invalid, required } from '../../../../api/field.ts'
import { formatLabelSelector, labelSelectorAsSelector } from '../../../../api/labels.ts'
import type { JobSpec, JobStatus, PodTemplateSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateLabelSelector } from '../../../../api/validation/labels.ts'
import { isDNS1123Label, nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { humanDuration } from '../../../../api/time.ts'
import { ageColumn, column, containerCells, containersColumn, imagesColumn, nameColumn, translateTimestampSince } from '../apps/columns.ts'
import {
  ensureSpec,
  immutable,
  immutableSelector,
  invalidSelector,
  nameWarnings,
  prepareForCreate,
  prepareSpecUpdate,
  semanticEqual,
} from '../apps/common.ts'
import { printGoType, printPodTemplateSpec } from '../apps/gotemplate.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../apps/objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { defaultJobSpecParts, jobSpecWarnings, validateJobSpecCommon } from './jobspec.ts'
import { isConditionTrue, validateJobStatusUpdate } from './jobstatus.ts'

const legacyUid = 'controller-uid'
const legacyName = 'job-name'
const prefixedUid = 'batch.kubernetes.io/controller-uid'
const prefixedName = 'batch.kubernetes.io/job-name'

function defaults(draft: KubeObject): void {
  ensureSpec(draft)
  const spec = draft.spec as JobSpec
  defaultJobSpecParts(spec)
  if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1
  spec.parallelism ??= 1
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2147483647
  // A new Job gets these after its selector has been generated: upstream shares one map between the Job and its template.
  if (draft.metadata.creationTimestamp !== undefined) defaultLabels(draft)
  spec.completionMode ??= 'NonIndexed'
  spec.suspend ??= false
  spec.podReplacementPolicy ??= spec.podFailurePolicy === undefined ? 'TerminatingOrFailed' : 'Failed'
  spec.manualSelector ??= false
}

function defaultLabels(draft: KubeObject): void {
  const labels = (draft.spec as JobSpec).template.metadata?.labels
  if (labels !== undefined && Object.keys(draft.metadata.labels ?? {}).length === 0) draft.metadata.labels = { ...labels }
}

/** Pods of a Job are found by its uid. Labels that the user gave stay, and validation finds what does not fit. */
function generateSelector(draft: KubeObject): void {
  const spec = draft.spec as JobSpec
  const uid = draft.metadata.uid ?? ''
  const name = draft.metadata.name ?? ''
  const template = spec.template
  template.metadata ??= {}
  template.metadata.labels = { [legacyName]: name, [prefixedName]: name, [legacyUid]: uid, [prefixedUid]: uid, ...template.metadata.labels }
  spec.selector = { ...spec.selector, matchLabels: { [prefixedUid]: uid, ...spec.selector?.matchLabels } }
}

function validateHasLabel(template: PodTemplateSpec, key: string, expected: string): FieldError[] {
  const labels = template.metadata?.labels ?? {}
  const field = `spec.template.metadata.labels[${key}]`
  if (!Object.hasOwn(labels, key)) return [required(field, `must be '${expected}'`)]
  return labels[key] === expected ? [] : [invalid(field, labels, `must be '${expected}'`)]
}

function validateGeneratedSelector(draft: KubeObject, prefixed: boolean): FieldError[] {
  const spec = draft.spec as JobSpec
  if (spec.manualSelector === true || spec.selector === undefined) return []
  const uid = draft.metadata.uid ?? ''
  const name = draft.metadata.name ?? ''
  const errors: FieldError[] = []
  if (uid === '') errors.push(required('metadata.uid'))
  errors.push(...validateHasLabel(spec.template, legacyUid, uid), ...validateHasLabel(spec.template, legacyName, name))
  const expected: Record<string, string> = { [legacyUid]: uid, [legacyName]: name }
  if (prefixed) {
    errors.push(...validateHasLabel(spec.template, prefixedUid, uid), ...validateHasLabel(spec.template, prefixedName, name))
    expected[prefixedUid] = uid
    expected[prefixedName] = name
  }
  const selector = labelSelectorAsSelector(spec.selector)
  if (selector !== undefined && !selector.matches(expected))
    errors.push(invalidSelector('spec.selector', spec.selector, '`selector` not auto-generated'))
  return errors
}

function validateSpec(spec: JobSpec, old: JobSpec | undefined): FieldError[] {
  const errors = validateJobSpecCommon(spec, 'spec', old?.template)
  if (spec.selector === undefined) errors.push(required('spec.selector'))
  else errors.push(...validateLabelSelector(spec.selector, 'spec.selector'))
  const labels = spec.template.metadata?.labels
  if (labelSelectorAsSelector(spec.selector)?.matches(labels ?? {}) === false) {
    errors.push(invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'))
  }
  return errors
}

function validateJob(draft: KubeObject, old: KubeObject | undefined): FieldError[] {
  const spec = draft.spec as JobSpec
  const oldLabels = old?.spec.template.metadata?.labels ?? {}
  const prefixed = old === undefined || (Object.hasOwn(oldLabels, prefixedName) && Object.hasOwn(oldLabels, prefixedUid))
  const errors = [
    ...validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata'),
    ...validateGeneratedSelector(draft, prefixed),
    ...validateSpec(spec, old?.spec),
  ]
  if (spec.completionMode === 'Indexed' && (spec.completions ?? 0) > 0) {
    const name = draft.metadata.name ?? ''
    const host = `${name}-${(spec.completions ?? 0) - 1}`
    if (isDNS1123Label(host).length > 0) {
      errors.push(invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${host}`))
    }
  }
  return errors
}

/** A suspended Job that never started may still be steered to other nodes. */
function withSchedulingOf(old: PodTemplateSpec, next: PodTemplateSpec): PodTemplateSpec {
  const spec = { ...old.spec } as NonNullable<PodTemplateSpec['spec']>
  const from = next.spec
  const affinity = from?.affinity
  if (affinity === undefined && spec.affinity !== undefined) {
    const { nodeAffinity: _, ...rest } = spec.affinity
    if (Object.keys(rest).length > 0) spec.affinity = rest
    else delete spec.affinity
  } else if (affinity !== undefined) {
    const { nodeAffinity: _, ...rest } = spec.affinity ?? {}
    spec.affinity = affinity.nodeAffinity === undefined ? rest : { ...rest, nodeAffinity: affinity.nodeAffinity }
  }
  const take = <K extends 'nodeSelector' | 'tolerations' | 'schedulingGates'>(key: K): void => {
    if (from?.[key] === undefined) delete spec[key]
    else spec[key] = from[key]
  }
  take('nodeSelector')
  take('tolerations')
  take('schedulingGates')
  const { labels: _l, annotations: _a, ...metadata } = old.metadata ?? {}
  const { labels, annotations } = next.metadata ?? {}
  return { metadata: { ...metadata, ...(labels && { labels }), ...(annotations && { annotations }) }, spec }
}

function validateCompletions(spec: JobSpec, old: JobSpec): FieldError[] {
  if (spec.completionMode !== 'Indexed') return immutable('spec.completions', spec.completions, old.completions)
  if (spec.completions === undefined || spec.completions === old.completions || spec.completions === spec.parallelism) return []
  return [invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism')]
}

const printed = (errors: FieldError[], text: string): FieldError[] => errors.map((e) => ({ ...e, badValueText: text }))

function validateUpdate(draft: KubeObject, old: KubeObject): FieldError[] {
  const spec = draft.spec as JobSpec
  const before = old.spec as JobSpec
  const mutable = before.suspend === true && old.status?.startTime === undefined
  const template = mutable ? withSchedulingOf(before.template, spec.template) : before.template
  const errors = [
    ...validateJob(draft, old),
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...validateSpec(spec, before),
    ...validateCompletions(spec, before),
    ...immutableSelector('spec.selector', spec.selector, before.selector),
  ]
  if (!semanticEqual(spec.template, template)) {
    errors.push(...printed(immutable('spec.template', spec.template, template), printPodTemplateSpec(spec.template)))
  }
  return [
    ...errors,
    ...immutable('spec.completionMode', spec.completionMode, before.completionMode),
    ...printed(
      immutable('spec.podFailurePolicy', spec.podFailurePolicy, before.podFailurePolicy),
      printGoType(spec.podFailurePolicy, '*PodFailurePolicy'),
    ),
    ...immutable('spec.backoffLimitPerIndex', spec.backoffLimitPerIndex, before.backoffLimitPerIndex),
    ...immutable('spec.managedBy', spec.managedBy, before.managedBy),
    ...printed(
      immutable('spec.successPolicy', spec.successPolicy, before.successPolicy),
      printGoType(spec.successPolicy, '*SuccessPolicy'),
    ),
  ]
}

function completionsCell(spec: JobSpec, status: JobStatus | undefined): string {
  const succeeded = status?.succeeded ?? 0
  if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`
  return (spec.parallelism ?? 0) > 1 ? `${succeeded}/1 of ${spec.parallelism}` : `${succeeded}/1`
}

function statusCell({ metadata, status }: KubeObject): string {
  for (const type of ['Complete', 'Failed']) if (isConditionTrue(status, type)) return type
  if (metadata.deletionTimestamp) return 'Terminating'
  for (const type of ['Suspended', 'FailureTarget', 'SuccessCriteriaMet']) if (isConditionTrue(status, type)) return type
  return 'Running'
}

function durationCell(status: JobStatus | undefined, nowMs: number): string {
  if (status?.startTime === undefined) return ''
  return humanDuration((status.completionTime === undefined ? nowMs : Date.parse(status.completionTime)) - Date.parse(status.startTime))
}

export const job: KindStrategy = {
  group: 'batch',
  version: 'v1',
  kind: 'Job',
  resource: 'jobs',
  singular: 'job',
  shortNames: [],
  categories: ['all'],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaultPropagation: 'Orphan',
  deleteWarnings: () => [
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  ],
  defaults,
  prepareForCreate(draft) {
    const { template, manualSelector } = draft.spec as JobSpec
    const shared = template.metadata?.labels !== undefined
    if (manualSelector !== true) generateSelector(draft)
    if (shared) defaultLabels(draft)
    prepareForCreate(draft)
  },
  // Reading back what was stored fills the labels of a Job whose template had none.
  canonicalize: defaultLabels,
  validate: (draft) => validateJob(draft, undefined),
  createWarnings: (draft) => [...nameWarnings(draft), ...jobSpecWarnings(draft.spec, 'spec')],
  prepareForUpdate: prepareSpecUpdate,
  validateUpdate,
  warnings: (draft, old) => (draft.metadata.generation === old.metadata.generation ? [] : jobSpecWarnings(draft.spec, 'spec')),
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(draft, old) {
        draft.spec = old.spec
      },
      validateUpdate: (draft, old) => [
        ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
        ...validateJobStatusUpdate(draft, old),
      ],
    },
  },
  selectableFields: ({ status }) => ({ 'status.successful': String(status?.succeeded ?? 0) }),
  columns: [
    nameColumn,
    column('Status', 'string', 'Status of the job.'),
    column(
      'Completions',
      'string',
      'The number of pods which reached phase Succeeded. The value increases monotonically for a given spec. However, it may decrease in reaction to scale down of elastic indexed jobs.',
    ),
    column('Duration', 'string', 'Time required to complete the job.'),
    ageColumn,
    containersColumn,
    imagesColumn,
    column(
      'Selector',
      'string',
      'A label query over pods that should match the pod count. Normally, the system sets this field for you. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
      1,
    ),
  ],
  row: (object, nowMs) => [
    object.metadata.name ?? '',
    statusCell(object),
    completionsCell(object.spec, object.status),
    durationCell(object.status, nowMs),
    translateTimestampSince(object.metadata.creationTimestamp, nowMs),
    ...containerCells(object.spec.template),
    formatLabelSelector(object.spec.selector),
  ],
}

// apps/v1 DaemonSet (pkg/registry/apps/daemonset, pkg/apis/apps/v1/conversion.go, pkg/apis/apps/validation).
import type { FieldError } from '../../../../api/field.ts'
import { invalid, notSupported, required } from '../../../../api/field.ts'
import { formatLabelSelector, labelSelectorAsSelector } from '../../../../api/labels.ts'
import type { DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateLabelSelector } from '../../../../api/validation/labels.ts'
import { nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from './objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { ageColumn, column, containerCells, containersColumn, imagesColumn, nameColumn, translateTimestampSince } from './columns.ts'
import {
  defaultPodTemplate,
  ensureSpec,
  ensureTemplate,
  immutableSelector,
  invalidSelector,
  nonNegative,
  notDecremented,
  podTemplateOptions,
  podTemplateWarnings,
  prepareForCreate,
  prepareSpecUpdate,
  selectorText,
  semanticEqual,
  validateAlwaysRestarts,
  validatePodTemplateSpec,
} from './common.ts'
import { printGoType } from './gotemplate.ts'
import { intOrPercentValue, isNotMoreThan100Percent, validatePositiveIntOrPercent } from './intorpercent.ts'

/** Where apps/v1 keeps upstream's spec.templateGeneration. */
const templateGenerationAnnotation = 'deprecated.daemonset.template.generation'

const templateGeneration = (object: KubeObject): number => {
  const value = object.metadata.annotations?.[templateGenerationAnnotation]
  return value !== undefined && /^[+-]?[0-9]+$/.test(value) ? Number(value) : 0
}

function setTemplateGeneration(draft: KubeObject, generation: number): void {
  draft.metadata.annotations = { ...draft.metadata.annotations, [templateGenerationAnnotation]: String(generation) }
}

function validateRollingUpdate(rollingUpdate: NonNullable<DaemonSetUpdateStrategy['rollingUpdate']>, field: string): FieldError[] {
  const maxUnavailable = rollingUpdate.maxUnavailable ?? 0
  const maxSurge = rollingUpdate.maxSurge ?? 0
  const errors = [
    ...validatePositiveIntOrPercent(maxUnavailable, `${field}.maxUnavailable`),
    ...validatePositiveIntOrPercent(maxSurge, `${field}.maxSurge`),
    ...isNotMoreThan100Percent(maxUnavailable, `${field}.maxUnavailable`),
    ...isNotMoreThan100Percent(maxSurge, `${field}.maxSurge`),
  ]
  const hasUnavailable = intOrPercentValue(maxUnavailable) !== 0
  const hasSurge = intOrPercentValue(maxSurge) !== 0
  if (hasUnavailable && hasSurge) errors.push(invalid(`${field}.maxSurge`, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  if (!hasUnavailable && !hasSurge) errors.push(required(`${field}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
  return errors
}

function validateUpdateStrategy(strategy: DaemonSetUpdateStrategy, field: string): FieldError[] {
  if (strategy.type === 'OnDelete') return []
  if (strategy.type === 'RollingUpdate') {
    if (strategy.rollingUpdate === undefined) return [required(`${field}.rollingUpdate`)]
    return validateRollingUpdate(strategy.rollingUpdate, `${field}.rollingUpdate`)
  }
  return [
    { ...notSupported(field, strategy, ['RollingUpdate', 'OnDelete']), badValueText: printGoType(strategy, 'DaemonSetUpdateStrategy') },
  ]
}

function validateSpec(spec: DaemonSetSpec, generation: number, old: DaemonSetSpec | undefined): FieldError[] {
  const errors = spec.selector === undefined ? [] : validateLabelSelector(spec.selector, 'spec.selector')
  const selector = labelSelectorAsSelector(spec.selector)
  const labels = spec.template.metadata?.labels
  if (selector !== undefined && !selector.matches(labels ?? {})) {
    errors.push(invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'))
  }
  if (
    spec.selector !== undefined &&
    Object.keys(spec.selector.matchLabels ?? {}).length + (spec.selector.matchExpressions?.length ?? 0) === 0
  ) {
    errors.push(invalidSelector('spec.selector', spec.selector, 'empty selector is invalid for daemonset'))
  }
  errors.push(...validatePodTemplateSpec(spec.template, 'spec.template', podTemplateOptions(old?.template)))
  errors.push(...validateAlwaysRestarts(spec.template, 'spec.template', 'DaemonSet'))
  errors.push(...nonNegative('spec.minReadySeconds', spec.minReadySeconds))
  errors.push(...nonNegative('spec.templateGeneration', generation))
  errors.push(...validateUpdateStrategy(spec.updateStrategy ?? {}, 'spec.updateStrategy'))
  errors.push(...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit))
  return errors
}

function validateStatus(status: DaemonSetStatus): FieldError[] {
  return [
    ...nonNegative('status.currentNumberScheduled', status.currentNumberScheduled),
    ...nonNegative('status.numberMisscheduled', status.numberMisscheduled),
    ...nonNegative('status.desiredNumberScheduled', status.desiredNumberScheduled),
    ...nonNegative('status.numberReady', status.numberReady),
    ...nonNegative('status.observedGeneration', status.observedGeneration),
    ...nonNegative('status.updatedNumberScheduled', status.updatedNumberScheduled),
    ...nonNegative('status.numberAvailable', status.numberAvailable),
    ...nonNegative('status.numberUnavailable', status.numberUnavailable),
    ...nonNegative('status.collisionCount', status.collisionCount),
  ]
}

const emptyStatus = { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 }

export const daemonSet: KindStrategy = {
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  resource: 'daemonsets',
  singular: 'daemonset',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaultPropagation: 'Background',
  defaults(draft: KubeObject): void {
    ensureSpec(draft)
    const spec = draft.spec as DaemonSetSpec
    defaultPodTemplate(ensureTemplate(spec))
    const strategy: DaemonSetUpdateStrategy = spec.updateStrategy ?? {}
    spec.updateStrategy = strategy
    strategy.type ||= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') {
      strategy.rollingUpdate ??= {}
      strategy.rollingUpdate.maxUnavailable ??= 1
      strategy.rollingUpdate.maxSurge ??= 0
    } else if (strategy.rollingUpdate !== undefined) {
      // Upstream's internal type has no pointers here.
      strategy.rollingUpdate.maxUnavailable ??= 0
      strategy.rollingUpdate.maxSurge ??= 0
    }
    spec.revisionHistoryLimit ??= 10
    draft.status = { ...emptyStatus, ...draft.status }
  },
  prepareForCreate(draft) {
    prepareForCreate(draft, { ...emptyStatus })
    setTemplateGeneration(draft, Math.max(templateGeneration(draft), 1))
  },
  validate: (draft) => [
    ...validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata'),
    ...validateSpec(draft.spec, templateGeneration(draft), undefined),
  ],
  createWarnings: (draft) => podTemplateWarnings(draft.spec.template, 'spec.template'),
  prepareForUpdate(draft, old) {
    prepareSpecUpdate(draft, old)
    const changed = !semanticEqual(draft.spec.template, old.spec.template)
    setTemplateGeneration(draft, templateGeneration(old) + (changed ? 1 : 0))
  },
  validateUpdate: (draft, old) => [
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...immutableSelector('spec.selector', draft.spec.selector, old.spec.selector),
    ...validateSpec(draft.spec, templateGeneration(draft), old.spec),
  ],
  warnings: (draft, old) =>
    templateGeneration(draft) === templateGeneration(old) ? [] : podTemplateWarnings(draft.spec.template, 'spec.template'),
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(draft, old) {
        draft.spec = old.spec
        setTemplateGeneration(draft, templateGeneration(old))
      },
      validateUpdate: (draft, old) => [
        ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
        ...validateStatus(draft.status),
        ...notDecremented('status.collisionCount', draft.status.collisionCount, old.status?.collisionCount),
      ],
    },
  },
  columns: [
    nameColumn,
    column(
      'Desired',
      'integer',
      'The total number of nodes that should be running the daemon pod (including nodes correctly running the daemon pod). More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/',
    ),
    column(
      'Current',
      'integer',
      'The number of nodes that are running at least 1 daemon pod and are supposed to run the daemon pod. More info: https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/',
    ),
    column(
      'Ready',
      'integer',
      'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and ready.',
    ),
    column('Up-to-date', 'integer', 'The total number of nodes that are running updated daemon pod'),
    column(
      'Available',
      'integer',
      'The number of nodes that should be running the daemon pod and have one or more of the daemon pod running and available (ready for at least spec.minReadySeconds)',
    ),
    column(
      'Node Selector',
      'string',
      "NodeSelector is a selector which must be true for the pod to fit on a node. Selector which must match a node's labels for the pod to be scheduled on that node. More info: https://kubernetes.io/docs/concepts/configuration/assign-pod-node/",
    ),
    ageColumn,
    containersColumn,
    imagesColumn,
    column(
      'Selector',
      'string',
      'A label query over pods that are managed by the daemon set. Must match in order to be controlled. If empty, defaulted to labels on Pod template. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
      1,
    ),
  ],
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name ?? '',
    status?.desiredNumberScheduled ?? 0,
    status?.currentNumberScheduled ?? 0,
    status?.numberReady ?? 0,
    status?.updatedNumberScheduled ?? 0,
    status?.numberAvailable ?? 0,
    selectorText(spec.template.spec?.nodeSelector),
    translateTimestampSince(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template),
    formatLabelSelector(spec.selector),
  ],
}

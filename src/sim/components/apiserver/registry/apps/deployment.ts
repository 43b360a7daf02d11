// apps/v1 Deployment (pkg/registry/apps/deployment, pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation).
import type { FieldError } from '../../../../api/field.ts'
import { forbidden, invalid, notSupported } from '../../../../api/field.ts'
import { labelSelectorAsSelector } from '../../../../api/labels.ts'
import type { DeploymentSpec, DeploymentStatus, DeploymentStrategy } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from './objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { ageColumn, column, containerCells, containersColumn, imagesColumn, nameColumn, translateTimestampSince } from './columns.ts'
import {
  changedTemplateWarnings,
  defaultPodTemplate,
  ensureSpec,
  ensureTemplate,
  greaterThan,
  immutableSelector,
  invalidSelector,
  nonNegative,
  notDecremented,
  prepareForCreate,
  prepareSpecUpdate,
  semanticEqual,
  validateTemplateForReplicaSet,
  validateWorkloadSelector,
  workloadWarnings,
} from './common.ts'
import { printGoType } from './gotemplate.ts'
import { intOrPercentValue, isNotMoreThan100Percent, validatePositiveIntOrPercent } from './intorpercent.ts'

function validateStrategy(strategy: DeploymentStrategy, field: string): FieldError[] {
  if (strategy.type === 'Recreate') {
    if (strategy.rollingUpdate === undefined) return []
    return [forbidden(`${field}.rollingUpdate`, "may not be specified when strategy `type` is 'Recreate'")]
  }
  if (strategy.type !== 'RollingUpdate') {
    return [{ ...notSupported(field, strategy, ['Recreate', 'RollingUpdate']), badValueText: printGoType(strategy, 'DeploymentStrategy') }]
  }
  const maxUnavailable = strategy.rollingUpdate?.maxUnavailable ?? 0
  const maxSurge = strategy.rollingUpdate?.maxSurge ?? 0
  const path = `${field}.rollingUpdate`
  const errors = [
    ...validatePositiveIntOrPercent(maxUnavailable, `${path}.maxUnavailable`),
    ...validatePositiveIntOrPercent(maxSurge, `${path}.maxSurge`),
  ]
  if (intOrPercentValue(maxUnavailable) === 0 && intOrPercentValue(maxSurge) === 0) {
    errors.push(invalid(`${path}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
  }
  errors.push(...isNotMoreThan100Percent(maxUnavailable, `${path}.maxUnavailable`))
  return errors
}

function validateSpec(spec: DeploymentSpec, old: DeploymentSpec | undefined): FieldError[] {
  const errors = [...nonNegative('spec.replicas', spec.replicas)]
  errors.push(...validateWorkloadSelector(spec.selector, 'spec.selector', 'empty selector is invalid for deployment'))
  const template = validateTemplateForReplicaSet(spec.selector, spec.template, 'spec.template', old?.template)
  errors.push(...(template ?? [invalidSelector('spec.selector', spec.selector, 'invalid label selector')]))
  errors.push(...validateStrategy(spec.strategy ?? {}, 'spec.strategy'))
  errors.push(...nonNegative('spec.minReadySeconds', spec.minReadySeconds))
  errors.push(...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit))
  if (spec.progressDeadlineSeconds !== undefined) {
    errors.push(...nonNegative('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds))
    if (spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)) {
      errors.push(invalid('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds, 'must be greater than minReadySeconds'))
    }
  }
  return errors
}

function validateStatus(status: DeploymentStatus): FieldError[] {
  const more = 'cannot be greater than status.replicas'
  return [
    ...nonNegative('status.observedGeneration', status.observedGeneration),
    ...nonNegative('status.replicas', status.replicas),
    ...nonNegative('status.updatedReplicas', status.updatedReplicas),
    ...nonNegative('status.readyReplicas', status.readyReplicas),
    ...nonNegative('status.availableReplicas', status.availableReplicas),
    ...nonNegative('status.unavailableReplicas', status.unavailableReplicas),
    ...nonNegative('status.terminatingReplicas', status.terminatingReplicas),
    ...nonNegative('status.collisionCount', status.collisionCount),
    ...greaterThan('status.updatedReplicas', status.updatedReplicas, status.replicas, more),
    ...greaterThan('status.readyReplicas', status.readyReplicas, status.replicas, more),
    ...greaterThan('status.availableReplicas', status.availableReplicas, status.replicas, more),
    ...greaterThan('status.availableReplicas', status.availableReplicas, status.readyReplicas, 'cannot be greater than readyReplicas'),
  ]
}

export const deployment: KindStrategy = {
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  resource: 'deployments',
  singular: 'deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaultPropagation: 'Background',
  defaults(draft: KubeObject): void {
    ensureSpec(draft)
    const spec = draft.spec as DeploymentSpec
    defaultPodTemplate(ensureTemplate(spec))
    spec.replicas ??= 1
    const strategy: DeploymentStrategy = spec.strategy ?? {}
    spec.strategy = strategy
    strategy.type ||= 'RollingUpdate'
    if (strategy.type === 'RollingUpdate') {
      strategy.rollingUpdate ??= {}
      strategy.rollingUpdate.maxUnavailable ??= '25%'
      strategy.rollingUpdate.maxSurge ??= '25%'
    }
    spec.revisionHistoryLimit ??= 10
    spec.progressDeadlineSeconds ??= 600
  },
  prepareForCreate: (draft) => prepareForCreate(draft),
  validate: (draft) => [
    ...validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata'),
    ...validateSpec(draft.spec, undefined),
  ],
  createWarnings: workloadWarnings,
  prepareForUpdate(draft, old) {
    prepareSpecUpdate(draft, old)
    // Annotations count too: they are copied to the ReplicaSets.
    if (!semanticEqual(draft.metadata.annotations, old.metadata.annotations, 'annotations')) {
      draft.metadata.generation = (old.metadata.generation ?? 0) + 1
    }
  },
  validateUpdate: (draft, old) => [
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...validateSpec(draft.spec, old.spec),
    ...immutableSelector('spec.selector', draft.spec.selector, old.spec.selector),
  ],
  warnings: changedTemplateWarnings,
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(draft, old) {
        draft.spec = old.spec
        if (old.metadata.labels === undefined) delete draft.metadata.labels
        else draft.metadata.labels = old.metadata.labels
      },
      validateUpdate: (draft, old) => [
        ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
        ...validateStatus(draft.status),
        ...notDecremented('status.collisionCount', draft.status.collisionCount, old.status?.collisionCount),
      ],
    },
    scale: {
      does: 'scale',
      specReplicasPath: 'spec.replicas',
      statusReplicasPath: 'status.replicas',
      selector: (object) => labelSelectorAsSelector(object.spec.selector)?.toString() ?? '',
    },
  },
  columns: [
    nameColumn,
    column('Ready', 'string', 'Number of the pod with ready state'),
    column('Up-to-date', 'string', 'Total number of non-terminating pods targeted by this deployment that have the desired template spec.'),
    column(
      'Available',
      'string',
      'Total number of available non-terminating pods (ready for at least minReadySeconds) targeted by this deployment.',
    ),
    ageColumn,
    containersColumn,
    imagesColumn,
    column(
      'Selector',
      'string',
      'Label selector for pods. Existing ReplicaSets whose pods are selected by this will be the ones affected by this deployment.',
      1,
    ),
  ],
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name ?? '',
    `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    status?.updatedReplicas ?? 0,
    status?.availableReplicas ?? 0,
    translateTimestampSince(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template),
    labelSelectorAsSelector(spec.selector)?.toString() ?? '<invalid>',
  ],
}

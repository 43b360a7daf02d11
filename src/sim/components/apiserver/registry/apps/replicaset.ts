// apps/v1 ReplicaSet (pkg/registry/apps/replicaset, pkg/apis/apps/validation).
import type { FieldError } from '../../../../api/field.ts'
import { formatLabelSelector, labelSelectorAsSelector } from '../../../../api/labels.ts'
import type { ReplicaSetSpec, ReplicaSetStatus } from '../../../../api/types/kubernetes.gen.ts'
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
  prepareForCreate,
  prepareSpecUpdate,
  validateTemplateForReplicaSet,
  validateWorkloadSelector,
  workloadWarnings,
} from './common.ts'

function validateSpec(spec: ReplicaSetSpec, old: ReplicaSetSpec | undefined): FieldError[] {
  const errors = [...nonNegative('spec.replicas', spec.replicas), ...nonNegative('spec.minReadySeconds', spec.minReadySeconds)]
  errors.push(...validateWorkloadSelector(spec.selector, 'spec.selector', 'empty selector is invalid for deployment'))
  const template = validateTemplateForReplicaSet(spec.selector, spec.template ?? {}, 'spec.template', old?.template)
  errors.push(...(template ?? [invalidSelector('spec.selector', spec.selector, 'invalid label selector')]))
  return errors
}

/** ReplicaSet and ReplicationController report alike. */
export function validateReplicaSetStatus(status: ReplicaSetStatus): FieldError[] {
  const more = 'cannot be greater than status.replicas'
  return [
    ...nonNegative('status.replicas', status.replicas),
    ...nonNegative('status.fullyLabeledReplicas', status.fullyLabeledReplicas),
    ...nonNegative('status.readyReplicas', status.readyReplicas),
    ...nonNegative('status.availableReplicas', status.availableReplicas),
    ...nonNegative('status.observedGeneration', status.observedGeneration),
    ...nonNegative('status.terminatingReplicas', status.terminatingReplicas),
    ...greaterThan('status.fullyLabeledReplicas', status.fullyLabeledReplicas, status.replicas, more),
    ...greaterThan('status.readyReplicas', status.readyReplicas, status.replicas, more),
    ...greaterThan('status.availableReplicas', status.availableReplicas, status.replicas, more),
    ...greaterThan('status.availableReplicas', status.availableReplicas, status.readyReplicas, 'cannot be greater than readyReplicas'),
  ]
}

export const replicaSet: KindStrategy = {
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  resource: 'replicasets',
  singular: 'replicaset',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaultPropagation: 'Background',
  defaults(draft: KubeObject): void {
    ensureSpec(draft)
    const spec = draft.spec as ReplicaSetSpec
    defaultPodTemplate(ensureTemplate(spec))
    spec.replicas ??= 1
    draft.status.replicas ??= 0
  },
  prepareForCreate: (draft) => prepareForCreate(draft, { replicas: 0 }),
  validate: (draft) => [
    ...validateObjectMeta(draft.metadata, true, nameIsDNSSubdomain, 'metadata'),
    ...validateSpec(draft.spec, undefined),
  ],
  createWarnings: workloadWarnings,
  prepareForUpdate: prepareSpecUpdate,
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
      },
      validateUpdate: (draft, old) => [
        ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
        ...validateReplicaSetStatus(draft.status),
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
    column(
      'Desired',
      'integer',
      'Replicas is the number of desired pods. This is a pointer to distinguish between explicit zero and unspecified. Defaults to 1. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset',
    ),
    column(
      'Current',
      'integer',
      'Replicas is the most recently observed number of non-terminating pods. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicaset',
    ),
    column('Ready', 'integer', 'The number of non-terminating pods targeted by this ReplicaSet with a Ready Condition.'),
    ageColumn,
    containersColumn,
    imagesColumn,
    column(
      'Selector',
      'string',
      'Selector is a label query over pods that should match the replica count. If the selector is empty, it is defaulted to the labels present on the pod template. Label keys and values that must match in order to be controlled by this replica set. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
      1,
    ),
  ],
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name ?? '',
    spec.replicas ?? 0,
    status?.replicas ?? 0,
    status?.readyReplicas ?? 0,
    translateTimestampSince(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template),
    formatLabelSelector(spec.selector),
  ],
}

// core/v1 ReplicationController (pkg/registry/core/replicationcontroller).
import type { FieldError } from '../../../../api/field.ts'
import { invalid, required } from '../../../../api/field.ts'
import { selectorFromSet } from '../../../../api/labels.ts'
import type { ReplicationControllerSpec } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { nameIsDNSSubdomain } from '../../../../api/validation/names.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from './objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { ageColumn, column, containerCells, containersColumn, imagesColumn, nameColumn, translateTimestampSince } from './columns.ts'
import {
  defaultPodTemplate,
  ensureSpec,
  ensureTemplate,
  nonNegative,
  podTemplateOptions,
  podTemplateWarnings,
  prepareForCreate,
  prepareSpecUpdate,
  selectorText,
  validateAlwaysRestarts,
  validatePodTemplateSpec,
  workloadWarnings,
} from './common.ts'
import { validateReplicaSetStatus } from './replicaset.ts'

function validateSpec(spec: ReplicationControllerSpec, old: ReplicationControllerSpec | undefined): FieldError[] {
  const errors = [...nonNegative('spec.minReadySeconds', spec.minReadySeconds)]
  const selector = selectorFromSet(spec.selector)
  if (selector.empty()) errors.push(required('spec.selector'))
  errors.push(...nonNegative('spec.replicas', spec.replicas))
  const template = spec.template
  if (template === undefined) return [...errors, required('spec.template')]
  const labels = template.metadata?.labels
  if (!selector.matches(labels)) {
    errors.push(invalid('spec.template.metadata.labels', labels ?? null, '`selector` does not match template `labels`'))
  }
  errors.push(...validatePodTemplateSpec(template, 'spec.template', podTemplateOptions(old?.template)))
  errors.push(...validateAlwaysRestarts(template, 'spec.template', 'ReplicationController'))
  return errors
}

export const replicationController: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  resource: 'replicationcontrollers',
  singular: 'replicationcontroller',
  shortNames: ['rc'],
  categories: ['all'],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaultPropagation: 'Orphan',
  defaults(draft: KubeObject): void {
    ensureSpec(draft)
    const spec = draft.spec as ReplicationControllerSpec
    if (spec.template !== undefined) defaultPodTemplate(ensureTemplate(spec))
    const labels = spec.template?.metadata?.labels
    if (labels !== undefined) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels }
      if (Object.keys(draft.metadata.labels ?? {}).length === 0) draft.metadata.labels = { ...labels }
    }
    spec.replicas ??= 1
    draft.status.replicas ??= 0
  },
  prepareForCreate: (draft) => prepareForCreate(draft, { replicas: 0 }),
  validate(draft) {
    // Of this kind only the finished name is checked, not the generateName that it came from.
    const { generateName: _, ...metadata } = draft.metadata
    return [
      ...validateObjectMeta(metadata.name ? metadata : draft.metadata, true, nameIsDNSSubdomain, 'metadata'),
      ...validateSpec(draft.spec, undefined),
    ]
  },
  createWarnings: workloadWarnings,
  prepareForUpdate: prepareSpecUpdate,
  validateUpdate: (draft, old) => [
    ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
    ...validateSpec(draft.spec, old.spec),
  ],
  // Upstream passes the templates the wrong way round: the old one is warned about.
  warnings: (draft, old) =>
    draft.metadata.generation === old.metadata.generation ? [] : podTemplateWarnings(old.spec.template, 'spec.template'),
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
      selector: (object) => selectorFromSet(object.spec.selector).toString(),
    },
  },
  selectableFields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
  columns: [
    nameColumn,
    column(
      'Desired',
      'integer',
      'Replicas is the number of desired replicas. This is a pointer to distinguish between explicit zero and unspecified. Defaults to 1. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller',
    ),
    column(
      'Current',
      'integer',
      'Replicas is the most recently observed number of replicas. More info: https://kubernetes.io/docs/concepts/workloads/controllers/replicationcontroller#what-is-a-replicationcontroller',
    ),
    column('Ready', 'integer', 'The number of ready replicas for this replication controller.'),
    ageColumn,
    containersColumn,
    imagesColumn,
    column(
      'Selector',
      'string',
      'Selector is a label query over pods that should match the Replicas count. If Selector is empty, it is defaulted to the labels present on the Pod template. Label keys and values that must match in order to be controlled by this replication controller, if empty defaulted to labels on Pod template. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors',
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
    selectorText(spec.selector),
  ],
}

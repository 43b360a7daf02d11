// apps/v1 StatefulSet (pkg/registry/apps/statefulset, SetDefaults_StatefulSet, ValidateStatefulSet).
import type { FieldError } from '../../../../api/field.ts'
import { forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import { labelSelectorAsSelector } from '../../../../api/labels.ts'
import { quantityMilliValue } from '../../../../api/quantity.ts'
import type {
  PodTemplateSpec,
  StatefulSetSpec,
  StatefulSetStatus,
  StatefulSetUpdateStrategy,
  Volume,
} from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { validateLabels } from '../../../../api/validation/labels.ts'
import { isDNS1123Label, nameIsDNSLabel } from '../../../../api/validation/names.ts'
import { validateAnnotations } from '../../../../api/validation/objectmeta.ts'
import { podSpecificAnnotations } from '../pod/annotations.ts'
import { validateClaimSpec } from '../pod/claim.ts'
import { put } from '../pod/maps.ts'
import { roundUpToMilli } from '../pod/quantities.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from './objectmeta.ts'
import type { KindStrategy } from '../strategy.ts'
import { ageColumn, column, containerCells, containersColumn, imagesColumn, nameColumn, translateTimestampSince } from './columns.ts'
import {
  changedTemplateWarnings,
  defaultPodTemplate,
  ensureSpec,
  ensureTemplate,
  greaterThan,
  invalidSelector,
  nonNegative,
  notDecremented,
  podTemplateOptions,
  podTemplateWarnings,
  prepareForCreate,
  prepareSpecUpdate,
  semanticEqual,
  validateAlwaysRestarts,
  validatePodTemplateSpec,
  validateSelectorMatchesTemplate,
  validateWorkloadSelector,
} from './common.ts'
import { printGoType } from './gotemplate.ts'

/** What is not looked at again when an existing set is updated. */
interface Leniency {
  serviceName?: boolean
  template?: boolean
  claimTemplates?: boolean
}

const retention = ['Retain', 'Delete']

function validateUpdateStrategy(strategy: StatefulSetUpdateStrategy, field: string): FieldError[] {
  const { type, rollingUpdate } = strategy
  if (!type) return [required(field)]
  if (type === 'OnDelete') {
    if (rollingUpdate === undefined) return []
    const error = invalid(`${field}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")
    return [{ ...error, badValueText: printGoType(rollingUpdate, 'RollingUpdateStatefulSetStrategy') }]
  }
  if (type === 'RollingUpdate') return nonNegative(`${field}.rollingUpdate.partition`, rollingUpdate?.partition)
  const error = invalid(field, strategy, "must be 'RollingUpdate' or 'OnDelete'")
  return [{ ...error, badValueText: printGoType(strategy, 'StatefulSetUpdateStrategy') }]
}

/** Host name and subdomain are the controller's, and the claims become volumes of the same name. */
function templateToValidate(spec: StatefulSetSpec): PodTemplateSpec {
  const claims = spec.volumeClaimTemplates ?? []
  const podSpec = spec.template.spec
  if (podSpec === undefined || (!podSpec.subdomain && !podSpec.hostname && claims.length === 0)) return spec.template
  const { subdomain: _s, hostname: _h, ...rest } = podSpec
  const names = claims.map((c) => c.metadata?.name ?? '')
  const volumes: Volume[] = [...new Set(names)].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))
  volumes.push(...(podSpec.volumes ?? []).filter((v) => !names.includes(v.name)))
  return { ...spec.template, spec: { ...rest, ...(volumes.length > 0 && { volumes }) } as typeof podSpec }
}

function validateTemplate(spec: StatefulSetSpec, skip: boolean, old: StatefulSetSpec | undefined): FieldError[] {
  const field = 'spec.template'
  const template = templateToValidate(spec)
  const match = validateSelectorMatchesTemplate(spec.selector, template, field)
  if (match === undefined) return [invalidSelector('spec.selector', spec.selector, '')]
  const options = podTemplateOptions(old?.template)
  const meta = template.metadata ?? {}
  return [
    ...match,
    ...(skip ? [] : validatePodTemplateSpec(template, field, options)),
    ...validateLabels(meta.labels, `${field}.labels`),
    ...validateAnnotations(meta.annotations, `${field}.annotations`),
    ...podSpecificAnnotations(meta.annotations, template.spec ?? { containers: [] }, `${field}.annotations`, options),
  ]
}

function validateSpec(spec: StatefulSetSpec, lenient: Leniency, old: StatefulSetSpec | undefined): FieldError[] {
  const errors: FieldError[] = []
  const management = spec.podManagementPolicy
  if (!management) errors.push(required('spec.podManagementPolicy'))
  else if (management !== 'OrderedReady' && management !== 'Parallel') {
    errors.push(invalid('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'"))
  }
  errors.push(...validateUpdateStrategy(spec.updateStrategy ?? {}, 'spec.updateStrategy'))
  const policy = spec.persistentVolumeClaimRetentionPolicy
  for (const name of ['whenDeleted', 'whenScaled'] as const) {
    const value = policy?.[name] ?? ''
    if (policy !== undefined && !retention.includes(value)) {
      errors.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${name}`, value, retention))
    }
  }
  if (!lenient.claimTemplates) {
    for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries()) {
      errors.push(...validateClaimSpec(claim.spec ?? {}, `spec.volumeClaimTemplates[${i}].spec`))
    }
  }
  errors.push(...nonNegative('spec.replicas', spec.replicas))
  errors.push(...nonNegative('spec.minReadySeconds', spec.minReadySeconds))
  errors.push(...nonNegative('spec.ordinals.start', spec.ordinals?.start))
  if (!lenient.serviceName && spec.serviceName) {
    errors.push(...isDNS1123Label(spec.serviceName).map((m) => invalid('spec.serviceName', spec.serviceName, m)))
  }
  errors.push(...validateWorkloadSelector(spec.selector, 'spec.selector', 'empty selector is invalid for statefulset'))
  errors.push(...validateTemplate(spec, lenient.template === true, old))
  errors.push(...validateAlwaysRestarts(spec.template, 'spec.template', 'StatefulSet'))
  return errors
}

/** The fields that may change; everything else is fixed at creation. */
const mutable = [
  'replicas',
  'template',
  'updateStrategy',
  'minReadySeconds',
  'ordinals',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
] as const

const fixedPart = (spec: StatefulSetSpec): object =>
  Object.fromEntries(Object.entries(spec).filter(([name]) => !(mutable as readonly string[]).includes(name)))

function validateUpdate(draft: KubeObject, old: KubeObject): FieldError[] {
  const lenient: Leniency = { serviceName: true, claimTemplates: true }
  // A template that was already wrong is not held against the update.
  if (validateSpec(old.spec, lenient, old.spec).length > 0) lenient.template = true
  const errors = [...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'), ...validateSpec(draft.spec, lenient, old.spec)]
  if (!semanticEqual(fixedPart(draft.spec), fixedPart(old.spec))) {
    errors.push(
      forbidden(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    )
  }
  return errors
}

function validateStatus(status: StatefulSetStatus): FieldError[] {
  const more = 'cannot be greater than status.replicas'
  return [
    ...nonNegative('status.replicas', status.replicas),
    ...nonNegative('status.readyReplicas', status.readyReplicas),
    ...nonNegative('status.currentReplicas', status.currentReplicas),
    ...nonNegative('status.updatedReplicas', status.updatedReplicas),
    ...nonNegative('status.availableReplicas', status.availableReplicas),
    ...nonNegative('status.observedGeneration', status.observedGeneration),
    ...nonNegative('status.collisionCount', status.collisionCount),
    ...greaterThan('status.readyReplicas', status.readyReplicas, status.replicas, more),
    ...greaterThan('status.currentReplicas', status.currentReplicas, status.replicas, more),
    ...greaterThan('status.updatedReplicas', status.updatedReplicas, status.replicas, more),
    ...greaterThan('status.availableReplicas', status.availableReplicas, status.replicas, more),
    ...greaterThan(
      'status.availableReplicas',
      status.availableReplicas,
      status.readyReplicas,
      'cannot be greater than status.readyReplicas',
    ),
  ]
}

function defaults(draft: KubeObject): void {
  ensureSpec(draft)
  const spec = draft.spec as StatefulSetSpec
  defaultPodTemplate(ensureTemplate(spec))
  spec.serviceName ??= ''
  spec.podManagementPolicy ||= 'OrderedReady'
  const strategy: StatefulSetUpdateStrategy = spec.updateStrategy ?? {}
  spec.updateStrategy = strategy
  if (!strategy.type) {
    strategy.type = 'RollingUpdate'
    strategy.rollingUpdate ??= {}
  }
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate !== undefined) strategy.rollingUpdate.partition ??= 0
  spec.persistentVolumeClaimRetentionPolicy ??= {}
  spec.persistentVolumeClaimRetentionPolicy.whenDeleted ||= 'Retain'
  spec.persistentVolumeClaimRetentionPolicy.whenScaled ||= 'Retain'
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  for (const claim of (spec.volumeClaimTemplates ?? []) as KubeObject[]) {
    claim.apiVersion = 'v1'
    claim.kind = 'PersistentVolumeClaim'
    claim.metadata ??= {}
    claim.spec ??= {}
    claim.spec.resources ??= {}
    for (const list of [claim.spec.resources.requests, claim.spec.resources.limits] as (Record<string, string> | undefined)[]) {
      for (const name of Object.keys(list ?? {})) put(list ?? {}, name, roundUpToMilli((list ?? {})[name] ?? '0'))
    }
    claim.spec.volumeMode ??= 'Filesystem'
    claim.status ??= {}
    claim.status.phase ||= 'Pending'
  }
  draft.status.replicas ??= 0
  draft.status.availableReplicas ??= 0
}

/** The feature gate MaxUnavailableStatefulSet is off: a new set cannot have it. */
function dropMaxUnavailable(draft: KubeObject, old: KubeObject | undefined): void {
  if (old?.spec.updateStrategy?.rollingUpdate?.maxUnavailable !== undefined) return
  delete draft.spec.updateStrategy?.rollingUpdate?.maxUnavailable
}

const historyWarning = (draft: KubeObject): string[] =>
  (draft.spec.revisionHistoryLimit ?? 0) < 0
    ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
    : []

/** GetWarningsForPersistentVolumeClaimSpec: storage that is not whole bytes. */
function claimWarnings(draft: KubeObject, path: (i: number) => string): string[] {
  return ((draft.spec as StatefulSetSpec).volumeClaimTemplates ?? []).flatMap((claim, i) =>
    (['requests', 'limits'] as const).flatMap((name) => {
      const value = (claim.spec?.resources?.[name] as Record<string, string> | undefined)?.['storage']
      if (value === undefined || quantityMilliValue(value) % 1000 === 0) return []
      return [`${path(i)}.resources.${name}[storage]: fractional byte value ${JSON.stringify(value)} is invalid, must be an integer`]
    }),
  )
}

export const statefulSet: KindStrategy = {
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  resource: 'statefulsets',
  singular: 'statefulset',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  allowUnconditionalUpdate: true,
  defaultPropagation: 'Background',
  defaults,
  prepareForCreate(draft) {
    prepareForCreate(draft, { availableReplicas: 0, replicas: 0 })
    dropMaxUnavailable(draft, undefined)
  },
  validate: (draft) => [
    ...validateObjectMeta(draft.metadata, true, nameIsDNSLabel, 'metadata'),
    ...validateSpec(draft.spec, {}, undefined),
  ],
  createWarnings: (draft) => [
    ...podTemplateWarnings(draft.spec.template, 'spec.template'),
    ...claimWarnings(draft, (i) => `spec.volumeClaimTemplates[${i}]`),
    ...historyWarning(draft),
  ],
  prepareForUpdate(draft, old) {
    dropMaxUnavailable(draft, old)
    prepareSpecUpdate(draft, old)
  },
  validateUpdate,
  warnings: (draft, old) => [
    ...changedTemplateWarnings(draft, old),
    ...claimWarnings(draft, (i) => `spec.volumeClaimTemplates[${i}].Spec`),
    ...historyWarning(draft),
  ],
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate(draft, old) {
        draft.spec = old.spec
      },
      validateUpdate: (draft, old) => [
        ...validateStatus(draft.status),
        ...validateObjectMetaUpdate(draft.metadata, old.metadata, 'metadata'),
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
  columns: [nameColumn, column('Ready', 'string', 'Number of the pod with ready state'), ageColumn, containersColumn, imagesColumn],
  row: ({ metadata, spec, status }, nowMs) => [
    metadata.name ?? '',
    `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    translateTimestampSince(metadata.creationTimestamp, nowMs),
    ...containerCells(spec.template),
  ],
}

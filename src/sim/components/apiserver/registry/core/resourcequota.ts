// v1 ResourceQuota with its status door (pkg/registry/core/resourcequota, ValidateResourceQuota).
import { type FieldError, invalid, required } from '../../../../api/field.ts'
import { compareQuantities } from '../../../../api/quantity.ts'
import type { ResourceQuotaSpec, ScopedResourceSelectorRequirement } from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { at, keysOf } from '../pod/maps.ts'
import { quantityString } from '../pod/quantities.ts'
import type { KindStrategy } from '../strategy.ts'
import { resourceQuotaColumns } from './columns.ts'
import { type ResourceList, roundUpResourceList, validateResourceName, validateResourceQuantityValue } from './resourcelist.ts'
import { age, keep, metaUpdate, namespacedMeta } from './rules.ts'
import { goScopeSelector } from './volumestructs.ts'

const scopes = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'VolumeAttributesClass',
  'CrossNamespacePodAffinity',
]
const quotaResources = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
])
const podCompute = new Set(['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory'])

const isQuotaResource = (name: string): boolean =>
  quotaResources.has(name) || name.startsWith('hugepages-') || name.startsWith('requests.hugepages-')

function scopeFits(scope: string, resource: string): boolean {
  switch (scope) {
    case 'Terminating':
    case 'NotTerminating':
    case 'NotBestEffort':
    case 'PriorityClass':
    case 'CrossNamespacePodAffinity':
      return resource === 'pods' || podCompute.has(resource)
    case 'BestEffort':
      return resource === 'pods'
    case 'VolumeAttributesClass':
      return resource === 'persistentvolumeclaims' || resource === 'requests.storage'
    default:
      return true
  }
}

function validateList(list: ResourceList | undefined, field: string): FieldError[] {
  return keysOf(list).flatMap((name) => {
    const path = `${field}[${name}]`
    const errors = validateResourceName(name, path)
    if (!name.includes('/') && !isQuotaResource(name)) errors.push(invalid(path, name, 'must be a standard resource for quota'))
    return [...errors, ...validateResourceQuantityValue(name, at(list, name) ?? '0', path)]
  })
}

function conflicts(found: ReadonlySet<string>, field: string, shown: readonly string[] | undefined): FieldError[] {
  const pairs = [
    ['BestEffort', 'NotBestEffort'],
    ['Terminating', 'NotTerminating'],
  ]
  return pairs.filter((pair) => pair.every((s) => found.has(s))).map(() => invalid(field, shown ?? null, 'conflicting scopes'))
}

function validateScopes(spec: ResourceQuotaSpec): FieldError[] {
  const list = spec.scopes ?? []
  if (list.length === 0) return []
  const field = 'spec.scopes'
  const errors: FieldError[] = []
  for (const scope of list) {
    if (!scopes.includes(scope)) errors.push(invalid(field, list, 'unsupported scope'))
    for (const k of keysOf(spec.hard))
      if (isQuotaResource(k) && !scopeFits(scope, k)) errors.push(invalid(field, list, 'unsupported scope applied to resource'))
  }
  return [...errors, ...conflicts(new Set(list), field, list)]
}

const existsOnly = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']

function validateRequirement(r: ScopedResourceSelectorRequirement, spec: ResourceQuotaSpec, field: string): FieldError[] {
  const errors: FieldError[] = []
  if (!scopes.includes(r.scopeName)) errors.push(invalid(`${field}.scopeName`, r.scopeName ?? '', 'unsupported scope'))
  for (const k of keysOf(spec.hard)) {
    if (isQuotaResource(k) && !scopeFits(r.scopeName, k)) {
      errors.push({
        ...invalid(field, spec.scopeSelector, 'unsupported scope applied to resource'),
        badValueText: goScopeSelector(spec.scopeSelector),
      })
    }
  }
  if (existsOnly.includes(r.scopeName) && r.operator !== 'Exists') {
    errors.push(
      invalid(
        `${field}.operator`,
        r.operator ?? '',
        "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
      ),
    )
  }
  switch (r.operator) {
    case 'In':
    case 'NotIn':
      if (!r.values?.length)
        errors.push(required(`${field}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"))
      break
    case 'Exists':
    case 'DoesNotExist':
      if (r.values?.length)
        errors.push(
          invalid(`${field}.values`, r.values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"),
        )
      break
    default:
      errors.push(invalid(`${field}.operator`, r.operator ?? '', 'not a valid selector operator'))
  }
  return errors
}

function validateScopeSelector(spec: ResourceQuotaSpec): FieldError[] {
  if (!spec.scopeSelector) return []
  const field = 'spec.scopeSelector.matchExpressions'
  const requirements = spec.scopeSelector.matchExpressions ?? []
  return [
    ...requirements.flatMap((r) => validateRequirement(r, spec, field)),
    ...conflicts(new Set(requirements.map((r) => r.scopeName)), field, spec.scopes),
  ]
}

const validateSpec = (o: KubeObject): FieldError[] => {
  const spec = (o.spec ?? {}) as ResourceQuotaSpec
  return [...validateList(spec.hard as ResourceList | undefined, 'spec.hard'), ...validateScopes(spec), ...validateScopeSelector(spec)]
}

const validateStatus = (o: KubeObject): FieldError[] => [
  ...validateList(o.status?.hard, 'status.hard'),
  ...validateList(o.status?.used, 'status.used'),
]

function sameScopes(o: KubeObject, old: KubeObject): FieldError[] {
  const [a, b] = [new Set<string>(o.spec?.scopes ?? []), new Set<string>(old.spec?.scopes ?? [])]
  if (a.size === b.size && [...a].every((s) => b.has(s))) return []
  return [invalid('spec.scopes', o.spec?.scopes ?? null, 'field is immutable')]
}

function warnings(o: KubeObject): string[] {
  const hard: ResourceList = o.spec?.hard ?? {}
  return ['cpu', 'memory', 'storage', 'ephemeral-storage'].flatMap((resource) => {
    let name = `requests.${resource}`
    let request = at(hard, name)
    if (request === undefined && (resource === 'cpu' || resource === 'memory')) {
      request = at(hard, resource)
      if (request !== undefined) name = resource
    }
    const limit = at(hard, `limits.${resource}`)
    if (request === undefined || limit === undefined || compareQuantities(request, limit) <= 0) return []
    return [`ResourceQuota ${name} (${quantityString(request)}) should be less than limits.${resource} (${quantityString(limit)})`]
  })
}

function row(o: KubeObject, nowMs: number): string[] {
  const requests: string[] = []
  const limits: string[] = []
  for (const name of keysOf(o.status?.hard)) {
    const cell = `${name}: ${quantityString(at<string>(o.status?.used, name) ?? '0')}/${quantityString(at<string>(o.status?.hard, name) ?? '0')}`
    ;(name.startsWith('limits.') ? limits : requests).push(cell)
  }
  return [o.metadata.name ?? '', requests.join(', '), limits.join(', '), age(o, nowMs)]
}

export const resourceQuota: KindStrategy = {
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  resource: 'resourcequotas',
  singular: 'resourcequota',
  shortNames: ['quota'],
  categories: [],
  namespaced: true,
  allowUnconditionalUpdate: true,
  deleteReturnsObject: true,
  defaults(o) {
    o.spec ??= {}
    o.status ??= {}
    roundUpResourceList(o.spec.hard)
    roundUpResourceList(o.status.hard)
    roundUpResourceList(o.status.used)
  },
  prepareForCreate(o) {
    o.status = {}
  },
  validate: (o) => [...namespacedMeta(o), ...validateSpec(o), ...validateStatus(o)],
  createWarnings: warnings,
  prepareForUpdate: (o, old) => keep(o, old, 'status'),
  validateUpdate: (o, old) => [...metaUpdate(o, old), ...validateSpec(o), ...sameScopes(o, old)],
  subresources: {
    status: {
      does: 'update',
      prepareForUpdate: (o, old) => keep(o, old, 'spec'),
      validateUpdate: (o, old) => [
        ...metaUpdate(o, old),
        ...(o.metadata.resourceVersion ? [] : [required('resourceVersion')]),
        ...validateStatus(o),
      ],
    },
  },
  columns: resourceQuotaColumns,
  row,
}

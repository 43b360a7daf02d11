// flowcontrol.apiserver.k8s.io/v1 FlowSchema (pkg/registry/flowcontrol/flowschema, pkg/apis/flowcontrol/validation).
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../../../api/field.ts'
import type {
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
} from '../../../../api/types/kubernetes.gen.ts'
import type { KubeObject } from '../../../../api/types/object.ts'
import { mandatoryFlowSchemas } from '../../flowcontrol/bootstrap.ts'
import { flowSchemaColumns } from '../core/columns.ts'
import { age, clusterMeta, invalidEach, keep, nameIsDNSLabel, nameIsDNSSubdomain, semanticEqual } from '../core/rules.ts'
import type { KindStrategy } from '../strategy.ts'
import { goDistinguisher, goFlowSchemaSpec } from './structs.ts'

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const methods = ['ByNamespace', 'ByUser']
type FlowSubject = PolicyRulesWithSubjects['subjects'][number]

function validateVerbs(list: readonly string[], field: string): FieldError[] {
  if (list.length === 0) return [required(field, 'verbs must contain at least one value')]
  if (list.includes('*')) return list.length > 1 ? [invalid(field, list, "if '*' is present, must not specify other verbs")] : []
  return list.every((v) => verbs.includes(v)) ? [] : [notSupported(field, list, verbs)]
}

function validateSubject(subject: FlowSubject, field: string): FieldError[] {
  const { kind, user, group, serviceAccount } = subject as FlowSubject & { user?: { name?: string }; group?: { name?: string } }
  const not = (name: string, owner: string, value: unknown): FieldError[] =>
    value ? [forbidden(`${field}.${name}`, `${name} is forbidden when subject kind is not '${owner}'`)] : []
  const named = (name: string, owner: string, value: { name?: string } | undefined): FieldError[] => {
    if (!value) return [required(`${field}.${name}`, `${name} is required when subject kind is '${owner}'`)]
    return value.name ? [] : [required(`${field}.${name}.name`)]
  }
  switch (kind) {
    case 'ServiceAccount': {
      const errors = named('serviceAccount', 'ServiceAccount', serviceAccount)
      if (serviceAccount) {
        const { name = '', namespace = '' } = serviceAccount
        const path = `${field}.serviceAccount`
        if (name && name !== '*') errors.push(...invalidEach(`${path}.name`, name, nameIsDNSSubdomain(name, false)))
        if (namespace) errors.push(...invalidEach(`${path}.namespace`, namespace, nameIsDNSLabel(namespace, false)))
        else errors.push(required(`${path}.namespace`, 'must specify namespace for service account'))
      }
      return [...errors, ...not('user', 'User', user), ...not('group', 'Group', group)]
    }
    case 'User':
      return [...named('user', 'User', user), ...not('serviceAccount', 'ServiceAccount', serviceAccount), ...not('group', 'Group', group)]
    case 'Group':
      return [...named('group', 'Group', group), ...not('serviceAccount', 'ServiceAccount', serviceAccount), ...not('user', 'User', user)]
    default:
      return [notSupported(`${field}.kind`, kind ?? '', ['Group', 'ServiceAccount', 'User'])]
  }
}

function urlProblem(path: string): string | undefined {
  if (path === '') return 'must not be empty'
  if (path === '/') return undefined
  if (!path.startsWith('/')) return 'must start with slash'
  if (path.includes(' ')) return 'must not contain white-space'
  if (path.includes('//')) return 'must not contain double slash'
  const stars = path.split('*').length - 1
  return stars > 1 || (stars === 1 && !path.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined
}

function validateNonResourceRule(rule: NonResourcePolicyRule, field: string): FieldError[] {
  const errors = validateVerbs(rule.verbs ?? [], `${field}.verbs`)
  const urls = rule.nonResourceURLs ?? []
  const path = `${field}.nonResourceURLs`
  if (urls.length === 0) errors.push(required(path, 'nonResourceURLs must contain at least one value'))
  else if (urls.includes('*')) {
    if (urls.length > 1) errors.push(invalid(path, urls, "if '*' is present, must not specify other non-resource URLs"))
  } else {
    for (const [i, url] of urls.entries()) {
      const problem = urlProblem(url)
      if (problem !== undefined) errors.push(invalid(`${path}[${i}]`, url, problem))
    }
  }
  return errors
}

function validateResourceRule(rule: ResourcePolicyRule, field: string): FieldError[] {
  const errors = validateVerbs(rule.verbs ?? [], `${field}.verbs`)
  const list = (name: 'apiGroups' | 'resources', what: string, several: string): void => {
    const values = rule[name] ?? []
    if (values.length === 0) errors.push(required(`${field}.${name}`, `resource rules must supply at least one ${what}`))
    else if (values.length > 1 && values.includes('*'))
      errors.push(invalid(`${field}.${name}`, values, `if '*' is present, must not specify other ${several}`))
  }
  list('apiGroups', 'api group', 'api groups')
  list('resources', 'resource', 'resources')
  const namespaces = rule.namespaces ?? []
  const path = `${field}.namespaces`
  if (namespaces.length === 0 && !rule.clusterScope) {
    errors.push(required(path, 'resource rules that are not cluster scoped must supply at least one namespace'))
  } else if (namespaces.includes('*')) {
    if (namespaces.length > 1) errors.push(invalid(path, namespaces, "if '*' is present, must not specify other namespaces"))
  } else {
    for (const [i, ns] of namespaces.entries()) {
      errors.push(
        ...nameIsDNSLabel(ns, false).map((m) =>
          invalid(`${path}[${i}]`, ns, `each member of this list must be '*' or a DNS-1123 label; ${m}`),
        ),
      )
    }
  }
  return errors
}

function validateRules(rules: PolicyRulesWithSubjects, field: string): FieldError[] {
  const errors: FieldError[] = []
  if (rules.subjects?.length) errors.push(...rules.subjects.flatMap((s, i) => validateSubject(s, `${field}.subjects[${i}]`)))
  else errors.push(required(`${field}.subjects`, 'subjects must contain at least one value'))
  if (!rules.resourceRules?.length && !rules.nonResourceRules?.length) {
    errors.push(required(field, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  }
  return [
    ...errors,
    ...(rules.resourceRules ?? []).flatMap((r, i) => validateResourceRule(r, `${field}.resourceRules[${i}]`)),
    ...(rules.nonResourceRules ?? []).flatMap((r, i) => validateNonResourceRule(r, `${field}.nonResourceRules[${i}]`)),
  ]
}

function validateSpec(name: string, spec: FlowSchemaSpec): FieldError[] {
  const errors: FieldError[] = []
  const precedence = spec.matchingPrecedence ?? 0
  const field = 'spec.matchingPrecedence'
  if (precedence <= 0) errors.push(invalid(field, precedence, 'must be a positive value'))
  if (precedence > 10000) errors.push(invalid(field, precedence, 'must not be greater than 10000'))
  if (precedence === 1 && name !== 'exempt')
    errors.push(invalid(field, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
  const method = spec.distinguisherMethod
  if (method && !methods.includes(method.type)) {
    errors.push({ ...notSupported('spec.distinguisherMethod.type', method, methods), badValueText: goDistinguisher(method) })
  }
  const level = spec.priorityLevelConfiguration?.name
  if (level) errors.push(...invalidEach('spec.priorityLevelConfiguration.name', level, nameIsDNSSubdomain(level, false)))
  else errors.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'))
  return [...errors, ...(spec.rules ?? []).flatMap((r, i) => validateRules(r, `spec.rules[${i}]`))]
}

/** Also of PriorityLevelConfiguration. */
export function validateConditions(o: KubeObject): FieldError[] {
  const seen = new Set<string>()
  return ((o.status?.conditions ?? []) as { type?: string }[]).flatMap((c, i) => {
    const type = c.type ?? ''
    const path = `status.conditions[${i}].type`
    const errors = seen.has(type) ? [duplicate(path, type)] : []
    seen.add(type)
    return type === '' ? [...errors, required(path)] : errors
  })
}

function validate(o: KubeObject): FieldError[] {
  const name = o.metadata.name ?? ''
  const errors = [...clusterMeta(o), ...validateSpec(name, o.spec ?? {})]
  const mandatory = mandatoryFlowSchemas.find((m) => m.metadata.name === name)
  if (mandatory !== undefined && !semanticEqual(o.spec, mandatory.spec)) {
    errors.push({ ...invalid('spec', o.spec, `spec of '${name}' must equal the fixed value`), badValueText: goFlowSchemaSpec(o.spec) })
  }
  return [...errors, ...validateConditions(o)]
}

/** Through /status only the status changes, and who manages it. */
export function keepAllButStatus(o: KubeObject, old: KubeObject): void {
  keep(o, old, 'spec')
  const { managedFields } = o.metadata
  // In place: the update's other steps hold the same metadata.
  for (const field of Object.keys(o.metadata)) delete (o.metadata as unknown as Record<string, unknown>)[field]
  Object.assign(o.metadata, { ...old.metadata, managedFields })
  if (managedFields === undefined) delete o.metadata.managedFields
}

export function bumpGeneration(o: KubeObject, old: KubeObject): void {
  if (!semanticEqual(o.spec, old.spec)) o.metadata.generation = (old.metadata.generation ?? 0) + 1
  keep(o, old, 'status')
}

/** Times of conditions are always written. */
export function defaultConditions(o: KubeObject): void {
  for (const c of (o.status?.conditions ?? []) as { lastTransitionTime?: string | null }[]) c.lastTransitionTime ??= null
}

export const flowSchema: KindStrategy = {
  group: 'flowcontrol.apiserver.k8s.io',
  version: 'v1',
  kind: 'FlowSchema',
  resource: 'flowschemas',
  singular: 'flowschema',
  shortNames: [],
  categories: [],
  namespaced: false,
  allowUnconditionalUpdate: true,
  defaults(o) {
    o.spec ??= {}
    o.spec.matchingPrecedence ||= 1000
    o.spec.priorityLevelConfiguration ??= {}
    o.spec.priorityLevelConfiguration.name ??= ''
    o.status ??= {}
    defaultConditions(o)
  },
  prepareForCreate(o) {
    o.status = {}
    o.metadata.generation = 1
  },
  validate,
  prepareForUpdate: bumpGeneration,
  validateUpdate: validate,
  subresources: { status: { does: 'update', prepareForUpdate: keepAllButStatus, validateUpdate: validateConditions } },
  columns: flowSchemaColumns,
  row: (o, nowMs) => [
    o.metadata.name ?? '',
    o.spec?.priorityLevelConfiguration?.name ?? '',
    o.spec?.matchingPrecedence ?? 0,
    o.spec?.distinguisherMethod?.type ?? '<none>',
    age(o, nowMs),
    ((o.status?.conditions ?? []) as { type: string; status: string }[]).find((c) => c.type === 'Dangling')?.status ?? '?',
  ],
}
